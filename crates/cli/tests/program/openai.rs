//! OpenAI's own clients against the real program.
//!
//! Needs them: `GRAFT_TEST_OPENAI` is a folder with a Python environment (`venv`) and npm packages (`npm`) that have
//! `openai`, which `cargo xtask test` prepares.

use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use crate::common::Graft;

/// A server that ends with its test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn client(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

fn says_ok(command: &mut Command) {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.trim() == "ok", "{said}{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn official_openai_clients_work() {
    let Some(clients) = std::env::var_os("GRAFT_TEST_OPENAI").map(PathBuf::from) else {
        eprintln!("skipped: GRAFT_TEST_OPENAI is not set");
        return;
    };
    let graft = Graft::with_toy_task();
    let learns = ["train", "text-classification", "--base", "tiny", "--epochs", "20", "--learning-rate", "1e-2"];
    graft.ok(&[&learns[..], &["--split", "random", "--skip-base", "--version", "toy", "--activate", "--force"]].concat());
    let mut command = graft.command(&["serve", "--bind", "127.0.0.1:0"]);
    let mut child = command.env("GRAFT_LOG", "warn").stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let server = Server(child);
    let first = lines.next().unwrap().unwrap();
    let address = first.split("http://").nth(1).unwrap_or_else(|| panic!("no address in: {first}")).to_owned();
    std::thread::spawn(move || lines.map_while(Result::ok).for_each(|line| println!("{line}")));
    let url = format!("http://{address}/v1");
    says_ok(Command::new(clients.join("venv/bin/python")).arg(client("openai_client.py")).arg(&url));
    says_ok(Command::new("node").arg(client("openai_client.mjs")).arg(&url).arg(clients.join("npm")));
    drop(server);
}
