//! Programs and services that answer: the parsers that people have already.

use std::{
    io::{Read as _, Write as _},
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

use graft_core::is_this_machine;
use serde_json::json;
use ureq::Agent;

use crate::Error;

/// Longest answer that is read, in bytes.
const LONGEST: u64 = 1 << 20;
/// Characters of a failed program's last words that are shown.
const SHOWN: usize = 200;
/// What a program sees of the environment: no secrets of the server.
const KEPT: [&str; 6] = ["PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT"];

/// Runs a program with a text on its stdin, and returns what it writes to stdout.
pub(crate) fn run(command: &[String], seconds: u32, input: &str) -> Result<String, Error> {
    let failed = |why: String| Error::Outside { by: "command", why };
    let Some((program, arguments)) = command.split_first() else { return Err(failed("names no program".into())) };
    let mut prepared = Command::new(program);
    prepared.args(arguments).env_clear().stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    prepared.envs(KEPT.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut prepared, 0);
    let until = Instant::now() + Duration::from_secs(seconds.into());
    let mut child = prepared.spawn().map_err(|error| failed(format!("can't be started (`{program}`): {error}")))?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let text = input.to_owned();
    // A program may end without reading everything, so the write may fail.
    std::thread::spawn(move || stdin.map(|mut pipe| pipe.write_all(text.as_bytes())));
    let (said, told) = (collect(stdout), collect(stderr));
    let late = |child: &mut Child| {
        end(child);
        failed(format!("did not answer in {seconds} s"))
    };
    let left = || until.saturating_duration_since(Instant::now());
    let Ok(said) = said.recv_timeout(left()) else { return Err(late(&mut child)) };
    if said.len() as u64 > LONGEST {
        end(&mut child);
        return Err(failed(format!("answered more than {LONGEST} bytes")));
    }
    let status = loop {
        match child.try_wait().map_err(|error| failed(format!("can't be waited for: {error}")))? {
            Some(status) => break status,
            None if left().is_zero() => return Err(late(&mut child)),
            None => std::thread::sleep(Duration::from_millis(2)),
        }
    };
    if !status.success() {
        let told = told.recv_timeout(left()).unwrap_or_default();
        let told = String::from_utf8_lossy(&told);
        let last: String =
            told.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("").chars().take(SHOWN).collect();
        let last = if last.is_empty() { last } else { format!(": {last}") };
        return Err(failed(format!("ended with {status}{last}")));
    }
    String::from_utf8(said).map_err(|_| failed("answered in another encoding than UTF-8".into()))
}

/// Reads a pipe on a thread of its own: one byte more than allowed at most. The rest is dropped, because a program that can't
/// write is killed.
fn collect(pipe: Option<impl std::io::Read + Send + 'static>) -> mpsc::Receiver<Vec<u8>> {
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let Some(mut pipe) = pipe else { return };
        let _ = pipe.by_ref().take(LONGEST + 1).read_to_end(&mut bytes);
        let _ = send.send(bytes);
        let _ = std::io::copy(&mut pipe, &mut std::io::sink());
    });
    receive
}

/// Ends a program and what it started.
fn end(child: &mut Child) {
    #[cfg(unix)]
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw) {
        // It may be gone already.
        let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
    }
    let _ = child.kill();
    let _ = child.wait();
}

/// Posts a text to a service, and returns its reply.
pub(crate) fn post(url: &str, seconds: u32, task: &str, input: &str) -> Result<String, Error> {
    let failed = |why: String| Error::Outside { by: "endpoint", why };
    let mut config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .user_agent(concat!("graft/", env!("CARGO_PKG_VERSION")))
        .timeout_global(Some(Duration::from_secs(seconds.into())));
    if is_this_machine(url) {
        config = config.proxy(None);
    }
    let agent: Agent = config.build().into();
    let body = json!({"task": task, "input": input}).to_string();
    let mut reply = agent.post(url).content_type("application/json").send(body).map_err(|error| match error {
        ureq::Error::Timeout(_) => failed(format!("did not answer in {seconds} s")),
        other => failed(format!("can't be reached: {other}")),
    })?;
    let status = reply.status();
    if !status.is_success() {
        return Err(failed(format!("answered {status}")));
    }
    let read = reply.body_mut().with_config().limit(LONGEST).read_to_string();
    read.map_err(|error| match error {
        ureq::Error::Timeout(_) => failed(format!("did not answer in {seconds} s")),
        other => failed(format!("sent an answer that can't be read: {other}")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str, seconds: u32) -> Result<String, String> {
        let command = ["sh", "-c", script].map(str::to_owned);
        run(&command, seconds, "two\nlines").map_err(|error| error.to_string())
    }

    #[test]
    fn a_program_answers_from_its_stdin() {
        assert_eq!(sh("cat; echo '!'", 10).unwrap(), "two\nlines!\n");
        assert_eq!(sh("echo ham", 10).unwrap(), "ham\n");
    }

    #[test]
    fn a_program_that_fails_is_late_or_talks_too_much_is_named() {
        let said = sh("echo first >&2; echo 'no such table' >&2; exit 3", 10).unwrap_err();
        assert!(said.contains("exit status: 3: no such table"), "{said}");
        assert!(sh("head -c 2000000 /dev/zero | tr '\\0' x", 20).unwrap_err().contains("answered more than 1048576"));
        assert!(sh("printf '\\377'", 10).unwrap_err().contains("UTF-8"));
        let missing = run(&["no-such-program-here".to_owned()], 1, "").unwrap_err().to_string();
        assert!(missing.contains("can't be started"), "{missing}");
    }

    #[test]
    fn a_program_may_tell_much_beside_its_answer() {
        assert_eq!(sh("head -c 3000000 /dev/zero >&2; echo ham", 20).unwrap(), "ham\n");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_late_program_ends_with_what_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pid");
        let said = sh(&format!("sleep 60 & echo $! > {}; sleep 60", file.display()), 1).unwrap_err();
        assert!(said.contains("did not answer in 1 s"), "{said}");
        let pid = std::fs::read_to_string(file).unwrap();
        // Nobody may have waited for it yet.
        let state = || std::fs::read_to_string(format!("/proc/{}/stat", pid.trim()));
        let until = Instant::now() + Duration::from_secs(10);
        while state().is_ok_and(|state| !state.contains(") Z")) {
            assert!(Instant::now() < until, "its child still runs");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    #[test]
    fn a_program_sees_no_secrets() {
        let said = sh("env", 10).unwrap();
        let seen = said.lines().map(|line| line.split('=').next().unwrap());
        let unknown: Vec<&str> =
            seen.filter(|name| !KEPT.contains(name) && !["PWD", "_", "SHLVL", "OLDPWD"].contains(name)).collect();
        assert!(unknown.is_empty() && said.contains("PATH="), "{unknown:?}");
    }
}
