//! All errors that a client sees, built in one place (RFC 9457).

use axum::{
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use graft_core::{ExitCode, json};
use graft_engine::records::Error as StoreError;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::{advice, outage, routes::openai};

/// Seconds after which a server that ends has usually been started again.
pub(crate) const RESTART: u64 = 5;
/// Seconds after which another try is worthwhile where a person has to act first.
pub(crate) const BY_PERSON: u64 = 60;

/// A problem with one field of a request.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FieldProblem {
    /// The field's name, dotted where it is nested.
    pub field: String,
    /// What is wrong with it.
    pub detail: String,
}

/// An error as `application/problem+json`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Problem {
    /// Names the kind of problem; stable, so that programs may look at it.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What went wrong this time.
    pub detail: String,
    /// What the user can do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Which fields are wrong, where it is about fields.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldProblem>,
    /// What else belongs to this kind of problem, such as `run` or `current`.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    pub extras: Map<String, Value>,
}

/// The kinds of problems: status, `type` and title.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// 400: the request makes no sense.
    BadRequest,
    /// 401: not logged in.
    Unauthenticated,
    /// 403: the role doesn't allow it, or the request comes from elsewhere.
    Forbidden,
    /// 404.
    NotFound,
    /// 405.
    MethodNotAllowed,
    /// 408: the request took too long to arrive.
    RequestTimeout,
    /// 409: the state has changed, or another object conflicts.
    Conflict,
    /// 412: the `If-Match` is not what is stored.
    PreconditionFailed,
    /// 413.
    TooLarge,
    /// 415: not JSON.
    UnsupportedMediaType,
    /// 421: another host's name.
    Misdirected,
    /// 422: well formed, but it can't be done.
    Unprocessable,
    /// 428: an `If-Match` is demanded.
    PreconditionRequired,
    /// 429.
    TooManyRequests,
    /// 500: a bug.
    Internal,
    /// 502: a remote service failed.
    BadGateway,
    /// 503: busy or unable to write now.
    Unavailable,
    /// 507: disk or memory is full.
    InsufficientStorage,
}

impl Kind {
    fn parts(self) -> (StatusCode, &'static str, &'static str) {
        use StatusCode as S;
        match self {
            Self::BadRequest => (S::BAD_REQUEST, "bad-request", "The request is invalid"),
            Self::Unauthenticated => (S::UNAUTHORIZED, "unauthenticated", "Log in first"),
            Self::Forbidden => (S::FORBIDDEN, "forbidden", "This is not allowed"),
            Self::NotFound => (S::NOT_FOUND, "not-found", "Not found"),
            Self::MethodNotAllowed => (S::METHOD_NOT_ALLOWED, "method-not-allowed", "Method not allowed"),
            Self::RequestTimeout => (S::REQUEST_TIMEOUT, "timeout", "The request took too long"),
            Self::Conflict => (S::CONFLICT, "conflict", "The state has changed"),
            Self::PreconditionFailed => (S::PRECONDITION_FAILED, "changed", "Somebody else changed it"),
            Self::TooLarge => (S::PAYLOAD_TOO_LARGE, "too-large", "The request is too large"),
            Self::UnsupportedMediaType => (S::UNSUPPORTED_MEDIA_TYPE, "media-type", "The content type is wrong"),
            Self::Misdirected => (S::MISDIRECTED_REQUEST, "wrong-host", "The host name is not one of this server"),
            Self::Unprocessable => (S::UNPROCESSABLE_ENTITY, "unprocessable", "The values are invalid"),
            Self::PreconditionRequired => (S::PRECONDITION_REQUIRED, "precondition-required", "If-Match is missing"),
            Self::TooManyRequests => (S::TOO_MANY_REQUESTS, "too-many-requests", "Too many requests"),
            Self::Internal => (S::INTERNAL_SERVER_ERROR, "internal", "Something unexpected happened"),
            Self::BadGateway => (S::BAD_GATEWAY, "remote-failed", "A remote service failed"),
            Self::Unavailable => (S::SERVICE_UNAVAILABLE, "unavailable", "The service is temporarily unavailable"),
            Self::InsufficientStorage => (S::INSUFFICIENT_STORAGE, "storage-full", "Disk or memory is full"),
        }
    }
}

