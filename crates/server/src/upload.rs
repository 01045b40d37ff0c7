//! Uploaded files: streamed to their own folder, within limits.

use std::path::Path;

use axum::extract::{
    Multipart,
    multipart::{Field, MultipartError},
};
use graft_engine::{BatchRequest, Drafts};
use serde::Deserialize;
use tempfile::NamedTempFile;
use tokio::io::AsyncWriteExt as _;

use crate::{
    problem::{BY_PERSON, Kind, Problem},
    routes::imports::ImportKind,
};

/// Longest text field, in bytes.
const MAX_FIELD: usize = 64 << 10;

/// An upload that has arrived whole.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) kind: ImportKind,
    pub(crate) task: Option<String>,
    /// The file's own name, for messages.
    pub(crate) name: String,
    pub(crate) file: NamedTempFile,
    pub(crate) labels: Option<NamedTempFile>,
    pub(crate) columns: Columns,
    pub(crate) drafts: Drafts,
    /// The channels of a Slack export that are read; none where all are.
    pub(crate) channels: Vec<String>,
    /// Whether nothing is stored.
    pub(crate) preview: bool,
    /// Whether people decide on every example, also on those with an answer.
    pub(crate) pending: bool,
    /// Whether labels may be imported that are all others than those of the task.
    pub(crate) mix_labels: bool,
}

/// Which columns of a table hold what.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Columns {
    pub(crate) text: Option<String>,
    pub(crate) label: Option<String>,
    pub(crate) id: Option<String>,
    pub(crate) heading: Option<bool>,
}

/// A file of inputs that has arrived whole.
pub(crate) struct ReceivedBatch {
    pub(crate) request: BatchRequest,
    pub(crate) file: NamedTempFile,
    pub(crate) columns: graft_engine::Columns,
}

/// What has arrived so far.
#[derive(Default)]
struct Parts {
    kind: Option<String>,
    task: Option<String>,
    file: Option<(String, NamedTempFile)>,
    labels: Option<NamedTempFile>,
    columns: Option<String>,
    approved: Option<String>,
    drafts: Option<String>,
    channels: Option<String>,
    preview: Option<String>,
    pending: Option<String>,
    mix_labels: Option<String>,
}

/// Takes in a form; its files land in `folder`, and are gone when they are no longer needed.
pub(crate) async fn receive(mut form: Multipart, folder: &Path) -> Result<Received, Problem> {
    let mut parts = Parts::default();
    while let Some(field) = form.next_field().await.map_err(broken)? {
        let name = field.name().unwrap_or_default().to_owned();
        match name.as_str() {
            "file" => {
                let called = field.file_name().unwrap_or("upload").to_owned();
                parts.file = Some((called.clone(), to_file(field, folder, &called).await?));
            }
            "labels" => parts.labels = Some(to_file(field, folder, "labels.jsonl").await?),
            "kind" => parts.kind = Some(to_text(field).await?),
            "task" => parts.task = Some(to_text(field).await?).filter(|task| !task.is_empty()),
            "columns" => parts.columns = Some(to_text(field).await?).filter(|columns| !columns.is_empty()),
            "drafts" => parts.drafts = Some(to_text(field).await?).filter(|drafts| !drafts.is_empty()),
            "channels" => parts.channels = Some(to_text(field).await?),
            "preview" => parts.preview = Some(to_text(field).await?),
            "pending" => parts.pending = Some(to_text(field).await?),
            "mix_labels" => parts.mix_labels = Some(to_text(field).await?),
            "approved" => parts.approved = Some(to_text(field).await?),
            other => return Err(Problem::field(other, "there is no such field in an import")),
        }
    }
    parts.whole()
}

/// Takes in the form of a batch, as [`receive`] does that of an import.
pub(crate) async fn receive_batch(mut form: Multipart, folder: &Path) -> Result<ReceivedBatch, Problem> {
    let (mut file, mut columns) = (None, Columns::default());
    let mut request = BatchRequest {
        task: None,
        version: None,
        source: String::new(),
        part_lines: BatchRequest::PART_LINES,
        max_tokens: None,
    };
    while let Some(field) = form.next_field().await.map_err(broken)? {
        let name = field.name().unwrap_or_default().to_owned();
        if name == "file" {
            request.source = shown(field.file_name().unwrap_or("upload"));
            file = Some(to_file(field, folder, &request.source).await?);
            continue;
        }
        let text = to_text(field).await?;
        let number = |most| match text.parse::<u64>() {
            Ok(number) if (1..=most).contains(&number) => Ok(number),
            _ => Err(Problem::field(name.as_str(), format!("a number from 1 to {most}"))),
        };
        match name.as_str() {
            _ if text.is_empty() => {}
            "task" => request.task = Some(text),
            "version" => request.version = Some(text),
            "part_lines" => request.part_lines = usize::try_from(number(10_000)?).unwrap_or(usize::MAX),
            "max_tokens" => request.max_tokens = Some(number(8192)?),
            "columns" => {
                columns = serde_json::from_str(&text).map_err(|error| Problem::field("columns", error.to_string()))?;
            }
            other => return Err(Problem::field(other, "there is no such field in a batch")),
        }
    }
    let Columns { text, label, id, heading } = columns;
    if label.is_some() {
        return Err(Problem::field("columns", "a batch has no labels: leave `label` out"));
    }
    let file = file.ok_or_else(|| Problem::field("file", "it is missing"))?;
    Ok(ReceivedBatch { request, file, columns: graft_engine::Columns { text, label, id, heading } })
}

