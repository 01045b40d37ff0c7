use std::collections::HashMap;

use axum::http::Method;
use utoipa::openapi::OpenApi;

use super::Role;

/// What each operation demands, read from the API's description, where it stands beside the handler.
#[derive(Debug)]
pub(crate) struct Roles(HashMap<(Method, String), Demand>);

/// What an operation demands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Demand {
    /// Nothing.
    Public,
    /// This role, or one that may do the same.
    Role(Role),
}

impl Roles {
    /// Reads `x-role` of every operation; what has none, or an unknown one, is for administrators.
    pub(crate) fn of(api: &OpenApi) -> Self {
        let mut roles = HashMap::new();
        for (path, item) in &api.paths.paths {
            let operations = [
                (Method::GET, &item.get),
                (Method::PUT, &item.put),
                (Method::POST, &item.post),
                (Method::DELETE, &item.delete),
                (Method::PATCH, &item.patch),
            ];
            for (method, operation) in operations {
                let Some(operation) = operation else { continue };
                let named = operation.extensions.as_ref().and_then(|all| all.get("x-role")).and_then(|v| v.as_str());
                roles.insert((method, path.clone()), Demand::of(named));
            }
        }
        Self(roles)
    }

    /// What a request demands.
    pub(crate) fn demand(&self, method: &Method, path: &str) -> Demand {
        let method = if method == Method::HEAD { &Method::GET } else { method };
        // OpenAPI has no mark for a parameter that takes the rest of the path.
        let found = self.0.get(&(method.clone(), path.replace("{*", "{")));
        found.copied().unwrap_or(Demand::Role(Role::Admin))
    }
}

impl Demand {
    fn of(name: Option<&str>) -> Self {
        match name {
            Some("public") => Self::Public,
            named => Self::Role(named.and_then(|name| name.parse().ok()).unwrap_or(Role::Admin)),
        }
    }
}
