//! Checks everything that would make a run fail before it is queued, and reports all problems at once.

use std::collections::BTreeSet;

use graft_core::{AnswerForm, BaseRef, ExampleId, TaskCard, TrainSpec};
use graft_tasks::cards::Task;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Learned, Plan, RunRequest, Runs, Settings,
    estimate::RunEstimate,
    recipes::{Efforts, Recipe, recipe},
};
use crate::{
    Error, Result,
    examples::{Prepared, READY},
    files::{apart, free_bytes},
};

graft_core::names! {
    /// How bad a problem is.
    #[schema(as = PreflightLevel)]
    pub enum Level {
        /// The run would fail.
        Error = "error",
        /// It would run, with something to know.
        Warning = "warning",
    }
}

/// A problem of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = PreflightProblem)]
pub struct Problem {
    /// How bad it is.
    pub level: Level,
    /// What it is; fits "failed to …".
    pub what: String,
    /// What to do about it.
    pub hint: String,
    /// The field of the request it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

impl Problem {
    pub(crate) fn error(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { level: Level::Error, what: what.into(), hint: hint.into(), field: None }
    }

    fn warning(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { level: Level::Warning, ..Self::error(what, hint) }
    }

    /// About a field.
    pub(crate) fn of(self, field: &str) -> Self {
        Self { field: Some(field.to_owned()), ..self }
    }

    fn from_error(error: &Error, field: &str) -> Self {
        Self::error(graft_core::with_causes(error), error.hint().unwrap_or_default()).of(field)
    }
}

/// The result of checking a request.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Preflight {
    /// Whether there is no blocking problem.
    pub ok: bool,
    /// All problems and warnings.
    pub problems: Vec<Problem>,
    /// What the run would take, where that can be told.
    pub estimate: Option<RunEstimate>,
    /// For LoRA on a T5 base, unless `targets` are given: what it would take with `targets: ["decoder"]`, which keeps
    /// the encoder's output and is faster. Its `quality` tells how good that was on one's own data.
    pub decoder_only: Option<RunEstimate>,
    /// The epochs of each effort.
    pub efforts: Option<Efforts>,
    /// Which examples it learns where it starts from a version.
    pub warm_start: Option<Learned>,
    /// The command that does the same in the foreground.
    pub command: String,
    /// Every setting as the run would get it.
    #[schema(value_type = Option<Object>)]
    pub spec: Option<TrainSpec>,
    #[serde(skip)]
    pub(crate) plan: Option<Plan>,
}

impl Preflight {
    /// The problems, without warnings.
    pub fn errors(&self) -> impl Iterator<Item = &Problem> {
        self.problems.iter().filter(|problem| problem.level == Level::Error)
    }
}

/// Room on the disk that a run needs beside its checkpoints.
const DISK_AT_LEAST: u64 = 64 << 20;