impl Problem {
    /// A problem of a kind; `detail` is a sentence or a fragment for people.
    #[must_use]
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        let (status, name, title) = kind.parts();
        Self {
            kind: format!("urn:graft:problem:{name}"),
            title: title.to_owned(),
            status: status.as_u16(),
            detail: detail.into(),
            hint: None,
            errors: Vec::new(),
            extras: Map::new(),
        }
    }

    /// The same with what the user can do about it.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same with one more member.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Serialize) -> Self {
        self.extras.insert(name.to_owned(), json::value(&value));
        self
    }

    /// The same with one more wrong field.
    #[must_use]
    pub fn with_field(mut self, field: impl Into<String>, detail: impl Into<String>) -> Self {
        self.errors.push(FieldProblem { field: field.into(), detail: detail.into() });
        self
    }

    /// Seconds until another try is worthwhile, for refusals that pass.
    pub(crate) fn wait(&self) -> Option<u64> {
        let known = self.extras.get("retry_after").and_then(Value::as_u64);
        match self.status {
            429 => Some(known.unwrap_or(1)),
            503 => Some(known.unwrap_or(RESTART)),
            _ => None,
        }
    }

    /// A wrong field of a well-formed request.
    #[must_use]
    pub fn field(field: &str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self::new(Kind::Unprocessable, format!("`{field}`: {detail}")).with_field(field, detail)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let wait = self.wait();
        let body = json::line(&self);
        let mut response = (status, body).into_response();
        response.extensions_mut().insert(self);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(wait) = wait {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(wait));
        }
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        graft_engine::Error::from(error).into()
    }
}

impl From<graft_engine::Error> for Problem {
    fn from(error: graft_engine::Error) -> Self {
        let kind = kind_of(&error);
        let mut problem = Self::new(kind, message(&error));
        problem.hint = hint(&error);
        if kind.parts().0.is_server_error() {
            tracing::error!(error = ?error, "a request failed");
        }
        if kind == Kind::Unavailable {
            let wait = match &error {
                graft_engine::Error::Store(error) => outage::wait(error),
                _ => None,
            };
            problem = problem.with("retry_after", wait.unwrap_or(BY_PERSON));
        }
        match &error {
            graft_engine::Error::Store(StoreError::RunActive { run, .. }) => problem.with("run", run),
            graft_engine::Error::Store(StoreError::ActiveChanged { found, .. }) => problem.with("current", found),
            graft_engine::Error::Store(StoreError::Conflict { current }) => problem.with("current", current),
            graft_engine::Error::Tasks(graft_engine::TaskError::BadTask { field, reason, .. }) => {
                problem.with_field(field.clone(), reason.clone())
            }
            graft_engine::Error::Tasks(graft_engine::TaskError::BadTemplate { field, reason, .. }) => {
                problem.with_field(field.clone(), reason.clone())
            }
            graft_engine::Error::BadUpstream { field, reason, .. } => problem.with_field(*field, reason.clone()),
            graft_engine::Error::MixesLabels { has, new, .. } => {
                problem.with_field("mix_labels", format!("the task has the labels {has}, and none of {new}"))
            }
            graft_engine::Error::NotReady(preflight) => {
                problem.with("problems", advice::of_preflight((**preflight).clone()).problems)
            }
            graft_engine::Error::NotBetter { comparison, .. } => problem.with("comparison", comparison),
            graft_engine::Error::Setting(graft_core::Error::OutOfRange { field, hint, .. }) => {
                problem.with_field(field.replace('-', "_"), *hint)
            }
            _ => problem,
        }
    }
}

/// What the user can do about it over HTTP, where the commands would name their flags.
fn hint(error: &graft_engine::Error) -> Option<String> {
    use graft_engine::Error as E;
    let hint = match error {
        E::WhichExample { .. } | E::WhichTask { .. } => "name the task in `task`",
        E::NoActive { .. } => {
            "name a version in `version`, or make one active: `POST /api/v1/versions/{task}/{name}/activate`"
        }
        E::NotEvaluated { .. } => {
            "evaluate it: in its menu on the page, or with `POST /api/v1/versions/{task}/{name}/evaluate`"
        }
        E::NotBetter { contestant: None, .. } => "`\"force\": true` activates it anyway",
        E::NotBetter { .. } => {
            "serve the better one (on the page, under Versions), or activate this one anyway with `\"force\": true`"
        }
        E::Hub(graft_engine::HubError::TermsNotAccepted { terms, .. }) => {
            return Some(format!("read the terms at {terms}; `\"terms_accepted\": true` accepts them"));
        }
        E::Hub(graft_engine::HubError::Missing { reference }) => {
            return Some(format!("download `{reference}` under Settings, Base models, or with `POST /api/v1/bases`"));
        }
        E::Hub(graft_engine::HubError::NotInstalled { .. }) => "`GET /api/v1/bases` lists the base models",
        E::MixesLabels { .. } => "choose another task, or mix the labels with `mix_labels`",
        E::Store(StoreError::VersionActive { .. }) => "make another version active first, or use `force`",
        other => return advice::hint(other),
    };
    Some(hint.to_owned())
}

/// The error with its causes, as one sentence.
fn message(error: &graft_engine::Error) -> String {
    let mut text = format!("failed to {error}");
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let said = cause.to_string();
        if !text.contains(&said) {
            text += &format!(": {said}");
        }
        source = cause.source();
    }
    text
}

