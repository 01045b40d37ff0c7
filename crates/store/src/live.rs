use std::collections::BTreeSet;

use graft_core::{Digest, ExampleId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::any::AnyExecutor;
use utoipa::ToSchema;

use crate::changes::{Actor, Entry, record};
use crate::database::Tx;
use crate::row::from_row;
use crate::{Action, Error, Kind, Store, row, statement};

names! {
    /// State of a live adapter.
    pub enum LiveState {
        /// It learns from each window.
        Running = "running",
        /// Windows are stored but not learned from.
        Paused = "paused",
    }
}

names! {
    /// The outcome of a snapshot.
    pub enum SnapshotState {
        /// Its windows are chosen, and its training is queued or running.
        Training = "training",
        /// The next snapshot starts from it.
        Accepted = "accepted",
        /// It forgot too much or scored worse. The next snapshot starts from its parent again, and its examples are left out
        /// until somebody decides about them again.
        Refused = "refused",
        /// Its training failed.
        Failed = "failed",
        /// A person went back to an earlier snapshot.
        Rewound = "rewound",
    }
}

/// Settings of a live adapter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LiveSettings {
    /// Number of windows per snapshot.
    #[schema(minimum = 1)]
    pub windows: u64,
    /// Minutes after which a snapshot is trained with fewer windows.
    #[schema(minimum = 1)]
    pub minutes: u64,
    /// Learning rate.
    #[schema(exclusive_minimum = 0.0, maximum = 100.0)]
    pub learning_rate: f64,
    /// Older examples to train on again for each window.
    pub replay: usize,
    /// Examples per step, including older ones.
    #[schema(minimum = 1)]
    pub batch: usize,
    /// Share of the examples that is held out, as for every training of the task.
    #[schema(minimum = 0.0, exclusive_maximum = 1.0)]
    pub eval_share: f64,
    /// Accepted loss of accuracy (0 to 1) on the frozen examples.
    #[schema(minimum = 0.0, maximum = 1.0)]
    pub forgetting: f64,
    /// Start a roll-out of each accepted snapshot, unless one of the task is running.
    pub rollout: bool,
    /// Number of snapshots to keep besides those in use.
    #[schema(minimum = 1)]
    pub keep: u64,
    /// Days to keep snapshots.
    #[schema(minimum = 1)]
    pub keep_days: u64,
}

impl Default for LiveSettings {
    fn default() -> Self {
        Self {
            windows: 1000,
            minutes: 60,
            learning_rate: 2.5e-4,
            replay: 1,
            batch: 8,
            eval_share: 0.2,
            forgetting: 0.02,
            rollout: true,
            keep: 20,
            keep_days: 30,
        }
    }
}

/// A live adapter: it learns continuously.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct LiveAdapter {
    /// Its task.
    pub task: String,
    /// Its state.
    pub state: LiveState,
    /// Its settings.
    pub settings: LiveSettings,
    /// The version that the next snapshot starts from.
    pub head: String,
    /// The dataset whose held-out examples measure forgetting.
    pub frozen: Digest,
    /// `seq` of the last audit trail entry that was read.
    pub cursor: i64,
    /// Why it was paused automatically.
    pub note: Option<String>,
    /// Who started it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

/// One approval or edit, as input of a live adapter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveWindow {
    /// The example.
    pub example: String,
    /// Its revision.
    pub revision: u32,
    /// When the person reviewed the example.
    pub started_at: Timestamp,
    /// When Graft read it from the audit trail.
    pub arrived_at: Timestamp,
}

/// A window whose place in the order is decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Released {
    /// The example.
    pub example: String,
    /// Its revision.
    pub revision: u32,
    /// Whether it arrived long after windows that started later.
    pub late: bool,
}

/// Counts of a live adapter's windows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct WindowCounts {
    /// All windows.
    pub all: u64,
    /// Windows without a place yet.
    pub buffered: u64,
    /// Windows that wait for the next snapshot.
    pub waiting: u64,
    /// Windows that arrived late.
    pub late: u64,
    /// When the oldest waiting window arrived.
    pub oldest: Option<Timestamp>,
    /// The last place assigned.
    #[serde(skip)]
    pub last_place: i64,
    /// When the newest window with a place started.
    #[serde(skip)]
    pub newest: Option<Timestamp>,
}

