//! A training service elsewhere: it takes the tables of a dataset, trains by itself, and says how far it is. Nothing of Graft
//! runs there: its job is what a process is elsewhere, and this module writes the job's events into the run directory.
//!
//! `POST /api/v1/training/submit {dataset_id, dataset_name, csv_files, config}` returns `{job_id}`;
//! `GET /api/v1/training/status/{job_id}` returns `{status, phase, checkpoint|checkpoints, metrics, error}`. There is no request
//! that lists or stops jobs.

use std::{
    collections::HashMap,
    fmt::Write as _,
    fs::{self, OpenOptions},
    io::{self, Write as _},
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::sleep,
    time::{Duration, Instant, SystemTime},
};

use graft_core::{Event, EventKind, ExitCode, Failure, Phase, TrainSpec, json};
use graft_formats::{atomic, peft};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};
use ureq::Agent;

use crate::{
    Answer, Cursor, Ending, Error, Executor, Exit, Observation, Process, Result, RunRef, Start, Started, Stop,
    http::{Token, agent, is_address, shortened},
    read,
};

/// How long a request may take.
const LIMIT: Duration = Duration::from_secs(60);
/// How long the download of an adapter may take.
const DOWNLOAD: Duration = Duration::from_secs(1800);
/// The longest answer about a job.
const LONGEST: u64 = 4 << 20;
/// The largest adapter.
const LARGEST: u64 = 2 << 30;
/// Requests with an `Idempotency-Key` may have a smaller limit; this is Graft's own.
const KEYED: usize = 2 << 20;
/// How often a submission is sent that isn't answered, and the pause after the first time; it doubles.
const SUBMISSIONS: u32 = 5;
const PAUSE: Duration = Duration::from_millis(500);
/// How often a job is asked for: at first, after a while, and while the service doesn't answer.
const OFTEN: Duration = Duration::from_secs(1);
const SELDOM: Duration = Duration::from_secs(15);
const AWAY: Duration = Duration::from_secs(60);
/// How many answers in a row may make no sense, or not know the job: a proxy may answer while the service restarts.
const DOUBTS: u32 = 3;
/// After so long without any answer, it is given up.
const SILENCE: Duration = Duration::from_secs(3600);
/// What is kept of the job, in the run directory.
const RECORD: &str = "service.json";
/// The file of an adapter's card, where Graft trained it.
const CARD: &str = "graft.json";

/// Trains at a service elsewhere.
#[derive(Clone, Debug)]
pub struct Service(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    api: Api,
    /// When each run's job is asked for.
    paces: Mutex<HashMap<String, Pace>>,
}

impl Service {
    /// Folder of a run directory with the files of the adapter as they were received.
    pub const RECEIVED: &str = "received";

    /// The service at this address, which is what comes before `/api/v1/training`; it may want a token.
    ///
    /// # Errors
    /// [`Error::ServiceAnswer`] for what is no address.
    pub fn new(address: &str, token: Option<String>) -> Result<Self> {
        let api = Api::new(address.trim().trim_end_matches('/'), token.map(Token));
        if is_address(&api.address) {
            Ok(Self(Arc::new(Inner { api, paces: Mutex::default() })))
        } else {
            Err(api.odd("it is no address"))
        }
    }

    /// Its address.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.0.api.address
    }

    /// Asks it for a job that it can't know.
    ///
    /// # Errors
    /// It can't be reached, or does not accept the token.
    pub async fn check(&self) -> Result<()> {
        self.on_thread(|inner| inner.api.status("graft-check").map(drop)).await
    }

    /// What it said of a run's job, as far as that is kept in the run's directory.
    ///
    /// # Errors
    /// The file can't be read.
    pub fn told(dir: &Path) -> Result<Option<Value>> {
        Ok(Record::read(dir)?.map(|record| json::value(&record)))
    }

    async fn on_thread<T: Send + 'static>(&self, work: impl FnOnce(&Inner) -> Result<T> + Send + 'static) -> Result<T> {
        let inner = Arc::clone(&self.0);
        tokio::task::spawn_blocking(move || work(&inner)).await.map_err(Error::Thread)?
    }
}

