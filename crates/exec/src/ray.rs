//! Processes on a Ray cluster: a job of its Job Submission API for each. Program, base model and run directory lie in a folder
//! that this machine and the cluster's nodes share, laid out as on a machine that is reached by `ssh`; events, output and the
//! exit code are read there, and Ray is asked for the state of its jobs only.
//!
//! API: <https://docs.ray.io/en/latest/cluster/running-applications/job-submission/api.html>.

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    thread::sleep,
    time::{Duration, Instant, SystemTime},
};

use graft_core::RayJob;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use ureq::Agent;

use crate::{
    Answer, Cursor, Error, Executor, Facts, Host, Observation, Process, Result, RunRef, Start, Started, Stop,
    http::{Token, agent, shortened},
    read,
    ssh::{CALL, Inner as Files, SCRIPT, Sent, quoted},
};

/// How long one request may take.
const LIMIT: Duration = Duration::from_secs(30);
/// The longest answer: a list of all jobs that the cluster remembers.
const LONGEST: u64 = 64 << 20;
/// How long a job that tries the cluster may wait for its turn.
const TRIAL: Duration = Duration::from_secs(120);
/// After so long it is looked whether any node could take the job at all.
const DOUBT: Duration = Duration::from_secs(10);
/// The oldest version whose jobs can ask for memory and tell their exit code.
const OLDEST: (u32, u32) = (2, 9);
/// Before the run's id in the names of its jobs.
const NAME: &str = "graft-";
/// How a job ends that doesn't find the program on its node.
const NOT_THERE: i32 = 95;

/// Runs processes as jobs of a Ray cluster.
#[derive(Clone, Debug)]
pub struct Ray(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    files: Files,
    api: Api,
    job: RayJob,
}

impl Ray {
    /// Starts `program` on the cluster whose dashboard has this address; it may want a [token](Self::token).
    #[must_use]
    pub fn new(address: &str, token: Option<String>, program: PathBuf, job: RayJob) -> Self {
        let files = Files::new(Host::sharing(address, PathBuf::from(&job.shared)), program, None);
        Self(Arc::new(Inner { files, api: Api::new(address, token.map(Token)), job }))
    }

    /// The user's token, found as Ray's own client finds it: `RAY_AUTH_TOKEN`, the file that `RAY_AUTH_TOKEN_PATH` names, or
    /// `~/.ray/auth_token`.
    #[must_use]
    pub fn token() -> Option<String> {
        let given = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let text = match (given("RAY_AUTH_TOKEN"), given("RAY_AUTH_TOKEN_PATH"), given("HOME")) {
            (Some(token), ..) => token.into_string().ok(),
            (None, Some(path), _) => fs::read_to_string(path).ok(),
            (None, None, home) => fs::read_to_string(Path::new(&home?).join(".ray/auth_token")).ok(),
        };
        text.map(|token| token.trim().to_owned()).filter(|token| !token.is_empty())
    }

    /// Puts the program into the shared folder, and lets a job with the wanted resources say its version.
    ///
    /// # Errors
    /// Ray can't be reached or refuses; no node has the resources, sees the folder and runs the program.
    pub async fn check(&self) -> Result<Facts> {
        self.on_thread(Inner::check).await
    }

    async fn on_thread<T: Send + 'static>(&self, work: impl FnOnce(&Inner) -> Result<T> + Send + 'static) -> Result<T> {
        let inner = Arc::clone(&self.0);
        tokio::task::spawn_blocking(move || work(&inner)).await.map_err(Error::Thread)?
    }
}

