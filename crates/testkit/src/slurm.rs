//! A cluster of one node: a real Slurm of its own, with its own keys and ports.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Output},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::sshd::{kill, whoami};

/// Debian's place for the daemons.
const PROGRAMS: &str = "/usr/sbin";

/// `slurmctld`, `slurmd` and `munged` in a folder of their own, that end when this is dropped. Jobs that have ended are
/// forgotten after a few seconds, and there is no accounting: what a client has to cope with.
#[derive(Debug)]
pub struct Slurm {
    folder: TempDir,
}

impl Slurm {
    /// Starts the daemons and waits for the node; `None` with `GRAFT_SKIP_SLURM=1`.
    ///
    /// # Panics
    /// When they can't be started: a test that was skipped in silence would prove nothing.
    #[must_use]
    pub fn start() -> Option<Self> {
        if std::env::var("GRAFT_SKIP_SLURM").is_ok_and(|value| value == "1") {
            return None;
        }
        for program in ["slurmctld", "slurmd", "munged"] {
            assert!(
                Path::new(PROGRAMS).join(program).exists(),
                "{program} is missing; run `cargo xtask test`, which installs it, or set GRAFT_SKIP_SLURM=1"
            );
        }
        Some(Self::make().unwrap_or_else(|error| panic!("Slurm can't be started: {error}")))
    }

