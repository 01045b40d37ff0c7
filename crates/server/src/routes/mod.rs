//! The routes, one file per resource. Each operation declares the role it requires as `x-role`; [`crate::auth`] enforces
//! it.

pub mod admin;
pub mod agents;
pub mod bases;
pub mod batches;
pub mod changes;
pub mod datasets;
pub mod definitions;
pub mod events;
pub mod examples;
pub mod guidelines;
pub mod health;
pub mod imports;
pub mod infer;
pub mod live_adapters;
pub mod machines;
pub mod mlflow;
pub mod openai;
pub mod presence;
pub mod prompts;
pub mod rollouts;
pub mod run_bulk;
pub mod run_types;
pub mod runs;
pub mod schedules;
pub mod session;
pub mod settings;
pub mod stats;
pub mod studies;
pub mod system;
pub mod tables;
pub mod tasks;
pub mod tokens;
pub mod training;
pub mod understand;
pub mod upstreams;
pub mod users;
pub mod versions;

use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;

use crate::state::AppState;

/// Which part of a list is wanted.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Page {
    /// Maximum number, at most 500.
    #[param(minimum = 1, maximum = 500, default = 50)]
    pub limit: Option<u32>,
    /// Number to skip at the start.
    #[param(default = 0)]
    pub offset: Option<u32>,
}

impl Page {
    /// How many, from 1 to 500.
    pub(crate) fn limit(self) -> u32 {
        self.limit.unwrap_or(50).clamp(1, 500)
    }

    /// How many to leave out.
    pub(crate) fn offset(self) -> u32 {
        self.offset.unwrap_or(0)
    }

    /// This part of a list that is whole already.
    pub(crate) fn of<T>(self, list: Vec<T>) -> Vec<T> {
        list.into_iter().skip(self.offset() as usize).take(self.limit() as usize).collect()
    }
}

/// Everything under `/api/v1`.
pub(crate) fn api() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .merge(tasks::router())
        .merge(studies::router())
        .merge(mlflow::router())
        .merge(batches::router())
        .merge(training::router())
        .merge(understand::router())
        .merge(upstreams::router())
        .merge(definitions::router())
        .merge(guidelines::router())
        .merge(examples::router())
        .merge(presence::router())
        .merge(imports::router())
        .merge(infer::router())
        .merge(datasets::router())
        .merge(live_adapters::router())
        .merge(agents::router())
        .merge(rollouts::router())
        .merge(runs::router())
        .merge(run_bulk::router())
        .merge(events::router())
        .merge(versions::router())
        .merge(stats::router())
        .merge(settings::router())
        .merge(tables::router())
        .merge(admin::router())
        .merge(users::router())
        .merge(tokens::router())
        .merge(changes::router())
        .merge(schedules::router())
        .merge(machines::router())
        .merge(prompts::router())
        .merge(bases::router())
        .merge(system::router())
        .merge(session::router())
}
