//! `/schedules`: trainings that are queued at given times.

use graft_engine::{RunRequest, ScheduleConditions, records::Schedule};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    extract::{Acting, At, Body, Reply},
    problem::Problem,
    state::AppState,
};

/// Lists the schedules.
#[derive(Debug, Serialize, ToSchema)]
pub struct ScheduleList {
    /// By name.
    schedules: Vec<Schedule>,
    /// How many.
    total: u64,
}

/// A schedule to create.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSchedule {
    /// Its name. Default: the task's name.
    #[serde(default)]
    id: Option<String>,
    /// When: minute, hour, day of month, month, day of week; `0 3 * * *` is three o'clock each night. Empty: at no
    /// times, but after `after_new` approvals.
    #[serde(default)]
    cron: String,
    /// Its time zone, such as `Europe/Berlin`. Default: the machine's.
    #[serde(default)]
    zone: Option<String>,
    /// What is queued, as the body of `POST /runs`.
    request: RunRequest,
    /// At these times only with at least this many approved examples more than the last time.
    #[serde(default)]
    min_new: u64,
    /// As soon as there are this many approved examples more than the last time; 0: only at the times.
    #[serde(default)]
    after_new: u64,
    /// At these times although nothing has changed since the last time.
    #[serde(default)]
    even_unchanged: bool,
}

/// One schedule.
#[derive(Debug, Serialize, ToSchema)]
pub struct OneSchedule {
    schedule: Schedule,
}

/// Lists the schedules.
#[utoipa::path(get, path = "/schedules", tag = "schedules", extensions(("x-role" = json!("viewer"))),
    responses((status = 200, body = ScheduleList)))]
async fn list_schedules(Acting(engine): Acting) -> Result<Reply<ScheduleList>, Problem> {
    let schedules = engine.runs().schedules().await?;
    Ok(Reply(ScheduleList { total: schedules.len() as u64, schedules }))
}

/// Creates a schedule.
#[utoipa::path(post, path = "/schedules", tag = "schedules", extensions(("x-role" = json!("admin"))),
    request_body = NewSchedule,
    responses((status = 200, body = OneSchedule), (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn add_schedule(Acting(engine): Acting, Body(new): Body<NewSchedule>) -> Result<Reply<OneSchedule>, Problem> {
    let id = new.id.clone().unwrap_or_else(|| new.request.task.clone());
    let NewSchedule { cron, zone, request, min_new, after_new, even_unchanged, .. } = &new;
    let (zone, min_new, after_new) = (zone.as_deref(), *min_new, *after_new);
    let when = ScheduleConditions { cron, zone, min_new, after_new, even_unchanged: *even_unchanged };
    let schedule = engine.runs().add_schedule(&id, when, request).await?;
    Ok(Reply(OneSchedule { schedule }))
}

/// Removes a schedule.
#[utoipa::path(delete, path = "/schedules/{id}", tag = "schedules", extensions(("x-role" = json!("admin"))),
    params(("id" = String, Path)), responses((status = 200, body = OneSchedule), (status = 404, body = Problem)))]
async fn remove_schedule(Acting(engine): Acting, At(id): At<String>) -> Result<Reply<OneSchedule>, Problem> {
    let schedule = engine.runs().remove_schedule(&id).await?;
    Ok(Reply(OneSchedule { schedule }))
}

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list_schedules, add_schedule)).routes(routes!(remove_schedule))
}
