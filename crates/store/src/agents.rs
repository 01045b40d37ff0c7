//! Agents: processes elsewhere that hold a task's active version. Which one each is told of is the caller's to decide.

use graft_core::{Digest, Timestamp};
use serde::Serialize;
use serde_json::json;
use sqlx::any::AnyExecutor;
use utoipa::ToSchema;

use crate::changes::{Actor, Entry, record};
use crate::database::Tx;
use crate::row::from_row;
use crate::versions::active;
use crate::{Action, Error, Kind, Store, Version, row, statement};

names! {
    /// How far an agent is with the active version.
    pub enum AgentState {
        /// It was not told yet, or is told again in a moment.
        Pending = "pending",
        /// It was told, and has not said yet what became of it.
        Syncing = "syncing",
        /// It holds the version.
        Synced = "synced",
        /// It could not take the version, or did not say so in time.
        Failed = "failed",
    }
}

/// A process that holds a version of a task and answers with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Agent {
    /// Name of the task.
    pub task: String,
    /// Unique within the task.
    pub name: String,
    /// New versions go to wave 1 first.
    pub wave: u32,
    /// The version of its program.
    pub graft: String,
    /// The newest form of bundles that it reads.
    pub format: u32,
    /// How far it is.
    pub state: AgentState,
    /// The version that it was told of last.
    pub version: Option<String>,
    /// Digest of that version's bundle.
    pub digest: Option<Digest>,
    /// What it needs to prove that it has the bundle.
    #[serde(skip)]
    pub nonce: Option<String>,
    /// How often it was told of this version.
    pub attempt: u32,
    /// Pending: when it is told at the earliest; syncing: until when it may take.
    #[serde(skip)]
    pub due_at: Timestamp,
    /// The version that it has proven to hold.
    pub held_version: Option<String>,
    /// Digest of that version's bundle.
    pub held: Option<Digest>,
    /// What went wrong last.
    pub problem: Option<String>,
    /// Whose token it showed first; no other speaks for it.
    pub created_by: String,
    /// When it first came.
    pub created_at: Timestamp,
    /// When it last said something.
    pub seen_at: Timestamp,
    /// When it last proved that it holds a new version.
    pub synced_at: Option<Timestamp>,
}

/// A change of a task's agents, while this version is active.
type Change<'a> = dyn FnMut(&mut Vec<Agent>, Option<&Version>) -> Result<(), Error> + Send + 'a;

const COLUMNS: &str = "select task, name, wave, graft, format, state, version, digest, nonce, attempt, due_at,
    held_version, held, problem, created_by, created_at, seen_at, synced_at from agents where task = $1 order by name";

impl Store {
    /// The agents of a task, by name.
    pub async fn agents(&self, task: &str) -> Result<Vec<Agent>, Error> {
        all(&self.read, task).await
    }

    /// Changes agents of a task, or adds some, while nobody else does; returns all of them. `change` is also given the
    /// version that is active meanwhile.
    ///
    /// # Errors
    /// [`Error::BadName`]; what `change` refuses, and then nothing has changed.
    pub async fn change_agents(
        &self,
        task: &str,
        by: &str,
        at: Timestamp,
        change: &mut Change<'_>,
    ) -> Result<Vec<Agent>, Error> {
        let mut tx = self.begin().await?;
        let before = all(&mut *tx, task).await?;
        let mut after = before.clone();
        change(&mut after, active(&mut *tx, task).await?.as_ref())?;
        for agent in &after {
            let known = before.iter().find(|known| known.name == agent.name);
            if known == Some(agent) {
                continue;
            }
            if known.is_none() {
                row::check_name("agent", &agent.name)?;
                let entry = Entry { action: Action::Add, kind: Kind::Agent, task, subject: &agent.name };
                record(&mut tx, entry, Actor { by, at }, None, Some(&json!({"wave": agent.wave}))).await?;
            }
            put(&mut tx, agent).await?;
        }
        tx.commit().await?;
        Ok(after)
    }

    /// Forgets an agent and returns it; one that still runs comes back.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn remove_agent(&self, task: &str, name: &str, by: &str, at: Timestamp) -> Result<Agent, Error> {
        let mut tx = self.begin().await?;
        let found = all(&mut *tx, task).await?.into_iter().find(|agent| agent.name == name);
        let gone = found.ok_or_else(|| Error::NotFound { what: "agent", name: name.to_owned() })?;
        tx.execute("delete from agents where task = $1 and name = $2", (task, name)).await?;
        let entry = Entry { action: Action::Delete, kind: Kind::Agent, task, subject: name };
        record(&mut tx, entry, Actor { by, at }, Some(&json!({"wave": gone.wave})), None).await?;
        tx.commit().await?;
        Ok(gone)
    }
}

async fn all(on: impl AnyExecutor<'_>, task: &str) -> Result<Vec<Agent>, Error> {
    let mut agents: Vec<Agent> = statement::all(on, COLUMNS, task).await?;
    // Collations differ.
    agents.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(agents)
}

async fn put(tx: &mut Tx<'_>, agent: &Agent) -> Result<(), Error> {
    tx.execute(
        "insert into agents (task, name, wave, graft, format, state, version, digest, nonce, attempt, due_at,
                             held_version, held, problem, created_by, created_at, seen_at, synced_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
         on conflict (task, name) do update set wave = excluded.wave, graft = excluded.graft,
             format = excluded.format, state = excluded.state, version = excluded.version, digest = excluded.digest,
             nonce = excluded.nonce, attempt = excluded.attempt, due_at = excluded.due_at,
             held_version = excluded.held_version, held = excluded.held, problem = excluded.problem,
             seen_at = excluded.seen_at, synced_at = excluded.synced_at",
        (
            &agent.task,
            &agent.name,
            agent.wave,
            row::text(&agent.graft),
            agent.format,
            agent.state,
            agent.version.as_deref(),
            agent.digest.as_ref(),
            agent.nonce.as_deref(),
            agent.attempt,
            agent.due_at,
            agent.held_version.as_deref(),
            agent.held.as_ref(),
            agent.problem.as_deref().map(row::text),
            row::text(&agent.created_by),
            agent.created_at,
            agent.seen_at,
            agent.synced_at,
        ),
    )
    .await?;
    Ok(())
}

from_row!(Agent {
    task,
    name,
    wave,
    graft,
    format,
    state,
    version,
    digest,
    nonce,
    attempt,
    due_at,
    held_version,
    held,
    problem,
    created_by,
    created_at,
    seen_at,
    synced_at,
});
