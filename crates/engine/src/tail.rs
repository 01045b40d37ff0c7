use std::{
    fs::File,
    io::{Read as _, Seek as _, SeekFrom},
    path::PathBuf,
};

use graft_core::Event;
use graft_train::RunDir;

use crate::{Error, Result};

/// Reads a run's events as they are written.
#[derive(Debug)]
pub struct EventTail {
    path: PathBuf,
    offset: u64,
}

impl EventTail {
    /// From the first event on.
    #[must_use]
    pub fn new(dir: &RunDir) -> Self {
        Self { path: dir.path().join("events.jsonl"), offset: 0 }
    }

    /// From now on, leaving out what earlier attempts wrote.
    #[must_use]
    pub fn from_now(dir: &RunDir) -> Self {
        let path = dir.path().join("events.jsonl");
        let text = std::fs::read(&path).unwrap_or_default();
        // A trainer that was killed may have left half a line, which the next one cuts off.
        let offset = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end as u64 + 1);
        Self { path, offset }
    }

    /// The events written since the last call; a line that is still being written waits for the next.
    ///
    /// # Errors
    /// The file can't be read or holds something else than events.
    pub fn read(&mut self) -> Result<Vec<Event>> {
        let failed = |source| Error::Io { doing: "read", path: self.path.clone(), source };
        let Ok(mut file) = File::open(&self.path) else { return Ok(Vec::new()) };
        let mut text = Vec::new();
        file.seek(SeekFrom::Start(self.offset)).and_then(|_| file.read_to_end(&mut text)).map_err(failed)?;
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let lines = text[..whole].split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let events = lines.map(serde_json::from_slice).collect::<std::result::Result<_, _>>();
        self.offset += whole as u64;
        events.map_err(|source| Error::BadEvents { path: self.path.clone(), source })
    }
}