fn kind_of(error: &graft_engine::Error) -> Kind {
    use graft_engine::Error as E;
    match error {
        E::Store(error) => kind_of_store(error),
        E::NoActive { .. } | E::WhichExample { .. } => Kind::NotFound,
        E::RunBusy { .. }
        | E::NotBetter { .. }
        | E::BadVersion { .. }
        | E::NoResult { .. }
        | E::NotEvaluated { .. } => Kind::Conflict,
        E::OtherBase { .. } | E::Archived { .. } | E::BuiltInTask { .. } => Kind::Conflict,
        E::NoExamples { .. } | E::NothingToLearn { .. } | E::AllHeldOut { .. } => Kind::Unprocessable,
        E::Setting(_)
        | E::Unsupported(_)
        | E::WhichTask { .. }
        | E::NoAdapter { .. }
        | E::Contestant(_)
        | E::BadDestination(_)
        | E::BadAddress(_) => Kind::Unprocessable,
        E::Cloud(error) if error.exit_code() == ExitCode::Usage => Kind::Unprocessable,
        other => of_disk(other).unwrap_or_else(|| by_exit_code(other.exit_code(), &other.to_string())),
    }
}

/// What a disk that refuses means over HTTP, if that is the cause.
fn of_disk(error: &graft_engine::Error) -> Option<Kind> {
    use std::io::ErrorKind as K;
    let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    let refused = causes.filter_map(|cause| cause.downcast_ref::<std::io::Error>()).last()?;
    match refused.kind() {
        K::StorageFull | K::QuotaExceeded | K::FileTooLarge => Some(Kind::InsufficientStorage),
        K::ReadOnlyFilesystem | K::PermissionDenied => Some(Kind::Unavailable),
        _ => None,
    }
}

fn kind_of_store(error: &StoreError) -> Kind {
    match error {
        StoreError::NoExample { .. }
        | StoreError::NoDataset { .. }
        | StoreError::NoRun(_)
        | StoreError::NoVersion { .. }
        | StoreError::NoRollout { .. }
        | StoreError::NoBase(_)
        | StoreError::NoPrompt(_)
        | StoreError::NoSchedule(_)
        | StoreError::NoStudy(_)
        | StoreError::NoBatch(_)
        | StoreError::NoMachine(_)
        | StoreError::NoLive(_)
        | StoreError::NoTask(_)
        | StoreError::NotFound { .. } => Kind::NotFound,
        StoreError::RunExists(_)
        | StoreError::BatchExists(_)
        | StoreError::BatchState { .. }
        | StoreError::PartLost { .. }
        | StoreError::TaskExists(_)
        | StoreError::TaskChanged { .. }
        | StoreError::RunActive { .. }
        | StoreError::RunState { .. }
        | StoreError::VersionExists { .. }
        | StoreError::ActiveChanged { .. }
        | StoreError::VersionActive { .. }
        | StoreError::SplitChanged { .. }
        | StoreError::Conflict { .. }
        | StoreError::NothingToUndo { .. }
        | StoreError::BadStage { .. }
        | StoreError::RolloutRefused { .. }
        | StoreError::AgentRefused { .. }
        | StoreError::NoAdmin
        | StoreError::LeaseHeld { .. }
        | StoreError::LeaseLost { .. }
        | StoreError::ScheduleExists(_)
        | StoreError::StudyActive { .. }
        | StoreError::MachineExists(_)
        | StoreError::MachineBusy { .. }
        | StoreError::ScheduleMoved(_)
        | StoreError::NothingBefore { .. } => Kind::Conflict,
        StoreError::UnknownName { .. }
        | StoreError::BadName { .. }
        | StoreError::BadExample { .. }
        | StoreError::KeyReused(_)
        | StoreError::NoOutput { .. } => Kind::Unprocessable,
        StoreError::Locked(_)
        | StoreError::Unreachable(_)
        | StoreError::NoConnection(_)
        | StoreError::ReadOnly(_)
        | StoreError::Refused { .. } => Kind::Unavailable,
        StoreError::Disk(_) => Kind::InsufficientStorage,
        StoreError::Partly { source, .. } => kind_of_store(source),
        other => by_exit_code(other.exit_code(), ""),
    }
}

/// What an exit code of the command line means over HTTP.
fn by_exit_code(code: ExitCode, said: &str) -> Kind {
    match code {
        ExitCode::Usage if said.starts_with("find ") => Kind::NotFound,
        ExitCode::Usage | ExitCode::BadData | ExitCode::ModelMissing => Kind::Unprocessable,
        ExitCode::OutOfMemory => Kind::InsufficientStorage,
        ExitCode::Network => Kind::BadGateway,
        ExitCode::NotBetter | ExitCode::Stopped => Kind::Conflict,
        ExitCode::Success | ExitCode::Internal | ExitCode::Diverged => Kind::Internal,
    }
}

