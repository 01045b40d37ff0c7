//! Checks rented machines periodically while a worker or a server runs.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use graft_cloud::Error as CloudError;
use graft_core::{RentalState, with_causes};
use tracing::Level;

use super::{Machines, RentalSweep};
use crate::{Engine, Error, Result, Say};

/// How often the lists of the providers are compared with what is written down.
const EVERY: Duration = Duration::from_secs(15);
/// How long a command waits until its machines are terminated.
const SETTLE: Duration = Duration::from_secs(90);
/// How often it looks meanwhile.
const LOOK: Duration = Duration::from_secs(1);

impl Machines<'_> {
    /// Terminates machines that no live run needs, until it is dropped. A run whose worker was killed keeps its machine
    /// from one look to the next, so that another worker can go on with it.
    pub async fn watch_rentals(self, say: &Say) {
        let mut left: HashSet<String> = HashSet::new();
        let mut troubles = 0_u32;
        loop {
            let next = Mutex::new(HashSet::new());
            let was_left = |run: &str| {
                next.lock().unwrap_or_else(PoisonError::into_inner).insert(run.to_owned());
                left.contains(run)
            };
            match self.reconcile_rentals(&was_left).await {
                Ok(sweep) => {
                    troubles = 0;
                    for name in sweep.terminated {
                        say(Level::WARN, &format!("rented machine {name} is terminated: no running run needs it"));
                    }
                }
                Err(error) => {
                    troubles += 1;
                    if troubles.is_power_of_two() {
                        let why = with_causes(&error);
                        say(Level::ERROR, &format!("cannot check rented machines: failed to {why}"));
                    }
                }
            }
            left = next.into_inner().unwrap_or_else(PoisonError::into_inner);
            tokio::time::sleep(EVERY).await;
        }
    }

    /// Waits until the machines of a run that has ended are terminated; says whether they are.
    pub(crate) async fn wait_terminated(self, run: &str) -> Result<bool> {
        let began = Instant::now();
        loop {
            let rentals = self.engine.store.rentals_of(run).await?;
            if rentals.iter().all(|rental| rental.state == RentalState::Ended || rental.instance.is_none()) {
                return Ok(true);
            }
            if began.elapsed() >= SETTLE {
                return Ok(false);
            }
            // Only this process supervises the run.
            if let Err(error) = self.reconcile_rentals(&|other| other == run).await {
                tracing::warn!("cannot check rented machines: failed to {}", with_causes(&error));
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Terminates every machine of this database that no live run needs, and waits until the provider says so.
    ///
    /// # Errors
    /// There is no key, or it is refused; the provider can't be reached.
    pub async fn sweep(self) -> Result<RentalSweep> {
        let mut has_key = false;
        for name in graft_cloud::PROVIDERS {
            match self.provider(name) {
                Ok(_) => has_key = true,
                Err(Error::Cloud(CloudError::NoKey { .. })) => {}
                Err(error) => return Err(error),
            }
        }
        if !has_key {
            // Nothing can be found out.
            return Err(CloudError::NoKeys { variables: graft_cloud::KEY_VARIABLES.join(", ") }.into());
        }
        self.engine.runs().reconcile(None).await?;
        let (began, mut all) = (Instant::now(), RentalSweep::default());
        loop {
            let sweep = self.reconcile_rentals(&|_| true).await?;
            let new = sweep.terminated.into_iter().filter(|name| !all.terminated.contains(name)).collect::<Vec<_>>();
            all.terminated.extend(new);
            (all.running, all.foreign) = (sweep.running, sweep.foreign);
            if all.running.is_empty() || began.elapsed() >= SETTLE {
                return Ok(all);
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

/// Looks after rented machines on a task of its own, which ends with this.
#[derive(Debug)]
pub(crate) struct RentalWatch(tokio::task::JoinHandle<()>);

impl RentalWatch {
    pub(crate) fn begin(engine: &Engine, say: &Say) -> Self {
        let (engine, say) = (engine.clone(), Say::clone(say));
        Self(tokio::spawn(async move { engine.machines().watch_rentals(&say).await }))
    }
}

impl Drop for RentalWatch {
    fn drop(&mut self) {
        self.0.abort();
    }
}