impl Executor for Service {
    /// Submits the training side of the run's dataset. Program, base model and settings are the service's own.
    fn start<'a>(&'a self, run: &'a RunRef, _start: &'a Start) -> Answer<'a, Started> {
        let run = run.clone();
        Box::pin(self.on_thread(move |inner| inner.start(&run)))
    }

    fn observe<'a>(&'a self, run: &'a RunRef, cursor: Cursor) -> Answer<'a, Observation> {
        let run = run.clone();
        Box::pin(self.on_thread(move |inner| {
            let process = inner.look(&run)?;
            Ok(Observation { process, ..read(&run.dir, cursor)? })
        }))
    }

    /// Leaves the job alone: the service has no request that stops one.
    fn stop<'a>(&'a self, run: &'a RunRef, _how: Stop) -> Answer<'a, ()> {
        let run = run.clone();
        Box::pin(self.on_thread(move |inner| {
            let Some(mut record) = Record::read(&run.dir)? else { return Ok(()) };
            let Some(job) = record.job.clone().filter(|_| !record.is_left && record.exit().is_none()) else {
                return Ok(());
            };
            let address = &inner.api.address;
            let text = format!(
                "Job {job} goes on at {address}, which has no request that stops it. Its result is not received."
            );
            append(&run.dir, vec![EventKind::Note { text }])?;
            record.is_left = true;
            record.write(&run.dir)
        }))
    }

    fn collect<'a>(&'a self, run: &'a RunRef) -> Answer<'a, ()> {
        let run = run.clone();
        Box::pin(self.on_thread(move |inner| inner.collect(&run)))
    }

    fn list(&self) -> Answer<'_, Vec<String>> {
        Box::pin(async { Ok(Vec::new()) })
    }
}

/// What is known of a run's job.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Record {
    /// Address of the service.
    address: String,
    /// Jobs that were submitted for the run before this one.
    attempt: u32,
    /// The job, once its submission was answered.
    job: Option<String>,
    /// What the service last said of it.
    said: Option<Said>,
    /// Whether somebody cancelled the run while the job went on.
    is_left: bool,
}

impl Record {
    fn read(dir: &Path) -> Result<Option<Self>> {
        let path = dir.join(RECORD);
        match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(Error::Io { doing: "read", path, source }),
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| Error::Io {
                doing: "read",
                path,
                source: error.into(),
            }),
        }
    }

    fn write(&self, dir: &Path) -> Result<()> {
        let path = dir.join(RECORD);
        atomic::bytes(&path, json::pretty(self).as_bytes()).map_err(|error| unwritten(&path, error))
    }

    /// How the job ended, if it did.
    fn exit(&self) -> Option<Exit> {
        let (code, ending) = match self.said.as_ref()?.status {
            Status::Queued | Status::Running => return None,
            Status::Completed => (Some(0), None),
            Status::Failed => (Some(ExitCode::Internal as i32), None),
            Status::Cancelled => (None, Some(Ending::Cancelled)),
        };
        Some(Exit { code, ending, ..Exit::default() })
    }

    /// The next submission is another job.
    fn forget(&mut self) {
        (self.job, self.said, self.is_left) = (None, None, false);
        self.attempt += 1;
    }
}

/// The state of a job, as the service says it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Said {
    status: Status,
    /// 0 to 4.
    #[serde(default)]
    phase: Option<u32>,
    /// The newest checkpoint: where it is, or with its phase.
    #[serde(default)]
    checkpoint: Option<Newest>,
    #[serde(default)]
    checkpoints: Option<Vec<Checkpoint>>,
    #[serde(default)]
    metrics: Option<Map<String, Value>>,
    #[serde(default)]
    error: Option<Value>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Queued,
    Running,
    Completed,
    Failed,
    Cancelled,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
enum Newest {
    At(String),
    Of(Checkpoint),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Checkpoint {
    #[serde(default)]
    phase: Option<u32>,
    url: String,
}

impl Said {
    /// Where its checkpoints are, the newest last.
    fn urls(&self) -> Vec<&str> {
        let mut urls: Vec<&str> = self.checkpoints.iter().flatten().map(|one| one.url.as_str()).collect();
        let newest = self.checkpoint.as_ref().map(|newest| match newest {
            Newest::At(url) | Newest::Of(Checkpoint { url, .. }) => url.as_str(),
        });
        urls.extend(newest.filter(|newest| !urls.contains(newest)));
        urls
    }

    /// Its numbers, in a few words.
    fn numbers(&self) -> String {
        let numbers = self.metrics.iter().flatten().filter(|(_, value)| value.is_number());
        let words: Vec<String> = numbers.map(|(name, value)| format!("{name} {value}")).collect();
        if words.is_empty() { "no metrics".to_owned() } else { words.join(", ") }
    }

