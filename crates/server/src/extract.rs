//! Extractors of handlers: like axum's, but errors are [`Problem`]s and unknown fields are refused.

use std::{convert::Infallible, sync::Arc};

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Path, Query, Request},
    http::{HeaderMap, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use graft_engine::Engine;
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    auth::{Peer, Who},
    problem::{Kind, Problem},
    state::AppState,
};

/// A JSON body.
#[derive(Debug)]
pub struct Body<T>(pub T);

/// The bytes of a JSON body.
#[derive(Debug)]
pub struct Raw(pub Bytes);

impl FromRequest<AppState> for Raw {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(Problem::new(Kind::UnsupportedMediaType, "send the body as `application/json`"));
        }
        Octets::from_request(request, state).await.map(|Octets(bytes)| Self(bytes))
    }
}

/// The bytes of a body of any kind.
#[derive(Debug)]
pub struct Octets(pub Bytes);

impl FromRequest<AppState> for Octets {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Problem> {
        let bytes = Bytes::from_request(request, state).await.map_err(|refusal| match refusal.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Problem::new(Kind::TooLarge, "the body is longer than this path allows"),
            _ if is_late(&refusal) => Problem::new(Kind::RequestTimeout, "the request did not arrive in time"),
            _ => Problem::new(Kind::BadRequest, "the body is incomplete"),
        })?;
        Ok(Self(bytes))
    }
}

impl Raw {
    /// What they say.
    pub(crate) fn parse<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        let mut json = serde_json::Deserializer::from_slice(&self.0);
        let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
            let field = error.path().to_string();
            refused(&field, error.inner())
        })?;
        json.end().map(|()| value).map_err(|error| refused(".", &error))
    }
}

impl<T: DeserializeOwned> FromRequest<AppState> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Problem> {
        Raw::from_request(request, state).await?.parse().map(Self)
    }
}

/// What is wrong with a body, and with which field of it; `.` is the whole.
fn refused(field: &str, error: &serde_json::Error) -> Problem {
    if error.classify() != serde_json::error::Category::Data {
        return Problem::new(Kind::BadRequest, format!("the body is not JSON: {error}"));
    }
    let problem = Problem::new(Kind::Unprocessable, format!("the body: {error}"));
    let problem = problem.with_hint("`/openapi.json` describes each field");
    if field == "." { problem } else { problem.with_field(field, error.to_string()) }
}

/// Whether a body can't be had because its sender dawdles.
fn is_late(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| error.source()).any(|error| error.is::<crate::pace::Late>())
}

/// Whether the content type is JSON.
pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || essence.starts_with("application/") && essence.ends_with("+json")
}

/// The parameters after the `?`.
#[derive(Debug)]
pub struct Params<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<AppState> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, Problem> {
        let query = Query::<T>::try_from_uri(&parts.uri);
        query.map(|Query(value)| Self(value)).map_err(|error| Problem::new(Kind::BadRequest, error.body_text()))
    }
}

/// Who asks.
#[derive(Debug)]
pub struct Asking(pub Who);

impl FromRequestParts<AppState> for Asking {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, Problem> {
        let who = parts.extensions.get::<Who>().cloned();
        who.map(Self).ok_or_else(|| Problem::new(Kind::Unauthenticated, "nobody is logged in"))
    }
}

/// The parameters within the path.
#[derive(Debug)]
pub struct At<T>(pub T);

impl<T: DeserializeOwned + Send> FromRequestParts<AppState> for At<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let path = Path::<T>::from_request_parts(parts, state).await;
        path.map(|Path(value)| Self(value)).map_err(|error| Problem::new(Kind::BadRequest, error.body_text()))
    }
}

/// The engine in the name of who asks.
#[derive(Debug)]
pub struct Acting(pub Engine);

impl FromRequestParts<AppState> for Acting {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let who = parts.extensions.get::<Who>().map(|who| who.name.as_str());
        Ok(Self(state.engine.as_user(who.unwrap_or("nobody"))))
    }
}

/// The client for the fair queue of answers: a user or token, or an address if no login is required.
#[derive(Debug)]
pub struct Client(pub Arc<str>);

impl FromRequestParts<AppState> for Client {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let address = || parts.extensions.get::<Peer>().map(|peer| peer.0.to_string().into());
        let who = parts.extensions.get::<Who>().filter(|_| state.auth.required());
        Ok(Self(who.map(|who| who.name.as_str().into()).or_else(address).unwrap_or_default()))
    }
}

/// Whether the client lets the text of its request be kept: the header `x-graft-record: no` forbids it.
#[derive(Clone, Copy, Debug)]
pub struct Recorded(pub bool);

impl Recorded {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        Self(!headers.get("x-graft-record").is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"no")))
    }
}

impl<S: Sync> FromRequestParts<S> for Recorded {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.headers))
    }
}

/// A JSON reply.
#[derive(Debug)]
pub struct Reply<T>(pub T);

impl<T: Serialize> IntoResponse for Reply<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

/// A JSON reply for an operation that continues in the background: 202.
#[derive(Debug)]
pub struct Accepted<T>(pub T);

impl<T: Serialize> IntoResponse for Accepted<T> {
    fn into_response(self) -> Response {
        (StatusCode::ACCEPTED, axum::Json(self.0)).into_response()
    }
}
