//! The page in `ui`: packages, build, tests and screenshots.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, bail, ensure};

use crate::shell;

const FOLDER: &str = "ui";

/// npm's lock file.
const LOCK: &str = "ui/package-lock.json";

/// A copy of the lock file beside the installed packages.
const INSTALLED: &str = "ui/node_modules/.installed.json";

/// Path of Debian's browser.
const CHROMIUM: &str = "/usr/bin/chromium";

/// Whether the installed packages match the lock file.
pub(crate) fn is_installed() -> bool {
    let read = |path| std::fs::read(path).ok();
    read(INSTALLED).is_some_and(|installed| Some(installed) == read(LOCK))
}

/// Installs the page's packages if needed, and builds it.
pub(crate) fn build() -> anyhow::Result<()> {
    install()?;
    shell::run(npm().args(["run", "build"]))
}

/// Checks types, formatting, unit tests and size of the page.
pub(crate) fn check() -> anyhow::Result<()> {
    install()?;
    shell::run(npm().args(["run", "check"]))?;
    shell::run(npm().args(["test"]))?;
    shell::run(npm().args(["run", "build"]))
}

/// End-to-end tests in a real browser with the real program, which must have been built. Returns Playwright's count of
/// those that passed only when they were tried again.
pub(crate) fn journeys() -> anyhow::Result<Option<String>> {
    let mut again = None;
    shell::run_and_read(in_browser(npm().args(["run", "e2e"]))?, |line| {
        if line
            .trim_start()
            .split_once(' ')
            .is_some_and(|(count, what)| what == "flaky" && count.parse::<u32>().is_ok())
        {
            again = Some(line.trim().to_owned());
        }
    })?;
    Ok(again)
}

/// Builds page and program and takes screenshots of every page.
pub(crate) fn screenshots() -> anyhow::Result<()> {
    build()?;
    shell::run(shell::cargo().args(["build", "--workspace", "--bin", "graft"]))?;
    shell::run(in_browser(npm().args(["run", "screenshots"]))?)
}

fn install() -> anyhow::Result<()> {
    if is_installed() {
        return Ok(());
    }
    shell::run(npm().args(["ci", "--no-audit", "--no-fund"]))?;
    std::fs::copy(LOCK, INSTALLED).context("the packages' lock can't be copied")?;
    Ok(())
}

fn npm() -> Command {
    let mut npm = Command::new("npm");
    npm.current_dir(FOLDER).env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1");
    npm
}

/// Sets browser and program for Playwright.
fn in_browser(npm: &mut Command) -> anyhow::Result<&mut Command> {
    let graft = std::path::absolute(shell::target().join("debug").join("graft"))?;
    ensure!(graft.exists(), "{} isn't built", graft.display());
    Ok(npm.env("GRAFT_CHROMIUM", chromium()?).env("GRAFT_BIN", graft))
}

/// The browser; installed with Debian's package manager if needed.
fn chromium() -> anyhow::Result<PathBuf> {
    if let Some(path) = env::var_os("GRAFT_CHROMIUM") {
        ensure!(Path::new(&path).exists(), "GRAFT_CHROMIUM names {}, which does not exist", path.display());
        return Ok(path.into());
    }
    if !Path::new(CHROMIUM).exists() {
        let root = shell::output(Command::new("id").arg("-u"))? == b"0\n";
        if !root || !Path::new("/usr/bin/apt-get").exists() {
            bail!(
                "tests of the page need a browser, and {CHROMIUM} isn't there.\nInstall it (Debian: `apt-get install \
                 chromium`), or set GRAFT_CHROMIUM to another Chromium"
            );
        }
        println!("Installing Chromium for the tests of the page …");
        shell::run(Command::new("apt-get").args(["update", "-q"]))?;
        let arguments = ["install", "-y", "-q", "--no-install-recommends", "chromium"];
        shell::run(Command::new("apt-get").args(arguments).env("DEBIAN_FRONTEND", "noninteractive"))?;
    }
    Ok(CHROMIUM.into())
}
