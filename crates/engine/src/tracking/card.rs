//! Converts a run to the tags, params and metrics of a tracker.

use std::{fs, path::Path};

use graft_core::{Event, EventKind};
use graft_store::{LogStream, Method, Run, RunKind, Version};
use graft_tasks::score::Scores;
use graft_track::{Content, DatasetInput, Ending, File, Model, Point, RunCard};
use serde_json::{Map, Value};

use super::{Tracking, status, study_status};
use crate::{
    Evaluation, Result, StudyView,
    files::{apart, entries},
    instance::INSTANCE,
    now,
};

/// Bytes of each log's end that are sent.
const LOG: u64 = 64 << 10;
/// The folder of the adapter among a run's files.
const ADAPTER: &str = "adapter";

impl Tracking<'_> {
    pub(crate) async fn instance(self) -> Result<String> {
        // The first who asks names the home.
        self.engine.is_ours().await?;
        let word = self.engine.store.setting(INSTANCE).await?;
        Ok(word.and_then(|word| Some(word.value.as_str()?.to_owned())).unwrap_or_default())
    }

    pub(super) async fn card(self, run: &Run) -> Result<RunCard> {
        let spec = &run.spec;
        let mut tags: Vec<(String, String)> = Vec::new();
        let mut tag = |name: &str, value: &str| {
            if !value.is_empty() {
                tags.push((format!("graft.{name}"), value.to_owned()));
            }
        };
        tag("task", &run.task);
        tag("kind", run.kind.name());
        tag("study", run.study.as_deref().unwrap_or_default());
        tag("method", &run.method);
        tag("base", &run.base);
        tag("base_digest", spec["base"]["digest"].as_str().unwrap_or_default());
        tag("dataset", run.dataset.as_str());
        tag("graft_version", spec["graft"].as_str().unwrap_or(env!("CARGO_PKG_VERSION")));
        if run.kind == RunKind::Evaluate {
            tag("version", run.version.as_deref().unwrap_or_default());
        }
        Ok(RunCard {
            run: run.id.clone(),
            instance: self.instance().await?,
            task: run.task.clone(),
            user: run.created_by.clone(),
            at: run.created_at,
            url: self.page(&format!("runs/{}", run.id)),
            params: settings_of(run),
            tags,
            dataset: Some(DatasetInput {
                name: run.task.clone(),
                digest: run.dataset.as_str().to_owned(),
                train: run.train_samples.unwrap_or(0),
                eval: run.eval_samples.unwrap_or(0),
                context: if run.kind == RunKind::Train { "training" } else { "evaluation" },
            }),
            parent: None,
        })
    }

    /// What is known of a study; its params are the best settings, once these are known.
    pub(super) async fn study_card(self, view: &StudyView, params: &[(String, String)]) -> Result<RunCard> {
        let study = &view.study;
        let tag = |name: &str, value: &str| (format!("graft.{name}"), value.to_owned());
        Ok(RunCard {
            run: study.id.clone(),
            instance: self.instance().await?,
            task: study.task.clone(),
            user: study.created_by.clone(),
            at: study.created_at,
            url: self.page(&format!("search/{}", study.id)),
            params: params.to_vec(),
            tags: vec![tag("task", &study.task), tag("kind", "study"), tag("study", &study.id)],
            ..RunCard::default()
        })
    }

    /// What a study came to: the settings, loss and run of its best trial.
    pub(super) async fn study_ending(self, view: &StudyView) -> Result<(RunCard, Vec<Point>, Ending)> {
        let (study, best) = (&view.study, view.trials.iter().find(|trial| Some(trial.number) == view.best));
        let (at, step) = (study.finished_at.unwrap_or_else(now), view.trials.len() as u64);
        let point = |series: &str, value: f64| Point { series: series.to_owned(), value, step, at };
        let (mut params, mut tags) = (Vec::new(), Vec::new());
        let mut points = vec![point("trials", step as f64)];
        if let Some(best) = best {
            flatten("best", &best.settings["settings"], &mut params);
            flatten("best.method", &best.settings["method"], &mut params);
            points.extend(best.loss.map(|loss| point("best_loss", loss)));
            tags.push(("graft.best".to_owned(), best.run.clone()));
        }
        let defaults = view.defaults_are_best.map(|is_so| ("graft.defaults_are_best".to_owned(), is_so.to_string()));
        tags.extend(defaults);
        let status = study_status(study.state);
        let card = self.study_card(view, &params).await?;
        Ok((card, points, Ending { status, at, tags, files: Vec::new(), model: None }))
    }

    /// The address of a page of this home, for links.
    fn page(self, path: &str) -> Option<String> {
        self.engine.trackers.url.as_ref().map(|url| format!("{}/{path}", url.trim_end_matches('/')))
    }

    /// What a run came to after its last step: its last numbers, and its end.
    pub(super) async fn ending(self, run: &Run, step: u64) -> Result<(Vec<Point>, Ending)> {
        let store = &self.engine.store;
        let known = store.followed(&run.id).await?.unwrap_or_default();
        let version = self.version(run).await?;
        let at = run.finished_at.unwrap_or_else(now);
        let mut points: Vec<Point> = Vec::new();
        let mut point = |series: String, value: f64| points.push(Point { series, value, step, at });
        run.final_loss.into_iter().for_each(|loss| point("final_loss".into(), loss));
        let mut files = Vec::new();
        let mut tags: Vec<(String, String)> = Vec::new();
        if let Some(evaluation) = version.as_ref().and_then(Evaluation::of) {
            scores_of(&evaluation, &mut point);
            files.push(json_file("evaluation.json", &serde_json::to_value(&evaluation).unwrap_or_default()));
        }
        known.result.iter().for_each(|result| files.push(json_file("training_run.json", result)));
        for stream in [LogStream::Stdout, LogStream::Stderr] {
            let size = store.run_log(&run.id, stream, u64::MAX).await?.size;
            let end = store.run_log(&run.id, stream, size.saturating_sub(LOG)).await?.text;
            if !end.is_empty() {
                let path = format!("logs/{}.txt", stream.name());
                files.push(File { path, content: Content::Bytes(end.into_bytes()) });
            }
        }
        let mut model = None;
        if let Some(version) = version.as_ref().filter(|_| run.kind == RunKind::Train) {
            tags.push(("graft.version".into(), version.name.clone()));
            let is_here = self.engine.versions().bring(version).await.unwrap_or(false);
            let path = self.engine.home.resolve(&version.adapter_dir);
            let list = move || if is_here { folder(&path) } else { Ok(Vec::new()) };
            let adapter = apart("list a version's files", list).await?;
            if version.method == Method::Adapter && !adapter.is_empty() {
                let about = |name: &str, value: &str| (format!("graft.{name}"), value.to_owned());
                let mut tags = vec![about("adapter_digest", version.adapter_digest.as_str())];
                tags.extend(version.base_digest.iter().map(|digest| about("base_digest", digest.as_str())));
                tags.extend(version.dataset.iter().map(|digest| about("dataset", digest.as_str())));
                model = Some(Model { name: run.task.clone(), version: version.name.clone(), folder: ADAPTER, tags });
            }
            files.extend(adapter);
        }
        if let Some(failure) = &run.failure {
            tags.push(("graft.failure".into(), failure.text()));
        }
        Ok((points, Ending { status: status(run.state), at, tags, files, model }))
    }

    async fn version(self, run: &Run) -> Result<Option<Version>> {
        let versions = self.engine.store.versions(Some(&run.task)).await?;
        Ok(versions.into_iter().find(|version| match run.kind {
            RunKind::Train => version.run.as_deref() == Some(run.id.as_str()),
            RunKind::Evaluate => run.version.as_deref() == Some(version.name.as_str()),
        }))
    }
}

