use std::collections::BTreeMap;

use graft_store::{Base, Held, RunFilter, RunState, Worker};

use super::{LastSweep, Upkeep};
use crate::{
    Result,
    files::{apart, free_bytes},
    now,
};

/// The machine and what works on the database.
#[derive(Clone, Debug)]
pub struct System {
    /// Bytes free on the disk that holds this home, where the system tells.
    pub disk_free: Option<u64>,
    /// Bytes of memory that programs could still take, where the system tells.
    pub memory_available: Option<u64>,
    /// Runs by state.
    pub runs: BTreeMap<String, u64>,
    /// Workers that were seen within a minute.
    pub workers: Vec<Worker>,
    /// Runs that workers hold.
    pub leases: Vec<Held>,
    /// What the last sweep of the home found.
    pub swept: Option<LastSweep>,
    /// Base models known.
    pub bases: Vec<Base>,
}

/// Workers that were not seen for so long, in milliseconds, don't count.
pub(crate) const SEEN_WITHIN: i64 = 60_000;

impl Upkeep<'_> {
    /// The machine and what works on the database.
    pub async fn system(self) -> Result<System> {
        let (engine, store) = (self.engine.clone(), &self.engine.store);
        let on_disk = move || Ok((free_bytes(engine.home.path()), engine.upkeep().last_sweep()));
        let (disk_free, swept) = apart("look at the disk", on_disk).await?;
        Ok(System {
            disk_free,
            memory_available: graft_train::available_memory(),
            runs: self.run_counts().await?,
            workers: store.workers(now() - SEEN_WITHIN).await?,
            leases: store.held_runs().await?,
            swept,
            bases: store.bases().await?,
        })
    }

    /// Runs by state.
    pub async fn run_counts(self) -> Result<BTreeMap<String, u64>> {
        let mut counts = BTreeMap::new();
        for state in RunState::ALL {
            let filter = RunFilter { state: Some(*state), ..RunFilter::default() };
            counts.insert(state.name().to_owned(), self.engine.store.count_runs(&filter).await?);
        }
        Ok(counts)
    }

    /// Whether the database answers.
    pub async fn check_database(self) -> Result<()> {
        self.engine.store.newest_change().await?;
        Ok(())
    }
}
