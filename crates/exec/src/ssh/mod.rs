//! Processes on another machine, which is reached with the user's own `ssh`. The run directory, the program and the base
//! model are sent there. The trainer runs in its own session, so that a lost connection does not end it; its output is
//! copied to the same offsets of the local run directory.

mod connection;
mod files;

use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    io::{self, BufRead as _, BufReader, Read, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use graft_core::{BaseRef, ComputeDevice, EventKind, SlurmJob};
use graft_formats::faults::{self, Op};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    Answer, Cursor, Ending, Error, Executor, Exit, Observation, Process, Result, RunRef, Start, Started, Stop, read,
};
pub use connection::Host;
use connection::{Ended, Feed};
pub(crate) use connection::{SCRIPT, quoted};

/// How long a call without much data may take.
pub(crate) const CALL: Duration = Duration::from_secs(60);
/// Bytes a second that a connection transfers at the least.
const SLOWEST: u64 = 64 << 10;
/// How often checkpoints are brought over at the most.
const KEEP: Duration = Duration::from_secs(10);
/// How often a run is looked at.
const PACE: Duration = Duration::from_millis(700);
/// How often a machine that can't be reached is tried.
const RETRY: Duration = Duration::from_secs(5);
/// Room on the disk there beside what is sent: for checkpoints and the adapter.
const ROOM: u64 = 256 << 20;
/// The longest that a list of facts is.
const FACTS: u64 = 1 << 16;

/// Facts about a machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = MachineFacts)]
pub struct Facts {
    /// System and architecture, such as `Linux x86_64`.
    pub system: String,
    /// Processors.
    pub cores: Option<u32>,
    /// Bytes of memory.
    pub memory: Option<u64>,
    /// Bytes of memory that programs could still take.
    pub memory_free: Option<u64>,
    /// Bytes free on the disk that holds Graft's folder.
    pub disk_free: Option<u64>,
    /// The C library, such as `glibc 2.36`.
    pub libc: Option<String>,
    /// GPUs: name, memory and version of the driver.
    pub gpus: Vec<String>,
    /// Graft's folder there.
    pub cache: String,
    /// Version of the program; absent if it is not there.
    pub program: Option<String>,
    /// The cluster's scheduler, such as `slurm 22.05.8`.
    pub scheduler: Option<String>,
}

impl Facts {
    pub(crate) fn read(text: &str) -> Self {
        let mut facts = Self::default();
        for (name, value) in text.lines().filter_map(|line| line.split_once(' ')) {
            let value = value.trim();
            let known = || Some(value.to_owned()).filter(|value| !value.is_empty() && value != "unknown");
            match name {
                "system" => value.clone_into(&mut facts.system),
                "cores" => facts.cores = value.parse().ok(),
                "memory" => facts.memory = value.parse().ok(),
                "free" => facts.memory_free = value.parse().ok(),
                "disk" => facts.disk_free = value.parse().ok(),
                "libc" => facts.libc = known(),
                "gpu" => facts.gpus.extend(known()),
                "cache" => value.clone_into(&mut facts.cache),
                "program" => facts.program = known(),
                "scheduler" => facts.scheduler = known(),
                _ => {}
            }
        }
        facts
    }
}

/// Runs processes on a machine that is reached by `ssh`.
#[derive(Clone, Debug)]
pub struct Ssh(Arc<Inner>);

#[derive(Debug)]
pub(crate) struct Inner {
    host: Host,
    /// The `graft` program for that machine, on this one.
    pub(crate) program: PathBuf,
    /// What Slurm is asked for, where it starts the trainers.
    slurm: Option<SlurmJob>,
    /// Its digest, once it was computed.
    digest: Mutex<Option<String>>,
    /// How often runs are looked at.
    paces: Mutex<HashMap<String, Pace>>,
}

/// What lies in Graft's folder there for a run.
pub(crate) struct Sent {
    /// The program's digest.
    pub(crate) program: String,
    /// The base model's place in the folder of base models.
    pub(crate) base: Option<String>,
}

/// How often a run is looked at.
#[derive(Debug, Default)]
struct Pace {
    /// Not before this.
    look: Option<Instant>,
    /// When its checkpoints were brought over last.
    kept: Option<Instant>,
    /// Whether it made one since.
    has_new: bool,
}

impl Ssh {
    /// Starts `program`, which is sent there, on a host.
    #[must_use]
    pub fn new(host: Host, program: PathBuf) -> Self {
        Self::launching(host, program, None)
    }

