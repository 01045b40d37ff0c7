//! One layer around every route, including the page and the streams: which clients may talk to this server at all.
//!
//! A loopback address is no protection: any page in a browser can send requests to it, and read the responses by DNS
//! rebinding. So the `Host` must be one of ours, and changes must come from our own page.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::{
    ServerConfig,
    auth::changes_state,
    extract::is_json,
    problem::{Kind, Problem},
    state::AppState,
};

/// Only our own scripts, styles and images; never in a frame.
const CSP: &str = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; \
                   form-action 'self'; frame-ancestors 'none'";

/// Refuses foreign hosts and origins, and sets the headers that protect the page.
pub(crate) async fn guard(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let api = is_api(request.uri().path());
    let mut response = match admit(&state.config, &request) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    };
    protect(response.headers_mut(), api);
    response
}

fn admit(config: &ServerConfig, request: &Request) -> Result<(), Problem> {
    let headers = request.headers();
    let host = host_of(request.uri(), headers).unwrap_or_default();
    if !is_ours(config, name_of(host)) {
        return Err(Problem::new(Kind::Misdirected, format!("`{}` is not a name of this server", name_of(host)))
            .with_hint("add it to `allowed_hosts` of the configuration if it is"));
    }
    let site = headers.get("sec-fetch-site").and_then(|value| value.to_str().ok());
    if !changes_state(request.method()) {
        // Other sites have no business with our data, even if their scripts can't read the answer.
        let foreign = site == Some("cross-site") && is_api(request.uri().path());
        return if foreign { Err(from_elsewhere()) } else { Ok(()) };
    }
    let from_here = match headers.get(header::ORIGIN).map(|origin| origin.to_str().unwrap_or_default()) {
        Some(origin) => is_our_origin(config, origin, host),
        None => site.is_none_or(|site| matches!(site, "same-origin" | "none")),
    };
    if !from_here {
        return Err(from_elsewhere());
    }
    let typed = headers.contains_key(header::CONTENT_TYPE);
    let kind = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    let upload = request.method() == Method::POST
        && match request.uri().path() {
            "/api/v1/imports" | "/api/v1/batches" => true,
            // As JSON, it can't be sent by another site's form.
            "/api/v1/texts" => kind == Some(b"application/octet-stream"),
            _ => false,
        };
    if typed && !upload && !is_json(headers) {
        return Err(Problem::new(Kind::UnsupportedMediaType, "send the body as `application/json`"));
    }
    Ok(())
}

fn from_elsewhere() -> Problem {
    Problem::new(Kind::Forbidden, "the request comes from another site's page")
        .with_hint("add the page's origin to `allowed_origins` of the configuration if it is yours")
}

fn is_api(path: &str) -> bool {
    path.starts_with("/api/") || path.starts_with("/v1/") || path == "/metrics"
}

/// Host and port that the request was sent to.
fn host_of<'r>(uri: &'r Uri, headers: &'r HeaderMap) -> Option<&'r str> {
    let mut hosts = headers.get_all(header::HOST).iter();
    let first = hosts.next().and_then(|host| host.to_str().ok());
    // Two hosts are a trick.
    if hosts.next().is_some() {
        return None;
    }
    uri.authority().map(axum::http::uri::Authority::as_str).or(first)
}

/// The name without its port: `[::1]` of `[::1]:8080`.
fn name_of(host: &str) -> &str {
    match host.find(']') {
        Some(end) => &host[..=end],
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    }
}

fn is_ours(config: &ServerConfig, name: &str) -> bool {
    let same = |ours: &str| ours.eq_ignore_ascii_case(name);
    let bound = config.bind.ip();
    let at_address = !bound.is_unspecified() && (same(&bound.to_string()) || same(&format!("[{bound}]")));
    ["localhost", "127.0.0.1", "[::1]"].into_iter().any(same)
        || at_address
        || config.allowed_hosts.iter().any(|host| same(host) || same(name_of(host)))
        || config.public_authority().is_some_and(|authority| same(name_of(authority)))
}

/// Whether a page of this origin is our own: the same host and port, or one that was configured.
fn is_our_origin(config: &ServerConfig, origin: &str, host: &str) -> bool {
    let same = |ours: &str| ours.trim_end_matches('/').eq_ignore_ascii_case(origin);
    let authority = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host))
        || config.allowed_origins.iter().any(|ours| same(ours))
        || config.public_url.as_deref().is_some_and(same)
}

fn protect(headers: &mut HeaderMap, api: bool) {
    let fixed: [(HeaderName, &'static str); 6] = [
        (header::CONTENT_SECURITY_POLICY, CSP),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if api && !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_is_parsed_with_and_without_port() {
        assert_eq!(name_of("localhost:8080"), "localhost");
        assert_eq!(name_of("[::1]:8080"), "[::1]");
        assert_eq!(name_of("[::1]"), "[::1]");
        assert_eq!(name_of("127.0.0.1"), "127.0.0.1");
    }

    #[test]
    fn foreign_host_names_are_refused() {
        let config = ServerConfig {
            allowed_hosts: vec!["nuc.local".into()],
            public_url: Some("https://graft.example.org".into()),
            ..ServerConfig::default()
        };
        for ours in ["localhost", "LOCALHOST", "127.0.0.1", "[::1]", "nuc.local", "graft.example.org"] {
            assert!(is_ours(&config, ours), "{ours}");
        }
        for other in ["", "evil.example", "localhost.evil.example", "127.0.0.1.nip.io", "0.0.0.0", "::1"] {
            assert!(!is_ours(&config, other), "{other}");
        }
    }

    #[test]
    fn origins_are_compared_with_their_ports() {
        let config = ServerConfig { allowed_origins: vec!["http://localhost:5173".into()], ..ServerConfig::default() };
        assert!(is_our_origin(&config, "http://localhost:8080", "localhost:8080"));
        assert!(is_our_origin(&config, "http://localhost:5173", "localhost:8080"));
        for other in ["null", "", "http://localhost:3000", "http://localhost", "file://localhost:8080", "https://evil"]
        {
            assert!(!is_our_origin(&config, other, "localhost:8080"), "{other}");
        }
    }
}
