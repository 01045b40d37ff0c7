//! A training service: `POST /api/v1/training/submit` and `GET /api/v1/training/status/{job_id}`. It is strict: it refuses other
//! tokens, paths, methods and fields, and tables without examples. A repeated `Idempotency-Key` is the same job.

use std::{
    collections::VecDeque,
    fs, io,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::{Value, json};

use crate::http::{Answer, Request, listen};

/// What becomes of jobs.
#[derive(Clone, Debug)]
pub enum Training {
    /// They end with the files of this folder.
    Adapter(PathBuf),
    /// They end with numbers and a file of another format.
    Numbers,
    /// They fail, with this reason.
    Fails(&'static str),
    /// They train on and on.
    Lasts,
}

/// What goes wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slip {
    /// It is done, and its answer is lost.
    Lost,
    /// Nothing is done, and the answer has this status.
    Status(u16),
    /// Nothing.
    None,
}

/// A training service, which ends with its process.
#[derive(Debug)]
pub struct TrainingService {
    origin: String,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    training: Training,
    jobs: Vec<Job>,
    slips: VecDeque<Slip>,
    complaints: Vec<String>,
}

#[derive(Debug)]
struct Job {
    key: Option<String>,
    submission: Value,
    /// How often it was asked for.
    asked: usize,
    is_gone: bool,
}

impl TrainingService {
    /// The token that it takes.
    pub const TOKEN: &str = "token-of-the-training-service";

    /// Starts a service.
    ///
    /// # Errors
    /// If no port is free.
    pub fn start(training: Training) -> io::Result<Self> {
        let state = State { training, jobs: Vec::new(), slips: VecDeque::new(), complaints: Vec::new() };
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        let origin = listen(move |request| lock(&shared).answer(request))?;
        Ok(Self { origin, state })
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.origin
    }

    /// What becomes of its jobs from now on.
    pub fn set(&self, training: Training) {
        lock(&self.state).training = training;
    }

    /// Lets the next requests go wrong, each in its way.
    pub fn slip(&self, slips: &[Slip]) {
        lock(&self.state).slips = slips.iter().copied().collect();
    }

    /// Forgets all jobs.
    pub fn forget(&self) {
        lock(&self.state).jobs.iter_mut().for_each(|job| job.is_gone = true);
    }

    /// What was submitted, each job once.
    #[must_use]
    pub fn submissions(&self) -> Vec<Value> {
        lock(&self.state).jobs.iter().map(|job| job.submission.clone()).collect()
    }

    /// How often its newest job was asked for, unless it was forgotten.
    #[must_use]
    pub fn asked(&self) -> usize {
        lock(&self.state).jobs.last().filter(|job| !job.is_gone).map_or(0, |job| job.asked)
    }

    /// What was wrong with requests.
    #[must_use]
    pub fn complaints(&self) -> Vec<String> {
        lock(&self.state).complaints.clone()
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    fn answer(&mut self, request: &Request) -> Answer {
        let slip = self.slips.pop_front();
        if let Some(Slip::Status(status)) = slip {
            return document(status, &json!({"detail": "not now"}));
        }
        let answer = match self.done(request) {
            Ok(answer) => answer,
            Err((status, complaint)) => {
                let answer = document(status, &json!({"detail": complaint}));
                self.complaints.push(complaint);
                answer
            }
        };
        answer.filter(|_| slip != Some(Slip::Lost))
    }

    fn done(&mut self, request: &Request) -> Result<Answer, (u16, String)> {
        let header = |name: &str| request.headers.get(name).map(String::as_str);
        if header("authorization") != Some(&format!("Bearer {}", Self::TOKEN)) {
            return Err((401, "the token is not known".to_owned()));
        }
        match (request.method.as_str(), request.path.as_str()) {
            ("POST", "/api/v1/training/submit") => {
                if header("content-type") != Some("application/json") {
                    return Err((415, "it is not JSON".to_owned()));
                }
                let submission: Value =
                    serde_json::from_slice(&request.body).map_err(|error| (400, error.to_string()))?;
                check(&submission).map_err(|what| (422, what))?;
                let key = header("idempotency-key").map(str::to_owned);
                let known = self.jobs.iter().position(|job| key.is_some() && job.key == key);
                let number = known.unwrap_or_else(|| {
                    self.jobs.push(Job { key, submission, asked: 0, is_gone: false });
                    self.jobs.len() - 1
                });
                Ok(document(200, &json!({"job_id": format!("job {number}")})))
            }
            ("GET", path) => {
                if let Some(name) = path.strip_prefix("/api/v1/training/status/job%20") {
                    let training = self.training.clone();
                    let job = name.parse().ok().and_then(|number: usize| self.jobs.get_mut(number));
                    let job = job.filter(|job| !job.is_gone).ok_or_else(|| (404, "there is no such job".to_owned()))?;
                    job.asked += 1;
                    return Ok(document(200, &status(&training, job.asked)));
                }
                let file = path.strip_prefix("/files/").filter(|name| !name.contains('/'));
                let bytes = match (&self.training, file) {
                    (Training::Adapter(folder), Some(name)) => fs::read(folder.join(name)).ok(),
                    _ => None,
                };
                // What Graft's card would be is asked for, and need not be there.
                let bytes = bytes.map(|bytes| Some((200, vec![], bytes)));
                Ok(bytes.unwrap_or_else(|| document(404, &json!({"detail": "there is nothing"}))))
            }
            (method, path) => Err((405, format!("{method} {path} is not part of the contract"))),
        }
    }

    const TOKEN: &str = TrainingService::TOKEN;
}

/// What is wrong with a submission.
fn check(submission: &Value) -> Result<(), String> {
    let fields = |value: &Value, wanted: &[&str]| {
        let mut found: Vec<&str> = value.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
        found.sort_unstable();
        if found == wanted { Ok(()) } else { Err(format!("it has {found:?} instead of {wanted:?}")) }
    };
    let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    fields(submission, &["config", "csv_files", "dataset_id", "dataset_name"])?;
    fields(&submission["config"], &["checkpoint_format", "phases"])?;
    if submission["config"]["phases"] != 4 || text(&submission["config"]["checkpoint_format"]).is_none() {
        return Err(format!("its config is {}", submission["config"]));
    }
    text(&submission["dataset_id"]).zip(text(&submission["dataset_name"])).ok_or("it has no name")?;
    let files = submission["csv_files"].as_array().filter(|files| !files.is_empty()).ok_or("it has no files")?;
    for file in files {
        fields(file, &["content", "filename"])?;
        let lines = file["content"].as_str().map_or(0, |content| content.lines().count());
        if text(&file["filename"]).is_none() || lines < 2 {
            return Err("it has a file without examples".to_owned());
        }
    }
    Ok(())
}

/// The state of a job that was asked for so often.
fn status(training: &Training, asked: usize) -> Value {
    let numbers = json!({"loss": 0.25, "accuracy": 0.75});
    match (asked, training) {
        (1, _) => json!({"status": "queued", "phase": 0, "metrics": null, "error": null}),
        (2, _) => json!({"status": "running", "phase": 1, "metrics": {}, "error": null}),
        (3, _) | (_, Training::Lasts) => {
            let checkpoint = json!({"phase": 2, "url": "/files/search.bin"});
            json!({"status": "running", "phase": 3, "metrics": numbers, "checkpoint": checkpoint, "error": null})
        }
        (_, Training::Fails(why)) => json!({"status": "failed", "phase": 3, "metrics": numbers, "error": why}),
        (_, Training::Numbers) => {
            let checkpoints = [json!({"phase": 3, "url": "/files/model.pkl"})];
            json!({"status": "completed", "phase": 4, "metrics": numbers, "checkpoints": checkpoints, "error": null})
        }
        (_, Training::Adapter(_)) => {
            let checkpoints = [
                json!({"phase": 3, "url": "/files/adapter_model.safetensors"}),
                json!({"phase": 4, "url": "/files/report.html"}),
            ];
            json!({"status": "completed", "phase": 4, "metrics": numbers, "checkpoints": checkpoints, "error": null})
        }
    }
}

fn document(status: u16, value: &Value) -> Answer {
    Some((status, vec![("content-type", "application/json".to_owned())], value.to_string().into_bytes()))
}
