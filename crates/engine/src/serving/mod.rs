//! Answers for many at once, from adapters that change while requests run.
//!
//! A *generation* is everything that decides an answer: base model, adapter, prompt, form and calibration. It never
//! changes and is named by the digest of its contents. An *alias* is a task, whose active version it stands for; it
//! moves from one generation to another in one step, after the new one has answered once. A request holds the
//! generation it began with. What is unknown or can't be loaded is an error, and never the bare base model.

mod ask;
mod compare;
mod ended;
mod fallback;
mod follow;
mod generation;
mod load;
mod model;
mod probation;
mod promote;
mod status;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak, atomic::AtomicU64},
};

use graft_core::{AnswerForm, BaseRef, Digest, TaskCard};
use graft_train::AdapterCard;
use tokio::task::JoinHandle;

pub use ask::{Answered, Answering, Format, Heard, Prompt, Wish};
pub use compare::{Contest, Contestant};
pub use ended::{Ended, Outcome};
pub use fallback::{Primary, Suggested, Verdict, needs_fallback};
use generation::{Generation, Recipe};
pub use model::ServedModel;
use probation::Probation;
pub use status::{AliasStatus, BaseStatus, GenerationStatus, ServingStatus};

pub use graft_predict::{End, Error as AnswerError, Piece, Sampling, TokenInfo};

use crate::{Engine, Error, Result};

/// What serving may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Answers written side by side, of each base model.
    pub lanes: usize,
    /// Requests that may wait, for each base model.
    pub queue: usize,
    /// Bytes of keys and values, of each base model.
    pub cache_bytes: usize,
    /// Bytes of base models and adapters together; those used longest ago are given up.
    pub memory: usize,
    /// Load the active version of every task at the start.
    pub preload: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { lanes: 12, queue: 64, cache_bytes: 512 << 20, memory: 2 << 30, preload: true }
    }
}

/// Who answers, and the threads that compute.
#[derive(Clone)]
pub struct Serving(Arc<Inner>);

struct Inner {
    engine: Engine,
    options: Options,
    state: Mutex<State>,
    /// Loads come one after the other.
    loading: tokio::sync::Mutex<()>,
    /// Whoever points an alias looks at the store and points while nobody else does.
    turning: tokio::sync::Mutex<()>,
    uses: AtomicU64,
    listener: OnceLock<ended::Listener>,
    following: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Default)]
struct State {
    generations: HashMap<Digest, Arc<Generation>>,
    /// Given up, but perhaps still in flight.
    retired: Vec<Weak<Generation>>,
    aliases: HashMap<String, Alias>,
    /// Cards of adapters that were made elsewhere, by the digest of their files.
    adopted: HashMap<Digest, AdapterCard>,
    /// Generations of versions asked for by name; forgotten when a version changes.
    named: HashMap<(String, String), Digest>,
    /// The first requests of each task's active version.
    probations: HashMap<String, Probation>,
    /// Why the version that is active doesn't answer, or no longer is.
    problems: HashMap<String, Problem>,
}

/// What stands for a task.
struct Alias {
    generation: Arc<Generation>,
    previous: Option<Arc<Generation>>,
}

/// What people should know of a task's active version.
struct Problem {
    text: String,
    /// It could not be loaded, and is tried again.
    behind: bool,
}

