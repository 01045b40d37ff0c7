//! `/system`: state of the machine and the service.

use std::collections::BTreeMap;

use axum::extract::State;
use graft_core::Timestamp;
use graft_engine::{LastSweep, TrackerKind, records::Held};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    extract::{Acting, Reply},
    problem::Problem,
    state::AppState,
};

/// The machine and the service.
#[derive(Debug, Serialize, ToSchema)]
pub struct SystemView {
    /// Version of Graft.
    version: &'static str,
    /// Where state is stored.
    home: String,
    /// Bytes free there.
    disk_free: Option<u64>,
    /// Memory of the machine.
    memory: MemoryView,
    /// Path or URL of the database, without its password.
    database: String,
    /// Runs by state.
    queue: BTreeMap<String, u64>,
    /// What answers now.
    #[schema(value_type = Object)]
    serving: Value,
    /// Processes that take runs from the queue.
    workers: Vec<WorkerView>,
    /// Runs that those hold.
    leases: Vec<Held>,
    /// What the last sweep of the home found.
    #[serde(skip_serializing_if = "Option::is_none")]
    swept: Option<LastSweep>,
    /// Base models known.
    bases: Vec<graft_engine::records::Base>,
    /// External trackers to which runs are sent.
    trackers: Vec<TrackerKind>,
    /// When this server started.
    started_at: Timestamp,
}

/// Memory in bytes.
#[derive(Debug, Serialize, ToSchema)]
pub struct MemoryView {
    /// Of the machine, free for programs.
    available: Option<u64>,
    /// Of this process.
    resident: Option<u64>,
}

/// A process that takes runs from the queue.
#[derive(Debug, Serialize, ToSchema)]
pub struct WorkerView {
    /// Names it.
    id: String,
    /// Its machine.
    host: String,
    /// Its process there.
    pid: u32,
    /// CPU threads it gives to runs.
    slots: u32,
    /// When it was last heard of.
    seen_at: Timestamp,
}

/// The machine, the queue, the loaded versions, and the base models.
#[utoipa::path(get, path = "/system", tag = "system", extensions(("x-role" = json!("viewer"))),
    responses((status = 200, body = SystemView)))]
async fn show_system(State(state): State<AppState>, Acting(engine): Acting) -> Result<Reply<SystemView>, Problem> {
    let system = engine.upkeep().system().await?;
    let workers = system.workers.into_iter().map(|worker| WorkerView {
        id: worker.id,
        host: worker.host,
        pid: worker.pid,
        slots: worker.slots,
        seen_at: worker.seen_at,
    });
    Ok(Reply(SystemView {
        version: env!("CARGO_PKG_VERSION"),
        home: engine.home.path().display().to_string(),
        disk_free: system.disk_free,
        memory: MemoryView { available: system.memory_available, resident: crate::metrics::resident_memory() },
        database: engine.database().to_owned(),
        queue: system.runs,
        serving: state.serving_state(),
        workers: workers.collect(),
        leases: system.leases,
        swept: system.swept,
        bases: system.bases,
        trackers: engine.tracking().kinds(),
        started_at: state.started_at,
    }))
}

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(show_system))
}
