//! What S3 answers in XML, as far as it is read. Keys are asked for URL-encoded, so no text needs more than that.

use graft_core::Timestamp;

/// A page of `ListObjectsV2`.
#[derive(Debug, PartialEq)]
pub(crate) struct Page {
    /// Keys, and when they were written.
    pub(crate) objects: Vec<(String, Timestamp)>,
    /// Asks for the next page, if there is one.
    pub(crate) next: Option<String>,
}

pub(crate) fn page(text: &str) -> Result<Page, String> {
    let missing = |name: &str| format!("understand the bucket's list: it has no `{name}`");
    if !text.contains("<ListBucketResult") {
        return Err(missing("ListBucketResult"));
    }
    let mut objects = Vec::new();
    for object in text.split("<Contents>").skip(1) {
        let object = object.split("</Contents>").next().unwrap_or_default();
        let key = element(object, "Key").ok_or_else(|| missing("Key"))?;
        let at = element(object, "LastModified").and_then(time).ok_or_else(|| missing("LastModified"))?;
        objects.push((decoded(key), at));
    }
    let next = match element(text, "IsTruncated") {
        Some("true") => Some(element(text, "NextContinuationToken").ok_or_else(|| missing("NextContinuationToken"))?),
        _ => None,
    };
    Ok(Page { objects, next: next.map(unescaped) })
}

/// What an error says: its code and message, or nothing.
pub(crate) fn error(text: &str) -> String {
    let part = |name| element(text, name).map(unescaped).unwrap_or_default();
    format!("{} {}", part("Code"), part("Message")).trim().to_owned()
}

fn element<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let after = text.split_once(&format!("<{name}>"))?.1;
    Some(after.split_once(&format!("</{name}>"))?.0)
}

/// The five names that XML has for characters.
fn unescaped(text: &str) -> String {
    let pairs = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
    pairs.iter().fold(text.to_owned(), |text, (name, sign)| text.replace(name, sign))
}

/// A key without its percent signs; `+` is a blank there.
fn decoded(key: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), key.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        let digits = (*first == b'%').then(|| after.get(..2).and_then(|two| std::str::from_utf8(two).ok())).flatten();
        let (byte, used) = match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => (byte, 2),
            None => (if *first == b'+' { b' ' } else { *first }, 0),
        };
        bytes.push(byte);
        rest = &after[used..];
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Milliseconds since 1970 of `2013-05-24T00:00:00.000Z`.
fn time(text: &str) -> Option<Timestamp> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    // Howard Hinnant's `days_from_civil`, for years from 0 on.
    let shifted = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (shifted / 400, shifted % 400);
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    Some((((days * 24 + hour) * 60 + minute) * 60 + second) * 1000)
}

/// Year, month, day of a day since 1970 (`civil_from_days`).
pub(crate) fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let (day, month) = (of_year - (153 * month + 2) / 5 + 1, if month < 10 { month + 3 } else { month - 9 });
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
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
        assert_eq!(time("2024-02-29T23:59:59.000Z"), Some(1_709_251_199_000));
        assert_eq!(civil(1_709_251_199 / 86_400), (2024, 2, 29));
    }
}