impl Executor for Ray {
    fn start<'a>(&'a self, run: &'a RunRef, start: &'a Start) -> Answer<'a, Started> {
        let (run, start) = (run.clone(), start.clone());
        Box::pin(self.on_thread(move |inner| inner.start(&run, &start)))
    }

    fn observe<'a>(&'a self, run: &'a RunRef, cursor: Cursor) -> Answer<'a, Observation> {
        let run = run.clone();
        Box::pin(self.on_thread(move |inner| match inner.tell(&run.id) {
            Ok(_) => inner.files.observe(&run, cursor),
            // What can't be asked now says nothing about its jobs.
            Err(Error::NoRay { .. }) => Ok(Observation { process: Process::Unknown, ..read(&run.dir, cursor)? }),
            Err(error) => Err(error),
        }))
    }

    fn stop<'a>(&'a self, run: &'a RunRef, how: Stop) -> Answer<'a, ()> {
        let id = run.id.clone();
        Box::pin(self.on_thread(move |inner| {
            let say = |words: &[&str]| inner.files.say(words, None, CALL).map(drop);
            let Some(attempt) = inner.attempt(&id)? else { return Ok(()) };
            let name = name(&id, attempt);
            match (inner.api.job(&name)?.map(|job| job.status), how) {
                // One that outlived its cluster can only be asked.
                (Some(Status::Running), Stop::AfterStep) | (None, _) => say(&["ask_to_stop", &id]),
                (Some(Status::Running), Stop::Now) => inner.api.stop(&name),
                // What waits has nothing that could be kept. Ray stops it once it has a place, where it finds itself replaced.
                (Some(Status::Pending), _) => {
                    say(&["withdraw", &id, &(attempt + 1).to_string()])?;
                    inner.api.stop(&name)
                }
                _ => Ok(()),
            }
        }))
    }

    fn collect<'a>(&'a self, run: &'a RunRef) -> Answer<'a, ()> {
        let run = run.clone();
        Box::pin(self.on_thread(move |inner| {
            inner.tell(&run.id)?;
            inner.files.finish(&run)
        }))
    }

    fn list(&self) -> Answer<'_, Vec<String>> {
        Box::pin(self.on_thread(|inner| {
            let jobs = inner.api.jobs()?.into_iter().filter(|job| job.status.is_alive());
            Ok(jobs.filter_map(|job| run_of(&job.submission_id?).map(str::to_owned)).collect())
        }))
    }
}

/// The name of a run's job. A name is never used again: Ray keeps something of a job even after it was deleted, which makes
/// another one with its name fail.
fn name(run: &str, attempt: u32) -> String {
    format!("{NAME}{run}-{attempt}")
}

/// The run that a job is named after.
fn run_of(name: &str) -> Option<&str> {
    name.strip_prefix(NAME)?.rsplit_once('-').map(|(run, _)| run)
}

impl Inner {
    fn check(&self) -> Result<Facts> {
        let version = self.api.version()?;
        self.files.prepare(0)?;
        let digest = self.files.digest()?;
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_millis();
        let name = format!("check-graft-{now}-{}", std::process::id());
        let script = format!("{name}.sh");
        let path = Path::new(&self.job.shared).join(&script);
        fs::write(&path, SCRIPT).map_err(|source| Error::Io { doing: "write", path: path.clone(), source })?;
        let (folder, program) = (quoted(self.job.there()), quoted(&self.there(&["bin", &digest, "graft"])));
        let entrypoint = format!(
            "[ -x {program} ] && [ -w {folder} ] || {{ hostname; exit {NOT_THERE}; }}; GRAFT_CACHE={folder} sh {} probe {digest}",
            quoted(&self.there(&[&script]))
        );
        let tried = self.try_out(&name, &entrypoint);
        // It is left there at the worst.
        let _ = fs::remove_file(&path);
        let (job, log) = tried?;
        let last = log.lines().map(str::trim).rfind(|line| !line.is_empty()).map(str::to_owned);
        match (job.status, job.driver_exit_code) {
            (Status::Succeeded, _) => {}
            (_, Some(NOT_THERE)) => {
                return Err(Error::RayFolder {
                    address: self.api.address.clone(),
                    node: last.unwrap_or_default(),
                    folder: self.job.there().to_owned(),
                });
            }
            _ => return Err(self.api.refused(last.unwrap_or_else(|| job.said()))),
        }
        let facts = Facts::read(&log);
        match &facts.program {
            Some(program) if program.starts_with("graft ") => {
                Ok(Facts { scheduler: Some(format!("ray {version}")), ..facts })
            }
            said => Err(Error::RemoteProgram {
                host: self.api.address.clone(),
                program: self.files.program.clone(),
                said: said.clone().unwrap_or_default(),
            }),
        }
    }

    /// Runs a job that tries the cluster, and returns it with its output.
    fn try_out(&self, name: &str, entrypoint: &str) -> Result<(Job, String)> {
        self.api.submit(&self.request(name, entrypoint))?;
        let ended = self.wait(name);
        if ended.is_err() {
            self.api.stop(name)?;
        }
        let log = self.api.log(name).unwrap_or_default();
        // Nobody needs it any more; one that is still being stopped can't be deleted.
        let _ = self.api.forget(name);
        Ok((ended?, log))
    }

