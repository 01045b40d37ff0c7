//! An MLflow server: REST API 2.0 of MLflow 2.x and 3.x (<https://mlflow.org/docs/latest/api_reference/rest-api.html>).
//!
//! A task is an experiment and a registered model; a run is a run, and so is a study, with its trials as nested runs; a version
//! is a model version, and stages are aliases. Runs and model versions carry tags with their names in Graft, by which they are
//! found again after a response was lost.

use std::collections::{BTreeMap, HashMap};

use graft_core::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::{
    Access, Alias, Content, DatasetInput, Ending, Error, File, Model, Place, Point, RunCard, Sink, SinkKind, Status,
    http::Client,
};

/// Most metrics in one request.
const METRICS: usize = 1000;
/// Most params, or tags, in one request.
const PARAMS: usize = 100;
/// Longest value of a param that all 2.x versions accept, in characters.
const PARAM: usize = 500;
/// Longest value of a tag, likewise.
const TAG: usize = 5000;
/// Longest digest of a dataset.
const DIGEST: usize = 36;

/// Tags with names in Graft.
const RUN: &str = "graft.run";
const INSTANCE: &str = "graft.instance";
const VERSION: &str = "graft.version";
const FILES: &str = "graft.artifacts";
/// The tag by which MLflow shows a run within another one.
const PARENT: &str = "mlflow.parentRunId";

/// Path of the server's artifact proxy.
const PROXY: &str = "/api/2.0/mlflow-artifacts/artifacts/";

/// Most runs in one response.
const PAGE: usize = 500;

/// A run of an experiment, as the server has it.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = MlflowRun)]
pub struct FoundRun {
    /// The server's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// `SCHEDULED`, `RUNNING`, `FINISHED`, `FAILED` or `KILLED`.
    pub status: String,
    /// Who ran it.
    pub user: String,
    /// When it started.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// The server's id of the run that it is a part of.
    pub parent: Option<String>,
    /// Its page on the server.
    pub url: String,
    /// Settings.
    pub params: BTreeMap<String, String>,
    /// The last value of each series; null for NaN and infinity.
    pub metrics: BTreeMap<String, Option<f64>>,
}

/// An MLflow server.
#[derive(Debug)]
pub struct Mlflow {
    client: Client,
}

impl Mlflow {
    /// The server at an address as in `MLFLOW_TRACKING_URI`. Does not connect yet.
    ///
    /// # Errors
    /// [`Error::Address`]; [`Error::Certificates`].
    pub fn new(address: &str, access: Access) -> Result<Self, Error> {
        Ok(Self { client: Client::new(SinkKind::Mlflow, address, access)? })
    }

    fn get(&self, what: &str, query: &[(&str, &str)]) -> Result<Value, Error> {
        let query: Vec<String> = query.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
        self.client.get(&format!("/api/2.0/mlflow/{what}?{}", query.join("&")))
    }

    fn post(&self, what: &str, body: &Value) -> Result<Value, Error> {
        self.client.post(&format!("/api/2.0/mlflow/{what}"), body)
    }

    /// Creates something with a request that must not be repeated blindly.
    fn create(&self, what: &str, body: &Value) -> Result<Value, Error> {
        self.client.post_once(&format!("/api/2.0/mlflow/{what}"), body)
    }

    /// A text field of a response.
    fn text(&self, what: &str, answer: &Value, pointer: &str) -> Result<String, Error> {
        let found = answer.pointer(pointer).and_then(Value::as_str);
        found.map(str::to_owned).ok_or_else(|| self.client.odd(what, format!("it lacks {pointer}")))
    }

    /// The experiment of a task, created if it does not exist.
    fn experiment(&self, task: &str) -> Result<String, Error> {
        let name = format!("graft/{task}");
        let find = || self.get("experiments/get-by-name", &[("experiment_name", &name)]);
        let found = match find() {
            Err(error) if error.code() == "RESOURCE_DOES_NOT_EXIST" => {
                match self.post("experiments/create", &json!({"name": name})) {
                    Ok(made) => return self.text("experiments/create", &made, "/experiment_id"),
                    // Another process created it first.
                    Err(error) if error.code() == "RESOURCE_ALREADY_EXISTS" => find()?,
                    Err(error) => return Err(error),
                }
            }
            found => found?,
        };
        self.text("experiments/get-by-name", &found, "/experiment/experiment_id")
    }

