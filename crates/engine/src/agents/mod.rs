//! Agents: processes elsewhere that hold the active version of a task and answer with it, also while no server can be
//! reached. The server's side decides who is told of which version; the agent's side takes bundles.

mod hold;
mod plan;

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use graft_core::{
    Digest,
    agents::{Hello, Notice, Report, proof},
};
use graft_store::{Agent, AgentState, Error as StoreError};
use serde::Serialize;
use utoipa::ToSchema;

pub use plan::{Wanted, Wave};

use crate::{Engine, Result, now, versions::Bundle};

/// The highest number of a wave.
const LAST_WAVE: u32 = 100;
/// Characters of a problem that are kept.
const LONGEST: usize = 1000;

/// The agents of all tasks.
#[derive(Clone, Copy, Debug)]
pub struct Agents<'e> {
    pub(crate) engine: &'e Engine,
}

/// The bundle of each task's active version, by a digest of what it is made of.
#[derive(Debug, Default)]
pub(crate) struct Bundles(Mutex<HashMap<String, (Digest, Bundle)>>);

/// The agents of a task and how far they are.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AgentsReport {
    /// What all of them are to hold; absent while no version is active.
    #[schema(required = true)]
    pub wanted: Option<Wanted>,
    /// The waves in their order.
    pub waves: Vec<Wave>,
    /// The agents, by name.
    pub agents: Vec<AgentView>,
    /// What is going on, in a sentence.
    pub next: String,
}

/// An agent as it is shown.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AgentView {
    /// The agent.
    #[serde(flatten)]
    pub agent: Agent,
    /// Whether it said nothing for two minutes.
    pub away: bool,
    /// Whether its program has another version than this server's.
    pub other_graft: bool,
}

impl Agents<'_> {
    /// The agents of a task.
    ///
    /// # Errors
    /// There is no such task; what the store says.
    pub async fn of_task(self, task: &str) -> Result<AgentsReport> {
        self.engine.tasks().get(task).await?;
        let (wanted, agents) = self.look(task).await?;
        let at = now();
        let waves = plan::waves(&agents, at);
        let next = next(wanted.as_ref(), &waves);
        let view = |agent: Agent| AgentView {
            away: plan::is_away(&agent, at),
            other_graft: agent.graft != env!("CARGO_PKG_VERSION"),
            agent,
        };
        Ok(AgentsReport { wanted, waves, agents: agents.into_iter().map(view).collect(), next })
    }

    /// Takes the agents of a task one step on: who has to be told is, and who says nothing for too long has failed. Safe to
    /// call at any time, by anybody.
    ///
    /// # Errors
    /// What the store says.
    pub async fn look(self, task: &str) -> Result<(Option<Wanted>, Vec<Agent>)> {
        let wanted = self.wanted(task).await?;
        let found = self.engine.store.agents(task).await?;
        let mut planned = found.clone();
        plan::step(&mut planned, wanted.as_ref(), now(), &mut String::new);
        // The write lock is taken only where something changes.
        let agents = if planned == found { found } else { self.change(task, wanted.as_ref(), |_| Ok(())).await? };
        Ok((wanted, agents))
    }

    /// Notes that an agent is there; a new one is added. One that failed is told again of the active version.
    ///
    /// # Errors
    /// There is no such task; the name belongs to another token's agent; a wave out of range.
    pub async fn hello(self, task: &str, name: &str, hello: &Hello) -> Result<Agent> {
        self.engine.tasks().get(task).await?;
        if !(1..=LAST_WAVE).contains(&hello.wave) {
            return Err(refused(name, format!("its wave is {}, not from 1 to {LAST_WAVE}", hello.wave)).into());
        }
        let wanted = self.wanted(task).await?;
        let (at, by) = (now(), &self.engine.by);
        let agents = self.change(task, wanted.as_ref(), |agents| {
            let place = match agents.iter().position(|agent| agent.name == name) {
                Some(place) => place,
                None => {
                    agents.push(new(task, name, by));
                    agents.len() - 1
                }
            };
            let agent = &mut agents[place];
            check_token(agent, by)?;
            (agent.wave, agent.format, agent.seen_at) = (hello.wave, hello.format, at);
            agent.graft = hello.graft.chars().take(100).collect();
            // What it claims to hold is believed once it is proven.
            if agent.held != hello.holds {
                (agent.held, agent.held_version) = (None, None);
            }
            if agent.state == AgentState::Failed {
                plan::begin(agent, at);
            }
            Ok(())
        });
        find(agents.await?, name)
    }

    /// Notes what an agent says of the version that it was told of. Only a proof that it has the bundle is believed.
    ///
    /// # Errors
    /// There is no such agent, or it belongs to another token.
    pub async fn report(self, task: &str, name: &str, report: &Report) -> Result<Agent> {
        let wanted = self.wanted(task).await?;
        let bundle = self.bundle(task, &report.digest).await?;
        let (at, by) = (now(), &self.engine.by);
        let agents = self.change(task, wanted.as_ref(), |agents| {
            let unknown = || StoreError::NotFound { what: "agent", name: name.to_owned() };
            let agent = agents.iter_mut().find(|agent| agent.name == name).ok_or_else(unknown)?;
            check_token(agent, by)?;
            agent.seen_at = at;
            // It was told again, or of another version, and answers the notice before.
            if agent.nonce.as_deref() != Some(report.nonce.as_str()) {
                return Ok(());
            }
            let proven = bundle.as_ref().map(|bundle| proof(&report.nonce, &bundle.bytes));
            match (&report.problem, &report.proof) {
                _ if agent.digest.as_ref() != Some(&report.digest) => {
                    let told = agent.digest.as_ref().map_or("none", Digest::short);
                    plan::fail(agent, format!("it took {} where it was told of {told}", report.digest.short()), at);
                }
                (Some(problem), _) => plan::fail(agent, problem.chars().take(LONGEST).collect(), at),
                (None, Some(said)) if Some(said) == proven.as_ref() => {
                    (agent.held, agent.held_version) = (agent.digest.clone(), agent.version.clone());
                    agent.synced_at = Some(at);
                }
                (None, _) => plan::fail(agent, "it could not prove that it has the version".to_owned(), at),
            }
            Ok(())
        });
        find(agents.await?, name)
    }

    /// What an agent was told last, while it has not said what became of it.
    #[must_use]
    pub fn notice(agent: &Agent) -> Option<Notice> {
        let Agent {
            state: AgentState::Syncing, version: Some(version), digest: Some(digest), nonce: Some(nonce), ..
        } = agent
        else {
            return None;
        };
        let (version, digest, nonce) = (version.clone(), digest.clone(), nonce.clone());
        Some(Notice { version, digest, nonce, attempt: agent.attempt })
    }

    /// Forgets an agent; one that still runs comes back.
    ///
    /// # Errors
    /// There is none of the name.
    pub async fn remove(self, task: &str, name: &str) -> Result<Agent> {
        Ok(self.engine.store.remove_agent(task, name, &self.engine.by, now()).await?)
    }

    /// The bundle of a task's active version, if it has this digest.
    ///
    /// # Errors
    /// The version's files are not those that were registered.
    pub async fn bundle(self, task: &str, digest: &Digest) -> Result<Option<Bundle>> {
        self.wanted(task).await?;
        Ok(self.cached(task).map(|(_, bundle)| bundle).filter(|bundle| bundle.digest == *digest))
    }

    fn cached(self, task: &str) -> Option<(Digest, Bundle)> {
        self.engine.bundles.0.lock().unwrap_or_else(PoisonError::into_inner).get(task).cloned()
    }

    /// What the agents of a task are to hold.
    async fn wanted(self, task: &str) -> Result<Option<Wanted>> {
        let Some(active) = self.engine.store.active_version(task).await? else { return Ok(None) };
        let manifest = self.engine.versions().manifest(&active).await?;
        let key = Digest::of(graft_core::json::line(&manifest).as_bytes());
        let bundle = match self.cached(task) {
            Some((known, bundle)) if known == key => bundle,
            _ => {
                let bundle = self.engine.versions().bundle(task, &active.name).await?;
                let mut all = self.engine.bundles.0.lock().unwrap_or_else(PoisonError::into_inner);
                all.insert(task.to_owned(), (key, bundle.clone()));
                bundle
            }
        };
        Ok(Some(Wanted { version: bundle.version, digest: bundle.digest }))
    }

    /// Changes agents, and takes all of them a step on.
    async fn change(
        self,
        task: &str,
        wanted: Option<&Wanted>,
        mut change: impl FnMut(&mut Vec<Agent>) -> std::result::Result<(), StoreError> + Send,
    ) -> Result<Vec<Agent>> {
        let at = now();
        let mut step = |agents: &mut Vec<Agent>| {
            change(agents)?;
            plan::step(agents, wanted, at, &mut nonce);
            Ok(())
        };
        Ok(self.engine.store.change_agents(task, &self.engine.by, at, &mut step).await?)
    }
}