    /// Waits for the end of a job that tries the cluster.
    fn wait(&self, name: &str) -> Result<Job> {
        let (began, mut is_sure) = (Instant::now(), false);
        loop {
            let job = self.api.job(name)?.ok_or_else(|| self.api.refused("the job is gone"))?;
            if !job.status.is_alive() {
                return Ok(job);
            }
            if !is_sure && began.elapsed() > DOUBT {
                self.find_node()?;
                is_sure = true;
            }
            if began.elapsed() > TRIAL {
                return Err(self.api.refused(format!("it still waits after {} s: {}", TRIAL.as_secs(), job.said())));
            }
            sleep(Duration::from_millis(300));
        }
    }

    /// Whether some node has all that a trainer asks for, were it idle.
    fn find_node(&self) -> Result<()> {
        let nodes = self.api.nodes()?;
        let wanted: Vec<(&str, &str, f64)> =
            self.wanted().map(|(_, name, what, count)| (name, what, count as f64)).collect();
        let has = |node: &Node, name: &str| node.resources_total.get(name).copied().unwrap_or(0.0);
        if nodes.iter().any(|node| wanted.iter().all(|(name, _, count)| has(node, name) >= *count)) {
            return Ok(());
        }
        let of = |of: &dyn Fn(&str, f64) -> f64| {
            let words = wanted.iter().map(|(name, what, count)| format!("{} {what}", of(name, *count)));
            words.collect::<Vec<_>>().join(", ")
        };
        let most = of(&|name, _| nodes.iter().map(|node| has(node, name)).fold(0.0, f64::max));
        Err(Error::RayNode { address: self.api.address.clone(), wanted: of(&|_, count| count), most })
    }

