//! Receivers of alerts: a webhook, and a mail server after RFC 5321 that accepts nothing that breaks its rules.

use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;

use crate::http::{Answer, Request, listen};

/// How a receiver behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceiverMood {
    /// It takes everything.
    Well,
    /// It closes every connection without an answer.
    Away,
    /// It answers with an error of its own.
    Broken,
    /// It takes everything, after a second.
    Slow,
}

fn locked<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A webhook that checks signatures, and ends with its process.
#[derive(Debug)]
pub struct Webhook {
    origin: String,
    state: Arc<State<Value>>,
}

#[derive(Debug)]
struct State<T> {
    mood: Mutex<ReceiverMood>,
    calls: Mutex<usize>,
    taken: Mutex<Vec<T>>,
}

impl<T> State<T> {
    fn new() -> Arc<Self> {
        Arc::new(Self { mood: Mutex::new(ReceiverMood::Well), calls: Mutex::default(), taken: Mutex::default() })
    }

    /// Counts a call; says how to answer it.
    fn call(&self) -> ReceiverMood {
        *locked(&self.calls) += 1;
        let mood = *locked(&self.mood);
        if mood == ReceiverMood::Slow {
            thread::sleep(Duration::from_secs(1));
        }
        mood
    }
}

impl Webhook {
    /// The secret that must sign each request.
    pub const SECRET: &'static str = "the webhook's secret";
    /// The path, which nobody should see.
    const PATH: &'static str = "/hooks/T0-hidden-path";

    /// Starts one.
    ///
    /// # Errors
    /// If no port is free.
    pub fn start() -> io::Result<Self> {
        let state = State::new();
        let shared = Arc::clone(&state);
        let origin = listen(move |request| take(request, &shared))?;
        Ok(Self { origin, state })
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> String {
        self.origin.clone() + Self::PATH
    }

    /// From now on it behaves like this.
    pub fn set(&self, mood: ReceiverMood) {
        *locked(&self.state.mood) = mood;
    }

    /// How often it was called, with or without success.
    #[must_use]
    pub fn calls(&self) -> usize {
        *locked(&self.state.calls)
    }

    /// The documents that it took, oldest first.
    #[must_use]
    pub fn taken(&self) -> Vec<Value> {
        locked(&self.state.taken).clone()
    }
}

fn take(request: &Request, state: &State<Value>) -> Answer {
    let plain = |status: u16, text: &str| Some((status, Vec::new(), text.as_bytes().to_vec()));
    match state.call() {
        ReceiverMood::Away => return None,
        ReceiverMood::Broken => return plain(500, "the receiver is broken"),
        ReceiverMood::Well | ReceiverMood::Slow => {}
    }
    if (request.method.as_str(), request.path.as_str()) != ("POST", Webhook::PATH) {
        // As Express says it.
        return plain(404, &format!("Cannot {} {}", request.method, request.path));
    }
    if request.headers.get("content-type").map(String::as_str) != Some("application/json") {
        return plain(415, "no JSON");
    }
    let mut mac = Hmac::<Sha256>::new_from_slice(Webhook::SECRET.as_bytes()).expect("any key will do");
    mac.update(&request.body);
    let digits: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    if request.headers.get("x-graft-signature") != Some(&format!("sha256={digits}")) {
        return plain(401, "wrong signature");
    }
    match serde_json::from_slice::<Value>(&request.body) {
        Ok(document) if document["text"].is_string() => {
            locked(&state.taken).push(document);
            plain(200, "ok")
        }
        _ => plain(400, "no_text"),
    }
}

/// A message that a mail server took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// The sender of the envelope.
    pub from: String,
    /// The receivers of the envelope.
    pub to: Vec<String>,
    /// Headers and body, with CRLF.
    pub content: String,
}

/// A mail server that requires a login, and ends with its process.
#[derive(Debug)]
pub struct Smtp {
    port: u16,
    state: Arc<State<Mail>>,
}

impl Smtp {
    /// The only user.
    pub const USER: &'static str = "graft";
    /// The user's password.
    pub const PASSWORD: &'static str = "hidden-password";

    /// Starts one.
    ///
    /// # Errors
    /// If no port is free.
    pub fn start() -> io::Result<Self> {
        let state = State::new();
        let shared = Arc::clone(&state);
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                // A client that disconnects must not affect the others.
                thread::spawn(move || drop(Session::serve(&stream, &state)));
            }
        });
        Ok(Self { port, state })
    }

    /// Its URL, without the password.
    #[must_use]
    pub fn url(&self) -> String {
        format!("smtp://{}@127.0.0.1:{}", Self::USER, self.port)
    }

    /// From now on it behaves like this.
    pub fn set(&self, mood: ReceiverMood) {
        *locked(&self.state.mood) = mood;
    }

    /// The messages that it took, oldest first.
    #[must_use]
    pub fn taken(&self) -> Vec<Mail> {
        locked(&self.state.taken).clone()
    }
}

/// Octets of a line with its CRLF, at most (RFC 5321, section 4.5.3.1.6).
const LONGEST: usize = 1000;
/// `graft` and its password for AUTH PLAIN, in Base64.
const LOGIN: &str = "AGdyYWZ0AGhpZGRlbi1wYXNzd29yZA==";