fn check_token(agent: &Agent, by: &str) -> std::result::Result<(), StoreError> {
    match agent.created_by == by {
        true => Ok(()),
        false => Err(refused(&agent.name, format!("the name belongs to the token `{}`", agent.created_by))),
    }
}

fn refused(name: &str, what: String) -> StoreError {
    StoreError::AgentRefused { name: name.to_owned(), what }
}

fn new(task: &str, name: &str, by: &str) -> Agent {
    let at = now();
    Agent {
        task: task.to_owned(),
        name: name.to_owned(),
        wave: 1,
        graft: String::new(),
        format: 0,
        state: AgentState::Pending,
        version: None,
        digest: None,
        nonce: None,
        attempt: 0,
        due_at: at,
        held_version: None,
        held: None,
        problem: None,
        created_by: by.to_owned(),
        created_at: at,
        seen_at: at,
        synced_at: None,
    }
}

fn find(agents: Vec<Agent>, name: &str) -> Result<Agent> {
    let unknown = || StoreError::NotFound { what: "agent", name: name.to_owned() };
    Ok(agents.into_iter().find(|agent| agent.name == name).ok_or_else(unknown)?)
}

fn next(wanted: Option<&Wanted>, waves: &[Wave]) -> String {
    let Some(Wanted { version, .. }) = wanted else {
        return "No version is active: agents have nothing to hold.".to_owned();
    };
    let waiting = waves.iter().find(|wave| wave.synced < wave.present);
    match waiting {
        None if waves.is_empty() => {
            "No agent has connected yet: `graft agent --server URL --task T` starts one.".to_owned()
        }
        None => format!("All agents that are there hold {version}."),
        Some(Wave { wave, present, synced, failed, .. }) if synced + failed == *present => {
            let held = match waves.iter().any(|later| !later.open) {
                true => ", and later waves wait: make another version active, or repair them",
                false => "",
            };
            format!("{failed} of {present} agents of wave {wave} failed to take {version}{held}.")
        }
        Some(Wave { wave, present, synced, .. }) => {
            format!("Wave {wave} takes {version}: {synced} of {present} agents hold it.")
        }
    }
}

/// A word that nobody guesses.
fn nonce() -> String {
    let mut bytes = [0_u8; 16];
    let random = getrandom::fill(&mut bytes);
    // Without random numbers nobody's proof is believed.
    random.map_or_else(|_| String::new(), |()| bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