    /// The newest runs of an experiment, given by its name or id; `filter` is an expression in MLflow's language.
    ///
    /// # Errors
    /// [`Error::NoExperiment`]; a filter that the server refuses; as [`check`](Sink::check).
    pub fn runs(&self, experiment: &str, filter: &str, most: usize) -> Result<Vec<FoundRun>, Error> {
        let is_absent = |error: &Error| matches!(error.code(), "RESOURCE_DOES_NOT_EXIST" | "INVALID_PARAMETER_VALUE");
        let found = match self.get("experiments/get-by-name", &[("experiment_name", experiment)]) {
            Err(error) if is_absent(&error) => self.get("experiments/get", &[("experiment_id", experiment)]),
            found => found,
        };
        let found = found.map_err(|error| match is_absent(&error) {
            true => Error::NoExperiment { address: self.client.address.clone(), experiment: experiment.to_owned() },
            false => error,
        })?;
        let id = self.text("experiments/get", &found, "/experiment/experiment_id")?;
        let (mut runs, mut token) = (Vec::new(), String::new());
        while runs.len() < most {
            let mut wanted = json!({
                "experiment_ids": [id], "max_results": PAGE.min(most - runs.len()), "run_view_type": "ACTIVE_ONLY",
                "order_by": ["attributes.start_time DESC"],
            });
            for (name, value) in [("filter", filter), ("page_token", token.as_str())] {
                if !value.is_empty() {
                    wanted[name] = json!(value);
                }
            }
            let page = self.post("runs/search", &wanted)?;
            let found = page["runs"].as_array().into_iter().flatten();
            runs.extend(found.map(|run| self.found(&id, run)).collect::<Result<Vec<_>, _>>()?);
            match page["next_page_token"].as_str() {
                None | Some("") => break,
                Some(next) if next == token => return Err(self.client.odd("runs/search", "it repeats a page")),
                Some(next) => next.clone_into(&mut token),
            }
        }
        runs.truncate(most);
        Ok(runs)
    }

    fn found(&self, experiment: &str, run: &Value) -> Result<FoundRun, Error> {
        let id = self.text("runs/search", run, "/info/run_id")?;
        let pairs = |kind: &str| run["data"][kind].as_array().cloned().unwrap_or_default();
        let key = |pair: &Value| pair["key"].as_str().map(str::to_owned);
        let text = |pair: &Value| Some((key(pair)?, pair["value"].as_str()?.to_owned()));
        let tags: BTreeMap<String, String> = pairs("tags").iter().filter_map(text).collect();
        let info = |name: &str| run["info"][name].as_str().unwrap_or_default().to_owned();
        // Protobuf's JSON writes 64-bit integers as text.
        let time = |name: &str| {
            let value = &run["info"][name];
            value.as_i64().or_else(|| value.as_str()?.parse().ok()).filter(|time| *time > 0)
        };
        let name =
            Some(info("run_name")).filter(|name| !name.is_empty()).or_else(|| tags.get("mlflow.runName").cloned());
        Ok(FoundRun {
            name: name.unwrap_or_else(|| id.clone()),
            status: info("status"),
            user: info("user_id"),
            started_at: time("start_time"),
            finished_at: time("end_time"),
            parent: tags.get(PARENT).cloned(),
            url: format!("{}/#/experiments/{experiment}/runs/{id}", self.client.address),
            params: pairs("params").iter().filter_map(text).collect(),
            metrics: pairs("metrics").iter().filter_map(|pair| Some((key(pair)?, pair["value"].as_f64()))).collect(),
            id,
        })
    }