/// A file's name, as people are shown it.
fn shown(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(200).collect()
}

impl Parts {
    fn whole(self) -> Result<Received, Problem> {
        let kind = self.kind.ok_or_else(|| Problem::field("kind", "it is missing"))?;
        let known = "it is one of slack, csv, jsonl, ask-ai, prompt";
        let kind = serde_json::from_value(kind.into()).map_err(|_| Problem::field("kind", known))?;
        let (name, file) = self.file.ok_or_else(|| Problem::field("file", "it is missing"))?;
        let columns = self.columns.map(|text| serde_json::from_str(&text)).transpose();
        let usual = if yes("approved", self.approved.as_deref())? { Drafts::Skip } else { Drafts::Approve };
        let channels = self.channels.unwrap_or_default();
        let drafts = self.drafts.map(|said| serde_json::from_value(said.into())).transpose();
        let drafts = drafts.map_err(|_| Problem::field("drafts", "it is one of approve, pending, skip"))?;
        Ok(Received {
            kind,
            task: self.task,
            name: shown(&name),
            file,
            labels: self.labels,
            columns: columns.map_err(|error| Problem::field("columns", error.to_string()))?.unwrap_or_default(),
            drafts: drafts.unwrap_or(usual),
            channels: channels.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect(),
            preview: yes("preview", self.preview.as_deref())?,
            pending: yes("pending", self.pending.as_deref())?,
            mix_labels: yes("mix_labels", self.mix_labels.as_deref())?,
        })
    }
}

/// A field that is true or false.
fn yes(name: &str, said: Option<&str>) -> Result<bool, Problem> {
    match said {
        Some("true" | "1" | "on") => Ok(true),
        None | Some("false" | "0" | "") => Ok(false),
        Some(_) => Err(Problem::field(name, "it is `true` or `false`")),
    }
}

/// Writes a part to a file whose name ends as the part's own does: importers tell forms by that.
async fn to_file(mut field: Field<'_>, folder: &Path, called: &str) -> Result<NamedTempFile, Problem> {
    let ending: String = Path::new(called).extension().and_then(|e| e.to_str()).unwrap_or("txt").to_lowercase();
    let plain = ending.len() <= 8 && ending.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let suffix = format!(".{}", if plain { ending.as_str() } else { "txt" });
    let folder = folder.to_owned();
    let make = move || {
        let file = tempfile::Builder::new().prefix("upload-").suffix(&suffix).tempfile_in(folder)?;
        let writer = file.reopen()?;
        Ok((file, writer))
    };
    let made = tokio::task::spawn_blocking(make).await;
    let (file, writer) = made.unwrap_or_else(|broken| Err(std::io::Error::other(broken))).map_err(disk)?;
    let mut writer = tokio::fs::File::from_std(writer);
    while let Some(chunk) = field.chunk().await.map_err(broken)? {
        writer.write_all(&chunk).await.map_err(disk)?;
    }
    writer.flush().await.map_err(disk)?;
    Ok(file)
}

async fn to_text(mut field: Field<'_>) -> Result<String, Problem> {
    let mut bytes = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(broken)? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > MAX_FIELD {
            return Err(Problem::new(Kind::TooLarge, "a field of the form is longer than 64 KiB"));
        }
    }
    String::from_utf8(bytes).map_err(|_| Problem::new(Kind::BadRequest, "a field of the form is not UTF-8"))
}

fn broken(error: MultipartError) -> Problem {
    let kind = match error.status().as_u16() {
        413 => Kind::TooLarge,
        _ => Kind::BadRequest,
    };
    Problem::new(kind, format!("the form is incomplete: {}", error.body_text()))
}

fn disk(error: std::io::Error) -> Problem {
    tracing::error!(%error, "an upload can't be written");
    let kind = match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Kind::InsufficientStorage,
        _ => Kind::Unavailable,
    };
    let problem = Problem::new(kind, "the upload can't be written to the disk").with("retry_after", BY_PERSON);
    problem.with_hint("check free disk space and permissions")
}
