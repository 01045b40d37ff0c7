//! `/stats`: statistics of the approved examples.

use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use graft_engine::{Engine, Integration, StatsReport};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    extract::{Acting, Params, Reply},
    problem::Problem,
    state::AppState,
    work,
};

/// Which task.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Default: the task with the Slack integration.
    task: Option<String>,
}

impl Wanted {
    async fn task(self, engine: &Engine) -> Result<String, Problem> {
        match self.task {
            Some(task) => Ok(task),
            None => Ok(engine.tasks().with(Integration::Slack).await?.name),
        }
    }
}

/// Statistics of a task's approved examples.
#[utoipa::path(get, path = "/stats", tag = "stats", extensions(("x-role" = json!("viewer"))), params(Wanted),
    responses((status = 200, body = StatsReport)))]
async fn show_stats(Acting(engine): Acting, Params(wanted): Params<Wanted>) -> Result<Reply<StatsReport>, Problem> {
    let report = move || async move {
        let task = wanted.task(&engine).await?;
        Ok::<_, Problem>(engine.examples().report(&task).await?)
    };
    Ok(Reply(work::apart(report).await??))
}

/// A CSV table with one line per item (or per example, for tasks without items).
#[utoipa::path(get, path = "/stats.csv", tag = "stats", extensions(("x-role" = json!("viewer"))), params(Wanted),
    responses((status = 200, body = String, content_type = "text/csv")))]
async fn export_stats(Acting(engine): Acting, Params(wanted): Params<Wanted>) -> Result<Response, Problem> {
    let export = move || async move {
        let task = wanted.task(&engine).await?;
        Ok::<_, Problem>(engine.examples().csv(&task).await?)
    };
    let csv = work::apart(export).await??;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8")),
        (header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"stats.csv\"")),
    ];
    Ok((headers, csv).into_response())
}

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(show_stats)).routes(routes!(export_stats))
}
