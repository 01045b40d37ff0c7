use graft_core::{Digest, Timestamp};
use serde::Serialize;
use serde_json::json;
use sqlx::any::AnyExecutor;

use crate::changes::{Actor, Entry, record};
use crate::database::Tx;
use crate::row::from_row;
use crate::versions::{active, all, get};
use crate::{Action, Error, Kind, Store, Version, row, statement};

/// One entry of a task's history of active versions.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Activation {
    /// Position in the history of all tasks, from 1.
    pub seq: i64,
    /// The version that became active.
    pub version: String,
    /// Digest of its adapter. It distinguishes this version from a later one of the same name.
    pub adapter_digest: Digest,
    /// The version that was active before.
    pub previous: Option<String>,
    /// [`Action::Activate`] or [`Action::Rollback`].
    pub action: Action,
    /// Who did it.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

impl Store {
    /// Makes a version active if `expected` is still the active one, and archives `expected`. Repeating the call
    /// changes nothing.
    ///
    /// # Errors
    /// [`Error::ActiveChanged`] if another version than `expected` is active; [`Error::NoVersion`].
    pub async fn set_active(
        &self,
        task: &str,
        name: &str,
        expected: Option<&str>,
        by: &str,
        at: Timestamp,
    ) -> Result<Version, Error> {
        let mut tx = self.begin().await?;
        expect_active(&mut tx, task, expected).await?;
        if expected != Some(name) {
            let next = get(&mut *tx, task, name).await?;
            switch(&mut tx, expected, &next, Action::Activate, Actor { by, at }).await?;
        }
        let version = get(&mut *tx, task, name).await?;
        tx.commit().await?;
        Ok(version)
    }

    /// Makes the version active again that was active before `expected`. Calling it twice goes back two versions.
    ///
    /// # Errors
    /// [`Error::ActiveChanged`]; [`Error::NothingBefore`] if no earlier version was active, or all of them are deleted.
    pub async fn rollback(
        &self,
        task: &str,
        expected: Option<&str>,
        by: &str,
        at: Timestamp,
    ) -> Result<Version, Error> {
        let mut tx = self.begin().await?;
        expect_active(&mut tx, task, expected).await?;
        let before = version_before(&history(&mut *tx, task).await?, all(&mut *tx, Some(task)).await?, expected);
        let before = before.ok_or_else(|| Error::NothingBefore { task: task.to_owned() })?;
        switch(&mut tx, expected, &before, Action::Rollback, Actor { by, at }).await?;
        let version = get(&mut *tx, task, &before.name).await?;
        tx.commit().await?;
        Ok(version)
    }

    /// The version that [`rollback`](Self::rollback) would make active.
    ///
    /// # Errors
    /// [`Error::NothingBefore`].
    pub async fn version_before(&self, task: &str, active: Option<&str>) -> Result<Version, Error> {
        let before = version_before(&history(&self.read, task).await?, all(&self.read, Some(task)).await?, active);
        before.ok_or_else(|| Error::NothingBefore { task: task.to_owned() })
    }

    /// The history of a task's active versions, oldest first.
    pub async fn activations(&self, task: &str) -> Result<Vec<Activation>, Error> {
        history(&self.read, task).await
    }
}

async fn history(on: impl AnyExecutor<'_>, task: &str) -> Result<Vec<Activation>, Error> {
    statement::all(
        on,
        "select seq, version, adapter_digest, previous, action, created_by, created_at
         from activations where task = $1 order by seq",
        task,
    )
    .await
}

async fn expect_active(tx: &mut Tx<'_>, task: &str, expected: Option<&str>) -> Result<(), Error> {
    let found = active(&mut **tx, task).await?.map(|version| version.name);
    if found.as_deref() == expected {
        return Ok(());
    }
    Err(Error::ActiveChanged { task: task.to_owned(), expected: expected.map(str::to_owned), found })
}

/// Archives the active version and makes the next one active.
async fn switch(
    tx: &mut Tx<'_>,
    from: Option<&str>,
    next: &Version,
    action: Action,
    actor: Actor<'_>,
) -> Result<(), Error> {
    let task = next.task.as_str();
    tx.execute("update versions set stage = 'archived' where task = $1 and stage = 'active'", task).await?;
    tx.execute("update versions set stage = 'active' where task = $1 and name = $2", (task, &next.name)).await?;
    tx.execute(
        "insert into activations (seq, task, version, adapter_digest, previous, action, created_by, created_at)
         select coalesce(max(seq), 0) + 1, $1, $2, $3, $4, $5, $6, $7 from activations",
        (task, &next.name, next.adapter_digest.as_str(), from, action, row::text(actor.by), actor.at),
    )
    .await?;
    let entry = Entry { action, kind: Kind::Version, task, subject: &next.name };
    let (before, after) = (json!({"active": from}), json!({"active": next.name}));
    record(tx, entry, actor, Some(&before), Some(&after)).await
}

/// The version to roll back to. The activations form a stack: a rollback removes everything above the version it
/// returns to.
fn version_before(history: &[Activation], mut versions: Vec<Version>, active: Option<&str>) -> Option<Version> {
    let mut stack: Vec<(&str, &Digest)> = Vec::new();
    for line in history {
        let entry = (line.version.as_str(), &line.adapter_digest);
        if line.action == Action::Rollback {
            let place = stack.iter().rposition(|below| *below == entry);
            stack.truncate(place.unwrap_or(stack.len()));
        }
        stack.push(entry);
    }
    let known = |(name, digest): &(&str, &Digest)| {
        versions.iter().position(|version| version.name == *name && version.adapter_digest == **digest)
    };
    let found = stack.iter().rev().filter(|(name, _)| Some(*name) != active).find_map(known);
    found.map(|place| versions.swap_remove(place))
}

from_row!(Activation { seq, version, adapter_digest, previous, action, by = "created_by", at = "created_at" });
