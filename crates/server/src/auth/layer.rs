use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, Method},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{Who, roles::Demand};
use crate::{
    problem::{Kind, Problem},
    state::AppState,
};

/// Lets a request through to its handler if who sends it has the role that the operation demands.
pub(crate) async fn authorize(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    // What no route matches is the page, which holds no data, or nothing.
    let Some(path) = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned()) else {
        return next.run(request).await;
    };
    match admit(&state, request.method(), request.headers(), &path).await {
        Err(problem) => problem.into_response(),
        Ok(who) => {
            if let Some(who) = who {
                request.extensions_mut().insert(who);
            }
            next.run(request).await
        }
    }
}

async fn admit(state: &AppState, method: &Method, headers: &HeaderMap, path: &str) -> Result<Option<Who>, Problem> {
    let demand = state.roles.demand(method, path);
    let who = state.auth.identify(&state.engine, headers).await?;
    if let Demand::AtLeast(role) = demand {
        match &who {
            None => {
                let hint = "log in at `/api/v1/session`, or send `Authorization: Bearer <token>`";
                return Err(Problem::new(Kind::Unauthenticated, "nobody is logged in").with_hint(hint));
            }
            Some(who) if who.role < role => {
                let detail = format!("this takes the role `{}`", graft_store::Role::from(role).name());
                return Err(Problem::new(Kind::Forbidden, detail).with_hint("ask an administrator"));
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
