use std::time::Duration;

use axum::{
    body::Body,
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, Method, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::StreamExt as _;
use tokio::sync::watch;

use super::{Role, Who, operations::Demand, scope};
use crate::{
    problem::{Kind, Problem},
    state::AppState,
};

/// How often an open stream looks whether its session has expired, or was ended by another server of the database.
const LOOK: Duration = Duration::from_secs(5);

/// Lets a request through to its handler if who sends it has the role that the operation demands.
pub(crate) async fn authorize(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    // What no route matches is the page, which holds no data, or nothing.
    let Some(path) = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned()) else {
        return next.run(request).await;
    };
    let demand = state.operations.demand(request.method(), &path);
    let (changed, headers) = (state.auth.changed(), request.headers().clone());
    let asked = (request.method(), path.as_str(), request.uri());
    let admitted = admit(&state, demand, asked, &headers).await;
    match admitted.and_then(|who| state.operations.check_query(asked.0, asked.1, asked.2).map(|()| who)) {
        Err(problem) => problem.into_response(),
        Ok(who) => {
            if let Some(who) = who {
                request.extensions_mut().insert(who);
            }
            let response = next.run(request).await;
            match demand {
                Demand::Role(role) if is_stream(&response) => {
                    let ends = access_ends(state, changed, headers, role);
                    response.map(|body| Body::from_stream(body.into_data_stream().take_until(Box::pin(ends))))
                }
                _ => response,
            }
        }
    }
}

fn is_stream(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with("text/event-stream"))
}

/// Returns when who sent these headers hasn't the role any longer.
async fn access_ends(state: AppState, mut changed: watch::Receiver<()>, headers: HeaderMap, role: Role) {
    loop {
        let _ = tokio::time::timeout(LOOK, changed.changed()).await;
        // A database that is away for a moment takes nothing away.
        if let Ok(who) = state.auth.identify(&state.engine, &headers).await
            && who.is_none_or(|who| !who.role.may(role))
        {
            return;
        }
    }
}

async fn admit(
    state: &AppState,
    demand: Demand,
    (method, path, uri): (&Method, &str, &Uri),
    headers: &HeaderMap,
) -> Result<Option<Who>, Problem> {
    let who = state.auth.identify(&state.engine, headers).await?;
    if let Demand::Role(role) = demand {
        match &who {
            None => {
                let hint = "log in at `/api/v1/session`, or send `Authorization: Bearer <token>`";
                return Err(Problem::new(Kind::Unauthenticated, "nobody is logged in").with_hint(hint));
            }
            Some(who) if !who.role.may(role) => {
                let detail = format!("this requires the role `{}`", role.name());
                return Err(Problem::new(Kind::Forbidden, detail).with_hint("ask an administrator"));
            }
            Some(Who { task: Some(task), .. }) if !scope::reaches(task, method, path, uri) => {
                let detail = format!("a review link reaches the examples of task `{task}` and nothing else");
                return Err(
                    Problem::new(Kind::Forbidden, detail).with_hint("log in with a name and a password for the rest")
                );
            }
            Some(_) => {}
        }
    }
    let by_cookie = who.as_ref().is_some_and(|who| who.by_cookie);
    if by_cookie && changes_state(method) && !headers.contains_key("x-graft-csrf") {
        return Err(Problem::new(Kind::Forbidden, "send the header `X-Graft-CSRF: 1` along with the cookie"));
    }
    Ok(who)
}

/// Whether a method may change something.
pub(crate) fn changes_state(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}
