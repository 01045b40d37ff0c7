//! Searches for settings: a study chooses trials, each of them a run, and names the best.
//!
//! A study is carried by whoever looks at it: [`Studies::advance`] is one idempotent step from what the database says, so it
//! goes on after any interruption. Trial `n` is chosen from the results of the trials before `n − parallel + 1` and of no
//! others, and stopped early by those alone, so a study doesn't depend on when anything happened.
//!
//! Trials learn from three quarters of the training side and are measured with the rest: what the task holds out stays
//! unseen until the best is trained.

mod space;

use std::{fmt, str::FromStr};

use graft_core::{
    Assignment, BaseRef, Dataset, Digest, Event, EventKind, Phase, SplitRule, TaskCard, Timestamp, TrainSpec,
    json as written, split, with_causes,
};
use graft_search::{
    Lead, Observation, Parameter, Point, Sampler, can_win, default_point, importance, keeps_going, pareto,
};
use graft_store::{NewRun, NewStudy, NewTrial, Run, RunFilter, RunState, Study, StudyState, Trial, TrialState};
use graft_tasks::cards::Task;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tracing::Level;
use utoipa::ToSchema;

use crate::{
    Engine, Error, Plan, Result, RunRequest, Say, Settings, compact, now,
    recipes::{Effort, Method, recipe},
    runs::{MAX_ATTEMPTS, Order},
};
use space::Given;

/// Share of the training side that trials are measured with.
const HELD_OUT: f64 = 0.25;
/// Where trials may be stopped, as shares of their training.
const RUNGS: [f64; 2] = [0.25, 0.5];
/// Most trials of a study whose budget is time.
const MOST: u64 = 1000;
/// A loss that is lower by less is no better.
const MARGIN: f64 = 0.01;
/// Earlier studies of the task whose best trials are tried again.
const CARRIED: usize = 2;
/// Trials that the sampler chose after its random ones without one that is better than the recipe: the study ends, since the
/// defaults are best here.
const PATIENCE: u64 = 6;

/// The budget of a study.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Budget {
    /// So many trials.
    Trials(u64),
    /// No trial begins after so many minutes of training.
    Minutes(u64),
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trials(trials) => write!(f, "{trials}-trials"),
            Self::Minutes(minutes) => write!(f, "{minutes}m"),
        }
    }
}

impl FromStr for Budget {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let number = |digits: &str| digits.trim().parse::<u64>().ok().filter(|number| (1..=10_000).contains(number));
        let budget = match text.trim() {
            text if text.ends_with("trials") => {
                number(text.trim_end_matches("trials").trim_end_matches('-')).filter(|n| *n <= MOST).map(Self::Trials)
            }
            text if text.ends_with('m') => number(text.trim_end_matches('m')).map(Self::Minutes),
            text if text.ends_with('h') => number(text.trim_end_matches('h')).map(|hours| Self::Minutes(hours * 60)),
            _ => None,
        };
        budget.ok_or_else(|| "write a number of trials or a time, such as 20-trials, 60m or 2h".to_owned())
    }
}

impl TryFrom<String> for Budget {
    type Error = String;

    fn try_from(text: String) -> std::result::Result<Self, String> {
        text.parse()
    }
}

impl From<Budget> for String {
    fn from(budget: Budget) -> Self {
        budget.to_string()
    }
}

/// How a study chooses its trials.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
#[serde(rename_all = "lowercase")]
#[schema(as = StudySampler)]
pub enum SamplerName {
    /// The tree-structured Parzen estimator, which learns from the trials so far.
    #[default]
    Tpe,
    /// At random, to show what the estimator is worth.
    Random,
}

impl SamplerName {
    fn sampler(self, space: &[Parameter], starts: &[Point], seed: u64) -> Sampler {
        match self {
            Self::Tpe => Sampler::new(space.to_vec(), seed).starting_with(starts.to_vec()),
            Self::Random => Sampler::random(space.to_vec(), seed),
        }
    }
}

/// A study to start.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewStudy)]
pub struct StudyRequest {
    /// The task.
    pub task: String,
    /// Base model. Default: `smollm2-135m`.
    #[serde(default)]
    pub base: Option<String>,
    /// More base models: each trial uses one of all. Losses are then per example, since models count tokens differently.
    #[serde(default)]
    pub more_bases: Vec<String>,
    /// Kind of adapter. Default: searched.
    #[serde(default)]
    pub method: Option<Method>,
    /// `20-trials`, `60m` or `2h`.
    #[schema(value_type = String)]
    pub budget: Budget,
    /// Number of trials at a time. With more, each is chosen from fewer results. Default: 1.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 16)]
    pub parallel: Option<u64>,
    /// The machine that executes the trials, one of `graft machines list`. Default: the worker's own.
    #[serde(default)]
    pub on: Option<String>,
    /// How trials are chosen. Default: `tpe`.
    #[serde(default)]
    pub sampler: SamplerName,
    /// Fixed settings of all trials, which are not searched; `seed` is also the seed of the study.
    #[serde(default)]
    pub settings: Settings,
}

/// All that decides the trials of a study.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct StudyPlan {
    budget: Budget,
    seed: u64,
    parallel: u64,
    /// The machine that executes the trials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    on: Option<String>,
    #[serde(default)]
    sampler: SamplerName,
    base: BaseRef,
    /// Other base models that trials may use.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    more_bases: Vec<BaseRef>,
    dataset: Digest,
    task: Task,
    card: TaskCard,
    method: Option<Method>,
    #[serde(serialize_with = "Settings::given")]
    settings: Settings,
    space: Vec<Parameter>,
    /// Points that are tried after the recipe; earlier studies have none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    starts: Vec<Point>,
    /// Examples that each trial learns.
    examples: usize,
    /// The revision of the task that trials train, whatever becomes of the task meanwhile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    revision: Option<i64>,
    /// The run that waits for its settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    run: Option<String>,
}

