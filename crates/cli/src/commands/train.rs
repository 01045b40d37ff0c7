use std::{path::PathBuf, sync::Arc};

use clap::Args;
use graft_core::{BaseRef, ExitCode, dollars};
use graft_engine::{
    Engine, Error, Evaluation, Home, Learned, Plan, Quote, RunLock, RunRequest, Seen, Settings, Submitted,
    interim_scorer, outcome_of,
    recipes::recipe,
    records::{Run, Version},
};
use graft_train::{Machine, Outcome, RunDir, TrainingRun};
use serde_json::{Value, json};
use tracing::Level;

use super::{
    base, evaluate, models,
    settings::{self, Split, What},
};
use crate::{
    failure::{Failure, Result},
    output::{Reply, facts, print, seconds},
    progress::Training,
};

/// Train an adapter on a task's approved examples and register it as a version.
#[derive(Debug, Args)]
pub(crate) struct Train {
    #[command(flatten)]
    what: What,
    /// Name of the version [default: the next number].
    #[arg(long, value_name = "NAME")]
    version: Option<String>,
    /// Name of the run [default: made from task and time].
    #[arg(long, value_name = "NAME")]
    run_id: Option<String>,
    /// Make the version active if it is not worse than the active one.
    #[arg(long)]
    activate: bool,
    /// With --activate: activate it even if it is worse.
    #[arg(long, requires = "activate")]
    force: bool,
    /// Don't evaluate the version on the held-out examples afterwards.
    #[arg(long, conflicts_with = "activate")]
    no_eval: bool,
    /// Don't evaluate the bare base model.
    #[arg(long)]
    skip_base: bool,
    /// Only print what would be trained, the time and the cost.
    #[arg(long, conflicts_with = "activate")]
    dry_run: bool,
    #[command(flatten)]
    split: Split,
    #[command(flatten)]
    settings: Settings,
}

/// Train in a prepared run directory; `graft train` and workers start this as a separate process.
///
/// Continues from the newest checkpoint if there is one. Exits with 0 only if it wrote a result.
#[derive(Debug, Args)]
pub(crate) struct TrainDir {
    /// Run directory with spec.json and data/.
    dir: PathBuf,
    /// Base model files: a path, a name or a Hub id [default: search this machine for the digest in the spec].
    #[arg(long)]
    base: Option<String>,
    /// Number of CPU threads [default: as in the spec].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
}

pub(crate) async fn run(engine: &Engine, command: Train) -> Result<Reply> {
    // Report a missing or wrong key first.
    let quote = match &command.what.on {
        Some(name) => engine.machines().quote(name).await?,
        None => None,
    };
    let rule = command.split.rule(command.settings.seed)?;
    let prepared = engine.examples().prepare(&command.what.task, rule, None).await?;
    if prepared.unfit > 0 {
        eprintln!("{} approved examples are not used: they do not fit the task's form.", prepared.unfit);
    }
    if let Some(name) = &command.version {
        engine.versions().check_new(&command.what.task, name).await?;
    }
    let request = RunRequest {
        settings: command.settings.clone(),
        eval_share: Some(command.split.eval_share),
        split: Some(command.split.split),
        version: command.version.clone(),
        evaluate: !command.no_eval,
        score_base: !command.skip_base,
        ..command.what.request()
    };
    if command.dry_run {
        return dry_run(engine, &request, quote).await;
    }
    let start = engine.runs().warm_start(&request, &prepared.dataset).await?;
    let (base, recipe) = match &start {
        Some(start) => (engine.bases().open(&start.base).await?.0, start.recipe(&prepared.task.definition)),
        None => {
            let recipe = recipe(&prepared.task.definition, command.what.method, prepared.dataset.train.len());
            (base::find_or_pull(engine, &command.what.base).await?.0, recipe)
        }
    };
    let mut recipe = recipe.with(command.what.effort);
    settings::apply(&command.settings, &mut recipe)?;
    if let Some(start) = &start {
        start.check(&recipe).map_err(|problem| Failure::usage(problem.what, problem.hint))?;
        let Learned { version, new, replayed, .. } = &start.learned;
        eprintln!("Starts from version {version}: {new} new examples and {replayed} older ones.");
    }
    if let Some(quote) = &quote {
        eprintln!("{}", told(quote));
    }
    let plan = Plan { prepared, base, recipe, start, run: command.run_id, dir: None };
    if let Some(last) = engine.runs().same(&plan).await? {
        eprintln!("Nothing changed since run {}: the same examples and settings would give the same version.", last.id);
    }
    let run = submit(engine, &plan, &request).await?;
    let trained = complete(engine, &run).await?;
    if command.no_eval {
        return Ok(trained.reply());
    }
    trained.judge(engine, !command.skip_base, command.activate.then_some(command.force)).await
}

