//! `/prompts`: texts of examples that people submit for training.

use axum::{
    extract::DefaultBodyLimit,
    http::header,
    response::{IntoResponse, Response},
};
use graft_engine::{
    PromptBatch, PromptDiff, PromptRequest, PromptVersion, RunView, SubmittedPrompt, TrackedRun,
    records::{Priority, Prompt},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Page, runs::ListedRun};
use crate::{
    advice,
    extract::{Accepted, Acting, At, Body, Params, Reply},
    problem::Problem,
    state::AppState,
    work,
};

/// Longest text, in bytes.
const MAX_TEXT: usize = 8 << 20;

/// The submitted texts.
#[derive(Debug, Serialize, ToSchema)]
pub struct PromptList {
    /// Newest first.
    prompts: Vec<ListedPrompt>,
}

/// A submitted text with the run that learns from it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListedPrompt {
    /// The text.
    #[serde(flatten)]
    prompt: Prompt,
    /// What a dataset says of itself.
    metadata: PromptMetadata,
    /// Its run as it is now; none where none was queued, or it is deleted.
    job: Option<ListedRun>,
    /// What trackers elsewhere, such as MLflow, have of its run.
    tracking: Vec<TrackedRun>,
}

impl ListedPrompt {
    fn of(prompt: Prompt, view: Option<&RunView>) -> Self {
        let metadata = PromptMetadata {
            source: "prompt_interface",
            model_type: prompt.model_type.clone(),
            created_by: prompt.created_by.clone(),
        };
        let view = view.cloned().map(advice::of_view);
        let tracking = view.as_ref().map(|view| view.tracking.clone()).unwrap_or_default();
        Self { metadata, job: view.map(ListedRun::from), tracking, prompt }
    }
}

/// A submitted text in full.
#[derive(Debug, Serialize, ToSchema)]
pub struct PromptDetail {
    /// What it is, and its run.
    #[serde(flatten)]
    listed: ListedPrompt,
    /// The whole text.
    text: String,
    /// It with all texts that it is a version of, and all versions of these, oldest first.
    versions: Vec<PromptVersion>,
}

/// Which text a text is compared with.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ComparedPrompt {
    /// Number of the earlier text. Default: the one that it is a new version of.
    with: Option<u64>,
}

/// What the dataset of a text says of itself.
#[derive(Debug, Serialize, ToSchema)]
pub struct PromptMetadata {
    /// `prompt_interface`.
    source: &'static str,
    /// What was asked for.
    model_type: String,
    /// Who submitted it.
    created_by: String,
}

/// A text that is not submitted yet.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PromptDraft {
    /// The text.
    text: String,
    /// What will be asked for.
    model_type: Option<String>,
    /// Priority of the run in the queue.
    priority: Option<Priority>,
    /// Base model of the run.
    base: Option<String>,
    /// Number of the text that it will be a new version of.
    parent: Option<u64>,
}

/// Submitted texts, newest first, each with its run.
#[utoipa::path(get, path = "/prompts", tag = "prompts", extensions(("x-role" = json!("viewer"))), params(Page),
    responses((status = 200, body = PromptList)))]
async fn list_prompts(Acting(engine): Acting, Params(page): Params<Page>) -> Result<Reply<PromptList>, Problem> {
    let prompts = engine.runs().prompts(page.limit(), page.offset()).await?;
    let views = engine.runs().runs_of_prompts(&prompts).await?;
    let listed = |prompt: Prompt| {
        let view = prompt.run.as_ref().and_then(|run| views.get(run));
        ListedPrompt::of(prompt, view)
    };
    Ok(Reply(PromptList { prompts: prompts.into_iter().map(listed).collect() }))
}

/// A submitted text with its versions, and what each of them reached.
#[utoipa::path(get, path = "/prompts/{id}", tag = "prompts", extensions(("x-role" = json!("viewer"))),
    params(("id" = u64, Path)), responses((status = 200, body = PromptDetail), (status = 404, body = Problem)))]
async fn show_submitted_prompt(Acting(engine): Acting, At(id): At<u64>) -> Result<Reply<PromptDetail>, Problem> {
    let runs = engine.runs();
    let prompt = runs.prompt(id).await?;
    let view = runs.runs_of_prompts(std::slice::from_ref(&prompt)).await?.into_values().next();
    let listed = ListedPrompt::of(prompt, view.as_ref());
    Ok(Reply(PromptDetail { listed, text: runs.prompt_text(id).await?, versions: runs.prompt_versions(id).await? }))
}

/// What differs between two submitted texts: their examples, their settings, and what their runs reached.
#[utoipa::path(get, path = "/prompts/{id}/diff", tag = "prompts", extensions(("x-role" = json!("viewer"))),
    params(("id" = u64, Path), ComparedPrompt),
    responses((status = 200, body = PromptDiff), (status = 404, body = Problem), (status = 422, body = Problem)))]
