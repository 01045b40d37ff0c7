//! `/changes`: the audit trail.

use graft_engine::records::{Change, ChangeFilter, Kind};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    extract::{Acting, Params, Reply},
    problem::Problem,
    state::AppState,
};

/// Which changes are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Only changes of this kind of object.
    kind: Option<Kind>,
    /// Only of this task.
    task: Option<String>,
    /// Only changes of the object with this id or name.
    subject: Option<String>,
    /// Only those after this `seq`.
    after: Option<i64>,
    /// Only those before this `seq`.
    before: Option<i64>,
    /// Which come first. Default: the oldest.
    order: Option<ChangeOrder>,
    /// Maximum number, at most 500.
    #[param(minimum = 1, maximum = 500, default = 50)]
    limit: Option<u32>,
}

/// Which changes come first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ChangeOrder {
    /// The oldest.
    #[default]
    Oldest,
    /// The newest.
    Newest,
}

/// A part of the audit trail.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChangeList {
    /// In the order asked for.
    changes: Vec<Change>,
    /// The cursor for the next call: its `after`, or where the newest come first, its `before`.
    next: i64,
}

/// The audit trail from a cursor.
#[utoipa::path(get, path = "/changes", tag = "changes", extensions(("x-role" = json!("viewer"))), params(Wanted),
    responses((status = 200, body = ChangeList)))]
async fn list_changes(Acting(engine): Acting, Params(wanted): Params<Wanted>) -> Result<Reply<ChangeList>, Problem> {
    let newest = wanted.order.unwrap_or_default() == ChangeOrder::Newest;
    let after = wanted.after.unwrap_or(0).max(0);
    let filter = ChangeFilter {
        kind: wanted.kind,
        task: wanted.task,
        subject: wanted.subject,
        after,
        before: wanted.before,
        newest,
        limit: Some(wanted.limit.unwrap_or(50).clamp(1, 500)),
    };
    let changes = engine.upkeep().changes(&filter).await?;
    let next = changes.last().map_or(if newest { 0 } else { after }, |change| change.seq);
    Ok(Reply(ChangeList { changes, next }))
}

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list_changes))
}