    /// Lets the host submit a job to Slurm for each process.
    #[must_use]
    pub fn slurm(host: Host, program: PathBuf, job: SlurmJob) -> Self {
        Self::launching(host, program, Some(job))
    }

    fn launching(host: Host, program: PathBuf, slurm: Option<SlurmJob>) -> Self {
        Self(Arc::new(Inner::new(host, program, slurm)))
    }

    async fn on_thread<T: Send + 'static>(&self, work: impl FnOnce(&Inner) -> Result<T> + Send + 'static) -> Result<T> {
        let inner = Arc::clone(&self.0);
        tokio::task::spawn_blocking(move || work(&inner)).await.map_err(Error::Thread)?
    }

    /// Looks at the machine, sends the program unless it is there, and lets it say its version. Slurm is asked whether it
    /// would take a job.
    ///
    /// # Errors
    /// The machine can't be reached or refuses; the program doesn't run there; Slurm takes no such job.
    pub async fn check(&self) -> Result<Facts> {
        self.on_thread(|inner| {
            let facts = inner.prepare(0)?;
            if let Some(job) = &inner.slurm {
                inner.say(&["try_job", &job.options()], None, CALL)?;
            }
            Ok(facts)
        })
        .await
    }
}

impl Ssh {
    /// Lets the machine end itself after a while, or when nobody observes a run on it for so long. `end` are the shell
    /// commands for that. Said again, it replaces the times that were said before.
    ///
    /// # Errors
    /// The machine can't be reached or refuses.
    pub async fn guard(&self, left: Duration, silence: Duration, end: &'static str) -> Result<()> {
        // Rounded up, so that a machine never ends itself before its limit is reached here too.
        let left = (left.as_secs() + u64::from(left.subsec_nanos() > 0)).to_string();
        let silence = silence.as_secs().to_string();
        self.on_thread(move |inner| inner.say(&["guard", &left, &silence, end], None, CALL).map(drop)).await
    }
}

impl Executor for Ssh {
    fn start<'a>(&'a self, run: &'a RunRef, start: &'a Start) -> Answer<'a, Started> {
        let (run, start) = (run.clone(), start.clone());
        Box::pin(self.on_thread(move |inner| inner.start(&run, &start)))
    }

    fn observe<'a>(&'a self, run: &'a RunRef, cursor: Cursor) -> Answer<'a, Observation> {
        let run = run.clone();
        Box::pin(self.on_thread(move |inner| inner.observe(&run, cursor)))
    }

    fn stop<'a>(&'a self, run: &'a RunRef, how: Stop) -> Answer<'a, ()> {
        let id = run.id.clone();
        let how = match how {
            Stop::AfterStep => "after-step",
            Stop::Now => "now",
        };
        Box::pin(self.on_thread(move |inner| inner.say(&["stop", &id, how], None, CALL).map(drop)))
    }

    fn collect<'a>(&'a self, run: &'a RunRef) -> Answer<'a, ()> {
        let run = run.clone();
        Box::pin(self.on_thread(move |inner| inner.finish(&run)))
    }

    fn list(&self) -> Answer<'_, Vec<String>> {
        Box::pin(self.on_thread(|inner| Ok(inner.say(&["list"], None, CALL)?.lines().map(str::to_owned).collect())))
    }
}

impl Inner {
    pub(crate) fn new(host: Host, program: PathBuf, slurm: Option<SlurmJob>) -> Self {
        Self { host, program, slurm, digest: Mutex::default(), paces: Mutex::default() }
    }

    fn paces(&self) -> MutexGuard<'_, HashMap<String, Pace>> {
        self.paces.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a verb and returns what it said.
    pub(crate) fn say(&self, words: &[&str], feed: Option<Feed>, limit: Duration) -> Result<String> {
        let take = |from: &mut dyn Read| {
            let mut text = String::new();
            from.take(FACTS).read_to_string(&mut text).map(|_| text)
        };
        match self.host.call(words, feed, limit, take)? {
            Ended::Well(text) => Ok(text),
            Ended::Badly(code, said) => Err(self.failure(code, said)),
        }
    }

    fn failure(&self, code: i32, said: String) -> Error {
        let host = self.host.destination.clone();
        match code {
            91 => Error::RemoteDisk { host, needed: None, free: None },
            92 => Error::RemoteProgram { host, program: self.program.clone(), said },
            93 => Error::Transfer { host, source: io::Error::other(said) },
            96 => Error::Slurm { host, said },
            97 => Error::Scheduler { host, said },
            _ => {
                let said = if said.is_empty() { format!("exit code {code}") } else { said };
                Error::Remote { host, said }
            }
        }
    }

