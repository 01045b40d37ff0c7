//! The page in `ui`: its packages, its build, its tests, and pictures of it.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, bail, ensure};

use crate::shell;

const FOLDER: &str = "ui";

/// What the page is built with, as npm locked it.
const LOCK: &str = "ui/package-lock.json";

/// A copy of the lock beside the packages that were installed by it.
const INSTALLED: &str = "ui/node_modules/.installed.json";

/// Where Debian puts the browser.
const CHROMIUM: &str = "/usr/bin/chromium";

/// Whether the page's packages are here and those that are locked.
pub(crate) fn is_installed() -> bool {
    let read = |path| std::fs::read(path).ok();
    read(INSTALLED).is_some_and(|installed| Some(installed) == read(LOCK))
}

/// Installs the page's packages, unless they are there, and builds it.
pub(crate) fn build() -> anyhow::Result<()> {
    install()?;
    shell::run(npm().args(["run", "build"]))
}

/// Types, form, unit tests and size of the page.
pub(crate) fn check() -> anyhow::Result<()> {
    install()?;
    shell::run(npm().args(["run", "check"]))?;
    shell::run(npm().args(["test"]))?;
    shell::run(npm().args(["run", "build"]))
}

/// What people do, in a real browser on the real program, which must have been built.
pub(crate) fn journeys() -> anyhow::Result<()> {
    shell::run(in_browser(npm().args(["run", "e2e"]))?)
}

/// Builds page and program and takes pictures of every page.
pub(crate) fn screenshots() -> anyhow::Result<()> {
    build()?;
    shell::run(shell::cargo().args(["build", "--package", "graft", "--bin", "graft"]))?;
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

/// Tells Playwright which browser and which program.
fn in_browser(npm: &mut Command) -> anyhow::Result<&mut Command> {
    let graft = std::path::absolute(shell::target().join("debug").join("graft"))?;
    ensure!(graft.exists(), "{} isn't built", graft.display());
    Ok(npm.env("GRAFT_CHROMIUM", chromium()?).env("GRAFT_BIN", graft))
}

/// The browser; installed where Debian's package manager can.
fn chromium() -> anyhow::Result<PathBuf> {
    if let Some(path) = env::var_os("GRAFT_CHROMIUM") {
        ensure!(Path::new(&path).exists(), "GRAFT_CHROMIUM names {}, which isn't there", path.display());
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
        println!("Installing Chromium, which tests of the page need …");
        shell::run(Command::new("apt-get").args(["update", "-q"]))?;
        let arguments = ["install", "-y", "-q", "--no-install-recommends", "chromium"];
        shell::run(Command::new("apt-get").args(arguments).env("DEBIAN_FRONTEND", "noninteractive"))?;
    }
    Ok(CHROMIUM.into())
}
