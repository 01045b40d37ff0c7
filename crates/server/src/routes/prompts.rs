//! `/prompts`: texts of examples that people submit for training.

use std::collections::HashMap;

use axum::{
    extract::DefaultBodyLimit,
    http::header,
    response::{IntoResponse, Response},
};
use graft_engine::{
    PromptRequest,
    records::{Priority, Prompt, RunFilter},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Page, runs::ListedRun};
use crate::{
    extract::{Accepted, Acting, At, Body, Params, Reply},
    problem::{Kind, Problem},
    state::AppState,
    work,
};

/// Longest text, in bytes.
const MAX_TEXT: usize = 8 << 20;
/// Shortest text, in characters.
const MIN_CHARS: usize = 10;
/// Runs among which those of the texts are looked for.
const RUNS: u32 = 500;

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

/// A text that was submitted.
#[derive(Debug, Serialize, ToSchema)]
pub struct SubmittedPrompt {
    /// With its dataset's name, and its run or why there is none.
    prompt: Prompt,
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
}

/// Submitted texts, newest first, each with its run.
#[utoipa::path(get, path = "/prompts", tag = "prompts", extensions(("x-role" = json!("viewer"))), params(Page),
    responses((status = 200, body = PromptList)))]
async fn list_prompts(Acting(engine): Acting, Params(page): Params<Page>) -> Result<Reply<PromptList>, Problem> {
    let prompts = page.of(engine.runs().prompts(page.offset() + page.limit()).await?);
    let filter = RunFilter { limit: Some(RUNS), ..RunFilter::default() };
    let (views, _) = engine.runs().views(&filter).await?;
    let mut runs: HashMap<String, ListedRun> =
        views.into_iter().map(|view| (view.run.id.clone(), ListedRun::from(view))).collect();
    let listed = |prompt: Prompt| ListedPrompt {
        metadata: PromptMetadata {
            source: "prompt_interface",
            model_type: prompt.model_type.clone(),
            created_by: prompt.created_by.clone(),
        },
        job: prompt.run.as_ref().and_then(|run| runs.remove(run)),
        prompt,
    };
    Ok(Reply(PromptList { prompts: prompts.into_iter().map(listed).collect() }))
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
    if request.text.trim().chars().count() < MIN_CHARS {
        return Err(Problem::field("text", format!("it has fewer than {MIN_CHARS} characters")));
    }
    let prompt = work::apart(move || async move { engine.runs().submit_prompt(&request).await }).await??;
    Ok(Accepted(SubmittedPrompt { prompt }))
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
    let table = table.ok_or_else(|| Problem::new(Kind::NotFound, format!("no text has the number {id}")))?;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"prompt_data.csv\""),
    ];
    Ok((headers, table).into_response())
}

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_prompts, submit_prompt))
        .routes(routes!(show_draft, save_draft))
        .layer(DefaultBodyLimit::max(MAX_TEXT))
        .routes(routes!(show_table))
}