    /// The run that an earlier call created, if any.
    fn find(&self, experiment: &str, run: &RunCard) -> Result<Option<Value>, Error> {
        let filter = format!("tags.`{RUN}` = '{}' and tags.`{INSTANCE}` = '{}'", run.run, run.instance);
        let wanted = json!({"experiment_ids": [experiment], "filter": filter, "max_results": 1});
        let found = self.post("runs/search", &wanted)?;
        Ok(found.pointer("/runs/0").cloned())
    }

    fn log_batches(&self, id: &str, kind: &str, all: &[Value], most: usize) -> Result<(), Error> {
        for batch in all.chunks(most) {
            // Not repeated on failure: a server that stores runs in files would store the numbers twice.
            let batch = json!({"run_id": id, kind: batch});
            if kind == "metrics" {
                self.create("runs/log-batch", &batch)
            } else {
                self.post("runs/log-batch", &batch)
            }?;
        }
        Ok(())
    }

    fn tag(&self, id: &str, tags: &[(String, String)]) -> Result<(), Error> {
        self.log_batches(id, "tags", &pairs(tags, TAG), PARAMS)
    }

    fn input(&self, id: &str, dataset: &DatasetInput) -> Result<(), Error> {
        let digest: String = dataset.digest.chars().take(DIGEST).collect();
        let source = json!({"digest": dataset.digest}).to_string();
        let profile = json!({"train": dataset.train, "eval": dataset.eval}).to_string();
        let described = json!({
            "name": dataset.name, "digest": digest, "source_type": "graft", "source": source, "profile": profile,
        });
        let context = [json!({"key": "mlflow.data.context", "value": dataset.context})];
        let inputs = json!({"run_id": id, "datasets": [{"tags": context, "dataset": described}]});
        self.post("runs/log-inputs", &inputs).map(drop)
    }

    /// The last step of each series on the server.
    fn known_steps(&self, id: &str) -> Result<HashMap<String, u64>, Error> {
        let run = self.get("runs/get", &[("run_id", id)])?;
        let metrics = run.pointer("/run/data/metrics").and_then(Value::as_array).into_iter().flatten();
        let number = |value: &Value| value.as_u64().or_else(|| value.as_str()?.parse().ok());
        Ok(metrics
            .filter_map(|metric| Some((metric["key"].as_str()?.to_owned(), number(&metric["step"]).unwrap_or(0))))
            .collect())
    }

    fn upload(&self, folder: &str, file: &File) -> Result<(), Error> {
        let path = format!("{PROXY}{}/{}", encode_path(folder), encode_path(&file.path));
        match &file.content {
            Content::Bytes(bytes) => self.client.put_bytes(&path, bytes),
            Content::At(at) => self.client.put_file(&path, at),
        }
    }

    /// Registers a version, unless an earlier call did.
    fn register(&self, run: &RunCard, place: &Place, model: &Model) -> Result<(), Error> {
        match self.post("registered-models/create", &json!({"name": model.name})) {
            Err(error) if error.code() != "RESOURCE_ALREADY_EXISTS" => return Err(error),
            _ => {}
        }
        let mine = self.versions(&model.name, &run.instance)?;
        if mine.iter().any(|(version, _)| *version == model.version) {
            return Ok(());
        }
        let named = [(VERSION, &model.version), (INSTANCE, &run.instance)];
        let named = named.map(|(name, value)| (name.to_owned(), value.clone()));
        let tags: Vec<_> = named.into_iter().chain(model.tags.clone()).collect();
        let source = format!("{}/{}", place.files.as_deref().unwrap_or_default(), model.folder);
        let version = json!({"name": model.name, "source": source, "run_id": place.id, "tags": pairs(&tags, TAG)});
        self.create("model-versions/create", &version).map(drop)
    }

    /// The versions of a model that this home registered: name in Graft, and number on the server.
    fn versions(&self, model: &str, instance: &str) -> Result<Vec<(String, String)>, Error> {
        let filter = format!("name = '{model}'");
        let found = self.get("model-versions/search", &[("filter", &filter), ("max_results", "10000")])?;
        let versions = found["model_versions"].as_array().into_iter().flatten();
        let tag = |version: &Value, name: &str| -> Option<String> {
            let tag = version["tags"].as_array()?.iter().find(|tag| tag["key"] == name)?;
            Some(tag["value"].as_str()?.to_owned())
        };
        Ok(versions
            .filter(|version| tag(version, INSTANCE).as_deref() == Some(instance))
            .filter_map(|version| Some((tag(version, VERSION)?, version["version"].as_str()?.to_owned())))
            .collect())
    }
}

