//! The network between a client and a server, which a test can cut.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    os::unix::net::{UnixListener, UnixStream},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use tempfile::TempDir;

/// Carries connections to a server until it is cut. Then everything on its way is held back, and nobody is told: packets are
/// lost and sent again until the network is back.
#[derive(Debug)]
pub struct Relay {
    address: String,
    is_cut: Arc<AtomicBool>,
    _folder: Option<TempDir>,
}

impl Relay {
    /// A relay to a database of [`Postgres`](crate::Postgres).
    ///
    /// # Errors
    /// If no socket can be made.
    pub fn to_database(url: &str) -> io::Result<Self> {
        let unknown = || io::Error::other("the URL names no socket's folder");
        let (start, rest) = url.split_once("host=").ok_or_else(unknown)?;
        let (host, rest) = rest.split_once('&').ok_or_else(unknown)?;
        let folder = TempDir::new()?;
        let name = ".s.PGSQL.5432";
        let (listener, server) = (UnixListener::bind(folder.path().join(name))?, Path::new(host).join(name));
        let is_cut = Arc::new(AtomicBool::new(false));
        let cut = Arc::clone(&is_cut);
        thread::spawn(move || carry_all(listener.incoming(), &cut, move || UnixStream::connect(&server)));
        Ok(Self { address: format!("{start}host={}&{rest}", folder.path().display()), is_cut, _folder: Some(folder) })
    }

    /// A relay to an HTTP server, given its origin.
    ///
    /// # Errors
    /// If no port is free.
    pub fn to_origin(origin: &str) -> io::Result<Self> {
        let server = origin.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = format!("http://{}", listener.local_addr()?);
        let is_cut = Arc::new(AtomicBool::new(false));
        let cut = Arc::clone(&is_cut);
        thread::spawn(move || carry_all(listener.incoming(), &cut, move || TcpStream::connect(&server)));
        Ok(Self { address, is_cut, _folder: None })
    }

    /// Where the server can be reached through it.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.address
    }

    /// Cuts the network, or mends it.
    pub fn cut(&self, is_cut: bool) {
        self.is_cut.store(is_cut, Ordering::Relaxed);
    }
}

/// A connection whose two directions are carried by two threads.
trait Stream: Read + Write + Send + Sized + 'static {
    fn other(&self) -> io::Result<Self>;
    fn close(&self);
}

impl Stream for TcpStream {
    fn other(&self) -> io::Result<Self> {
        self.try_clone()
    }

    fn close(&self) {
        // It may be closed already.
        let _ = self.shutdown(Shutdown::Both);
    }
}

impl Stream for UnixStream {
    fn other(&self) -> io::Result<Self> {
        self.try_clone()
    }

    fn close(&self) {
        // It may be closed already.
        let _ = self.shutdown(Shutdown::Both);
    }
}

fn carry_all<S: Stream>(
    clients: impl Iterator<Item = io::Result<S>>,
    is_cut: &Arc<AtomicBool>,
    connect: impl Fn() -> io::Result<S> + Send + Sync + 'static,
) {
    let connect = Arc::new(connect);
    for client in clients.flatten() {
        let (is_cut, connect) = (Arc::clone(is_cut), Arc::clone(&connect));
        thread::spawn(move || -> io::Result<()> {
            wait(&is_cut);
            let server = connect()?;
            let (answers, asker, cut) = (server.other()?, client.other()?, Arc::clone(&is_cut));
            thread::spawn(move || carry(answers, asker, &cut));
            carry(client, server, &is_cut);
            Ok(())
        });
    }
}

fn wait(is_cut: &AtomicBool) {
    while is_cut.load(Ordering::Relaxed) {
        thread::sleep(Duration::from_millis(10));
    }
}

fn carry<S: Stream>(mut from: S, mut to: S, is_cut: &AtomicBool) {
    let mut bytes = vec![0; 1 << 16];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        wait(is_cut);
        if to.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    from.close();
    to.close();
}
