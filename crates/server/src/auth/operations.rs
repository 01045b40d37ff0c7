use std::collections::HashMap;

use axum::{
    extract::Query,
    http::{Method, Uri},
};
use utoipa::openapi::{OpenApi, RefOr, path::ParameterIn};

use super::Role;
use crate::problem::{Kind, Problem};

/// What each operation demands and takes, read from the API's description, where it stands beside the handler.
#[derive(Debug)]
pub(crate) struct Operations(HashMap<(Method, String), Operation>);

#[derive(Debug)]
struct Operation {
    demand: Demand,
    /// Names of its query parameters.
    query: Vec<String>,
}

/// What an operation demands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Demand {
    /// Nothing.
    Public,
    /// This role, or one that may do the same.
    Role(Role),
}

impl Operations {
    /// Reads `x-role` of every operation; what has none, or an unknown one, is for administrators.
    pub(crate) fn of(api: &OpenApi) -> Self {
        let mut all = HashMap::new();
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
                let parameters = operation.parameters.iter().flatten();
                let query = parameters.filter_map(|parameter| match parameter {
                    RefOr::T(parameter) => {
                        (parameter.parameter_in == ParameterIn::Query).then(|| parameter.name.clone())
                    }
                    RefOr::Ref(_) => None,
                });
                let query = query.collect();
                all.insert((method, path.clone()), Operation { demand: Demand::of(named), query });
            }
        }
        Self(all)
    }

    fn find(&self, method: &Method, path: &str) -> Option<&Operation> {
        let method = if method == Method::HEAD { &Method::GET } else { method };
        // OpenAPI has no mark for a parameter that takes the rest of the path.
        self.0.get(&(method.clone(), path.replace("{*", "{")))
    }

    /// What a request demands.
    pub(crate) fn demand(&self, method: &Method, path: &str) -> Demand {
        self.find(method, path).map_or(Demand::Role(Role::Admin), |operation| operation.demand)
    }

    /// Refuses query parameters that an operation does not take. Outside `/api/v1`, which clients of others' APIs and monitors
    /// read, they are ignored.
    pub(crate) fn check_query(&self, method: &Method, path: &str, uri: &Uri) -> Result<(), Problem> {
        let operation = self.find(method, path).filter(|_| path.starts_with("/api/v1/"));
        let (Some(operation), Ok(Query(given))) = (operation, Query::<Vec<(String, String)>>::try_from_uri(uri)) else {
            return Ok(());
        };
        let Some((unknown, _)) = given.iter().find(|(name, _)| !operation.query.contains(name)) else { return Ok(()) };
        let known: Vec<String> = operation.query.iter().map(|name| format!("`{name}`")).collect();
        let known = match known.is_empty() {
            true => "it takes none".to_owned(),
            false => format!("it takes {}", known.join(", ")),
        };
        let problem =
            Problem::new(Kind::Unprocessable, format!("the operation has no query parameter `{unknown}`: {known}"));
        Err(problem.with_hint("`/openapi.json` describes each parameter").with_field(unknown.clone(), known))
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
