use std::{
    fs::{self, File, OpenOptions},
    io::{BufRead, BufReader, Seek, SeekFrom},
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use graft_core::{Digest, Event, EventKind, Timestamp, TrainSpec, json};
use graft_formats::faults::{self, Op};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::Error;

/// A run's folder: `spec.json · data/{train,eval}.jsonl · data/init/ · events.jsonl · checkpoints/ · stop · adapter/ ·
/// training_run.json`.
#[derive(Clone, Debug)]
pub struct RunDir(PathBuf);

/// The result of a finished run, written last and whole: a run has succeeded if and only if it is there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainingRun {
    /// Name of the run.
    pub run_id: String,
    /// Always `completed`.
    pub status: String,
    /// When the first process began, in milliseconds since 1970.
    pub started_at: Timestamp,
    /// When the last one ended.
    pub finished_at: Timestamp,
    /// Name of the base model.
    pub base_model: String,
    /// Digest of its files.
    pub base_digest: Digest,
    /// Examples learned from.
    pub samples: usize,
    /// Examples held out.
    pub eval_samples: usize,
    /// Examples left out because they are longer than the limit.
    pub too_long: usize,
    /// Passes over the examples.
    pub epochs: f64,
    /// Optimiser steps.
    pub steps: u64,
    /// Loss of the last step.
    pub final_loss: f64,
    /// Loss on the held-out examples (the first `eval.examples` of them) with the published weights.
    pub eval_loss: Option<f64>,
    /// Step whose weights are published.
    pub best_step: u64,
    /// All settings.
    pub hyperparameters: TrainSpec,
    /// Digest of the dataset.
    pub dataset_hash: Digest,
    /// Digest of the adapter's weights.
    pub adapter_hash: Digest,
    /// Seconds spent training, over all attempts that led to the result.
    pub train_seconds: f64,
    /// Prompt and answer tokens a second.
    pub tokens_per_second: f64,
    /// Those of them that went through the model: what a pass's examples share does so once.
    #[serde(default)]
    pub computed_tokens_per_second: f64,
    /// Largest resident memory of the process in bytes.
    pub peak_memory: u64,
    /// How the CPU rounded the inputs of products, `amx` or `avx512-bf16`; absent for f32 and on a GPU.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub products: Option<String>,
    /// Version of Graft.
    pub graft_version: String,
}

impl RunDir {
    /// The folder at `path`, which need not exist yet.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// `adapter/`.
    #[must_use]
    pub fn adapter(&self) -> PathBuf {
        self.0.join("adapter")
    }

    /// `checkpoints/`.
    #[must_use]
    pub fn checkpoints(&self) -> PathBuf {
        self.0.join("checkpoints")
    }

    /// `data/train.jsonl` or `data/eval.jsonl`.
    #[must_use]
    pub fn data(&self, side: &str) -> PathBuf {
        self.0.join("data").join(format!("{side}.jsonl"))
    }

    /// `data/init/`: the adapter that a warm start begins with.
    #[must_use]
    pub fn init(&self) -> PathBuf {
        self.0.join("data").join("init")
    }

    /// Whether someone asked the run to stop.
    #[must_use]
    pub fn stop_requested(&self) -> bool {
        self.0.join("stop").exists()
    }

