use std::path::Path;

use graft_core::{
    AdapterSpec, AnswerForm, BaseRef, Digest, EvalSpec, Example, Limits, LoraSpec, OptimSpec, Ranks, Review, Source,
    Targets, TaskCard, TrainSpec,
};
use graft_store::{Method, NewVersion, Store};
use graft_testkit::Postgres;
use serde_json::Value;

/// A database for one test.
pub(crate) struct Database {
    pub(crate) url: String,
    pub(crate) store: Store,
    _folder: tempfile::TempDir,
}

impl Database {
    async fn at(url: String, folder: tempfile::TempDir) -> Self {
        Self { store: Store::open(&url).await.unwrap(), url, _folder: folder }
    }

    pub(crate) async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // A name that needs every kind of escaping.
        let path = folder.path().join("Home of 100% Graft?/ü#1/graft.db");
        Self::at(path.to_str().unwrap().to_owned(), folder).await
    }

    /// `None` if Postgres tests are skipped.
    pub(crate) async fn postgres() -> Option<Self> {
        let url = Postgres::shared()?.database().unwrap();
        Some(Self::at(url, tempfile::tempdir().unwrap()).await)
    }
}

/// Runs each test function on SQLite and on Postgres.
macro_rules! on_both {
    ($($test:ident,)*) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test($crate::support::Database::sqlite().await).await;
            })*
        }

        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                if let Some(database) = $crate::support::Database::postgres().await {
                    super::$test(database).await;
                }
            })*
        }
    };
}
pub(crate) use on_both;

pub(crate) const TASK: &str = "slack-rescue";

pub(crate) fn example(n: i64, output: Option<Value>) -> Example {
    Example {
        id: format!("slack:{n}"),
        task: TASK.into(),
        input: format!("Picked up {n} crates of bananas"),
        output,
        source: Source { kind: "slack".into(), reference: n.to_string(), at: Some(1000 + n) },
        review: Review::Pending,
        revision: 1,
    }
}

pub(crate) fn labelled(n: i64) -> Example {
    Example {
        review: Review::Approved { by: "labels.jsonl".into(), at: 5 },
        ..example(n, Some(serde_json::json!({"items": [{"name": "bananas", "quantity": n}]})))
    }
}

pub(crate) fn card() -> TaskCard {
    TaskCard { name: TASK.into(), instruction: "Extract.".into(), answer: AnswerForm::Text }
}

/// A version that is not registered yet.
pub(crate) fn new_version(name: Option<&str>) -> NewVersion {
    NewVersion {
        task: TASK.into(),
        name: name.map(str::to_owned),
        method: Method::Adapter,
        run: None,
        adapter_dir: format!("adapters/{}", name.unwrap_or("next")),
        adapter_digest: Digest::of(name.unwrap_or_default().as_bytes()),
        base: Some(BaseRef { name: "smollm2-135m".into(), digest: Digest::of(b"base") }),
        dataset: Some(Digest::of(b"dataset")),
        card: card(),
        metrics: serde_json::json!({"adapter": {"item_f1": 0.93}, "base": null, "baseline": {"item_f1": 0.53}}),
        parent: None,
        task_revision: None,
    }
}

pub(crate) fn spec(run: &str) -> TrainSpec {
    TrainSpec {
        run: run.into(),
        graft: "0.1.0".into(),
        base: BaseRef { name: "smollm2-135m".into(), digest: Digest::of(b"base") },
        task: card(),
        dataset: Digest::of(b"dataset"),
        adapter: AdapterSpec::Lora(LoraSpec {
            rank: 16,
            alpha: 16.0,
            dropout: 0.0,
            rslora: false,
            targets: Targets::AllLinear,
            ranks: Ranks::Equal,
        }),
        optim: OptimSpec::default(),
        eval: EvalSpec::default(),
        limits: Limits::default(),
        init_from: None,
    }
}

/// A second store on the same database, with its own connections, like another process.
pub(crate) async fn again(database: &Database) -> Store {
    Store::open(&database.url).await.unwrap()
}

pub(crate) fn is_sqlite(database: &Database) -> bool {
    Path::new(&database.url).is_absolute()
}
