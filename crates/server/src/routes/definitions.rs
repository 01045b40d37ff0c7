//! `/tasks/{task}`: definitions of tasks: create, change, clone, rename, archive, export and import.

use axum::{
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use graft_core::Digest;
use graft_engine::{BaselineSpec, BaselineTrial, Engine, MadeTask, NewTask, Task, TaskChange, TaskDetail};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::understand::MAX_TEXT;
use crate::{
    auth::{Role, Who},
    etag,
    extract::{Acting, Asking, At, Body, Params, Reply},
    problem::{Kind, Problem},
    state::AppState,
};

/// Whether anything is stored.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Trial {
    /// `true`: only check and report the effect; store nothing.
    #[serde(default)]
    dry_run: bool,
}

/// The form of an exported task.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ExportFormat {
    /// A file that people edit.
    #[default]
    Toml,
    /// The definition as the API has it.
    Json,
}

/// How a task is exported.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Export {
    /// `toml` otherwise.
    #[param(inline)]
    format: Option<ExportFormat>,
}

/// A task in a file.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TaskFile {
    /// The file's text, in TOML or JSON.
    text: String,
    /// The name of the new task; that of the file otherwise.
    #[serde(default)]
    name: Option<String>,
}

/// Another task like one.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CloneTask {
    /// The new task's name.
    name: String,
    /// Its title; made of the name otherwise.
    #[serde(default)]
    title: Option<String>,
}

/// A task's new name.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RenameTask {
    /// The new name.
    name: String,
}

/// Every revision of a task.
#[derive(Debug, Serialize, ToSchema)]
pub struct TaskRevisions {
    /// Oldest first.
    revisions: Vec<TaskDetail>,
}

/// A baseline to try.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TryBaseline {
    /// The baseline; the task's otherwise.
    #[serde(default)]
    baseline: Option<BaselineSpec>,
    /// How many of the newest approved examples are asked; 1000 otherwise, and 50 of a command or endpoint.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 5000)]
    limit: Option<u32>,
}

/// Refuses a new command or endpoint as a baseline to who may not choose it. It answers with what the server may do on this
/// machine and in its network; where nobody logs in, everybody who reaches the server would be an administrator.
fn check_baseline(
    state: &AppState,
    who: &Who,
    before: Option<&BaselineSpec>,
    after: Option<&BaselineSpec>,
) -> Result<(), Problem> {
    let Some(chosen) = after.filter(|after| after.is_outside() && before != Some(*after)) else { return Ok(()) };
    if who.role < Role::Admin {
        let detail = "a command or an endpoint as a baseline takes the role `admin`";
        return Err(Problem::new(Kind::Forbidden, detail).with_hint("ask an administrator"));
    }
    if matches!(chosen, BaselineSpec::Command { .. }) && !state.auth.required() {
        let detail = "a command as a baseline takes an administrator who has logged in";
        let hint = "add a user with the role `admin` first, or set it on the machine that the server runs on";
        return Err(Problem::new(Kind::Forbidden, detail).with_hint(hint));
    }
    Ok(())
}

fn digest(task: &TaskDetail) -> Digest {
    Digest::of(task.tag().as_bytes())
}

fn tagged(status: StatusCode, task: TaskDetail) -> Response {
    (status, etag::header(&digest(&task)), Reply(task)).into_response()
}

/// Creates a task.
#[utoipa::path(post, path = "/tasks", tag = "tasks", extensions(("x-role" = json!("trainer"))),
    params(Trial), request_body = Task,
    responses((status = 201, body = TaskDetail), (status = 200, body = TaskDetail), (status = 409, body = Problem),
        (status = 422, body = Problem)))]
async fn create_task(
    State(state): State<AppState>,
    Asking(who): Asking,
    Acting(engine): Acting,
    Params(trial): Params<Trial>,
    Body(task): Body<Task>,
) -> Result<Response, Problem> {
    check_baseline(&state, &who, None, task.baseline.as_ref())?;
    if trial.dry_run {
        return Ok(tagged(StatusCode::OK, engine.tasks().try_create(task).await?));
    }
    Ok(tagged(StatusCode::CREATED, engine.tasks().create(task).await?))
}