    /// What is to be told of it, after what was told before.
    fn events(&self, before: Option<&Self>, job: &str) -> Vec<EventKind> {
        let mut events = Vec::new();
        let phases = [Phase::Prepare, Phase::Search, Phase::Train, Phase::Evaluate];
        let phase = self.phase.and_then(|phase| phases.get(phase.checked_sub(1)? as usize).copied());
        if before.and_then(|before| before.phase) != self.phase {
            events.extend(phase.map(|phase| EventKind::Phase { phase }));
        }
        let has_moved = before.is_none_or(|before| (before.status, before.phase) != (self.status, self.phase));
        if has_moved {
            let phase = self.phase.map_or_else(String::new, |phase| format!(", phase {phase} of 4"));
            let text = format!("Job {job}: {}{phase}; {}.", json::line(&self.status).trim_matches('"'), self.numbers());
            events.push(EventKind::Note { text });
        }
        if self.status == Status::Failed {
            let said = match &self.error {
                None | Some(Value::Null) => "it gives no reason".to_owned(),
                Some(Value::String(text)) => text.clone(),
                Some(other) => other.to_string(),
            };
            let message = format!("the training service reports that job {job} failed: {said}");
            events.push(EventKind::Failed(Failure::new(message, ExitCode::Internal)));
        }
        events
    }
}

/// When a job is asked for next.
#[derive(Clone, Copy, Debug)]
struct Pace {
    next: Instant,
    /// Since when.
    began: Instant,
    /// When the service last answered.
    heard: Instant,
    /// Answers in a row that failed, and those of them that were no answer about the job.
    failures: u32,
    doubts: u32,
}

impl Pace {
    fn new() -> Self {
        let now = Instant::now();
        Self { next: now, began: now, heard: now, failures: 0, doubts: 0 }
    }

    fn heard(&mut self) {
        let now = Instant::now();
        (self.heard, self.failures, self.doubts) = (now, 0, 0);
        self.next = now + (now.duration_since(self.began) / 20).clamp(OFTEN, SELDOM);
    }

    fn failed(&mut self, is_doubt: bool) {
        self.failures += 1;
        self.doubts = if is_doubt { self.doubts + 1 } else { 0 };
        self.next = Instant::now() + (OFTEN * 2_u32.saturating_pow(self.failures - 1)).min(AWAY);
    }
}

impl Inner {
    fn paces(&self) -> MutexGuard<'_, HashMap<String, Pace>> {
        self.paces.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(&self, run: &RunRef) -> Result<Started> {
        let attached = |fresh| Ok(Started { fresh, pid: None });
        let mut record = Record::read(&run.dir)?.unwrap_or_default();
        let is_completed = record.said.as_ref().is_some_and(|said| said.status == Status::Completed);
        if record.job.is_some() && (is_completed || record.exit().is_none()) {
            // One that was cancelled here went on there.
            let was_left = std::mem::take(&mut record.is_left);
            if was_left {
                record.write(&run.dir)?;
            }
            return attached(was_left);
        }
        if record.job.is_some() {
            record.forget();
        }
        record.address.clone_from(&self.api.address);
        // Before it is sent: the same attempt has the same key.
        record.write(&run.dir)?;
        let (body, count) = submission(run)?;
        let key = format!("{}-{}", run.id, record.attempt);
        let (mut sent, mut pause) = (1, PAUSE);
        let job = loop {
            match self.api.submit(&body, &key) {
                Err(Error::NoService { .. }) if sent < SUBMISSIONS => {
                    sleep(pause);
                    (sent, pause) = (sent + 1, pause * 2);
                }
                answer => break answer?,
            }
        };
        record.job = Some(job.clone());
        record.write(&run.dir)?;
        self.paces().remove(&run.id);
        let mut text = format!(
            "{} has {count} training examples as job {job}. It chooses base model and settings itself; the held-out examples stay here.",
            self.api.address
        );
        if sent > 1 {
            write!(
                text,
                " The submission was sent {sent} times: a service that ignores repeated datasets has one job."
            )
            .ok();
        }
        append(&run.dir, vec![EventKind::Note { text }])?;
        attached(true)
    }

