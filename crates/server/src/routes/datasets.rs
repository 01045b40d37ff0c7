//! `/datasets`: the datasets that versions were trained and evaluated on.

use graft_core::{Dataset, Digest};
use graft_engine::records::DatasetInfo;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::Page;
use crate::{
    extract::{Acting, At, Params, Reply},
    problem::{Kind, Problem},
    state::AppState,
};

/// The datasets there are.
#[derive(Debug, Serialize, ToSchema)]
pub struct DatasetList {
    /// Newest first.
    datasets: Vec<DatasetInfo>,
    /// How many, on all pages.
    total: u64,
}

/// A dataset with its examples.
#[derive(Debug, Serialize, ToSchema)]
pub struct DatasetDetail {
    /// Its task.
    task: String,
    /// Its digest.
    digest: Digest,
    /// Learned from.
    train: Vec<graft_core::Example>,
    /// Held out.
    eval: Vec<graft_core::Example>,
    /// Approved, but not used because a near-duplicate is held out.
    leaking: Vec<String>,
}

/// Which part of a list, of which task.
#[derive(Debug, serde::Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Only of this task.
    task: Option<String>,
    /// Maximum number, at most 500.
    #[param(minimum = 1, maximum = 500, default = 50)]
    limit: Option<u32>,
    /// Number to skip at the start.
    offset: Option<u32>,
}

/// The datasets of a task or of all, newest first.
#[utoipa::path(get, path = "/datasets", tag = "datasets", extensions(("x-role" = json!("viewer"))), params(Wanted),
    responses((status = 200, body = DatasetList)))]
async fn list_datasets(Acting(engine): Acting, Params(wanted): Params<Wanted>) -> Result<Reply<DatasetList>, Problem> {
    let page = Page { limit: wanted.limit, offset: wanted.offset };
    let found = engine.examples().datasets(wanted.task.as_deref()).await?;
    let total = found.len() as u64;
    Ok(Reply(DatasetList { datasets: page.of(found), total }))
}

/// A dataset as it was stored, even if its examples have changed since.
#[utoipa::path(get, path = "/datasets/{task}/{digest}", tag = "datasets",
    extensions(("x-role" = json!("viewer"))), params(("task" = String, Path), ("digest" = String, Path)),
    responses((status = 200, body = DatasetDetail), (status = 404, body = Problem)))]
async fn show_dataset(
    Acting(engine): Acting,
    At((task, digest)): At<(String, String)>,
) -> Result<Reply<DatasetDetail>, Problem> {
    let digest: Digest = digest.parse().map_err(|error| Problem::new(Kind::NotFound, format!("failed to {error}")))?;
    let Dataset { digest, train, eval, leaking, .. } = engine.examples().dataset(&task, &digest).await?;
    Ok(Reply(DatasetDetail { task, digest, train, eval, leaking }))
}

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list_datasets)).routes(routes!(show_dataset))
}
