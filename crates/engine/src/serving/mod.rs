//! Answers for many at once, from adapters that change while requests run.
//!
//! A *deployment* is everything that decides an answer: base model and adapter (or what needs no language model), prompt,
//! form and calibration. It never
//! changes and is named by the digest of its contents, which the API calls `generation`. An *alias* is a task, whose
//! active version it stands for; it moves from one deployment to another in one step, after the new one has answered
//! once. A request holds the deployment it began with. What is unknown or can't be loaded is an error, and never the bare
//! base model.
//!
//! All answers come from here: a server's ([`Serving::start`]), and those of one command or measurement
//! ([`Serving::once`]).

mod answer;
mod ask;
mod base;
mod compare;
mod deployment;
mod ended;
mod fallback;
mod follow;
mod inputs;
mod labels;
mod line;
mod load;
mod model;
mod probation;
mod promote;
mod rollout;
mod rules;
mod status;
mod tally;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak, atomic::AtomicU64},
};

use graft_contestants::Kind;
use graft_core::{AnswerForm, BaseRef, ComputeDevice, Digest, TaskCard};
use graft_predict::Limits;
use graft_tasks::cards::Task;
use graft_train::AdapterCard;
use tokio::{sync::mpsc, task::JoinHandle};

pub use answer::Answer;
use ask::Asker;
pub use ask::{AnswerOptions, Answering, Format, Heard, Prompt};
pub use compare::{Contest, Contestant};
pub use deployment::Deployment;
use deployment::{DeploymentSpec, Source};
pub use ended::{Ended, Outcome};
pub use fallback::{Primary, Suggested, Verdict, needs_fallback};
pub use inputs::{Input, read_inputs};
pub use line::answer_line;
pub(crate) use load::apart;
pub use model::ServedModel;
use probation::Probation;
pub(crate) use probation::{is_own_rollback, own_rollback_reason};
pub(crate) use rollout::agreement;
pub(crate) use rules::{may_help as rules_may_help, with_rules};
pub use status::{AliasStatus, BaseStatus, DeploymentStatus, ServingStatus};

pub use graft_predict::{Adjustments, End, Error as AnswerError, Piece, Sampling, TokenInfo};

use crate::{Engine, Result, versions::Chosen};

/// What serving may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Answers written side by side, of each base model.
    pub slots: usize,
    /// The same on a GPU.
    pub gpu_slots: usize,
    /// Where they are computed.
    pub device: ComputeDevice,
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
        let Limits { slots, gpu_slots, cache_bytes, .. } = Limits::default();
        let device = ComputeDevice::default();
        Self { slots, gpu_slots, device, queue: 64, cache_bytes, memory: 2 << 30, preload: true }
    }
}

/// Who answers, and the threads that compute.
#[derive(Clone)]
pub struct Serving(Arc<Inner>);

struct Inner {
    engine: Engine,
    options: Options,
    state: Mutex<State>,
    /// Whether a deployment answers once before it answers others.
    warms_up: bool,
    /// Loads come one after the other.
    loading: tokio::sync::Mutex<()>,
    /// Held while an alias is read from the store and changed, so that no other task changes it in between.
    turning: tokio::sync::Mutex<()>,
    uses: AtomicU64,
    listener: OnceLock<ended::Listener>,
    /// Answers that are compared with the other version's of a roll-out; absent where none is followed.
    given: OnceLock<mpsc::Sender<rollout::Given>>,
    tallies: tally::Tallies,
    following: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Default)]
struct State {
    deployments: HashMap<Digest, Arc<Deployment>>,
    /// Given up, but perhaps still in flight.
    retired: Vec<Weak<Deployment>>,
    aliases: HashMap<String, Alias>,
    /// Cards of adapters that were made elsewhere, by the digest of their files.
    adopted: HashMap<Digest, AdapterCard>,
    /// Contestants that are no versions, by the digests of task card and dataset.
    fitted: HashMap<(Digest, Digest, Kind), Arc<graft_contestants::Contestant>>,
    /// Deployments of versions asked for by name; forgotten when a version changes.
    named: HashMap<(String, String), Digest>,
    /// The first requests of each task's active version.
    probations: HashMap<String, Probation>,
    /// Why the version that is active doesn't answer, or no longer is.
    faults: HashMap<String, Fault>,
    /// The roll-out of each task that has one.
    rollouts: HashMap<String, Arc<graft_store::Rollout>>,
    /// What happened in each roll-out, and is not kept yet.
    seen: HashMap<i64, rollout::Seen>,
}

/// What stands for a task.
struct Alias {
    deployment: Arc<Deployment>,
    previous: Option<Arc<Deployment>>,
}

/// What people should know of a task's active version.
struct Fault {
    text: String,
    /// It could not be loaded, and is tried again.
    behind: bool,
}

impl Serving {
    /// Begins to serve; follows the active versions from now on, whoever changes them. Must be called within a tokio
    /// runtime.
    pub async fn start(engine: Engine, options: Options) -> Result<Self> {
        let watch = engine.store.watch().await?;
        let seen = engine.store.newest_change().await?;
        let serving = Self::new(engine, options, true);
        serving.follow_rollouts().await?;
        let (give, given) = rollout::queue();
        if serving.0.given.set(give).is_ok() {
            tokio::spawn(rollout::tend(Arc::downgrade(&serving.0), given));
        }
        if options.preload {
            tokio::spawn(promote::preload(Arc::downgrade(&serving.0)));
        }
        let task = tokio::spawn(follow::follow(Arc::downgrade(&serving.0), watch, seen));
        *serving.0.following.lock().unwrap_or_else(PoisonError::into_inner) = Some(task);
        Ok(serving)
    }

