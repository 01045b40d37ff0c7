//! Runs in trackers elsewhere: real MLflow servers, read with MLflow's own client, and a collector of metrics.
//!
//! Needs `GRAFT_TEST_MLFLOW`, a folder of Python environments, which `cargo xtask test` makes; otherwise only what needs no
//! server is tested.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    thread::sleep,
    time::{Duration, Instant},
};

use graft_core::{Digest, EventKind};
use graft_testkit::{Mlflow, http};
use serde_json::{Value, json};

use crate::common::{Graft, events, server::Server};

const TASK: &str = "text-classification";
/// Settings of a run that is over in a moment.
const SHORT: [&str; 11] =
    ["train", TASK, "--base", "tiny", "--epochs", "1", "--batch-size", "8", "--no-eval", "--threads", "1"];

fn read(mlflow: &Mlflow) -> Value {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/mlflow_read.py");
    serde_json::from_str(&mlflow.python(&program, &[]).unwrap()).unwrap()
}

/// The aliases of the task's model: many looks, for which Python's client starts too slowly.
fn aliases(mlflow: &Mlflow) -> BTreeMap<String, String> {
    let answer = mlflow.get("/api/2.0/mlflow/registered-models/get", &format!("name={TASK}")).unwrap();
    let model: Value = serde_json::from_str(&answer).unwrap();
    let aliases = model["registered_model"]["aliases"].as_array().into_iter().flatten();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    aliases.map(|alias| (text(&alias["alias"]), text(&alias["version"]))).collect()
}

/// The only run of that name, in what was read.
#[track_caller]
fn only<'a>(found: &'a Value, run: &str) -> &'a Value {
    let runs = found["experiments"][format!("graft/{TASK}")].as_array().unwrap_or_else(|| panic!("{found:#}"));
    let mut named = runs.iter().filter(|one| one["tags"]["graft.run"] == run);
    let only = named.next().unwrap_or_else(|| panic!("{run} is not in {found:#}"));
    assert!(named.next().is_none(), "{run} is there twice");
    only
}

#[track_caller]
fn wait_for(what: &str, is_so: impl Fn() -> Option<Value>) -> Value {
    let began = Instant::now();
    loop {
        if let Some(found) = is_so() {
            return found;
        }
        assert!(began.elapsed() < Duration::from_secs(300), "never: {what}");
        sleep(Duration::from_millis(100));
    }
}

/// What MLflow has of a run's numbers is what the run's events say: each once, and none lost.
#[track_caller]
fn check_numbers(graft: &Graft, run: &str, found: &Value) {
    let (mut losses, mut held_out, mut accuracy, mut f1) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for event in events(graft, run) {
        match event.kind {
            EventKind::Step { step, loss, .. } => losses.push(json!([step, loss])),
            EventKind::Eval { step, loss, scores, .. } => {
                held_out.push(json!([step, loss]));
                if let Some(scores) = scores {
                    accuracy.push(json!([step, scores.accuracy]));
                    f1.push(json!([step, scores.f1]));
                }
            }
            _ => {}
        }
    }
    let sorted = |series: &str| {
        let mut points = found["metrics"][series].as_array().cloned().unwrap_or_default();
        points.sort_by_key(|point| point[0].as_u64());
        points
    };
    assert!(losses.len() > 5);
    assert_eq!(sorted("loss"), losses);
    assert_eq!(sorted("eval_loss"), held_out);
    assert_eq!((sorted("eval_accuracy"), sorted("eval_f1")), (accuracy, f1));
    assert_eq!(sorted("learning_rate").len(), losses.len());
    assert_eq!(sorted("final_loss").len(), 1);
}

#[track_caller]
fn check_files(graft: &Graft, run: &str, found: &Value) {
    let folder = graft.home().join("adapters").join(TASK).join(run);
    let ours: BTreeMap<String, String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = format!("adapter/{}", path.file_name().unwrap().to_str().unwrap());
            (name, Digest::of(&fs::read(path).unwrap()).as_str().to_owned())
        })
        .collect();
    assert!(ours.len() >= 2);
    for (name, digest) in &ours {
        assert_eq!(found["files"][name], *digest, "{name}");
    }
    assert!(found["files"]["logs/stdout.txt"].is_string() && found["files"]["training_run.json"].is_string());
}

