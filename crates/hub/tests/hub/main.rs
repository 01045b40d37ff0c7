//! Pulls, finds and removes models against a Hub on a local port.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

mod download;
mod keeping;
mod refusals;
mod support;

fn reference(text: &str) -> graft_hub::Reference {
    text.parse().unwrap()
}

fn quiet(_: graft_hub::Progress<'_>) {}
