//! The wire form as a grammar in llguidance's Lark dialect.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::number::{DIGITS, LARGEST};
use super::shape::{Array, Length, Range, Shape};
use super::text::TEXT_FOLLOWS;

/// The grammar of one of several labels.
pub(super) fn of_labels(labels: &[String], before: &str) -> String {
    let labels: Vec<String> = labels.iter().map(|label| quote(&format!("{before}{label}"))).collect();
    format!("start: LABEL\nLABEL: {}\n", labels.join(" | "))
}

/// The grammar of an answer that follows a schema.
pub(super) fn of_shape(shape: &Shape, before: &str) -> String {
    let mut grammar = Grammar::default();
    let root = grammar.shape(shape);
    let before = if before.is_empty() { String::new() } else { format!("{} ", quote(before)) };
    format!("start: {before}{root}\n{}", grammar.rules)
}

#[derive(Default)]
struct Grammar {
    rules: String,
    count: usize,
}

impl Grammar {
    /// Adds the rules of one position and returns the name of the first.
    fn shape(&mut self, shape: &Shape) -> String {
        self.count += 1;
        let id = self.count;
        let mut alternatives = Vec::new();
        if !shape.literals.is_empty() {
            let texts: Vec<String> = shape.literals.iter().map(|l| quote(&l.text)).collect();
            let close = if shape.literals_close { " \";\"" } else { "" };
            self.rule(&format!("L{id}: ({}){close}", texts.join(" | ")));
            alternatives.push(format!("L{id}"));
        }
        if let Some(range) = shape.number {
            let close = if shape.number_closes { ";" } else { "" };
            self.rule(&format!("N{id}: /({}){close}/", number(range)));
            alternatives.push(format!("N{id}"));
        }
        if let Some(length) = shape.string {
            self.string(id, length, shape);
            alternatives.push(format!("T{id}"));
        }
        if let Some(array) = &shape.array {
            alternatives.push(self.array(array));
        }
        if let Some(properties) = &shape.object {
            let values: Vec<String> = properties.iter().map(|p| self.shape(&p.shape)).collect();
            let open = if shape.object_opens() { "\"(\" " } else { "" };
            alternatives.push(format!("{open}{}", values.join(" ")));
        }
        self.rule(&format!("s{id}: {}", alternatives.join(" | ")));
        format!("s{id}")
    }

    fn string(&mut self, id: usize, length: Length, shape: &Shape) {
        let body = if shape.literals.is_empty() {
            format!("{UNIT}{{{},{}}};", length.min, length.max)
        } else {
            avoiding(length, &shape.literals.iter().map(|l| l.text.as_str()).collect::<Vec<_>>())
        };
        self.rule(&format!("T{id}: / {body}/"));
    }

    fn array(&mut self, array: &Array) -> String {
        let element = self.shape(&array.element);
        let repeat = match (array.min, array.max) {
            (_, Some(0)) => return "\"]\"".to_owned(),
            (0, None) => "*".to_owned(),
            (min, None) => format!("{{{min},}}"),
            (min, Some(max)) => format!("{{{min},{max}}}"),
        };
        format!("(\"|\" {element}){repeat} \"]\"")
    }

    fn rule(&mut self, rule: &str) {
        let _ = writeln!(self.rules, "{rule}");
    }
}

/// A character of a string, or its escape.
const UNIT: &str = r"([^\\;\n\r\t]|\\[\\;nrt])";

/// A regular expression for strings that do not start like one of the fixed `texts`, and for strings with the text
/// mark. Written out, because an intersection with a complement grows too large for long strings.
fn avoiding(length: Length, texts: &[&str]) -> String {
    let texts: Vec<Vec<&str>> = texts.iter().map(|text| units(text.strip_prefix(' ').unwrap_or(text))).collect();
    let mut next: BTreeMap<&[&str], BTreeSet<&str>> = BTreeMap::from([(&[][..], BTreeSet::new())]);
    for text in texts.iter().filter(|text| text.first() != Some(&TEXT_FOLLOWS)) {
        // Beyond a text that is itself fixed, no further distinction is needed.
        let end = (1..text.len()).find(|&n| texts.iter().any(|t| t == &text[..n])).unwrap_or(text.len());
        for n in 0..end {
            next.entry(&text[..n]).or_default().insert(text[n]);
        }
    }
    let mut all = vec![format!(r"\\_{UNIT}{{{},{}}};", length.min, length.max)];
    if texts.iter().any(Vec::is_empty) {
        next.clear();
    }
    for (before, taken) in next {
        let (done, before) = (before.len(), before.iter().map(|unit| hex(unit)).collect::<String>());
        if done >= length.min {
            all.push(format!("{before};"));
        }
        if done < length.max {
            let (least, most) = (length.min.saturating_sub(done + 1), length.max - done - 1);
            all.push(format!("{before}{}{UNIT}{{{least},{most}}};", unit_except(&taken)));
        }
    }
    format!("({})", all.join("|"))
}

