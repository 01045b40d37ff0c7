use std::{
    path::Path,
    process::{Child, Command, Stdio},
};

use super::{exit, into_logs, running, tune};
use crate::{Error, Exit, Process, Result};

/// A short process that belongs to the worker itself and ends with it.
#[derive(Debug)]
pub struct Helper(Child);

impl Helper {
    /// Starts a command; its output is added to the logs of a run directory, or dropped.
    ///
    /// # Errors
    /// The program can't be started; the disk refuses.
    pub fn start(mut command: Command, nice: i32, logs: Option<&Path>) -> Result<Self> {
        match logs {
            Some(dir) => into_logs(&mut command, dir)?,
            None => drop(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null())),
        }
        let child = command.spawn().map_err(Error::Start)?;
        tune(child.id(), nice, None);
        Ok(Self(child))
    }

    /// Its process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.0.id()
    }

    /// Whether a signal or a debugger has stopped it.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        running(Some(self.pid())) == Process::Paused
    }

    /// How it ended, once it has.
    ///
    /// # Errors
    /// The system doesn't tell.
    pub fn ended(&mut self) -> Result<Option<Exit>> {
        let status = self.0.try_wait().map_err(Error::Start)?;
        Ok(status.map(|status| exit(status, None)))
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