    fn make() -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("graft-slurm-").tempdir()?;
        let made = Self { folder };
        let at = made.folder.path();
        for name in ["state", "spool", "run", "log"] {
            fs::create_dir(at.join(name))?;
        }
        // Whoever holds a file of this length may sign: it is for this test only.
        let mut key = vec![0; 128];
        io::Read::read_exact(&mut fs::File::open("/dev/urandom")?, &mut key)?;
        fs::write(at.join("key"), key)?;
        fs::set_permissions(at.join("key"), fs::Permissions::from_mode(0o400))?;
        let ports = [crate::free_port()?, crate::free_port()?];
        let host = said(Command::new("hostname").arg("-s"))?;
        let (user, at) = (whoami()?, at.display());
        fs::write(
            made.config(),
            format!(
                "ClusterName=graft\nSlurmctldHost={host}(127.0.0.1)\nSlurmUser={user}\nSlurmdUser={user}\n\
                 AuthType=auth/munge\nAuthInfo=socket={at}/run/munge\nCryptoType=crypto/munge\n\
                 SlurmctldPort={}\nSlurmdPort={}\nStateSaveLocation={at}/state\nSlurmdSpoolDir={at}/spool\n\
                 SlurmctldPidFile={at}/run/slurmctld.pid\nSlurmdPidFile={at}/run/slurmd.pid\n\
                 SlurmctldLogFile={at}/log/slurmctld\nSlurmdLogFile={at}/log/slurmd\n\
                 ProctrackType=proctrack/linuxproc\nTaskPlugin=task/none\nMpiDefault=none\nReturnToService=2\n\
                 SelectType=select/cons_tres\nSelectTypeParameters=CR_CPU_Memory\nSlurmdParameters=config_overrides\n\
                 AccountingStorageType=accounting_storage/none\nJobCompType=jobcomp/filetxt\nJobCompLoc={at}/log/ended\n\
                 JobAcctGatherType=jobacct_gather/linux\nJobAcctGatherFrequency=1\nJobAcctGatherParams=OverMemoryKill\n\
                 KillWait=1\nMinJobAge=2\nSlurmctldTimeout=30\nSchedulerParameters=batch_sched_delay=0\n\
                 NodeName={host} NodeAddr=127.0.0.1 CPUs=4 RealMemory=8000 State=UNKNOWN\n\
                 PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP\n",
                ports[0], ports[1]
            ),
        )?;
        let file = |name: &str| format!("{at}/{name}");
        let mut munged = Command::new("/usr/sbin/munged");
        munged.args(["--force", "--key-file", &file("key"), "--socket", &file("run/munge")]);
        munged.args(["--pid-file", &file("run/munged.pid"), "--log-file", &file("log/munged")]);
        said(munged.args(["--seed-file", &file("run/seed")]))?;
        made.up()?;
        said(Command::new("/usr/sbin/slurmd").arg("-f").arg(made.config()))?;
        let began = Instant::now();
        while !made.ask("sinfo", &["-h", "-o", "%T"]).is_ok_and(|state| state == "idle") {
            if began.elapsed() > Duration::from_secs(60) {
                return Err(io::Error::other(fs::read_to_string(made.folder.path().join("log/slurmctld"))?));
            }
            thread::sleep(Duration::from_millis(100));
        }
        Ok(made)
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("slurm.conf")
    }

    /// The variable that lets clients find this cluster.
    #[must_use]
    pub fn variable(&self) -> String {
        format!("SLURM_CONF={}", self.config().display())
    }

    /// Starts the controller again.
    ///
    /// # Errors
    /// It doesn't start.
    pub fn up(&self) -> io::Result<()> {
        said(Command::new("/usr/sbin/slurmctld").arg("-f").arg(self.config())).map(drop)
    }

    /// Kills the controller: nothing answers until [`up`](Self::up), and jobs go on.
    pub fn down(&self) {
        self.kill("slurmctld");
    }

    /// What a client of this cluster says.
    ///
    /// # Errors
    /// It fails.
    pub fn ask(&self, program: &str, args: &[&str]) -> io::Result<String> {
        said(Command::new(program).args(args).env("SLURM_CONF", self.config()))
    }

    /// Waits until the node has done with every step. A job that is started again before may be ended by what was
    /// still on its way about the step before.
    ///
    /// # Panics
    /// When that takes longer than half a minute.
    pub fn settle(&self) {
        let spool = self.folder.path().join("spool");
        let is_busy = || {
            let names = fs::read_dir(&spool).into_iter().flatten().flatten().map(|entry| entry.file_name());
            // `job00001`, and the socket `host_1.4294967291` of a step's daemon.
            names.filter_map(|name| name.into_string().ok()).any(|name| {
                let is_socket = name.rsplit_once('_').is_some_and(|(_, step)| step.parse::<f64>().is_ok());
                is_socket || name.strip_prefix("job").is_some_and(|number| number.parse::<u32>().is_ok())
            })
        };
        let began = Instant::now();
        while is_busy() {
            assert!(began.elapsed() < Duration::from_secs(30), "a step never ends: {}", spool.display());
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Every job that has ended, one a line.
    ///
    /// # Errors
    /// The file can't be read.
    pub fn ended(&self) -> io::Result<String> {
        fs::read_to_string(self.folder.path().join("log/ended"))
    }

    /// What the daemons and the files of a job tell, for the message of a test that fails.
    #[must_use]
    pub fn report(&self, job: &Path) -> String {
        let log = self.folder.path().join("log");
        let mut files: Vec<PathBuf> = ["slurmctld", "slurmd", "ended"].map(|name| log.join(name)).into();
        files.extend(fs::read_dir(job).into_iter().flatten().flatten().map(|entry| entry.path()));
        let last = |path: &PathBuf| {
            let text = fs::read_to_string(path).unwrap_or_default();
            let lines: Vec<&str> = text.lines().collect();
            format!("{}:\n{}\n", path.display(), lines[lines.len().saturating_sub(40)..].join("\n"))
        };
        files.iter().map(last).collect()
    }

    fn kill(&self, daemon: &str) {
        let path = self.folder.path().join("run").join(daemon).with_extension("pid");
        let pid = fs::read_to_string(path).ok().and_then(|text| text.trim().parse().ok());
        // Its number may be another's by now.
        let is_it = |pid: &u32| fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.trim() == daemon);
        if let Some(pid) = pid.filter(is_it) {
            kill(pid);
            let began = Instant::now();
            while Path::new("/proc").join(pid.to_string()).exists() && began.elapsed() < Duration::from_secs(10) {
                thread::sleep(Duration::from_millis(20));
            }
        }
    }
}

impl Drop for Slurm {
    fn drop(&mut self) {
        // Daemons go without their jobs.
        let _ = whoami().and_then(|user| self.ask("scancel", &["--full", "--signal=KILL", "-u", &user]));
        let began = Instant::now();
        while self.ask("squeue", &["-h", "-t", "R,CG", "-o", "%A"]).is_ok_and(|jobs| !jobs.is_empty())
            && began.elapsed() < Duration::from_secs(10)
        {
            thread::sleep(Duration::from_millis(100));
        }
        ["slurmd", "slurmctld", "munged"].iter().for_each(|daemon| self.kill(daemon));
    }
}

/// What a program that succeeds prints.
fn said(command: &mut Command) -> io::Result<String> {
    let Output { status, stdout, stderr } = command.output()?;
    if !status.success() {
        return Err(io::Error::other(format!("{command:?}: {status}: {}", String::from_utf8_lossy(&stderr))));
    }
    Ok(String::from_utf8_lossy(&stdout).trim().to_owned())
}
