//! `/stats`: what the approved examples add up to.

use std::collections::BTreeMap;

use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    extract::{Acting, Params, Reply},
    problem::Problem,
    state::AppState,
};

/// Which task.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// `slack-rescue` otherwise.
    task: Option<String>,
}

impl Wanted {
    fn task(&self) -> &str {
        self.task.as_deref().unwrap_or("slack-rescue")
    }
}

/// What people's approved examples add up to.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StatsReport {
    /// The task.
    pub task: String,
    /// Approved examples.
    pub audited: usize,
    /// Items in them.
    pub items: usize,
    /// Pounds of them all.
    pub pounds: f64,
    /// Items whose weight nobody knows.
    pub unweighed: usize,
    /// Pounds by place of rescue.
    pub by_location: BTreeMap<String, f64>,
    /// Pounds by kind of food.
    pub by_subcategory: BTreeMap<String, f64>,
    /// Whether there are enough to train.
    pub ready: bool,
    /// Day by day, in the order of time.
    pub over_time: Vec<DayStats>,
    /// For each field of the answer (`items[].unit`), how often each of its twenty most frequent values is given.
    pub per_field: BTreeMap<String, BTreeMap<String, u64>>,
}

/// One day.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DayStats {
    /// `2026-11-21`, UTC, by the source's time.
    pub day: String,
    /// Approved examples of that day.
    pub audited: u64,
    /// Pounds of that day.
    pub pounds: f64,
}

/// What a task's approved examples add up to.
#[utoipa::path(get, path = "/stats", tag = "stats", extensions(("x-role" = json!("viewer"))), params(Wanted),
    responses((status = 200, body = StatsReport)))]
async fn show_stats(
    Acting(engine): Acting,
    Params(wanted): Params<Wanted>,
) -> Result<Reply<graft_engine::StatsReport>, Problem> {
    Ok(Reply(engine.stats_report(wanted.task()).await?))
}

/// One line an item (or an example, for tasks without items), for a spreadsheet.
#[utoipa::path(get, path = "/stats.csv", tag = "stats", extensions(("x-role" = json!("viewer"))), params(Wanted),
    responses((status = 200, body = String, content_type = "text/csv")))]
async fn export_stats(Acting(engine): Acting, Params(wanted): Params<Wanted>) -> Result<Response, Problem> {
    let csv = engine.stats_csv(wanted.task()).await?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8")),
        (header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"stats.csv\"")),
    ];
    Ok((headers, csv).into_response())
}

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(show_stats)).routes(routes!(export_stats))
}
