//! Machines beside the worker's own, on which runs can execute: those of the user, and rented ones.

mod rented;
mod rules;
mod service;
mod watch;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use graft_core::Launcher;
use graft_exec::{Executor, Facts, Host, Ray, Ssh, is_address};
use graft_store::{Machine, NewMachine, Run};

use crate::{Engine, Error, Result, now};
pub(crate) use rented::is_provider;
pub use rented::{ProviderView, Quote, RentalSweep, RentalView};
pub use rules::{RENTAL_SETTINGS, RENTAL_TYPES, check_rental_settings};
pub(crate) use watch::RentalWatch;

/// Hears what is done while a machine is rented.
pub(crate) type Hear<'a> = dyn Fn(&str) + Send + Sync + 'a;

/// The machines that this database knows.
#[derive(Clone, Copy, Debug)]
pub struct Machines<'e> {
    pub(crate) engine: &'e Engine,
}

impl Machines<'_> {
    /// Adds a machine that is reached by `ssh`, or a Ray cluster. Whether it can be used is for [`check`](Self::check) to find out.
    ///
    /// # Errors
    /// The destination is none; the scheduler can't be asked so; the program is missing; the name is taken.
    pub async fn add(
        self,
        name: &str,
        destination: &str,
        slots: u32,
        program: Option<&Path>,
        launcher: &Launcher,
    ) -> Result<Machine> {
        launcher.check()?;
        match launcher {
            Launcher::Ray(_) if !is_address(destination) => {
                return Err(Error::BadAddress(destination.to_owned()));
            }
            Launcher::Ssh | Launcher::Slurm(_) if !Host::is_destination(destination) => {
                return Err(Error::BadDestination(destination.to_owned()));
            }
            _ => {}
        }
        if is_provider(name) || name == service::SERVICE {
            let what = if is_provider(name) { "rented machines" } else { "the training service" };
            return Err(Error::Unsupported(format!("add machine `{name}`: the name is reserved for {what}")));
        }
        let whole = |path: &Path| {
            let failed = |source| Error::Io { doing: "use the program", path: path.to_owned(), source };
            path.canonicalize().map(|path| path.to_string_lossy().into_owned()).map_err(failed)
        };
        let program = program.map(whole).transpose()?;
        let new = NewMachine { name, destination, slots, program: program.as_deref(), launcher };
        Ok(self.engine.store.add_machine(new, &self.engine.by, now()).await?)
    }

    /// Every machine, by name.
    pub async fn list(self) -> Result<Vec<Machine>> {
        Ok(self.engine.store.machines().await?)
    }

    /// A machine.
    ///
    /// # Errors
    /// There is none of the name.
    pub async fn get(self, name: &str) -> Result<Machine> {
        Ok(self.engine.store.machine(name).await?)
    }

    /// Removes a machine. What Graft put there stays.
    ///
    /// # Errors
    /// There is none of the name; a run on it is active.
    pub async fn remove(self, name: &str) -> Result<Machine> {
        Ok(self.engine.store.remove_machine(name, &self.engine.by, now()).await?)
    }

    /// Connects, sends the program unless it is there, starts it, and tells what was found. `program` is the one of this
    /// process.
    ///
    /// # Errors
    /// The machine can't be reached, doesn't let this user in, or doesn't run the program.
    pub async fn check(self, name: &str, program: &Path) -> Result<Facts> {
        let machine = self.engine.store.machine(name).await?;
        let facts = match reach(&machine, program) {
            Place::Ssh(ssh) => ssh.check().await,
            Place::Ray(ray) => ray.check().await,
        };
        Ok(facts?)
    }

    /// Whether runs on this name execute on rented machines. A machine of the user's own that has it comes first.
    pub(crate) async fn is_rented(self, name: &str) -> Result<bool> {
        Ok(is_provider(name) && !self.has(name).await?)
    }

    /// Whether the user added a machine of this name.
    async fn has(self, name: &str) -> Result<bool> {
        Ok(self.list().await?.iter().any(|machine| machine.name == name))
    }

    /// Where a run's trainer executes: on this machine, on one of the user's, at the training service, or on a machine that is
    /// rented now unless the run has one.
    pub(crate) async fn executor(self, run: &Run, program: &Path, say: &Hear<'_>) -> Result<Arc<dyn Executor>> {
        match &run.machine {
            Some(name) if self.is_rented(name).await? => Ok(Arc::new(self.rent(run, name, program, say).await?)),
            _ => self.own(run, program).await,
        }
    }

    /// As [`executor`](Self::executor), but nothing is rented: a run without a machine has no process.
    pub(crate) async fn executor_now(self, run: &Run) -> Result<Option<Arc<dyn Executor>>> {
        // What is there already needs no program.
        let program = Path::new("");
        match &run.machine {
            Some(name) if self.is_rented(name).await? => {
                Ok(self.rented(run, program).await?.map(|rented| Arc::new(rented) as Arc<dyn Executor>))
            }
            _ => self.own(run, program).await.map(Some),
        }
    }

    async fn own(self, run: &Run, program: &Path) -> Result<Arc<dyn Executor>> {
        let Some(name) = &run.machine else { return Ok(Arc::new(self.engine.runs().local(program))) };
        if self.is_service(name).await? {
            return Ok(Arc::new(self.known_service()?));
        }
        let machine = self.engine.store.machine(name).await?;
        Ok(match reach(&machine, program) {
            Place::Ssh(ssh) => Arc::new(ssh),
            Place::Ray(ray) => Arc::new(ray),
        })
    }
}

/// Where trainers of a machine execute.
enum Place {
    Ssh(Ssh),
    Ray(Ray),
}

fn reach(machine: &Machine, program: &Path) -> Place {
    let program = machine.program.as_ref().map_or_else(|| program.to_owned(), PathBuf::from);
    let host = || Host::new(&machine.destination);
    match &machine.launcher {
        Launcher::Ssh => Place::Ssh(Ssh::new(host(), program)),
        Launcher::Slurm(job) => Place::Ssh(Ssh::slurm(host(), program, job.clone())),
        Launcher::Ray(job) => Place::Ray(Ray::new(&machine.destination, Ray::token(), program, job.clone())),
    }
}