    /// What has become of the job, which is asked for from time to time.
    fn look(&self, run: &RunRef) -> Result<Process> {
        let Some(mut record) = Record::read(&run.dir)? else { return Ok(Process::Gone) };
        let Some(job) = record.job.clone() else { return Ok(Process::Gone) };
        if record.is_left {
            return Ok(Process::Exited(Exit { ending: Some(Ending::Cancelled), ..Exit::default() }));
        }
        let mut pace = self.paces().get(&run.id).copied().unwrap_or_else(Pace::new);
        if record.exit().is_none() && Instant::now() >= pace.next {
            let asked = self.api.status(&job).and_then(|said| {
                said.ok_or_else(|| Error::JobVanished { address: self.api.address.clone(), job: job.clone() })
            });
            match asked {
                Ok(said) => {
                    pace.heard();
                    if record.said.as_ref() != Some(&said) {
                        append(&run.dir, said.events(record.said.as_ref(), &job))?;
                        record.said = Some(said);
                        record.write(&run.dir)?;
                    }
                }
                Err(error @ Error::NoService { .. }) => {
                    pace.failed(false);
                    if pace.heard.elapsed() > SILENCE {
                        return Err(error);
                    }
                }
                Err(error @ (Error::JobVanished { .. } | Error::ServiceAnswer { .. })) => {
                    pace.failed(true);
                    if pace.doubts >= DOUBTS {
                        if matches!(error, Error::JobVanished { .. }) {
                            record.forget();
                            record.write(&run.dir)?;
                        }
                        return Err(error);
                    }
                }
                Err(error) => return Err(error),
            }
            self.paces().insert(run.id.clone(), pace);
        }
        Ok(match (record.exit(), record.said.as_ref().map(|said| said.status)) {
            (Some(exit), _) => Process::Exited(exit),
            _ if pace.failures > 0 => Process::Unknown,
            (None, Some(Status::Running)) => Process::Running,
            _ => Process::Waiting(format!("job {job}")),
        })
    }

    /// Receives the adapter that the job made: the newest checkpoint that is a file of PEFT's name, with its neighbours.
    fn collect(&self, run: &RunRef) -> Result<()> {
        let folder = run.dir.join(Service::RECEIVED);
        let Some(mut record) = Record::read(&run.dir)? else { return Ok(()) };
        let (Some(job), Some(said)) = (record.job.clone(), record.said.clone()) else { return Ok(()) };
        if said.status != Status::Completed || folder.exists() {
            return Ok(());
        }
        let urls = said.urls();
        let Some(weights) = urls.iter().rev().find(|url| file_of(url) == peft::WEIGHTS) else {
            let offered = if urls.is_empty() { "nothing".to_owned() } else { urls.join(", ") };
            record.forget();
            record.write(&run.dir)?;
            return Err(Error::NoAdapter { address: self.api.address.clone(), job, offered });
        };
        let beside = |name: &str| weights.replacen(peft::WEIGHTS, name, 1);
        let fetch = |url: &str| self.api.download(url);
        let missing = |url: &str| self.api.refused(format!("it offers `{url}`, where nothing is"));
        let config = beside(peft::CONFIG);
        let config = fetch(&config)?.ok_or_else(|| missing(&config))?;
        let card = fetch(&beside(CARD))?;
        let bytes = fetch(weights)?.ok_or_else(|| missing(weights))?;
        let mut files = vec![(peft::CONFIG, &*config), (peft::WEIGHTS, &*bytes)];
        files.extend(card.as_deref().map(|card| (CARD, card)));
        let mut text = format!("Received {weights} ({} bytes) with its configuration.", bytes.len());
        let others: Vec<&str> = urls.iter().filter(|url| *url != weights).copied().collect();
        if !others.is_empty() {
            write!(text, " Not received: {}.", others.join(", ")).ok();
        }
        append(&run.dir, vec![EventKind::Note { text }])?;
        atomic::folder(&folder, &files).map_err(|error| unwritten(&folder, error))
    }
}

/// The body of a submission: the training side of the run's dataset, and how many examples it has. The held-out side stays here.
fn submission(run: &RunRef) -> Result<(String, usize)> {
    #[derive(Deserialize)]
    struct Row {
        input: String,
        output: Value,
    }
    let bytes = |name: &str| {
        let path = run.dir.join(name);
        fs::read(&path).map_err(|source| Error::Io { doing: "read", path, source })
    };
    let damaged = |name: &str, error: serde_json::Error| Error::Io {
        doing: "read",
        path: run.dir.join(name),
        source: error.into(),
    };
    let spec: TrainSpec = serde_json::from_slice(&bytes("spec.json")?).map_err(|error| damaged("spec.json", error))?;
    let data = "data/train.jsonl";
    let rows = serde_json::Deserializer::from_slice(&bytes(data)?)
        .into_iter::<Row>()
        .collect::<std::result::Result<Vec<_>, _>>()
        .map_err(|error| damaged(data, error))?;
    let cell = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let line = |row: &Row| {
        let output = row.output.as_str().map_or_else(|| row.output.to_string(), str::to_owned);
        format!("{},{}\n", cell(&row.input), cell(&output))
    };
    let csv: String = std::iter::once("text,label\n".to_owned()).chain(rows.iter().map(line)).collect();
    let body = json!({
        "dataset_id": run.id,
        "dataset_name": spec.task.name,
        "csv_files": [{"filename": "train.csv", "content": csv}],
        "config": {"phases": 4, "checkpoint_format": "safetensors"},
    });
    Ok((body.to_string(), rows.len()))
}

/// Appends events to those of a run directory.
fn append(dir: &Path, kinds: Vec<EventKind>) -> Result<()> {
    let (mut seen, mut seq) = (read(dir, Cursor::default())?, 0);
    while let Some(last) = seen.events.last() {
        seq = last.seq;
        seen = read(dir, seen.cursor)?;
    }
    let at = SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_millis() as i64);
    let lines: String =
        kinds.into_iter().zip(seq + 1..).map(|(kind, seq)| json::line(&Event { seq, at, kind }) + "\n").collect();
    let path = dir.join("events.jsonl");
    let write = || -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create(true).truncate(false).open(&path)?;
        // Without half a line of a writer that was killed.
        file.set_len(seen.cursor.events)?;
        io::Seek::seek(&mut file, io::SeekFrom::End(0))?;
        file.write_all(lines.as_bytes())?;
        file.sync_data()
    };
    write().map_err(|source| Error::Io { doing: "write", path: path.clone(), source })
}

