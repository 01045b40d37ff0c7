//! `/tasks/understand`, `/tasks/mask`, `/templates`: analysis of a text for a task that is not stored yet.

use std::{collections::BTreeMap, io::Write as _};

use axum::{extract::DefaultBodyLimit, http::StatusCode};
use graft_core::{AnswerForm, TaskCard};
use graft_engine::{Columns, Form, KnownTask, Template, TemplateFile, TemplateVariable, Understanding};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tempfile::NamedTempFile;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::examples::Mask;
use crate::{
    extract::{Acting, At, Body, Octets, Reply},
    problem::{Kind, Problem},
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
    /// The task that it is for: hints then compare it with the task's labels and its 5,000 newest examples.
    task: Option<String>,
    /// The labels of a task that is not stored yet.
    #[serde(default)]
    labels: Vec<String>,
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

/// A file as text.
#[derive(Debug, Serialize, ToSchema)]
pub struct FileText {
    /// The text: of a spreadsheet, its first sheet with examples as CSV.
    text: String,
    /// What people should know of it, a sentence each.
    notes: Vec<String>,
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
    responses((status = 200, body = Understanding), (status = 404, body = Problem), (status = 413, body = Problem),
        (status = 422, body = Problem)))]
async fn understand_text(
    Acting(engine): Acting,
    Body(body): Body<PastedText>,
) -> Result<Reply<Understanding>, Problem> {
    let TableColumns { text, label, id, heading } = body.columns;
    let columns = Columns { text, label, id, heading };
    // Long texts take a while, which must not hold up the threads that serve.
    let understood = work::apart(move || async move {
        let known = match body.task {
            Some(task) => engine.examples().known_task(&task).await?,
            None => KnownTask { labels: body.labels, ..KnownTask::default() },
        };
        Ok::<_, Problem>(engine.examples().understand(&body.text, &columns, &known))
    });
    Ok(Reply(understood.await??))
}

/// Reads a file as text that can be analysed: a spreadsheet (.xlsx) becomes CSV, and other encodings become UTF-8. Stores
/// nothing.
#[utoipa::path(post, path = "/texts", tag = "tasks", extensions(("x-role" = json!("viewer"))),
    request_body(content = String, content_type = "application/octet-stream", description = "The file."),
    responses((status = 200, body = FileText), (status = 413, body = Problem), (status = 422, body = Problem)))]
async fn read_file(Acting(engine): Acting, Octets(bytes): Octets) -> Result<Reply<FileText>, Problem> {
    let read = work::apart(move || async move {
        let file = NamedTempFile::new().and_then(|mut file| file.write_all(&bytes).map(|()| file));
        let file = file.map_err(|error| Problem::new(Kind::Internal, format!("failed to keep the file: {error}")))?;
        engine.examples().text_of(file.path()).map_err(|error| {
            let mut problem = Problem::from(error);
            // The person knows the file by another name.
            problem.detail = problem.detail.replace(&format!("`{}`", file.path().display()), "the file");
            problem
        })
    });
    let (text, notes) = read.await??;
    if text.len() > MAX_TEXT {
        return Err(Problem::new(Kind::TooLarge, "its text has more than 8 MiB").with_hint("import the file instead"));
    }
    Ok(Reply(FileText { text, notes }))
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

/// A task to begin with.
#[derive(Debug, Serialize, ToSchema)]
pub struct TaskTemplate {
    /// Names it, and is proposed as the task's name.
    name: String,
    /// Who saved it; absent for one that Graft comes with.
    #[serde(skip_serializing_if = "Option::is_none")]
    saved_by: Option<String>,
    /// For people.
    title: String,
    /// What it is for, a sentence.
    about: String,
    /// Put before the input.
    instruction: String,
    /// The form of its answers.
    form: Form,
    /// Form `fields`: JSON Schema of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    schema: Option<Value>,
    /// How people judge its examples.
    guidelines: String,
    /// Examples, as text that people could paste.
    examples: String,
    /// What people fill in before they use it: `{{name}}` in a text stands for it.
    variables: Vec<TemplateVariable>,
}

impl From<Template> for TaskTemplate {
    fn from(Template { name, saved_by, file }: Template) -> Self {
        let TemplateFile { title, about, instruction, form, schema, guidelines, examples, variables } = file;
        Self { name, saved_by, title, about, instruction, form, schema, guidelines, examples, variables }
    }
}

/// The templates there are.
#[derive(Debug, Serialize, ToSchema)]
pub struct TemplateList {
    /// In the order they are shown: first those that Graft comes with.
    templates: Vec<TaskTemplate>,
}

/// What stands for the variables of a template.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TemplateValues {
    /// A value for each variable that is not to have its own.
    #[serde(default)]
    values: BTreeMap<String, String>,
}

