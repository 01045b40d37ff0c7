//! The programs that Graft is compared with.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::shell;

/// What a user of peft installs; about 6 GB.
const PACKAGES: [&str; 4] = ["torch", "transformers", "peft", "gguf"];

/// A Python with the peer's packages, in a virtual environment of its own.
pub(super) fn python() -> anyhow::Result<Command> {
    let python = match std::env::var_os("GRAFT_PEER_PYTHON") {
        Some(python) => python.into(),
        None => install_python()?,
    };
    let mut command = Command::new(python);
    // Threads that spin while they wait fall to a tenth of their speed on a busy machine.
    command.env("OMP_WAIT_POLICY", "PASSIVE");
    Ok(command)
}

fn install_python() -> anyhow::Result<PathBuf> {
    let venv = std::path::absolute(shell::target().join("peers"))?;
    let python = venv.join("bin/python");
    if !venv.join("ready").exists() {
        println!("Installing {} into {} (about 6 GB) …", PACKAGES.join(", "), venv.display());
        shell::run(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
        shell::run(Command::new(&python).args(["-m", "pip", "install", "-q"]).args(PACKAGES))?;
        fs::write(venv.join("ready"), "")?;
    }
    Ok(python)
}

/// A script of `bench/peers` beside llama.cpp's prebuilt library from npm; an explanation where that can't be had.
pub(super) fn llama_cpp(script: &str) -> anyhow::Result<Result<Command, String>> {
    let folder = match std::env::var_os("GRAFT_PEER_NODE") {
        Some(folder) => PathBuf::from(folder),
        None => std::path::absolute(shell::target().join("bench/node"))?,
    };
    if !folder.join("node_modules/node-llama-cpp").exists() {
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("package.json"), r#"{"private": true, "type": "module"}"#)?;
        // The prebuilt library for processors alone: those for graphics cards take gigabytes.
        let library = match std::env::consts::ARCH {
            "aarch64" => "@node-llama-cpp/linux-arm64",
            _ => "@node-llama-cpp/linux-x64",
        };
        let install = ["install", "node-llama-cpp", library, "--omit=optional", "--ignore-scripts", "--no-audit"];
        let installed = Command::new("npm").args(install).current_dir(&folder).status();
        if !installed.is_ok_and(|status| status.success()) {
            return Ok(Err("npm can't install node-llama-cpp".into()));
        }
    }
    fs::copy(Path::new("bench/peers").join(script), folder.join(script))?;
    let mut node = Command::new("node");
    node.arg(script).current_dir(folder);
    Ok(Ok(node))
}
