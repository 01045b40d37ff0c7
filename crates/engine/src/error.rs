use std::{io, path::PathBuf};

use graft_contestants::Kind;
use graft_core::{ExitCode, Failure};
use graft_exec::Ending;
use graft_tasks::{
    cards::Integration,
    score::{Comparison, Verdict},
};
use serde::Serialize;

/// What can go wrong in what the commands ask for.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    // What the rooms below say
    /// From the store.
    #[error(transparent)]
    Store(#[from] graft_store::Error),
    /// About a base model.
    #[error(transparent)]
    Hub(#[from] graft_hub::Error),
    /// About where a run executes.
    #[error(transparent)]
    Executor(graft_exec::Error),
    /// About a tracker.
    #[error(transparent)]
    Track(#[from] graft_track::Error),
    /// About a receiver of alerts.
    #[error(transparent)]
    Notify(#[from] graft_notify::Error),
    /// About rented machines.
    #[error(transparent)]
    Cloud(#[from] graft_cloud::Error),
    /// About a service that requests are passed on to.
    #[error(transparent)]
    Upstream(#[from] graft_upstream::Error),
    /// Settings of such a service that can't be used.
    #[error("set the upstream of task `{task}`: `{field}`: {reason}")]
    BadUpstream {
        /// The task.
        task: String,
        /// The setting.
        field: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// About adapters in a bucket.
    #[error(transparent)]
    Artifacts(#[from] graft_artifacts::Error),
    /// From an importer, a task card or a score.
    #[error(transparent)]
    Tasks(#[from] graft_tasks::Error),
    /// About a run directory.
    #[error(transparent)]
    Train(#[from] graft_train::Error),
    /// About model or adapter files.
    #[error(transparent)]
    Formats(#[from] graft_formats::Error),
    /// About a model, an adapter or a prompt.
    #[error(transparent)]
    Nn(#[from] graft_nn::Error),
    /// About answers.
    #[error(transparent)]
    Predict(#[from] graft_predict::Error),
    /// A setting out of range.
    #[error(transparent)]
    Setting(#[from] graft_core::Error),

    // Files
    /// Neither `GRAFT_HOME` nor the platform names a folder for state.
    #[error("find a folder for Graft's files")]
    NoHome,
    /// The file system refused.
    #[error("{doing} `{}`", path.display())]
    Io {
        /// Verb.
        doing: &'static str,
        /// File or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// `events.jsonl` holds something else.
    #[error("read the events in `{}`", path.display())]
    BadEvents {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: serde_json::Error,
    },

    /// `evaluation.json` holds something else.
    #[error("read the numbers in `{}`", path.display())]
    BadResult {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: serde_json::Error,
    },

    /// Another database has its adapters there.
    #[error("publish in `{place}`, which belongs to another database")]
    OtherPlace {
        /// URL of the place.
        place: String,
    },

    /// A study has no result yet.
    #[error("find a finished trial of study `{study}`")]
    NoTrial {
        /// The study.
        study: String,
    },

    /// A run is to be tracked, and there is no tracker.
    #[error("track the run: no tracker is configured")]
    NoTracker,
    /// No MLflow server is configured.
    #[error("read runs from MLflow: no server is configured")]
    NoMlflow,
    /// No training service is configured.
    #[error("find the training service: CEREBROS_URL is not set")]
    NoTrainingService,

    /// A table of a dataset that can't be read.
    #[error("read `{name}`")]
    BadTable {
        /// Its name.
        name: String,
        /// What is wrong with it.
        #[source]
        source: Box<Error>,
    },

    // Tasks
    /// Nothing new is made for an archived task.
    #[error("add to the task `{task}`, which is archived")]
    Archived {
        /// The task.
        task: String,
    },
    /// A built-in task keeps its name.
    #[error("rename the task `{task}`, which is part of Graft")]
    BuiltInTask {
        /// The task.
        task: String,
    },
    /// No task belongs to an integration.
    #[error("find the task that belongs to {integration}")]
    NoIntegration {
        /// The integration.
        integration: Integration,
    },
    /// The form of a task changed, and no example fits it.
    #[error("find an example that fits the form of task `{task}`: of {examples}, the first has this problem: {reason}")]
    NoneFits {
        /// The task.
        task: String,
        /// How many there are.
        examples: usize,
        /// What is wrong with the first.
        reason: String,
    },

    // Data
    /// Nothing that could train.
    #[error("find an approved example of task `{task}` ({pending} are pending, {rejected} rejected)")]
    NoExamples {
        /// The task.
        task: String,
        /// Not looked at yet.
        pending: u64,
        /// Not to be used.
        rejected: u64,
    },
    /// Every approved output is blank.
    #[error("train on {examples} approved examples of task `{task}`: their answers are blank")]
    NothingToLearn {
        /// The task.
        task: String,
        /// How many there are.
        examples: usize,
    },
    /// Nothing is left beside the held-out examples.
    #[error("find a training example: all {examples} of task `{task}` are held out")]
    AllHeldOut {
        /// The task.
        task: String,
        /// How many there are.
        examples: usize,
    },
    /// An import whose labels are all others than those of its task.
    #[error("import the labels {new} for task `{task}`: its approved examples have other labels ({has})")]
    MixesLabels {
        /// The task.
        task: String,
        /// Labels of its approved examples.
        has: String,
        /// Labels of the import.
        new: String,
    },
    /// An approved output that doesn't follow the task's form.
    #[error("use example `{id}`")]
    BadExample {
        /// Its id.
        id: String,
        /// What is wrong with it.
        #[source]
        source: graft_predict::Error,
    },
    /// An output given by a person that doesn't follow the task's form.
    #[error("use this output for task `{task}`: {reason}")]
    BadOutput {
        /// The task.
        task: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A line or row of inputs without a text.
    #[error("read {at} of `{}`: {reason}", path.display())]
    BadInput {
        /// The file.
        path: PathBuf,
        /// `line 3`, `row 3`.
        at: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An id that several tasks have, or none.
    #[error("select example `{id}`: {count} tasks have one with this id")]
    WhichExample {
        /// As given.
        id: String,
        /// Tasks that have it.
        count: usize,
    },

    // Runs
    /// Another process trains in the directory.
    #[error("train in `{}`: another process is using it", dir.display())]
    RunBusy {
        /// The run directory.
        dir: PathBuf,
    },
    /// The trainer can't be started.
    #[error("start the trainer")]
    TrainerStart(#[source] io::Error),
    /// The trainer ended with an error of its own.
    #[error("finish run `{run}`")]
    TrainerFailed {
        /// The run.
        run: String,
        /// What it said.
        #[source]
        failure: Box<Failure>,
    },
    /// The trainer ended without saying why.
    #[error("finish run `{run}`: its trainer ended without a result ({how})")]
    TrainerDied {
        /// The run.
        run: String,
        /// `signal 9`, `exit code 101`.
        how: String,
        /// Whether something outside ended it, so that trying again may help.
        transient: bool,
    },
    /// A cluster ended the trainer's job.
    #[error("finish run `{run}`: {how}")]
    JobEnded {
        /// The run.
        run: String,
        /// Why.
        how: Ending,
    },
    /// The trainer took more memory than it may.
    #[error("finish run `{run}`: not enough memory ({why})")]
    TrainerOutOfMemory {
        /// The run.
        run: String,
        /// How that is known.
        why: String,
    },
    /// Somebody wanted the run to end.
    #[error("continue run `{run}`, which was cancelled")]
    Cancelled {
        /// The run.
        run: String,
    },
    /// Every trainer that was started for the run vanished.
    #[error("finish run `{run}`: {attempts} trainers were started, and none finished")]
    Poisoned {
        /// The run.
        run: String,
        /// How many.
        attempts: u32,
    },
    /// A part of the work that a process of its own does failed.
    #[error("{doing} of run `{run}`")]
    ChildFailed {
        /// The run.
        run: String,
        /// What was being done.
        doing: &'static str,
        /// The child's exit code.
        code: ExitCode,
        /// What it said.
        #[source]
        cause: Said,
    },
    /// A problem prevents a run.
    #[error("queue a run: {}", first_problem(_0))]
    NotReady(Box<crate::Preflight>),
    /// The spec that is stored with a run can't be read.
    #[error("read the settings of run `{run}`")]
    BadSpec {
        /// The run.
        run: String,
        /// What is wrong.
        #[source]
        source: serde_json::Error,
    },
    /// A cron pattern or time zone that can't be understood.
    #[error("understand the schedule `{0}`")]
    BadSchedule(String, #[source] Said),
    /// A backup that can't be read.
    #[error("restore `{}`: {what}", path.display())]
    BadBackup {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// A version that answers with what only its own machine has.
    #[error("bundle version `{version}` of task `{task}`: a command or an endpoint of this machine answers for it")]
    Unbundled {
        /// The task.
        task: String,
        /// The version.
        version: String,
    },
    /// An agent's home that is somebody's own.
    #[error("hold versions of a server in `{}`, which has versions of its own", home.display())]
    OwnVersions {
        /// The home.
        home: PathBuf,
    },
    /// A version bundle that can't be read.
    #[error("read the version bundle: {what}")]
    BadBundle {
        /// What is wrong.
        what: String,
    },
    /// A restore over files.
    #[error("restore into `{}`, which already contains `{found}`", home.display())]
    HomeNotEmpty {
        /// The home.
        home: PathBuf,
        /// What is there.
        found: String,
    },
    /// The run has nothing to register yet.
    #[error("use run `{run}`, which has no result")]
    NoResult {
        /// The run.
        run: String,
    },

    /// A text that `ssh` would take for something else than a machine.
    #[error("use `{0}` as a machine")]
    BadDestination(String),
    /// It is no address of a Ray cluster.
    #[error("use `{0}` as the address of a Ray cluster")]
    BadAddress(String),

    // Versions
    /// Results of a version that has none.
    #[error("export the results of version `{version}`, which was not evaluated")]
    NotEvaluated {
        /// The task.
        task: String,
        /// The version.
        version: String,
    },
    /// A worse version than the one it would replace.
    #[error(
        "make version `{version}` of task `{task}` active: its {} is {:.3}, that of {opponent} {:.3} \
         (difference {:+.3}, {:+.3} to {:+.3}{})",
        comparison.metric,
        comparison.new,
        comparison.old,
        comparison.difference,
        comparison.low,
        comparison.high,
        if comparison.verdict == Verdict::Worse { "" } else { ": not significant with so few examples" }
    )]
    NotBetter {
        /// The task.
        task: String,
        /// The new version.
        version: String,
        /// What it would replace, in words.
        opponent: String,
        /// The contestant that is better, where one is.
        contestant: Option<Kind>,
        /// The numbers.
        comparison: Box<Comparison>,
    },
    /// A version that answers without a language model, where an adapter is needed.
    #[error("use version `{version}` of task `{task}` as an adapter: it is {method} and needs no base model")]
    NoAdapter {
        /// The task.
        task: String,
        /// The version.
        version: String,
        /// How it answers.
        method: &'static str,
    },
    /// There is no such contestant.
    #[error(transparent)]
    Contestant(#[from] graft_contestants::Error),
    /// Not told which task.
    #[error("select a task: {}", if has.is_empty() { "none has a version".into() } else { has.join(", ") })]
    WhichTask {
        /// Tasks that have versions.
        has: Vec<String>,
    },
    /// A version may not become active yet by the policy of its roll-out.
    #[error("make version `{version}` of task `{task}` active: open: {open}")]
    RolloutOpen {
        /// The task.
        task: String,
        /// The version.
        version: String,
        /// What must hold and doesn't yet.
        open: String,
    },
    /// A training can't start from the version that was asked for.
    #[error("start from version `{version}`: {what}")]
    StartFrom {
        /// The version.
        version: String,
        /// What doesn't fit.
        what: String,
    },
    /// The adapter's folder is not what was registered.
    #[error("use version `{version}` of task `{task}`: {what}")]
    BadVersion {
        /// The task.
        task: String,
        /// The version.
        version: String,
        /// What is wrong.
        what: String,
    },
    /// No version answers for the task.
    #[error("find the active version of task `{task}`")]
    NoActive {
        /// The task.
        task: String,
    },
    /// The base model's files have changed since the adapter was trained.
    #[error("use the base model `{name}` at `{path}`: its files are not those of digest {}", wanted.short())]
    OtherBase {
        /// Its name.
        name: String,
        /// Where it is.
        path: String,
        /// What the adapter was trained with.
        wanted: graft_core::Digest,
    },
    /// An adapter that can't be merged into its base model, or not in this form.
    #[error("merge {what}")]
    CannotMerge {
        /// What, and why.
        what: String,
        /// What to do instead.
        hint: &'static str,
    },
    /// A merged model whose answers are not those of base model and adapter.
    #[error(
        "export the merged model: {equal} of its {prompts} answers are those of base model and adapter, fewer than {percent} %"
    )]
    OtherAnswers {
        /// Equal answers.
        equal: usize,
        /// Answers.
        prompts: usize,
        /// Share that must be equal.
        percent: u8,
    },
    /// Something that this kind of adapter or model can't do.
    #[error("{0}")]
    Unsupported(String),
}

impl From<graft_exec::Error> for Error {
    fn from(error: graft_exec::Error) -> Self {
        use graft_exec::Error as E;
        match error {
            E::Busy { dir } => Self::RunBusy { dir },
            E::Start(source) => Self::TrainerStart(source),
            E::Io { doing, path, source } => Self::Io { doing, path, source },
            E::BadEvents { path, source } => Self::BadEvents { path, source },
            E::Thread(source) => Self::TrainerStart(io::Error::other(source)),
            other => Self::Executor(other),
        }
    }
}

/// What kind of failure another machine's is.
fn exit_code_of(error: &graft_exec::Error) -> ExitCode {
    use graft_exec::Error as E;
    match error {
        error if error.is_passing() => ExitCode::Network,
        E::NoSsh { .. }
        | E::HostKey { .. }
        | E::Denied { .. }
        | E::RemotePlatform { .. }
        | E::RemoteProgram { .. }
        | E::RemoteGpu { .. }
        | E::Slurm { .. }
        | E::Ray { .. }
        | E::RayOld { .. }
        | E::RayFolder { .. }
        | E::RayNode { .. }
        | E::RayDenied { .. }
        | E::ServiceDenied { .. }
        | E::ServiceAnswer { .. } => ExitCode::Usage,
        E::ServiceRefused { .. } => ExitCode::BadData,
        E::NoAdapter { .. } => ExitCode::ModelMissing,
        _ => ExitCode::Internal,
    }
}

/// The problems, in short.
fn first_problem(preflight: &crate::Preflight) -> String {
    let errors: Vec<&str> = preflight.errors().map(|problem| problem.what.as_str()).collect();
    match errors.as_slice() {
        [] => "it can't be planned".to_owned(),
        [one] => format!("failed to {one}"),
        [first, rest @ ..] => format!("failed to {first} (and {} more problems)", rest.len()),
    }
}

/// What another process said, as a cause.
#[derive(Debug)]
pub struct Said(pub String);

impl std::fmt::Display for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Said {}

impl Error {
    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Store(e) => e.hint(),
            Self::Executor(e) => e.hint(),
            Self::Track(e) => e.hint(),
            Self::Notify(e) => e.hint(),
            Self::Cloud(e) => e.hint(),
            Self::Artifacts(e) => e.hint(),
            Self::Hub(e) => e.hint(),
            Self::Tasks(e) => e.hint(),
            Self::Contestant(e) => e.hint().map(str::to_owned),
            Self::Upstream(e) => e.hint().map(str::to_owned),
            Self::Train(e) => e.hint(),
            Self::Formats(e) => e.hint(),
            Self::Nn(e) => e.hint(),
            Self::Predict(e) => e.hint(),
            Self::TrainerFailed { failure, .. } => failure.hint.clone(),
            Self::BadTable { source, .. } => source.hint(),
            _ => self.own_hint(),
        }
    }

    fn own_hint(&self) -> Option<String> {
        let hint = match self {
            Self::Setting(graft_core::Error::OutOfRange { hint, .. }) => hint,
            Self::BadUpstream { .. } => "docs/proxy.md describes the settings",
            Self::NoHome => "set GRAFT_HOME to a folder that this user may write to",
            Self::Io { source, .. } => graft_formats::disk_hint(source),
            Self::BadEvents { .. } => "another program changed the file; the run's checkpoints are intact",
            Self::NoTrial { .. } => "wait for its first trial: `graft studies show`",
            Self::NoTrainingService => "set CEREBROS_URL to its address, and CEREBROS_TOKEN if it wants a token",
            Self::NoTracker | Self::NoMlflow => {
                "set MLFLOW_TRACKING_URI, or `mlflow` in config.toml: see docs/tracking.md"
            }
            Self::OtherPlace { .. } => {
                "give each database its own prefix: s3://bucket/prefix; if the original \
                 database no longer exists, `graft restore --take-over` takes over its prefix"
            }
            Self::BadResult { .. } => "remove the file, so that the version is evaluated again",
            Self::NoExamples { task, pending: 0, .. } => {
                return Some(format!("import some with `graft import`; task `{task}` has none to approve"));
            }
            Self::NoExamples { task, .. } => {
                return Some(format!(
                    "look at them with `graft examples list --task {task}`, then approve or edit them"
                ));
            }
            Self::NothingToLearn { .. } => "give them an output with `graft examples edit`",
            Self::AllHeldOut { .. } => "approve more examples: an example that was held out once is never trained on",
            Self::Archived { .. } => "the task is archived: restore it first",
            Self::BuiltInTask { .. } => "clone it under the other name instead",
            Self::NoIntegration { .. } => "give a task this `integration`",
            Self::NoneFits { .. } => "edit the examples in Audit, or change the task's form back",
            Self::BadExample { id, .. } => {
                return Some(format!("correct it with `graft examples edit {id}`, or reject it"));
            }
            Self::BadOutput { .. } => "`graft examples show` prints the form of an example's output",
            Self::BadInput { .. } => {
                "write a line as {\"id\": …, \"text\": …}, or give a table, a Slack export or a plain text file"
            }
            Self::MixesLabels { .. } => "choose another task with `--task`, or mix the labels with `--mix-labels`",
            Self::WhichExample { .. } => "name the task with `--task`; `graft examples list` shows the ids",
            Self::RunBusy { .. } => "wait for it, or ask it to stop with `graft runs stop`",
            Self::TrainerStart(_) => "check that the graft program was not moved or replaced while it ran",
            Self::TrainerDied { run, .. } => {
                return Some(format!(
                    "`graft runs resume {run}` continues from the last checkpoint; its logs may have details"
                ));
            }
            Self::JobEnded { how: Ending::TimeLimit, .. } => {
                "it continues from its last checkpoint; add the machine with a longer `--time-limit`, or train for fewer epochs"
            }
            Self::JobEnded { run, .. } => {
                return Some(format!("`graft runs resume {run}` continues from the last checkpoint"));
            }
            Self::TrainerOutOfMemory { .. } => {
                "lower `--pass-tokens` to 256 and set `--recompute`, or stop other programs"
            }
            Self::Cancelled { run } => {
                return Some(format!("`graft runs retry {run} --resume` continues it"));
            }
            Self::Poisoned { run, .. } => {
                return Some(format!(
                    "its logs may say why: `graft runs logs {run} --stderr`; `graft runs resume {run}` tries again"
                ));
            }
            Self::ChildFailed { run, .. } => {
                return Some(format!("`graft runs retry {run} --resume` continues from here; its logs have details"));
            }
            Self::NotReady(preflight) => {
                let hints: Vec<&str> = preflight.errors().map(|problem| problem.hint.as_str()).collect();
                return Some(hints.join("; ")).filter(|hints| !hints.is_empty());
            }
            Self::BadAddress(_) => "give the address of its dashboard, such as `http://head:8265`",
            Self::BadDestination(_) => {
                "write it as `ssh` takes it: a name of ~/.ssh/config, user@host, or ssh://user@host:port"
            }
            Self::BadSchedule(..) => {
                "write five fields, as in `0 3 * * *` (each day at three), and a zone such as `Europe/Berlin` or `UTC`"
            }
            Self::BadBundle { .. } => {
                "a bundle is what `graft adapter export --bundle` writes, and what servers send to agents"
            }
            Self::CannotMerge { hint, .. } => hint,
            Self::OtherAnswers { percent: 100, .. } => {
                "keep the adapter apart: `graft adapter export --gguf`, `--peft` or `--bundle`"
            }
            Self::OtherAnswers { .. } => "the rounding of merged weights changes answers: choose `--outtype f32`",
            Self::Unbundled { .. } => "bundle a version whose rules are part of the task's definition, or an adapter",
            Self::BadBackup { .. } => "choose a file that `graft backup` wrote",
            Self::OwnVersions { .. } => "set GRAFT_HOME to a folder of the agent's own",
            Self::HomeNotEmpty { .. } => "set GRAFT_HOME to a folder that is empty or does not exist",
            Self::NotEvaluated { task, version } => {
                return Some(format!("evaluate it: `graft eval --task {task} --version {version}`"));
            }
            Self::NoResult { run } => return Some(format!("`graft runs show {run}` says why")),
            Self::NotBetter { task, contestant: Some(kind), .. } => {
                return Some(format!(
                    "serve the better one with `graft models contestant {} --task {task} --activate`, or activate this \
                     one anyway with `--force`",
                    kind.name()
                ));
            }
            Self::NotBetter { .. } => "activate it anyway with `--force`",
            Self::NoAdapter { .. } => "choose a trained version: `graft models list` shows the method of each",
            Self::WhichTask { .. } => "name it with `--task`",
            Self::RolloutOpen { .. } => {
                "`graft rollout status` shows its stage; an administrator may override the conditions with a reason, \
                 which is stored"
            }
            Self::StartFrom { .. } => "leave out the settings that differ, or train without `--from`",
            Self::BadVersion { .. } => "register it again by resuming its run, or delete it",
            Self::NoActive { .. } => "name one with `--version`, or make one active with `graft models set-active`",
            Self::OtherBase { .. } => {
                "an adapter works only with the base model it was trained with: restore its files"
            }
            _ => return None,
        };
        Some(hint.to_owned())
    }

    /// The public exit code.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Store(e) => e.exit_code(),
            Self::Executor(e) => exit_code_of(e),
            Self::Track(e) => e.exit_code(),
            Self::Notify(e) => e.exit_code(),
            Self::Cloud(e) => e.exit_code(),
            Self::Artifacts(e) => e.exit_code(),
            Self::Hub(e) => e.exit_code(),
            Self::Tasks(e) => e.exit_code(),
            Self::Train(e) => e.exit_code(),
            Self::Formats(e) => e.exit_code(),
            Self::Nn(e) => e.exit_code(),
            Self::Predict(e) => e.exit_code(),
            Self::TrainerFailed { failure, .. } => failure.code,
            Self::ChildFailed { code, .. } => *code,
            Self::BadTable { source, .. } => source.exit_code(),
            Self::TrainerOutOfMemory { .. } => ExitCode::OutOfMemory,
            Self::Poisoned { .. } => ExitCode::Internal,
            Self::Cancelled { .. } | Self::JobEnded { how: Ending::Cancelled, .. } => ExitCode::Stopped,
            Self::NotReady(_) | Self::BadBackup { .. } | Self::BadBundle { .. } | Self::BadSpec { .. } => {
                ExitCode::BadData
            }
            Self::BadSchedule(..)
            | Self::BadDestination(_)
            | Self::BadAddress(_)
            | Self::HomeNotEmpty { .. }
            | Self::OwnVersions { .. }
            | Self::Unbundled { .. } => ExitCode::Usage,
            Self::Io { .. } | Self::TrainerStart(_) | Self::TrainerDied { .. } | Self::JobEnded { .. } => {
                ExitCode::Internal
            }
            Self::BadEvents { .. }
            | Self::BadResult { .. }
            | Self::NoExamples { .. }
            | Self::NothingToLearn { .. }
            | Self::AllHeldOut { .. }
            | Self::MixesLabels { .. }
            | Self::BadExample { .. }
            | Self::BadInput { .. }
            | Self::BadOutput { .. } => ExitCode::BadData,
            Self::Setting(_)
            | Self::BadUpstream { .. }
            | Self::OtherPlace { .. }
            | Self::NoTracker
            | Self::NoMlflow
            | Self::NoTrainingService
            | Self::NoTrial { .. }
            | Self::NoHome
            | Self::WhichExample { .. }
            | Self::RunBusy { .. }
            | Self::WhichTask { .. }
            | Self::NoAdapter { .. }
            | Self::Contestant(graft_contestants::Error::NoKind(_) | graft_contestants::Error::Unfit { .. })
            | Self::Archived { .. }
            | Self::BuiltInTask { .. }
            | Self::NoIntegration { .. }
            | Self::CannotMerge { .. }
            | Self::Unsupported(_) => ExitCode::Usage,
            Self::NoneFits { .. } => ExitCode::BadData,
            Self::Contestant(
                graft_contestants::Error::File(_)
                | graft_contestants::Error::NoAnswer { .. }
                | graft_contestants::Error::Rules { .. },
            ) => ExitCode::BadData,
            Self::Contestant(graft_contestants::Error::Outside { .. } | graft_contestants::Error::NotAsked) => {
                ExitCode::Network
            }
            Self::Upstream(_) => ExitCode::Network,
            Self::NoResult { .. }
            | Self::NotEvaluated { .. }
            | Self::BadVersion { .. }
            | Self::StartFrom { .. }
            | Self::NoActive { .. }
            | Self::OtherBase { .. } => ExitCode::ModelMissing,
            Self::NotBetter { .. } | Self::RolloutOpen { .. } | Self::OtherAnswers { .. } => ExitCode::NotBetter,
        }
    }
}

/// What is wrong with one setting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SettingProblem {
    /// Its name.
    pub field: &'static str,
    /// What is wrong.
    pub detail: String,
}