    pub(crate) fn digest(&self) -> Result<String> {
        let mut known = self.digest.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(digest) = &*known {
            return Ok(digest.clone());
        }
        let failed = |source| Error::Io { doing: "read", path: self.program.clone(), source };
        let digest = files::digest(&self.program).map_err(failed)?;
        Ok(known.insert(digest).clone())
    }

    /// Looks at the machine, and sends the program unless it is there. `needed` bytes are to be sent afterwards.
    pub(crate) fn prepare(&self, needed: u64) -> Result<Facts> {
        let host = || self.host.destination.clone();
        let digest = self.digest()?;
        let mut facts = Facts::read(&self.say(&["probe", &digest], None, CALL)?);
        let failed = |source| Error::Io { doing: "read", path: self.program.clone(), source };
        let mut file = File::open(&self.program).map_err(failed)?;
        let size = file.metadata().map_err(failed)?.len();
        let needed = ROOM + needed + if facts.program.is_none() { size } else { 0 };
        if facts.disk_free.is_some_and(|free| free < needed) {
            return Err(Error::RemoteDisk { host: host(), needed: Some(needed), free: facts.disk_free });
        }
        if facts.program.is_none() {
            if let Some(built) = platform(&self.program).filter(|built| *built != facts.system) {
                return Err(Error::RemotePlatform { host: host(), found: facts.system, built: built.to_owned() });
            }
            let feed: Feed = Box::new(move |out| io::copy(&mut file, out).map(drop));
            let said = self.say(&["put_program", &digest], Some(feed), patience(size))?;
            facts.program = Some(said.trim().to_owned());
        }
        Ok(facts)
    }

    fn start(&self, run: &RunRef, start: &Start) -> Result<Started> {
        // The nodes of a cluster have other devices than the machine that submits.
        let has_gpu = self.slurm.as_ref().map(|job| job.gpus.is_some());
        let Sent { program, base } = self.send(run, start, has_gpu)?;
        let (base, nice) = (base.unwrap_or_else(|| "-".to_owned()), start.nice.to_string());
        let job = self.slurm.as_ref().map_or_else(|| "-".to_owned(), SlurmJob::options);
        let threads = self.slurm.as_ref().and_then(|job| job.cpus).map(|cpus| cpus.to_string());
        let mut words = vec!["start", &run.id, &program, &base, &nice, &job];
        words.extend(start.args.iter().map(String::as_str));
        words.extend(threads.iter().flat_map(|threads| ["--threads", threads]));
        let said = self.say(&words, None, CALL)?;
        let (how, pid) = said.trim().split_once(' ').unwrap_or((said.trim(), ""));
        Ok(Started { fresh: how == "started", pid: pid.parse().ok() })
    }

    /// Sends program, base model and run directory unless they are there. `has_gpu` says whether trainers get a GPU;
    /// without it, whether the machine has one.
    pub(crate) fn send(&self, run: &RunRef, start: &Start, has_gpu: Option<bool>) -> Result<Sent> {
        let failed = |source| Error::Io { doing: "send", path: run.dir.clone(), source };
        let spec = fs::read(run.dir.join("spec.json")).map_err(failed)?;
        let spec: Needs = serde_json::from_slice(&spec)
            .map_err(|source| Error::BadEvents { path: run.dir.join("spec.json"), source })?;
        let base = start.base.as_deref().map(files::of_base).transpose().map_err(failed)?;
        let base_digest = spec.base.digest.as_str();
        let here = self.say(&["has", base_digest, &run.id], None, CALL)?;
        let has = |what: &str| here.lines().any(|line| line == what);
        let run_files = files::of_run(&run.dir).map_err(failed)?;
        let base_size = base.as_ref().map_or(Ok(0), |(_, files)| files::size(files)).map_err(failed)?;
        let run_size = files::size(&run_files).map_err(failed)?;
        let facts = self.prepare(if has("base") { 0 } else { base_size } + if has("run") { 0 } else { run_size })?;
        let has_gpu = has_gpu.unwrap_or(!facts.gpus.is_empty());
        if matches!(spec.limits.device, ComputeDevice::Gpu(_)) && !has_gpu {
            return Err(Error::RemoteGpu { host: self.host.destination.clone() });
        }
        if let (Some((root, files)), false) = (&base, has("base")) {
            self.put("bases", base_digest, (root.clone(), files.clone()), base_size)?;
        }
        if !has("run") {
            self.put("runs", &run.id, (run.dir.clone(), run_files), run_size)?;
        }
        let base = start.base.as_deref().map(|path| match path.file_name().filter(|_| path.is_file()) {
            Some(name) => format!("{base_digest}/{}", name.to_string_lossy()),
            None => base_digest.to_owned(),
        });
        Ok(Sent { program: self.digest()?, base })
    }