impl Runs<'_> {
    /// Checks a request without queueing anything: data, base model, settings, disk and memory, all problems at once;
    /// and estimates what it would take.
    ///
    /// # Errors
    /// Only what keeps the checks themselves from being made; problems of the run are in the answer.
    pub async fn preflight(self, request: &RunRequest) -> Result<Preflight> {
        self.preflight_of(request, None).await
    }

    /// The same with these of the approved examples, if they are named.
    pub(super) async fn preflight_of(
        self,
        request: &RunRequest,
        only: Option<&BTreeSet<ExampleId>>,
    ) -> Result<Preflight> {
        let mut problems = Vec::new();
        self.look_around(request, &mut problems).await?;
        let prepared = self.check_data(request, only, &mut problems).await;
        let start = match &prepared {
            Some(prepared) => self.warm_start(request, &prepared.dataset).await,
            None => Ok(None),
        };
        let start = start.unwrap_or_else(|error| {
            problems.push(Problem::from_error(&error, "init_from"));
            None
        });
        let base = match &start {
            Some(start) => self.engine.bases().open(&start.base).await,
            None => self.engine.bases().find(&request.base).await,
        };
        let base = match base {
            Ok((base, files)) => Some((base, Some(files))),
            Err(error) => {
                let wanted = start.as_ref().map_or_else(|| BaseRef::unseen(&request.base), |start| start.base.clone());
                self.missing(wanted, &error, &mut problems).await.map(|base| (base, None))
            }
        };
        let examples = prepared.as_ref().map_or(0, |prepared| prepared.dataset.train.len());
        let definition = match &prepared {
            Some(prepared) => prepared.task.definition.clone(),
            // That the task is unknown was told already.
            None => self.engine.tasks().definition(&request.task).await.unwrap_or_else(|_| unknown(&request.task)),
        };
        let fresh = match &start {
            Some(start) => start.recipe(&definition),
            None => recipe(&definition, request.method, examples),
        };
        let recipe = settle(&request.settings, &fresh.clone().with(request.effort), &mut problems);
        problems.extend(start.as_ref().and_then(|start| start.check(&recipe).err()));
        let warm_start = start.as_ref().map(|start| start.learned.clone());
        let (mut plan, mut estimate, mut decoder_only, mut efforts) = (None, None, None, None);
        if let (Some(prepared), Some((base, files))) = (prepared, base) {
            efforts = Some(Efforts::of(fresh.optim.epochs));
            let drafted = Plan { prepared, base, recipe, start, run: None, dir: None };
            // Without the files nothing can be measured; the trainer checks lengths and memory itself.
            if let Some(files) = files {
                let is_choice =
                    files.config.has_encoder() && request.settings.targets.is_none() && drafted.start.is_none();
                match self.estimate(&drafted, files, is_choice).await {
                    Ok((whole, other)) => {
                        // What another machine has is found out there, before anything is sent.
                        if request.on.is_none() {
                            self.check_room(&whole, drafted.recipe.limits.memory, &mut problems).await?;
                        }
                        check_lengths(&whole, &mut problems);
                        (estimate, decoder_only) = (Some(whole), other);
                    }
                    Err(error) => problems.push(Problem::from_error(&error, "base")),
                }
            }
            if let Some(last) = self.same(&drafted).await? {
                let what = format!("find anything new since run `{}`: the same examples and settings", last.id);
                let hint = "approve or correct more examples first, or change a setting; its version is there already";
                problems.push(Problem::warning(what, hint));
            }
            plan = Some(drafted);
        }
        let ok = problems.iter().all(|problem| problem.level == Level::Warning);
        let spec = plan.as_ref().map(|plan| plan.spec(String::new()));
        let command = request.command();
        Ok(Preflight { ok, problems, estimate, decoder_only, efforts, warm_start, command, spec, plan })
    }

    /// A base model that can't be used here, if the run may download it first; otherwise that is a problem.
    async fn missing(self, wanted: BaseRef, error: &Error, problems: &mut Vec<Problem>) -> Option<BaseRef> {
        let (bases, name) = (self.engine.bases(), wanted.name.as_str());
        if !bases.is_absent(name).await {
            problems.push(Problem::from_error(error, "base"));
            return None;
        }
        let problem = match bases.check_pull(name).await {
            Ok(()) => {
                let what = format!("find base `{name}` on this machine");
                problems.push(Problem::warning(what, "the run downloads it first").of("base"));
                return Some(wanted);
            }
            Err(error) => Problem::from_error(&error, "base"),
        };
        problems.push(match bases.terms(name) {
            Some(terms) => {
                let hint = format!(
                    "read the terms at {terms}, and accept them where the model is downloaded: Settings, Base models, or \
                     `graft base pull`"
                );
                Problem { hint, ..problem }
            }
            None => problem,
        });
        None
    }

    /// What is known without reading data or models.
    async fn look_around(self, request: &RunRequest, problems: &mut Vec<Problem>) -> Result<()> {
        if let Some(run) = self.engine.store.active_run(&request.task).await? {
            let hint = format!("wait for it, or cancel it: `graft runs cancel {}`", run.id);
            let what =
                format!("start a second run of task `{}` while run `{}` is {}", run.task, run.id, run.state.name());
            problems.push(Problem::warning(what, hint));
        }
        if let Some(after) = &request.after {
            match self.engine.store.run(after).await {
                Ok(run) if run.state.is_active() || run.state == graft_store::RunState::Succeeded => {}
                Ok(run) => problems.push(
                    Problem::error(
                        format!("wait for run `{after}`, which is {}", run.state.name()),
                        "name one that is queued, running or has succeeded",
                    )
                    .of("after"),
                ),
                Err(error) => problems.push(Problem::from_error(&error.into(), "after")),
            }
        }
        if let Some(name) = &request.version
            && let Err(error) = self.engine.store.check_new_version(&request.task, name).await
        {
            problems.push(Problem::from_error(&error.into(), "version"));
        }
        if let Some(name) = &request.on
            && let Err(error) = self.engine.machines().check_name(name).await
        {
            problems.push(Problem::from_error(&error, "on"));
        }
        if request.activate && !request.evaluate {
            let what = "activate a version that was not evaluated";
            problems.push(Problem::error(what, "leave out `activate`, or let it be evaluated").of("activate"));
        }
        if let Some(share) = request.eval_share.filter(|share| !(0.0..1.0).contains(share)) {
            let what = format!("use `{share}` for `eval_share`");
            problems.push(Problem::error(what, "from 0 to below 1").of("eval_share"));
        }
        if request.replay.is_some() && request.init_from.is_none() {
            let hint = "name the version to start from with `init_from`";
            problems.push(Problem::error("use `replay` for a training that starts anew", hint).of("replay"));
        }
        Ok(())
    }

    async fn check_data(
        self,
        request: &RunRequest,
        only: Option<&BTreeSet<ExampleId>>,
        problems: &mut Vec<Problem>,
    ) -> Option<Prepared> {
        let prepared = match self.engine.examples().prepare(&request.task, request.rule(), only).await {
            Ok(prepared) => prepared,
            Err(error) => {
                problems.push(Problem::from_error(&error, "task"));
                return None;
            }
        };
        let approved = prepared.dataset.train.len() + prepared.dataset.eval.len();
        if approved < READY {
            let what = format!("find {READY} approved examples of task `{}`: there are {approved}", request.task);
            problems.push(Problem::error(what, format!("approve {} more", READY - approved)).of("task"));
        }
        if prepared.task.archived {
            problems.push(Problem::from_error(&Error::Archived { task: request.task.clone() }, "task"));
        }
        if prepared.unfit > 0 {
            let what = format!("use {} approved examples: they don't fit the task's form", prepared.unfit);
            problems.push(Problem::warning(what, "they are not used; edit them in Audit").of("task"));
        }
        if prepared.dataset.eval.is_empty() && request.evaluate {
            let hint = "its version can't be scored; hold out a share of the examples";
            problems.push(Problem::warning("hold out an example", hint).of("eval_share"));
        }
        for (what, hint) in prepared.lopsided() {
            problems.push(Problem::warning(what, hint).of("split"));
        }
        match self.engine.evaluations().suspects(&request.task).await.map(|suspects| suspects.summary()) {
            Ok(Some((count, found))) => {
                let what = format!("trust all {approved} approved examples: {count} are suspect: {found}");
                let hint = format!("check them in Audit, `Suspect first`, or with `graft suspects {}`", request.task);
                problems.push(Problem::warning(what, hint));
            }
            Ok(None) => {}
            Err(error) => problems.push(Problem::from_error(&error, "task")),
        }
        match prepared.rows() {
            Ok(_) => Some(prepared),
            Err(error) => {
                problems.push(Problem::from_error(&error, "task"));
                None
            }
        }
    }

    async fn check_room(self, estimate: &RunEstimate, given: Option<u64>, problems: &mut Vec<Problem>) -> Result<()> {
        let megabytes = |bytes: u64| bytes / 1_000_000;
        if let Some(available) = given.or_else(graft_train::available_memory)
            && estimate.memory_bytes > available
        {
            let what = format!(
                "fit the run into memory: it takes about {} MB, {} MB are available",
                megabytes(estimate.memory_bytes),
                megabytes(available)
            );
            let hint = "lower `pass_tokens` to 256 and set `recompute`, or stop other programs";
            problems.push(Problem::error(what, hint).of("pass_tokens"));
        }
        let needed = DISK_AT_LEAST + estimate.disk_bytes;
        let home = self.engine.home.clone();
        let free = apart("look at the disk", move || Ok(free_bytes(home.path()))).await?;
        if let Some(free) = free.filter(|free| *free < needed) {
            let (needed, free) = (megabytes(needed), megabytes(free));
            let what = format!("find {needed} MB of disk for checkpoints and the adapter: {free} MB are free");
            problems.push(Problem::error(what, "free some space, or delete old runs: `graft runs delete`"));
        }
        Ok(())
    }
}

