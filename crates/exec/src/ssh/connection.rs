//! Runs the user's own `ssh`, with their configuration, agent and jump hosts.

use std::{
    ffi::OsString,
    fs,
    io::{self, Read, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
    time::{Duration, Instant},
};

use crate::{Error, Result};

/// What runs on the other machine.
pub(crate) const SCRIPT: &str = include_str!("remote.sh");
/// Most that is kept of what the other side says on stderr.
const SAID: u64 = 64 << 10;
/// How often the end of a call is looked for once it has nothing more to say.
const GLANCE: Duration = Duration::from_millis(10);

/// A machine that is reached by `ssh`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// As `ssh` takes it: a name of its configuration, `user@host`, or `ssh://user@host:port`.
    pub destination: String,
    /// A configuration file in place of the user's.
    pub config: Option<PathBuf>,
    /// Options beside the configuration, as in `-o`.
    pub options: Vec<String>,
    /// Variables that `ssh` doesn't get, and so can't send, whatever the configuration says.
    pub hidden: Vec<&'static str>,
    /// A folder of this user's own, with a short path, in which connections are shared.
    pub control: PathBuf,
    /// A folder that the other machine shares: this machine's shell works in it, and nothing is connected.
    pub shared: Option<PathBuf>,
}

/// What is sent after the script.
pub(super) type Feed = Box<dyn FnOnce(&mut dyn Write) -> io::Result<()> + Send>;

/// How a call ended on the other side.
pub(super) enum Ended<T> {
    Well(T),
    /// With an exit code of the script, and what it said.
    Badly(i32, String),
}

impl Host {
    /// A host of the user's configuration.
    #[must_use]
    pub fn new(destination: impl Into<String>) -> Self {
        let config = std::env::var_os("GRAFT_SSH_CONFIG").filter(|path| !path.is_empty()).map(PathBuf::from);
        Self {
            destination: destination.into(),
            config,
            options: Vec::new(),
            hidden: Vec::new(),
            control: control_folder(),
            shared: None,
        }
    }

    /// A folder that other machines share; `name` stands for them in errors.
    #[must_use]
    pub fn sharing(name: impl Into<String>, folder: PathBuf) -> Self {
        Self { shared: Some(folder), ..Self::new(name) }
    }

    /// Whether `ssh` would take a text as a destination and as nothing else: no option, no command.
    #[must_use]
    pub fn is_destination(text: &str) -> bool {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.@:/[]%".contains(c);
        !text.is_empty() && !text.starts_with('-') && !text.contains("@-") && text.chars().all(plain)
    }

    /// Runs a verb of the script. `take` reads what it says; the call may take so long in all.
    pub(super) fn call<T>(
        &self,
        words: &[&str],
        feed: Option<Feed>,
        limit: Duration,
        take: impl FnOnce(&mut dyn Read) -> io::Result<T>,
    ) -> Result<Ended<T>> {
        let script = script();
        let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
        let command =
            format!("exec sh -c 'eval \"$(dd bs=1 count={} 2>/dev/null)\"' graft {}", script.len(), words.join(" "));
        let mut child = match &self.shared {
            Some(folder) => self.shell(&command, folder).spawn().map_err(Error::Start)?,
            None => self.ssh(&command)?.spawn().map_err(|source| Error::NoSsh { source })?,
        };
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let writer = thread::spawn(move || {
            let Some(mut stdin) = stdin else { return Ok(()) };
            stdin.write_all(script.as_bytes())?;
            feed.map_or(Ok(()), |feed| feed(&mut stdin))
        });
        let reader = thread::spawn(move || {
            let mut said = Vec::new();
            if let Some(mut stderr) = stderr {
                let _ = stderr.by_ref().take(SAID).read_to_end(&mut said);
                let _ = io::copy(&mut stderr, &mut io::sink());
            }
            String::from_utf8_lossy(&said).trim().to_owned()
        });
        let child = Arc::new(Mutex::new(child));
        let guard = Guard::new(Arc::clone(&child), limit);
        let taken = stdout.map_or_else(
            || Err(io::ErrorKind::BrokenPipe.into()),
            |mut stdout| {
                let taken = take(&mut stdout);
                // Unread output would block the other side.
                io::copy(&mut stdout, &mut io::sink()).and(taken)
            },
        );
        let code = wait(&child);
        let late = guard.end();
        let fed = writer.join().unwrap_or_else(|_| Err(io::ErrorKind::Other.into()));
        let said = reader.join().unwrap_or_default();
        if late {
            let said = format!("it did not respond within {} s", limit.as_secs());
            return Err(Error::Unreachable { host: self.destination.clone(), said });
        }
        match code {
            Some(0) => match fed.and(taken) {
                Ok(taken) => Ok(Ended::Well(taken)),
                Err(source) => Err(Error::Transfer { host: self.destination.clone(), source }),
            },
            Some(255) | None => Err(self.refusal(said)),
            Some(code) => Ok(Ended::Badly(code, said)),
        }
    }

    /// This machine's shell.
    fn shell(&self, command: &str, folder: &Path) -> Command {
        let mut shell = Command::new("sh");
        shell.args(["-c", command]).env("GRAFT_CACHE", folder);
        self.piped(&mut shell);
        shell
    }

