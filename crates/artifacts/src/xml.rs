//! What S3 answers in XML, as far as it is read. Keys are asked for URL-encoded, so that any of them fits into XML.

use graft_core::Timestamp;
use percent_encoding::percent_decode_str;
use quick_xml::de::from_str;
use serde::Deserialize;

/// A page of `ListObjectsV2`.
#[derive(Debug, PartialEq)]
pub(crate) struct Page {
    /// Keys, and when they were written.
    pub(crate) objects: Vec<(String, Timestamp)>,
    /// Asks for the next page, if there is one.
    pub(crate) next: Option<String>,
}

/// By the name of the document's element.
#[derive(Deserialize)]
enum Answer {
    #[serde(rename_all = "PascalCase")]
    ListBucketResult {
        is_truncated: bool,
        next_continuation_token: Option<String>,
        #[serde(default)]
        contents: Vec<Object>,
    },
    #[serde(rename_all = "PascalCase")]
    Error { code: Option<String>, message: Option<String> },
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Object {
    key: String,
    last_modified: String,
}

pub(crate) fn page(text: &str) -> Result<Page, String> {
    let fails = |why: String| format!("understand the bucket's list: {why}");
    let answer = from_str(text).map_err(|error| fails(error.to_string()))?;
    let Answer::ListBucketResult { is_truncated, next_continuation_token, contents } = answer else {
        return Err(fails("it is an error".into()));
    };
    let mut objects = Vec::new();
    for Object { key, last_modified } in contents {
        let at: jiff::Timestamp = last_modified.parse().map_err(|error| fails(format!("{key}: {error}")))?;
        // `+` is a blank there.
        let key = percent_decode_str(&key.replace('+', " ")).decode_utf8_lossy().into_owned();
        objects.push((key, at.as_millisecond()));
    }
    if is_truncated && next_continuation_token.is_none() {
        return Err(fails("it goes on, and has no `NextContinuationToken`".into()));
    }
    Ok(Page { objects, next: next_continuation_token.filter(|_| is_truncated) })
}

/// What an error says: its code and message, or nothing.
pub(crate) fn error(text: &str) -> String {
    let Ok(Answer::Error { code, message }) = from_str(text) else { return String::new() };
    [code, message].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_read() {
        let object = "<Contents><Key>a%20b%2Bc+d</Key><LastModified>2013-05-24T00:00:01.000Z</LastModified></Contents>";
        let head = "<?xml version=\"1.0\"?><ListBucketResult xmlns=\"x\">";
        let more = "<IsTruncated>true</IsTruncated><NextContinuationToken>1&amp;2</NextContinuationToken>";
        let read = page(&format!("{head}{more}{object}</ListBucketResult>")).unwrap();
        assert_eq!(read, Page { objects: vec![("a b+c d".into(), 1_369_353_601_000)], next: Some("1&2".into()) });
        assert!(page("<html>").is_err() && page(&format!("{head}<Contents></Contents>")).is_err());
        assert_eq!(
            error("<Error><Code>AccessDenied</Code><Message>No &lt;way&gt;</Message></Error>"),
            "AccessDenied No <way>"
        );
        assert_eq!(error("<html>Bad gateway</html>"), "");
    }
}
