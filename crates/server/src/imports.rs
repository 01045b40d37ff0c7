//! Uploads that are being read in the background.

use std::path::PathBuf;

use graft_engine::{Engine, Imported, now};
use graft_store::Import;
use serde_json::{Value, json};

use crate::{
    Error,
    problem::{Kind, Problem},
    routes::imports::ImportKind,
    upload::Received,
};

/// Where uploads lie while they are read.
#[derive(Debug)]
pub struct Imports {
    pub(crate) folder: PathBuf,
}

impl Imports {
    /// Makes the folder, empties it of what a killed server left, and marks that server's imports as failed.
    pub(crate) async fn new(engine: &Engine) -> Result<Self, Error> {
        let folder = engine.home.path().join("uploads");
        let failed = |source| Error::Io { doing: "make", path: folder.clone(), source };
        match std::fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        std::fs::create_dir_all(&folder).map_err(failed)?;
        let problem = json!(
            Problem::new(Kind::Unavailable, "the server ended while it read the file").with_hint("upload it again")
        );
        engine.store.fail_running_imports(now(), &problem, now()).await?;
        Ok(Self { folder })
    }
}

/// Steps of an import: the file is here, it is read, it is stored.
const STEPS: u64 = 3;

/// Begins to read an upload.
pub(crate) async fn begin(engine: Engine, upload: Received) -> Result<Import, Problem> {
    check(&upload)?;
    let id = format!("import-{}", crate::auth::random_name().map_err(|_| no_numbers())?);
    let kind = kind_name(upload.kind);
    engine.store.begin_import(&id, kind, upload.task.as_deref(), &engine.by, now()).await?;
    engine.store.import_progress(&id, 1, Some(STEPS)).await?;
    let begun = engine.store.import_state(&id).await?;
    let handle = tokio::runtime::Handle::current();
    // Reading is computing: it must not hold up the threads that serve.
    tokio::task::spawn_blocking(move || handle.block_on(finish(engine, id, upload)));
    Ok(begun)
}

fn no_numbers() -> Problem {
    Problem::new(Kind::Internal, "the system has no random numbers")
}

/// Refuses a task that the source can't belong to.
fn check(upload: &Received) -> Result<(), Problem> {
    let fixed = match upload.kind {
        ImportKind::Slack => Some("slack-rescue"),
        ImportKind::AskAi => Some("ask-ai"),
        ImportKind::Csv | ImportKind::Jsonl | ImportKind::Prompt => None,
    };
    match (fixed, upload.task.as_deref()) {
        (Some(fixed), Some(given)) if fixed != given => {
            Err(Problem::field("task", format!("this kind of source holds examples of `{fixed}`")))
        }
        (None, None) => Err(Problem::field("task", "it is missing")),
        _ => Ok(()),
    }
}

async fn finish(engine: Engine, id: String, upload: Received) {
    let outcome = read(&engine, &upload).await;
    let outcome = outcome.map(|imported| report(&imported)).map_err(|error| {
        let mut problem = Problem::from(error);
        problem.detail = by_own_name(&problem.detail, &upload);
        json!(problem)
    });
    let ended = engine.store.end_import(&id, outcome.as_ref(), &engine.by, now()).await;
    if let Err(error) = ended {
        tracing::error!(import = id, error = ?error, "the end of an import can't be stored");
    }
}

async fn read(engine: &Engine, upload: &Received) -> graft_engine::Result<Imported> {
    let path = upload.file.path();
    let task = upload.task.as_deref().unwrap_or_default();
    match upload.kind {
        ImportKind::Slack => {
            engine.import_slack(path, upload.labels.as_ref().map(tempfile::NamedTempFile::path), false).await
        }
        ImportKind::Csv => {
            let columns = &upload.columns;
            let columns = graft_engine::Columns {
                text: columns.text.clone(),
                label: columns.label.clone(),
                id: columns.id.clone(),
            };
            engine.import_csv(path, task, &columns).await
        }
        ImportKind::Jsonl => engine.import_jsonl(path, task).await,
        ImportKind::AskAi => {
            let source = path.to_string_lossy();
            engine.take_in(engine.read_ask_ai(&source, usize::MAX, upload.approved).await?).await
        }
        ImportKind::Prompt => {
            let failed = |source| graft_engine::Error::Io { doing: "read", path: path.to_owned(), source };
            engine.import_text(&std::fs::read_to_string(path).map_err(failed)?, &upload.name, task).await
        }
    }
}

/// A message with the upload's own name instead of the place where it lies.
fn by_own_name(message: &str, upload: &Received) -> String {
    message.replace(upload.file.path().to_string_lossy().as_ref(), &upload.name)
}

fn report(imported: &Imported) -> Value {
    json!({
        "report": {
            "task": imported.task,
            "examples": imported.examples,
            "labelled": imported.labelled,
            "added": imported.report.added,
            "updated": imported.report.updated,
            "unchanged": imported.report.unchanged,
            "kept": imported.report.kept,
        },
        "skipped": imported.skipped,
        "problems": imported.problems,
    })
}

fn kind_name(kind: ImportKind) -> &'static str {
    match kind {
        ImportKind::Slack => "slack",
        ImportKind::Csv => "csv",
        ImportKind::Jsonl => "jsonl",
        ImportKind::AskAi => "ask-ai",
        ImportKind::Prompt => "prompt",
    }
}