impl Sink for Mlflow {
    fn kind(&self) -> SinkKind {
        SinkKind::Mlflow
    }

    fn address(&self) -> &str {
        &self.client.address
    }

    fn check(&self) -> Result<String, Error> {
        // Of the two requests, only this one needs credentials.
        self.post("experiments/search", &json!({"max_results": 1}))?;
        let version = self.client.text("/version").unwrap_or_default();
        let version: String = version.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '.').take(20).collect();
        Ok(format!("MLflow {version} at {}", self.client.address))
    }

    fn begin(&self, run: &RunCard, status: Status) -> Result<Place, Error> {
        let experiment = self.experiment(&run.task)?;
        let made = match self.find(&experiment, run)? {
            Some(found) => found,
            None => {
                let own =
                    [(RUN, &run.run), (INSTANCE, &run.instance)].map(|(name, value)| (name.to_owned(), value.clone()));
                let mut tags: Vec<_> = own.into_iter().chain(run.tags.clone()).collect();
                tags.push(("mlflow.user".into(), run.user.clone()));
                tags.push(("mlflow.source.name".into(), "graft".into()));
                tags.push(("mlflow.source.type".into(), "JOB".into()));
                tags.extend(run.parent.iter().map(|parent| (PARENT.to_owned(), parent.clone())));
                if let Some(url) = &run.url {
                    tags.push(("graft.url".into(), url.clone()));
                    tags.push(("mlflow.note.content".into(), format!("[{} in Graft]({url})", run.run)));
                }
                let new = json!({
                    "experiment_id": experiment, "user_id": run.user, "run_name": run.run, "start_time": run.at,
                    "tags": pairs(&tags, TAG),
                });
                self.create("runs/create", &new)?["run"].take()
            }
        };
        let id = self.text("runs/create", &made, "/info/run_id")?;
        let files = made.pointer("/info/artifact_uri").and_then(Value::as_str).map(str::to_owned);
        self.log_batches(&id, "params", &pairs(&run.params, PARAM), PARAMS)?;
        if let Some(dataset) = &run.dataset {
            self.input(&id, dataset)?;
        }
        let url = format!("{}/#/experiments/{experiment}/runs/{id}", self.client.address);
        let place = Place { id, url: Some(url), files };
        self.go_on(&place, status)?;
        Ok(place)
    }

    fn log(&self, _run: &RunCard, place: &Place, points: &[Point], again: bool) -> Result<(), Error> {
        // A server that stores runs in files would store repeated points twice.
        let known = if again { self.known_steps(&place.id)? } else { HashMap::new() };
        let is_new = |point: &&Point| known.get(&point.series).is_none_or(|step| point.step > *step);
        let metric = |point: &Point| json!({"key": point.series, "value": number(point.value), "timestamp": point.at, "step": point.step});
        let metrics: Vec<Value> = points.iter().filter(is_new).map(metric).collect();
        self.log_batches(&place.id, "metrics", &metrics, METRICS)
    }

    fn go_on(&self, place: &Place, status: Status) -> Result<(), Error> {
        self.post("runs/update", &json!({"run_id": place.id, "status": word(status)})).map(drop)
    }

    fn end(&self, run: &RunCard, place: &Place, ending: &Ending) -> Result<(), Error> {
        let mut tags = ending.tags.clone();
        match place.files.as_deref().map(folder) {
            Some(Ok(folder)) => {
                for file in &ending.files {
                    self.upload(&folder, file)?;
                }
                if let Some(model) = &ending.model {
                    self.register(run, place, model)?;
                }
            }
            Some(Err(elsewhere)) => {
                tags.push((
                    FILES.into(),
                    format!("not sent: the server keeps files at {elsewhere} and doesn't take them"),
                ));
            }
            None => {}
        }
        self.tag(&place.id, &tags)?;
        let update = json!({"run_id": place.id, "status": word(ending.status), "end_time": ending.at});
        self.post("runs/update", &update).map(drop)
    }

    fn stages(&self, model: &str, instance: &str, aliases: &[Alias]) -> Result<(), Error> {
        let registered = match self.get("registered-models/get", &[("name", model)]) {
            Err(error) if error.code() == "RESOURCE_DOES_NOT_EXIST" => return Ok(()),
            registered => registered?,
        };
        let there: HashMap<&str, &str> = registered["registered_model"]["aliases"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|alias| Some((alias["alias"].as_str()?, alias["version"].as_str()?)))
            .collect();
        let versions = self.versions(model, instance)?;
        for Alias { stage, version } in aliases {
            let wanted =
                versions.iter().find(|(name, _)| Some(name) == version.as_ref()).map(|(_, number)| number.as_str());
            match (wanted, there.get(stage.as_str()).copied()) {
                (Some(wanted), there) if there != Some(wanted) => {
                    let alias = json!({"name": model, "alias": stage, "version": wanted});
                    self.post("registered-models/alias", &alias)?;
                }
                // An alias on another home's version is kept.
                (None, Some(there)) if versions.iter().any(|(_, number)| number == there) => {
                    self.client
                        .delete("/api/2.0/mlflow/registered-models/alias", &json!({"name": model, "alias": stage}))?;
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn word(status: Status) -> &'static str {
    match status {
        Status::Scheduled => "SCHEDULED",
        Status::Running => "RUNNING",
        Status::Finished => "FINISHED",
        Status::Failed => "FAILED",
        Status::Killed => "KILLED",
    }
}

/// A number in protobuf's JSON encoding, which can express NaN and infinity.
fn number(value: f64) -> Value {
    match value {
        value if value.is_nan() => json!("NaN"),
        f64::INFINITY => json!("Infinity"),
        f64::NEG_INFINITY => json!("-Infinity"),
        value => json!(value),
    }
}

/// The folder of a run's files behind the server's proxy; otherwise an error with the scheme of their location.
fn folder(uri: &str) -> Result<String, String> {
    let Some(rest) = uri.strip_prefix("mlflow-artifacts:") else {
        return Err(uri.split_once(':').map_or("a folder of its own", |(scheme, _)| scheme).to_owned());
    };
    // A host is followed by the path.
    let path = rest.strip_prefix("//").map_or(rest, |rest| rest.find('/').map_or("", |at| &rest[at..]));
    let path = path.strip_prefix(PROXY).unwrap_or(path);
    Ok(path.trim_matches('/').to_owned())
}

fn pairs(pairs: &[(String, String)], longest: usize) -> Vec<Value> {
    pairs.iter().map(|(key, value)| json!({"key": key, "value": cut(value, longest)})).collect()
}

/// At most `most` characters, with a mark if cut.
fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

fn encode_path(text: &str) -> String {
    const PATH: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');
    utf8_percent_encode(text, &PATH).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_sent_only_through_the_servers_proxy() {
        for uri in [
            "mlflow-artifacts:/1/ab/artifacts",
            "mlflow-artifacts://ml.local:5000/1/ab/artifacts",
            "mlflow-artifacts://ml.local/api/2.0/mlflow-artifacts/artifacts/1/ab/artifacts",
        ] {
            assert_eq!(folder(uri), Ok("1/ab/artifacts".to_owned()), "{uri}");
        }
        assert_eq!(folder("s3://bucket/1/ab"), Err("s3".to_owned()));
        assert_eq!(folder("/srv/mlruns/1"), Err("a folder of its own".to_owned()));
    }

    #[test]
    fn numbers_use_protobuf_json() {
        assert_eq!(number(f64::NAN), json!("NaN"));
        assert_eq!(number(0.5), json!(0.5));
        assert_eq!(cut("ab", 2), "ab");
        assert_eq!(cut("äbc", 2), "ä…");
    }
}
