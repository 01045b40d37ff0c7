//! Checks of everything that a run needs.

use std::path::Path;

use graft_core::{ExitCode, Precision};
use graft_tasks::cards::Integration;
use graft_train::available_memory;
use serde::Serialize;

use super::{
    Plan,
    estimate::Measured,
    recipes::{Method, recipe},
};
use crate::{
    Engine, Error, Home, Result,
    examples::{Prepared, USUAL_SPLIT},
    files::free_bytes,
};

/// One thing looked at.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// What was looked at.
    pub name: &'static str,
    /// Whether a run is possible with it.
    pub ok: bool,
    /// What was found.
    pub found: String,
    /// What to do, where something is missing.
    pub hint: Option<String>,
    /// The exit code a run would end with.
    #[serde(skip)]
    pub code: ExitCode,
}

/// Room that checkpoints and logs of a run may take, beside the adapter.
const DISK_NEEDED: u64 = 1 << 30;
/// Examples of each side whose tokens are counted: the longest, which decide how much memory a run takes.
const LONGEST: usize = 2000;
/// Labels of more examples than this are left to a command of their own.
const MANY: usize = 5000;
/// With fewer examples a result says little.
const FEW: u64 = 10;
/// The check of `CEREBROS_URL`.
const SERVICE: &str = "training service";

impl Check {
    fn good(name: &'static str, found: impl Into<String>) -> Self {
        Self { name, ok: true, found: found.into(), hint: None, code: ExitCode::Success }
    }

    fn bad(name: &'static str, error: &Error) -> Self {
        let found = format!("failed to {}", graft_core::with_causes(error));
        Self { name, ok: false, found, hint: error.hint(), code: error.exit_code() }
    }
}

/// Looks at everything a run needs, and lists all that is missing at once; without a database, only at the machine.
/// `tell` hears what is being looked at.
pub async fn doctor(
    home: &Home,
    opened: Option<&Result<Engine>>,
    (task, base): (Option<&str>, &str),
    tell: &dyn Fn(&str),
) -> Vec<Check> {
    let mut checks = vec![Check::good("home", home.path().display().to_string())];
    checks.push(disk(home.path()));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    checks.push(Check::good("threads", threads.to_string()));
    let found = graft_train::bf16_of(Precision::Bf16).map_or("none".into(), |way| way.to_string());
    checks.push(Check::good("bf16 products", found));
    let (found, hint) = graft_train::gpus();
    checks.push(Check { hint, ..Check::good("gpu", found) });
    let engine = match opened {
        Some(Ok(engine)) => engine,
        Some(Err(error)) => {
            checks.push(Check::bad("database", error));
            return checks;
        }
        None => return checks,
    };
    tell("database");
    checks.push(match engine.store.check().await {
        Ok(()) => Check::good("database", engine.store.name()),
        Err(error) => Check::bad("database", &error.into()),
    });
    tell("examples");
    let prepared = match task {
        Some(task) => prepare(engine, task).await,
        None => prepare_any(engine).await,
    };
    checks.push(examples(engine, task, &prepared).await);
    if let Some(task) = task {
        tell("labels");
        let many = prepared.as_ref().is_ok_and(|p| p.dataset.train.len() + p.dataset.eval.len() > MANY);
        checks.push(if many {
            let found = format!("not checked: more than {MANY} examples take long");
            Check {
                hint: Some(format!("`graft suspects {task}` lists suspect labels")),
                ..Check::good("labels", found)
            }
        } else {
            suspects(engine, task).await
        });
    }
    for (tracker, answer) in engine.tracking().look().await {
        tell(tracker.name());
        checks.push(match answer {
            Ok(found) => Check::good(tracker.name(), found),
            // No run waits for a tracker.
            Err(error) => Check { ok: true, ..Check::bad(tracker.name(), &error) },
        });
    }
    for (receiver, answer) in engine.alerts().check().await {
        tell(receiver);
        checks.push(match answer {
            Ok(found) => Check::good(receiver, found),
            // No run waits for it.
            Err(error) => Check { ok: true, ..Check::bad(receiver, &error) },
        });
    }
    if let Some(service) = engine.machines().service().transpose() {
        tell(SERVICE);
        let found = match service {
            Ok(service) => service.check().await.map(|()| service.address().to_owned()).map_err(Error::from),
            Err(error) => Err(error),
        };
        checks.push(match found {
            Ok(address) => Check::good(SERVICE, address),
            // Only runs on it need it.
            Err(error) => Check { ok: true, ..Check::bad(SERVICE, &error) },
        });
    }
    tell("base model");
    let model = engine.bases().find(base).await;
    match &model {
        Ok((base, files)) => {
            checks.push(Check::good("base model", format!("{} at {}", base.name, files.path.display())));
        }
        Err(error) => checks.push(Check::bad("base model", error)),
    }
    tell("memory");
    checks.push(memory(prepared, model));
    checks
}