/// Creates a task with its first examples, which may be pasted text in any form.
#[utoipa::path(post, path = "/tasks/new", tag = "tasks", extensions(("x-role" = json!("trainer"))),
    params(Trial), request_body = NewTask,
    responses((status = 201, body = MadeTask), (status = 200, body = MadeTask), (status = 409, body = Problem),
        (status = 413, body = Problem), (status = 422, body = Problem)))]
async fn create_task_with_examples(
    State(state): State<AppState>,
    Asking(who): Asking,
    Acting(engine): Acting,
    Params(trial): Params<Trial>,
    Body(new): Body<NewTask>,
) -> Result<Response, Problem> {
    check_baseline(&state, &who, None, new.definition.baseline.as_ref())?;
    if trial.dry_run {
        return Ok((StatusCode::OK, Reply(engine.tasks().try_create_with(new).await?)).into_response());
    }
    Ok((StatusCode::CREATED, Reply(engine.tasks().create_with(new).await?)).into_response())
}

/// A task's definition, with its `ETag`.
#[utoipa::path(get, path = "/tasks/{task}", tag = "tasks", extensions(("x-role" = json!("viewer"))),
    params(("task" = String, Path)),
    responses((status = 200, body = TaskDetail, headers(("ETag" = String))), (status = 404, body = Problem)))]
async fn show_task(Acting(engine): Acting, At(task): At<String>) -> Result<Response, Problem> {
    Ok(tagged(StatusCode::OK, engine.tasks().get(&task).await?))
}

/// Replaces a task's definition; with `If-Match`, refused if somebody else changed it. Returns the effect on examples and
/// versions.
#[utoipa::path(put, path = "/tasks/{task}", tag = "tasks", extensions(("x-role" = json!("trainer"))),
    params(("task" = String, Path), ("If-Match" = Option<String>, Header), Trial), request_body = Task,
    responses((status = 200, body = TaskChange), (status = 404, body = Problem), (status = 412, body = Problem),
        (status = 422, body = Problem)))]
async fn replace_task(
    State(state): State<AppState>,
    Asking(who): Asking,
    Acting(engine): Acting,
    At(name): At<String>,
    Params(trial): Params<Trial>,
    headers: HeaderMap,
    Body(task): Body<Task>,
) -> Result<Response, Problem> {
    change(&engine, (&state, &who), &name, &headers, &trial, |_| Ok(task)).await
}

/// Changes some fields of a task's definition: a JSON merge patch (RFC 7396). `If-Match` as for `PUT`.
#[utoipa::path(patch, path = "/tasks/{task}", tag = "tasks", extensions(("x-role" = json!("trainer"))),
    params(("task" = String, Path), ("If-Match" = Option<String>, Header), Trial),
    request_body(content = Object, description = "Fields of the definition; null removes one."),
    responses((status = 200, body = TaskChange), (status = 404, body = Problem), (status = 412, body = Problem),
        (status = 422, body = Problem)))]
async fn patch_task(
    State(state): State<AppState>,
    Asking(who): Asking,
    Acting(engine): Acting,
    At(name): At<String>,
    Params(trial): Params<Trial>,
    headers: HeaderMap,
    Body(patch): Body<Value>,
) -> Result<Response, Problem> {
    let patched = |task: Task| {
        let mut value = graft_core::json::value(&task);
        merge(&mut value, patch);
        serde_json::from_value(value)
            .map_err(|error| Problem::new(Kind::Unprocessable, format!("the changed definition: {error}")))
    };
    change(&engine, (&state, &who), &name, &headers, &trial, patched).await
}