/// Splits escaped text into characters and escapes.
fn units(text: &str) -> Vec<&str> {
    let mut rest = text;
    std::iter::from_fn(|| {
        let escape = rest.starts_with('\\');
        let length = rest.chars().take(if escape { 2 } else { 1 }).map(char::len_utf8).sum();
        let (unit, after) = rest.split_at(length);
        rest = after;
        (length > 0).then_some(unit)
    })
    .collect()
}

/// Any character or escape except the given ones.
fn unit_except(taken: &BTreeSet<&str>) -> String {
    let plain: String = taken.iter().filter(|unit| !unit.starts_with('\\')).map(|unit| hex(unit)).collect();
    let escapes: String =
        r"\;nrt".chars().filter(|c| !taken.contains(format!("\\{c}").as_str())).map(hex_char).collect();
    let escapes = if escapes.is_empty() { String::new() } else { format!(r"|\\[{escapes}]") };
    format!(r"([^\\;\n\r\t{plain}]{escapes})")
}

fn hex(unit: &str) -> String {
    unit.chars().map(hex_char).collect()
}

/// A character as a hexadecimal escape, so that none needs an escape of its own.
fn hex_char(c: char) -> String {
    format!(r"\x{{{:x}}}", c as u32)
}

/// A Lark string: JSON syntax, with DEL escaped too.
fn quote(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}

/// A regular expression for the canonical numbers in a range.
fn number(range: Range) -> String {
    let mut all = Vec::new();
    let (low, high) = range.whole;
    if high >= 0 && low <= high {
        all.push(whole(low.max(0) as u64, high as u64));
    }
    if low < 0 && low <= high {
        all.push(format!("-({})", whole((-high).max(1) as u64, low.unsigned_abs())));
    }
    if !range.integer {
        let fraction = format!(r"\.[0-9]{{0,{}}}[1-9]", DIGITS - 1);
        let (low, high) = range.open;
        if high > 0 {
            all.push(format!("({}){fraction}", whole(low.max(0) as u64, (high.min(LARGEST) - 1).max(0) as u64)));
        }
        if low < 0 {
            let most = low.max(-LARGEST).unsigned_abs() - 1;
            all.push(format!("-({}){fraction}", whole((-high).max(0) as u64, most)));
        }
    }
    all.join("|")
}

/// A regular expression for the whole numbers from `low` to `high`, without leading zeros.
fn whole(low: u64, high: u64) -> String {
    let mut all = Vec::new();
    let mut from = low;
    while from <= high {
        let digits = from.to_string().len() as u32;
        let to = high.min(10_u64.pow(digits) - 1);
        same_length(from.to_string().as_bytes(), to.to_string().as_bytes(), String::new(), &mut all);
        from = to + 1;
    }
    all.join("|")
}

/// Adds patterns for the numbers between two numbers with equally many digits, after a common prefix.
fn same_length(low: &[u8], high: &[u8], before: String, all: &mut Vec<String>) {
    let any = |n: usize| if n == 0 { String::new() } else { format!("[0-9]{{{n}}}") };
    let (Some((&a, low)), Some((&b, high))) = (low.split_first(), high.split_first()) else {
        all.push(before);
        return;
    };
    let (mut a, mut b) = (a, b);
    if a == b {
        return same_length(low, high, format!("{before}{}", a as char), all);
    }
    if low.iter().any(|&d| d != b'0') {
        same_length(low, &vec![b'9'; low.len()], format!("{before}{}", a as char), all);
        a += 1;
    }
    let partial = high.iter().any(|&d| d != b'9');
    if partial {
        b -= 1;
    }
    if a <= b {
        all.push(format!("{before}[{}-{}]{}", a as char, b as char, any(low.len())));
    }
    if partial {
        same_length(&vec![b'0'; high.len()], high, format!("{before}{}", (b + 1) as char), all);
    }
}
