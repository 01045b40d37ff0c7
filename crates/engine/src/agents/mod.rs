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
use graft_store::{Agent, AgentState, Error as StoreError, Version};
use serde::Serialize;
use utoipa::ToSchema;

pub use plan::{Wanted, Wave};

use crate::{Engine, Error, Result, files::apart, now, versions::Bundle};

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
pub(crate) struct Bundles {
    packed: Mutex<HashMap<String, (Digest, Bundle)>>,
    /// Held while a bundle is packed, so that nobody packs the same one meanwhile.
    packing: tokio::sync::Mutex<()>,
}

/// What the agents of a task are to hold.
struct Aim {
    /// The active version.
    active: Version,
    wanted: Wanted,
}

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
        let next = match (&wanted, self.engine.store.active_version(task).await?) {
            (None, Some(Version { name, .. })) => {
                format!("Agents can't take {name}: a command or an endpoint of this machine answers for it.")
            }
            (wanted, _) => next(wanted.as_ref(), &waves),
        };
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
        let aim = self.aim(task).await?;
        let mut agents = self.engine.store.agents(task).await?;
        if let Some(aim) = &aim {
            let mut planned = agents.clone();
            plan::step(&mut planned, &aim.wanted, now(), &mut String::new);
            // The write lock is taken only where something changes.
            if planned != agents {
                agents = self.change(task, Some(aim), |_| Ok(())).await?;
            }
        }
        Ok((aim.map(|aim| aim.wanted), agents))
    }

    /// Notes that an agent is there; a new one is added. One that failed is told again of the active version.
    ///
    /// # Errors
    /// There is no such task; the name belongs to another token's agent; a wave out of range.
    pub async fn hello(self, task: &str, name: &str, hello: &Hello) -> Result<Agent> {
        self.engine.tasks().get(task).await?;
        if !(1..=LAST_WAVE).contains(&hello.wave) {
            let (field, value) = ("wave", hello.wave.to_string());
            return Err(graft_core::Error::OutOfRange { field, value, hint: "from 1 to 100" }.into());
        }
        let aim = self.aim(task).await?;
        let (at, by) = (now(), &self.engine.by);
        let agents = self.change(task, aim.as_ref(), |agents| {
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
        let aim = self.aim(task).await?;
        let bundle = self.cached(task).map(|(_, bundle)| bundle).filter(|bundle| bundle.digest == report.digest);
        let proven = match bundle.filter(|_| report.proof.is_some()) {
            Some(bundle) => {
                let nonce = report.nonce.clone();
                Some(apart("check the proof", move || Ok(proof(&nonce, &bundle.bytes))).await?)
            }
            None => None,
        };
        let (at, by) = (now(), &self.engine.by);
        let agents = self.change(task, aim.as_ref(), |agents| {
            let unknown = || StoreError::NotFound { what: "agent", name: name.to_owned() };
            let agent = agents.iter_mut().find(|agent| agent.name == name).ok_or_else(unknown)?;
            check_token(agent, by)?;
            agent.seen_at = at;
            // It was told again, or of another version, and answers the notice before. Without random numbers the nonce is
            // empty, and everybody could prove everything.
            if report.nonce.is_empty() || agent.nonce.as_ref() != Some(&report.nonce) {
                return Ok(());
            }
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
        self.aim(task).await?;
        Ok(self.cached(task).map(|(_, bundle)| bundle).filter(|bundle| bundle.digest == *digest))
    }

    fn cached(self, task: &str) -> Option<(Digest, Bundle)> {
        self.engine.bundles.packed.lock().unwrap_or_else(PoisonError::into_inner).get(task).cloned()
    }

    /// What the agents of a task are to hold. They keep what they hold while no version is active, or one that can't be
    /// bundled.
    async fn aim(self, task: &str) -> Result<Option<Aim>> {
        let Some(active) = self.engine.store.active_version(task).await? else { return Ok(None) };
        let manifest = match self.engine.versions().manifest(&active).await {
            Err(Error::Unbundled { .. }) => return Ok(None),
            manifest => manifest?,
        };
        let key = Digest::of(graft_core::json::line(&manifest).as_bytes());
        let packed = || self.cached(task).filter(|(known, _)| *known == key).map(|(_, bundle)| bundle);
        let bundle = match packed() {
            Some(bundle) => bundle,
            None => {
                let _turn = self.engine.bundles.packing.lock().await;
                match packed() {
                    Some(bundle) => bundle,
                    None => {
                        let bundle = self.engine.versions().bundle(task, &active.name).await?;
                        let mut all = self.engine.bundles.packed.lock().unwrap_or_else(PoisonError::into_inner);
                        all.insert(task.to_owned(), (key, bundle.clone()));
                        bundle
                    }
                }
            }
        };
        let wanted = Wanted { version: bundle.version, digest: bundle.digest };
        Ok(Some(Aim { active, wanted }))
    }

    /// Changes agents, and takes all of them a step on.
    async fn change(
        self,
        task: &str,
        aim: Option<&Aim>,
        mut change: impl FnMut(&mut Vec<Agent>) -> std::result::Result<(), StoreError> + Send,
    ) -> Result<Vec<Agent>> {
        let at = now();
        let mut step = |agents: &mut Vec<Agent>, active: Option<&Version>| {
            change(agents)?;
            // Where another version became active since, the next look tells of it.
            if let Some(aim) = aim.filter(|aim| active == Some(&aim.active)) {
                plan::step(agents, &aim.wanted, at, &mut nonce);
            }
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
    let waiting = waves.iter().find(|wave| wave.synced < wave.present || wave.lost > wave.synced);
    match waiting {
        None if waves.is_empty() => {
            "No agent has connected yet: `graft agent --server URL --task T` starts one.".to_owned()
        }
        None => format!("All agents that are there hold {version}."),
        Some(Wave { wave, present, synced, failed, lost, .. }) if synced + failed == *present => {
            let held = match waves.iter().any(|later| !later.open) {
                true => ", and later waves wait: make another version active, or repair them",
                false => "",
            };
            match lost > synced {
                true => format!("{lost} agents of wave {wave} went silent after they were told of {version}{held}."),
                false => format!("{failed} of {present} agents of wave {wave} failed to take {version}{held}."),
            }
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use graft_store::{Method, NewVersion};

    use super::*;
    use crate::Home;

    const TASK: &str = "text-classification";

    /// A home with two versions of a task; `v1` is active.
    async fn place() -> (tempfile::TempDir, Engine) {
        let home = tempfile::tempdir().unwrap();
        let engine = Engine::open(Home::at(home.path()).unwrap(), "token").await.unwrap();
        let card = engine.tasks().definition(TASK).await.unwrap().card(&["good".into(), "bad".into()]).unwrap();
        for name in ["v1", "v2"] {
            let file = format!("the file of {name}");
            std::fs::create_dir_all(home.path().join(name)).unwrap();
            std::fs::write(home.path().join(name).join("contestant.json"), &file).unwrap();
            let new = NewVersion {
                task: TASK.into(),
                name: Some(name.into()),
                method: Method::MostFrequent,
                run: None,
                adapter_dir: name.into(),
                adapter_digest: Digest::of(file.as_bytes()),
                base: None,
                dataset: None,
                card: card.clone(),
                metrics: serde_json::json!({}),
                parent: None,
                task_revision: None,
            };
            engine.store.add_version(&new, "test", 1).await.unwrap();
        }
        engine.store.set_active(TASK, "v1", None, "test", 2).await.unwrap();
        (home, engine)
    }

    fn hello() -> Hello {
        Hello { wave: 1, graft: "0.1.0".into(), format: 1, holds: None }
    }

    #[tokio::test]
    async fn what_was_wanted_before_is_told_to_nobody() {
        let (_home, engine) = place().await;
        let agents = engine.agents();
        let before = agents.aim(TASK).await.unwrap();
        engine.store.set_active(TASK, "v2", Some("v1"), "test", 3).await.unwrap();
        let told = agents.hello(TASK, "a", &hello()).await.unwrap();
        assert_eq!((told.state, told.version.as_deref()), (AgentState::Syncing, Some("v2")));
        let after = agents.change(TASK, before.as_ref(), |_| Ok(())).await.unwrap();
        assert_eq!(after, [told], "another request had read the version before");
    }

    #[tokio::test]
    async fn an_empty_nonce_proves_nothing() {
        let (_home, engine) = place().await;
        let agents = engine.agents();
        agents.hello(TASK, "a", &hello()).await.unwrap();
        let mut forget = |agents: &mut Vec<Agent>, _: Option<&Version>| {
            agents[0].nonce = Some(String::new());
            Ok(())
        };
        let told = engine.store.change_agents(TASK, "token", now(), &mut forget).await.unwrap().remove(0);
        // Everybody who was told of it knows the digest.
        let digest = told.digest.unwrap();
        let report = Report { nonce: String::new(), digest: digest.clone(), proof: Some(digest), problem: None };
        let after = agents.report(TASK, "a", &report).await.unwrap();
        assert_eq!((after.state, after.held), (AgentState::Syncing, None));
    }

    #[tokio::test]
    async fn a_bundle_is_packed_once_for_all_who_want_it() {
        let (_home, engine) = place().await;
        let digest = engine.versions().bundle(TASK, "v1").await.unwrap().digest;
        let ask = |_| {
            let (engine, digest) = (engine.clone(), digest.clone());
            tokio::spawn(async move { engine.agents().bundle(TASK, &digest).await.unwrap().unwrap().bytes })
        };
        let mut all = Vec::new();
        for one in (0..16).map(ask).collect::<Vec<_>>() {
            all.push(one.await.unwrap());
        }
        assert!(all.iter().all(|bytes| Arc::ptr_eq(bytes, &all[0])));
    }
}
