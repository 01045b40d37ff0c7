//! Finding a generation, and loading it where it isn't in memory.

use std::sync::{Arc, atomic::Ordering};

use graft_core::Digest;
use tokio::{runtime::Handle, task::spawn_blocking};

use super::{
    Alias, Format, Prompt, Serving, State, Wish,
    generation::{Base, Generation, Recipe},
};
use crate::{Error, Result};

/// Asked of a generation before it answers others.
const WARM_UP: &str = "warm up";

impl Serving {
    /// What answers for a task; loaded if it was never asked, or given up since.
    pub(super) async fn active(&self, task: &str) -> Result<Arc<Generation>> {
        let found = self.state().aliases.get(task).map(|alias| Arc::clone(&alias.generation));
        match found {
            Some(generation) => {
                self.use_now(&generation);
                Ok(generation)
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
    pub(super) async fn version(&self, task: &str, version: &str) -> Result<Arc<Generation>> {
        let key = (task.to_owned(), version.to_owned());
        let found = {
            let state = self.state();
            state.named.get(&key).and_then(|digest| state.generations.get(digest)).map(Arc::clone)
        };
        if let Some(generation) = found {
            self.use_now(&generation);
            return Ok(generation);
        }
        let chosen = self.engine().adapter(task, Some(version)).await?;
        let generation = self.generation(Recipe::of(chosen)?).await?;
        self.state().named.insert(key, generation.digest.clone());
        Ok(generation)
    }

    fn use_now(&self, generation: &Generation) {
        let now = self.0.uses.fetch_add(1, Ordering::Relaxed) + 1;
        generation.used.store(now, Ordering::Relaxed);
    }

    /// A generation from memory, or loaded now; new ones have answered once.
    pub(super) async fn generation(&self, recipe: Recipe) -> Result<Arc<Generation>> {
        let digest = recipe.digest()?;
        if let Some(found) = self.find(&digest) {
            return Ok(found);
        }
        let _turn = self.0.loading.lock().await;
        if let Some(found) = self.find(&digest) {
            return Ok(found);
        }
        let base = self.base(&recipe).await?;
        let generation = apart(move || Generation::load(recipe, digest, base)).await?;
        let generation = Arc::new(generation);
        self.warm_up(&generation).await?;
        self.use_now(&generation);
        let mut state = self.state();
        state.generations.insert(generation.digest.clone(), Arc::clone(&generation));
        state.give_up(self.0.options.memory, &generation);
        Ok(generation)
    }

    fn find(&self, digest: &Digest) -> Option<Arc<Generation>> {
        let found = self.state().generations.get(digest).map(Arc::clone)?;
        self.use_now(&found);
        Some(found)
    }

    /// The base model of a recipe: one that is at work already, or loaded now.
    async fn base(&self, recipe: &Recipe) -> Result<Arc<Base>> {
        let wanted = &recipe.base;
        let at_work = {
            let state = self.state();
            let retired = state.retired.iter().filter_map(std::sync::Weak::upgrade);
            let mut all = state.generations.values().map(Arc::clone).chain(retired);
            all.find(|g| g.base.digest == wanted.digest).map(|g| Arc::clone(&g.base))
        };
        if let Some(base) = at_work {
            return Ok(base);
        }
        let (engine, wanted, options) = (self.engine().clone(), wanted.clone(), self.0.options);
        let handle = Handle::current();
        apart(move || {
            let (base, files) = handle.block_on(engine.base_of(&wanted))?;
            Base::load(&base, files, &options).map(Arc::new)
        })
        .await
    }

    async fn warm_up(&self, generation: &Arc<Generation>) -> Result<()> {
        let prompt = Prompt::Input(WARM_UP.to_owned());
        let wish = Wish { max_tokens: Some(4), urgent: true, ..Wish::default() };
        self.ask(generation, false, &prompt, &Format::Own, &wish).await?.whole().await?;
        generation.answered.store(0, Ordering::Relaxed);
        Ok(())
    }
}

impl State {
    /// Lets a generation stand for a task; whether another did.
    pub(super) fn point(&mut self, task: &str, generation: &Arc<Generation>) -> bool {
        let before = self.aliases.remove(task);
        let moved = before.as_ref().is_some_and(|alias| alias.generation.digest != generation.digest);
        let previous = before.and_then(|alias| if moved { Some(alias.generation) } else { alias.previous });
        self.aliases.insert(task.to_owned(), Alias { generation: Arc::clone(generation), previous });
        moved
    }

    /// Gives up generations that were used longest ago until the rest fits; `keep` stays.
    fn give_up(&mut self, memory: usize, keep: &Arc<Generation>) {
        self.retired.retain(|retired| retired.strong_count() > 0);
        while self.bytes() > memory {
            let others = self.generations.values().filter(|g| g.digest != keep.digest);
            let Some(oldest) = others.min_by_key(|g| g.used.load(Ordering::Relaxed)).map(Arc::clone) else { return };
            self.generations.remove(&oldest.digest);
            self.aliases.retain(|_, alias| alias.generation.digest != oldest.digest);
            for alias in self.aliases.values_mut() {
                alias.previous.take_if(|previous| previous.digest == oldest.digest);
            }
            self.retired.push(Arc::downgrade(&oldest));
        }
    }

    /// Bytes of what is in memory; what is given up counts while requests hold it.
    pub(super) fn bytes(&self) -> usize {
        let retired: Vec<Arc<Generation>> = self.retired.iter().filter_map(std::sync::Weak::upgrade).collect();
        let mut bases: Vec<&Digest> = Vec::new();
        let mut bytes = 0_usize;
        for generation in self.generations.values().chain(&retired) {
            bytes = bytes.saturating_add(generation.adapter_bytes());
            if !bases.contains(&&generation.base.digest) {
                bases.push(&generation.base.digest);
                bytes = bytes.saturating_add(generation.base.bytes);
            }
        }
        bytes
    }
}

/// Computes for long on a thread that nobody else waits for.
async fn apart<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    spawn_blocking(work).await.map_err(|_| Error::Predict(graft_predict::Error::Interrupted))?
}