impl StudyPlan {
    fn of(study: &Study) -> Result<Self> {
        let damaged = |source| Error::BadSpec { run: study.id.clone(), source };
        let mut plan: Self = serde_json::from_value(study.plan.clone()).map_err(damaged)?;
        // The task may have been renamed since.
        plan.card.name.clone_from(&study.task);
        Ok(plan)
    }

    /// The base model of a trial.
    fn base_of(&self, point: &Value) -> &BaseRef {
        let at = point["base"].as_f64().unwrap_or_default() as usize;
        at.checked_sub(1).and_then(|at| self.more_bases.get(at)).unwrap_or(&self.base)
    }

    fn sampler(&self) -> Sampler {
        self.sampler.sampler(&self.space, &self.starts, self.seed)
    }

    fn given(&self) -> Given<'_> {
        Given { task: &self.task, examples: self.examples, method: self.method, settings: &self.settings }
    }

    /// The dataset of the trials.
    fn part(&self, whole: &Dataset) -> Dataset {
        let rule = SplitRule::Random { eval_share: HELD_OUT, seed: self.seed };
        split(&whole.train, &Assignment::new(), rule, &self.card.answer)
    }
}

/// The importance of a setting.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Importance {
    /// The setting.
    pub name: String,
    /// From 0 to 1; all of a study make 1.
    pub share: f64,
}

/// A study with what it found.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct StudyView {
    /// It.
    pub study: Study,
    /// Its trials, in order.
    pub trials: Vec<Trial>,
    /// The trial with the lowest loss.
    pub best: Option<u64>,
    /// Whether no trial was shown to be better than the recipe: its loss is lower by 1 % at least, and by more than chance
    /// explains; absent before the recipe was tried.
    pub defaults_are_best: Option<bool>,
    /// How much better the best trial is than the recipe; absent if it is the recipe, and for trials of earlier versions.
    pub lead: Option<Lead>,
    /// Importance of each setting, the most important first; empty before six trials.
    pub importance: Vec<Importance>,
    /// Whether it ended before its budget was used up, because the defaults are best.
    pub ended_early: bool,
    /// What is searched, in the sampler's order; a trial's `point` has a value for each that applies.
    pub space: Vec<Parameter>,
    /// The Pareto front: trials that no other trial beats in loss, size or latency without being worse in another of them.
    pub front: Vec<u64>,
    /// The command that trains with the best settings.
    pub command: Option<String>,
}

/// Searches for settings.
#[derive(Clone, Copy, Debug)]
pub struct Studies<'e> {
    pub(crate) engine: &'e Engine,
}

impl Engine {
    /// Searches for settings.
    #[must_use]
    pub fn studies(&self) -> Studies<'_> {
        Studies { engine: self }
    }
}