    /// The number of a run's newest attempt. It is kept with the files of its job before the job is submitted, so that a job
    /// is found whose submission had no answer, and outlives them.
    fn attempt(&self, id: &str) -> Result<Option<u32>> {
        let path = Path::new(&self.job.shared).join("jobs").join(id).join("attempt");
        match fs::read_to_string(&path) {
            Ok(text) => Ok(text.trim().parse().ok()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(Error::Io { doing: "read", path, source }),
        }
    }

    fn start(&self, run: &RunRef, start: &Start) -> Result<Started> {
        let mut attempt = self.attempt(&run.id)?.unwrap_or(1);
        // Whoever starts it at the same moment comes to the same name, which Ray gives to one job only.
        while let Some(job) = self.api.job(&name(&run.id, attempt))? {
            if job.status.is_alive() {
                return Ok(Started { fresh: false, pid: Some(attempt) });
            }
            attempt += 1;
        }
        let name = name(&run.id, attempt);
        let Sent { program, base } = self.files.send(run, start, Some(self.job.gpus.is_some_and(|gpus| gpus > 0)))?;
        self.files.say(&["ready", &run.id, &attempt.to_string()], None, CALL)?;
        let (job, dir) = (self.there(&["jobs", &run.id]), self.there(&["runs", &run.id]));
        let mut words = vec!["sh".to_owned(), format!("{job}/job.sh"), job, dir.clone(), self.there(&["state"])];
        words.push(self.there(&["bin", &program, "graft"]));
        words.extend(start.args.iter().cloned());
        words.extend(self.job.cpus.iter().flat_map(|cpus| ["--threads".to_owned(), cpus.to_string()]));
        words.push(dir);
        words.extend(base.iter().flat_map(|base| ["--base".to_owned(), self.there(&["bases", base])]));
        let words = words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ");
        // One that another has replaced while it waited does nothing.
        let newest = quoted(&self.there(&["jobs", &run.id, "attempt"]));
        let entrypoint = format!(r#"[ "$(cat {newest})" = {attempt} ] && exec {words}"#);
        let fresh = match self.api.submit(&self.request(&name, &entrypoint)) {
            Ok(()) => true,
            // Another worker was faster, or an earlier request that had no answer.
            Err(Error::Ray { .. }) if self.api.job(&name)?.is_some() => false,
            Err(error) => return Err(error),
        };
        Ok(Started { fresh, pid: Some(attempt) })
    }

    /// A path in the shared folder, as the nodes see it.
    fn there(&self, parts: &[&str]) -> String {
        format!("{}/{}", self.job.there(), parts.join("/"))
    }

    /// What is asked for, as a request and as a node name it.
    fn wanted(&self) -> impl Iterator<Item = (&'static str, &'static str, &'static str, u64)> {
        let RayJob { cpus, gpus, memory, .. } = self.job;
        let all = [
            ("entrypoint_num_cpus", "CPU", "processors", cpus.map(u64::from)),
            ("entrypoint_num_gpus", "GPU", "GPUs", gpus.map(u64::from)),
            ("entrypoint_memory", "memory", "bytes of memory", memory),
        ];
        all.into_iter().filter_map(|(field, name, what, count)| Some((field, name, what, count?)))
    }

    fn request(&self, name: &str, entrypoint: &str) -> Value {
        let mut request: Map<String, Value> =
            self.wanted().map(|(field, _, _, count)| (field.to_owned(), count.into())).collect();
        request.insert("submission_id".into(), json!(name));
        request.insert("entrypoint".into(), json!(entrypoint));
        request.insert("metadata".into(), json!({"submitted_by": concat!("graft ", env!("CARGO_PKG_VERSION"))}));
        Value::Object(request)
    }

    /// Keeps what Ray says of a run's newest job with its files.
    fn tell(&self, id: &str) -> Result<()> {
        let Some(attempt) = self.attempt(id)? else { return Ok(()) };
        let told = self.api.job(&name(id, attempt))?.map_or_else(|| "missing".to_owned(), |job| job.told());
        self.files.say(&["tell", id, &told], None, CALL).map(drop)
    }
}

/// The state of a job. Ray may get others; such a job is believed to be at work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Status {
    Pending,
    Stopped,
    Succeeded,
    Failed,
    #[serde(other)]
    Running,
}

impl Status {
    fn is_alive(self) -> bool {
        matches!(self, Self::Pending | Self::Running)
    }
}

/// A job, as far as it matters here.
#[derive(Clone, Debug, Deserialize)]
struct Job {
    status: Status,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    submission_id: Option<String>,
    #[serde(default)]
    driver_exit_code: Option<i32>,
}

/// A node of the cluster.
#[derive(Clone, Debug, Deserialize)]
struct Node {
    state: String,
    #[serde(default)]
    resources_total: HashMap<String, f64>,
}

impl Job {
    /// What Ray says of it, on one line.
    fn said(&self) -> String {
        shortened(self.message.as_deref().unwrap_or("no reason is given"))
    }

    /// Its state, as the script of the shared folder notes it. What is more exact stands in the job's own files.
    fn told(&self) -> String {
        match (self.status, self.driver_exit_code) {
            (Status::Pending, _) => format!("waiting {}", self.said()),
            (Status::Running, _) => "running".to_owned(),
            (Status::Succeeded, _) => "exited 0".to_owned(),
            (Status::Stopped, _) => "ended cancelled".to_owned(),
            (Status::Failed, Some(code)) if code >= 0 => format!("exited {code}"),
            // As Python says it: the number of a signal.
            (Status::Failed, Some(code)) => format!("exited {}", 128 - code),
            (Status::Failed, None) if self.said().contains("failed to start within") => "ended unplaced".to_owned(),
            (Status::Failed, None) => "failed".to_owned(),
        }
    }
}

/// The Job Submission API.
#[derive(Debug)]
struct Api {
    address: String,
    token: Option<Token>,
    agent: Agent,
}

impl Api {
    fn new(address: &str, token: Option<Token>) -> Self {
        Self { address: address.trim_end_matches('/').to_owned(), token, agent: agent(address, Some(LIMIT)) }
    }

    /// Ray's version, which must not be too old.
    fn version(&self) -> Result<String> {
        let about: Value = self.ask("GET", "/api/version", None)?.unwrap_or_default();
        let version = about["ray_version"].as_str().ok_or_else(|| self.none("no Ray answers there"))?;
        let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
        if (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) < OLDEST {
            return Err(Error::RayOld { address: self.address.clone(), version: shortened(version) });
        }
        Ok(version.to_owned())
    }

