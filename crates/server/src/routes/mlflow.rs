//! `/mlflow`: runs of experiments there, whoever made them.

use graft_engine::MlflowRuns;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    extract::{Acting, Params, Reply},
    problem::Problem,
    state::AppState,
};

/// Which runs are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Name or id of the experiment; a task's is `graft/TASK`.
    experiment: String,
    /// An expression in MLflow's language, such as `metrics.loss < 1`.
    filter: Option<String>,
    /// The task whose versions come beside the runs.
    task: Option<String>,
    /// Maximum number of runs, at most 5000.
    #[param(minimum = 1, maximum = 5000, default = 200)]
    limit: Option<u32>,
}

/// Reads the newest runs of an experiment from the MLflow server that is configured, with params and metrics, to compare them with
/// versions of a task.
#[utoipa::path(get, path = "/mlflow/runs", tag = "runs", extensions(("x-role" = json!("viewer"))), params(Wanted),
    responses((status = 200, body = MlflowRuns), (status = 404, body = Problem), (status = 422, body = Problem)))]
async fn list_mlflow_runs(
    Acting(engine): Acting,
    Params(Wanted { experiment, filter, task, limit }): Params<Wanted>,
) -> Result<Reply<MlflowRuns>, Problem> {
    let (filter, most) = (filter.unwrap_or_default(), limit.unwrap_or(200).clamp(1, 5000) as usize);
    Ok(Reply(engine.tracking().mlflow_runs(&experiment, &filter, most, task.as_deref()).await?))
}

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list_mlflow_runs))
}