/// Killed in the middle, with every fifth answer lost and Graft killed as well: MLflow has each run once, whole.
fn an_mlflow_has_what_graft_has(environment: &Path) {
    let mut mlflow = Mlflow::start(environment, false).unwrap();
    let graft = Graft::with_toy_task().with("MLFLOW_TRACKING_URI", mlflow.losing(5).unwrap());
    let server = Server::start(&graft);
    let settings = json!({"epochs": 150, "batch_size": 8, "threads": 1, "rank": 4, "evals_per_epoch": 1});
    let wanted = json!({"task": TASK, "base": "tiny", "settings": settings, "version": "first"});
    let run = server.json(202, "POST", "/api/v1/runs", &wanted)["run"]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/runs/{run}");
    wait_for("MLflow follows the run", || {
        let detail = server.get(&path);
        (detail["tracking"][0]["state"] == "following" && detail["progress"]["step"].as_u64()? > 3).then_some(detail)
    });
    mlflow.kill();
    wait_for("the run ends well", || Some(server.get(&path)).filter(|detail| detail["run"]["state"] == "succeeded"));
    let detail = wait_for("the page says that MLflow is away", || {
        Some(server.get(&path)).filter(|detail| detail["tracking"][0]["state"] == "failing")
    });
    assert!(detail["tracking"][0]["error"].as_str().unwrap().contains("reach mlflow"), "{detail:#}");
    let doctor = graft.json(&["doctor", TASK, "--base", "tiny"]);
    let check = doctor["checks"].as_array().unwrap().iter().find(|check| check["name"] == "mlflow").unwrap();
    assert!(check["found"].as_str().unwrap().contains("reach mlflow") && check["hint"].is_string(), "{check:#}");
    drop(server);
    mlflow.restart().unwrap();
    let server = Server::start(&graft);
    let sent = |run: &str| {
        let detail = server.get(&format!("/api/v1/runs/{run}"));
        (detail["tracking"][0]["state"] == "sent").then_some(detail)
    };
    let detail = wait_for("everything is sent", || sent(&run));

    let found = read(&mlflow);
    let mine = only(&found, &run);
    check_numbers(&graft, &run, mine);
    check_files(&graft, &run, mine);
    assert_eq!((&mine["status"], &mine["name"]), (&json!("FINISHED"), &json!(run)));
    assert!(mine["ended"].is_u64() && mine["files"]["evaluation.json"].is_string());
    assert!(detail["tracking"][0]["url"].as_str().unwrap().ends_with(mine["id"].as_str().unwrap()));
    let (params, tags) = (&mine["params"], &mine["tags"]);
    assert_eq!((&params["adapter.rank"], &params["optim.batch"]), (&json!("4"), &json!("8")), "{params:#}");
    assert_eq!((&tags["graft.base"], &tags["graft.version"]), (&json!("tiny"), &json!("first")));
    let dataset = detail["run"]["dataset"].as_str().unwrap();
    assert_eq!(tags["graft.dataset"], dataset);
    assert_eq!(mine["inputs"].as_array().unwrap().len(), 1);
    let input = &mine["inputs"][0];
    assert!(dataset.contains(input["digest"].as_str().unwrap()) && input["tags"]["mlflow.data.context"] == "training");
    assert!(mine["metrics"]["score/accuracy"].is_array(), "{:#}", mine["metrics"]);
    let model = &found["models"][TASK];
    let versions = model["versions"].as_object().unwrap();
    assert_eq!(versions.len(), 1);
    assert_eq!(versions["1"]["tags"]["graft.version"], "first");
    assert_eq!(versions["1"]["run"], mine["id"]);
    let alias_is = |stage: &str, number: &str| {
        let aliases = aliases(&mlflow);
        (aliases.get(stage).is_some_and(|version| version == number)).then(|| json!(aliases))
    };
    wait_for("the stage is an alias", || alias_is("shadow", "1"));

    // Aliases follow stages, and a run that is stopped is one there, too.
    graft.ok(&[&SHORT[..], &["--version", "second"]].concat());
    for (version, number) in [("first", "1"), ("second", "2")] {
        graft.ok(&["models", "set-active", version, "--task", TASK, "--force"]);
        let aliases = wait_for("the alias follows", || alias_is("active", number));
        assert_eq!(aliases.get("canary"), None);
    }
    let long = json!({"task": TASK, "base": "tiny", "settings": {"epochs": 10000, "threads": 1}});
    let stopped = server.json(202, "POST", "/api/v1/runs", &long)["run"]["id"].as_str().unwrap().to_owned();
    wait_for("it trains", || {
        Some(server.get(&format!("/api/v1/runs/{stopped}"))).filter(|d| d["run"]["phase"] == "train")
    });
    server.json(202, "POST", &format!("/api/v1/runs/{stopped}/cancel"), &json!({}));
    wait_for("the stop is sent", || sent(&stopped));
    let found = read(&mlflow);
    assert_eq!(found["models"][TASK]["aliases"]["active"], "2");
    assert_eq!(only(&found, &stopped)["status"], "KILLED");
    assert_eq!(found["experiments"][format!("graft/{TASK}")].as_array().unwrap().len(), 3);
}

