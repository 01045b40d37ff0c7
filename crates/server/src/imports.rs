//! Uploads that are being read in the background.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use graft_core::Review;
use graft_engine::{Choice, Engine, Imported, Source, records::Import};
use serde_json::{Value, json};

use crate::{
    Error,
    problem::{Kind, Problem},
    routes::imports::{ImportKind, ImportReport},
    upload::{Columns, Received},
};

/// Where uploads lie while they are read.
#[derive(Debug)]
pub struct Imports {
    pub(crate) folder: PathBuf,
    rows: Rows,
}

/// Rows that are stored so far, and rows there are, of each import under way: the process that writes them knows best.
#[derive(Clone, Debug, Default)]
struct Rows(Arc<Mutex<HashMap<String, (u64, u64)>>>);

impl Rows {
    fn all(&self) -> MutexGuard<'_, HashMap<String, (u64, u64)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Imports {
    /// Makes a folder of this process, removes what killed servers left, and marks their imports as failed; others, which
    /// live, keep theirs.
    pub(crate) async fn new(engine: &Engine) -> Result<Self, Error> {
        let all = engine.home.path().join("uploads");
        let (place, own) = split(engine.process());
        let folder = all.join(own);
        std::fs::create_dir_all(&folder).map_err(|source| Error::Io { doing: "make", path: folder.clone(), source })?;
        for entry in std::fs::read_dir(&all).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().replace('-', "/");
            let is_of_a_process = name.split('/').count() == 2;
            if !is_of_a_process || engine.is_gone(&format!("{place}/{name}")) {
                let path = entry.path();
                let removed = if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
                removed.map_err(|source| Error::Io { doing: "remove", path, source })?;
            }
        }
        let problem = json!(
            Problem::new(Kind::Unavailable, "the server stopped while it read the file")
                .with_hint("upload it again: stored examples are kept, and the rest is added")
        );
        engine.examples().fail_lost_imports(&problem).await?;
        Ok(Self { folder, rows: Rows::default() })
    }

    /// An import with the rows that are stored so far.
    pub(crate) fn with_progress(&self, mut import: Import) -> Import {
        if let Some((done, of)) = self.rows.all().get(&import.id) {
            (import.done, import.of) = (*done, Some(*of));
        }
        import
    }

    /// Begins to read an upload.
    pub(crate) async fn begin(&self, engine: Engine, upload: Received) -> Result<Import, Problem> {
        check(&upload)?;
        let id = format!("import-{}", crate::auth::random_name().map_err(|_| no_numbers())?);
        let kind = kind_name(upload.kind);
        let begun = engine.examples().begin_import(&id, kind, upload.task.as_deref()).await?;
        let (handle, rows) = (tokio::runtime::Handle::current(), self.rows.clone());
        // Reading is computing: it must not hold up the threads that serve.
        tokio::task::spawn_blocking(move || handle.block_on(finish(engine, id, upload, rows)));
        Ok(begun)
    }
}

/// A process's place, and the rest of its name as the name of a folder.
fn split(process: &str) -> (&str, String) {
    let mut parts = process.rsplitn(3, '/');
    let (began, pid) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    (parts.next().unwrap_or_default(), format!("{pid}-{began}"))
}

fn no_numbers() -> Problem {
    Problem::new(Kind::Internal, "the system has no random numbers")
}

/// Refuses a source without a task, unless a task belongs to its kind.
fn check(upload: &Received) -> Result<(), Problem> {
    let has_one = matches!(upload.kind, ImportKind::Slack | ImportKind::AskAi);
    if upload.task.is_none() && !has_one { Err(Problem::field("task", "it is missing")) } else { Ok(()) }
}

async fn finish(engine: Engine, id: String, upload: Received, rows: Rows) {
    let outcome = store(&engine, &id, &upload, &rows).await;
    let outcome = outcome.map(|imported| report(&imported)).map_err(|error| {
        let mut problem = Problem::from(error);
        problem.detail = by_own_name(&problem.detail, &upload);
        json!(problem)
    });
    let ended = engine.examples().end_import(&id, outcome.as_ref()).await;
    if let Err(error) = ended {
        tracing::error!(import = id, error = ?error, "the end of an import can't be stored");
    }
    rows.all().remove(&id);
}

async fn store(engine: &Engine, id: &str, upload: &Received, rows: &Rows) -> graft_engine::Result<Imported> {
    let task = upload.task.as_deref().unwrap_or_default();
    let mut import = engine.examples().read(upload.file.path(), &source(upload), task, false).await?;
    if upload.pending {
        import.examples.iter_mut().for_each(|example| example.review = Review::Pending);
    }
    engine.examples().check_labels(&mut import, upload.mix_labels || upload.preview).await?;
    if upload.preview {
        return Ok(Imported::preview(import));
    }
    let of = import.examples.len() as u64;
    let mut tell = |done: usize| {
        rows.all().insert(id.to_owned(), (done as u64, of));
    };
    tell(0);
    let imported = engine.examples().take_in(import, &mut tell).await?;
    engine.examples().import_is_stored(id, of).await?;
    Ok(imported)
}

fn source(upload: &Received) -> Source {
    match upload.kind {
        ImportKind::Slack => Source::Slack {
            labels: upload.labels.as_ref().map(|labels| labels.path().to_owned()),
            group: false,
            choice: Choice { channels: upload.channels.clone(), direct: false },
        },
        ImportKind::Csv => {
            let Columns { text, label, id, heading } = &upload.columns;
            let (text, label, id) = (text.clone(), label.clone(), id.clone());
            Source::Csv(graft_engine::Columns { text, label, id, heading: *heading })
        }
        ImportKind::Jsonl => Source::Jsonl,
        ImportKind::AskAi => Source::AskAi { max_samples: usize::MAX, drafts: upload.drafts },
        ImportKind::Prompt => Source::Text,
    }
}

/// A message with the files' own names instead of the places where they lie.
fn by_own_name(message: &str, upload: &Received) -> String {
    let labels = upload.labels.as_ref().map(|labels| (labels.path(), "the labels"));
    let files = [(upload.file.path(), upload.name.as_str())].into_iter().chain(labels);
    files.fold(message.to_owned(), |text, (path, name)| text.replace(path.to_string_lossy().as_ref(), name))
}

fn report(imported: &Imported) -> Value {
    json!({
        "report": ImportReport {
            task: &imported.task,
            examples: imported.examples,
            labelled: imported.labelled,
            pending: imported.pending,
            changes: imported.report,
        },
        "skipped": imported.skipped,
        "problems": imported.problems,
        "notes": imported.notes,
        "preview": imported.preview,
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