    /// Answers written side by side by one command.
    pub const SIDE_BY_SIDE: usize = 24;
    /// The same on a GPU.
    pub const SIDE_BY_SIDE_ON_GPU: usize = 64;

    /// Answers for one command, so many side by side if that is said: what is asked for is loaded when it is, and changes
    /// of the active versions are not followed.
    #[must_use]
    pub fn once(engine: Engine, slots: Option<usize>) -> Self {
        let gpu_slots = slots.unwrap_or(Self::SIDE_BY_SIDE_ON_GPU);
        let (slots, device) = (slots.unwrap_or(Self::SIDE_BY_SIDE), engine.device);
        Self::new(engine, Options { slots, gpu_slots, device, preload: false, ..Options::default() }, false)
    }

    fn new(engine: Engine, options: Options, warms_up: bool) -> Self {
        Self(Arc::new(Inner {
            engine,
            options,
            state: Mutex::default(),
            warms_up,
            loading: tokio::sync::Mutex::new(()),
            turning: tokio::sync::Mutex::new(()),
            uses: AtomicU64::new(0),
            listener: OnceLock::new(),
            given: OnceLock::new(),
            tallies: tally::Tallies::default(),
            following: Mutex::default(),
        }))
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.0.engine
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks a task's active version (or the canary of its roll-out), or the one named.
    ///
    /// # Errors
    /// There is no such version or it can't be loaded; the queue is full.
    pub async fn begin(
        &self,
        task: &str,
        version: Option<&str>,
        prompt: &Prompt,
        format: &Format,
        options: &AnswerOptions,
    ) -> Result<Answering> {
        if let Some(version) = version {
            let deployment = self.version(task, version).await?;
            return self.ask(&deployment, Asker::ForVersion, prompt, format, options).await;
        }
        let (deployment, timed) = self.choose(task, prompt, options).await?;
        let mut answering = self.ask(&deployment, Asker::ForTask, prompt, format, options).await?;
        answering.timed = timed;
        if let (Prompt::Input(input), false) = (prompt, options.untraced) {
            self.count_input(task, input);
            if *format == Format::Own && options.sampling.is_none() {
                answering.compared = Some(input.clone());
            }
        }
        Ok(answering)
    }

    /// The answer of a task's active version, or of the one named, to an input.
    ///
    /// # Errors
    /// As [`begin`](Self::begin), and why there is no answer.
    pub async fn answer(
        &self,
        task: &str,
        version: Option<&str>,
        input: &str,
        options: &AnswerOptions,
    ) -> Result<Answer> {
        let prompt = Prompt::Input(input.to_owned());
        self.begin(task, version, &prompt, &Format::Own, options).await?.whole().await
    }

    /// What answers for a task, or the version named; loaded if it isn't yet.
    ///
    /// # Errors
    /// There is no such version or it can't be loaded.
    pub async fn deployment(&self, task: &str, version: Option<&str>) -> Result<Arc<Deployment>> {
        match version {
            None => self.active(task).await,
            Some(version) => self.version(task, version).await,
        }
    }

    /// A version or an adapter's folder with the base it was trained with; loaded if it isn't yet.
    ///
    /// # Errors
    /// The base is missing or has changed; the adapter doesn't fit; its task is not known.
    pub async fn deploy(&self, chosen: Chosen) -> Result<Arc<Deployment>> {
        let definition = self.engine().versions().definition(&chosen).await?;
        let home = self.engine().home.clone();
        self.load(apart(move || DeploymentSpec::of(chosen, definition, &home)).await?).await
    }

    /// The deployment of the bare base model of an adapter, asked as the adapter is.
    pub(crate) async fn deploy_bare(&self, chosen: &Chosen) -> Result<Arc<Deployment>> {
        let definition = self.engine().versions().definition(chosen).await?;
        self.load(DeploymentSpec::bare(chosen, definition)?).await
    }

    /// Asks a base model by its name, without task or adapter.
    ///
    /// # Errors
    /// There is no such base; as [`begin`](Self::begin).
    pub async fn begin_base(
        &self,
        name: &str,
        prompt: &Prompt,
        format: &Format,
        options: &AnswerOptions,
    ) -> Result<Answering> {
        let bases = self.engine().store.bases().await?;
        let Some(base) = bases.into_iter().find(|base| base.name == name) else {
            return Err(graft_store::Error::NoBase(name.to_owned()).into());
        };
        let base = BaseRef { name: base.name, digest: base.digest };
        let card = TaskCard { name: base.name.clone(), instruction: String::new(), answer: AnswerForm::Text };
        let (task, source) = (base.name.clone(), Source::Model(base, None));
        let definition = Task::of_card(&card);
        let spec = DeploymentSpec { definition, task, version: None, card, source, evaluation: None };
        self.ask(&self.load(spec).await?, Asker::ForVersion, prompt, format, options).await
    }

    /// Loads a version and lets it answer once, so that it can become active without anybody waiting.
    ///
    /// # Errors
    /// Why it can't answer.
    pub async fn prepare(&self, task: &str, version: &str) -> Result<Digest> {
        Ok(self.load_version(task, version).await?.digest.clone())
    }
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