    /// Makes the folder with its spec and data; seen whole or not at all.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn create(&self, spec: &TrainSpec, train: &[crate::Row], eval: &[crate::Row]) -> Result<(), Error> {
        let data = self.0.join("data");
        let made = faults::pass(Op::Write, &data).and_then(|()| fs::create_dir_all(&data));
        made.map_err(|source| Error::Write { path: data.clone(), source })?;
        for (side, rows) in [("train", train), ("eval", eval)] {
            let lines: Vec<String> = rows.iter().map(|row| json::line(row) + "\n").collect();
            graft_formats::atomic::bytes(&self.data(side), lines.concat().as_bytes()).map_err(Error::Publish)?;
        }
        graft_formats::atomic::bytes(&self.0.join("spec.json"), json::pretty(spec).as_bytes()).map_err(Error::Publish)
    }

    /// Reads `spec.json`.
    ///
    /// # Errors
    /// It is missing, damaged, or holds a setting out of range.
    pub fn spec(&self) -> Result<TrainSpec, Error> {
        let spec: TrainSpec = read_json(&self.0.join("spec.json"))?;
        spec.check().map_err(Error::Spec)?;
        Ok(spec)
    }

    /// Reads `training_run.json`, if the run has succeeded.
    ///
    /// # Errors
    /// It is damaged.
    pub fn result(&self) -> Result<Option<TrainingRun>, Error> {
        let path = self.0.join("training_run.json");
        if path.exists() { read_json(&path).map(Some) } else { Ok(None) }
    }

    /// Writes `training_run.json`.
    pub(crate) fn publish(&self, result: &TrainingRun) -> Result<(), Error> {
        let text = json::pretty(result);
        graft_formats::atomic::bytes(&self.0.join("training_run.json"), text.as_bytes()).map_err(Error::Publish)
    }

    /// Reads the events after `seq`; a last line that is still being written is left for the next call.
    ///
    /// # Errors
    /// The file can't be read or holds something else than events.
    pub fn events_after(&self, seq: u64) -> Result<Vec<Event>, Error> {
        let path = self.0.join("events.jsonl");
        if !path.exists() {
            return Ok(Vec::new());
        }
        let text = fs::read_to_string(&path).map_err(|source| Error::Read { path: path.clone(), source })?;
        let whole = &text[..text.rfind('\n').map_or(0, |end| end + 1)];
        let mut events = Vec::new();
        for (index, line) in whole.lines().enumerate() {
            let event: Event = serde_json::from_str(line).map_err(|source| Error::Json {
                path: path.clone(),
                line: index + 1,
                source,
            })?;
            if event.seq > seq {
                events.push(event);
            }
        }
        Ok(events)
    }
}

/// Appends events, each whole before the next. Those that change what is known of the run's state are durable when
/// [`append`](Self::append) returns. Steps, measurements and notes are not synced one by one: after a power cut the run goes
/// on from its checkpoint and writes them again, and a sync for each step would cost fast trainings several per cent.
#[derive(Debug)]
pub struct EventLog {
    path: PathBuf,
    file: File,
    seq: u64,
    /// Where the last whole line ends.
    end: u64,
}

impl EventLog {
    /// Opens the log and drops a half-written last line.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn open(dir: &RunDir) -> Result<Self, Error> {
        let path = dir.path().join("events.jsonl");
        let failed = |source| Error::Write { path: path.clone(), source };
        faults::pass(Op::Write, &path).map_err(failed)?;
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(failed)?;
        let (mut seq, mut end) = (0, 0);
        let mut reader = BufReader::new(&file);
        let mut line = String::new();
        loop {
            line.clear();
            let size = reader.read_line(&mut line).map_err(failed)?;
            let Ok(event) = serde_json::from_str::<Event>(&line) else { break };
            if !line.ends_with('\n') {
                break;
            }
            (seq, end) = (event.seq, end + size as u64);
        }
        file.set_len(end).map_err(failed)?;
        file.seek(SeekFrom::Start(end)).map_err(failed)?;
        Ok(Self { path, file, seq, end })
    }

    /// Adds an event.
    ///
    /// # Errors
    /// The disk refuses; nothing of the event is left.
    pub fn append(&mut self, kind: EventKind) -> Result<Event, Error> {
        let event = Event { seq: self.seq + 1, at: now(), kind };
        let line = json::line(&event) + "\n";
        if let Err(source) = faults::write(&mut self.file, line.as_bytes(), &self.path) {
            // Half a line would spoil the next one.
            let _ = self.file.set_len(self.end).and_then(|()| self.file.seek(SeekFrom::Start(self.end)));
            return Err(Error::Write { path: self.path.clone(), source });
        }
        (self.seq, self.end) = (event.seq, self.end + line.len() as u64);
        use EventKind::{Answered, Eval, Note, Step};
        if !matches!(event.kind, Step { .. } | Eval { .. } | Answered { .. } | Note { .. }) {
            let synced = faults::pass(Op::Sync, &self.path).and_then(|()| self.file.sync_data());
            synced.map_err(|source| Error::Write { path: self.path.clone(), source })?;
        }
        Ok(event)
    }
}

/// Milliseconds since 1970.
pub(crate) fn now() -> Timestamp {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as Timestamp)
}

/// Reads a JSON file.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, Error> {
    let text = fs::read_to_string(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
    serde_json::from_str(&text).map_err(|source| Error::Json { path: path.to_owned(), line: source.line(), source })
}