fn disk(home: &Path) -> Check {
    let existing = home.ancestors().find(|path| path.exists()).unwrap_or(home);
    let Some(free) = free_bytes(existing) else {
        return Check::good("disk", "unknown: the system does not report it");
    };
    let found = format!("{} MB free", free / 1_000_000);
    let mut check = Check::good("disk", found);
    if free < DISK_NEEDED {
        check.ok = false;
        check.hint = Some("free some space: a run may need 1 GB for checkpoints; or set GRAFT_HOME elsewhere".into());
        check.code = ExitCode::Internal;
    }
    check
}

async fn examples(engine: &Engine, task: Option<&str>, prepared: &Result<Prepared>) -> Check {
    let counts = match engine.store.example_counts().await {
        Ok(counts) => counts,
        Err(error) => return Check::bad("examples", &error.into()),
    };
    let Some(task) = task else {
        let all: Vec<String> =
            counts.iter().map(|(task, c)| format!("{task}: {} approved, {} pending", c.approved, c.pending)).collect();
        return Check::good("examples", if all.is_empty() { "none yet".into() } else { all.join("; ") });
    };
    match prepared {
        Ok(prepared) => {
            let (train, eval) = (prepared.dataset.train.len(), prepared.dataset.eval.len());
            let mut check = Check::good("examples", format!("{train} training examples of {task}, {eval} held out"));
            if let Some((what, hint)) = prepared.lopsided().into_iter().next() {
                check.hint = Some(format!("a training can't {what}; {hint}"));
            } else if ((train + eval) as u64) < FEW {
                check.hint = Some(format!("with fewer than {FEW} examples a result is uncertain; approve more"));
            }
            check
        }
        Err(error) => Check::bad("examples", error),
    }
}

/// Examples that contradict each other or a confident model: nothing that stops a run.
async fn suspects(engine: &Engine, task: &str) -> Check {
    match engine.evaluations().suspects(task).await {
        Ok(suspects) => match suspects.summary() {
            Some((_, found)) => {
                let hint = Some(format!("check them before the training: `graft suspects {task}`"));
                Check { hint, ..Check::good("labels", found) }
            }
            None => Check::good("labels", "nothing suspect"),
        },
        Err(error) => Check::bad("labels", &error),
    }
}

/// A task that has examples, if any has: what a run takes follows from them.
async fn prepare_any(engine: &Engine) -> Result<Prepared> {
    let counts = engine.store.example_counts().await?;
    let most = counts.iter().max_by_key(|(_, counts)| counts.approved).map(|(task, _)| task.clone());
    let first = || engine.tasks().with(Integration::Slack);
    let task = match most {
        Some(task) => task,
        None => first().await?.name,
    };
    prepare(engine, &task).await
}

async fn prepare(engine: &Engine, task: &str) -> Result<Prepared> {
    let prepared = engine.examples().prepare(task, USUAL_SPLIT, None).await?;
    prepared.rows()?;
    Ok(prepared)
}

fn memory(prepared: Result<Prepared>, model: Result<(graft_core::BaseRef, graft_formats::ModelFiles)>) -> Check {
    let Some(available) = available_memory() else {
        return Check::good("memory", "unknown: the system does not report it");
    };
    let found = format!("{} MB available", available / 1_000_000);
    let (Ok((base, files)), Ok(prepared)) = (model, prepared) else { return Check::good("memory", found) };
    let settings = recipe(&prepared.task.definition, Method::Lora, prepared.dataset.train.len());
    let plan = Plan { prepared, base, recipe: settings, start: None, run: None, dir: None };
    let needed = match Measured::of_longest(&plan, &files, LONGEST) {
        Ok(measured) => measured.memory(&plan.spec("doctor".into())),
        Err(error) => return Check::bad("memory", &error),
    };
    let all = plan.prepared.dataset.train.len().max(plan.prepared.dataset.eval.len());
    let of = if all > LONGEST { format!(", by the {LONGEST} longest examples") } else { String::new() };
    let mut check = Check::good("memory", format!("{found}; a run takes about {} MB{of}", needed / 1_000_000));
    if needed > available {
        check.ok = false;
        check.hint = Some("`--pass-tokens 256 --recompute` needs less".into());
        check.code = ExitCode::OutOfMemory;
    }
    check
}
