//! What is being served, as people look at it.

use std::sync::{Arc, atomic::Ordering};

use graft_core::Digest;
use serde::Serialize;

use super::{
    Alias, Serving,
    generation::{Base, Generation},
};

/// What is being served.
#[derive(Clone, Debug, Serialize)]
pub struct ServingStatus {
    /// Base models in memory.
    pub bases: Vec<BaseStatus>,
    /// Generations in memory.
    pub generations: Vec<GenerationStatus>,
    /// What answers for each task that was asked.
    pub tasks: Vec<AliasStatus>,
}

/// A base model in memory.
#[derive(Clone, Debug, Serialize)]
pub struct BaseStatus {
    /// Its name.
    pub name: String,
    /// Its digest.
    pub digest: Digest,
    /// Bytes of its files.
    pub bytes: usize,
    /// Requests in its queue.
    pub waiting: usize,
    /// Answers being written.
    pub running: usize,
    /// Requests that ended.
    pub ended: u64,
    /// Answers a second of late.
    pub rate: f64,
}

/// A generation in memory.
#[derive(Clone, Debug, Serialize)]
pub struct GenerationStatus {
    /// Its name.
    pub digest: Digest,
    /// The task.
    pub task: String,
    /// The version, if it is one.
    pub version: Option<String>,
    /// The base model's name.
    pub base: String,
    /// Whether it answers for its task.
    pub active: bool,
    /// Bytes of its adapter.
    pub bytes: usize,
    /// Requests that hold it.
    pub in_flight: usize,
    /// Requests answered.
    pub answered: u64,
    /// Requests that failed.
    pub failed: u64,
}

/// What answers for a task.
#[derive(Clone, Debug, Serialize)]
pub struct AliasStatus {
    /// The task.
    pub task: String,
    /// The version that answers.
    pub version: Option<String>,
    /// Its generation.
    pub generation: Digest,
    /// The generation before it.
    pub previous: Option<Digest>,
    /// Why the version that is active by now doesn't answer.
    pub problem: Option<String>,
}

impl Serving {
    /// What is being served.
    #[must_use]
    pub fn status(&self) -> ServingStatus {
        let state = self.state();
        let mut generations: Vec<&Arc<Generation>> = state.generations.values().collect();
        generations.sort_by(|a, b| (&a.task, &a.version, &a.digest).cmp(&(&b.task, &b.version, &b.digest)));
        let mut bases: Vec<&Arc<Base>> = generations.iter().map(|generation| &generation.base).collect();
        bases.sort_by(|a, b| a.digest.cmp(&b.digest));
        bases.dedup_by(|a, b| a.digest == b.digest);
        let mut tasks: Vec<AliasStatus> = state.aliases.iter().map(|(task, alias)| alias.status(task)).collect();
        tasks.sort_by(|a, b| a.task.cmp(&b.task));
        let active = |g: &Generation| tasks.iter().any(|task| task.task == g.task && task.generation == g.digest);
        ServingStatus {
            bases: bases.into_iter().map(|base| base.status()).collect(),
            generations: generations.into_iter().map(|g| g.status(active(g))).collect(),
            tasks,
        }
    }
}

impl Alias {
    fn status(&self, task: &str) -> AliasStatus {
        AliasStatus {
            task: task.to_owned(),
            version: self.generation.version.clone(),
            generation: self.generation.digest.clone(),
            previous: self.previous.as_ref().map(|previous| previous.digest.clone()),
            problem: self.problem.clone(),
        }
    }
}

impl Base {
    fn status(&self) -> BaseStatus {
        let now = self.service.status();
        BaseStatus {
            name: self.name.clone(),
            digest: self.digest.clone(),
            bytes: self.bytes,
            waiting: now.waiting,
            running: now.running,
            ended: now.ended,
            rate: now.rate,
        }
    }
}

impl Generation {
    fn status(&self, active: bool) -> GenerationStatus {
        GenerationStatus {
            digest: self.digest.clone(),
            task: self.task.clone(),
            version: self.version.clone(),
            base: self.base.name.clone(),
            active,
            bytes: self.adapter_bytes(),
            in_flight: self.in_flight.load(Ordering::Relaxed),
            answered: self.answered.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
        }
    }
}