    /// The nodes that are there now.
    fn nodes(&self) -> Result<Vec<Node>> {
        let list: Value = self.ask("GET", "/api/v0/nodes?detail=1", None)?.unwrap_or_default();
        let nodes: Vec<Node> = serde_json::from_value(list["data"]["result"]["result"].clone())
            .map_err(|error| self.none(format!("its response is damaged: {error}")))?;
        Ok(nodes.into_iter().filter(|node| node.state == "ALIVE").collect())
    }

    fn job(&self, name: &str) -> Result<Option<Job>> {
        self.ask("GET", &format!("/api/jobs/{name}"), None)
    }

    fn jobs(&self) -> Result<Vec<Job>> {
        Ok(self.ask("GET", "/api/jobs/", None)?.unwrap_or_default())
    }

    fn log(&self, name: &str) -> Result<String> {
        let log: Value = self.ask("GET", &format!("/api/jobs/{name}/logs"), None)?.unwrap_or_default();
        Ok(log["logs"].as_str().unwrap_or_default().to_owned())
    }

    fn submit(&self, request: &Value) -> Result<()> {
        self.ask::<Value>("POST", "/api/jobs/", Some(request)).map(drop)
    }

    fn stop(&self, name: &str) -> Result<()> {
        self.ask::<Value>("POST", &format!("/api/jobs/{name}/stop"), None).map(drop)
    }

    /// Forgets a job that has ended; does nothing if there is none.
    fn forget(&self, name: &str) -> Result<()> {
        self.ask::<Value>("DELETE", &format!("/api/jobs/{name}"), None).map(drop)
    }

    /// One request; `None` for a job that Ray doesn't know.
    fn ask<T: for<'de> Deserialize<'de>>(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Option<T>> {
        let url = format!("{}{path}", self.address);
        let mut request = ureq::http::Request::builder().method(method).uri(url);
        if let Some(Token(token)) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let request =
            request.header("content-type", "application/json").body(body.map(Value::to_string).unwrap_or_default());
        let request = request.map_err(|error| self.none(error.to_string()))?;
        let mut answer = self.agent.run(request).map_err(|error| self.none(error.to_string()))?;
        let status = answer.status().as_u16();
        let text = answer.body_mut().with_config().limit(LONGEST).read_to_string();
        let text = text.map_err(|error| self.none(error.to_string()))?;
        match status {
            200..=299 => serde_json::from_str(&text)
                .map(Some)
                .map_err(|error| self.none(format!("its response is damaged: {error}"))),
            401 | 403 => Err(Error::RayDenied { address: self.address.clone() }),
            404 if path.starts_with("/api/jobs/") && method != "POST" => Ok(None),
            // A head node that starts or ends, and proxies before it.
            502..=504 => Err(self.none(format!("status {status}"))),
            _ => {
                let last = text.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("no reason is given");
                let said = shortened(last);
                // Of a head node whose job agent has not started yet.
                if said.contains("try again later") { Err(self.none(said)) } else { Err(self.refused(said)) }
            }
        }
    }

    fn none(&self, said: impl Into<String>) -> Error {
        Error::NoRay { address: self.address.clone(), said: said.into() }
    }

    fn refused(&self, said: impl Into<String>) -> Error {
        Error::Ray { address: self.address.clone(), said: said.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_are_named_after_run_and_attempt() {
        assert_eq!(run_of(&name("slack-rescue-7", 12)), Some("slack-rescue-7"));
        assert_eq!((run_of("raysubmit_x-1"), run_of("check-graft-1-2")), (None, None));
    }

    #[test]
    fn states_of_jobs_are_told_as_the_script_reads_them() {
        let told = |job: &str| serde_json::from_str::<Job>(job).unwrap().told();
        assert_eq!(told(r#"{"status": "PENDING", "message": "waits\n for  CPUs"}"#), "waiting waits for CPUs");
        assert_eq!(told(r#"{"status": "PREPARING", "message": null}"#), "running");
        assert_eq!(told(r#"{"status": "FAILED", "driver_exit_code": 11}"#), "exited 11");
        assert_eq!(told(r#"{"status": "FAILED", "driver_exit_code": -9}"#), "exited 137");
        assert_eq!(told(r#"{"status": "FAILED", "driver_exit_code": null}"#), "failed");
        let late =
            r#"{"status": "FAILED", "message": "Job supervisor actor failed to start within 900.0 seconds. This"}"#;
        assert_eq!(told(late), "ended unplaced");
    }
}