impl Serving {
    /// Begins to serve; follows the active versions from now on, whoever changes them. Must be called within a tokio
    /// runtime.
    ///
    /// # Errors
    /// What the store says.
    pub async fn start(engine: Engine, options: Options) -> Result<Self> {
        let watch = engine.store.watch().await?;
        let seen = engine.store.newest_change().await?;
        let inner = Inner {
            engine,
            options,
            state: Mutex::default(),
            loading: tokio::sync::Mutex::new(()),
            turning: tokio::sync::Mutex::new(()),
            uses: AtomicU64::new(0),
            listener: OnceLock::new(),
            following: Mutex::default(),
        };
        let serving = Self(Arc::new(inner));
        if options.preload {
            tokio::spawn(promote::preload(Arc::downgrade(&serving.0)));
        }
        let task = tokio::spawn(follow::follow(Arc::downgrade(&serving.0), watch, seen));
        *serving.0.following.lock().unwrap_or_else(PoisonError::into_inner) = Some(task);
        Ok(serving)
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.0.engine
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks a task's active version, or the one named.
    ///
    /// # Errors
    /// There is no such version or it can't be loaded; the queue is full.
    pub async fn begin(
        &self,
        task: &str,
        version: Option<&str>,
        prompt: &Prompt,
        format: &Format,
        wish: &Wish,
    ) -> Result<Answering> {
        let generation = match version {
            None => self.active(task).await?,
            Some(version) => self.version(task, version).await?,
        };
        self.ask(&generation, version.is_none(), prompt, format, wish).await
    }

    /// The answer of a task's active version, or of the one named, to an input.
    ///
    /// # Errors
    /// As [`begin`](Self::begin), and why there is no answer.
    pub async fn answer(&self, task: &str, version: Option<&str>, input: &str, wish: &Wish) -> Result<Answered> {
        let prompt = Prompt::Input(input.to_owned());
        self.begin(task, version, &prompt, &Format::Own, wish).await?.whole().await
    }

    /// Answers to many inputs of one generation, in order, without filling the queue for others.
    ///
    /// # Errors
    /// There is no such version or it can't be loaded. Each input has its own result.
    pub async fn answer_all(
        &self,
        task: &str,
        version: Option<&str>,
        inputs: &[String],
        wish: &Wish,
    ) -> Result<Vec<Result<Answered>>> {
        let generation = match version {
            None => self.active(task).await?,
            Some(version) => self.version(task, version).await?,
        };
        let side_by_side = (self.0.options.lanes * 3 / 2).min(self.0.options.queue).max(1);
        let mut answers = Vec::with_capacity(inputs.len());
        let mut begun = std::collections::VecDeque::new();
        for input in inputs {
            if begun.len() >= side_by_side
                && let Some(first) = begun.pop_front()
            {
                answers.push(whole(first).await);
            }
            begun.push_back(self.patiently(&generation, input, wish).await);
        }
        for rest in begun {
            answers.push(whole(rest).await);
        }
        Ok(answers)
    }

    /// Asks as soon as the queue has room.
    async fn patiently(&self, generation: &Arc<Generation>, input: &str, wish: &Wish) -> Result<Answering> {
        let prompt = Prompt::Input(input.to_owned());
        loop {
            match self.ask(generation, false, &prompt, &Format::Own, wish).await {
                Err(Error::Predict(graft_predict::Error::Full { .. })) => {
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                }
                other => return other,
            }
        }
    }

    /// Asks a base model by its name, without task or adapter.
    ///
    /// # Errors
    /// There is no such base; as [`begin`](Self::begin).
    pub async fn begin_base(&self, name: &str, prompt: &Prompt, format: &Format, wish: &Wish) -> Result<Answering> {
        let bases = self.engine().store.bases().await?;
        let Some(base) = bases.into_iter().find(|base| base.name == name) else {
            return Err(graft_store::Error::NoBase(name.to_owned()).into());
        };
        let base = BaseRef { name: base.name, digest: base.digest };
        let card = TaskCard { name: base.name.clone(), instruction: String::new(), answer: AnswerForm::Text };
        let (task, version, adapter, evaluation) = (base.name.clone(), None, None, None);
        let generation = self.generation(Recipe { task, version, card, base, adapter, evaluation }).await?;
        self.ask(&generation, false, prompt, format, wish).await
    }

    /// Loads a version and lets it answer once, so that it can become active without anybody waiting.
    ///
    /// # Errors
    /// Why it can't answer.
    pub async fn prepare(&self, task: &str, version: &str) -> Result<Digest> {
        Ok(self.version(task, version).await?.digest.clone())
    }
}

/// The whole of an answer that was begun.
async fn whole(begun: Result<Answering>) -> Result<Answered> {
    begun?.whole().await
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Ok(Some(task)) = self.following.get_mut().map(Option::take) {
            task.abort();
        }
    }
}

impl std::fmt::Debug for Serving {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Serving").field(&self.status()).finish()
    }
}
