//! `/tasks`: everything the front page shows of each task.

use axum::extract::State;
use graft_engine::Seen;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    extract::{Acting, At, Body, Params, Reply},
    problem::Problem,
    schema,
    state::AppState,
};

/// All tasks.
#[derive(Debug, Serialize, ToSchema)]
pub struct TaskList {
    /// In the order they are shown.
    #[schema(value_type = Vec<TaskOverview>)]
    pub tasks: Vec<graft_engine::TaskOverview>,
}

/// One task, with the state of its examples, its run and its versions.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TaskOverview {
    /// As users type it.
    pub name: String,
    /// For people.
    pub title: String,
    /// What an answer is.
    pub form: TaskForm,
    /// Put before the input.
    pub instruction: String,
    /// JSON Schema of an answer, for tasks whose answers are objects.
    #[schema(value_type = Option<Object>)]
    pub schema: Option<Value>,
    /// The labels known so far, for label tasks.
    pub labels: Option<Vec<String>>,
    /// Whether something answers without a model.
    pub has_baseline: bool,
    /// States of its examples.
    pub counts: schema::Counts,
    /// Where they came from.
    pub sources: Vec<SourceCount>,
    /// The version that answers.
    pub active: Option<schema::Version>,
    /// The run that is queued or under way.
    pub run: Option<schema::Run>,
    /// Whether there are enough approved examples to train.
    pub ready: bool,
    /// How many that takes.
    pub needed: u64,
    /// What a person should look at.
    pub attention: Vec<Attention>,
}

/// What an answer of a task is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum TaskForm {
    /// An object.
    Json,
    /// One of some labels.
    Label,
    /// Free text.
    Text,
}

/// How many examples came from one kind of source.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceCount {
    /// `slack`, `csv`, …
    pub kind: String,
    /// How many.
    pub count: u64,
}

/// Something that waits for a person.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Attention {
    /// `pending`, `not-ready`, `failed-run`, `newer-version`, `no-version`.
    pub kind: String,
    /// One sentence.
    pub text: String,
    /// A path of the page.
    pub link: String,
}

/// Which version's drift.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DriftOf {
    /// The active one otherwise.
    version: Option<String>,
}

/// Which version is believed to be active.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rollback {
    /// The active version as the client last saw it; absent, whichever it is.
    #[serde(default)]
    pub expected: Option<String>,
}

/// What became active.
#[derive(Debug, Serialize, ToSchema)]
pub struct Switched {
    /// The version that is active now.
    #[schema(value_type = schema::Version)]
    pub version: graft_store::Version,
    /// The one that was.
    pub previous: Option<String>,
}

/// Approved examples that say nearly the same.
#[derive(Debug, Serialize, ToSchema)]
pub struct Duplicates {
    /// Those of a group are near-duplicates of each other, and stay on one side of every split.
    groups: Vec<Vec<DuplicateExample>>,
    /// How many examples could go without a loss: all but one of each group.
    extra: usize,
}

/// An example that has a near-duplicate.
#[derive(Debug, Serialize, ToSchema)]
pub struct DuplicateExample {
    /// Its id.
    id: String,
    /// Its text.
    input: String,
}

/// The approved examples of a task that are near-duplicates of each other.
#[utoipa::path(get, path = "/tasks/{task}/duplicates", tag = "tasks", extensions(("x-role" = json!("viewer"))),
    params(("task" = String, Path)),
    responses((status = 200, body = Duplicates), (status = 404, body = Problem)))]
async fn list_duplicates(Acting(engine): Acting, At(task): At<String>) -> Result<Reply<Duplicates>, Problem> {
    let groups = engine.duplicates(&task).await?;
    let extra = groups.iter().map(|group| group.len() - 1).sum();
    let shown = |example: graft_core::Example| DuplicateExample { id: example.id, input: example.input };
    let groups = groups.into_iter().map(|group| group.into_iter().map(shown).collect());
    Ok(Reply(Duplicates { groups: groups.collect(), extra }))
}

/// All tasks with the state of their examples, runs and versions.
#[utoipa::path(get, path = "/tasks", tag = "tasks", extensions(("x-role" = json!("viewer"))),
    responses((status = 200, body = TaskList)))]
async fn list_tasks(Acting(engine): Acting) -> Result<Reply<TaskList>, Problem> {
    Ok(Reply(TaskList { tasks: engine.overview().await? }))
}

/// Whether a version still does what it did on the held-out examples, from what people say of its suggestions since.
#[utoipa::path(get, path = "/tasks/{task}/drift", tag = "versions", extensions(("x-role" = json!("viewer"))),
    params(("task" = String, Path), DriftOf),
    responses((status = 200, body = schema::Drift), (status = 404, body = Problem)))]
async fn task_drift(
    Acting(engine): Acting,
    At(task): At<String>,
    Params(of): Params<DriftOf>,
) -> Result<Reply<graft_engine::Drift>, Problem> {
    Ok(Reply(engine.drift(&task, of.version.as_deref()).await?))
}

/// Makes the version that was active before the active one again.
#[utoipa::path(post, path = "/tasks/{task}/rollback", tag = "versions", extensions(("x-role" = json!("trainer"))),
    params(("task" = String, Path)), request_body = Rollback,
    responses((status = 200, body = Switched), (status = 409, body = Problem)))]
async fn roll_back(
    State(state): State<AppState>,
    Acting(engine): Acting,
    At(task): At<String>,
    Body(body): Body<Rollback>,
) -> Result<Reply<Switched>, Problem> {
    let seen = body.expected.as_deref().map_or(Seen::Any, |expected| Seen::Active(Some(expected)));
    let (version, previous) = state.serving.roll_back(&engine, &task, seen).await?;
    Ok(Reply(Switched { version, previous }))
}

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_tasks))
        .routes(routes!(list_duplicates))
        .routes(routes!(task_drift))
        .routes(routes!(roll_back))
}