/// A snapshot of a live adapter.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct LiveSnapshot {
    /// Its task.
    pub task: String,
    /// Number within the task, from 1.
    pub seq: i64,
    /// Place of its first window.
    pub first: i64,
    /// Place of its last window.
    pub last: i64,
    /// The version it started from.
    pub parent: String,
    /// Its state.
    pub state: SnapshotState,
    /// The run that trains it.
    pub run: Option<String>,
    /// The examples that it learns; absent until its run is queued, and for snapshots of earlier versions of Graft.
    pub learned: Option<SnapshotExamples>,
    /// Its version, once trained.
    pub version: Option<String>,
    /// Its parent's accuracy on the frozen examples, from 0 to 1.
    pub before: Option<f64>,
    /// Its accuracy on the frozen examples, from 0 to 1.
    pub after: Option<f64>,
    /// Size of its files in bytes.
    pub bytes: Option<u64>,
    /// Why it was not accepted.
    pub why: Option<String>,
    /// When its windows were chosen.
    pub created_at: Timestamp,
}

/// The examples that a snapshot learns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SnapshotExamples {
    /// New and changed ones.
    pub new: u64,
    /// Older ones that are learned again.
    pub replayed: u64,
    /// How many of the older ones people corrected.
    pub corrected: u64,
}

macro_rules! select_live {
    ($tail:literal) => {
        concat!(
            "select task, state, settings, head, frozen, cursor, note, created_by, created_at, updated_at
             from live_adapters ",
            $tail
        )
    };
}

macro_rules! select_snapshots {
    ($tail:literal) => {
        concat!(
            "select task, seq, first_place, last_place, parent, state, run, learned, version, before_score, after_score,
                    bytes, why, created_at
             from live_snapshots ",
            $tail
        )
    };
}