/// What a machine would cost.
fn told(Quote { offer, minutes, most_cents, .. }: &Quote) -> String {
    let (price, most) = (dollars(u64::from(offer.cents_per_hour)), dollars(*most_cents));
    format!("Renting {} in {} at {price} an hour; {minutes} minutes at most, {most}.", offer.kind, offer.region)
}

/// Says what a training would be, how long it takes and what it costs; nothing is queued or rented.
async fn dry_run(engine: &Engine, request: &RunRequest, quote: Option<Quote>) -> Result<Reply> {
    let preflight = engine.runs().preflight(request).await?;
    let mut lines = vec![("command", preflight.command.clone())];
    let mut rental = Value::Null;
    if let Some(estimate) = &preflight.estimate {
        lines.push(("learns from", format!("{} examples, {} held out", estimate.train, estimate.eval)));
        lines.push(("steps", format!("{} ({} tokens)", estimate.steps, estimate.tokens)));
        lines.push(("time here", format!("{} ({})", seconds(estimate.seconds), estimate.seconds_basis)));
        if let Some(quote) = quote {
            let expected = engine.machines().expected(&quote, &request.task, estimate.tokens).await?;
            lines.push(("rented", told(&quote)));
            let (time, cost) = match expected {
                Some((time, cents)) => (seconds(time), dollars(cents)),
                None => {
                    ("unknown before the first such run".to_owned(), format!("at most {}", dollars(quote.most_cents)))
                }
            };
            lines.extend([("time there", time), ("cost", cost)]);
            rental = json!({
                "quote": quote, "seconds": expected.map(|(time, _)| time), "cents": expected.map(|(_, cents)| cents),
            });
        }
    }
    for problem in &preflight.problems {
        lines.push((problem.level.name(), format!("failed to {} ({})", problem.what, problem.hint)));
    }
    let code = if preflight.ok { ExitCode::Success } else { ExitCode::BadData };
    Ok(Reply::new(json!({"preflight": preflight, "rental": rental}), facts(&lines)).with_code(code))
}

/// Queues a plan, or resumes its interrupted run, and prints which.
pub(crate) async fn submit(engine: &Engine, plan: &Plan, request: &RunRequest) -> Result<Run> {
    let Submitted { run, continued, found_dead } = engine.runs().submit_plan(plan, request).await?;
    for dead in found_dead.iter().filter(|dead| dead.id != run.id) {
        eprintln!("Run {} was found {}; `graft runs resume {}` continues it.", dead.id, dead.state.name(), dead.id);
    }
    let begun = if continued { "Going on with run" } else { "Run" };
    eprintln!("{begun} {} in {}", run.id, engine.home.run_dir(&run).path().display());
    Ok(run)
}

/// A finished run whose version is registered.
pub(crate) struct Trained {
    run: Run,
    result: TrainingRun,
    version: Version,
}

/// Follows a run from its current state to its end: this process works on it, unless a worker does.
pub(crate) async fn complete(engine: &Engine, run: &Run) -> Result<Trained> {
    let program = std::env::current_exe().map_err(Error::TrainerStart)?;
    let mut progress = Training::new();
    // What a worker would write into its log; on this machine the events say it all.
    let is_elsewhere = run.machine.is_some();
    let say = Arc::new(move |level: Level, line: &str| {
        if is_elsewhere && level <= Level::INFO {
            eprintln!("{line}");
        }
    });
    let listener = tokio::spawn(listen(engine.clone(), run.clone()));
    let ended = engine.runs().supervise(&run.id, program, &mut |event| progress.event(event), say).await;
    listener.abort();
    drop(progress);
    let run = ended?;
    outcome_of(&run)?;
    // Earlier versions of Graft left it to this command to register what had been trained.
    let version = engine.versions().register(&run, run.version.as_deref()).await?;
    let result = engine.runs().known(&run.id).await?.result.map(serde_json::from_value).transpose();
    let damaged = |source| Error::BadSpec { run: run.id.clone(), source };
    let result = result.map_err(damaged)?.ok_or_else(|| Error::NoResult { run: run.id.clone() })?;
    Ok(Trained { run, result, version })
}

/// The first press of Ctrl-C asks the run to stop after its step, the second ends it at once.
async fn listen(engine: Engine, run: Run) {
    for press in 0.. {
        if tokio::signal::ctrl_c().await.is_err() {
            return;
        }
        let done = if press == 0 {
            eprintln!("Stopping after this step; press Ctrl-C again to end it at once.");
            engine.runs().cancel(&run.id).await.map(drop)
        } else {
            engine.runs().end_now(&run).await
        };
        if let Err(error) = done {
            Failure::from(error).say();
        }
    }
}

impl Trained {
    /// The training's result.
    pub(crate) fn reply(&self) -> Reply {
        Reply::new(self.json(), self.text())
    }

