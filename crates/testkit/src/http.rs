//! A minimal HTTP/1.1 server for tests.

use std::{
    collections::BTreeMap,
    io::{self, BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::Arc,
    thread,
};

/// A complete request.
#[derive(Debug)]
pub struct Request {
    /// Such as `GET`.
    pub method: String,
    /// Without the query.
    pub path: String,
    /// The part after `?`.
    pub query: String,
    /// By lowercase name.
    pub headers: BTreeMap<String, String>,
    /// Its bytes.
    pub body: Vec<u8>,
}

/// Status, headers, body; `None` breaks the connection without an answer.
pub type Answer = Option<(u16, Vec<(&'static str, String)>, Vec<u8>)>;

/// Answers requests until the process ends; returns the server's origin.
///
/// # Errors
/// If no port is free.
pub fn listen(answer: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> io::Result<String> {
    listen_to(move |request, out| {
        let Some(answer) = answer(request) else { return Ok(false) };
        write(out, request, answer).map(|()| true)
    })
}

/// Lets `answer` write to the connection of each request; it says whether the connection stays open.
///
/// # Errors
/// If no port is free.
pub fn listen_to(
    answer: impl Fn(&Request, &mut &TcpStream) -> io::Result<bool> + Send + Sync + 'static,
) -> io::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let origin = format!("http://{}", listener.local_addr()?);
    let answer = Arc::new(answer);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = Arc::clone(&answer);
            // A client that disconnects must not affect the others.
            thread::spawn(move || drop(serve(&stream, &*answer)));
        }
    });
    Ok(origin)
}

fn serve(stream: &TcpStream, answer: &impl Fn(&Request, &mut &TcpStream) -> io::Result<bool>) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    while let Some(request) = read(&mut reader)? {
        if !answer(&request, &mut &*stream)? {
            break;
        }
    }
    Ok(())
}

/// Writes a complete answer.
pub(crate) fn write(
    out: &mut &TcpStream,
    request: &Request,
    (status, headers, body): (u16, Vec<(&'static str, String)>, Vec<u8>),
) -> io::Result<()> {
    let mut head = format!("HTTP/1.1 {status} _\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    out.write_all((head + "\r\n").as_bytes())?;
    if request.method != "HEAD" {
        out.write_all(&body)?;
    }
    Ok(())
}

fn read(reader: &mut impl BufRead) -> io::Result<Option<Request>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let bad = || io::Error::new(io::ErrorKind::InvalidData, "no request of HTTP/1.1");
    let mut words = line.split_whitespace();
    let (Some(method), Some(target), Some("HTTP/1.1")) = (words.next(), words.next(), words.next()) else {
        return Err(bad());
    };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut request = Request {
        method: method.into(),
        path: path.into(),
        query: query.into(),
        headers: BTreeMap::new(),
        body: Vec::new(),
    };
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').ok_or_else(bad)?;
        request.headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    if request.headers.contains_key("transfer-encoding") {
        return Err(bad());
    }
    let length = request.headers.get("content-length").map_or(Ok(0), |length| length.parse().map_err(|_| bad()))?;
    reader.take(length).read_to_end(&mut request.body)?;
    Ok(Some(request))
}
