//! Checks vulnerabilities, licences and sources of the dependencies with cargo-deny and `deny.toml`.

use std::process::Stdio;

use anyhow::bail;

use crate::shell;

/// Runs cargo-deny, or says how to get it.
pub(crate) fn run() -> anyhow::Result<()> {
    let there = shell::cargo().args(["deny", "--version"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !there.is_ok_and(|status| status.success()) {
        bail!("cargo-deny is not installed: `cargo install --locked cargo-deny` (takes some minutes)");
    }
    // Checks without network come first, so that they also report without one.
    shell::run(shell::cargo().args(["deny", "check", "bans", "licenses", "sources"]))?;
    shell::run(shell::cargo().args(["deny", "check", "advisories"]))
}