    /// Shows the version's scores, and activates it if requested (`Some(force)`) and not worse than the active one.
    pub(crate) async fn judge(mut self, engine: &Engine, with_base: bool, activate: Option<bool>) -> Result<Reply> {
        let scores = match Evaluation::of(&self.version) {
            Some(kept) => evaluate::scores(&self.version, &kept),
            // Its run was begun without.
            None => {
                let (version, scores) = evaluate::evaluate(engine, &self.version, with_base).await?;
                self.version = version;
                scores
            }
        };
        let mut text = format!("{}\n{scores}", self.text());
        let Some(force) = activate else {
            let Version { task, name, .. } = &self.version;
            text += &format!("\nMake it active: `graft models set-active {name} --task {task}`");
            return Ok(Reply::new(self.json(), text));
        };
        let done = engine
            .evaluations()
            .activate(&self.version.task, &self.version.name, Seen::Any, force, &mut |_, _, _| {})
            .await;
        match done.map_err(Failure::from) {
            Ok(done) => {
                text += &format!("\n{}", models::activated(&done));
                self.version = done.version.clone();
                let mut json = self.json();
                json["activation"] = json!(done);
                Ok(Reply::new(json, text))
            }
            Err(refusal) => {
                refusal.say();
                let mut json = self.json();
                json["refusal"] = refusal.to_json();
                Ok(Reply::new(json, text).with_code(refusal.code()))
            }
        }
    }

    fn json(&self) -> Value {
        json!({"run": self.run.id, "result": self.result, "version": self.version})
    }

    fn text(&self) -> String {
        let Self { run, result, version } = self;
        let loss = |loss: Option<f64>| loss.map_or_else(|| "none held out".to_owned(), |loss| format!("{loss:.4}"));
        let mut lines = vec![
            ("version", format!("{} of {} ({})", version.name, version.task, version.stage.name())),
            ("run", run.id.clone()),
            ("base", result.base_model.clone()),
        ];
        match told_by_service(result) {
            Some(told) => {
                lines.push(("learned from", format!("{} examples", result.samples)));
                lines.push(("trained by", told));
            }
            None => lines.extend([
                ("learned from", format!("{} examples, {} skipped as too long", result.samples, result.too_long)),
                ("held-out loss", loss(result.eval_loss)),
                ("time", format!("{} ({:.0} tokens/s)", seconds(result.train_seconds), result.tokens_per_second)),
            ]),
        }
        lines.push(("adapter", version.adapter_dir.clone()));
        facts(&lines)
    }
}

/// The job of the training service that made a result, if one did, and what the service measured.
pub(crate) fn told_by_service(result: &TrainingRun) -> Option<String> {
    let told = result.service.as_ref()?;
    let numbers = told["said"]["metrics"].as_object().into_iter().flatten().filter(|(_, value)| value.is_number());
    let numbers: Vec<String> = numbers.map(|(name, value)| format!("{name} {value}")).collect();
    let text = |name: &str| told[name].as_str().unwrap_or_default();
    let measured = if numbers.is_empty() { "no metrics".to_owned() } else { numbers.join(", ") };
    Some(format!("job {} of {}; it says: {measured}", text("job"), text("address")))
}

/// Trains in this process.
pub(crate) fn train_dir(command: &TrainDir, json: bool) -> Result<Reply> {
    let dir = RunDir::new(&command.dir);
    // A folder that is no run directory gets neither lock nor events.
    if !dir.path().join("spec.json").exists() {
        dir.spec()?;
    }
    RunLock::take(dir.path()).map_err(Error::from)?.keep_until_exit();
    let home = Home::locate()?;
    let find_base = |wanted: &BaseRef| -> std::result::Result<PathBuf, graft_train::Error> {
        let found = match &command.base {
            Some(name) => home.hub().and_then(|hub| Ok(hub.find(&name.parse()?)?.path)),
            None => home.find_base(wanted, Vec::new()),
        };
        let BaseRef { name, digest } = wanted.clone();
        if let (Ok(path), false) = (&found, json) {
            print(&format!("Base model {name}: {}", home.origin(path)));
        }
        found.map_err(|source| graft_train::Error::NoBase { name, digest, source: Box::new(source) })
    };
    let machine = Machine {
        find_base: &find_base,
        digests: &home.digests(),
        threads: command.threads.map(usize::from),
        scorer: Some(&interim_scorer),
    };
    let mut lines = Training::for_directory();
    let outcome = graft_train::train(&dir, &machine, &mut |event| match json {
        true => print(&graft_core::json::line(event)),
        false => lines.event(event),
    })?;
    let (Outcome::Finished(result) | Outcome::AlreadyDone(result)) = &outcome;
    if json {
        print(&json!({"event": "result", "result": result}).to_string());
        return Ok(Reply::silent());
    }
    Ok(Reply::new(result, format!("adapter {} in {}", result.adapter_hash.short(), dir.adapter().display())))
}
