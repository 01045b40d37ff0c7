//! `ETag` and `If-Match` (RFC 9110 §13).

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use graft_core::Digest;

use crate::problem::{Kind, Problem};

/// The `ETag` of something with this digest.
pub(crate) fn header(digest: &Digest) -> [(HeaderName, HeaderValue); 1] {
    let tag = HeaderValue::from_str(&format!("\"{}\"", digest.short()));
    [(header::ETAG, tag.unwrap_or(HeaderValue::from_static("\"\"")))]
}

/// Refuses a change of something that the caller saw in another state.
pub(crate) fn check(headers: &HeaderMap, now: &Digest) -> Result<(), Problem> {
    let Some(wanted) = headers.get(header::IF_MATCH) else { return Ok(()) };
    let wanted = wanted.to_str().unwrap_or_default();
    let tag = format!("\"{}\"", now.short());
    let matches = wanted.split(',').map(str::trim).any(|one| one == "*" || one == tag);
    if matches {
        return Ok(());
    }
    Err(Problem::new(Kind::PreconditionFailed, "it no longer matches `If-Match`")
        .with_hint("read it again, then repeat the change")
        .with("current", tag))
}
