//! A machine reached over ssh: a real `sshd` with its own keys, as the user who runs the tests.

use std::{
    fs, io,
    net::{Ipv4Addr, SocketAddrV4, TcpStream},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// Debian's path of the server.
const PROGRAM: &str = "/usr/sbin/sshd";

/// An `sshd` with its own folder, which ends when this is dropped. Its client configuration has the hosts `there`, and
/// `behind`, which uses the same server as a jump host.
#[derive(Debug)]
pub struct Sshd {
    folder: TempDir,
    address: Ipv4Addr,
    port: u16,
    server: Option<Child>,
    force: Option<String>,
}

impl Sshd {
    /// Creates keys and starts the server; `None` with `GRAFT_SKIP_SSHD=1`.
    ///
    /// # Panics
    /// If it can't be started: a silently skipped test would prove nothing.
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

    /// A new machine that accepts the owner of a public key, with these programs: names and shell scripts.
    pub(crate) fn fresh(address: Ipv4Addr, port: u16, authorized: &str, programs: &[(&str, &str)]) -> io::Result<Self> {
        let mut made = Self::empty(address, port)?;
        made.make_key("host")?;
        fs::write(made.path("etc/authorized"), authorized)?;
        for (name, script) in programs {
            made.install(name, &format!("#!/bin/sh\n{script}\n"))?;
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
        let port = crate::free_port()?;
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

    /// Sets variables, `NAME=value`, for whoever logs in from now on.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn set_env(&self, variables: &[String]) -> io::Result<()> {
        let client = fs::read_to_string(self.config())?;
        fs::write(self.config(), format!("{client}Host *\n SetEnv {}\n", variables.join(" ")))
    }

    /// Puts a program before those of the system.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn install(&self, name: &str, script: &str) -> io::Result<()> {
        let path = self.home().join("bin").join(name);
        fs::create_dir_all(self.home().join("bin"))?;
        fs::write(&path, script)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))
    }

    /// The home folder of the user.
    #[must_use]
    pub fn home(&self) -> PathBuf {
        self.path("home")
    }

    /// Graft's folder there.
    #[must_use]
    pub fn cache(&self) -> PathBuf {
        self.home().join(".cache/graft")
    }

    /// A private folder for the sockets of shared connections.
    #[must_use]
    pub fn control(&self) -> PathBuf {
        self.path("control/graft-ssh")
    }

    /// The runtime folder of a client of this machine, which contains [`control`](Self::control).
    #[must_use]
    pub fn runtime(&self) -> PathBuf {
        self.path("control")
    }

    /// Whether a process of a run is alive there.
    #[must_use]
    pub fn has_jobs(&self) -> bool {
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        let mut pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        let trainer = self.cache().join("bin");
        pids.any(|pid| is_of(pid, &trainer))
    }

    /// Closes the connections that clients share.
    pub fn hang_up(&self) {
        let Some(server) = &self.server else { return };
        children(server.id()).into_iter().for_each(kill);
    }

    /// The port that it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The private key of the user; the public key is next to it, with `.pub`.
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

    /// Adds the server's key to the client's known hosts.
    fn trust(&self) -> io::Result<()> {
        let key = fs::read_to_string(self.path("etc/host.pub"))?;
        fs::write(self.path("etc/known"), format!("graft-test {key}"))
    }

    /// Starts the server and waits until it responds.
    ///
    /// # Errors
    /// If it does not respond.
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
        // Debian's server needs this folder when root starts it.
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

    /// Cuts all connections. Processes started by sessions keep running. The server does not respond until
    /// [`up`](Self::up).
    pub fn cut(&mut self) {
        let Some(mut server) = self.server.take() else { return };
        let mut doomed = vec![server.id()];
        // Sessions are children of the server, and their commands are children of sessions. Trainers are detached.
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

    /// Ends all processes that Graft started there, like a reboot, and starts the server again.
    ///
    /// # Errors
    /// Like [`up`](Self::up).
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

    /// Ends every process whose command line has a path of this machine.
    pub(crate) fn kill_all(&self) {
        kill_all(self.folder.path());
    }

    /// Changes the server's key, so that its client does not know it.
    ///
    /// # Errors
    /// Like [`up`](Self::up).
    pub fn change_host_key(&mut self) -> io::Result<()> {
        self.cut();
        self.make_key("host")?;
        self.up()
    }

    /// Adds the server's key to the client's known hosts, or removes it.
    ///
    /// # Errors
    /// If the file can't be written.
    pub fn know(&self, known: bool) -> io::Result<()> {
        if known { self.trust() } else { fs::write(self.path("etc/known"), "") }
    }

    /// Sets whether the user may log in.
    ///
    /// # Errors
    /// If the file can't be written.
    pub fn let_in(&self, may: bool) -> io::Result<()> {
        if may {
            fs::copy(self.path("etc/user.pub"), self.path("etc/authorized")).map(drop)
        } else {
            fs::write(self.path("etc/authorized"), "")
        }
    }

    /// Sets a forced command; the original one is in `SSH_ORIGINAL_COMMAND`.
    ///
    /// # Errors
    /// Like [`up`](Self::up).
    pub fn force(&mut self, command: Option<&str>) -> io::Result<()> {
        self.cut();
        self.force = command.map(str::to_owned);
        self.up()
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.cut();
        // A guard that outlived this folder would find the host's `shutdown`.
        self.kill_all();
    }
}

pub(crate) fn whoami() -> io::Result<String> {
    let said = Command::new("id").arg("-un").output()?;
    Ok(String::from_utf8_lossy(&said.stdout).trim().to_owned())
}

/// Ends every process whose command line has a path in this folder.
pub fn kill_all(folder: &Path) {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid| is_of(*pid, folder)).for_each(kill);
}

pub(crate) fn kill(pid: u32) {
    // It may have ended already.
    let _ = Command::new("kill").args(["-KILL", &pid.to_string()]).stderr(Stdio::null()).status();
}

/// Whether a process was started with a path of this folder; its id may belong to another process by now.
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