/// Settings of a run, by dotted name.
pub(super) fn settings_of(run: &Run) -> Vec<(String, String)> {
    let mut params = Vec::new();
    for part in ["adapter", "optim", "eval", "limits"] {
        flatten(part, &run.spec[part], &mut params);
    }
    params
}

/// The numbers of an evaluation, by series.
pub(super) fn scores_of(evaluation: &Evaluation, mut take: impl FnMut(String, f64)) {
    let mut scores = |who: &str, scores: &Scores| {
        scores.metrics.iter().for_each(|metric| take(format!("{who}/{}", metric.name), metric.value));
    };
    scores("score", &evaluation.adapter);
    evaluation.base.iter().for_each(|base| scores("base", base));
    evaluation.contestants.iter().for_each(|one| scores(one.kind.name(), &one.scores));
    take("seconds_per_answer".into(), evaluation.seconds_per_answer);
}

/// The numbers of an event.
pub(super) fn points(event: &Event) -> Vec<Point> {
    let point = |series: &str, value: f64, step: u64| Point { series: series.to_owned(), value, step, at: event.at };
    match &event.kind {
        EventKind::Step { step, loss, lr, grad_norm, tokens_per_s, memory, .. } => {
            let mut points = vec![
                point("loss", *loss, *step),
                point("learning_rate", *lr, *step),
                point("grad_norm", *grad_norm, *step),
                point("tokens_per_s", *tokens_per_s, *step),
            ];
            points.extend(memory.map(|bytes| point("memory_mb", bytes as f64 / 1e6, *step)));
            points
        }
        EventKind::Eval { step, loss, scores, .. } => {
            let mut points = vec![point("eval_loss", *loss, *step)];
            if let Some(scores) = scores {
                points.push(point("eval_accuracy", scores.accuracy, *step));
                points.extend(scores.f1.map(|f1| point("eval_f1", f1, *step)));
            }
            points
        }
        _ => Vec::new(),
    }
}

fn json_file(path: &str, value: &Value) -> File {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    File { path: path.to_owned(), content: Content::Bytes(text.into_bytes()) }
}

/// The files of an adapter's folder.
fn folder(path: &Path) -> Result<Vec<File>> {
    let mut files: Vec<_> =
        entries(path)?.into_iter().filter(|path| fs::metadata(path).is_ok_and(|m| m.is_file())).collect();
    files.sort();
    let file = |path: std::path::PathBuf| {
        let name = path.file_name()?.to_string_lossy().into_owned();
        Some(File { path: format!("{ADAPTER}/{name}"), content: Content::At(path) })
    };
    Ok(files.into_iter().filter_map(file).collect())
}

/// Settings by dotted name; lists as JSON.
pub(crate) fn flatten(name: &str, value: &Value, into: &mut Vec<(String, String)>) {
    match value {
        Value::Null => {}
        Value::Object(fields) => nested(name, fields, into),
        Value::String(text) => into.push((name.to_owned(), text.clone())),
        other => into.push((name.to_owned(), other.to_string())),
    }
}

fn nested(name: &str, fields: &Map<String, Value>, into: &mut Vec<(String, String)>) {
    fields.iter().for_each(|(field, value)| flatten(&format!("{name}.{field}"), value, into));
}