async fn change(
    engine: &Engine,
    (state, who): (&AppState, &Who),
    name: &str,
    headers: &HeaderMap,
    trial: &Trial,
    new: impl FnOnce(Task) -> Result<Task, Problem>,
) -> Result<Response, Problem> {
    let now = engine.tasks().get(name).await?;
    etag::check(headers, &digest(&now))?;
    let before = now.definition.baseline.clone();
    let (seen, task) = (Some(now.revision), new(now.definition)?);
    check_baseline(state, who, before.as_ref(), task.baseline.as_ref())?;
    let changed = match trial.dry_run {
        true => engine.tasks().try_change(name, task, seen).await?,
        false => engine.tasks().change(name, task, seen).await?,
    };
    Ok((etag::header(&digest(&changed.task)), Reply(changed)).into_response())
}

/// RFC 7396.
fn merge(value: &mut Value, patch: Value) {
    let Value::Object(fields) = patch else {
        *value = patch;
        return;
    };
    if !value.is_object() {
        *value = Value::Object(serde_json::Map::new());
    }
    let Some(object) = value.as_object_mut() else { return };
    for (name, change) in fields {
        if change.is_null() {
            object.remove(&name);
        } else {
            merge(object.entry(name).or_insert(Value::Null), change);
        }
    }
}

/// Archives a task: it is no longer listed or trained. Its examples are kept, and its versions still answer.
#[utoipa::path(delete, path = "/tasks/{task}", tag = "tasks", extensions(("x-role" = json!("trainer"))),
    params(("task" = String, Path)), responses((status = 200, body = TaskDetail), (status = 404, body = Problem)))]
async fn archive_task(Acting(engine): Acting, At(name): At<String>) -> Result<Reply<TaskDetail>, Problem> {
    Ok(Reply(engine.tasks().archive(&name, true).await?))
}

/// Restores an archived task.
#[utoipa::path(post, path = "/tasks/{task}/restore", tag = "tasks", extensions(("x-role" = json!("trainer"))),
    params(("task" = String, Path)), responses((status = 200, body = TaskDetail), (status = 404, body = Problem)))]
async fn restore_task(Acting(engine): Acting, At(name): At<String>) -> Result<Reply<TaskDetail>, Problem> {
    Ok(Reply(engine.tasks().archive(&name, false).await?))
}

/// Creates a task with the definition of another one, without its examples and versions.
#[utoipa::path(post, path = "/tasks/{task}/clone", tag = "tasks", extensions(("x-role" = json!("trainer"))),
    params(("task" = String, Path)), request_body = CloneTask,
    responses((status = 201, body = TaskDetail), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn clone_task(
    Acting(engine): Acting,
    At(name): At<String>,
    Body(new): Body<CloneTask>,
) -> Result<Response, Problem> {
    Ok(tagged(StatusCode::CREATED, engine.tasks().clone_as(&name, &new.name, new.title.as_deref()).await?))
}

/// Renames a task with its examples, datasets, runs, versions and schedules. Built-in tasks cannot be renamed.
#[utoipa::path(post, path = "/tasks/{task}/rename", tag = "tasks", extensions(("x-role" = json!("trainer"))),
    params(("task" = String, Path)), request_body = RenameTask,
    responses((status = 200, body = TaskDetail), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn rename_task(
    Acting(engine): Acting,
    At(name): At<String>,
    Body(new): Body<RenameTask>,
) -> Result<Response, Problem> {
    Ok(tagged(StatusCode::OK, engine.tasks().rename(&name, &new.name).await?))
}

/// Every revision of a task's definition.
#[utoipa::path(get, path = "/tasks/{task}/revisions", tag = "tasks", extensions(("x-role" = json!("viewer"))),
    params(("task" = String, Path)), responses((status = 200, body = TaskRevisions), (status = 404, body = Problem)))]
async fn list_task_revisions(Acting(engine): Acting, At(name): At<String>) -> Result<Reply<TaskRevisions>, Problem> {
    Ok(Reply(TaskRevisions { revisions: engine.tasks().revisions(&name).await? }))
}

