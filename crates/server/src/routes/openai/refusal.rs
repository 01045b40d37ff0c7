//! Errors as OpenAI's clients expect them.

use std::borrow::Cow;

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use graft_engine::{UpstreamError, serving::AnswerError};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    extract::Reply,
    problem::{BY_PERSON, Problem, RESTART},
    routes::infer::problem,
};

/// An error as OpenAI's clients expect it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OpenAiError {
    error: OpenAiDetail,
}

/// What it says.
#[derive(Debug, Serialize, ToSchema)]
struct OpenAiDetail {
    message: String,
    #[serde(rename = "type")]
    kind: &'static str,
    /// The field it is about.
    param: Option<Cow<'static, str>>,
    /// Names the kind of error, where OpenAI has a name for it.
    code: Option<&'static str>,
}

/// Why a request under `/v1` is refused.
pub(super) struct Refusal {
    status: StatusCode,
    message: String,
    code: Option<&'static str>,
    param: Option<Cow<'static, str>>,
    wait: Option<u64>,
}

impl Refusal {
    pub(super) fn bad(param: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        let (status, message) = (StatusCode::BAD_REQUEST, message.into());
        Self { status, message, code: None, param: Some(param.into()), wait: None }
    }

    /// Why there is no answer of an upstream. Its address and what it said are in the log only.
    fn of_upstream(error: &UpstreamError) -> Self {
        use UpstreamError as E;
        let status = match error {
            E::Unreachable(_) | E::NoKey(_) | E::BadKey(_) => StatusCode::SERVICE_UNAVAILABLE,
            E::Late => StatusCode::GATEWAY_TIMEOUT,
            E::Refused(_) | E::Redirected(_) | E::Broken | E::TooLong(_) => StatusCode::BAD_GATEWAY,
            E::BadRequest => StatusCode::BAD_REQUEST,
            E::Busy => StatusCode::TOO_MANY_REQUESTS,
        };
        let message = match error.hint() {
            Some(hint) => format!("failed to {error} ({hint})"),
            None => format!("failed to {error}"),
        };
        let wait = match error {
            E::Busy => Some(1),
            E::Unreachable(_) => Some(RESTART),
            E::NoKey(_) | E::BadKey(_) => Some(BY_PERSON),
            _ => None,
        };
        Self { status, message, code: Some("upstream_error"), param: None, wait }
    }

    fn kind(&self) -> &'static str {
        match self.status.as_u16() {
            401 => "authentication_error",
            403 => "permission_error",
            429 => "rate_limit_error",
            400..=499 => "invalid_request_error",
            _ => "server_error",
        }
    }

    pub(super) fn body(self) -> OpenAiError {
        let kind = self.kind();
        OpenAiError { error: OpenAiDetail { message: self.message, kind, param: self.param, code: self.code } }
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        let wait = problem.wait();
        let status = match problem.status {
            // OpenAI's API knows no other code for a request that can't be done.
            422 => StatusCode::BAD_REQUEST,
            other => StatusCode::from_u16(other).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        };
        let code = match status.as_u16() {
            404 => Some("model_not_found"),
            429 => Some("rate_limit_exceeded"),
            _ => None,
        };
        // Whoever calls this API has its addresses, and neither the commands of Graft nor its own API.
        let is_elsewhere = |hint: &String| ["`graft ", "`--", "/api/v1"].iter().any(|words| hint.contains(words));
        let message = match problem.hint.filter(|hint| !is_elsewhere(hint)) {
            Some(hint) => format!("{} ({hint})", problem.detail),
            None => problem.detail,
        };
        Self { status, message, code, param: code.filter(|_| status == 404).map(|_| "model".into()), wait }
    }
}

impl From<graft_engine::Error> for Refusal {
    fn from(error: graft_engine::Error) -> Self {
        if let graft_engine::Error::Upstream(error) = &error {
            return Self::of_upstream(error);
        }
        let is_bias = matches!(error, graft_engine::Error::Predict(AnswerError::BiasedToken { .. }));
        let mut problem = problem(error);
        if is_bias {
            return Self::bad("logit_bias", format!("logit_bias: {}", problem.detail));
        }
        if problem.status == 404 {
            problem.hint = Some("`GET /v1/models` lists the models".to_owned());
        }
        problem.into()
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, wait) = (self.status, self.wait);
        let mut response = (status, Reply(self.body())).into_response();
        if let Some(wait) = wait {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait));
        }
        response
    }
}

/// A problem that was found by a layer around the handlers of `/v1`: not logged in, no such path.
pub(crate) fn in_form(problem: Problem, met: Response) -> Response {
    let refusal = Refusal::from(problem);
    // What is missing is a path, no model.
    let code = Some("invalid_api_key").filter(|_| refusal.status == StatusCode::UNAUTHORIZED);
    let mut response = Refusal { code, param: None, ..refusal }.into_response();
    for (name, value) in met.headers() {
        if *name != header::CONTENT_TYPE && *name != header::CONTENT_LENGTH {
            response.headers_mut().insert(name.clone(), value.clone());
        }
    }
    response
}
