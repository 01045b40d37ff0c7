//! What an agent does with the bundles it takes, and a home with those that people add to it.

use std::{
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use graft_core::{Digest, agents::bundle_digest};
use graft_engine::{
    Engine, Error, Home, Serving, Task,
    serving::{Answer, AnswerOptions, Options},
};
use graft_store::{Method, NewVersion, Store};
use serde_json::{Value, json};

const TASK: &str = "mood";
const RULES: &str = r#"{"format":1,"kind":"rules"}"#;
const MOST_FREQUENT: &str = r#"{"format":1,"kind":"most-frequent","label":"good","share":0.5}"#;

/// A home.
struct Place {
    engine: Engine,
    /// As another process has it.
    store: Store,
    home: tempfile::TempDir,
}

impl Place {
    async fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let engine = Engine::open(Home::at(home.path()).unwrap(), "test").await.unwrap();
        let store = Store::open(engine.database()).await.unwrap();
        Self { engine, store, home }
    }

    /// One whose task has these rules.
    async fn with(baseline: Value) -> Self {
        let place = Self::new().await;
        place.engine.tasks().create(task(baseline)).await.unwrap();
        place
    }

    async fn change(&self, baseline: Value) {
        self.engine.tasks().change(TASK, task(baseline), None).await.unwrap();
    }

    /// Registers a version of a task as it is now.
    async fn add(&self, task: &str, name: &str, method: Method, file: &str) {
        let now = self.engine.tasks().get(task).await.unwrap();
        let adapter_dir = format!("adapters/{task}/{name}");
        let folder = self.home.path().join(&adapter_dir);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("contestant.json"), file).unwrap();
        let new = NewVersion {
            task: task.into(),
            name: Some(name.into()),
            method,
            run: None,
            adapter_dir,
            adapter_digest: Digest::of(file.as_bytes()),
            base: None,
            dataset: None,
            card: now.definition.card(&[]).unwrap(),
            metrics: json!({}),
            parent: None,
            task_revision: Some(now.revision),
        };
        self.store.add_version(&new, "test", 1).await.unwrap();
    }

    async fn bundle(&self, task: &str, name: &str) -> Vec<u8> {
        self.engine.versions().bundle(task, name).await.unwrap().bytes.to_vec()
    }

    async fn serve(&self) -> Serving {
        Serving::start(self.engine.clone(), Options { preload: false, ..Options::default() }).await.unwrap()
    }

    async fn hold(&self, serving: &Serving, bundle: &[u8]) -> String {
        self.engine.agents().hold(serving, TASK, bundle).await.unwrap().name
    }

    async fn names(&self, task: &str) -> Vec<String> {
        let all = self.engine.versions().list(Some(task)).await.unwrap();
        all.into_iter().map(|version| version.name).collect()
    }

    fn tables(&self) -> PathBuf {
        self.home.path().join("tables.toml")
    }
}

fn task(baseline: Value) -> Task {
    let task = json!({
        "name": TASK, "form": "labels", "instruction": "Say how it sounds.", "labels": ["good", "bad"], "closed": true,
        "baseline": baseline,
    });
    serde_json::from_value(task).unwrap()
}

/// Rules that call a text bad where it has this word.
fn bad_if(word: &str) -> Value {
    json!({"kind": "rules", "otherwise": "good", "rules": [{"label": "bad", "pattern": word}]})
}

async fn answer(serving: &Serving, task: &str, input: &str) -> Answer {
    serving.answer(task, None, input, &AnswerOptions::default()).await.unwrap()
}

async fn said(serving: &Serving, input: &str) -> (Option<String>, Value) {
    let answer = answer(serving, TASK, input).await;
    (answer.version, answer.answer)
}

