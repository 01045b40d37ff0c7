//! `/tasks`: the data of each task for the Home page; see [`super::definitions`] for definitions.

use axum::extract::State;
use graft_engine::{Drift, Helpful, Seen, Suspects, TaskOverview, records::Version};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    extract::{Acting, Asking, At, Body, Params, Reply},
    problem::Problem,
    state::AppState,
};

/// All tasks.
#[derive(Debug, Serialize, ToSchema)]
pub struct TaskList {
    /// In the order they are shown.
    pub tasks: Vec<TaskOverview>,
}

/// Which tasks.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// Include archived tasks.
    #[serde(default)]
    archived: bool,
}

/// Which version's drift.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DriftOf {
    /// Default: the active version.
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
    pub version: Version,
    /// The one that was.
    pub previous: Option<String>,
}

/// Approved examples that say nearly the same.
#[derive(Debug, Serialize, ToSchema)]
pub struct Duplicates {
    /// Those of a group are near-duplicates of each other, and stay on one side of every split.
    groups: Vec<Vec<DuplicateExample>>,
    /// Number of redundant examples: all but one of each group.
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
    let groups = engine.examples().duplicates(&task).await?;
    let extra = groups.iter().map(|group| group.len() - 1).sum();
    let shown = |example: graft_core::Example| DuplicateExample { id: example.id, input: example.input };
    let groups = groups.into_iter().map(|group| group.into_iter().map(shown).collect());
    Ok(Reply(Duplicates { groups: groups.collect(), extra }))
}

/// Suspect approved examples (contradictions, empty labels, disagreement with a confident model), with possible fixes.
/// Changes nothing: to apply a fix, make the decisions that it lists.
#[utoipa::path(get, path = "/tasks/{task}/suspects", tag = "tasks", extensions(("x-role" = json!("viewer"))),
    params(("task" = String, Path)),
    responses((status = 200, body = Suspects), (status = 404, body = Problem)))]
async fn list_suspects(Acting(engine): Acting, At(task): At<String>) -> Result<Reply<Suspects>, Problem> {
    Ok(Reply(engine.evaluations().suspects(&task).await?))
}

/// How many examples are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct HelpfulLimit {
    /// Maximum number, at most 20.
    #[param(minimum = 1, maximum = 20, default = 20)]
    limit: Option<usize>,
}

/// The pending examples whose review would help most, with the reason for each, and the labels that need more examples.
/// Prefers answers that the active version is not sure of, texts unlike those approved or listed before, and labels with few
/// examples.
#[utoipa::path(get, path = "/tasks/{task}/helpful", tag = "tasks", extensions(("x-role" = json!("viewer"))),
    params(("task" = String, Path), HelpfulLimit),
    responses((status = 200, body = Helpful), (status = 404, body = Problem)))]
async fn list_helpful(
    Acting(engine): Acting,
    At(task): At<String>,
    Params(HelpfulLimit { limit }): Params<HelpfulLimit>,
) -> Result<Reply<Helpful>, Problem> {
    Ok(Reply(engine.evaluations().helpful(&task, limit.unwrap_or(20)).await?))
}

/// All tasks with the state of their examples, runs and versions; for a review link its own.
#[utoipa::path(get, path = "/tasks", tag = "tasks", extensions(("x-role" = json!("viewer"))),
    params(Which), responses((status = 200, body = TaskList)))]
async fn list_tasks(
    Asking(who): Asking,
    Acting(engine): Acting,
    Params(which): Params<Which>,
) -> Result<Reply<TaskList>, Problem> {
    let mut tasks = engine.upkeep().overview(which.archived).await?;
    if let Some(only) = who.task {
        tasks.retain(|task| task.name == only);
        // A review link reaches neither versions nor runs.
        for task in &mut tasks {
            (task.active, task.run) = (None, None);
            task.attention.clear();
        }
    }
    Ok(Reply(TaskList { tasks }))
}

/// Whether a version has drifted: compares people's decisions on its suggestions with its held-out scores.
#[utoipa::path(get, path = "/tasks/{task}/drift", tag = "versions", extensions(("x-role" = json!("viewer"))),
    params(("task" = String, Path), DriftOf),
    responses((status = 200, body = Drift), (status = 404, body = Problem)))]
async fn task_drift(
    Acting(engine): Acting,
    At(task): At<String>,
    Params(of): Params<DriftOf>,
) -> Result<Reply<Drift>, Problem> {
    Ok(Reply(engine.versions().drift(&task, of.version.as_deref()).await?))
}

/// Activates the previously active version again.
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
        .routes(routes!(list_suspects))
        .routes(routes!(list_helpful))
        .routes(routes!(task_drift))
        .routes(routes!(roll_back))
}