fn unwritten(path: &Path, error: graft_formats::Error) -> Error {
    let source = match error {
        graft_formats::Error::Write { source, .. } => source,
        other => io::Error::other(other),
    };
    Error::Io { doing: "write", path: path.to_owned(), source }
}

/// The name of the file that a URL ends with.
fn file_of(url: &str) -> &str {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    path.rsplit('/').next().unwrap_or_default()
}

/// The requests of the service.
#[derive(Debug)]
struct Api {
    address: String,
    token: Option<Token>,
    agent: Agent,
}

impl Api {
    fn new(address: &str, token: Option<Token>) -> Self {
        Self { address: address.to_owned(), token, agent: agent(address, None) }
    }

    fn submit(&self, body: &str, key: &str) -> Result<String> {
        let mut request = ureq::http::Request::post(format!("{}/api/v1/training/submit", self.address))
            .header("content-type", "application/json");
        if body.len() <= KEYED {
            request = request.header("idempotency-key", key);
        }
        let (status, text) = self.send(self.named(request), body, LIMIT, LONGEST)?;
        #[derive(Deserialize)]
        struct Submitted {
            job_id: Value,
        }
        match status {
            200..=299 => match self.parsed::<Submitted>(&text)?.job_id {
                Value::String(job) if !job.is_empty() => Ok(job),
                Value::Number(job) => Ok(job.to_string()),
                _ => Err(self.odd("its answer names no job")),
            },
            404 | 405 => Err(self.odd(format!("status {status} for a submission"))),
            _ => Err(self.refused(said(&text))),
        }
    }

    /// The state of a job; `None` if the service doesn't know it.
    fn status(&self, job: &str) -> Result<Option<Said>> {
        let request = ureq::http::Request::get(format!("{}/api/v1/training/status/{}", self.address, part(job)));
        let (status, text) = self.send(self.named(request), "", LIMIT, LONGEST)?;
        match status {
            200..=299 => self.parsed(&text).map(Some),
            404 | 410 => Ok(None),
            _ => Err(self.odd(format!("status {status} for the state of a job: {}", said(&text)))),
        }
    }

