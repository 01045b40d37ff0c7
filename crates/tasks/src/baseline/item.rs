use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::number::in_digits;
use crate::pattern;

/// One item as a message names it.
#[derive(Debug, PartialEq)]
pub(super) struct Item {
    pub(super) name: String,
    pub(super) quantity: Option<f64>,
    pub(super) unit: Option<&'static str>,
}

/// No volunteer moves more than this of anything: larger numbers are phone numbers, times or totals.
const MOST: f64 = 500.0;

/// How people write each unit; `each` is none at all.
const UNITS: [(&str, &str); 20] = [
    ("bag", "bags?|sacks?"),
    ("bin", "bins?"),
    ("bottle", "bottles?|btls?"),
    ("box", "box(?:es)?|bxs?"),
    ("bunch", "bunch(?:es)?"),
    ("can", "cans?"),
    ("case", "cases?|cs"),
    ("clamshell", "clam(?:shell)?s?"),
    ("crate", "crates?"),
    ("dozen", "dozens?|doz|dz"),
    ("each", "each|ea|pcs?|pieces?"),
    ("flat", "flats?"),
    ("gallon", "gallons?|gals?"),
    ("jar", "jars?"),
    ("lb", "lbs?|pounds?|#"),
    ("loaf", "loaf|loaves"),
    ("package", "packages?|pkgs?|packs?"),
    ("pallet", "pallett?s?"),
    ("tote", "totes?"),
    ("tray", "trays?"),
];

/// The items of a message's text outside verbs and places.
pub(super) fn parse(text: &str) -> Vec<Item> {
    static BREAK: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"(?i)[\n;]|,(?:\s+and\b)?|\s+and\s+|\s\+\s|^and\s|\s&\s"));
    let text = in_digits(text);
    BREAK.split(&text).filter_map(item).collect()
}

fn item(segment: &str) -> Option<Item> {
    static EDGES: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"(?i)^(?:[\s:.!*•·+>~-]|(?:with|about|around|approx\.?|roughly|and|also)\s)+|(?:\s+(?:thanks|thank\s+you|today|tonight|this\s+(?:morning|afternoon|evening))|[\s:.!])+$",
        )
    });
    static VAGUE: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"(?i)^(?:some|misc\.?|miscellaneous|assorted|various|(?:lots|plenty|a\s+(?:bit|lot|little|few|bunch)|bits)(?:\s+of)?|several|few)\s+",
        )
    });
    let heading = segment.trim_end().ends_with(':');
    let segment = EDGES.replace_all(segment, "").to_lowercase();
    if let Some((name, quantity, unit)) = counted(&segment) {
        let name = clean_name(name)?;
        return (quantity <= MOST).then_some(Item { name, quantity: Some(quantity), unit });
    }
    let name = clean_name(&VAGUE.replace(&segment, ""))?;
    (!heading && reads_as_item(&name)).then_some(Item { name, quantity: None, unit: None })
}

/// `12 cs of kale`, `kale - 12 cs`, `kale (12 cs)` or `kale 12 cs`.
fn counted(segment: &str) -> Option<(&str, f64, Option<&'static str>)> {
    static FORMS: LazyLock<[Regex; 3]> = LazyLock::new(|| {
        let unit = UNITS.map(|(name, words)| format!("(?P<{name}>{words})")).join("|");
        let amount = format!(r"~?\s*(?P<n>\d{{1,6}}(?:\.\d{{1,3}})?|\.\d{{1,3}})\s*(?:(?:{unit})\.?)?");
        [
            pattern(&format!(r"^{amount}(?:\s+of)?\s+(?P<what>\D.*)$")),
            pattern(&format!(r"^(?P<what>\D+?)\s*(?:-|:|=|x|\()\s*{amount}\s*\)?$")),
            pattern(&format!(r"^(?P<what>\D+?)\s+{amount}$")),
        ]
    });
    let found: Captures<'_> = FORMS.iter().find_map(|form| form.captures(segment))?;
    let unit = UNITS.iter().map(|(name, _)| *name).find(|name| found.name(name).is_some());
    Some((found.name("what")?.as_str(), found["n"].parse().ok()?, unit.filter(|name| *name != "each")))
}

fn clean_name(name: &str) -> Option<String> {
    let name = name.trim_matches(|c: char| !c.is_alphanumeric());
    let plausible = (2..=60).contains(&name.chars().count()) && name.split_whitespace().count() <= 6;
    plausible.then(|| name.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Whether words without a number name a thing; a sentence gives itself away by its small words.
fn reads_as_item(name: &str) -> bool {
    const SMALL_WORDS: [&str; 42] = [
        "a", "all", "am", "an", "are", "at", "be", "by", "can", "do", "for", "from", "had", "has", "have", "i", "in",
        "is", "it", "its", "morning", "my", "need", "needs", "no", "not", "on", "please", "thanks", "that", "the",
        "there", "these", "this", "to", "today", "was", "we", "were", "will", "with", "you",
    ];
    let mut words = name.split(' ');
    name.chars().all(|c| c.is_alphabetic() || " -'&/".contains(c))
        && name.split(' ').count() <= 4
        && !words.any(|word| SMALL_WORDS.contains(&word))
}