    fn put(&self, kind: &str, name: &str, what: (PathBuf, Vec<PathBuf>), size: u64) -> Result<()> {
        let (root, list) = what;
        let feed: Feed = Box::new(move |out| files::send(&root, &list, out));
        self.say(&["put_folder", kind, name], Some(feed), patience(size)).map(drop)
    }

    /// One look. A machine that can't be reached says nothing about its processes.
    pub(crate) fn observe(&self, run: &RunRef, cursor: Cursor) -> Result<Observation> {
        let at = self.paces().get(&run.id).and_then(|pace| pace.look);
        std::thread::sleep(at.map_or(Duration::ZERO, |at| at.saturating_duration_since(Instant::now())));
        let [events, stdout, stderr] = [cursor.events, cursor.stdout, cursor.stderr].map(|at| at.to_string());
        let copied = self
            .host
            .call(&["observe", &run.id, &events, &stdout, &stderr], None, CALL * 2, |from| copy_news(&run.dir, from));
        let process = match copied {
            Ok(Ended::Well(process)) => process,
            Ok(Ended::Badly(code, said)) => return Err(self.failure(code, said)),
            Err(Error::Unreachable { .. } | Error::Transfer { .. }) => Process::Unknown,
            Err(error) => return Err(error),
        };
        let pause = if process == Process::Unknown { RETRY } else { PACE };
        let seen = Observation { process, ..read(&run.dir, cursor)? };
        let mut paces = self.paces();
        let pace = paces.entry(run.id.clone()).or_default();
        pace.look = Some(Instant::now() + pause);
        pace.has_new |= seen.events.iter().any(|event| matches!(event.kind, EventKind::Checkpoint { .. }));
        if pace.has_new && pace.kept.is_none_or(|at| at.elapsed() >= KEEP) {
            (pace.has_new, pace.kept) = (false, Some(Instant::now()));
            drop(paces);
            // Should the machine be lost, the run goes on elsewhere from here; one that can't be had now is followed by
            // another.
            let _ = self.collect(run, "checkpoints");
        }
        Ok(seen)
    }

    /// Collects everything, and forgets the process.
    pub(crate) fn finish(&self, run: &RunRef) -> Result<()> {
        let is_done = self.collect(run, "all")?;
        // Without a result, the next attempt may continue there.
        self.say(&["forget", &run.id, if is_done { "all" } else { "process" }], None, CALL)?;
        self.paces().remove(&run.id);
        Ok(())
    }

    fn collect(&self, run: &RunRef, what: &str) -> Result<bool> {
        faults::pass(Op::Write, &run.dir).map_err(|source| Error::Io {
            doing: "write",
            path: run.dir.clone(),
            source,
        })?;
        // How much it will be isn't known: adapters and their optimizers are small.
        let limit = patience(2 << 30);
        match self.host.call(&["collect", &run.id, what], None, limit, |from| files::take(&run.dir, from))? {
            Ended::Well(is_done) => Ok(is_done || run.dir.join("training_run.json").exists()),
            Ended::Badly(code, said) => Err(self.failure(code, said)),
        }
    }
}

/// What a run's spec needs of a machine.
#[derive(Deserialize)]
struct Needs {
    base: BaseRef,
    #[serde(default)]
    limits: Limits,
}

#[derive(Default, Deserialize)]
struct Limits {
    #[serde(default)]
    device: ComputeDevice,
}

/// How long so many bytes may take.
fn patience(bytes: u64) -> Duration {
    CALL + Duration::from_secs(bytes / SLOWEST)
}

