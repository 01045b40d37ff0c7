//! `/runs/bulk`: the same for many runs at once.

use graft_engine::{RunAction, RunsReport};
use graft_store::{RunFilter, RunKind, RunState};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    extract::{Acting, Body, Reply},
    problem::Problem,
    schema,
    state::AppState,
};

/// The same for all runs that match.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BulkRuns {
    /// What to do.
    action: BulkRunAction,
    /// Only of this task.
    #[serde(default)]
    task: Option<String>,
    /// Only in this state.
    #[serde(default)]
    #[schema(value_type = Option<schema::RunState>)]
    state: Option<RunState>,
    /// Only of this kind.
    #[serde(default)]
    #[schema(value_type = Option<schema::RunKind>)]
    kind: Option<RunKind>,
    /// Changes nothing, and tells what would be changed.
    #[serde(default)]
    dry_run: bool,
}

/// What is done to many runs.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum BulkRunAction {
    /// Those that wait or work are asked to stop.
    Cancel,
    /// Those that failed or were stopped begin anew.
    Retry,
}

/// What became of many runs.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BulkRunsResult {
    /// Those that were, or would be, stopped or queued again, newest first.
    pub changed: Vec<String>,
    /// Those that are left as they are though the action fits their state.
    pub skipped: Vec<BulkRunSkipped>,
}

/// A run that is left as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BulkRunSkipped {
    /// Its id.
    pub id: String,
    /// Why.
    pub why: String,
}

/// Stops, or begins anew, all runs that match; of those that would train the same task the newest goes first.
#[utoipa::path(post, path = "/runs/bulk", tag = "runs", extensions(("x-role" = json!("trainer"))),
    request_body = BulkRuns, responses((status = 200, body = BulkRunsResult), (status = 422, body = Problem)))]
async fn act_on_runs(Acting(engine): Acting, Body(body): Body<BulkRuns>) -> Result<Reply<RunsReport>, Problem> {
    let action = match body.action {
        BulkRunAction::Cancel => RunAction::Cancel,
        BulkRunAction::Retry => RunAction::Retry,
    };
    let filter = RunFilter { task: body.task, state: body.state, kind: body.kind, ..RunFilter::default() };
    Ok(Reply(engine.act_on_runs(&filter, action, body.dry_run).await?))
}

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(act_on_runs))
}