impl Studies<'_> {
    /// Begins a study.
    ///
    /// # Errors
    /// [`Error::NotReady`] if the task couldn't be trained; [`graft_store::Error::StudyActive`] while it has a study.
    pub async fn begin(self, request: &StudyRequest) -> Result<Study> {
        if let Some(name) = &request.on
            && self.engine.machines().is_rented(name).await?
        {
            return Err(Error::Unsupported("search on rented machines: each trial would rent one".to_owned()));
        }
        if let Some(name) = &request.on
            && self.engine.machines().is_service(name).await?
        {
            return Err(Error::Unsupported("search at the training service: it chooses settings itself".to_owned()));
        }
        let of = |method: Method, base: Option<&String>| {
            // Where both are searched, each has its own settings.
            let settings = match request.method {
                Some(_) => request.settings.clone(),
                None => request.settings.of(method),
            };
            let mut run = RunRequest { method, settings, on: request.on.clone(), ..RunRequest::new(&request.task) };
            base.iter().for_each(|base| run.base.clone_from(base));
            run
        };
        let methods = match &request.method {
            Some(method) => std::slice::from_ref(method),
            None => Method::ALL,
        };
        let (mut first, mut more_bases) = (None, Vec::<BaseRef>::new());
        for base in std::iter::once(request.base.as_ref()).chain(request.more_bases.iter().map(Some)) {
            for &method in methods {
                let plan = self.checked(&of(method, base)).await?;
                let first = first.get_or_insert_with(|| plan.clone());
                if plan.base.digest != first.base.digest && !more_bases.contains(&plan.base) {
                    more_bases.push(plan.base);
                }
            }
        }
        let Some(of) = first else { return Err(Error::Unsupported("search without a method".to_owned())) };
        let (id, plan) = self.draft(request, &of, more_bases, None).await?;
        let (plan, dataset) = (written::value(&plan), &of.prepared.dataset);
        let new = NewStudy { id: &id, task: &request.task, plan: &plan, waiting: None };
        Ok(self.engine.store.add_study(new, dataset, &self.engine.by, now()).await?)
    }

    /// Queues a training whose settings a study chooses first: it waits for the end of the study, and trains with the best
    /// settings if they are better than the recipe.
    ///
    /// # Errors
    /// As [`begin`](Self::begin) and [`crate::Runs::submit`].
    pub(crate) async fn begin_before(self, run: &RunRequest, budget: Budget, key: Option<&str>) -> Result<Run> {
        if let Some(run) = self.engine.store.requested_run(key).await? {
            return Ok(run);
        }
        let mut plan = self.checked(run).await?;
        let name = self.engine.runs().free_id(&run.task).await?;
        plan.run = Some(name.clone());
        let request = StudyRequest {
            task: run.task.clone(),
            base: Some(run.base.clone()),
            more_bases: Vec::new(),
            method: None,
            budget,
            parallel: None,
            on: None,
            sampler: SamplerName::default(),
            // Trials are compared at the length of training that was asked for.
            settings: Settings {
                epochs: (run.effort != Effort::default()).then_some(plan.recipe.optim.epochs),
                ..Settings::default()
            },
        };
        let (id, study) = self.draft(&request, &plan, Vec::new(), Some(name)).await?;
        let search = Some((id.as_str(), &written::value(&study)));
        let order = Order { request: run, max_attempts: MAX_ATTEMPTS, due: None, key, search };
        self.engine.runs().queue_plan(&plan, order).await
    }

    /// The plan of a training, if nothing keeps it from being trained.
    async fn checked(self, run: &RunRequest) -> Result<Plan> {
        let mut preflight = self.engine.runs().preflight(run).await?;
        let plan = preflight.plan.take().filter(|_| preflight.ok);
        plan.ok_or_else(|| Error::NotReady(Box::new(preflight)))
    }

    /// The name and the plan of a study about the data of a training.
    async fn draft(
        self,
        request: &StudyRequest,
        of: &Plan,
        more_bases: Vec<BaseRef>,
        run: Option<String>,
    ) -> Result<(String, StudyPlan)> {
        let Plan { prepared, base, .. } = of;
        let seed = request.settings.seed.unwrap_or(graft_core::OptimSpec::default().seed);
        let mut plan = StudyPlan {
            budget: request.budget,
            seed,
            parallel: request.parallel.unwrap_or(1).clamp(1, 16),
            on: request.on.clone(),
            sampler: request.sampler,
            base: base.clone(),
            more_bases,
            dataset: prepared.dataset.digest.clone(),
            task: prepared.task.definition.clone(),
            card: prepared.card.clone(),
            method: request.method,
            settings: request.settings.clone(),
            space: Vec::new(),
            starts: Vec::new(),
            examples: 0,
            revision: Some(self.engine.tasks().keep(&prepared.task).await?),
            run,
        };
        let part = plan.part(&prepared.dataset);
        if part.eval.is_empty() || part.train.is_empty() {
            return Err(Error::Unsupported(
                "search: there are too few training examples to split again; approve more".into(),
            ));
        }
        plan.examples = part.train.len();
        let mut has_encoder = false;
        for base in std::iter::once(&plan.base).chain(&plan.more_bases) {
            has_encoder |= self.engine.bases().open(base).await?.1.config.has_encoder();
        }
        plan.space = space::space(&plan.given(), has_encoder);
        if !plan.more_bases.is_empty() {
            let names = std::iter::once(&plan.base).chain(&plan.more_bases).map(|base| base.name.clone());
            plan.space.insert(0, space::bases(&names.collect::<Vec<_>>()));
        }
        plan.starts = space::starts(&plan.space);
        for earlier in self.carried(&request.task, &plan).await? {
            if !plan.starts.contains(&earlier) {
                plan.starts.push(earlier);
            }
        }
        // Two studies may be begun within a second.
        let stamp = format!("study-{}-{}", request.task, compact(now()).replace('_', "-"));
        let taken = self.list(None).await?;
        let mut id = stamp.clone();
        for number in 2.. {
            if taken.iter().all(|study| study.id != id) {
                break;
            }
            id = format!("{stamp}-{number}");
        }
        Ok((id, plan))
    }

    /// The best trials of a task's latest studies, as points of this one's space; without those in which the recipe was best.
    async fn carried(self, task: &str, new: &StudyPlan) -> Result<Vec<Point>> {
        let (mut points, recipe) = (Vec::new(), default_point(&new.space, &Point::new()));
        for study in self.list(Some(task)).await?.into_iter().filter(|study| study.state != StudyState::Running) {
            if points.len() == CARRIED {
                break;
            }
            // What an earlier version can't read any more is left out.
            let Ok(plan) = StudyPlan::of(&study) else { continue };
            let trials = self.engine.store.trials(&study.id).await?;
            let Some(best) = best(&trials).filter(|best| best.number > 0) else { continue };
            let method = request(&plan, best).method;
            let point = serde_json::from_value::<Point>(best.point.clone()).unwrap_or_default();
            let carried = space::carried(&new.given(), &new.space, (method, &point, &plan.space));
            points.extend(carried.filter(|point| *point != recipe));
        }
        Ok(points)
    }

    /// The studies of a task or of all, newest first.
    pub async fn list(self, task: Option<&str>) -> Result<Vec<Study>> {
        Ok(self.engine.store.studies(task).await?)
    }

    /// The study of a task that runs.
    pub async fn active(self, task: &str) -> Result<Option<Study>> {
        Ok(self.list(Some(task)).await?.into_iter().find(|study| study.state == StudyState::Running))
    }

    /// A study with what it found.
    ///
    /// # Errors
    /// There is none of this name.
    pub async fn view(self, id: &str) -> Result<StudyView> {
        let study = self.engine.store.study(id).await?;
        let plan = StudyPlan::of(&study)?;
        let trials = self.engine.store.trials(id).await?;
        let best = best(&trials);
        let (defaults_are_best, lead) = (defaults_are_best(&trials), lead(&trials));
        let ended_early = study.state == StudyState::Done && !is_spent(plan.budget, &trials);
        let complete: Vec<Trial> = trials.iter().filter(|trial| loss(trial).is_some()).cloned().collect();
        // Trials of earlier versions of Graft have no latency.
        let objectives =
            |trial: &Trial| Some([trial.loss?, trial.bytes? as f64, trial.latency_ms.unwrap_or(f64::INFINITY)]);
        let (numbers, points): (Vec<u64>, Vec<[f64; 3]>) =
            complete.iter().filter_map(|trial| Some((trial.number, objectives(trial)?))).unzip();
        let front = pareto(&points).into_iter().map(|at| numbers[at]).collect();
        let importance = importance(&plan.space, &observations(&complete))
            .into_iter()
            .map(|(name, share)| Importance { name, share })
            .collect();
        let command = best.map(|best| request(&plan, best).command());
        let best = best.map(|best| best.number);
        let space = plan.space;
        Ok(StudyView { study, best, defaults_are_best, lead, ended_early, space, importance, front, command, trials })
    }

    /// Ends a study; its trials that are at work are cancelled.
    ///
    /// # Errors
    /// There is none of this name.
    pub async fn stop(self, id: &str) -> Result<Study> {
        let study = self.engine.store.study(id).await?;
        self.engine.store.end_study(&study, StudyState::Stopped, &self.engine.by, now()).await?;
        self.settle(&study).await?;
        Ok(self.engine.store.study(id).await?)
    }

    /// Queues a training of the task with the best settings that a study found.
    ///
    /// # Errors
    /// No trial was trained to its end yet; as [`crate::Runs::submit`].
    pub async fn train_best(self, id: &str, key: Option<&str>) -> Result<Run> {
        let study = self.engine.store.study(id).await?;
        let plan = StudyPlan::of(&study)?;
        let trials = self.engine.store.trials(id).await?;
        let best = best(&trials).ok_or_else(|| Error::NoTrial { study: id.to_owned() })?;
        self.engine.runs().submit(&request(&plan, best), key).await
    }

    /// One step of every study that runs. What keeps one of them from going on is kept with it.
    pub(crate) async fn advance_all(self, say: &Say) -> Result<()> {
        for study in self.engine.store.studies(None).await? {
            if study.state != StudyState::Running {
                continue;
            }
            match self.advance(&study.id).await {
                Ok(_) if study.note.is_some() => self.engine.store.note_study(&study.id, None).await?,
                Ok(_) => {}
                Err(Error::Store(error)) if error.is_of_the_database() => return Err(error.into()),
                Err(error) => {
                    let why = with_causes(&error);
                    if study.note.as_deref() != Some(why.as_str()) {
                        say(Level::ERROR, &format!("study {}: failed to {why}", study.id));
                        self.engine.store.note_study(&study.id, Some(&why)).await?;
                    }
                }
            }
        }
        self.end_searches(say).await
    }

    /// Lets runs train whose study has ended; with the recipe, if what the study found can't be read.
    async fn end_searches(self, say: &Say) -> Result<()> {
        for run in &self.engine.store.searched_runs().await? {
            let view = self.view(run.search.as_deref().unwrap_or_default()).await;
            if matches!(&view, Ok(view) if view.study.state == StudyState::Running) {
                continue;
            }
            let chosen = match view.and_then(|view| chosen(run, &view)) {
                Err(Error::Store(error)) if error.is_of_the_database() => return Err(error.into()),
                Err(error) => {
                    say(
                        Level::ERROR,
                        &format!("run {} trains with the recipe: failed to {}", run.id, with_causes(&error)),
                    );
                    None
                }
                Ok(chosen) => chosen,
            };
            let chosen = chosen.as_ref().map(|(spec, request)| (spec, request));
            self.engine.store.end_search(run, chosen, &self.engine.by, now()).await?;
        }
        Ok(())
    }

    /// One step of a study: notes what became of its trials, stops those that others are better than, and queues the next
    /// ones, or ends the study. May be done by anybody, any number of times.
    ///
    /// # Errors
    /// What the store says; the base model is gone.
    pub async fn advance(self, id: &str) -> Result<Study> {
        let study = self.engine.store.study(id).await?;
        if study.state != StudyState::Running {
            return Ok(study);
        }
        let plan = StudyPlan::of(&study)?;
        if let Some(run) = &plan.run {
            let is_wanted = match self.engine.store.run(run).await {
                Ok(run) => is_searched(&run),
                Err(graft_store::Error::NoRun(_)) => false,
                Err(error) => return Err(error.into()),
            };
            if !is_wanted {
                // Its run was cancelled.
                return self.stop(id).await;
            }
        }
        self.queue_trials(&study, &plan).await?;
        Ok(self.engine.store.study(id).await?)
    }

    /// Settles a study's trials and queues the next ones until it has to wait for results, or ends.
    async fn queue_trials(self, study: &Study, plan: &StudyPlan) -> Result<()> {
        loop {
            let trials = self.settle(study).await?;
            let number = trials.len() as u64;
            let running = trials.iter().filter(|trial| trial.state == TrialState::Running).count() as u64;
            let seen = seen_by(&trials, number, plan.parallel);
            let undecided = plan.sampler().undecided_trials();
            if is_spent(plan.budget, &trials) || seen.is_some_and(|seen| is_hopeless(seen, undecided)) {
                if running == 0 {
                    self.engine.store.end_study(study, StudyState::Done, &self.engine.by, now()).await?;
                }
                return Ok(());
            }
            let Some(seen) = seen else { return Ok(()) };
            // If it wasn't added, another process has added this trial, or ended the study.
            let is_added = self.add(study, plan, number, seen).await?;
            if !is_added && self.engine.store.study(&study.id).await?.state != StudyState::Running {
                return Ok(());
            }
        }
    }

    async fn add(self, study: &Study, plan: &StudyPlan, number: u64, seen: &[Trial]) -> Result<bool> {
        let point = plan.sampler().ask(number, &observations(seen));
        let (method, settings) = space::settings(&plan.given(), &plan.space, &point);
        let mut chosen = json!({"method": method, "settings": Value::Object(settings.fields())});
        if !plan.more_bases.is_empty() {
            chosen["base"] = json!(plan.base_of(&json!(point)).name);
        }
        let trial = Trial {
            number,
            run: format!("{}-{number}", study.id),
            state: TrialState::Running,
            point: json!(point),
            settings: chosen,
            loss: None,
            rungs: json!([]),
            losses: json!([]),
            bytes: None,
            latency_ms: None,
            millis: 0,
            note: None,
        };
        let whole = self.engine.store.dataset(&study.task, &plan.dataset).await?;
        let dataset = plan.part(&whole);
        let mut recipe = recipe(&plan.task, method, plan.examples);
        settings.apply(&mut recipe).map_err(|problem| Error::Unsupported(problem.what))?;
        let request = RunRequest { evaluate: false, ..request(plan, &trial) };
        let (learned, measured) = (dataset.train.len() as u64, dataset.eval.len() as u64);
        let spec = TrainSpec {
            run: trial.run.clone(),
            graft: env!("CARGO_PKG_VERSION").to_owned(),
            base: plan.base_of(&trial.point).clone(),
            task: plan.card.clone(),
            dataset: dataset.digest,
            adapter: recipe.adapter,
            optim: recipe.optim,
            eval: recipe.eval,
            limits: recipe.limits,
            init_from: None,
        };
        let dir = format!("runs/{}", trial.run);
        let run = NewRun { task: &study.task, spec: &spec, dir: &dir };
        let request = written::value(&request);
        let new = NewTrial {
            trial: &trial,
            run,
            request: &request,
            sides: (learned, measured),
            task_revision: plan.revision,
            machine: plan.on.as_deref(),
        };
        Ok(self.engine.store.add_trial(study, new, &self.engine.by, now()).await?)
    }

    /// Notes what became of a study's trials, and cancels runs of those that are decided; the trials as they are now.
    async fn settle(self, study: &Study) -> Result<Vec<Trial>> {
        let plan = StudyPlan::of(study)?;
        let mut trials = self.engine.store.trials(&study.id).await?;
        let filter = RunFilter { study: Some(study.id.clone()), ..RunFilter::default() };
        let runs = self.engine.store.runs(&filter).await?;
        let is_ended = self.engine.store.study(&study.id).await?.state != StudyState::Running;
        for at in 0..trials.len() {
            let run = runs.iter().find(|run| run.id == trials[at].run);
            if trials[at].state == TrialState::Running {
                let mut ended = trials[at].clone();
                let earlier = seen_by(&trials, ended.number, plan.parallel).unwrap_or_default();
                self.decide(&plan, &mut ended, run, earlier).await?;
                if ended.state == TrialState::Running && is_ended {
                    (ended.state, ended.note) = (TrialState::Failed, Some("the study was ended".into()));
                }
                if ended.state != TrialState::Running {
                    self.engine.store.end_trial(&study.id, &ended).await?;
                }
                trials[at] = ended;
            }
            if let Some(run) = run.filter(|run| run.state.is_active() && trials[at].state != TrialState::Running) {
                match self.engine.runs().cancel(&run.id).await {
                    // It ended by itself meanwhile.
                    Ok(_) | Err(Error::Store(graft_store::Error::RunState { .. })) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(trials)
    }

    /// The outcome of a trial. Whether it was stopped early follows from its losses, not from the time of this call.
    async fn decide(self, plan: &StudyPlan, trial: &mut Trial, run: Option<&Run>, earlier: &[Trial]) -> Result<()> {
        let Some(run) = run else {
            (trial.state, trial.note) = (TrialState::Failed, Some("its run was deleted".into()));
            return Ok(());
        };
        let Course { mut rungs, millis, fastest, tokens_per_example, .. } = self.course(run).await?;
        // A loss per token says nothing about a model that divides texts into other tokens.
        let factor = if plan.more_bases.is_empty() { 1.0 } else { tokens_per_example };
        rungs.iter_mut().flatten().for_each(|loss| *loss *= factor);
        trial.rungs = json!(rungs);
        trial.millis = millis;
        for (rung, loss) in rungs.iter().enumerate() {
            let Some(loss) = *loss else { continue };
            if let Some(why) = given_up(loss, rung, earlier) {
                (trial.state, trial.loss) = (TrialState::Pruned, Some(loss));
                // How far it came beyond that is chance, and must decide nothing.
                trial.rungs = json!(rungs.iter().take(rung + 1).collect::<Vec<_>>());
                trial.note = Some(format!("stopped at {} % of its training: {why}", RUNGS[rung] * 100.0));
                return Ok(());
            }
        }
        match run.state {
            RunState::Queued | RunState::Starting | RunState::Running => {}
            RunState::Succeeded => {
                (trial.state, trial.loss) = (TrialState::Complete, run.final_loss.map(|loss| loss * factor));
                let result = self.engine.store.followed(&run.id).await?.and_then(|known| known.result);
                let result = result.unwrap_or_default();
                let weight = |tokens: f64| if plan.more_bases.is_empty() { tokens } else { 1.0 };
                let losses = losses(&result["eval_losses"]).into_iter().map(|(loss, tokens)| (loss, weight(tokens)));
                trial.losses = json!(losses.collect::<Vec<_>>());
                trial.bytes = result["adapter_bytes"].as_u64();
                trial.latency_ms = fastest.and_then(|seconds| latency(seconds, &result));
            }
            RunState::Failed | RunState::Cancelled => {
                trial.state = TrialState::Failed;
                trial.note =
                    Some(run.failure.as_ref().map_or_else(|| "it was cancelled".to_owned(), |f| f.to_string()));
            }
        }
        Ok(())
    }

    async fn course(self, run: &Run) -> Result<Course> {
        let (mut course, mut seq) = (Course::default(), 0);
        loop {
            let events = self.engine.store.run_events(&run.id, seq, 1000).await?;
            let Some(last) = events.last() else { return Ok(course) };
            seq = last.seq;
            events.iter().for_each(|event| course.take(event));
        }
    }

    /// The examples of a study's trials.
    pub(crate) async fn dataset(self, id: &str) -> Result<Dataset> {
        let study = self.engine.store.study(id).await?;
        let plan = StudyPlan::of(&study)?;
        Ok(plan.part(&self.engine.store.dataset(&study.task, &plan.dataset).await?))
    }
}

/// Why a trial with this loss at a rung is stopped there, if it is.
fn given_up(loss: f64, rung: usize, earlier: &[Trial]) -> Option<String> {
    let at_rung = |other: &Trial| other.rungs[rung].as_f64();
    let others: Vec<f64> = earlier.iter().filter_map(at_rung).collect();
    if !keeps_going(loss, &others) {
        let better = others.iter().filter(|other| **other < loss).count();
        return Some(format!("{better} of {} trials were better at that point", others.len()));
    }
    let best = best(earlier).and_then(self::loss)?;
    let curves: Vec<(f64, f64)> =
        earlier.iter().filter_map(|other| Some((at_rung(other)?, self::loss(other)?))).collect();
    let why =
        || format!("by the curves of {} trials, it would end above {best:.4} with a probability of 95 %", curves.len());
    (!can_win(loss, best, &curves)).then(why)
}

/// What the events of a trial's run say.
#[derive(Debug, Default)]
struct Course {
    /// The loss at each rung that it has reached.
    rungs: [Option<f64>; RUNGS.len()],
    /// How long its trainers worked.
    millis: u64,
    /// Seconds that its fastest measurement took.
    fastest: Option<f64>,
    steps: Option<u64>,
    /// Tokens with loss of a held-out example, on average.
    tokens_per_example: f64,
    last: Option<Timestamp>,
}

impl Course {
    fn take(&mut self, event: &Event) {
        // Nothing trained before a trainer began.
        let is_begin = matches!(event.kind, EventKind::Phase { phase: Phase::Prepare });
        if let Some(last) = self.last.filter(|_| !is_begin) {
            self.millis += (event.at - last).max(0) as u64;
        }
        self.last = Some(event.at);
        match event.kind {
            EventKind::Prepared { steps, measured, measured_tokens, .. } => {
                self.steps = Some(steps);
                self.tokens_per_example = measured_tokens as f64 / measured.max(1) as f64;
            }
            EventKind::Step { of, .. } => self.steps = Some(of),
            EventKind::Eval { step, loss, seconds, .. } => {
                self.fastest = seconds.map(|now| self.fastest.map_or(now, |best| best.min(now))).or(self.fastest);
                let Some(steps) = self.steps.filter(|steps| step < *steps) else { return };
                for (rung, share) in RUNGS.iter().enumerate() {
                    if step as f64 >= share * steps as f64 {
                        self.rungs[rung].get_or_insert(loss);
                    }
                }
            }
            _ => {}
        }
    }
}

/// Milliseconds per example of a measurement: the trainer measures no more examples than its settings say.
fn latency(seconds: f64, result: &Value) -> Option<f64> {
    let examples = result["eval_samples"].as_u64()?.min(result["hyperparameters"]["eval"]["examples"].as_u64()?);
    (examples > 0).then(|| seconds * 1000.0 / examples as f64)
}

/// The trials whose results decide about one of a number: those that had ended, whatever the time, when it could begin. `None`
/// while some have not.
fn seen_by(trials: &[Trial], number: u64, parallel: u64) -> Option<&[Trial]> {
    let seen = trials.get(..(number + 1).saturating_sub(parallel) as usize)?;
    seen.iter().all(|trial| trial.state != TrialState::Running).then_some(seen)
}

/// What a run that waited for a study trains with, if a trial was better than the recipe: its spec and its request.
fn chosen(run: &Run, view: &StudyView) -> Result<Option<(TrainSpec, Value)>> {
    let best = view.trials.iter().find(|trial| Some(trial.number) == view.best);
    let Some(best) = best.filter(|_| view.defaults_are_best == Some(false)) else { return Ok(None) };
    let plan = StudyPlan::of(&view.study)?;
    let damaged = |source| Error::BadSpec { run: run.id.clone(), source };
    let mut spec: TrainSpec = serde_json::from_value(run.spec.clone()).map_err(damaged)?;
    let asked: RunRequest = serde_json::from_value(run.request.clone().unwrap_or_default()).map_err(damaged)?;
    let RunRequest { method, settings, .. } = request(&plan, best);
    let mut recipe = recipe(&plan.task, method, run.train_samples.unwrap_or_default() as usize);
    settings.apply(&mut recipe).map_err(|problem| Error::Unsupported(problem.what))?;
    (spec.adapter, spec.optim, spec.eval, spec.limits) = (recipe.adapter, recipe.optim, recipe.eval, recipe.limits);
    let asked = RunRequest { method, settings, effort: Effort::default(), ..asked };
    Ok(Some((spec, written::value(&asked))))
}

/// Whether a run waits for the settings that a study chooses.
fn is_searched(run: &Run) -> bool {
    run.state == RunState::Queued && run.phase.as_deref() == Some(Phase::Search.name())
}

/// The loss of a trial that was trained to its end.
fn loss(trial: &Trial) -> Option<f64> {
    trial.loss.filter(|_| trial.state == TrialState::Complete)
}

/// Losses of single examples, with the weight of each.
fn losses(written: &Value) -> Vec<(f64, f64)> {
    serde_json::from_value(written.clone()).unwrap_or_default()
}

/// Whether no trial was shown to be better than the first, which is the recipe; `None` before that one was trained.
fn defaults_are_best(trials: &[Trial]) -> Option<bool> {
    let recipe = trials.first().and_then(loss)?;
    let best = best(trials).and_then(loss)?;
    // The losses of examples are unknown for trials of earlier versions, and not comparable where one base model could take
    // more of them than another.
    Some(best > recipe - MARGIN * recipe.abs() || lead(trials).is_some_and(|lead| !lead.is_shown()))
}

/// How much better the best trial is than the first, which is the recipe.
fn lead(trials: &[Trial]) -> Option<Lead> {
    let recipe = trials.first().filter(|recipe| loss(recipe).is_some())?;
    let best = best(trials).filter(|best| best.number != recipe.number)?;
    let among = trials.iter().filter(|trial| trial.loss.is_some()).count() - 1;
    Lead::of(&losses(&best.losses), &losses(&recipe.losses), among)
}

/// Whether these results, of which so many after the first were decided by no results, say that the search won't find anything
/// better than the defaults.
fn is_hopeless(seen: &[Trial], undecided: u64) -> bool {
    seen.len() as u64 > undecided.saturating_add(PATIENCE) && defaults_are_best(seen) == Some(true)
}

/// Whether no further trial may begin.
fn is_spent(budget: Budget, trials: &[Trial]) -> bool {
    match budget {
        Budget::Trials(most) => trials.len() as u64 >= most,
        Budget::Minutes(minutes) => {
            let spent: u64 = trials.iter().map(|trial| trial.millis).sum();
            spent >= minutes * 60_000 || trials.len() as u64 >= MOST
        }
    }
}

/// Results as the sampler takes them.
fn observations(trials: &[Trial]) -> Vec<Observation> {
    let one = |trial: &Trial| Observation {
        point: serde_json::from_value::<Point>(trial.point.clone()).unwrap_or_default(),
        loss: trial.loss.unwrap_or(f64::INFINITY),
    };
    trials.iter().map(one).collect()
}

/// The best of the trials that were trained to their end; of equals the first.
fn best(trials: &[Trial]) -> Option<&Trial> {
    let complete = trials.iter().filter_map(|trial| Some((loss(trial)?, trial)));
    complete.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, trial)| trial)
}

