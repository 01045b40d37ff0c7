//! The state of serving, as it is displayed.

use std::{
    collections::BTreeSet,
    sync::{Arc, atomic::Ordering},
};

use graft_core::Digest;
use serde::Serialize;

use super::{Serving, State, base::Base, deployment::Deployment};

/// What is being served.
#[derive(Clone, Debug, Serialize)]
pub struct ServingStatus {
    /// Base models in memory.
    pub bases: Vec<BaseStatus>,
    /// Deployments in memory.
    #[serde(rename = "generations")]
    pub deployments: Vec<DeploymentStatus>,
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
    /// Seconds until a request that came now should begin, by the pace of late.
    pub wait_s: f64,
}

/// A deployment in memory.
#[derive(Clone, Debug, Serialize)]
pub struct DeploymentStatus {
    /// Its name.
    pub digest: Digest,
    /// The task.
    pub task: String,
    /// The version, if it is one.
    pub version: Option<String>,
    /// The base model's name; absent where it needs none.
    pub base: Option<String>,
    /// Whether it answers for its task.
    pub active: bool,
    /// Bytes of its adapter, or of the contestant's file.
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
    /// Its deployment; absent where the active version can't be loaded.
    #[serde(rename = "generation")]
    pub deployment: Option<Digest>,
    /// The deployment before it.
    pub previous: Option<Digest>,
    /// Why the version that is active doesn't answer, or that one gave way.
    pub problem: Option<String>,
}

impl Serving {
    /// What is being served.
    #[must_use]
    pub fn status(&self) -> ServingStatus {
        let state = self.state();
        let mut deployments: Vec<&Arc<Deployment>> = state.deployments.values().collect();
        deployments.sort_by(|a, b| (&a.task, &a.version, &a.digest).cmp(&(&b.task, &b.version, &b.digest)));
        let mut bases: Vec<&Arc<Base>> = deployments.iter().filter_map(|deployment| deployment.base()).collect();
        bases.sort_by(|a, b| a.digest.cmp(&b.digest));
        bases.dedup_by(|a, b| a.digest == b.digest);
        let names: BTreeSet<&String> = state.aliases.keys().chain(state.faults.keys()).collect();
        let tasks: Vec<AliasStatus> = names.into_iter().map(|task| state.of_task(task)).collect();
        let active = |g: &Deployment| {
            tasks.iter().any(|task| task.task == g.task && task.deployment.as_ref() == Some(&g.digest))
        };
        ServingStatus {
            bases: bases.into_iter().map(|base| base.status()).collect(),
            deployments: deployments.into_iter().map(|g| g.status(active(g))).collect(),
            tasks,
        }
    }
}

impl State {
    fn of_task(&self, task: &str) -> AliasStatus {
        let alias = self.aliases.get(task);
        AliasStatus {
            task: task.to_owned(),
            version: alias.and_then(|alias| alias.deployment.version.clone()),
            deployment: alias.map(|alias| alias.deployment.digest.clone()),
            previous: alias.and_then(|alias| alias.previous.as_ref()).map(|previous| previous.digest.clone()),
            problem: self.faults.get(task).map(|fault| fault.text.clone()),
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
            wait_s: now.wait,
        }
    }
}

impl Deployment {
    fn status(&self, active: bool) -> DeploymentStatus {
        DeploymentStatus {
            digest: self.digest.clone(),
            task: self.task.clone(),
            version: self.version.clone(),
            base: self.base().map(|base| base.name.clone()),
            active,
            bytes: self.own_bytes(),
            in_flight: self.in_flight.load(Ordering::Relaxed),
            answered: self.answered.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
        }
    }
}