/// A task to be saved as a template.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TemplateOfTask {
    /// The template's name.
    name: String,
    /// How many of the newest approved examples become its examples.
    #[serde(default = "a_dozen")]
    #[schema(maximum = 1000)]
    examples: u32,
}

fn a_dozen() -> u32 {
    12
}

/// Task templates with a dozen examples each, and those that people saved.
#[utoipa::path(get, path = "/templates", tag = "tasks", extensions(("x-role" = json!("viewer"))),
    responses((status = 200, body = TemplateList)))]
async fn list_templates(Acting(engine): Acting) -> Result<Reply<TemplateList>, Problem> {
    let templates = engine.tasks().templates().await?.into_iter().map(TaskTemplate::from).collect();
    Ok(Reply(TemplateList { templates }))
}

/// A template with its variables filled in: `{{name}}` in its texts is replaced. Stores nothing.
#[utoipa::path(post, path = "/templates/{name}/fill", tag = "tasks", extensions(("x-role" = json!("viewer"))),
    params(("name" = String, Path)), request_body = TemplateValues,
    responses((status = 200, body = TaskTemplate), (status = 404, body = Problem), (status = 422, body = Problem)))]
async fn fill_template(
    Acting(engine): Acting,
    At(name): At<String>,
    Body(body): Body<TemplateValues>,
) -> Result<Reply<TaskTemplate>, Problem> {
    Ok(Reply(engine.tasks().fill_template(&name, &body.values).await?.into()))
}

/// Saves a template, in place of an older one with this name. Every `{{name}}` of title, instruction and guidelines becomes
/// a variable.
#[utoipa::path(put, path = "/templates/{name}", tag = "tasks", extensions(("x-role" = json!("trainer"))),
    params(("name" = String, Path)), request_body = TemplateFile,
    responses((status = 200, body = TaskTemplate), (status = 422, body = Problem)))]
async fn save_template(
    Acting(engine): Acting,
    At(name): At<String>,
    Body(file): Body<TemplateFile>,
) -> Result<Reply<TaskTemplate>, Problem> {
    Ok(Reply(engine.tasks().save_template(&name, file).await?.into()))
}

/// Deletes a template that somebody saved.
#[utoipa::path(delete, path = "/templates/{name}", tag = "tasks", extensions(("x-role" = json!("trainer"))),
    params(("name" = String, Path)),
    responses((status = 204), (status = 404, body = Problem), (status = 422, body = Problem)))]
async fn delete_template(Acting(engine): Acting, At(name): At<String>) -> Result<StatusCode, Problem> {
    engine.tasks().delete_template(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Saves a task with its newest approved examples as a template.
#[utoipa::path(post, path = "/tasks/{task}/template", tag = "tasks", extensions(("x-role" = json!("trainer"))),
    params(("task" = String, Path)), request_body = TemplateOfTask,
    responses((status = 200, body = TaskTemplate), (status = 404, body = Problem), (status = 422, body = Problem)))]
async fn save_task_as_template(
    Acting(engine): Acting,
    At(task): At<String>,
    Body(body): Body<TemplateOfTask>,
) -> Result<Reply<TaskTemplate>, Problem> {
    let file = engine.tasks().as_template(&task, body.examples.min(1000)).await?;
    Ok(Reply(engine.tasks().save_template(&body.name, file).await?.into()))
}

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(understand_text))
        .routes(routes!(save_template, delete_template))
        .routes(routes!(read_file))
        .layer(DefaultBodyLimit::max(MAX_TEXT))
        .routes(routes!(show_prompt))
        .routes(routes!(list_templates))
        .routes(routes!(fill_template))
        .routes(routes!(save_task_as_template))
}
