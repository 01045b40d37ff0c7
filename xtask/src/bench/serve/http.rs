//! A minimal HTTP client for one server.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use anyhow::{Context as _, ensure};
use serde_json::Value;

/// A connection that is used again.
pub(super) struct Connection {
    address: SocketAddr,
    stream: BufReader<TcpStream>,
}

impl Connection {
    pub(super) fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(120)))?;
        stream.set_nodelay(true)?;
        Ok(Self { address, stream: BufReader::new(stream) })
    }

    /// Sends a request; returns the answer's status and body.
    pub(super) fn send(&mut self, method: &str, path: &str, body: &Value) -> anyhow::Result<(u16, Value)> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.ask(method, path, &body)?;
        let (status, length) = self.head()?;
        let mut answer = vec![0; length.context("an answer without a length")?];
        self.stream.read_exact(&mut answer)?;
        Ok((status, serde_json::from_slice(&answer).unwrap_or_default()))
    }

    /// The body of an answer that must be 2xx.
    pub(super) fn must(&mut self, method: &str, path: &str, body: &Value) -> anyhow::Result<Value> {
        let (status, answer) = self.send(method, path, body)?;
        ensure!((200..300).contains(&status), "{method} {path}: {status} {answer}");
        Ok(answer)
    }

    /// Begins to listen to a stream of events.
    pub(super) fn listen(&mut self, path: &str) -> anyhow::Result<()> {
        self.ask("GET", path, "")?;
        let (status, _) = self.head()?;
        ensure!(status == 200, "{path}: {status}");
        Ok(())
    }

    /// Waits until so many events have come.
    pub(super) fn hear(&mut self, events: usize) -> anyhow::Result<()> {
        let (mut heard, mut line) = (0, String::new());
        while heard < events {
            line.clear();
            ensure!(self.stream.read_line(&mut line)? > 0, "the stream ended after {heard} events");
            heard += usize::from(line.starts_with("id:"));
        }
        Ok(())
    }

    fn ask(&mut self, method: &str, path: &str, body: &str) -> anyhow::Result<()> {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        );
        Ok(self.stream.get_mut().write_all(head.as_bytes())?)
    }

    fn head(&mut self) -> anyhow::Result<(u16, Option<usize>)> {
        let (mut status, mut length, mut line) = (None, None, String::new());
        loop {
            line.clear();
            ensure!(self.stream.read_line(&mut line)? > 0, "the connection was closed");
            let text = line.trim_end();
            if text.is_empty() {
                return Ok((status.context("an answer without a status")?, length));
            } else if status.is_none() {
                status = text.split(' ').nth(1).and_then(|code| code.parse().ok());
            } else if let Some(value) = text.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().ok();
            }
        }
    }
}