    fn ssh(&self, command: &str) -> Result<Command> {
        self.make_control()?;
        let mut ssh = Command::new("ssh");
        if let Some(config) = &self.config {
            ssh.arg("-F").arg(config);
        }
        let mut path = OsString::from("ControlPath=");
        path.push(self.control.join("%C"));
        // What is said here has precedence over the configuration. A person is asked nothing; a key of a host that
        // isn't known, or is another one, ends the call.
        ssh.args(["-T", "-x", "-a", "-o", "BatchMode=yes", "-o", "ConnectTimeout=10"]);
        ssh.args(["-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=3", "-o", "ClearAllForwardings=yes"]);
        ssh.args(["-o", "ControlMaster=auto", "-o", "ControlPersist=60", "-o"]).arg(path);
        if !self.options.iter().any(|option| option.starts_with("StrictHostKeyChecking=")) {
            ssh.args(["-o", "StrictHostKeyChecking=yes"]);
        }
        for option in &self.options {
            ssh.args(["-o", option]);
        }
        ssh.args(["--", &self.destination, command]).env("LC_ALL", "C");
        self.piped(&mut ssh);
        Ok(ssh)
    }

    fn piped(&self, command: &mut Command) {
        for name in &self.hidden {
            command.env_remove(name);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        #[cfg(unix)]
        {
            use std::os::unix::process::CommandExt as _;
            // A keyboard interrupt is for this process only: a shared connection stays open.
            command.process_group(0);
        }
    }

    /// Whoever could write into the folder of connections could take them over.
    fn make_control(&self) -> Result<()> {
        let failed = |source| Error::Io { doing: "use", path: self.control.clone(), source };
        #[cfg(unix)]
        {
            use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
            match fs::DirBuilder::new().mode(0o700).create(&self.control) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(failed(error)),
                _ => {}
            }
            let about = fs::symlink_metadata(&self.control).map_err(failed)?;
            let own = rustix::process::getuid().as_raw() == about.uid();
            if !about.is_dir() || !own || about.mode() & 0o077 != 0 {
                return Err(failed(io::Error::other("it belongs to another user, or other users can access it")));
            }
            Ok(())
        }
        #[cfg(not(unix))]
        fs::create_dir_all(&self.control).map_err(failed)
    }

    /// Why `ssh` itself refused.
    fn refusal(&self, said: String) -> Error {
        let host = self.destination.clone();
        if said.contains("HOST IDENTIFICATION HAS CHANGED") {
            Error::HostKey { host, changed: true }
        } else if said.contains("Host key verification failed") || said.contains("key is known for") {
            Error::HostKey { host, changed: false }
        } else if said.contains("Permission denied") || said.contains("Too many authentication failures") {
            Error::Denied { host, said }
        } else {
            let said = if said.is_empty() { "the connection broke".to_owned() } else { said };
            Error::Unreachable { host, said }
        }
    }
}

/// The script without what is for people only.
fn script() -> String {
    SCRIPT.lines().filter(|line| !line.trim_start().starts_with('#')).fold(String::new(), |all, line| all + line + "\n")
}

/// A word as a POSIX shell reads it.
pub(crate) fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// A short path: sockets have paths of at most about 100 bytes.
fn control_folder() -> PathBuf {
    #[cfg(unix)]
    let user = rustix::process::getuid().as_raw();
    #[cfg(not(unix))]
    let user = 0;
    match std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|folder| folder.is_dir()) {
        Some(own) => own.join("graft-ssh"),
        None => std::env::temp_dir().join(format!("graft-ssh-{user}")),
    }
}

fn wait(child: &Mutex<Child>) -> Option<i32> {
    loop {
        match child.lock().unwrap_or_else(PoisonError::into_inner).try_wait() {
            Ok(None) => {}
            Ok(Some(status)) => return status.code(),
            Err(_) => return None,
        }
        thread::sleep(GLANCE);
    }
}

/// Ends a call that takes too long.
struct Guard {
    done: mpsc::Sender<()>,
    thread: thread::JoinHandle<bool>,
}

impl Guard {
    fn new(child: Arc<Mutex<Child>>, limit: Duration) -> Self {
        let (done, wait) = mpsc::channel();
        let began = Instant::now();
        let thread = thread::spawn(move || {
            if wait.recv_timeout(limit.saturating_sub(began.elapsed())).is_ok() {
                return false;
            }
            // It may have ended by itself just now.
            let _ = child.lock().unwrap_or_else(PoisonError::into_inner).kill();
            true
        });
        Self { done, thread }
    }

    /// Whether it was too late.
    fn end(self) -> bool {
        let _ = self.done.send(());
        self.thread.join().unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_destinations_are_refused() {
        for good in ["gpu", "ada@10.0.0.7", "ssh://ada@[fe80::1%25eth0]:2222", "node-3.example.org"] {
            assert!(Host::is_destination(good), "{good}");
        }
        for bad in ["", "-oProxyCommand=x", "a b", "$(x)", "a;b", "u@-oX", "a\nb", "'"] {
            assert!(!Host::is_destination(bad), "{bad}");
        }
    }

    #[test]
    fn arguments_are_quoted_for_the_shell() {
        assert_eq!(quoted("a'b $c"), r"'a'\''b $c'");
        assert!(!script().contains("POSIX shell, tar"), "comments are sent");
        assert!(script().lines().count() > 100);
    }

    #[test]
    fn ssh_errors_are_distinguished() {
        let host = Host::new("gpu");
        let of = |said: &str| host.refusal(said.to_owned());
        assert!(matches!(
            of("@  WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!  @\nHost key verification failed."),
            Error::HostKey { changed: true, .. }
        ));
        assert!(matches!(of("Host key verification failed."), Error::HostKey { changed: false, .. }));
        assert!(matches!(of("ada@gpu: Permission denied (publickey)."), Error::Denied { .. }));
        assert!(matches!(of("ssh: connect to host gpu port 22: Connection refused"), Error::Unreachable { .. }));
        assert!(matches!(of(""), Error::Unreachable { .. }));
    }
}
