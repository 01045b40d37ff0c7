use std::{
    fs::{self, File, OpenOptions},
    io::{BufRead, BufReader, Seek, SeekFrom},
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use graft_core::{Digest, Event, EventKind, Timestamp, TrainSpec, json};
use graft_formats::faults::{self, Op};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::Error;

/// A run's folder: `spec.json · data/{train,eval}.jsonl · data/scoring.json · data/init/ · events.jsonl · checkpoints/ · stop · adapter/ ·
/// training_run.json`.
#[derive(Clone, Debug)]
pub struct RunDir(PathBuf);

/// The result of a finished run, written last and atomically: a run has succeeded if and only if it exists.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainingRun {
    /// Name of the run.
    pub run_id: String,
    /// Always `completed`.
    pub status: String,
    /// When the first process started, in milliseconds since 1970.
    pub started_at: Timestamp,
    /// When the last process ended.
    pub finished_at: Timestamp,
    /// Name of the base model.
    pub base_model: String,
    /// Digest of its files.
    pub base_digest: Digest,
    /// Number of training examples.
    pub samples: usize,
    /// Number of held-out examples.
    pub eval_samples: usize,
    /// Number of examples left out because they exceed the limit.
    pub too_long: usize,
    /// Number of epochs.
    pub epochs: f64,
    /// Optimizer steps.
    pub steps: u64,
    /// Loss of the last step; NaN if a training service did not tell it.
    #[serde(deserialize_with = "json::number")]
    pub final_loss: f64,
    /// Loss on the held-out examples (the first `eval.examples` of them) with the published weights.
    pub eval_loss: Option<f64>,
    /// The same for each of these examples: the sum over its tokens with loss, and their number. Absent in results of earlier
    /// versions and of training services.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub eval_losses: Vec<(f64, usize)>,
    /// The step whose weights are published.
    pub best_step: u64,
    /// All settings.
    pub hyperparameters: TrainSpec,
    /// Digest of the dataset.
    pub dataset_hash: Digest,
    /// Digest of the adapter's weights.
    pub adapter_hash: Digest,
    /// Seconds of training, over all attempts.
    pub train_seconds: f64,
    /// Prompt and answer tokens per second.
    pub tokens_per_second: f64,
    /// Computed tokens per second: a prefix that the examples of a micro-batch share counts once.
    #[serde(default)]
    pub computed_tokens_per_second: f64,
    /// Peak resident memory of the process in bytes.
    pub peak_memory: u64,
    /// How the CPU rounded the inputs of products: `amx` or `avx512-bf16`; absent for f32 and on a GPU.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub products: Option<String>,
    /// Version of Graft.
    pub graft_version: String,
    /// What a training service said of the job that made it: its steps, times and settings are unknown, or are 0 or those of the
    /// recipe here. Absent if Graft trained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<Value>,
}

impl RunDir {
    /// The run directory at `path`, which need not exist yet.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Its path.
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

    /// `data/scoring.json`: what a [`Scorer`](crate::Scorer) is made of; absent if the run scores no answers.
    #[must_use]
    pub fn scoring(&self) -> PathBuf {
        self.0.join("data").join("scoring.json")
    }

    /// Reads the lines of `data/train.jsonl` or `data/eval.jsonl`.
    ///
    /// # Errors
    /// If the file can't be read, or has a line that is no row.
    pub fn rows(&self, side: &str) -> Result<Vec<crate::Row>, Error> {
        let path = self.data(side);
        let text = fs::read_to_string(&path).map_err(|source| Error::Read { path: path.clone(), source })?;
        let row = |(index, line)| {
            serde_json::from_str(line).map_err(|source| Error::Json { path: path.clone(), line: index + 1, source })
        };
        text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).map(row).collect()
    }

    /// `data/init/`: the adapter that a warm start continues.
    #[must_use]
    pub fn init(&self) -> PathBuf {
        self.0.join("data").join("init")
    }

    /// Whether a stop was requested.
    #[must_use]
    pub fn stop_requested(&self) -> bool {
        self.0.join("stop").exists()
    }

    /// Creates the folder with its spec and data, atomically.
    ///
    /// # Errors
    /// If a write fails.
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
    /// If it is missing or damaged, or a setting is out of range.
    pub fn spec(&self) -> Result<TrainSpec, Error> {
        let spec: TrainSpec = read_json(&self.0.join("spec.json"))?;
        spec.check().map_err(Error::Spec)?;
        Ok(spec)
    }

    /// Reads `training_run.json`, if the run has succeeded.
    ///
    /// # Errors
    /// If it is damaged.
    pub fn result(&self) -> Result<Option<TrainingRun>, Error> {
        let path = self.0.join("training_run.json");
        if path.exists() { read_json(&path).map(Some) } else { Ok(None) }
    }

    /// Writes `training_run.json`.
    ///
    /// # Errors
    /// If the write fails.
    pub fn publish(&self, result: &TrainingRun) -> Result<(), Error> {
        let text = json::pretty(result);
        graft_formats::atomic::bytes(&self.0.join("training_run.json"), text.as_bytes()).map_err(Error::Publish)
    }

    /// Reads the events after `seq`. An incomplete last line is left for the next call.
    ///
    /// # Errors
    /// If the file can't be read, or contains a line that is not an event.
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

/// Appends events, one complete line each. Events that change the run's state are durable when [`append`](Self::append)
/// returns. Steps, measurements and notes are not synced one by one: after a power cut the run resumes from its
/// checkpoint and writes them again, and a sync per step would slow fast trainings by several per cent.
#[derive(Debug)]
pub struct EventLog {
    path: PathBuf,
    file: File,
    seq: u64,
    /// End of the last complete line.
    end: u64,
}

impl EventLog {
    /// Opens the log and drops a half-written last line.
    ///
    /// # Errors
    /// If the file can't be opened or truncated.
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
    /// If the write fails; the file is unchanged then.
    pub fn append(&mut self, kind: EventKind) -> Result<Event, Error> {
        let event = Event { seq: self.seq + 1, at: now(), kind };
        let line = json::line(&event) + "\n";
        if let Err(source) = faults::write(&mut self.file, line.as_bytes(), &self.path) {
            // Remove the incomplete line, which would break the next one.
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
