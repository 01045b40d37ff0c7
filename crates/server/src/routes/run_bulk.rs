//! `/runs/bulk`: actions on many runs at once.

use graft_engine::{
    RunAction, RunsReport,
    records::{RunFilter, RunKind, RunState},
};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    extract::{Acting, Body, Reply},
    problem::Problem,
    state::AppState,
    work,
};

/// The same for all runs that match.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BulkRuns {
    /// What to do.
    action: RunAction,
    /// Only of this task.
    #[serde(default)]
    task: Option<String>,
    /// Only in this state.
    #[serde(default)]
    state: Option<RunState>,
    /// Only of this kind.
    #[serde(default)]
    kind: Option<RunKind>,
    /// Only reports the changes; changes nothing.
    #[serde(default)]
    dry_run: bool,
}

/// Stops or restarts all matching runs; if several would train the same task, only the newest is restarted.
#[utoipa::path(post, path = "/runs/bulk", tag = "runs", extensions(("x-role" = json!("trainer"))),
    request_body = BulkRuns, responses((status = 200, body = RunsReport), (status = 422, body = Problem)))]
async fn act_on_runs(Acting(engine): Acting, Body(body): Body<BulkRuns>) -> Result<Reply<RunsReport>, Problem> {
    let filter = RunFilter { task: body.task, state: body.state, kind: body.kind, ..RunFilter::default() };
    // Checkpoints of runs that begin anew are removed.
    let act = move || async move { engine.runs().act_on_all(&filter, body.action, body.dry_run).await };
    Ok(Reply(work::apart(act).await??))
}

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(act_on_runs))
}
