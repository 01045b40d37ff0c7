//! Finds a deployment, and loads it if it is not in memory.

use std::sync::{Arc, atomic::Ordering};

use graft_core::{BaseRef, Digest};
use graft_predict::PromptCache;
use tokio::{runtime::Handle, task::spawn_blocking};

use super::{
    Alias, AnswerOptions, Asker, Format, Prompt, Serving, State,
    base::Base,
    deployment::{Deployment, DeploymentSpec, Source},
};
use crate::{Error, Result};

/// Asked of a deployment before it answers others.
const WARM_UP: &str = "warm up";

impl Serving {
    /// What answers for a task; loaded if it was never asked, or given up since.
    pub(super) async fn active(&self, task: &str) -> Result<Arc<Deployment>> {
        let found = self.state().aliases.get(task).map(|alias| Arc::clone(&alias.deployment));
        match found {
            Some(deployment) => {
                self.use_now(&deployment);
                Ok(deployment)
            }
            None => {
                let _turn = self.0.turning.lock().await;
                let loaded = self.load_active(task).await;
                if loaded.is_err()
                    && let Ok(Some(active)) = self.engine().store.active_version(task).await
                {
                    self.note(task, &active.name, true);
                }
                loaded
            }
        }
    }

    /// A version of a task.
    pub(super) async fn version(&self, task: &str, version: &str) -> Result<Arc<Deployment>> {
        let key = (task.to_owned(), version.to_owned());
        let found = {
            let state = self.state();
            state.named.get(&key).and_then(|digest| state.deployments.get(digest)).map(Arc::clone)
        };
        if let Some(deployment) = found {
            self.use_now(&deployment);
            return Ok(deployment);
        }
        self.load_version(task, version).await
    }

    /// A version of a task as its files, its numbers and the home's tables are now.
    pub(super) async fn load_version(&self, task: &str, version: &str) -> Result<Arc<Deployment>> {
        let deployment = self.load_chosen(task, Some(version)).await?;
        self.state().named.insert((task.to_owned(), version.to_owned()), deployment.digest.clone());
        Ok(deployment)
    }

    /// The active version of a task, or the one named, from files on a disk that may hang.
    pub(super) async fn load_chosen(&self, task: &str, version: Option<&str>) -> Result<Arc<Deployment>> {
        let (serving, task, version) = (self.clone(), task.to_owned(), version.map(str::to_owned));
        aside(move || async move {
            let chosen = serving.engine().versions().adapter(&task, version.as_deref()).await?;
            serving.deploy(chosen).await
        })
        .await
    }

    fn use_now(&self, deployment: &Deployment) {
        let now = self.0.uses.fetch_add(1, Ordering::Relaxed) + 1;
        deployment.used.store(now, Ordering::Relaxed);
    }

    /// A deployment from memory, or loaded now; a server's have answered once.
    pub(super) async fn load(&self, spec: DeploymentSpec) -> Result<Arc<Deployment>> {
        // The files of an adapter that is no version are read for it.
        let (spec, digest) = apart(move || spec.digest().map(|digest| (spec, digest))).await?;
        if let Some(found) = self.find(&digest) {
            return Ok(found);
        }
        let _turn = self.0.loading.lock().await;
        if let Some(found) = self.find(&digest) {
            return Ok(found);
        }
        let deployment = match spec.source.clone() {
            Source::Model(base, adapter) => {
                let base = self.base(&base).await?;
                apart(move || Deployment::of_model(spec, digest, base, adapter.as_ref())).await?
            }
            Source::Contestant(chosen, tables) => {
                apart(move || Deployment::of_contestant(spec, digest, &chosen, tables.as_deref())).await?
            }
        };
        let deployment = Arc::new(deployment);
        if self.0.warms_up {
            self.warm_up(&deployment).await?;
        }
        self.use_now(&deployment);
        let mut state = self.state();
        state.deployments.insert(deployment.digest.clone(), Arc::clone(&deployment));
        state.give_up(self.0.options.memory, &deployment);
        Ok(deployment)
    }