#[derive(Default)]
struct Session {
    greeted: bool,
    logged_in: bool,
    from: Option<String>,
    to: Vec<String>,
}

impl Session {
    fn serve(stream: &TcpStream, state: &State<Mail>) -> io::Result<()> {
        let mood = state.call();
        if mood == ReceiverMood::Away {
            return Ok(());
        }
        let (mut reader, mut out) = (BufReader::new(stream), stream);
        let mut session = Self::default();
        out.write_all(b"220 mail.test ESMTP\r\n")?;
        while let Some(line) = line(&mut reader)? {
            let Some(line) = line else {
                out.write_all(b"500 5.5.2 a line ends with CRLF\r\n")?;
                continue;
            };
            let reply = session.command(&line, mood);
            out.write_all(format!("{reply}\r\n").as_bytes())?;
            if reply.starts_with("354") {
                let reply = match content(&mut reader)? {
                    Err(problem) => format!("554 5.6.0 {problem}"),
                    Ok(content) => {
                        let from = session.from.take().unwrap_or_default();
                        locked(&state.taken).push(Mail { from, to: std::mem::take(&mut session.to), content });
                        "250 2.0.0 taken".to_owned()
                    }
                };
                out.write_all(format!("{reply}\r\n").as_bytes())?;
            } else if reply.starts_with("221") {
                return Ok(());
            }
        }
        Ok(())
    }

    fn command(&mut self, line: &str, mood: ReceiverMood) -> &'static str {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        let path = |prefix: &str| {
            let path = rest.strip_prefix(prefix)?.strip_prefix('<')?.split_once('>')?.0;
            path.contains('@').then(|| path.to_owned())
        };
        match verb.to_ascii_uppercase().as_str() {
            "EHLO" if rest.is_empty() => "501 5.5.4 name yourself",
            "EHLO" => {
                *self = Self { greeted: true, logged_in: self.logged_in, ..Self::default() };
                "250-mail.test\r\n250-AUTH PLAIN\r\n250 ENHANCEDSTATUSCODES"
            }
            "QUIT" => "221 2.0.0 bye",
            "NOOP" => "250 2.0.0 ok",
            "RSET" => {
                (self.from, self.to) = (None, Vec::new());
                "250 2.0.0 ok"
            }
            _ if !self.greeted => "503 5.5.1 EHLO first",
            "AUTH" if rest == format!("PLAIN {LOGIN}") => {
                self.logged_in = true;
                "235 2.7.0 welcome"
            }
            "AUTH" => "535 5.7.8 wrong user or password",
            _ if !self.logged_in => "530 5.7.0 log in first",
            "MAIL" if mood == ReceiverMood::Broken => "451 4.3.0 the receiver is broken",
            "MAIL" if self.from.is_some() => "503 5.5.1 one sender",
            "MAIL" => match path("FROM:") {
                Some(from) => {
                    self.from = Some(from);
                    "250 2.1.0 ok"
                }
                None => "501 5.1.7 no sender",
            },
            "RCPT" if self.from.is_none() => "503 5.5.1 MAIL first",
            "RCPT" => match path("TO:") {
                Some(to) if to.ends_with("@nobody.example") => "550 5.1.1 nobody has this address",
                Some(to) => {
                    self.to.push(to);
                    "250 2.1.5 ok"
                }
                None => "501 5.1.3 no receiver",
            },
            "DATA" if self.to.is_empty() => "503 5.5.1 RCPT first",
            "DATA" => "354 go on",
            _ => "500 5.5.1 no such command",
        }
    }
}

/// A line without its CRLF; `Some(None)` if it breaks the rules, `None` at the end.
fn line(reader: &mut impl io::BufRead) -> io::Result<Option<Option<String>>> {
    let mut line = Vec::new();
    if reader.take(LONGEST as u64 + 1).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    let Some(text) = line.strip_suffix(b"\r\n").filter(|_| line.len() <= LONGEST) else { return Ok(Some(None)) };
    let is_plain = text.is_ascii() && !text.contains(&b'\r') && !text.contains(&0);
    Ok(Some(is_plain.then(|| String::from_utf8_lossy(text).into_owned())))
}

/// A message up to the line with one dot, without the dots that were added; or what is wrong with it.
fn content(reader: &mut impl io::BufRead) -> io::Result<Result<String, String>> {
    let (mut content, mut problem) = (String::new(), None);
    loop {
        match line(reader)? {
            None => return Err(io::ErrorKind::UnexpectedEof.into()),
            Some(None) => problem = Some("a line is too long, not ASCII, or does not end with CRLF".to_owned()),
            Some(Some(line)) if line == "." => break,
            Some(Some(line)) => content += &format!("{}\r\n", line.strip_prefix('.').unwrap_or(&line)),
        }
    }
    let head = content.split("\r\n\r\n").next().unwrap_or_default().to_ascii_lowercase();
    for name in ["from", "to", "date", "subject", "message-id", "content-type"] {
        let count = head.lines().filter(|line| line.starts_with(&format!("{name}:"))).count();
        if count != 1 {
            problem = Some(format!("the header has {count} lines `{name}`"));
        }
    }
    Ok(problem.map_or(Ok(content), Err))
}
