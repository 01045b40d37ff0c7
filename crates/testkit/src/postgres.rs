use std::io::{BufRead, BufReader};
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;

/// Why no Postgres could be started.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Its programs are not installed.
    #[error(
        "find Postgres in /usr/lib/postgresql; run `cargo xtask test`, which installs it, or set GRAFT_SKIP_POSTGRES=1"
    )]
    Missing,
    /// Postgres refuses to run as root, and no other user was found.
    #[error("find an unprivileged user in /etc/passwd to run Postgres as")]
    NoUser,
    /// A program could not be started, or a file not written.
    #[error("start Postgres")]
    Io(#[from] std::io::Error),
    /// The server or a client ended with an error.
    #[error("run Postgres: {0}")]
    Failed(String),
}

/// A Postgres server with its own folder, reached through a socket there. It stops when this is dropped, and when the
/// test process ends for any reason.
#[derive(Debug)]
pub struct Postgres {
    programs: PathBuf,
    folder: TempDir,
    guard: Child,
    databases: AtomicU32,
}

/// Runs the server until standard input closes, which happens when the test process ends.
const GUARD: &str = r#"
trap : INT
programs=$1 folder=$2
shift 2
"$programs/initdb" -D "$folder/data" -U postgres -A trust -E UTF8 --locale=C --no-sync >"$folder/log" 2>&1 || exit 1
"$programs/postgres" -D "$folder/data" -k "$folder" -c listen_addresses= -c max_connections=200 "$@" \
    >>"$folder/log" 2>&1 &
server=$!
until "$programs/pg_isready" -q -h "$folder"; do
    kill -0 $server 2>/dev/null || exit 1
    sleep 0.05
done
echo ready
cat >/dev/null
kill -INT $server
wait $server
rm -rf "$folder"
"#;

/// Settings of a server whose data nobody needs after a crash.
const FAST: [&str; 8] =
    ["-c", "shared_buffers=16MB", "-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"];

impl Postgres {
    /// The server that all tests of this process share. `None` with `GRAFT_SKIP_POSTGRES=1`.
    ///
    /// # Panics
    /// If Postgres can't be started: a silently skipped test would prove nothing.
    pub fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<Postgres>> = OnceLock::new();
        let start = || {
            let skip = std::env::var("GRAFT_SKIP_POSTGRES").is_ok_and(|value| value == "1");
            (!skip).then(|| Self::start().unwrap_or_else(|error| panic!("failed to {error}: {error:?}")))
        };
        SHARED.get_or_init(start).as_ref()
    }

    /// Creates a cluster and starts its server, in about two seconds.
    ///
    /// # Errors
    /// If Postgres is not installed, or does not start.
    pub fn start() -> Result<Self, Error> {
        Self::start_with(&FAST)
    }

    /// Like [`start`](Self::start), with Postgres's own settings: each commit is on the disk. For measurements.
    ///
    /// # Errors
    /// As `start`.
    pub fn durable() -> Result<Self, Error> {
        Self::start_with(&[])
    }

    fn start_with(settings: &[&str]) -> Result<Self, Error> {
        let programs = programs().ok_or(Error::Missing)?;
        let folder = tempfile::Builder::new().prefix("graft-pg-").tempdir()?;
        let mut command = Command::new("sh");
        command.args(["-c", GUARD, "sh"]).arg(&programs).arg(folder.path()).args(settings);
        // Postgres refuses to run as root.
        if folder.path().metadata()?.uid() == 0 {
            let (user, group) = unprivileged().ok_or(Error::NoUser)?;
            chown(folder.path(), Some(user), Some(group))?;
            command.uid(user).gid(group);
        }
        command.current_dir("/").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut guard = command.spawn()?;
        let mut ready = String::new();
        if let Some(output) = guard.stdout.as_mut() {
            BufReader::new(output).read_line(&mut ready)?;
        }
        if ready != "ready\n" {
            let log = std::fs::read_to_string(folder.path().join("log")).unwrap_or_default();
            return Err(Error::Failed(log));
        }
        Ok(Self { programs, folder, guard, databases: AtomicU32::new(0) })
    }

    /// Makes an empty database and returns its URL.
    ///
    /// # Errors
    /// If the server refuses.
    pub fn database(&self) -> Result<String, Error> {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let folder = self.folder.path();
        let made = Command::new(self.programs.join("createdb"))
            .args(["-U", "postgres", "-h"])
            .arg(folder)
            .arg(&name)
            .output()?;
        if !made.status.success() {
            return Err(Error::Failed(String::from_utf8_lossy(&made.stderr).into_owned()));
        }
        Ok(format!("postgres:///{name}?host={}&user=postgres", folder.display()))
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        // If the guard can't be waited for, there is nothing else to do.
        let _ = self.guard.wait();
    }
}

/// The newest Postgres that Debian's packages installed.
fn programs() -> Option<PathBuf> {
    let version = |path: &Path| path.file_name()?.to_str()?.parse::<u32>().ok();
    let installed = std::fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
    let found = installed.map(|entry| entry.path()).filter(|path| path.join("bin/initdb").exists());
    found.max_by_key(|path| version(path)).map(|path| path.join("bin"))
}

/// User and group id of `postgres`, or else of `nobody`.
fn unprivileged() -> Option<(u32, u32)> {
    let users = std::fs::read_to_string("/etc/passwd").ok()?;
    let ids = |name: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    ids("postgres").or_else(|| ids("nobody"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn postgres_server_answers_and_leaves_nothing_behind() {
        if std::env::var("GRAFT_SKIP_POSTGRES").is_ok_and(|value| value == "1") {
            return;
        }
        let server = Postgres::start().unwrap();
        assert_ne!(server.database().unwrap(), server.database().unwrap());
        let (folder, pid) = (
            server.folder.path().to_owned(),
            std::fs::read_to_string(server.folder.path().join("data/postmaster.pid")).unwrap(),
        );
        let pid = pid.lines().next().unwrap().to_owned();
        assert!(Path::new("/proc").join(&pid).exists());
        drop(server);
        assert!(!folder.exists() && !Path::new("/proc").join(&pid).exists());
    }
}
