//! `/presence`: who has which example open.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    extract::{Acting, Asking, Body, Reply},
    presence::{Place, Seat},
    problem::Problem,
    state::AppState,
};

/// Longest name of a page, and longest task and id, in bytes.
const LONGEST: usize = 512;

/// Where a page is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Sit {
    /// The page's own name, made up once when it is opened.
    page: String,
    /// The example that it has open; none when it leaves.
    #[serde(default)]
    at: Option<Place>,
}

/// Which pages have which examples open.
#[derive(Debug, Serialize, ToSchema)]
pub struct Seats {
    /// Every page that has an example open, the asking one included.
    pub(crate) seats: Vec<Seat>,
}

/// Reports which example a page has open, for 25 seconds; `/events` sends it to other pages as `presence`.
/// A review link hears only of the examples of its task.
#[utoipa::path(put, path = "/presence", tag = "examples", extensions(("x-role" = json!("auditor"))),
    request_body = Sit, responses((status = 200, body = Seats), (status = 422, body = Problem)))]
async fn sit(
    State(state): State<AppState>,
    Asking(who): Asking,
    Acting(engine): Acting,
    Body(Sit { page, at }): Body<Sit>,
) -> Result<Reply<Seats>, Problem> {
    let within = |text: &str| (1..=LONGEST).contains(&text.len());
    if !within(&page) {
        return Err(Problem::field("page", "a name of 1 to 512 bytes"));
    }
    if at.as_ref().is_some_and(|place| !within(&place.task) || !within(&place.id)) {
        return Err(Problem::field("at", "a task and an id of 1 to 512 bytes"));
    }
    if let (Some(only), Some(place)) = (&who.task, &at)
        && *only != place.task
    {
        return Err(Problem::field("at", "an example of the task of this review link"));
    }
    let word = state.presence.word(&page, &engine.by, at.as_ref());
    let mut seats = state.presence.sit(&page, &engine.by, at);
    if let Some(only) = &who.task {
        seats.retain(|seat| seat.task == *only);
    }
    // Nothing rests on it, and the page says it again.
    if let Err(error) = engine.people().send_message(&word).await {
        tracing::debug!(error = ?error, "cannot send presence to the other servers");
    }
    Ok(Reply(Seats { seats }))
}

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(sit))
}