fn environments() -> Vec<PathBuf> {
    let found = Mlflow::environments();
    if found.is_empty() {
        eprintln!("skipped: GRAFT_TEST_MLFLOW is not set");
    }
    found
}

#[test]
fn mlflow_2_receives_everything_once() {
    environments().iter().filter(|path| path.ends_with("v2")).for_each(|path| an_mlflow_has_what_graft_has(path));
}

#[test]
fn mlflow_3_receives_everything_once() {
    environments().iter().filter(|path| path.ends_with("v3")).for_each(|path| an_mlflow_has_what_graft_has(path));
}

/// A study whose trials ended while MLflow was away, and whose answers are lost, is there once, with its trials in it.
#[test]
fn study_is_a_run_in_mlflow_with_its_trials_in_it() {
    for environment in environments() {
        let mut mlflow = Mlflow::start(&environment, false).unwrap();
        let graft = Graft::with_toy_task().with("MLFLOW_TRACKING_URI", mlflow.losing(7).unwrap());
        mlflow.kill();
        let search = ["search", TASK, "--base", "tiny", "--budget", "3-trials", "--epochs", "1", "--threads", "1"];
        let study = graft.json(&search);
        let id = study["study"]["id"].as_str().unwrap();
        let trials = study["trials"].as_array().unwrap();
        mlflow.restart().unwrap();
        let best = &trials[study["best"].as_u64().unwrap() as usize];
        let found = wait_for("the end of the study is sent", || {
            // Each command sends what is left, as far as that goes in some seconds.
            graft.ok(&["runs", "track", trials[0]["run"].as_str().unwrap()]);
            let said = graft.run(&["runs", "mlflow", &format!("graft/{TASK}"), "--json"]).stdout;
            let found: Value = serde_json::from_str(&said).unwrap_or_default();
            let runs = found["runs"].as_array()?;
            let is_ended = |run: &Value| ["FINISHED", "KILLED"].contains(&run["status"].as_str().unwrap());
            let found = (runs.len() > trials.len() && runs.iter().all(is_ended)).then(|| read(&mlflow))?;
            // Its run is created as ended if it already is; the best trial comes last.
            only(&found, id)["tags"]["graft.best"].is_string().then_some(found)
        });
        let parent = only(&found, id);
        assert_eq!((&parent["status"], &parent["tags"]["graft.kind"]), (&json!("FINISHED"), &json!("study")));
        assert_eq!(parent["tags"]["graft.best"], best["run"]);
        assert_eq!(parent["metrics"]["best_loss"], json!([[trials.len(), best["loss"]]]));
        assert_eq!(parent["params"]["best.epochs"], "1.0", "{parent:#}");
        for trial in trials {
            let run = only(&found, trial["run"].as_str().unwrap());
            assert_eq!(run["tags"]["mlflow.parentRunId"], parent["id"], "{run:#}");
            assert!(run["metrics"]["loss"].is_array(), "{run:#}");
        }
        assert_eq!(found["experiments"][format!("graft/{TASK}")].as_array().unwrap().len(), trials.len() + 1);
    }
}