async fn compare_prompts(
    Acting(engine): Acting,
    At(id): At<u64>,
    Params(ComparedPrompt { with }): Params<ComparedPrompt>,
) -> Result<Reply<PromptDiff>, Problem> {
    let before = match with {
        Some(with) => with,
        None => engine.runs().prompt(id).await?.parent.ok_or_else(|| {
            Problem::field(
                "with",
                format!("text {id} is not a version of another text: say which one to compare it with"),
            )
        })?,
    };
    Ok(Reply(engine.runs().compare_prompts(before, id).await?))
}

/// Stores the examples of a text, names them as a dataset, and queues a run that learns from them and from all other
/// approved examples of the task. `note` says why, where none is queued.
#[utoipa::path(post, path = "/prompts", tag = "prompts", extensions(("x-role" = json!("trainer"))),
    request_body = PromptRequest,
    responses((status = 202, body = SubmittedPrompt), (status = 404, body = Problem), (status = 422, body = Problem)))]
async fn submit_prompt(
    Acting(engine): Acting,
    Body(request): Body<PromptRequest>,
) -> Result<Accepted<SubmittedPrompt>, Problem> {
    let least = PromptRequest::LEAST_CHARS;
    if request.text.trim().chars().count() < least {
        return Err(Problem::field("text", format!("it has fewer than {least} characters")));
    }
    let submit = move || async move { engine.runs().submit_prompt(&request).await };
    Ok(Accepted(work::apart(submit).await??))
}

/// A table of texts.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewBatch {
    /// CSV or JSON lines with the columns `prompt` (or `text`) and `model_type` (or `task`), and perhaps `priority`, `base` and
    /// `description`.
    text: String,
    /// Import the examples of a text even if their labels are all others than those of its task's approved examples.
    #[serde(default)]
    mix_labels: bool,
}

/// Whether a table is only checked.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct BatchTrial {
    /// Check the table; store nothing.
    #[serde(default)]
    dry_run: bool,
}

/// Submits a table of texts: each becomes a dataset of its own, and one run is queued for each task and base model. Rows with
/// a problem are reported and left out.
#[utoipa::path(post, path = "/prompts/batch", tag = "prompts", extensions(("x-role" = json!("trainer"))),
    params(BatchTrial), request_body = NewBatch,
    responses((status = 200, body = PromptBatch), (status = 413, body = Problem), (status = 422, body = Problem)))]
async fn submit_batch(
    Acting(engine): Acting,
    Params(trial): Params<BatchTrial>,
    Body(batch): Body<NewBatch>,
) -> Result<Reply<PromptBatch>, Problem> {
    let work = move || async move { engine.runs().submit_prompts(&batch.text, batch.mix_labels, trial.dry_run).await };
    Ok(Reply(work::apart(work).await??))
}

/// The caller's draft that is not submitted yet.
#[utoipa::path(get, path = "/prompts/draft", tag = "prompts", extensions(("x-role" = json!("viewer"))),
    responses((status = 200, body = PromptDraft)))]
async fn show_draft(Acting(engine): Acting) -> Result<Reply<PromptDraft>, Problem> {
    let draft = engine.runs().prompt_draft().await?;
    Ok(Reply(draft.and_then(|draft| serde_json::from_value(draft).ok()).unwrap_or_default()))
}

/// Stores the caller's draft, so that it is available on every machine.
#[utoipa::path(put, path = "/prompts/draft", tag = "prompts", extensions(("x-role" = json!("trainer"))),
    request_body = PromptDraft, responses((status = 200, body = PromptDraft)))]
async fn save_draft(Acting(engine): Acting, Body(draft): Body<PromptDraft>) -> Result<Reply<PromptDraft>, Problem> {
    engine.runs().save_prompt_draft(&graft_core::json::value(&draft)).await?;
    Ok(Reply(draft))
}

/// The examples of a submitted text, as they were submitted: a table with the columns `text` and `label`.
#[utoipa::path(get, path = "/prompts/{id}/prompt_data.csv", tag = "prompts", extensions(("x-role" = json!("viewer"))),
    params(("id" = u64, Path)),
    responses((status = 200, body = String, content_type = "text/csv"), (status = 404, body = Problem)))]
async fn show_table(Acting(engine): Acting, At(id): At<u64>) -> Result<Response, Problem> {
    let table = engine.runs().prompt_csv(id).await?;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"prompt_data.csv\""),
    ];
    Ok((headers, table).into_response())
}

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_prompts, submit_prompt))
        .routes(routes!(submit_batch))
        .routes(routes!(show_draft, save_draft))
        .layer(DefaultBodyLimit::max(MAX_TEXT))
        .routes(routes!(show_submitted_prompt))
        .routes(routes!(compare_prompts))
        .routes(routes!(show_table))
}
