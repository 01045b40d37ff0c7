//! Processes on this machine: each in its own process group, with its output in the run directory and a lock that shows
//! whether it is running.

mod helper;
mod lock;
mod memory;
mod tail;

use std::{
    collections::HashMap,
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use graft_formats::faults::{self, Op};

use crate::{Answer, Cursor, Error, Executor, Exit, Observation, Process, Result, RunRef, Start, Started, Stop};
pub use helper::Helper;
pub use lock::RunLock;

/// Runs processes on this machine. They live on when the process that started them ends.
#[derive(Clone, Debug)]
pub struct Local(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    program: PathBuf,
    env: Vec<(String, OsString)>,
    /// Holds the run directories that [`list`](Executor::list) looks at.
    runs: PathBuf,
    /// Processes that were started or attached to, by run.
    known: Mutex<HashMap<String, Known>>,
}

#[derive(Debug)]
struct Known {
    /// A process that this executor started, whose end it will see.
    child: Option<Child>,
    memory: memory::Watch,
}

impl Local {
    /// Starts `program` with these variables; `runs` is the folder of run directories.
    #[must_use]
    pub fn new(program: PathBuf, env: Vec<(String, OsString)>, runs: PathBuf) -> Self {
        Self(Arc::new(Inner { program, env, runs, known: Mutex::default() }))
    }

    /// Does something with files and processes on a thread that may wait for them.
    async fn on_thread<T: Send + 'static>(
        &self,
        run: &RunRef,
        work: impl FnOnce(&Inner, &RunRef) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (inner, run) = (Arc::clone(&self.0), run.clone());
        tokio::task::spawn_blocking(move || work(&inner, &run)).await.map_err(Error::Thread)?
    }
}

impl Executor for Local {
    fn start<'a>(&'a self, run: &'a RunRef, start: &'a Start) -> Answer<'a, Started> {
        let start = start.clone();
        Box::pin(self.on_thread(run, move |inner, run| inner.start(run, &start)))
    }

    fn observe<'a>(&'a self, run: &'a RunRef, cursor: Cursor) -> Answer<'a, Observation> {
        Box::pin(self.on_thread(run, move |inner, run| inner.observe(run, cursor)))
    }

    fn stop<'a>(&'a self, run: &'a RunRef, how: Stop) -> Answer<'a, ()> {
        Box::pin(self.on_thread(run, move |inner, run| match how {
            Stop::AfterStep => ask_to_stop(&run.dir),
            Stop::Now => {
                inner.kill(run);
                Ok(())
            }
        }))
    }

    fn collect<'a>(&'a self, run: &'a RunRef) -> Answer<'a, ()> {
        // Everything is where it belongs.
        Box::pin(async move {
            self.0.known().remove(&run.id);
            Ok(())
        })
    }

    fn list(&self) -> Answer<'_, Vec<String>> {
        let inner = Arc::clone(&self.0);
        let list = move || {
            let folders = fs::read_dir(&inner.runs).into_iter().flatten().flatten();
            let alive = folders.filter(|folder| is_alive(&folder.path()));
            Ok(alive.map(|folder| folder.file_name().to_string_lossy().into_owned()).collect())
        };
        Box::pin(async { tokio::task::spawn_blocking(list).await.map_err(Error::Thread)? })
    }
}

impl Inner {
    fn known(&self) -> MutexGuard<'_, HashMap<String, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(&self, run: &RunRef, start: &Start) -> Result<Started> {
        let mut all = self.known();
        let known = all.get_mut(&run.id);
        if process(known, &run.dir)?.is_alive() {
            let pid = lock::owner(&run.dir);
            let attach = || Known { child: None, memory: memory::Watch::new(pid, start.memory) };
            let child = all.entry(run.id.clone()).or_insert_with(attach).child.as_ref();
            return Ok(Started { fresh: false, pid: child.map(Child::id).or(pid) });
        }
        let failed = |source| Error::Io { doing: "prepare", path: run.dir.clone(), source };
        faults::pass(Op::Write, &run.dir).and_then(|()| fs::create_dir_all(&run.dir)).map_err(failed)?;
        RunLock::announce(&run.dir)?;
        match fs::remove_file(run.dir.join("stop")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        let mut command = Command::new(&self.program);
        command.args(&start.args).arg(&run.dir);
        if let Some(base) = &start.base {
            command.arg("--base").arg(base);
        }
        command.envs(self.env.iter().cloned());
        into_logs(&mut command, &run.dir)?;
        let child = command.spawn().map_err(Error::Start)?;
        let pid = child.id();
        tune(pid, start.nice, start.memory);
        let memory = memory::Watch::new(Some(pid), start.memory);
        all.insert(run.id.clone(), Known { child: Some(child), memory });
        Ok(Started { fresh: true, pid: Some(pid) })
    }