    fn find(&self, digest: &Digest) -> Option<Arc<Deployment>> {
        let found = self.state().deployments.get(digest).map(Arc::clone)?;
        self.use_now(&found);
        Some(found)
    }

    /// A base model: at work already, or loaded now.
    async fn base(&self, wanted: &BaseRef) -> Result<Arc<Base>> {
        let at_work = {
            let state = self.state();
            let retired = state.retired.iter().filter_map(std::sync::Weak::upgrade);
            let all = state.deployments.values().map(Arc::clone).chain(retired);
            all.filter_map(|g| g.base().map(Arc::clone)).find(|base| base.digest == wanted.digest)
        };
        if let Some(base) = at_work {
            return Ok(base);
        }
        let (engine, wanted, options) = (self.engine().clone(), wanted.clone(), self.0.options);
        aside(move || async move {
            let (base, files) = engine.bases().open(&wanted).await?;
            let cache = PromptCache::new(engine.home.prompts(), base.digest.clone());
            Base::load(&base, files, &options, cache).map(Arc::new)
        })
        .await
    }

    async fn warm_up(&self, deployment: &Arc<Deployment>) -> Result<()> {
        let prompt = Prompt::Input(WARM_UP.to_owned());
        let options = AnswerOptions { max_tokens: Some(4), ..AnswerOptions::default() };
        self.ask(deployment, Asker::WarmUp, &prompt, &Format::Own, &options).await?.whole().await?;
        deployment.answered.store(0, Ordering::Relaxed);
        Ok(())
    }
}

impl State {
    /// Lets a deployment stand for a task; whether another did.
    pub(super) fn point(&mut self, task: &str, deployment: &Arc<Deployment>) -> bool {
        let before = self.aliases.remove(task);
        let moved = before.as_ref().is_some_and(|alias| alias.deployment.digest != deployment.digest);
        let previous = before.and_then(|alias| if moved { Some(alias.deployment) } else { alias.previous });
        self.aliases.insert(task.to_owned(), Alias { deployment: Arc::clone(deployment), previous });
        moved
    }

    /// Gives up deployments that were used longest ago until the rest fits; `keep` stays.
    fn give_up(&mut self, memory: usize, keep: &Arc<Deployment>) {
        self.retired.retain(|retired| retired.strong_count() > 0);
        while self.bytes() > memory {
            let others = self.deployments.values().filter(|g| g.digest != keep.digest);
            let Some(oldest) = others.min_by_key(|g| g.used.load(Ordering::Relaxed)).map(Arc::clone) else { return };
            self.deployments.remove(&oldest.digest);
            self.aliases.retain(|_, alias| alias.deployment.digest != oldest.digest);
            for alias in self.aliases.values_mut() {
                alias.previous.take_if(|previous| previous.digest == oldest.digest);
            }
            self.retired.push(Arc::downgrade(&oldest));
        }
    }

    /// Bytes of what is in memory; what is given up counts while requests hold it.
    pub(super) fn bytes(&self) -> usize {
        let retired: Vec<Arc<Deployment>> = self.retired.iter().filter_map(std::sync::Weak::upgrade).collect();
        let mut bases: Vec<&Digest> = Vec::new();
        let mut bytes = 0_usize;
        for deployment in self.deployments.values().chain(&retired) {
            bytes = bytes.saturating_add(deployment.own_bytes());
            if let Some(base) = deployment.base()
                && !bases.contains(&&base.digest)
            {
                bases.push(&base.digest);
                bytes = bytes.saturating_add(base.bytes);
            }
        }
        bytes
    }
}

/// Does work that waits for files as well as for the database on a separate thread.
pub(super) async fn aside<F, T>(begin: impl FnOnce() -> F + Send + 'static) -> Result<T>
where
    F: Future<Output = Result<T>>,
    T: Send + 'static,
{
    let handle = Handle::current();
    apart(move || handle.block_on(begin())).await
}

/// Runs a long computation on a separate thread, so that nothing else waits for it.
pub(crate) async fn apart<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    spawn_blocking(work).await.map_err(|_| Error::Predict(graft_predict::Error::Interrupted))?
}