impl Store {
    /// Starts a live adapter from a version, or changes settings and head of the existing one. It learns from approvals
    /// from now on.
    ///
    /// # Errors
    /// [`Error::NoVersion`].
    pub async fn start_live(
        &self,
        (task, head): (&str, &str),
        frozen: &Digest,
        settings: &LiveSettings,
        by: &str,
        at: Timestamp,
    ) -> Result<LiveAdapter, Error> {
        let mut tx = self.begin().await?;
        crate::versions::get(&mut *tx, task, head).await?;
        let before = find(&mut *tx, task).await?;
        let newest: i64 = sqlx::query_scalar("select coalesce(max(seq), 0) from changes").fetch_one(&mut *tx).await?;
        tx.execute(
            "insert into live_adapters (task, state, settings, head, frozen, cursor, created_by, created_at,
             updated_at)
             values ($1, 'running', $2, $3, $4, $5, $6, $7, $7)
             on conflict (task) do update set state = 'running', settings = excluded.settings, head = excluded.head,
                 frozen = excluded.frozen, note = null, updated_at = excluded.updated_at",
            (task, json!(settings).to_string(), head, frozen.as_str(), newest, row::text(by), at),
        )
        .await?;
        if before.as_ref().is_some_and(|live| live.head != head) {
            drop_training(&mut tx, task).await?;
        }
        let old = before.map(|live| json!({"live": live.state, "head": live.head}));
        let new = json!({"live": LiveState::Running, "head": head, "settings": settings});
        note(&mut tx, task, head, Actor { by, at }, old, new).await?;
        let live = one(&mut *tx, task).await?;
        tx.commit().await?;
        Ok(live)
    }

    /// The live adapter of a task.
    pub async fn live(&self, task: &str) -> Result<Option<LiveAdapter>, Error> {
        find(&self.read, task).await
    }

    /// Every live adapter.
    pub async fn live_adapters(&self) -> Result<Vec<LiveAdapter>, Error> {
        statement::all(&self.read, select_live!("order by task"), ()).await
    }

    /// Pauses or resumes a live adapter. `note` says why Graft paused it.
    ///
    /// # Errors
    /// [`Error::NoLive`].
    pub async fn set_live(
        &self,
        task: &str,
        state: LiveState,
        why: Option<&str>,
        by: &str,
        at: Timestamp,
    ) -> Result<LiveAdapter, Error> {
        let mut tx = self.begin().await?;
        let before = one(&mut *tx, task).await?;
        tx.execute(
            "update live_adapters set state = $2, note = $3, updated_at = $4 where task = $1",
            (task, state, why.map(row::text), at),
        )
        .await?;
        let (old, new) = (json!({"live": before.state}), json!({"live": state, "why": why}));
        note(&mut tx, task, &before.head, Actor { by, at }, Some(old), new).await?;
        let live = one(&mut *tx, task).await?;
        tx.commit().await?;
        Ok(live)
    }

    /// Makes the next snapshot start from another version. Later snapshots, including one in training, become
    /// `rewound`, and their versions are archived.
    ///
    /// # Errors
    /// [`Error::NoLive`]; [`Error::NoVersion`].
    pub async fn rewind_live(&self, task: &str, to: &str, by: &str, at: Timestamp) -> Result<LiveAdapter, Error> {
        let mut tx = self.begin().await?;
        let before = one(&mut *tx, task).await?;
        crate::versions::get(&mut *tx, task, to).await?;
        let own =
            sqlx::query("select coalesce(max(seq), 0) as seq from live_snapshots where task = $1 and version = $2");
        let own = row::get::<i64>(&own.bind(task).bind(to).fetch_one(&mut *tx).await?, "seq")?;
        tx.execute(
            "update versions set stage = 'archived' where task = $1 and stage <> 'active' and name in
             (select version from live_snapshots where task = $1 and seq > $2 and state = 'accepted')",
            (task, own),
        )
        .await?;
        tx.execute(
            "update live_snapshots set state = 'rewound' where task = $1 and seq > $2 and state = 'accepted'",
            (task, own),
        )
        .await?;
        drop_training(&mut tx, task).await?;
        tx.execute("update live_adapters set head = $2, updated_at = $3 where task = $1", (task, to, at)).await?;
        let (old, new) = (json!({"head": before.head}), json!({"head": to}));
        note(&mut tx, task, to, Actor { by, at }, Some(old), new).await?;
        let live = one(&mut *tx, task).await?;
        tx.commit().await?;
        Ok(live)
    }

    /// Adds a window for each approval and edit among the next `limit` of the audit trail after the cursor; returns their
    /// number, and whether there may be more. Windows and cursor change in one transaction, so a crash neither loses nor
    /// repeats one.
    ///
    /// # Errors
    /// [`Error::NoLive`].
    pub async fn take_windows(&self, task: &str, limit: u32, at: Timestamp) -> Result<(u64, bool), Error> {
        let mut tx = self.begin().await?;
        let live = one(&mut *tx, task).await?;
        let rows = sqlx::query(
            "select c.seq, c.subject, c.made_at, e.revision from changes c
             join examples e on e.task = c.task and e.id = c.subject
             where c.seq > $2 and c.kind = 'example' and c.task = $1 and c.action in ('approve', 'edit')
               and e.review = 'approved' and e.touched = 1
             order by c.seq limit $3",
        )
        .bind(task)
        .bind(live.cursor)
        .bind(i64::from(limit))
        .fetch_all(&mut *tx)
        .await?;
        let mut taken = 0;
        for row in &rows {
            let added = tx
                .execute(
                    "insert into live_windows (task, example, revision, started_at, arrived_at, late)
                     values ($1, $2, $3, $4, $5, 0) on conflict do nothing",
                    (
                        task,
                        row::get::<String>(row, "subject")?,
                        row::get::<i64>(row, "revision")?,
                        row::get::<i64>(row, "made_at")?,
                        at,
                    ),
                )
                .await?;
            taken += added;
        }
        let full = rows.len() == limit as usize;
        let cursor = match rows.last() {
            Some(last) if full => row::get::<i64>(last, "seq")?,
            // The trail has no more entries of this kind: move the cursor to its end.
            _ => row::get(
                &sqlx::query("select coalesce(max(seq), 0) as seq from changes").fetch_one(&mut *tx).await?,
                "seq",
            )?,
        };
        if cursor != live.cursor {
            tx.execute("update live_adapters set cursor = $2 where task = $1", (task, cursor)).await?;
        }
        tx.commit().await?;
        Ok((taken, full))
    }

    /// Examples that a snapshot whose last window is `last` must not train on: the newest window of each belongs to a later
    /// snapshot, or to one that was refused or rewound.
    pub async fn withheld_examples(&self, task: &str, last: i64) -> Result<BTreeSet<ExampleId>, Error> {
        let found = statement::values(
            &self.read,
            "select example from live_windows w where task = $1
               and not exists (select 1 from live_windows n
                               where n.task = w.task and n.example = w.example and n.revision > w.revision)
               and (place is null or place > $2
                    or exists (select 1 from live_snapshots s
                               where s.task = w.task and s.state in ('refused', 'rewound')
                                 and w.place between s.first_place and s.last_place))",
            (task, last),
        )
        .await?;
        Ok(found.into_iter().collect())
    }

    /// Windows without a place yet.
    pub async fn buffered_windows(&self, task: &str) -> Result<Vec<LiveWindow>, Error> {
        statement::all(
            &self.read,
            "select example, revision, started_at, arrived_at from live_windows
             where task = $1 and place is null order by started_at, example, revision",
            task,
        )
        .await
    }

    /// Assigns places to windows, in the given order. Windows that have a place keep it.
    pub async fn release_windows(&self, task: &str, windows: &[Released]) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        let last = sqlx::query("select coalesce(max(place), 0) as place from live_windows where task = $1").bind(task);
        let mut next = row::get::<i64>(&last.fetch_one(&mut *tx).await?, "place")? + 1;
        for window in windows {
            let done = tx
                .execute(
                    "update live_windows set place = $4, late = $5
                     where task = $1 and example = $2 and revision = $3 and place is null",
                    (task, &window.example, window.revision, next, window.late),
                )
                .await?;
            next += i64::try_from(done).unwrap_or(1);
        }
        tx.commit().await
    }

    /// Counts of a task's windows.
    pub async fn window_counts(&self, task: &str) -> Result<WindowCounts, Error> {
        statement::one(
            &self.read,
            "with used as (select coalesce(max(last_place), 0) as place from live_snapshots where task = $1)
             select count(*) as n, cast(coalesce(sum(late), 0) as bigint) as late,
                    coalesce(max(place), 0) as last_place,
                    cast(coalesce(sum(case when place is null then 1 else 0 end), 0) as bigint) as buffered,
                    cast(coalesce(sum(case when place > (select place from used) then 1 else 0 end), 0) as bigint)
                        as waiting,
                    min(case when place > (select place from used) then arrived_at end) as oldest,
                    max(case when place is not null then started_at end) as newest
             from live_windows where task = $1",
            task,
        )
        .await
    }

    /// Creates the next snapshot with up to `most` of the first windows that belong to no snapshot. If one is in
    /// training already, returns that.
    ///
    /// # Errors
    /// [`Error::NoLive`].
    pub async fn plan_snapshot(&self, task: &str, most: u64, at: Timestamp) -> Result<Option<LiveSnapshot>, Error> {
        let mut tx = self.begin().await?;
        let live = one(&mut *tx, task).await?;
        let training =
            statement::optional(&mut *tx, select_snapshots!("where task = $1 and state = 'training'"), task).await?;
        if training.is_some() {
            return Ok(training);
        }
        let (seq, used, last): (i64, i64, i64) = statement::one(
            &mut *tx,
            "select coalesce(max(seq), 0) as seq, coalesce(max(last_place), 0) as last_place,
                    (select coalesce(max(place), 0) from live_windows where task = $1) as place
             from live_snapshots where task = $1",
            task,
        )
        .await?;
        let last = last.min(used + row::big(most));
        if last <= used {
            return Ok(None);
        }
        tx.execute(
            "insert into live_snapshots (task, seq, first_place, last_place, parent, state, created_at)
             values ($1, $2, $3, $4, $5, 'training', $6)",
            (task, seq + 1, used + 1, last, &live.head, at),
        )
        .await?;
        let planned = sqlx::query_as(select_snapshots!("where task = $1 and seq = $2")).bind(task).bind(seq + 1);
        let planned = planned.fetch_one(&mut *tx).await?;
        tx.commit().await?;
        Ok(Some(planned))
    }

    /// Records the run that trains a snapshot, and what it learns.
    pub async fn snapshot_run(
        &self,
        snapshot: &LiveSnapshot,
        run: &str,
        learned: SnapshotExamples,
    ) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        tx.execute(
            "update live_snapshots set run = $3, learned = $4 where task = $1 and seq = $2",
            (&snapshot.task, snapshot.seq, run, json!(learned).to_string()),
        )
        .await?;
        tx.commit().await
    }

    /// Records the result of a snapshot in training; later calls change nothing. An accepted snapshot becomes the new
    /// head; the version of another one is archived.
    ///
    /// # Errors
    /// [`Error::NoLive`].
    pub async fn end_snapshot(&self, ended: &LiveSnapshot, by: &str, at: Timestamp) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        let task = ended.task.as_str();
        let before = one(&mut *tx, task).await?;
        let done = tx
            .execute(
                "update live_snapshots set state = $3, version = $4, before_score = $5, after_score = $6, bytes
                 = $7, why = $8
                 where task = $1 and seq = $2 and state = 'training'",
                (
                    task,
                    ended.seq,
                    ended.state,
                    ended.version.as_deref(),
                    ended.before,
                    ended.after,
                    ended.bytes,
                    ended.why.as_deref().map(row::text),
                ),
            )
            .await?;
        if done == 0 {
            return Ok(());
        }
        if let Some(version) = &ended.version {
            if ended.state == SnapshotState::Accepted {
                tx.execute("update live_adapters set head = $2, updated_at = $3 where task = $1", (task, version, at))
                    .await?;
            } else {
                tx.execute(
                    "update versions set stage = 'archived' where task = $1 and name = $2 and stage = 'shadow'",
                    (task, version),
                )
                .await?;
            }
            let new = json!({"snapshot": ended.seq, "state": ended.state, "before": ended.before, "after": ended.after,
                "why": ended.why});
            note(&mut tx, task, version, Actor { by, at }, Some(json!({"head": before.head})), new).await?;
        }
        tx.commit().await
    }

    /// The newest snapshots of a task.
    pub async fn snapshots(&self, task: &str, limit: u32) -> Result<Vec<LiveSnapshot>, Error> {
        statement::all(&self.read, select_snapshots!("where task = $1 order by seq desc limit $2"), (task, limit)).await
    }
}