#[tokio::test]
async fn an_agent_answers_with_the_rules_and_in_the_name_of_the_version_that_it_took() {
    let (server, agent) = (Place::with(bad_if("no")).await, Place::new().await);
    server.add(TASK, "v1", Method::Rules, RULES).await;
    server.change(bad_if("never")).await;
    server.add(TASK, "v2", Method::Rules, RULES).await;
    // The same to the bit.
    server.add(TASK, "v3", Method::Rules, RULES).await;
    let serving = agent.serve().await;
    for (name, label) in [("v1", "bad"), ("v2", "good"), ("v3", "good"), ("v1", "bad"), ("v2", "good")] {
        let bundle = server.bundle(TASK, name).await;
        assert_eq!(agent.hold(&serving, &bundle).await, name);
        assert_eq!(said(&serving, "no").await, (Some(name.to_owned()), json!(label)));
        assert_eq!(agent.engine.agents().held(&serving, TASK).await.unwrap(), Some(bundle_digest(&bundle)));
    }
}

#[tokio::test]
async fn the_version_before_is_kept_when_the_active_one_comes_with_other_numbers() {
    let (server, agent) = (Place::with(bad_if("no")).await, Place::new().await);
    let serving = agent.serve().await;
    for name in ["v1", "v2", "v3"] {
        server.add(TASK, name, Method::Rules, RULES).await;
        agent.hold(&serving, &server.bundle(TASK, name).await).await;
    }
    assert_eq!(agent.names(TASK).await, ["v2", "v3"]);
    // Other tables make another bundle of the same version.
    let before = server.bundle(TASK, "v3").await;
    server.engine.examples().set_tables("[locations]\nDepot = [\"aldi\"]").await.unwrap();
    let after = server.bundle(TASK, "v3").await;
    assert_ne!(before, after);
    agent.hold(&serving, &after).await;
    assert_eq!(agent.names(TASK).await, ["v2", "v3"]);
}

#[tokio::test]
async fn an_agent_with_lost_or_damaged_files_holds_nothing_and_takes_them_again() {
    let (server, agent) = (Place::with(bad_if("no")).await, Place::new().await);
    server.add(TASK, "v1", Method::Rules, RULES).await;
    let bundle = server.bundle(TASK, "v1").await;
    agent.hold(&agent.serve().await, &bundle).await;
    let folder = agent.engine.versions().get(TASK, "v1").await.unwrap().adapter_dir;
    let folder = agent.home.path().join(folder);
    for damaged in [false, true] {
        match damaged {
            true => fs::write(folder.join("contestant.json"), "{}").unwrap(),
            false => fs::remove_dir_all(&folder).unwrap(),
        }
        let serving = agent.serve().await;
        assert!(agent.engine.agents().held(&serving, TASK).await.is_err());
        assert_eq!(agent.hold(&serving, &bundle).await, "v1");
        assert_eq!(agent.engine.agents().held(&serving, TASK).await.unwrap(), Some(bundle_digest(&bundle)));
        assert_eq!(said(&serving, "no").await.1, json!("bad"));
    }
}

