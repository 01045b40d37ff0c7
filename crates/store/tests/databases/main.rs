//! Runs every query on both databases with the same tests.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

mod alerts;
mod batches;
mod crash;
mod datasets;
mod examples;
mod follow;
mod live;
mod opening;
mod people;
mod prompts;
mod queue;
mod races;
mod rentals;
mod reviews;
mod rollouts;
mod runs;
mod served;
mod settings;
mod studies;
mod support;
mod tasks;
mod trackers;
mod upstreams;
mod versions;
