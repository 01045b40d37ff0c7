use std::{
    fs,
    io::{self, Read as _, Write as _},
    net::TcpStream,
    os::unix::process::CommandExt as _,
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// A real Ray cluster of one node with two processors, which wants a token. It ends when this is dropped, and when the test
/// process ends for any reason.
#[derive(Debug)]
pub struct Ray {
    environment: PathBuf,
    folder: TempDir,
    port: u16,
    head: Option<Child>,
}

/// Runs the head until standard input closes, then ends whatever it started: its components have process groups of their own,
/// and name its folder.
const GUARD: &str = r#""$@" >>log 2>&1 & cat >/dev/null
for process in /proc/[0-9]*; do
    [ "${process#/proc/}" = $$ ] || ! grep -q "$PWD/" "$process/cmdline" 2>/dev/null || kill -KILL "${process#/proc/}"
done
kill -KILL 0"#;

/// Time for it to answer.
const START_TIMEOUT: Duration = Duration::from_secs(120);

impl Ray {
    /// The token of the cluster.
    pub const TOKEN: &str = "a-token-for-the-tests-of-graft-1";

    /// Starts a cluster on free ports; `None` without the Python environment that `cargo xtask test` installs.
    ///
    /// # Panics
    /// If it is there, and Ray doesn't start.
    #[must_use]
    pub fn start() -> Option<Self> {
        let environment = PathBuf::from(std::env::var_os("GRAFT_TEST_RAY")?);
        // Sockets have paths of at most about 100 bytes, of which Ray takes most.
        let folder = tempfile::Builder::new().prefix("ray").rand_bytes(4).tempdir_in("/tmp").ok()?;
        let mut ray = Self { environment, folder, port: crate::free_port().ok()?, head: None };
        ray.up().expect("ray starts");
        Some(ray)
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Starts it at the same address after [`down`](Self::down). It remembers nothing.
    ///
    /// # Errors
    /// If it can't be started, or does not answer.
    pub fn up(&mut self) -> io::Result<()> {
        let mut command = Command::new("sh");
        command.args(["-c", GUARD, "sh"]).arg(self.environment.join("bin/ray")).args(["start", "--head", "--block"]);
        let ports = [("--dashboard-port", self.port), ("--dashboard-agent-listen-port", crate::free_port()?)];
        for (option, port) in ports.into_iter().chain([("--ray-client-server-port", crate::free_port()?)]) {
            command.args([option, &port.to_string()]);
        }
        // Any free ports for what nobody calls from outside.
        command.args(["--port=0", "--min-worker-port=0", "--max-worker-port=0"]);
        command.args(["--num-cpus=2", "--object-store-memory=100000000", "--disable-usage-stats"]);
        command.arg("--temp-dir").arg(self.folder.path().join("r"));
        command.env_remove("RAY_ADDRESS").env("RAY_AUTH_MODE", "token").env("RAY_AUTH_TOKEN", Self::TOKEN);
        command.env("HOME", self.folder.path()).env("RAY_JOB_STOP_WAIT_TIME_S", "3");
        command.current_dir(self.folder.path()).process_group(0).stdin(Stdio::piped());
        self.head = Some(command.spawn()?);
        let began = Instant::now();
        while !self.answers() {
            if began.elapsed() > START_TIMEOUT {
                let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
                return Err(io::Error::other(format!("it does not answer:\n{log}")));
            }
            sleep(Duration::from_millis(200));
        }
        Ok(())
    }

    /// Whether its job server answers, which starts after the dashboard.
    fn answers(&self) -> bool {
        let request = format!(
            "GET /api/jobs/ HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\nconnection: close\r\n\r\n",
            Self::TOKEN
        );
        let ask = || -> io::Result<String> {
            let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
            stream.set_read_timeout(Some(Duration::from_secs(10)))?;
            stream.write_all(request.as_bytes())?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).map(|_| answer)
        };
        ask().is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
    }

    /// Kills it with all its processes and jobs.
    pub fn down(&mut self) {
        if let Some(mut head) = self.head.take() {
            drop(head.stdin.take());
            // If the guard can't be waited for, there is nothing else to do.
            let _ = head.wait();
        }
    }
}

impl Drop for Ray {
    fn drop(&mut self) {
        self.down();
    }
}
