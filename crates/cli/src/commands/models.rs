use std::path::{Path, PathBuf};

use clap::Subcommand;
use graft_engine::{
    Activated, ContestantKind, ContestantScores, Engine, Error, Evaluation, Reliability, ResultFormat, Seen, Told,
    iso8601,
    records::{Stage, Version, model_registry},
};
use graft_tasks::score::{Comparison, Scores, Verdict, wilson};
use serde_json::{Value, json};

use super::evaluate::Steps;
use crate::{
    failure::Result,
    output::{Reply, Table, facts},
};

#[derive(Debug, Subcommand)]
pub(crate) enum Models {
    /// List versions and their stages.
    List {
        /// Only this task.
        #[arg(long)]
        task: Option<String>,
    },
    /// Show one version: run, dataset, scores, calibration.
    Info {
        /// Name.
        version: String,
        /// Task of the version; needed if several tasks have versions.
        #[arg(long)]
        task: Option<String>,
    },
    /// Export the results of a version's evaluation: the held-out examples with its answers, or a report.
    Results {
        /// Name.
        version: String,
        /// Task of the version; needed if several tasks have versions.
        #[arg(long)]
        task: Option<String>,
        /// Form of the file [default: the extension of --output, otherwise csv].
        #[arg(long, value_enum)]
        format: Option<ResultFormat>,
        /// File to write [default: stdout].
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Register an adapter folder, such as one written by Hugging Face PEFT, or a version's bundle in stage shadow.
    Add {
        /// Folder with adapter_config.json and adapter_model.safetensors, or a bundle of `graft adapter export`.
        folder: PathBuf,
        /// Task of the adapter; not needed if Graft trained it.
        #[arg(long)]
        task: Option<String>,
        /// Base model [default: the one its config names].
        #[arg(long, value_name = "MODEL")]
        base: Option<String>,
        /// Name of the version [default: the next number].
        #[arg(long, value_name = "NAME")]
        version: Option<String>,
    },
    /// Register a contestant as a version: it answers without a language model.
    ///
    /// It learns from the same examples as the task's active version, or the newest one, and is measured on the same
    /// held-out examples. This takes seconds.
    Contestant {
        /// `rules` (the task's parser), `n-grams` (logistic regression, for labels), `nearest` (the most similar approved
        /// example) or `most-frequent` (always the same label).
        #[arg(value_name = "KIND")]
        kind: ContestantKind,
        /// Task; needed if several tasks have versions.
        #[arg(long)]
        task: Option<String>,
        /// Learn from the examples of this version.
        #[arg(long, value_name = "VERSION")]
        like: Option<String>,
        /// Name of the version [default: the next number].
        #[arg(long, value_name = "NAME")]
        version: Option<String>,
        /// Activate it, unless it is worse than the active version or another contestant.
        #[arg(long)]
        activate: bool,
        /// With --activate: even if it is worse.
        #[arg(long, requires = "activate")]
        force: bool,
    },
    /// Activate a version, unless it is worse than the active one.
    SetActive {
        /// Name.
        version: String,
        /// Task of the version; needed if several tasks have versions.
        #[arg(long)]
        task: Option<String>,
        /// Activate it even if it is worse.
        #[arg(long)]
        force: bool,
    },
    /// Remove a version from the registry; its local files are kept.
    Delete {
        /// Name.
        version: String,
        /// Task of the version; needed if several tasks have versions.
        #[arg(long)]
        task: Option<String>,
        /// Remove it even if it is active.
        #[arg(long)]
        force: bool,
    },
    /// Activate the previously active version again.
    Rollback {
        /// Task; needed if several tasks have versions.
        #[arg(long)]
        task: Option<String>,
    },
    /// Write the versions in the format of the Slack system's model_registry.json.
    ExportRegistry {
        /// Task; needed if several tasks have versions.
        #[arg(long)]
        task: Option<String>,
        /// File to write [default: stdout].
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

pub(crate) async fn run(engine: &Engine, command: Models) -> Result<Reply> {
    match command {
        Models::List { task } => list(engine, task.as_deref()).await,
        Models::Info { version, task } => {
            let task = engine.versions().task_with_versions(task.as_deref()).await?;
            Ok(info(&engine.versions().get(&task, &version).await?))
        }
        Models::Results { version, task, format, output } => {
            let task = engine.versions().task_with_versions(task.as_deref()).await?;
            let format = format.or_else(|| ResultFormat::of(output.as_deref()?)).unwrap_or(ResultFormat::Csv);
            let text = engine.versions().results(&task, &version, format).await?;
            let Some(path) = output else {
                return Ok(Reply::new(json!({"format": format, "content": text}), text));
            };
            graft_formats::atomic::bytes(&path, text.as_bytes())?;
            Ok(Reply::new(json!({"format": format, "written": path}), format!("Written to {}.", path.display())))
        }
        Models::Add { folder, task, base, version } => {
            if folder.is_file() {
                let added = add_bundle(engine, &folder).await?;
                let text = format!("Version {} of {} is registered (shadow).", added.name, added.task);
                return Ok(Reply::new(&added, text));
            }
            let told = Told { task: task.as_deref(), base: base.as_deref() };
            let chosen = engine.versions().adopt(&folder, told).await?;
            chosen.notes.iter().for_each(|note| eprintln!("{}: {note}", folder.display()));
            let added = engine.versions().add(&chosen, version.as_deref()).await?;
            let Version { name, task, .. } = &added;
            let text = format!(
                "Version {name} of {task} is registered (shadow).\nEvaluate it (it may have been trained on examples that \
                 are held out here): `graft eval --task {task} --version {name}`"
            );
            Ok(Reply::new(&added, text))
        }
        Models::Contestant { kind, task, like, version, activate, force } => {
            let task = engine.versions().task_with_versions(task.as_deref()).await?;
            let mut shown = Steps::default();
            let tell = &mut |what: &str, done: usize, of: usize| shown.show(what, done, of);
            let evaluations = engine.evaluations();
            let added = evaluations.add_contestant(&task, kind, like.as_deref(), version.as_deref(), tell).await?;
            if activate {
                let done = evaluations.activate(&task, &added.name, Seen::Any, force, tell).await?;
                return Ok(Reply::new(&done, activated(&done)));
            }
            let scores = Evaluation::of(&added).map(|evaluation| format!("\n{}", scores_table(&evaluation)));
            let text = format!(
                "Version {} of {task} is {} ({}).\nServe it: `graft models set-active {} --task {task}`\n{}",
                added.name,
                added.method.name(),
                added.stage.name(),
                added.name,
                scores.unwrap_or_default(),
            );
            Ok(Reply::new(&added, text))
        }
        Models::SetActive { version, task, force } => {
            let task = engine.versions().task_with_versions(task.as_deref()).await?;
            let mut shown = Steps::default();
            let tell = &mut |what: &str, done: usize, of: usize| shown.show(what, done, of);
            let done = engine.evaluations().activate(&task, &version, Seen::Any, force, tell).await?;
            Ok(Reply::new(&done, activated(&done)))
        }
        Models::Delete { version, task, force } => {
            let task = engine.versions().task_with_versions(task.as_deref()).await?;
            let gone = engine.versions().delete(&task, &version, force).await?;
            let text = format!("Removed version {version} of {task} from the registry; {} is kept.", gone.adapter_dir);
            Ok(Reply::new(gone, text))
        }
        Models::Rollback { task } => {
            let task = engine.versions().task_with_versions(task.as_deref()).await?;
            let (version, previous) = engine.versions().roll_back(&task).await?;
            let text = format!("Version {} of {task} is active again.", version.name);
            Ok(Reply::new(json!({"version": version, "previous": previous}), text))
        }
        Models::ExportRegistry { task, output } => {
            let task = engine.versions().task_with_versions(task.as_deref()).await?;
            let registry = model_registry(&engine.versions().list(Some(&task)).await?);
            let text = format!("{registry:#}\n");
            let Some(path) = output else { return Ok(Reply::new(registry, text)) };
            graft_formats::atomic::bytes(&path, text.as_bytes())?;
            Ok(Reply::new(registry, format!("Written to {}.", path.display())))
        }
    }
}

async fn add_bundle(engine: &Engine, path: &Path) -> Result<Version> {
    let failed = |source| Error::Io { doing: "read", path: path.to_owned(), source };
    Ok(engine.versions().add_bundle(&std::fs::read(path).map_err(failed)?).await?)
}

async fn list(engine: &Engine, task: Option<&str>) -> Result<Reply> {
    let versions = engine.versions().list(task).await?;
    let mut table = Table::new(["version", "task", "stage", "method", "score", "base", "made", "run"]);
    for version in &versions {
        let score = Evaluation::of(version).and_then(|evaluation| headline(&evaluation.adapter));
        table.row([
            version.name.clone(),
            version.task.clone(),
            version.stage.name().to_owned(),
            version.method.name().to_owned(),
            score.unwrap_or_default(),
            version.base.clone().unwrap_or_default(),
            iso8601(version.created_at),
            version.run.clone().unwrap_or_default(),
        ]);
    }
    let active: Vec<&Version> = versions.iter().filter(|version| version.stage == Stage::Active).collect();
    let text = table.or("No versions yet: `graft train TASK`.");
    let active: serde_json::Map<String, Value> =
        active.iter().map(|version| (version.task.clone(), json!(version.name))).collect();
    Ok(Reply::new(json!({"versions": versions, "active": active}), text))
}

/// `exact 0.810 (0.730–0.880)`.
pub(crate) fn headline(scores: &Scores) -> Option<String> {
    let metric = scores.headline()?;
    Some(format!("{} {:.3} ({:.3}–{:.3})", metric.name, metric.value, metric.low, metric.high))
}

fn info(version: &Version) -> Reply {
    let dataset = version.dataset.as_ref().map_or_else(|| "unknown".to_owned(), |digest| digest.short().to_owned());
    let base = version.base.as_ref().zip(version.base_digest.as_ref());
    let base = base.map_or_else(|| "none".to_owned(), |(name, digest)| format!("{name} ({})", digest.short()));
    let mut text = facts(&[
        ("version", format!("{} of {}", version.name, version.task)),
        ("stage", version.stage.name().to_owned()),
        ("run", version.run.clone().unwrap_or_default()),
        ("parent", version.parent.clone().unwrap_or_else(|| "none".to_owned())),
        ("method", version.method.name().to_owned()),
        ("base", base),
        ("dataset", dataset),
        ("files", format!("{} ({})", version.adapter_dir, version.adapter_digest.short())),
        ("made", format!("{} by {}", iso8601(version.created_at), version.created_by)),
    ]);
    match Evaluation::of(version) {
        Some(evaluation) => text += &format!("\n{}", scores_table(&evaluation)),
        None => text += &format!("\nNot evaluated: `graft eval --task {} --version {}`.", version.task, version.name),
    }
    Reply::new(json!({"version": version}), text)
}

/// The scores of adapter, base and strongest contestant side by side, and the headline metric of all of them.
pub(crate) fn scores_table(evaluation: &Evaluation) -> String {
    if evaluation.adapter.n == 0 {
        return "No example is held out, so there are no scores. Train with `--eval-share 0.2` to hold out a fifth.\n"
            .to_owned();
    }
    let baseline = evaluation.baseline.as_ref();
    let name = baseline.map_or_else(|| "baseline".to_owned(), |baseline| baseline.name.clone());
    let mut table = Table::new(["", "version", "base model", &name]);
    let cell = |scores: Option<&Scores>, metric: &str| {
        let found = scores.and_then(|scores| scores.metric(metric));
        found.map_or_else(String::new, |m| format!("{:.3} ({:.3}–{:.3})", m.value, m.low, m.high))
    };
    for metric in &evaluation.adapter.metrics {
        table.row([
            metric.name.clone(),
            cell(Some(&evaluation.adapter), &metric.name),
            cell(evaluation.base.as_ref(), &metric.name),
            cell(baseline.map(|baseline| &baseline.scores), &metric.name),
        ]);
    }
    format!(
        "{table}{}{}{}\nConfidence: calibration error {:.3} before, {:.3} after calibration.{} {:.2} s an answer.\n",
        uncertainty(&evaluation.adapter),
        ranking(evaluation),
        evaluation.flattery().map(|text| format!("{text}\n")).unwrap_or_default(),
        evaluation.calibration.before.ece,
        evaluation.calibration.after.ece,
        coverage(&evaluation.calibration.after),
        evaluation.seconds_per_answer,
    )
}

/// What thresholds of confidence let through, in sentences.
fn coverage(reliability: &Reliability) -> String {
    let at = |threshold: f64| {
        let (share, right) = reliability.above(threshold)?;
        let kept = (share * reliability.count as f64).round();
        let (low, high) = wilson((right * kept).round(), kept as usize);
        let [threshold, share, right, low, high] = [threshold, share, right, low, high].map(|share| share * 100.0);
        Some(format!(
            " At {threshold:.0} % and above: {share:.0} % of the answers, {right:.0} % of them correct ({low:.0}–{high:.0})."
        ))
    };
    [0.5, 0.8, 0.95].into_iter().filter_map(at).collect()
}

/// Everything that answered, the best first, by the headline metric.
fn ranking(evaluation: &Evaluation) -> String {
    let mut all = vec![("this version", &evaluation.adapter, Some(evaluation.seconds_per_answer))];
    all.extend(evaluation.base.iter().map(|base| ("base model", base, None)));
    let contestants = evaluation.contestants.iter();
    all.extend(contestants.map(|one| (one.name.as_str(), &one.scores, Some(one.seconds_per_answer))));
    if evaluation.contestants.is_empty() {
        return String::new();
    }
    let value = |scores: &Scores| scores.headline().map_or(0.0, |metric| metric.value);
    all.sort_by(|a, b| value(b.1).total_cmp(&value(a.1)));
    let mut table = Table::new(["who", &evaluation.adapter.headline, "95 % interval", "an answer"]);
    for (who, scores, seconds) in all {
        let interval = scores.headline().map(|m| format!("{:.3}–{:.3}", m.low, m.high));
        table.row([
            who.to_owned(),
            format!("{:.3}", value(scores)),
            interval.unwrap_or_default(),
            seconds.map_or_else(String::new, |seconds| format!("{:.1} ms", seconds * 1000.0)),
        ]);
    }
    format!("\n\n{table}{}", cross_validated(evaluation))
}

/// The contestants' scores on all examples, where there are few; an adapter's would take as many trainings.
fn cross_validated(evaluation: &Evaluation) -> String {
    let scored = |one: &ContestantScores| Some((one.name.clone(), headline(one.cross_validated.as_ref()?)?));
    let all: Vec<String> =
        evaluation.contestants.iter().filter_map(scored).map(|(name, score)| format!("{name} {score}")).collect();
    let count = evaluation.contestants.iter().find_map(|one| Some(one.cross_validated.as_ref()?.n));
    count.map_or_else(String::new, |count| {
        format!(
            "\nThis version's score is based on {} examples. Cross-validated on all {count}: {}.\n",
            evaluation.adapter.n,
            all.join(", ")
        )
    })
}

/// The reliability of the scores, in a sentence.
pub(crate) fn uncertainty(scores: &Scores) -> String {
    let few =
        if scores.n < 30 { " With so few examples the true score may be anywhere within the intervals." } else { "" };
    format!("On {} held-out examples; in parentheses, 95 % intervals.{few}", scores.n)
}

/// The result of activating a version.
pub(crate) fn activated(activated: &Activated) -> String {
    let said = match (&activated.comparison, &activated.opponent) {
        (Some(comparison), Some(opponent)) => verdict(comparison, &opponent.to_string()),
        _ if activated.previous.as_deref() == Some(&activated.version.name) => "It was before.".to_owned(),
        _ => "No comparison is possible: there are no held-out examples, or there is no other version.".to_owned(),
    };
    format!("Version {} of {} is active.\n{said}", activated.version.name, activated.version.task)
}

/// A comparison as a sentence.
pub(crate) fn verdict(c: &Comparison, opponent: &str) -> String {
    let what = match c.verdict {
        Verdict::Better => "It is better than",
        Verdict::Worse => "It is WORSE than",
        Verdict::CannotTell => "The held-out examples cannot tell whether it is better or worse than",
    };
    format!(
        "{what} {opponent}: {} {:.3} against {:.3}, difference {:+.3} ({:+.3} to {:+.3}).",
        c.metric, c.new, c.old, c.difference, c.low, c.high
    )
}