#[tokio::test]
async fn an_agents_tables_are_those_of_the_version_that_it_holds() {
    let (task, input) = ("slack-rescue", "Picked up 3 boxes of kale from Aldi");
    let place = |answer: &Answer| answer.answer["rescue_location"].clone();
    let (server, agent) = (Place::new().await, Place::new().await);
    server.add(task, "v1", Method::Rules, RULES).await;
    server.engine.examples().set_tables("[locations]\nDepot = [\"aldi\"]").await.unwrap();
    let (here, there) = (server.serve().await, agent.serve().await);
    server.store.set_active(task, "v1", None, "test", 2).await.unwrap();
    let hold = async |name: &str| agent.engine.agents().hold(&there, task, &server.bundle(task, name).await).await;
    hold("v1").await.unwrap();
    assert_eq!(place(&answer(&there, task, input).await), "Depot");
    assert_eq!(place(&answer(&here, task, input).await), "Depot");

    // Others make another answer of the same version, in both homes.
    server.engine.examples().set_tables("[locations]\nStore = [\"aldi\"]").await.unwrap();
    hold("v1").await.unwrap();
    let clock = Instant::now();
    while place(&answer(&here, task, input).await) != "Store" {
        assert!(clock.elapsed() < Duration::from_secs(60), "the server keeps the tables before");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let (here, there) = (answer(&here, task, input).await, answer(&there, task, input).await);
    assert_eq!((place(&there), &there.deployment), (place(&here), &here.deployment));

    // A version that can't answer leaves them as they are, and so does a bundle whose tables are wrong.
    let kept = fs::read_to_string(agent.tables()).unwrap();
    server.engine.examples().set_tables("[locations]\nShop = [\"aldi\"]").await.unwrap();
    server.add(task, "empty", Method::Nearest, r#"{"format":1,"kind":"nearest","examples":[]}"#).await;
    hold("empty").await.unwrap_err();
    assert_eq!(fs::read_to_string(agent.tables()).unwrap(), kept);
    fs::write(server.tables(), "boxes = 3").unwrap();
    let refused = hold("v1").await.unwrap_err();
    assert!(matches!(refused, Error::BadBundle { .. }), "{refused}");
    assert_eq!(fs::read_to_string(agent.tables()).unwrap(), kept);

    // The server's are gone.
    fs::remove_file(server.tables()).unwrap();
    hold("v1").await.unwrap();
    assert!(!agent.tables().exists());
}

#[tokio::test]
async fn a_bundle_brings_no_command_to_another_machine() {
    let server = Place::with(json!({"kind": "command", "command": ["sh", "-c", "echo good"]})).await;
    server.add(TASK, "v1", Method::Rules, RULES).await;
    let refused = server.engine.versions().bundle(TASK, "v1").await.unwrap_err();
    assert!(matches!(refused, Error::Unbundled { .. }), "{refused}");
    // Agents keep what they hold, and people see why.
    server.store.set_active(TASK, "v1", None, "test", 2).await.unwrap();
    let report = server.engine.agents().of_task(TASK).await.unwrap();
    assert!(report.wanted.is_none() && report.next.contains("can't take v1"), "{}", report.next);

    // What doesn't need the command goes without it.
    server.add(TASK, "v2", Method::MostFrequent, MOST_FREQUENT).await;
    let elsewhere = Place::new().await;
    let added = elsewhere.engine.versions().add_bundle(&server.bundle(TASK, "v2").await).await.unwrap();
    assert!(elsewhere.engine.tasks().of(&added).await.unwrap().baseline.is_none());
}

#[tokio::test]
async fn a_bundle_leaves_the_current_definition_as_it_is() {
    let (server, home) = (Place::with(bad_if("no")).await, Place::with(bad_if("never")).await);
    server.add(TASK, "v1", Method::Rules, RULES).await;
    let bundle = server.bundle(TASK, "v1").await;
    let added = home.engine.versions().add_bundle(&bundle).await.unwrap();
    let tasks = home.engine.tasks();
    assert_eq!(tasks.definition(TASK).await.unwrap(), task(bad_if("never")).checked().unwrap());
    assert_eq!(tasks.of(&added).await.unwrap(), task(bad_if("no")).checked().unwrap());
    // It is known from now on, whatever changes.
    let known = tasks.revisions(TASK).await.unwrap().len();
    assert_eq!(home.engine.versions().add_bundle(&bundle).await.unwrap().name, "v1");
    assert_eq!((tasks.revisions(TASK).await.unwrap().len(), home.names(TASK).await.len()), (known, 1));
    home.change(bad_if("nothing")).await;
    assert_eq!(tasks.of(&added).await.unwrap(), task(bad_if("no")).checked().unwrap());
}

#[tokio::test]
async fn an_agent_needs_a_home_of_its_own() {
    let (server, agent) = (Place::with(bad_if("no")).await, Place::new().await);
    server.add(TASK, "v1", Method::Rules, RULES).await;
    agent.engine.agents().check_home().await.unwrap();
    agent.hold(&agent.serve().await, &server.bundle(TASK, "v1").await).await;
    agent.engine.agents().check_home().await.unwrap();
    let refused = server.engine.agents().check_home().await.unwrap_err();
    assert!(refused.hint().unwrap().contains("GRAFT_HOME"), "{refused}");
}
