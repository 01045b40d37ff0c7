//! Where the process of a run executes.
//!
//! An [`Executor`] starts a `graft` command for a run, tells what became of it, stops it and brings its results back.
//! All five operations are idempotent and keyed by the run's id, so that a worker which was killed in the middle of one
//! leaves nothing that the next worker has to clean up: it calls the same operation again. An executor knows run
//! directories and processes; it knows neither the database nor the rules of the engine.
//!
//! [`Local`] runs processes on this machine, [`Ssh`] on another one, by its shell or by its cluster's Slurm, [`Ray`] on a
//! cluster with which this machine shares a folder. A [`Service`] trains by itself: its job is what a process is elsewhere. Locks,
//! process ids, signals and the tail of a file are their own business: nothing of the trait assumes that the process or its files are
//! on this machine.

mod error;
mod http;
mod local;
mod ray;
mod service;
mod ssh;

use std::{fmt, future::Future, path::PathBuf, pin::Pin};

use graft_core::Event;

pub use error::Error;
pub use http::is_address;
pub use local::{Helper, Local, RunLock, is_alive, read};
pub use ray::Ray;
pub use service::Service;
pub use ssh::{Facts, Host, Ssh};

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Error>;
/// What an executor's operation returns; boxed, so that a worker can hold executors of several kinds.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

/// A run as executors know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRef {
    /// Its id, the key of every operation.
    pub id: String,
    /// Its directory on this machine: what is sent from here, and where results are collected.
    pub dir: PathBuf,
}

/// What is to be started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// Arguments of `graft`; the executor appends the run's directory, whose path only it knows.
    pub args: Vec<String>,
    /// The files of the base model on this machine; the executor tells the process where they are for it.
    pub base: Option<PathBuf>,
    /// Priority, as `nice` counts it.
    pub nice: i32,
    /// Bytes of memory that the process may take.
    pub memory: Option<u64>,
}

/// The process of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Started {
    /// Whether this call started it; otherwise it was running already.
    pub fresh: bool,
    /// Its process id, or what a cluster counts in its place, where that means something.
    pub pid: Option<u32>,
}

/// How far a follower has read, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    /// Of `events.jsonl`.
    pub events: u64,
    /// Of `stdout.log`.
    pub stdout: u64,
    /// Of `stderr.log`.
    pub stderr: u64,
}

/// What is new of a run since a cursor.
#[derive(Clone, Debug)]
pub struct Observation {
    /// Whole events.
    pub events: Vec<Event>,
    /// Whole characters of its output.
    pub stdout: String,
    /// Whole characters of its errors.
    pub stderr: String,
    /// The next cursor. If it equals the given one, everything written so far has been read.
    pub cursor: Cursor,
    /// Its process, as it was before the files were read: what it wrote before its end is never missed.
    pub process: Process,
}

/// The state of a run's process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Process {
    /// It is running.
    Running,
    /// It exists, but is stopped until it receives SIGCONT.
    Paused,
    /// It is in the queue of a cluster, which says why.
    Waiting(String),
    /// It ended, and this executor saw how.
    Exited(Exit),
    /// There is no process, and its exit status is unknown.
    Gone,
    /// That can't be told now, for instance because a connection is down.
    Unknown,
}

impl Process {
    /// Whether there is a process, or will be.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        matches!(self, Self::Running | Self::Paused | Self::Waiting(_))
    }
}

/// How a process ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exit {
    /// Its exit code.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// Why memory is known not to have sufficed.
    pub memory: Option<String>,
    /// What a cluster did that ended it.
    pub ending: Option<Ending>,
}

/// Why a cluster ended a job that would have gone on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Its time was over.
    TimeLimit,
    /// Another job took its place.
    Preempted,
    /// It waited for longer than the cluster lets a job wait.
    Unplaced,
    /// Its node failed.
    NodeFailed,
    /// Somebody cancelled it in the cluster.
    Cancelled,
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TimeLimit => "its time limit was reached",
            Self::Preempted => "another job took its place",
            Self::Unplaced => "the cluster had no place for it in time",
            Self::NodeFailed => "its node failed",
            Self::Cancelled => "somebody cancelled its job",
        })
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.code, self.signal) {
            _ if self.ending.is_some() => self.ending.iter().try_for_each(|ending| ending.fmt(f)),
            (_, Some(signal)) => write!(f, "signal {signal}"),
            (Some(code), None) => write!(f, "exit code {code}"),
            (None, None) => f.write_str("no exit code"),
        }
    }
}

/// How a process is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It keeps a checkpoint after its step and ends by itself.
    AfterStep,
    /// It is ended at once.
    Now,
}

/// A place where runs execute.
pub trait Executor: fmt::Debug + Send + Sync {
    /// Starts the run's process, or attaches to the one that is running.
    fn start<'a>(&'a self, run: &'a RunRef, start: &'a Start) -> Answer<'a, Started>;

    /// New events and output since a cursor, and the state of the process. A long backlog is returned in several parts.
    fn observe<'a>(&'a self, run: &'a RunRef, cursor: Cursor) -> Answer<'a, Observation>;

    /// Stops the run's process; does nothing where there is none.
    fn stop<'a>(&'a self, run: &'a RunRef, how: Stop) -> Answer<'a, ()>;

    /// Brings what the ended process made into the run's directory on this machine, and forgets the process.
    fn collect<'a>(&'a self, run: &'a RunRef) -> Answer<'a, ()>;

    /// The ids of the runs whose processes live here.
    fn list(&self) -> Answer<'_, Vec<String>>;
}
