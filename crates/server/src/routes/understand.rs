//! `/tasks/understand`, `/tasks/mask`, `/templates`: analysis of a text for a task that is not stored yet.

use axum::extract::DefaultBodyLimit;
use graft_core::{AnswerForm, TaskCard};
use graft_engine::{Columns, Template, Understanding, templates};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::examples::Mask;
use crate::{
    extract::{Acting, Body, Reply},
    problem::Problem,
    state::AppState,
    work,
};

/// Longest text, in bytes.
pub(super) const MAX_TEXT: usize = 8 << 20;

/// A text to be understood.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PastedText {
    /// The text: lines of `"text" -> label`, blocks of `Task:`, `Input:` and `Expected:`, turns of a dialogue, CSV, JSON,
    /// a JSON Schema, or answers alone.
    text: String,
    /// A table's columns, where they can't be found out.
    #[serde(default)]
    columns: TableColumns,
}

/// Which columns of a table hold what; each is a heading, or a number counted from 1.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TableColumns {
    /// The text.
    text: Option<String>,
    /// The answer.
    label: Option<String>,
    /// A key that stays the same when the text changes.
    id: Option<String>,
    /// Whether the first row names the columns.
    heading: Option<bool>,
}

/// A prompt to show.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PromptOf {
    /// What precedes every input.
    instruction: String,
    /// What the model must write.
    answer: AnswerForm,
    /// The input.
    input: String,
    /// Its answer.
    output: Value,
    /// The base model; `smollm2-135m` otherwise.
    base: Option<String>,
}

/// Analyses a pasted text: its examples, the answer form, and the evidence for each inference. Stores nothing.
#[utoipa::path(post, path = "/tasks/understand", tag = "tasks", extensions(("x-role" = json!("viewer"))),
    request_body = PastedText,
    responses((status = 200, body = Understanding), (status = 413, body = Problem), (status = 422, body = Problem)))]
async fn understand_text(
    Acting(engine): Acting,
    Body(body): Body<PastedText>,
) -> Result<Reply<Understanding>, Problem> {
    let TableColumns { text, label, id, heading } = body.columns;
    let columns = Columns { text, label, id, heading };
    // Long texts take a while, which must not hold up the threads that serve.
    let found = work::apart(move || async move { engine.examples().understand(&body.text, &columns) }).await?;
    Ok(Reply(found))
}

/// The tokens of an input and its answer, and which of them are trained on; the task need not be stored.
#[utoipa::path(post, path = "/tasks/mask", tag = "tasks", extensions(("x-role" = json!("viewer"))),
    request_body = PromptOf,
    responses((status = 200, body = Mask), (status = 422, body = Problem)))]
async fn show_prompt(Acting(engine): Acting, Body(body): Body<PromptOf>) -> Result<Reply<Mask>, Problem> {
    let card = TaskCard { name: "the example".into(), instruction: body.instruction, answer: body.answer };
    let base = body.base.as_deref().unwrap_or("smollm2-135m");
    let tokens = engine.examples().mask_of(&card, &body.input, &body.output, base).await?;
    Ok(Reply(Mask::of(tokens)))
}

/// The templates there are.
#[derive(Debug, Serialize, ToSchema)]
pub struct TemplateList {
    /// In the order they are shown.
    templates: &'static [Template],
}

/// Task templates with a dozen examples each.
#[utoipa::path(get, path = "/templates", tag = "tasks", extensions(("x-role" = json!("viewer"))),
    responses((status = 200, body = TemplateList)))]
async fn list_templates() -> Reply<TemplateList> {
    Reply(TemplateList { templates: templates() })
}

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(understand_text))
        .layer(DefaultBodyLimit::max(MAX_TEXT))
        .routes(routes!(show_prompt))
        .routes(routes!(list_templates))
}
