//! `/imports`: files of examples, uploaded; read in the background.

use axum::extract::{DefaultBodyLimit, Multipart, State};
use graft_core::Timestamp;
use graft_engine::{BadRow, PreviewRow, SkippedRows, records::ImportState};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    extract::{Accepted, Acting, At, Reply},
    problem::{Kind, Problem},
    state::AppState,
    upload,
};

/// Largest upload in bytes, all parts together.
pub(crate) const MAX_UPLOAD: usize = 512 << 20;

/// What is uploaded, as `multipart/form-data`.
#[derive(Debug, ToSchema)]
pub struct Upload {
    /// What kind of source it is.
    pub kind: ImportKind,
    /// The task the examples belong to; for Slack and Ask AI the one that belongs to them otherwise.
    pub task: Option<String>,
    /// The export (zip, one day's JSON, or xlsx), table, JSON lines, SQLite database or text.
    #[schema(value_type = String, format = Binary)]
    pub file: Vec<u8>,
    /// Labels of a Slack export: lines of `{"ts": …, "truth": {…}}`.
    #[schema(value_type = Option<String>, format = Binary)]
    pub labels: Option<Vec<u8>>,
    /// JSON: `{"text": …, "label": …, "id": …}`, the headings or numbers of a table's columns, and `"heading"`:
    /// whether the first row names them, where that can't be found out.
    pub columns: Option<String>,
    /// What becomes of Ask AI's suggestions that are neither approved nor rejected: `approve` (without it), `pending`
    /// for people to audit, or `skip`.
    pub drafts: Option<String>,
    /// `true` is the same as `skip` for `drafts`.
    pub approved: Option<bool>,
    /// Names or ids of a Slack export's channels, separated by commas: only these are read. Direct messages are read
    /// only where they are named.
    pub channels: Option<String>,
    /// `true`: nothing is stored; the import shows the first examples that it would make.
    pub preview: Option<bool>,
    /// `true`: people decide on every example, also on those with an answer.
    pub pending: Option<bool>,
    /// `true`: import labels even if they are all others than those of the task's approved examples.
    pub mix_labels: Option<bool>,
}

/// What kind of source is uploaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ImportKind {
    /// A Slack export.
    Slack,
    /// A table.
    Csv,
    /// JSON lines.
    Jsonl,
    /// The Ask AI service's SQLite database.
    AskAi,
    /// Pasted text.
    Prompt,
}

/// An import that was begun.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportBegun {
    /// It continues in the background; request its state by its id.
    pub import: Import,
}

/// An import under way or done.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Import {
    /// Names it.
    pub id: String,
    /// What kind of source it is.
    pub kind: String,
    /// The task that was named.
    pub task: Option<String>,
    /// Where it is.
    pub state: ImportState,
    /// Rows stored so far.
    pub done: u64,
    /// Rows there are; 0 while the file is read.
    pub of: u64,
    /// What it changed, once it is done.
    #[schema(value_type = Option<ImportReport<'static>>)]
    pub report: Value,
    /// What gave no example, by kind.
    #[schema(value_type = Vec<SkippedRows>)]
    pub skipped: Value,
    /// The first rows that should have been examples but could not be.
    #[schema(value_type = Vec<BadRow>)]
    pub problems: Value,
    /// What the importer decided by itself, such as which row names a table's columns.
    #[schema(value_type = Vec<String>)]
    pub notes: Value,
    /// The first examples, where only a preview was asked for.
    #[schema(value_type = Vec<PreviewRow>)]
    pub preview: Value,
    /// Why it failed.
    #[schema(value_type = Option<Problem>)]
    pub problem: Option<Value>,
    /// Who began it.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

impl From<graft_engine::records::Import> for Import {
    fn from(import: graft_engine::records::Import) -> Self {
        let mut found = import.report.unwrap_or_default();
        let mut part = |name: &str, empty: Value| found.get_mut(name).map_or(empty, Value::take);
        Self {
            report: part("report", Value::Null),
            skipped: part("skipped", json!([])),
            problems: part("problems", json!([])),
            notes: part("notes", json!([])),
            preview: part("preview", json!([])),
            id: import.id,
            kind: import.kind,
            task: import.task,
            state: import.state,
            done: import.done,
            of: import.of.unwrap_or(0),
            problem: import.problem,
            by: import.created_by,
            at: import.created_at,
        }
    }
}

/// What an import changed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ImportReport<'a> {
    /// The task.
    pub(crate) task: &'a str,
    /// Examples read.
    pub(crate) examples: usize,
    /// Of these, with an output.
    pub(crate) labelled: usize,
    /// Of these, such that people must decide on them.
    pub(crate) pending: usize,
    /// What became of them.
    #[serde(flatten)]
    pub(crate) changes: graft_engine::records::ImportReport,
}

/// Uploads a source of examples; it is read in the background.
#[utoipa::path(post, path = "/imports", tag = "imports", extensions(("x-role" = json!("trainer"))),
    request_body(content = Upload, content_type = "multipart/form-data"),
    responses((status = 202, body = ImportBegun), (status = 413, body = Problem), (status = 422, body = Problem)))]
async fn begin_import(
    State(state): State<AppState>,
    Acting(engine): Acting,
    form: Result<Multipart, axum::extract::multipart::MultipartRejection>,
) -> Result<Accepted<ImportBegun>, Problem> {
    let form = form.map_err(|refusal| Problem::new(Kind::UnsupportedMediaType, refusal.body_text()))?;
    let upload = upload::receive(form, &state.imports.folder).await?;
    let import = state.imports.begin(engine, upload).await?.into();
    Ok(Accepted(ImportBegun { import }))
}

/// The progress of an import.
#[utoipa::path(get, path = "/imports/{id}", tag = "imports", extensions(("x-role" = json!("trainer"))),
    params(("id" = String, Path)), responses((status = 200, body = Import), (status = 404, body = Problem)))]
async fn show_import(State(state): State<AppState>, At(id): At<String>) -> Result<Reply<Import>, Problem> {
    let import = state.engine.examples().import(&id).await?;
    Ok(Reply(state.imports.with_progress(import).into()))
}

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(begin_import))
        .layer(DefaultBodyLimit::max(MAX_UPLOAD))
        .routes(routes!(show_import))
}
