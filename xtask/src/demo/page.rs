//! The page of the demo: built if Node is installed, served, and requested once.

use std::{
    io::{BufRead as _, BufReader, IsTerminal as _, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, ensure};

use crate::ui;

/// The preferred port; another one is used if it is taken.
const PORT: u16 = 8080;

/// Builds the page that `graft` embeds; without Node everything except the page works.
pub(super) fn build() -> anyhow::Result<()> {
    if Command::new("npm").arg("--version").output().is_ok_and(|out| out.status.success()) {
        return ui::build();
    }
    println!("npm is not installed, so `graft` is built without its page. Install Node and run the demo again.");
    Ok(())
}

/// Starts the service, checks that the page responds, and keeps serving until Ctrl-C if a terminal is attached.
pub(super) fn serve(graft: &mut Command) -> anyhow::Result<()> {
    let port = if TcpListener::bind(("127.0.0.1", PORT)).is_ok() { PORT } else { 0 };
    graft.args(["serve", "--bind", &format!("127.0.0.1:{port}")]).stdin(Stdio::null()).stderr(Stdio::piped());
    let mut server = graft.spawn().context("`graft serve` can't be started")?;
    let seen = look(&mut server);
    if seen.is_ok() && std::io::stdin().is_terminal() && std::io::stdout().is_terminal() {
        println!("It is served until you press Ctrl-C.");
        server.wait()?;
        return Ok(());
    }
    // Nothing is under way in it; what it wrote is whole at any moment.
    server.kill()?;
    server.wait()?;
    seen.map(|()| println!("Closed again; `graft serve` opens it."))
}

/// Waits for the address, then requests the page and `/ready`.
fn look(server: &mut Child) -> anyhow::Result<()> {
    let mut said = BufReader::new(server.stderr.take().context("`graft serve` has no stderr")?);
    let mut first = String::new();
    said.read_line(&mut first)?;
    // What it says afterwards is shown as it comes, so it never waits for a reader.
    std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::stderr()));
    let url = first.trim().rsplit(' ').next().unwrap_or_default().to_owned();
    let address = url.strip_prefix("http://").with_context(|| format!("`graft serve` said `{}`", first.trim()))?;
    for path in ["/", "/health"] {
        let status = status(address, path)?;
        ensure!(status == "200", "{url}{path} answered {status}");
    }
    println!("The page answers at {url}");
    Ok(())
}

/// The status of a response.
fn status(address: &str, path: &str) -> anyhow::Result<String> {
    let mut connection = TcpStream::connect(address).with_context(|| format!("nobody listens at {address}"))?;
    connection.set_read_timeout(Some(Duration::from_secs(30)))?;
    write!(connection, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer)?;
    let head = String::from_utf8_lossy(&answer);
    Ok(head.split(' ').nth(1).unwrap_or_default().to_owned())
}
