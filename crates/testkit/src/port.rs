use std::{
    io,
    net::{Ipv4Addr, TcpListener},
    sync::atomic::{AtomicU32, Ordering},
};

/// Below the ports that the system gives to connections and to listeners that want any.
const RANGE: std::ops::Range<u32> = 10_000..30_000;

/// A port on which nothing listens, for a server that can't choose one itself. Nobody else in this process gets it, and it
/// stays free while the server is restarted.
///
/// # Errors
/// If no port is free.
pub fn free_port() -> io::Result<u16> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let count = RANGE.end - RANGE.start;
    for _ in RANGE {
        // Another test program that runs now begins elsewhere.
        let place = std::process::id().wrapping_mul(61).wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % count;
        let port = (RANGE.start + place) as u16;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    Err(io::Error::new(io::ErrorKind::AddrInUse, "no port is free"))
}
