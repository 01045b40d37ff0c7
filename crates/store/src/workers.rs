use graft_core::Timestamp;
use serde::Serialize;

use crate::row::from_row;
use crate::scope::Scope;
use crate::{Error, Store, row, statement};

/// A process that takes runs from the queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Worker {
    /// Unique id of the process.
    pub id: String,
    /// Name of its machine.
    pub host: String,
    /// Its process id there.
    pub pid: u32,
    /// CPU threads it gives to runs.
    pub slots: u32,
    /// Its version of Graft.
    pub graft: String,
    /// When it started.
    pub started_at: Timestamp,
    /// When it last reported that it is alive.
    pub seen_at: Timestamp,
}

impl Store {
    /// Records that a worker is alive. Not in the audit trail.
    pub async fn worker_seen(&self, worker: &Worker) -> Result<(), Error> {
        let mut tx = self.begin_in(Scope::Statement).await?;
        tx.execute(
            "insert into workers (id, host, pid, slots, graft, started_at, seen_at)
             values ($1, $2, $3, $4, $5, $6, $7) on conflict (id) do update set seen_at = excluded.seen_at",
            (
                &worker.id,
                row::text(&worker.host),
                worker.pid,
                worker.slots,
                &worker.graft,
                worker.started_at,
                worker.seen_at,
            ),
        )
        .await?;
        tx.commit().await
    }

    /// Deletes a worker, and all workers that did not report since a time.
    pub async fn worker_gone(&self, id: &str, since: Timestamp) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        tx.execute("delete from workers where id = $1 or seen_at < $2", (id, since)).await?;
        tx.commit().await
    }

    /// The workers that reported since a time, oldest first.
    pub async fn workers(&self, since: Timestamp) -> Result<Vec<Worker>, Error> {
        statement::all(
            &self.read,
            "select id, host, pid, slots, graft, started_at, seen_at from workers where seen_at >= $1
             order by started_at, id",
            since,
        )
        .await
    }
}

from_row!(Worker { id, host, pid, slots, graft, started_at, seen_at });
