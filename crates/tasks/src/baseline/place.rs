use std::{ops::Range, sync::LazyLock};

use regex::Regex;

use crate::pattern;

/// What a message says of directions and places, and what it says besides.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) direction: &'static str,
    pub(super) rescue: Option<String>,
    pub(super) drop_off: Option<String>,
    /// The message with greetings, verbs and places replaced by `;`.
    pub(super) rest: String,
}

const RESCUED: &str = r"picked\s+up|rescued|grabbed|collected|received|just\s+got\s+back|got";
const DROPPED: &str = r"dropped(?:\s+off)?|delivered|took|taken|brought|donated|(?:re)?stocked";

/// A span of the text, and the place named in it.
type Named = (Range<usize>, String);

/// Finds directions and places in a tidied message.
pub(super) fn find(text: &str) -> Found {
    static VERB: LazyLock<Regex> =
        LazyLock::new(|| pattern(&format!(r"(?i)\b(?:(?P<in>{RESCUED})|(?P<out>{DROPPED}))\b")));
    if text.contains('?') {
        return Found { direction: "unknown", ..Found::default() };
    }
    let verbs: Vec<(Range<usize>, bool)> =
        VERB.captures_iter(text).filter_map(|c| Some((c.get(0)?.range(), c.name("in").is_some()))).collect();
    let route = arrow(text);
    let (rescue, drop_off) = match route.clone() {
        Some((from, to)) => (Some(from), Some(to)),
        None => {
            let rescue = rescue(text, &verbs);
            let drop_off = drop_off(text, &verbs, rescue.as_ref());
            (rescue, drop_off)
        }
    };
    let inbound = rescue.is_some() || verbs.iter().any(|(_, inbound)| *inbound);
    let outbound = drop_off.is_some() || verbs.iter().any(|(_, inbound)| !*inbound);
    let mut spans: Vec<Range<usize>> = verbs.into_iter().map(|(span, _)| span).collect();
    spans.extend([&rescue, &drop_off].into_iter().flatten().map(|(span, _)| span.clone()));
    Found {
        direction: match (inbound, outbound) {
            (true, true) => "both",
            (true, false) => "inbound",
            (false, true) => "outbound",
            (false, false) => "unknown",
        },
        rescue: rescue.map(|(_, place)| place),
        drop_off: drop_off.map(|(_, place)| place),
        rest: without(text, spans),
    }
}

/// `A -> B:` on one line.
fn arrow(text: &str) -> Option<(Named, Named)> {
    static ARROW: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"(?m)^[ \t]*(?:[^\n:;,!]{1,20}[:,!]\s+)?(?:the\s+)?(?P<from>[^\n:;,!>]{2,60}?)\s*(?:-+>|=>|→)\s*(?:the\s+)?(?P<to>[^\n:;,]{2,60}?)\s*(?::|$)",
        )
    });
    let found = ARROW.captures(text)?;
    let (from, to) = (found.name("from")?, found.name("to")?);
    Some((
        (found.get(0)?.start()..from.end(), from.as_str().into()),
        (from.end()..found.get(0)?.end(), to.as_str().into()),
    ))
}

/// `from A`, `A pickup today:`, or a heading `A:` over a list.
fn rescue(text: &str, verbs: &[(Range<usize>, bool)]) -> Option<Named> {
    static FROM: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)\bfrom\s+(?:the\s+)?"));
    static PICKUP: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"(?im)^(?P<all>[ \t]*(?:[^\n:;,!]{1,20}[:,!]\s+)?(?:the\s+)?(?P<place>[^\n:;,!]{2,60}?)\s+pick-?ups?(?:\s+(?:today|tonight|this\s+\w+))?\s*:)",
        )
    });
    static HEADING: LazyLock<Regex> = LazyLock::new(|| {
        pattern(r"(?m)^(?P<all>[ \t]*(?:the\s+)?(?P<place>[A-Z][^\n:;,0-9]{2,60}?):)[ \t]*\n[ \t]*(?:[*•~-]|\d)")
    });
    let leads = |at: usize| {
        let before = text[..at].trim_end_matches([' ', '\t']);
        before.ends_with("today") || before.chars().last().is_none_or(|c| "\n:,!".contains(c))
    };
    for found in FROM.find_iter(text) {
        if !verbs.is_empty() || leads(found.start()) {
            return place_at(text, found.range());
        }
    }
    let by_line = PICKUP.captures(text).or_else(|| if verbs.is_empty() { HEADING.captures(text) } else { None })?;
    Some((by_line.name("all")?.range(), by_line["place"].to_owned()))
}

/// `dropped … at B`, `took … to B`, `stocked B with`, or `for B` after the place of rescue.
fn drop_off(text: &str, verbs: &[(Range<usize>, bool)], rescue: Option<&Named>) -> Option<Named> {
    static STOCKED: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)\b(?:re)?stocked\s+(?:the\s+)?"));
    static AT: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)\b(?:at|to)\s+(?:the\s+)?"));
    static FOR: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)^\s*(?:for|to)\s+(?:the\s+)?"));
    if let Some(found) = STOCKED.find(text) {
        return place_at(text, found.range());
    }
    for (verb, inbound) in verbs {
        if !inbound && let Some(found) = AT.find_at(text, verb.end) {
            return place_at(text, found.range());
        }
    }
    let after = rescue?.0.end;
    let found = FOR.find(&text[after..])?;
    place_at(text, after + found.start()..after + found.end())
}

/// The place named right after a marker; the span covers both.
fn place_at(text: &str, marker: Range<usize>) -> Option<Named> {
    static END: LazyLock<Regex> = LazyLock::new(|| {
        let verbs = format!("{RESCUED}|{DROPPED}");
        pattern(&format!(
            r"(?i)[:;,(!\n]|\.(?:\s|$)|\s-+>?\s|\s+(?:and\s+(?:{verbs})|for|with|to|this|today|tonight|tomorrow|yesterday|thanks|thank)\b|\s*$"
        ))
    });
    let end = marker.end + END.find(&text[marker.end..])?.start();
    let place = text[marker.end..end].trim();
    let plausible = (2..=60).contains(&place.len()) && place.chars().any(char::is_alphabetic);
    plausible.then(|| (marker.start..end, place.to_owned()))
}

/// The text with the spans replaced by `;`, and without a greeting: what stands before the first of them and has no
/// number in it.
fn without(text: &str, mut spans: Vec<Range<usize>>) -> String {
    spans.sort_by_key(|span| span.start);
    let mut rest = String::with_capacity(text.len());
    let lead = spans.first().map_or(0, |span| span.start);
    let mut at = if text[..lead].contains(|c: char| c.is_ascii_digit()) { 0 } else { lead };
    for span in spans {
        rest.push_str(text.get(at..span.start).unwrap_or_default());
        rest.push(';');
        at = at.max(span.end);
    }
    rest.push_str(&text[at..]);
    rest
}
