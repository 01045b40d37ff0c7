use std::{
    io::{self, Read as _, Write as _},
    net::TcpStream,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU64, Ordering},
    thread::sleep,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::http::{self, Answer, Request};

/// A real MLflow server with its own folder. It ends when this is dropped, and when the test process ends for any
/// reason. Its data stays until it is dropped, so that it can be killed and restarted.
#[derive(Debug)]
pub struct Mlflow {
    environment: PathBuf,
    folder: TempDir,
    port: u16,
    has_login: bool,
    server: Option<Child>,
}

/// Runs the server until standard input closes. It has child processes, so the whole group is killed.
const GUARD: &str = r#""$@" >>log 2>&1 & cat >/dev/null; kill -KILL 0"#;

/// Time for it to start listening; it migrates its database first.
const START_TIMEOUT: Duration = Duration::from_secs(180);

impl Mlflow {
    /// The Python environments from `cargo xtask test`, one per version of MLflow; empty without them.
    #[must_use]
    pub fn environments() -> Vec<PathBuf> {
        let Some(folder) = std::env::var_os("GRAFT_TEST_MLFLOW") else { return Vec::new() };
        ["v2", "v3"].map(|version| Path::new(&folder).join(version)).into()
    }

    /// Starts a server from an environment on a free port. With `has_login` it requires the user `admin` with the
    /// password [`PASSWORD`](Self::PASSWORD).
    ///
    /// # Errors
    /// If it can't be started, or does not listen.
    pub fn start(environment: &Path, has_login: bool) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("graft-mlflow-").tempdir()?;
        let port = crate::free_port()?;
        let login = format!(
            "[mlflow]\ndefault_permission = READ\ndatabase_uri = sqlite:///auth.db\nadmin_username = admin\n\
             admin_password = {}\nauthorization_function = mlflow.server.auth:authenticate_request_basic_auth\n",
            Self::PASSWORD
        );
        std::fs::write(folder.path().join("auth.ini"), login)?;
        let mut server = Self { environment: environment.to_owned(), folder, port, has_login, server: None };
        server.restart()?;
        Ok(server)
    }

    /// The password of `admin`.
    pub const PASSWORD: &str = "a-long-password-1";

    /// Its address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The folder where it stores files.
    #[must_use]
    pub fn files(&self) -> PathBuf {
        self.folder.path().join("files")
    }

    /// Restarts it on the same port with its data.
    ///
    /// # Errors
    /// Like [`start`](Self::start).
    pub fn restart(&mut self) -> io::Result<()> {
        let mut command = Command::new("sh");
        command.args(["-c", GUARD, "sh"]).arg(self.environment.join("bin/mlflow")).args([
            "server",
            "--host",
            "127.0.0.1",
        ]);
        command.args(["--port", &self.port.to_string(), "--workers", "1", "--backend-store-uri", "sqlite:///runs.db"]);
        command.arg("--artifacts-destination").arg(self.files());
        if self.has_login {
            command.args(["--app-name", "basic-auth"]);
        }
        // It must not use other settings or send telemetry.
        command.env_remove("MLFLOW_TRACKING_URI").env("MLFLOW_DISABLE_TELEMETRY", "true").env("DO_NOT_TRACK", "true");
        command.env("MLFLOW_FLASK_SERVER_SECRET_KEY", "secret").env("HOME", self.folder.path());
        command.env("MLFLOW_AUTH_CONFIG_PATH", self.folder.path().join("auth.ini"));
        command.current_dir(self.folder.path()).process_group(0).stdin(Stdio::piped());
        self.server = Some(command.spawn()?);
        let began = Instant::now();
        while !self.is_healthy() {
            if began.elapsed() > START_TIMEOUT {
                let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
                return Err(io::Error::other(format!("it doesn't listen:\n{log}")));
            }
            sleep(Duration::from_millis(200));
        }
        Ok(())
    }

    fn is_healthy(&self) -> bool {
        let ask = || -> io::Result<bool> {
            let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
            stream.set_read_timeout(Some(Duration::from_secs(10)))?;
            stream.write_all(b"GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            Ok(answer.starts_with("HTTP/1.1 200"))
        };
        ask().unwrap_or(false)
    }

    /// Kills it with all its processes.
    pub fn kill(&mut self) {
        if let Some(mut server) = self.server.take() {
            drop(server.stdin.take());
            // If the guard can't be waited for, there is nothing else to do.
            let _ = server.wait();
        }
    }

    /// Runs a Python program with MLflow's own client, configured for this server; returns its output.
    ///
    /// # Errors
    /// If it can't be started, or fails.
    pub fn python(&self, program: &Path, arguments: &[&str]) -> io::Result<String> {
        let mut python = Command::new(self.environment.join("bin/python"));
        python.arg(program).args(arguments).env("MLFLOW_TRACKING_URI", self.url());
        if self.has_login {
            python.env("MLFLOW_TRACKING_USERNAME", "admin").env("MLFLOW_TRACKING_PASSWORD", Self::PASSWORD);
        }
        let said = python.output()?;
        if !said.status.success() {
            return Err(io::Error::other(String::from_utf8_lossy(&said.stderr).into_owned()));
        }
        Ok(String::from_utf8_lossy(&said.stdout).into_owned())
    }

    /// The response to a GET request, faster than through Python's client.
    ///
    /// # Errors
    /// If the server can't be reached.
    pub fn get(&self, path: &str, query: &str) -> io::Result<String> {
        let headers = [("host".to_owned(), "localhost".to_owned())].into();
        let (method, path, query) = ("GET".to_owned(), path.to_owned(), query.to_owned());
        let answer = pass_on(self.port, &Request { method, path, query, headers, body: Vec::new() })?;
        Ok(answer.map(|(_, _, body)| String::from_utf8_lossy(&body).into_owned()).unwrap_or_default())
    }

    /// A proxy in front of this server that forwards each request and drops every n-th response.
    ///
    /// # Errors
    /// If no port is free.
    pub fn losing(&self, every: u64) -> io::Result<String> {
        let (port, count) = (self.port, AtomicU64::new(0));
        http::listen(move |request| {
            let answer = pass_on(port, request).ok().flatten();
            let is_lost = count.fetch_add(1, Ordering::Relaxed) % every == every - 1;
            answer.filter(|_| !is_lost)
        })
    }
}

impl Drop for Mlflow {
    fn drop(&mut self) {
        self.kill();
    }
}

fn pass_on(port: u16, request: &Request) -> io::Result<Answer> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    let query = if request.query.is_empty() { String::new() } else { format!("?{}", request.query) };
    let mut head = format!("{} {}{query} HTTP/1.1\r\n", request.method, request.path);
    for (name, value) in request.headers.iter().filter(|(name, _)| *name != "connection") {
        head += &format!("{name}: {value}\r\n");
    }
    stream.write_all(&[head.as_bytes(), b"connection: close\r\n\r\n", &request.body].concat())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let broken = || io::Error::from(io::ErrorKind::UnexpectedEof);
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").ok_or_else(broken)?;
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(broken)?;
    Ok(Some((status, vec![("content-type", "application/json".into())], answer[end + 4..].to_vec())))
}
