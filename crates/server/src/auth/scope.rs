//! What a review link reaches: the examples of one task.

use axum::{
    extract::Query,
    http::{Method, Uri},
};

/// Operations that a review link reaches, by method and path, besides those that are public.
const REACHED: [(Method, &str); 10] = [
    (Method::GET, "/api/v1/tasks"),
    (Method::GET, "/api/v1/tasks/{task}/guidelines"),
    (Method::GET, "/api/v1/tasks/{task}/helpful"),
    (Method::GET, "/api/v1/examples"),
    (Method::GET, "/api/v1/examples/{task}/{id}"),
    (Method::POST, "/api/v1/examples/{task}/{id}/approve"),
    (Method::POST, "/api/v1/examples/{task}/{id}/reject"),
    (Method::POST, "/api/v1/examples/{task}/{id}/edit"),
    (Method::POST, "/api/v1/examples/{task}/{id}/undo"),
    (Method::PUT, "/api/v1/presence"),
];

/// Whether a link for a task may send a request, whose path matches `template`. `GET /tasks` and
/// `PUT /presence` tell only of the link's task.
pub(super) fn reaches(task: &str, method: &Method, template: &str, uri: &Uri) -> bool {
    if !REACHED.iter().any(|(of, path)| of == method && *path == template) {
        return false;
    }
    match template {
        "/api/v1/tasks" | "/api/v1/presence" => true,
        "/api/v1/examples" => {
            // Whichever of several the handler would take.
            let all = Query::<Vec<(String, String)>>::try_from_uri(uri).map(|Query(all)| all).unwrap_or_default();
            let mut named = all.iter().filter(|(name, _)| name == "task").peekable();
            named.peek().is_some() && named.all(|(_, named)| named == task)
        }
        // A name that is written in another way than plainly reaches nothing.
        _ => {
            let mut parts = template.split('/').zip(uri.path().split('/'));
            parts.any(|(part, given)| part == "{task}" && given == task)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_reaches_its_own_task() {
        let may = |method: Method, template: &str, uri: &str| reaches("mail", &method, template, &uri.parse().unwrap());
        let one = "/api/v1/examples/{task}/{id}";
        assert!(may(Method::GET, one, "/api/v1/examples/mail/a"));
        assert!(!may(Method::GET, one, "/api/v1/examples/other/mail"));
        let helpful = "/api/v1/tasks/{task}/helpful";
        assert!(may(Method::GET, helpful, "/api/v1/tasks/mail/helpful"));
        assert!(!may(Method::GET, helpful, "/api/v1/tasks/other/helpful"));
        assert!(!may(Method::DELETE, one, "/api/v1/examples/mail/a"));
        let list = "/api/v1/examples";
        assert!(may(Method::GET, list, "/api/v1/examples?state=pending&task=mail"));
        for query in
            ["", "?state=pending", "?task=other", "?task=mail&task=other", "?task=other&task=mail", "?task=mail%00"]
        {
            assert!(!may(Method::GET, list, &format!("/api/v1/examples{query}")), "{query}");
        }
        assert!(!may(Method::GET, "/api/v1/runs", "/api/v1/runs?task=mail"));
        assert!(!may(Method::POST, "/api/v1/tasks", "/api/v1/tasks"));
    }
}