/// A training with a trial's settings.
fn request(plan: &StudyPlan, trial: &Trial) -> RunRequest {
    let chosen = |name: &str| trial.settings[name].clone();
    let mut settings: Settings = serde_json::from_value(chosen("settings")).unwrap_or_default();
    if plan.settings.evals_per_epoch.is_none() {
        settings = settings.without("evals_per_epoch");
    }
    RunRequest {
        base: plan.base_of(&trial.point).name.clone(),
        method: serde_json::from_value(chosen("method")).unwrap_or_default(),
        settings,
        on: plan.on.clone(),
        ..RunRequest::new(plan.card.name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The trials of a study with these losses.
    fn trials(losses: &[f64]) -> Vec<Trial> {
        let one = |(number, loss): (u64, &f64)| Trial {
            number,
            run: format!("s-{number}"),
            state: TrialState::Complete,
            point: json!({}),
            settings: json!({}),
            loss: Some(*loss),
            rungs: json!([]),
            losses: json!([]),
            bytes: None,
            latency_ms: None,
            millis: 60_000,
            note: None,
        };
        (0..).zip(losses).map(one).collect()
    }

    #[test]
    fn study_ends_early_if_no_trial_beats_the_recipe() {
        let mut losses = vec![1.0; 11];
        losses[3] = 0.995;
        assert!(!is_hopeless(&trials(&losses[..10]), 4), "it has chosen only 5 trials itself");
        assert!(is_hopeless(&trials(&losses), 4), "a lead of half a percent is none");
        losses[3] = 0.98;
        assert!(!is_hopeless(&trials(&losses), 4));
        let mut unknown = trials(&[1.0; 11]);
        unknown[0].state = TrialState::Failed;
        assert!(!is_hopeless(&unknown, 4), "nobody knows how good the recipe is");
        assert!(is_spent(Budget::Trials(11), &unknown) && !is_spent(Budget::Trials(12), &unknown));
        assert!(is_spent(Budget::Minutes(11), &unknown) && !is_spent(Budget::Minutes(12), &unknown));
    }

    #[test]
    fn trial_is_no_better_than_the_recipe_if_chance_explains_its_lead() {
        let mut two = trials(&[1.0, 0.7]);
        assert_eq!((defaults_are_best(&two), lead(&two)), (Some(false), None), "an earlier version kept no losses");
        two[0].losses = json!(vec![(2.0, 2); 6]);
        two[1].losses = json!([(0.2, 2), (0.2, 2), (0.2, 2), (1.4, 2), (1.4, 2), (5.0, 2)]);
        let found = lead(&two).unwrap();
        assert!((found.loss - 0.3).abs() < 1e-9 && found.examples == 6, "{found:?}");
        assert_eq!(defaults_are_best(&two), Some(true), "one hard example could turn it");
        two[1].losses = json!([(1.3, 2), (1.5, 2), (1.3, 2), (1.5, 2), (1.3, 2), (1.5, 2)]);
        assert_eq!(defaults_are_best(&two), Some(false));
        // Of very many trials, one looks so good by chance.
        two.extend((0..2_000).map(|_| trials(&[1.0]).remove(0)));
        assert_eq!(defaults_are_best(&two), Some(false), "each example is better by a quarter at least");
        two[1].losses = json!([(0.8, 2), (2.1, 2), (0.9, 2), (1.9, 2), (1.2, 2), (1.5, 2)]);
        assert_eq!(defaults_are_best(&two), Some(true));
        assert_eq!(defaults_are_best(&two[..2]), Some(false));
    }

    #[test]
    fn trial_is_given_up_if_the_curves_of_others_say_that_it_cannot_win() {
        let mut earlier = trials(&[1.0, 0.8, 0.9, 1.1]);
        // All others lost a tenth of their loss after the rung.
        earlier.iter_mut().for_each(|trial| trial.rungs = json!([null, trial.loss.unwrap_or_default() / 0.9]));
        assert_eq!(given_up(0.87, 1, &earlier), None);
        let why = given_up(0.9, 1, &earlier).unwrap();
        assert!(why.contains("above 0.8000"), "{why}");
        assert!(given_up(1.15, 1, &earlier).unwrap().contains("3 of 4 trials were better"));
        assert_eq!(given_up(0.9, 1, &earlier[..3]), None, "three trials say too little");
    }

    #[test]
    fn time_in_which_nothing_trained_does_not_count() {
        let mut course = Course::default();
        let prepare = EventKind::Phase { phase: Phase::Prepare };
        let note = || EventKind::Note { text: String::new() };
        let events = [(1_000, prepare.clone()), (3_000, note()), (900_000, prepare), (900_500, note())];
        events.into_iter().for_each(|(at, kind)| course.take(&Event { seq: 1, at, kind }));
        assert_eq!(course.millis, 2_500);
    }

    #[test]
    fn latency_is_that_of_the_examples_that_were_measured() {
        let result = |all: u64| json!({"eval_samples": all, "hyperparameters": {"eval": {"examples": 64}}});
        assert_eq!(latency(3.2, &result(200)), Some(50.0));
        assert_eq!(latency(3.2, &result(32)), Some(100.0));
        assert_eq!(latency(3.2, &result(0)), None);
        assert_eq!(latency(3.2, &Value::Null), None);
    }

    #[tokio::test]
    async fn study_that_is_stopped_meanwhile_gets_no_trial() {
        let home = tempfile::tempdir().unwrap();
        let engine = Engine::open(crate::Home::at(home.path()).unwrap(), "ada").await.unwrap();
        let task = graft_tasks::cards::task("sentiment").unwrap().clone();
        let (train, eval, leaking, assignment) = (Vec::new(), Vec::new(), Vec::new(), Assignment::new());
        let dataset = Dataset { digest: Digest::of(b"none"), train, eval, leaking, assignment };
        let mut plan = StudyPlan {
            budget: Budget::Trials(3),
            seed: 1,
            parallel: 1,
            on: None,
            sampler: SamplerName::default(),
            base: BaseRef { name: "tiny".into(), digest: Digest::of(b"tiny") },
            more_bases: Vec::new(),
            dataset: dataset.digest.clone(),
            card: task.card(&["good".into(), "bad".into()]).unwrap(),
            task,
            method: None,
            settings: Settings::default(),
            space: Vec::new(),
            starts: Vec::new(),
            examples: 8,
            revision: None,
            run: None,
        };
        plan.space = space::space(&plan.given(), false);
        let written = written::value(&plan);
        let new = NewStudy { id: "s", task: "sentiment", plan: &written, waiting: None };
        let study = engine.store.add_study(new, &dataset, "ada", now()).await.unwrap();
        engine.studies().stop("s").await.unwrap();
        let queueing = engine.studies().queue_trials(&study, &plan);
        tokio::time::timeout(std::time::Duration::from_secs(30), queueing).await.expect("it tries for ever").unwrap();
        assert!(engine.store.trials("s").await.unwrap().is_empty());
    }

    #[test]
    fn budgets_survive_a_round_trip() {
        for (text, budget) in [
            ("20-trials", Budget::Trials(20)),
            ("60m", Budget::Minutes(60)),
            ("2h", Budget::Minutes(120)),
            ("3 trials", Budget::Trials(3)),
        ] {
            assert_eq!(text.parse(), Ok(budget));
            assert_eq!(budget.to_string().parse(), Ok(budget));
        }
        for wrong in ["", "20", "0m", "-trials", "5000-trials", "m", "1d"] {
            assert!(wrong.parse::<Budget>().is_err(), "{wrong}");
        }
    }
}
