//! `graft serve` as a process, and requests to it.

use std::{
    fs::File,
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::{Value, json};

use super::{Graft, ended, signal};

/// A server that was started for a test, and ends with it.
pub(crate) struct Server {
    pub(crate) child: Child,
    pub(crate) address: SocketAddr,
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended as the test wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// Starts one at any port and waits until it listens.
    pub(crate) fn start(graft: &Graft) -> Self {
        Self::started(graft.command(&["serve", "--bind", "127.0.0.1:0"]))
    }

    /// Starts it with a command that serves, and waits until it listens.
    pub(crate) fn started(mut command: Command) -> Self {
        let mut child = command.env("GRAFT_LOG", "warn").stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let first = lines.next().unwrap().unwrap();
        let address = first.split("http://").nth(1).unwrap_or_else(|| {
            // It would keep the output of the tests open.
            let _ = child.kill();
            panic!("no address in: {first}")
        });
        let address = address.parse().unwrap();
        // Somebody must read what it says, or it would wait for that one day.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(|line| println!("{line}")));
        Self { child, address }
    }

    /// Starts one at this address and doesn't wait; what it says is added to a file.
    pub(crate) fn spawn(graft: &Graft, address: SocketAddr, log: &Path) -> Self {
        let log = File::options().create(true).append(true).open(log).unwrap();
        let mut command = graft.command(&["serve", "--bind", &address.to_string()]);
        let child = command.env("GRAFT_LOG", "info").stderr(log).spawn().unwrap();
        Self { child, address }
    }

    pub(crate) fn send(&self, method: &str, path: &str, kind: &str, body: &[u8]) -> (u16, String) {
        send(self.address, method, path, &[("content-type", kind)], body).unwrap()
    }

    #[track_caller]
    pub(crate) fn json(&self, status: u16, method: &str, path: &str, body: &Value) -> Value {
        let (found, text) = self.send(method, path, "application/json", body.to_string().as_bytes());
        assert_eq!(found, status, "{method} {path}: {text}");
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{method} {path}: {error}: {text}"))
    }

    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> Value {
        self.json(200, "GET", path, &json!({}))
    }

    /// Ends it as a service manager does.
    pub(crate) fn stop(mut self) {
        assert!(signal(self.child.id(), "TERM"));
        let status = ended(&mut self.child);
        assert!(status.success(), "{status}");
    }
}

/// One request on a connection of its own. An answer that breaks off is none.
pub(crate) fn send(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> io::Result<(u16, String)> {
    let broken = || io::Error::from(io::ErrorKind::UnexpectedEof);
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(120)))?;
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n");
    headers.iter().for_each(|(name, value)| head += &format!("{name}: {value}\r\n"));
    head += &format!("content-length: {}\r\n\r\n", body.len());
    stream.write_all(&[head.as_bytes(), body].concat())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(broken)?;
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    if length.is_some_and(|length| length.parse() != Ok(body.len())) {
        return Err(broken());
    }
    Ok((head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(broken)?, body.to_owned()))
}

/// A form with a table of examples, and its content type.
pub(crate) fn csv_form(task: &str, csv: &str) -> (&'static str, Vec<u8>) {
    let field =
        |name: &str, value: &str| format!("--x\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
    let file = "--x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\ntext,label\n";
    let form = field("kind", "csv") + &field("task", task) + file + csv + "\r\n--x--\r\n";
    ("multipart/form-data; boundary=x", form.into_bytes())
}
