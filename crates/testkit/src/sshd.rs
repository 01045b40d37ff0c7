//! A machine that is reached by ssh: a real `sshd` of its own, with its own keys, as whoever runs the tests.

use std::{
    fs, io,
    net::{Ipv4Addr, SocketAddrV4, TcpListener, TcpStream},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// Debian's place for the server.
const PROGRAM: &str = "/usr/sbin/sshd";

/// An `sshd` in a folder of its own, that ends when this is dropped. Its configuration for clients calls it `there`, and
/// `behind` when it is reached through itself as a jump host.
#[derive(Debug)]
pub struct Sshd {
    folder: TempDir,
    address: Ipv4Addr,
    port: u16,
    server: Option<Child>,
    force: Option<String>,
}

impl Sshd {
    /// Makes keys and starts the server; `None` with `GRAFT_SKIP_SSHD=1`.
    ///
    /// # Panics
    /// When it can't be started: a test that was skipped in silence would prove nothing.
    #[must_use]
    pub fn start() -> Option<Self> {
        if std::env::var("GRAFT_SKIP_SSHD").is_ok_and(|value| value == "1") {
            return None;
        }
        assert!(
            Path::new(PROGRAM).exists(),
            "{PROGRAM} is missing; run `cargo xtask test`, which installs it, or set GRAFT_SKIP_SSHD=1"
        );
        Some(Self::make().unwrap_or_else(|error| panic!("sshd can't be started: {error}")))
    }

    /// A new machine at an address of its own, into which the owner of a public key may log in. What is run there to
    /// shut it down leaves the file `halted` in its home, and nothing else.
    pub(crate) fn fresh(address: Ipv4Addr, port: u16, authorized: &str) -> io::Result<Self> {
        let mut made = Self::empty(address, port)?;
        made.make_key("host")?;
        fs::write(made.path("etc/authorized"), authorized)?;
        fs::create_dir(made.path("home/bin"))?;
        for name in ["sudo", "shutdown", "poweroff"] {
            let path = made.home().join("bin").join(name);
            fs::write(&path, format!("#!/bin/sh\n: > '{}/halted'\n", made.home().display()))?;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        }
        made.up()?;
        Ok(made)
    }

    fn empty(address: Ipv4Addr, port: u16) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("graft-ssh-").tempdir()?;
        let made = Self { folder, address, port, server: None, force: None };
        for name in ["home", "control", "etc"] {
            fs::create_dir(made.path(name))?;
        }
        Ok(made)
    }

    fn make() -> io::Result<Self> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let mut made = Self::empty(Ipv4Addr::LOCALHOST, port)?;
        for name in ["host", "user"] {
            made.make_key(name)?;
        }
        fs::copy(made.path("etc/user.pub"), made.path("etc/authorized"))?;
        made.trust()?;
        let user = whoami()?;
        let client = |name: &str, more: &str| {
            let etc = made.path("etc");
            let etc = etc.display();
            format!(
                "Host {name}\n HostName 127.0.0.1\n Port {port}\n User {user}\n IdentityFile {etc}/user\n IdentitiesOnly yes\n \
                 IdentityAgent none\n HostKeyAlias graft-test\n UserKnownHostsFile {etc}/known\n GlobalKnownHostsFile /dev/null\n{more}"
            )
        };
        fs::write(made.path("etc/client"), client("there", "") + &client("behind", " ProxyJump there\n"))?;
        made.up()?;
        Ok(made)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The configuration for `ssh -F`.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.path("etc/client")
    }

    /// The home folder of who logs in.
    #[must_use]
    pub fn home(&self) -> PathBuf {
        self.path("home")
    }

    /// Graft's folder there.
    #[must_use]
    pub fn cache(&self) -> PathBuf {
        self.home().join(".cache/graft")
    }

    /// A private folder for shared connections.
    #[must_use]
    pub fn control(&self) -> PathBuf {
        self.path("control/graft-ssh")
    }

    /// The folder in which a client of this machine has [`control`](Self::control).
    #[must_use]
    pub fn runtime(&self) -> PathBuf {
        self.path("control")
    }

    /// Whether a process of a run lives there.
    #[must_use]
    pub fn has_jobs(&self) -> bool {
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        let mut pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        let trainer = self.cache().join("bin");
        pids.any(|pid| is_of(pid, &trainer))
    }

    /// Ends the connections that clients share.
    pub fn hang_up(&self) {
        let Some(server) = &self.server else { return };
        children(server.id()).into_iter().for_each(kill);
    }

    /// The port it listens at.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The key that may log in; the public half is beside it, with `.pub`.
    #[must_use]
    pub fn user_key(&self) -> PathBuf {
        self.path("etc/user")
    }

    fn make_key(&self, name: &str) -> io::Result<()> {
        let path = self.path("etc").join(name);
        let _ = fs::remove_file(&path);
        let mut make = Command::new("ssh-keygen");
        make.args(["-q", "-t", "ed25519", "-N", "", "-C", name, "-f"]).arg(&path);
        if make.status()?.success() { Ok(()) } else { Err(io::Error::other("ssh-keygen failed")) }
    }

    /// Lets the client know the server's key.
    fn trust(&self) -> io::Result<()> {
        let key = fs::read_to_string(self.path("etc/host.pub"))?;
        fs::write(self.path("etc/known"), format!("graft-test {key}"))
    }

    /// Starts the server, and waits until it answers.
    ///
    /// # Errors
    /// It doesn't come up.
    pub fn up(&mut self) -> io::Result<()> {
        let etc = self.path("etc");
        let etc = etc.display();
        let home = self.home();
        let home = home.display();
        let force = self.force.as_ref().map(|command| format!("ForceCommand {command}\n")).unwrap_or_default();
        fs::write(
            self.path("etc/server"),
            format!(
                "Port {}\nListenAddress {}\nHostKey {etc}/host\nAuthorizedKeysFile {etc}/authorized\nPidFile none\n\
                 UsePAM no\nStrictModes no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin yes\n\
                 MaxStartups 100\nAcceptEnv *\nSetEnv HOME={home} PATH={home}/bin:/usr/local/bin:/usr/bin:/bin\n{force}",
                self.port, self.address
            ),
        )?;
        // Debian's server wants this folder when root starts it.
        let _ = fs::create_dir_all("/run/sshd");
        let log = fs::File::create(self.path("etc/log"))?;
        let server = Command::new(PROGRAM)
            .args(["-D", "-e", "-f"])
            .arg(self.path("etc/server"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()?;
        self.server = Some(server);
        let address = SocketAddrV4::new(self.address, self.port);
        let began = Instant::now();
        while TcpStream::connect(address).is_err() {
            if began.elapsed() > Duration::from_secs(20) {
                return Err(io::Error::other(fs::read_to_string(self.path("etc/log"))?));
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Cuts every connection; what sessions left behind goes on. Nothing answers until [`up`](Self::up).
    pub fn cut(&mut self) {
        let Some(mut server) = self.server.take() else { return };
        let mut doomed = vec![server.id()];
        // Sessions are the server's children, and what they run are theirs; trainers are nobody's.
        let mut at = 0;
        while at < doomed.len() {
            doomed.extend(children(doomed[at]));
            at += 1;
        }
        for pid in doomed {
            kill(pid);
        }
        let _ = server.wait();
    }

    /// Ends everything that Graft started there, as when the machine restarts, and comes up again.
    ///
    /// # Errors
    /// As [`up`](Self::up).
    pub fn reboot(&mut self) -> io::Result<()> {
        self.cut();
        self.kill_jobs();
        self.up()
    }

    /// Ends the processes of all runs.
    pub fn kill_jobs(&self) {
        for job in fs::read_dir(self.cache().join("jobs")).into_iter().flatten().flatten() {
            let text = fs::read_to_string(job.path().join("pid")).unwrap_or_default();
            let words: Vec<&str> = text.split_whitespace().collect();
            for at in [0, 2] {
                if let Some(pid) =
                    words.get(at).and_then(|word| word.parse().ok()).filter(|pid| is_of(*pid, self.folder.path()))
                {
                    kill(pid);
                }
            }
        }
    }

    /// Ends every process that was started with a path of this machine.
    pub(crate) fn kill_all(&self) {
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        pids.filter(|pid| is_of(*pid, self.folder.path())).for_each(kill);
    }

    /// Gives the server another key than its client knows.
    ///
    /// # Errors
    /// As [`up`](Self::up).
    pub fn change_host_key(&mut self) -> io::Result<()> {
        self.cut();
        self.make_key("host")?;
        self.up()
    }

    /// Makes the client forget the server's key, or know it.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn know(&self, known: bool) -> io::Result<()> {
        if known { self.trust() } else { fs::write(self.path("etc/known"), "") }
    }

    /// Lets nobody in, or the user.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn let_in(&self, may: bool) -> io::Result<()> {
        if may {
            fs::copy(self.path("etc/user.pub"), self.path("etc/authorized")).map(drop)
        } else {
            fs::write(self.path("etc/authorized"), "")
        }
    }

    /// Runs every command through this one, which finds it in `SSH_ORIGINAL_COMMAND`.
    ///
    /// # Errors
    /// As [`up`](Self::up).
    pub fn force(&mut self, command: Option<&str>) -> io::Result<()> {
        self.cut();
        self.force = command.map(str::to_owned);
        self.up()
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.cut();
        self.kill_jobs();
    }
}

pub(crate) fn whoami() -> io::Result<String> {
    let said = Command::new("id").arg("-un").output()?;
    Ok(String::from_utf8_lossy(&said.stdout).trim().to_owned())
}

fn kill(pid: u32) {
    // It may be gone by itself.
    let _ = Command::new("kill").args(["-KILL", &pid.to_string()]).stderr(Stdio::null()).status();
}

/// Whether a process was started with a path of this folder: its number may be another's by now.
fn is_of(pid: u32, folder: &Path) -> bool {
    let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&command).contains(&*folder.to_string_lossy())
}

/// The children of a process.
fn children(parent: u32) -> Vec<u32> {
    let parent = parent.to_string();
    let is_child = |pid: &u32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // `pid (name) state parent …`; the name may hold anything.
        stat.rsplit_once(')').is_some_and(|(_, rest)| rest.split_whitespace().nth(1) == Some(&parent))
    };
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter(is_child).collect()
}