/// As MLflow's documentation describes it; pages are shorter than asked for, which is allowed.
fn experiment(request: &http::Request, pages: &Mutex<Vec<Value>>) -> http::Answer {
    let run = |id: &str, rate: &str, loss: Value| {
        let params = [json!({"key": "lr", "value": rate}), json!({"key": "seed", "value": "7"})];
        let metrics = [json!({"key": "loss", "value": loss, "timestamp": 1, "step": 2})];
        json!({
            "info": {"run_id": id, "run_name": format!("theirs {id}"), "status": "FINISHED", "user_id": "bob",
                "start_time": "1700000000000", "end_time": 1_700_000_001_000_i64},
            "data": {"params": params, "metrics": metrics, "tags": [{"key": "mlflow.parentRunId", "value": "p"}]},
        })
    };
    let document = |status: u16, body: Value| Some((status, vec![], body.to_string().into_bytes()));
    let absent = || document(404, json!({"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "there is none"}));
    match (request.method.as_str(), request.path.as_str(), request.query.as_str()) {
        ("GET", "/api/2.0/mlflow/experiments/get-by-name", "experiment_name=theirs") => {
            document(200, json!({"experiment": {"experiment_id": "7", "name": "theirs"}}))
        }
        ("GET", path, _) if path.starts_with("/api/2.0/mlflow/experiments/get") => absent(),
        ("POST", "/api/2.0/mlflow/runs/search", _) => {
            let wanted: Value = serde_json::from_slice(&request.body).unwrap();
            pages.lock().unwrap().push(wanted.clone());
            let page = match wanted["page_token"].as_str() {
                _ if wanted["experiment_ids"] != json!(["7"]) => return absent(),
                None => {
                    json!({"runs": [run("a", "0.1", json!(0.25)), run("b", "0.2", json!("NaN"))], "next_page_token": "t/2="})
                }
                Some("t/2=") => json!({"runs": [run("c", "0.1", json!(0.5))], "next_page_token": ""}),
                Some(other) => {
                    return document(400, json!({"error_code": "INVALID_PARAMETER_VALUE", "message": other}));
                }
            };
            document(200, page)
        }
        // Nothing that changes what is there.
        _ => document(405, json!({"error_code": "BAD_REQUEST", "message": request.path})),
    }
}

#[test]
fn runs_of_an_mlflow_experiment_are_compared_with_versions() {
    let pages = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&pages);
    let origin = http::listen(move |request| experiment(request, &seen)).unwrap();
    let graft = Graft::with_toy_task();
    graft.fails(2, &["runs", "mlflow", "theirs"], "no server is configured");
    graft.ok(&[&SHORT[..], &["--run-id", "ours", "--version", "first"]].concat());
    let graft = graft.with("MLFLOW_TRACKING_URI", origin);
    let filter = "metrics.loss < 1";
    let found = graft.json(&["runs", "mlflow", "theirs", "--task", TASK, "--filter", filter]);
    let runs = found["runs"].as_array().unwrap();
    assert_eq!(runs.iter().map(|run| run["id"].as_str().unwrap()).collect::<Vec<_>>(), ["a", "b", "c"]);
    assert_eq!((&runs[0]["metrics"]["loss"], &runs[1]["metrics"]["loss"]), (&json!(0.25), &Value::Null));
    assert_eq!((&runs[0]["started_at"], &runs[0]["parent"]), (&json!(1_700_000_000_000_i64), &json!("p")));
    assert_eq!(
        (&found["versions"][0]["version"], &found["versions"][0]["params"]["optim.batch"]),
        (&json!("first"), &json!("8"))
    );
    assert!(found["versions"][0]["metrics"]["final_loss"].is_f64(), "{found:#}");
    assert!(pages.lock().unwrap().drain(..).all(|wanted| wanted["filter"] == filter));
    let table = graft.ok(&["runs", "mlflow", "theirs"]);
    assert!(table.contains("theirs a") && table.contains("loss 0.2500") && table.contains("lr 0.1"), "{table}");
    assert!(!table.contains("seed"), "it is the same in all\n{table}");
    pages.lock().unwrap().clear();
    assert_eq!(graft.json(&["runs", "mlflow", "theirs", "--limit", "2"])["runs"].as_array().unwrap().len(), 2);
    assert_eq!(pages.lock().unwrap().len(), 1);
    graft.fails(2, &["runs", "mlflow", "nobody's"], "find experiment `nobody's`");
    graft.fails(2, &["runs", "mlflow", "theirs", "--task", "no-task"], "no-task");
}

#[test]
fn wrong_password_and_full_disk_are_reported_and_do_not_affect_runs() {
    let Some(environment) = environments().into_iter().find(|path| path.ends_with("v3")) else { return };
    let mlflow = Mlflow::start(&environment, true).unwrap();
    let graft = Graft::with_toy_task().with("MLFLOW_TRACKING_URI", mlflow.url());
    let graft = graft.with("MLFLOW_TRACKING_USERNAME", "admin").with("MLFLOW_TRACKING_PASSWORD", "wrong");
    let train = |graft: &Graft, run: &str, more: &[&str]| {
        graft.ok(&[&SHORT[..], &["--run-id", run, "--version", run], more].concat());
    };
    // A command waits a limited time for a slow server; the next command continues.
    let tracked = |graft: &Graft, run: &str, state: &str| {
        wait_for(state, || {
            let tracking = graft.json(&["runs", "show", run])["tracking"].clone();
            if tracking[0]["state"] == state {
                return Some(tracking);
            }
            graft.ok(&["runs", "track", run]);
            None
        })
    };
    train(&graft, "refused", &[]);
    let tracking = tracked(&graft, "refused", "failing");
    assert!(tracking[0]["error"].as_str().unwrap().contains("log in to mlflow"), "{tracking:#}");
    assert!(!tracking.to_string().contains("wrong"));
    let doctor = graft.run(&["doctor", TASK, "--base", "tiny"]).stdout;
    assert!(doctor.contains("log in to mlflow") && doctor.contains("MLFLOW_TRACKING_PASSWORD"), "{doctor}");
    train(&graft, "untold", &["--no-track"]);
    assert_eq!(graft.json(&["runs", "show", "untold"])["tracking"], json!([]));

    let graft = graft.with("MLFLOW_TRACKING_PASSWORD", Mlflow::PASSWORD);
    let graft = graft.with("GRAFT_PUBLIC_URL", "https://graft.example");
    let doctor = graft.run(&["doctor", TASK, "--base", "tiny"]).stdout;
    assert!(doctor.contains("MLflow 3.") && doctor.contains("1 runs still have to be sent"), "{doctor}");
    // A file where the folder should be: whatever is stored there fails, as on a full disk.
    fs::remove_dir_all(mlflow.files()).ok();
    fs::write(mlflow.files(), "").unwrap();
    train(&graft, "unstored", &[]);
    let tracking = tracked(&graft, "unstored", "failing");
    let error = tracking[0]["error"].as_str().unwrap_or_else(|| panic!("{tracking:#}"));
    assert!(error.contains("status 500") && error.contains("disk"), "{error}");
    fs::remove_file(mlflow.files()).unwrap();
    ["refused", "unstored", "untold"].iter().for_each(|run| drop(tracked(&graft, run, "sent")));
    let found = read(&mlflow);
    for run in ["refused", "unstored", "untold"] {
        let mine = only(&found, run);
        assert_eq!(mine["status"], "FINISHED");
        assert_eq!(mine["tags"]["graft.url"], format!("https://graft.example/runs/{run}"));
        check_numbers(&graft, run, mine);
        check_files(&graft, run, mine);
    }
}

#[test]
fn nothing_is_sent_without_a_tracker() {
    let graft = Graft::with_toy_task();
    let said = graft.fails(2, &[&SHORT[..], &["--track"]].concat(), "no tracker is configured");
    assert!(said.stderr.contains("MLFLOW_TRACKING_URI"), "{}", said.stderr);
    graft.ok(&[&SHORT[..], &["--run-id", "plain"]].concat());
    assert_eq!(graft.json(&["runs", "show", "plain"])["tracking"], json!([]));
    let graft = graft.with("MLFLOW_TRACKING_URI", "sqlite:///mlflow.db");
    graft.fails(2, &["runs", "list"], "http://");
}

#[test]
fn collector_receives_metrics() {
    let bodies = Arc::new(Mutex::new(Vec::<Value>::new()));
    let kept = Arc::clone(&bodies);
    let origin = http::listen(move |request| {
        assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/v1/metrics"));
        assert_eq!(request.headers["content-type"], "application/json");
        kept.lock().unwrap().push(serde_json::from_slice(&request.body).unwrap());
        Some((200, vec![("content-type", "application/json".into())], b"{}".to_vec()))
    });
    let graft =
        Graft::with_toy_task().with("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", format!("{}/v1/metrics", origin.unwrap()));
    graft.ok(&[&SHORT[..], &["--run-id", "measured"]].concat());
    assert_eq!(graft.json(&["runs", "show", "measured"])["tracking"][0]["state"], "sent");
    let mut series: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for body in bodies.lock().unwrap().iter() {
        for metric in body["resourceMetrics"][0]["scopeMetrics"][0]["metrics"].as_array().unwrap() {
            let points = metric["gauge"]["dataPoints"].as_array().unwrap();
            series.entry(metric["name"].as_str().unwrap().to_owned()).or_default().extend(points.clone());
        }
    }
    let losses: Vec<f64> = events(&graft, "measured")
        .iter()
        .filter_map(|event| if let EventKind::Step { loss, .. } = event.kind { Some(loss) } else { None })
        .collect();
    let told: Vec<f64> = series["graft.run.loss"].iter().map(|point| point["asDouble"].as_f64().unwrap()).collect();
    assert_eq!(told, losses);
    let point = &series["graft.run.loss"][0];
    assert_eq!(point["attributes"][0], json!({"key": "run", "value": {"stringValue": "measured"}}));
    assert!(point["timeUnixNano"].as_str().unwrap().len() == 19);
    let ended = &series["graft.run.ended"][0];
    assert_eq!(ended["attributes"][2]["value"]["stringValue"], "finished");
}