/// Puts what is new into the same places of the files here, and returns the state of the process.
fn copy_news(dir: &Path, from: &mut dyn Read) -> io::Result<Process> {
    let bad = || io::Error::new(io::ErrorKind::InvalidData, "the reply of the other machine is invalid");
    let mut from = BufReader::new(from);
    let mut line = String::new();
    from.by_ref().take(FACTS).read_line(&mut line)?;
    let process = match line.trim().split(' ').collect::<Vec<_>>().as_slice() {
        ["state", "running"] => Process::Running,
        ["state", "paused"] => Process::Paused,
        ["state", "waiting", why @ ..] => Process::Waiting(why.join(" ")),
        ["state", "unknown"] => Process::Unknown,
        ["state", "gone"] => Process::Gone,
        ["state", "exited", code] => Process::Exited(exit(code.parse().map_err(|_| bad())?)),
        ["state", "ended", how] => Process::Exited(ended(how).ok_or_else(bad)?),
        _ => return Err(bad()),
    };
    loop {
        line.clear();
        if from.by_ref().take(FACTS).read_line(&mut line)? == 0 {
            return Ok(process);
        }
        let parts: Vec<&str> = line.trim().split(' ').collect();
        let [name @ ("events.jsonl" | "stdout.log" | "stderr.log"), at, count] = parts.as_slice() else {
            return Err(bad());
        };
        let (at, count): (u64, u64) = (at.parse().map_err(|_| bad())?, count.parse().map_err(|_| bad())?);
        let mut bytes = Vec::new();
        if from.by_ref().take(count.min(1 << 20)).read_to_end(&mut bytes)? as u64 != count {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let path = dir.join(name);
        faults::pass(Op::Write, &path)?;
        let mut file = OpenOptions::new().create(true).truncate(false).write(true).open(&path)?;
        // A replaced file is copied from its start; an incomplete line that its writer removed is removed here too.
        file.seek(SeekFrom::Start(at))?;
        file.write_all(&bytes)?;
        file.set_len(at + count)?;
    }
}

/// How a process ended, as a shell says it.
fn exit(code: i32) -> Exit {
    match code {
        129..=192 => Exit { signal: Some(code - 128), ..Exit::default() },
        code => Exit { code: Some(code), ..Exit::default() },
    }
}

/// How a cluster ended a job.
fn ended(how: &str) -> Option<Exit> {
    let ending = match how {
        "memory" => {
            let memory = Some("the cluster ended its job, which took more memory than it had asked for".to_owned());
            return Some(Exit { memory, ..Exit::default() });
        }
        "time-limit" => Ending::TimeLimit,
        "preempted" => Ending::Preempted,
        "node-failed" => Ending::NodeFailed,
        "cancelled" => Ending::Cancelled,
        "unplaced" => Ending::Unplaced,
        _ => return None,
    };
    Some(Exit { ending: Some(ending), ..Exit::default() })
}

/// The platform that a program is for, as `uname -sm` names it; `None` where that can't be told.
fn platform(program: &Path) -> Option<&'static str> {
    let mut head = [0; 20];
    File::open(program).ok()?.read_exact(&mut head).ok()?;
    match (&head[..4], u16::from_le_bytes([head[18], head[19]])) {
        (b"\x7fELF", 62) => Some("Linux x86_64"),
        (b"\x7fELF", 183) => Some("Linux aarch64"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machine_facts_are_parsed() {
        let facts = Facts::read(
            "system Linux x86_64\ncores 8\nmemory 100\nfree \ndisk 5\nlibc unknown\ngpu NVIDIA A10, 23028 MiB, 535.1\n",
        );
        assert_eq!((facts.system.as_str(), facts.cores, facts.memory_free), ("Linux x86_64", Some(8), None));
        assert_eq!((facts.gpus.len(), facts.libc, facts.program), (1, None, None));
    }

    #[test]
    fn output_is_copied_to_its_offsets() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("stdout.log"), "one two thr").unwrap();
        let said = "state exited 137\nevents.jsonl 0 3\n{}\nstdout.log 8 5\nthreestderr.log 0 0\n";
        let process = copy_news(dir.path(), &mut said.as_bytes()).unwrap();
        assert_eq!(process, Process::Exited(Exit { signal: Some(9), ..Exit::default() }));
        assert_eq!(fs::read_to_string(dir.path().join("stdout.log")).unwrap(), "one two three");
        // A shorter file is another file.
        copy_news(dir.path(), &mut "state running\nstdout.log 0 3\nnew".as_bytes()).unwrap();
        assert_eq!(fs::read_to_string(dir.path().join("stdout.log")).unwrap(), "new");
        for bad in ["", "state\n", "state running\nspec.json 0 1\nx", "state running\nstdout.log 0 9\nx"] {
            assert!(copy_news(dir.path(), &mut bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