    /// The bytes at a URL that the service named; `None` if nothing is there. Only its own address gets the token.
    fn download(&self, url: &str) -> Result<Option<Vec<u8>>> {
        let origin = |url: &str| {
            let end = url.find("://").map_or(0, |at| at + 3);
            url[..url[end..].find('/').map_or(url.len(), |at| end + at)].to_ascii_lowercase()
        };
        let whole = if url.starts_with('/') { format!("{}{url}", origin(&self.address)) } else { url.to_owned() };
        if !whole.starts_with("http://") && !whole.starts_with("https://") {
            return Err(self.refused(format!("it offers `{url}`, which can't be fetched")));
        }
        let mut request = ureq::http::Request::get(&whole);
        if origin(&whole) == origin(&self.address) {
            request = self.named(request);
        }
        let (status, bytes) = self.send(request, "", DOWNLOAD, LARGEST)?;
        match status {
            200..=299 => Ok(Some(bytes)),
            404 | 410 => Ok(None),
            _ => Err(self.refused(format!("it offers `{url}`, which answers with status {status}"))),
        }
    }

    fn named(&self, request: ureq::http::request::Builder) -> ureq::http::request::Builder {
        match &self.token {
            Some(Token(token)) => request.header("authorization", format!("Bearer {token}")),
            None => request,
        }
    }

    /// Status and body of an answer that is about the request.
    fn send(
        &self,
        request: ureq::http::request::Builder,
        body: &str,
        limit: Duration,
        most: u64,
    ) -> Result<(u16, Vec<u8>)> {
        let request = request.body(body.to_owned()).map_err(|error| self.odd(error.to_string()))?;
        let request = self.agent.configure_request(request).timeout_global(Some(limit)).build();
        let mut answer = self.agent.run(request).map_err(|error| self.none(error.to_string()))?;
        let status = answer.status().as_u16();
        let bytes = answer.body_mut().with_config().limit(most).read_to_vec();
        let bytes = bytes.map_err(|error| self.none(error.to_string()))?;
        match status {
            401 | 403 => Err(Error::ServiceDenied { address: self.address.clone() }),
            // It is busy with another job, asks for patience, or is down.
            408 | 409 | 425 | 429 | 500..=599 => Err(self.none(format!("status {status}: {}", said(&bytes)))),
            _ => Ok((status, bytes)),
        }
    }

    fn parsed<T: DeserializeOwned>(&self, text: &[u8]) -> Result<T> {
        serde_json::from_slice(text).map_err(|error| self.odd(format!("its answer is damaged: {error}")))
    }

    fn none(&self, said: impl Into<String>) -> Error {
        Error::NoService { address: self.address.clone(), said: said.into() }
    }

    fn odd(&self, said: impl Into<String>) -> Error {
        Error::ServiceAnswer { address: self.address.clone(), said: said.into() }
    }

    fn refused(&self, said: impl Into<String>) -> Error {
        Error::ServiceRefused { address: self.address.clone(), said: said.into() }
    }
}

/// A text as a part of a URL's path.
fn part(text: &str) -> String {
    const REST: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
    utf8_percent_encode(text, &REST).to_string()
}

/// What an answer says, for people.
fn said(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let fields: Value = serde_json::from_str(&text).unwrap_or_default();
    let named = ["detail", "error", "message"].iter().find_map(|name| fields[*name].as_str());
    let said = shortened(named.unwrap_or(&text));
    if said.is_empty() { "no reason is given".to_owned() } else { said }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn job_of_any_name_is_a_part_of_a_path() {
        assert_eq!(part("job 1/../ü"), "job%201%2F..%2F%C3%BC");
    }

    #[test]
    fn checkpoints_have_both_forms_of_the_contract() {
        let urls = |text: &str| {
            let said: Said = serde_json::from_str(text).unwrap();
            said.urls().into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        let both = r#"{"status": "completed", "checkpoints": [{"phase": 3, "url": "/a"}, {"phase": 4, "url": "/b"}], "checkpoint": "/b"}"#;
        assert_eq!(urls(both), ["/a", "/b"]);
        assert_eq!(
            urls(r#"{"status": "running", "phase": 3, "checkpoint": {"phase": 3, "url": "/a"}, "metrics": null}"#),
            ["/a"]
        );
        assert_eq!(urls(r#"{"status": "queued", "checkpoint": null, "error": null}"#), [""; 0]);
        assert!(serde_json::from_str::<Said>(r#"{"status": "done"}"#).is_err());
    }
}