/// Ends snapshots in training as `rewound`: they started from an old head, so they must not become the new one.
async fn drop_training(tx: &mut Tx<'_>, task: &str) -> Result<(), Error> {
    tx.execute("update live_snapshots set state = 'rewound' where task = $1 and state = 'training'", task).await?;
    Ok(())
}

async fn note(
    tx: &mut Tx<'_>,
    task: &str,
    version: &str,
    actor: Actor<'_>,
    old: Option<serde_json::Value>,
    new: serde_json::Value,
) -> Result<(), Error> {
    let entry = Entry { action: Action::Set, kind: Kind::Version, task, subject: version };
    record(tx, entry, actor, old.as_ref(), Some(&new)).await
}

async fn find(on: impl AnyExecutor<'_>, task: &str) -> Result<Option<LiveAdapter>, Error> {
    statement::optional(on, select_live!("where task = $1"), task).await
}

async fn one(on: impl AnyExecutor<'_>, task: &str) -> Result<LiveAdapter, Error> {
    find(on, task).await?.ok_or_else(|| Error::NoLive(task.to_owned()))
}

from_row!(LiveAdapter { task, state, settings, head, frozen, cursor, note, created_by, created_at, updated_at });

from_row!(WindowCounts { all = "n", buffered, waiting, late, oldest, last_place, newest });
from_row!(LiveWindow { example, revision, started_at, arrived_at });

from_row!(LiveSnapshot {
    task, seq, first = "first_place", last = "last_place", parent, state, run, learned, version, before = "before_score",
    after = "after_score", bytes, why, created_at,
});
