//! Detects from outside whether a process was killed because of memory.

use std::fs;

/// Observes the memory of a running process.
#[derive(Debug)]
pub(super) struct Watch {
    pid: Option<u32>,
    limit: Option<u64>,
    /// Processes that the system had killed for memory before.
    killed_before: Option<u64>,
    /// Most memory of its own seen, in bytes.
    most: u64,
    exceeded: bool,
}

impl Watch {
    pub(super) fn new(pid: Option<u32>, limit: Option<u64>) -> Self {
        Self { pid, limit, killed_before: killed_for_memory(), most: 0, exceeded: false }
    }

    /// Whether the process takes more than it may.
    pub(super) fn is_exceeded(&mut self) -> bool {
        let Some(own) = self.pid.and_then(own_bytes) else { return false };
        self.most = self.most.max(own);
        self.exceeded |= self.limit.is_some_and(|limit| own > limit);
        self.exceeded
    }

    /// After its end: why memory is known not to have sufficed.
    pub(super) fn evidence(&self) -> Option<String> {
        let megabytes = |bytes: u64| bytes / 1_000_000;
        if self.exceeded {
            let limit = self.limit.unwrap_or_default();
            return Some(format!("it took {} MB of {} MB", megabytes(self.most), megabytes(limit)));
        }
        // The system has killed a process, and this one held a large part of the memory.
        let killed = killed_for_memory().zip(self.killed_before).is_some_and(|(now, before)| now > before);
        let big = self.most > 64 << 20;
        (killed && big).then(|| format!("the system ended it at {} MB", megabytes(self.most)))
    }
}

/// Memory that belongs to a process alone, without the files it maps.
fn own_bytes(pid: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let kib =
        text.lines().find_map(|line| line.strip_prefix("RssAnon:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kib.map(|kib| kib << 10)
}

/// Number of processes that the system has killed because of memory: in this group if known, otherwise in all.
fn killed_for_memory() -> Option<u64> {
    let count = |path: &str| {
        let text = fs::read_to_string(path).ok()?;
        text.lines().find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse().ok())
    };
    count("/sys/fs/cgroup/memory.events").or_else(|| count("/proc/vmstat"))
}