/// A handler's panic, which is a bug: logged, and told without its text.
pub(crate) fn of_panic(panic: Box<dyn std::any::Any + Send>) -> Response {
    let said = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    tracing::error!(panic = said.unwrap_or("no text"), "a handler panicked");
    Problem::new(Kind::Internal, "the server failed on this request because of a bug").into_response()
}

/// A path that has no such method.
pub(crate) async fn method_not_allowed() -> Problem {
    Problem::new(Kind::MethodNotAllowed, "the path has no such method").with_hint("`/openapi.json` describes it")
}

/// Gives the errors of layers, which have no body, the form of all others; and all errors under `/v1` OpenAI's.
pub(crate) async fn in_form(request: Request, next: Next) -> Response {
    let of_openai = request.uri().path().starts_with("/v1/");
    let mut response = with_body(next.run(request).await);
    match response.extensions_mut().remove::<Problem>() {
        Some(problem) if of_openai => openai::in_form(problem, response),
        _ => response,
    }
}

fn with_body(response: Response) -> Response {
    let status = response.status();
    let bare = response.headers().get(header::CONTENT_TYPE).is_none();
    if !bare || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let (kind, detail) = match status {
        StatusCode::SERVICE_UNAVAILABLE => (Kind::Unavailable, "the server did not finish the request in time"),
        StatusCode::REQUEST_TIMEOUT => (Kind::RequestTimeout, "the request did not arrive in time"),
        StatusCode::PAYLOAD_TOO_LARGE => (Kind::TooLarge, "the body is longer than this path allows"),
        StatusCode::NOT_FOUND => (Kind::NotFound, "there is nothing here"),
        status if status.is_server_error() => (Kind::Internal, "the server has a bug"),
        _ => (Kind::BadRequest, "the request is invalid"),
    };
    let problem = Problem::new(kind, detail);
    // What takes so long needs less load, or a person.
    let problem = if kind == Kind::Unavailable { problem.with("retry_after", BY_PERSON) } else { problem };
    problem.into_response()
}

impl From<crate::Error> for Problem {
    fn from(error: crate::Error) -> Self {
        let (hint, code) = (error.hint(), error.exit_code());
        match error {
            crate::Error::Engine(error) => error.into(),
            other => {
                let mut problem = Self::new(by_exit_code(code, ""), format!("failed to {other}"));
                problem.hint = hint.and_then(|hint| advice::over_http(&hint));
                problem
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn temporary_refusal_has_retry_after() {
        let answer = |kind: Kind, wait: Option<u64>| {
            let problem = Problem::new(kind, "no room");
            let problem = wait.into_iter().fold(problem, |problem, wait| problem.with("retry_after", wait));
            let response = problem.into_response();
            let told = response.headers().get(header::RETRY_AFTER).map(|wait| wait.to_str().unwrap().to_owned());
            (response.status().as_u16(), told)
        };
        assert_eq!(answer(Kind::TooManyRequests, Some(7)), (429, Some("7".into())));
        assert_eq!(answer(Kind::TooManyRequests, None), (429, Some("1".into())));
        assert_eq!(answer(Kind::Unavailable, Some(30)), (503, Some("30".into())));
        assert_eq!(answer(Kind::Unavailable, None), (503, Some("5".into())));
        assert_eq!(answer(Kind::Unprocessable, Some(7)), (422, None), "who is wrong need not come back");
    }

    #[test]
    fn database_errors_say_when_another_try_is_worthwhile() {
        let wait = |error: StoreError| {
            let response = Problem::from(error).into_response();
            let told = response.headers().get(header::RETRY_AFTER).and_then(|wait| wait.to_str().ok()?.parse().ok());
            (response.status().as_u16(), told.unwrap_or(0_u64))
        };
        let (status, locked) = wait(StoreError::Locked("a lock".into()));
        assert!(status == 503 && locked >= 5, "{locked}: the request has waited for 5 s");
        assert_eq!(wait(StoreError::ReadOnly("read-only".into())), (503, BY_PERSON));
    }

    #[test]
    fn disk_errors_are_not_internal_errors() {
        let of = |kind: std::io::ErrorKind| {
            let (doing, path) = ("write", "tables.toml".into());
            Problem::from(graft_engine::Error::Io { doing, path, source: kind.into() })
        };
        let (full, locked) = (of(std::io::ErrorKind::StorageFull), of(std::io::ErrorKind::ReadOnlyFilesystem));
        assert_eq!((full.status, locked.status), (507, 503));
        assert!(full.hint.is_some_and(|hint| hint.contains("free space")), "{:?}", full.detail);
    }
}
