//! Counts of served requests, which servers add up in memory and store from time to time. They are not in the audit trail.
//!
//! Each process stores its own totals, so it replaces them without reading, several servers don't wait for each other, and
//! storing the same totals again changes nothing.

use serde_json::json;

use crate::row::from_row;
use crate::scope::Scope;
use crate::{Error, Store, statement};

/// Inputs of a task in an hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServedInputs {
    /// Hours since the Unix epoch.
    pub hour: i64,
    /// How many inputs were counted.
    pub inputs: u64,
    /// How many of them belong to each group.
    pub counts: Vec<u64>,
}

/// Adds counts of the same groups.
fn add(sum: &mut Vec<u64>, counts: &[u64]) {
    sum.resize(sum.len().max(counts.len()), 0);
    sum.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
}

impl Store {
    /// Replaces what a process counted of a task's inputs in an hour.
    ///
    /// # Errors
    /// When the database can't be written.
    pub async fn set_served_inputs(&self, task: &str, process: &str, served: &ServedInputs) -> Result<(), Error> {
        let mut tx = self.begin_in(Scope::Statement).await?;
        tx.execute(
            "insert into served_inputs (task, hour, process, inputs, counts) values ($1, $2, $3, $4, $5)
             on conflict (task, hour, process) do update set inputs = excluded.inputs, counts = excluded.counts",
            (task, served.hour, process, served.inputs, &json!(served.counts)),
        )
        .await?;
        tx.commit().await
    }

    /// What all processes together counted of a task's inputs since an hour, newest hour first.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn served_inputs(&self, task: &str, since: i64) -> Result<Vec<ServedInputs>, Error> {
        let rows: Vec<ServedInputs> = statement::all(
            &self.read,
            "select hour, inputs, counts from served_inputs where task = $1 and hour >= $2 order by hour desc, process",
            (task, since),
        )
        .await?;
        let mut hours: Vec<ServedInputs> = Vec::new();
        for row in rows {
            match hours.last_mut().filter(|last| last.hour == row.hour) {
                Some(same) => {
                    same.inputs += row.inputs;
                    add(&mut same.counts, &row.counts);
                }
                None => hours.push(row),
            }
        }
        Ok(hours)
    }

    /// Deletes the counts of all tasks before an hour.
    ///
    /// # Errors
    /// When the database can't be written.
    pub async fn forget_served_inputs(&self, before: i64) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        tx.execute("delete from served_inputs where hour < $1", before).await?;
        tx.commit().await
    }

    /// Replaces a process's histogram of how long a version took to answer in a roll-out.
    ///
    /// # Errors
    /// When the database can't be written.
    pub async fn set_rollout_times(&self, id: i64, version: &str, process: &str, counts: &[u64]) -> Result<(), Error> {
        let mut tx = self.begin_in(Scope::Statement).await?;
        tx.execute(
            "insert into rollout_times (rollout, version, process, counts) values ($1, $2, $3, $4)
             on conflict (rollout, version, process) do update set counts = excluded.counts",
            (id, version, process, &json!(counts)),
        )
        .await?;
        tx.commit().await
    }

    /// The histogram of how long a version took to answer in a roll-out, of all processes together. Empty if it answered no
    /// request.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn rollout_times(&self, id: i64, version: &str) -> Result<Vec<u64>, Error> {
        let rows: Vec<(String,)> = statement::all(
            &self.read,
            "select counts from rollout_times where rollout = $1 and version = $2",
            (id, version),
        )
        .await?;
        let mut sum = Vec::new();
        for (counts,) in &rows {
            let counts: Vec<u64> = serde_json::from_str(counts).map_err(|cause| Error::Damaged(Box::new(cause)))?;
            add(&mut sum, &counts);
        }
        Ok(sum)
    }
}

from_row!(ServedInputs { hour, inputs, counts });