/// A task's definition as a file.
#[utoipa::path(get, path = "/tasks/{task}/export", tag = "tasks", extensions(("x-role" = json!("viewer"))),
    params(("task" = String, Path), Export),
    responses((status = 200, content((String = "application/toml"), (Object = "application/json"))), (status = 404, body = Problem)))]
async fn export_task(
    Acting(engine): Acting,
    At(name): At<String>,
    Params(export): Params<Export>,
) -> Result<Response, Problem> {
    let task = engine.tasks().definition(&name).await?;
    let (media, ending, text) = match export.format.unwrap_or_default() {
        ExportFormat::Toml => ("application/toml", "toml", task.to_toml()),
        ExportFormat::Json => ("application/json", "json", graft_core::json::pretty(&task)),
    };
    let named = format!("attachment; filename=\"{}.{ending}\"", task.name);
    Ok(([(header::CONTENT_TYPE, media.to_owned()), (header::CONTENT_DISPOSITION, named)], text).into_response())
}

/// Creates a task from a definition file.
#[utoipa::path(post, path = "/tasks/import", tag = "tasks", extensions(("x-role" = json!("trainer"))),
    params(Trial), request_body = TaskFile,
    responses((status = 201, body = TaskDetail), (status = 200, body = TaskDetail), (status = 409, body = Problem),
        (status = 422, body = Problem)))]
async fn import_task(
    State(state): State<AppState>,
    Asking(who): Asking,
    Acting(engine): Acting,
    Params(trial): Params<Trial>,
    Body(file): Body<TaskFile>,
) -> Result<Response, Problem> {
    let task = Task::read(&file.text, file.name.as_deref()).map_err(graft_engine::Error::from)?;
    check_baseline(&state, &who, None, task.baseline.as_ref())?;
    if trial.dry_run {
        return Ok(tagged(StatusCode::OK, engine.tasks().try_create(task).await?));
    }
    Ok(tagged(StatusCode::CREATED, engine.tasks().create(task).await?))
}

/// Tries a baseline on a task's approved examples: its score, what became of each rule, and the examples that it gets
/// wrong. Nothing is stored.
#[utoipa::path(post, path = "/tasks/{task}/baseline/try", tag = "tasks", extensions(("x-role" = json!("trainer"))),
    params(("task" = String, Path)), request_body = TryBaseline,
    responses((status = 200, body = BaselineTrial), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 422, body = Problem)))]
async fn try_baseline(
    State(state): State<AppState>,
    Asking(who): Asking,
    Acting(engine): Acting,
    At(name): At<String>,
    Body(tried): Body<TryBaseline>,
) -> Result<Reply<BaselineTrial>, Problem> {
    let before = engine.tasks().definition(&name).await?.baseline;
    check_baseline(&state, &who, before.as_ref(), tried.baseline.as_ref())?;
    Ok(Reply(engine.evaluations().try_baseline(&name, tried.baseline, tried.limit).await?))
}

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(create_task_with_examples))
        .layer(DefaultBodyLimit::max(MAX_TEXT))
        .routes(routes!(create_task))
        .routes(routes!(import_task))
        .routes(routes!(show_task, replace_task, patch_task, archive_task))
        .routes(routes!(restore_task))
        .routes(routes!(clone_task))
        .routes(routes!(rename_task))
        .routes(routes!(list_task_revisions))
        .routes(routes!(export_task))
        .routes(routes!(try_baseline))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn patch_is_merged() {
        let mut value = json!({"a": "b", "c": {"d": "e", "f": "g"}, "list": [1]});
        merge(&mut value, json!({"a": "z", "c": {"f": null}, "list": [2, 3], "new": {"x": null, "y": 1}}));
        assert_eq!(value, json!({"a": "z", "c": {"d": "e"}, "list": [2, 3], "new": {"y": 1}}));
    }
}