    fn observe(&self, run: &RunRef, cursor: Cursor) -> Result<Observation> {
        let mut all = self.known();
        let mut known = all.get_mut(&run.id);
        let process = process(known.as_deref_mut(), &run.dir)?;
        if process.is_alive() && known.is_some_and(|known| known.memory.is_exceeded()) {
            drop(all);
            self.kill(run);
        } else {
            drop(all);
        }
        Ok(Observation { process, ..read(&run.dir, cursor)? })
    }

    /// Ends the process, if it belongs to the run and is running.
    fn kill(&self, run: &RunRef) {
        match self.known().get_mut(&run.id).and_then(|known| known.child.as_mut()) {
            // It may have ended by itself just now.
            Some(child) => drop(child.kill()),
            None => kill_other(lock::owner(&run.dir).filter(|_| is_alive(&run.dir)), &run.dir),
        }
    }
}

/// The process of a run: the one that was started here, or the one that holds the lock of its directory.
fn process(known: Option<&mut Known>, dir: &Path) -> Result<Process> {
    let Some(Known { child: Some(child), memory }) = known else {
        return Ok(if is_alive(dir) { running(lock::owner(dir)) } else { Process::Gone });
    };
    let status = child.try_wait().map_err(Error::Start)?;
    Ok(status.map_or_else(|| running(Some(child.id())), |status| Process::Exited(exit(status, memory.evidence()))))
}

/// A running process: whether it is stopped, if the system reports it.
fn running(pid: Option<u32>) -> Process {
    // `pid (name) state …`; the name may hold anything.
    let stat = pid.and_then(|pid| fs::read_to_string(format!("/proc/{pid}/stat")).ok()).unwrap_or_default();
    let is_stopped = stat.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with(['T', 't']));
    if is_stopped { Process::Paused } else { Process::Running }
}

fn exit(status: ExitStatus, memory: Option<String>) -> Exit {
    #[cfg(unix)]
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(not(unix))]
    let signal = None;
    Exit { code: status.code(), signal, memory, ending: None }
}

/// Whether a process works in a run directory, or was started there a moment ago.
#[must_use]
pub fn is_alive(dir: &Path) -> bool {
    RunLock::is_held(dir)
}

/// What a run directory holds since a cursor, without asking for its process.
///
/// # Errors
/// The disk refuses; its events are damaged.
pub fn read(dir: &Path, cursor: Cursor) -> Result<Observation> {
    let (events, at_event) = tail::events(dir, cursor.events)?;
    let (stdout, at_stdout) = tail::text(dir, "stdout.log", cursor.stdout)?;
    let (stderr, at_stderr) = tail::text(dir, "stderr.log", cursor.stderr)?;
    let cursor = Cursor { events: at_event, stdout: at_stdout, stderr: at_stderr };
    Ok(Observation { events, stdout, stderr, cursor, process: Process::Unknown })
}

/// Asks the process of a run directory to stop after its step.
fn ask_to_stop(dir: &Path) -> Result<()> {
    if !dir.is_dir() {
        return Ok(());
    }
    let path = dir.join("stop");
    let made = faults::pass(Op::Write, &path).and_then(|()| File::create(&path));
    made.map(drop).map_err(|source| Error::Io { doing: "write", path, source })
}

/// Lets a process add to a run's logs, in a process group of its own: an interrupt from the keyboard reaches us only.
fn into_logs(command: &mut Command, dir: &Path) -> Result<()> {
    let open = |name: &str| {
        let path = dir.join(name);
        let opened =
            faults::pass(Op::Write, &path).and_then(|()| OpenOptions::new().create(true).append(true).open(&path));
        opened.map_err(|source| Error::Io { doing: "open", path, source })
    };
    command.stdin(Stdio::null()).stdout(open("stdout.log")?).stderr(open("stderr.log")?);
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt as _;
        command.process_group(0);
    }
    Ok(())
}

/// Gives a process its priority and its limit of memory.
fn tune(pid: u32, nice: i32, limit: Option<u64>) {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{Pid, Resource, Rlimit, prlimit, setpriority_process};
        let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return };
        // It may have ended already; then there is nothing to tune.
        let _ = setpriority_process(Some(pid), nice);
        if let Some(limit) = limit {
            // What it holds is watched from outside; this stands behind, with room for what an allocator sets aside
            // and never touches. The data segment counts no files that are mapped.
            let limit = Some(limit.saturating_add(2 << 30));
            let limit = Rlimit { current: limit, maximum: limit };
            let _ = prlimit(Some(pid), Resource::Data, limit);
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (pid, nice, limit);
}

/// Kills a process that another program started, if it works in this directory.
fn kill_other(pid: Option<u32>, dir: &Path) {
    #[cfg(unix)]
    {
        use rustix::process::{Pid, Signal, kill_process};
        let Some(pid) = pid else { return };
        let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let is_trainer = command.split(|byte| *byte == 0).any(|word| word == dir.as_os_str().as_encoded_bytes());
        if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw).filter(|_| is_trainer) {
            // It may have ended by itself just now.
            let _ = kill_process(pid, Signal::KILL);
        }
    }
    #[cfg(not(unix))]
    let _ = (pid, dir);
}