/// A task of which only the name is known.
fn unknown(name: &str) -> Task {
    let (name, instruction) = (name.to_owned(), String::new());
    Task::of_card(&TaskCard { name, instruction, answer: AnswerForm::Text })
}

/// Examples that are longer than the run's limits are not learned from.
fn check_lengths(estimate: &RunEstimate, problems: &mut Vec<Problem>) {
    let (fit, all) = (estimate.train, estimate.train + estimate.too_long);
    let hint = "raise `max_tokens` (or `max_source` and `max_target` for a T5), which takes more memory";
    if fit == 0 {
        let what = format!("train on any of {all} examples: all are longer than the limit");
        problems.push(Problem::error(what, hint).of("max_tokens"));
    } else if estimate.too_long > 0 {
        let what = format!("train on {} of {all} examples: they are longer than the limit", estimate.too_long);
        problems.push(Problem::warning(what, hint).of("max_tokens"));
    }
}

/// What a run is trained with; settings that can't be used are reported, each of them, and left out.
fn settle(given: &Settings, fresh: &Recipe, problems: &mut Vec<Problem>) -> Recipe {
    let mut settings = given.clone();
    loop {
        let mut recipe = fresh.clone();
        let problem = settings.apply(&mut recipe).err().or_else(|| match recipe.check() {
            Err(error @ graft_core::Error::OutOfRange { field, hint, .. }) => {
                Some(Problem::error(error.to_string(), hint).of(&field.replace('-', "_")))
            }
            _ => None,
        });
        let Some(problem) = problem else { return recipe };
        let without = settings.without(problem.field.as_deref().unwrap_or_default());
        let stuck = without == settings;
        problems.push(problem);
        if stuck {
            return recipe;
        }
        settings = without;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Engine, Home};

    #[tokio::test]
    async fn preflight_reports_all_problems() {
        let home = tempfile::tempdir().unwrap();
        let engine = Engine::open(Home::at(home.path()).unwrap(), "test").await.unwrap();
        let asked = r#"{"task": "sentiment", "base": "nobody", "after": "no-run", "eval_share": 2, "settings":
            {"epochs": -1, "rank": 0, "beta2": 7, "prompt_tokens": 3}}"#;
        let found = engine.runs().preflight(&serde_json::from_str(asked).unwrap()).await.unwrap();
        let fields: Vec<&str> = found.errors().filter_map(|problem| problem.field.as_deref()).collect();
        assert_eq!(fields, ["after", "eval_share", "task", "base", "prompt_tokens", "epochs", "beta2", "rank"]);
        assert!(!found.ok && found.errors().all(|problem| !problem.hint.is_empty()), "{found:#?}");
    }

    #[tokio::test]
    async fn full_disk_prevents_queueing() {
        let home = tempfile::tempdir().unwrap();
        let engine = Engine::open(Home::at(home.path()).unwrap(), "test").await.unwrap();
        let of = |disk_bytes| RunEstimate {
            train: 1,
            too_long: 0,
            eval: 1,
            tokens: 1,
            steps: 1,
            seconds: 1.0,
            seconds_basis: String::new(),
            memory_bytes: 1,
            disk_bytes,
            quality: None,
        };
        let problems = async |disk_bytes| {
            let mut problems = Vec::new();
            engine.runs().check_room(&of(disk_bytes), Some(2), &mut problems).await.unwrap();
            problems
        };
        assert_eq!(problems(1).await, []);
        let full = problems(1 << 60).await;
        assert!(full[0].level == Level::Error && full[0].what.contains("of disk"), "{full:?}");
        assert!(full[0].hint.contains("free some space"), "{full:?}");
    }
}
