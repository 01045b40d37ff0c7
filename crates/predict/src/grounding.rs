//! Grounded strings: values that an answer takes from its input, or from names that the task knows.
//!
//! A value is grounded if it is a part of the input between two word borders with the same spelling, or a known name. A
//! known name is allowed if the input contains something similar (another case, a typo), or always, depending on the
//! schema. So a grounded model can't answer with a name that is neither in the input nor known.
//!
//! The grammar of an answer form is compiled once for all inputs. What the input allows is intersected with it at each
//! step: inside a grounded string, only tokens along one of its possible texts are allowed, and these are few.

use std::collections::BTreeMap;

use graft_core::is_joined;
use llguidance::toktrie::{SimpleVob, TokTrie, TrieNode};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::codec::{Codec, Grounded, Shape, escaped, mark};

/// The character range (Unicode scalar values) of a value in its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
pub struct InputSpan {
    /// The first character.
    pub start: usize,
    /// End (exclusive).
    pub end: usize,
}

/// What the grounded strings of one answer may be.
#[derive(Debug)]
pub struct Grounding {
    words: Words,
    /// For each grounded position of the answer form, the known names that are allowed for this input.
    names: Vec<Vec<Name>>,
}

/// A known name that is allowed for an input.
#[derive(Debug)]
struct Name {
    text: String,
    /// The similar part of the input, if there is one.
    like: Option<InputSpan>,
}

/// An input in wire form, with its word borders.
#[derive(Debug)]
struct Words {
    text: Vec<char>,
    wire: Vec<u8>,
    borders: Vec<Border>,
    /// Positions of characters that the tokenizer can't encode; no value extends over one.
    unwritable: Vec<usize>,
}

/// A word border, where values may start or end.
#[derive(Clone, Copy, Debug)]
struct Border {
    /// Number of bytes of the wire form before it.
    byte: usize,
    /// Number of characters before it.
    char: usize,
    starts: bool,
    ends: bool,
}

/// How a value relates to its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// The input contains it, between word borders.
    Exact,
    /// The input contains something similar: another case, other spaces, or a typo.
    Like,
    /// The input contains nothing similar.
    Not,
}

/// Looks for values in an input.
#[must_use]
pub fn find_in(input: &str, values: &[&str]) -> Vec<Found> {
    let words = Words::new(input, |_| true);
    let letters = Letters::of(&words);
    let found = |value: &&str| match (words.find(value), letters.find_like(value)) {
        (Some(_), _) => Found::Exact,
        (None, Some(_)) => Found::Like,
        (None, None) => Found::Not,
    };
    values.iter().map(found).collect()
}

/// Edit distance of two names, ignoring case, spaces and punctuation; `None` if it is too large for two spellings of
/// one name.
#[must_use]
pub fn typos_apart(a: &str, b: &str) -> Option<usize> {
    let (a, b) = (letters(a), letters(b));
    let most = typos(a.len().min(b.len()));
    if a.is_empty() || b.is_empty() || a.len().max(b.len()) > LONGEST_LIKE || !are_near(&a, &b, most) {
        return None;
    }
    Some(distance(&a, &b)).filter(|distance| *distance <= most)
}

/// Where the grounded values of an answer occur in its input, by path.
#[must_use]
pub fn spans_of(input: &str, codec: &Codec, answer: &Value) -> BTreeMap<String, InputSpan> {
    let grounding = Grounding::new(input, codec, |_| true);
    grounding.map(|grounding| grounding.spans(&codec.grounded_strings(answer))).unwrap_or_default()
}

impl Grounding {
    /// What an input allows at the grounded places of an answer form; `can_write` says which characters the tokenizer
    /// has. `None` where no place is grounded.
    pub(crate) fn new(input: &str, codec: &Codec, can_write: impl Fn(char) -> bool) -> Option<Self> {
        let places = codec.grounded();
        if places.is_empty() {
            return None;
        }
        let words = Words::new(input, &can_write);
        let letters = Letters::of(&words);
        let names = places.iter().map(|place| {
            let always = place.always.iter().map(|text| (text, true));
            let all = always.chain(place.known.iter().map(|text| (text, false)));
            let found = all.filter_map(|(text, always)| {
                let like = words.find(text).or_else(|| letters.find_like(text));
                (escaped(text).chars().all(&can_write) && (always || like.is_some()))
                    .then(|| Name { text: text.clone(), like })
            });
            found.collect()
        });
        Some(Self { names: names.collect(), words })
    }

    /// Allows the tokens that may follow `written` at a grounded position.
    pub(crate) fn allow(
        &self,
        shape: &Shape,
        place: &Grounded,
        written: &[u8],
        trie: &TokTrie,
        allowed: &mut SimpleVob,
    ) {
        self.paths(shape, place, written, |path| path.allow(written, trie, allowed));
    }

    /// Whether the text written at a grounded position is an allowed value, or a prefix of one.
    pub(crate) fn begins(&self, shape: &Shape, place: &Grounded, written: &[u8]) -> bool {
        let mut found = false;
        self.paths(shape, place, written, |path| found = found || path.begins(written));
        found
    }

    /// Whether the text written at a grounded position, including its terminator, is an allowed value.
    pub(crate) fn allows(&self, shape: &Shape, place: &Grounded, written: &[u8]) -> bool {
        let mut found = false;
        self.paths(shape, place, &[], |path| found = found || path.is_value(written));
        found
    }

    /// Calls `each` with the texts allowed at a position; of those from the input, only with those that continue
    /// `written`.
    fn paths(&self, shape: &Shape, place: &Grounded, written: &[u8], mut each: impl FnMut(Path<'_>)) {
        let Some(length) = shape.string else { return };
        let mut values = 0;
        let markers: Vec<&str> = shape.literals.iter().map(|literal| literal.text.as_str()).collect();
        for (index, start) in self.words.borders.iter().enumerate().filter(|(_, border)| border.starts) {
            let rest = &self.words.wire[start.byte..];
            let before = mark(rest, &markers);
            // A fast check: most starts do not match what is written.
            let after = written.get(before.len()..).unwrap_or_default();
            if !rest.starts_with(after) {
                values += 1;
                continue;
            }
            let most = start.char.saturating_add(length.max).min(self.words.writable_until(start.char));
            let later = self.words.borders[index + 1..].iter().take_while(|end| end.char <= most);
            let ends: Vec<usize> = later
                .filter(|end| end.ends && end.char - start.char >= length.min)
                .map(|end| end.byte - start.byte)
                .collect();
            let Some(&last) = ends.last() else { continue };
            values += 1;
            each(Path { before, body: &rest[..last], ends: &ends, closes: true });
        }
        for name in self.names.get(place.id).into_iter().flatten() {
            let (body, chars) = (escaped(&name.text), name.text.chars().count());
            if (length.min..=length.max).contains(&chars) {
                values += 1;
                let body = body.as_bytes();
                each(Path { before: mark(body, &markers), body, ends: &[body.len()], closes: true });
            }
        }
        for literal in &shape.literals {
            values += 1;
            let text = format!("{}{}", literal.text, if shape.literals_close { ";" } else { "" });
            each(Path { before: b"", body: text.as_bytes(), ends: &[text.len()], closes: false });
        }
        if values == 0 {
            // For an input without words, allow the empty text, so that an answer exists.
            each(Path { before: b" ", body: b"", ends: &[0], closes: true });
        }
    }

    /// Where the grounded values of an answer occur in the input, by path. If a value occurs twice in the answer, it
    /// gets two places in the input where possible.
    pub(crate) fn spans(&self, values: &[(String, usize, String)]) -> BTreeMap<String, InputSpan> {
        let mut taken: BTreeMap<&str, Vec<InputSpan>> = BTreeMap::new();
        let mut spans = BTreeMap::new();
        for (path, place, value) in values {
            let before = taken.entry(value.as_str()).or_default();
            let all = self.words.all(value);
            let found = all.iter().find(|span| !before.contains(span)).or(all.first()).copied();
            let like = || self.names.get(*place)?.iter().find(|name| name.text == *value)?.like;
            if let Some(span) = found.or_else(like) {
                before.push(span);
                spans.insert(path.clone(), span);
            }
        }
        spans
    }
}

/// One allowed text, or several with a common prefix, as bytes on the wire.
#[derive(Clone, Copy)]
struct Path<'a> {
    /// A space, and the mark if the text looks like a fixed value.
    before: &'static [u8],
    body: &'a [u8],
    /// Lengths of the body at which the value may end; ascending.
    ends: &'a [usize],
    /// Whether a `;` follows the complete value.
    closes: bool,
}

impl Path<'_> {
    fn len(self) -> usize {
        self.before.len() + self.body.len()
    }

    fn byte(self, at: usize) -> Option<u8> {
        self.before.get(at).or_else(|| self.body.get(at.checked_sub(self.before.len())?)).copied()
    }

    fn is_end(self, at: usize) -> bool {
        at.checked_sub(self.before.len()).is_some_and(|at| self.ends.binary_search(&at).is_ok())
    }

    fn begins(self, written: &[u8]) -> bool {
        written.len() <= self.len() && written.iter().enumerate().all(|(at, byte)| self.byte(at) == Some(*byte))
    }

    /// Whether `written` is one of the texts, complete.
    fn is_value(self, written: &[u8]) -> bool {
        let text = if self.closes { written.strip_suffix(b";") } else { Some(written) };
        text.is_some_and(|text| self.begins(text) && self.is_end(text.len()))
    }

    /// Allows the tokens that continue `written` along the path, also beyond its end.
    fn allow(self, written: &[u8], trie: &TokTrie, allowed: &mut SimpleVob) {
        if !self.begins(written) {
            return;
        }
        let mut node = trie.root();
        for at in written.len()..=self.len() {
            if self.is_end(at) {
                match self.closes {
                    true => trie.child_at_byte(node, b';').into_iter().for_each(|node| all_below(trie, node, allowed)),
                    false => all_below(trie, node, allowed),
                }
            }
            let next = self.byte(at).and_then(|byte| trie.child_at_byte(node, byte));
            let Some(next) = next else { return };
            node = next;
            node.token_id().into_iter().for_each(|token| allowed.allow_token(token));
        }
    }
}

/// Allows a node's token and all tokens that start with it; the grammar checks what they contain after the value.
fn all_below(trie: &TokTrie, node: &TrieNode, allowed: &mut SimpleVob) {
    node.token_id().into_iter().for_each(|token| allowed.allow_token(token));
    trie.node_children(node).for_each(|child| all_below(trie, child, allowed));
}

impl Words {
    fn new(input: &str, writable: impl Fn(char) -> bool) -> Self {
        let text: Vec<char> = input.chars().collect();
        let (mut wire, mut borders) = (Vec::with_capacity(input.len() + 1), Vec::new());
        for at in 0..=text.len() {
            let (before, after) = (at.checked_sub(1).map(|at| text[at]), text.get(at).copied());
            let inside = before.zip(after).is_some_and(|(before, after)| is_joined(before, after));
            let solid = |c: Option<char>| c.is_some_and(|c| !c.is_whitespace() && !c.is_control());
            if !inside {
                let (starts, ends) = (solid(after), solid(before));
                borders.push(Border { byte: wire.len(), char: at, starts, ends });
            }
            if let Some(c) = after {
                wire.extend(escaped(&c.to_string()).bytes());
            }
        }
        let unwritable = text
            .iter()
            .enumerate()
            .filter(|(_, c)| !escaped(&c.to_string()).chars().all(&writable))
            .map(|(at, _)| at)
            .collect();
        Self { text, wire, borders, unwritable }
    }

    /// The first character from here on that the tokenizer can't encode.
    fn writable_until(&self, from: usize) -> usize {
        let next = self.unwritable.partition_point(|at| *at < from);
        self.unwritable.get(next).copied().unwrap_or(self.text.len())
    }

    /// The first occurrence of a value between word borders.
    fn find(&self, value: &str) -> Option<InputSpan> {
        self.all(value).first().copied()
    }

    /// All occurrences of a value between word borders.
    fn all(&self, value: &str) -> Vec<InputSpan> {
        let value: Vec<char> = value.chars().collect();
        if value.is_empty() {
            return Vec::new();
        }
        let ends_at = |end: usize| self.borders.iter().any(|border| border.ends && border.char == end);
        let starts = self.borders.iter().filter(|border| border.starts && self.text[border.char..].starts_with(&value));
        let spans = starts.map(|border| InputSpan { start: border.char, end: border.char + value.len() });
        spans.filter(|span| ends_at(span.end)).collect()
    }
}

/// An input's letters and digits in lower case, without anything between them, to search for similar names.
struct Letters {
    /// The letters, each with the index of its character in the input.
    all: Vec<(char, usize)>,
    /// Indexes in `all` where words start.
    starts: Vec<usize>,
    /// Indexes in `all` where words end.
    ends: Vec<usize>,
}

/// Longest known name, in letters, for which similar texts are searched.
const LONGEST_LIKE: usize = 64;

impl Letters {
    fn of(words: &Words) -> Self {
        let lower = |(at, c): (usize, &char)| c.is_alphanumeric().then(|| (c.to_lowercase().next().unwrap_or(*c), at));
        let all: Vec<(char, usize)> = words.text.iter().enumerate().filter_map(lower).collect();
        let place = |border: &Border| all.partition_point(|(_, at)| *at < border.char);
        let starts = words.borders.iter().filter(|border| border.starts).map(place).collect();
        let ends = words.borders.iter().filter(|border| border.ends).map(place).collect();
        Self { all, starts, ends }
    }

    /// The words most similar to a name: the same letters in another case or with other spaces, or with one or two
    /// typos.
    fn find_like(&self, name: &str) -> Option<InputSpan> {
        let name: Vec<char> = letters(name);
        if name.is_empty() || name.len() > LONGEST_LIKE {
            return None;
        }
        let typos = typos(name.len());
        let mut best: Option<(usize, InputSpan)> = None;
        for &start in &self.starts {
            let last = start + name.len() + typos;
            for &end in self.ends.iter().filter(|end| **end + typos >= start + name.len() && **end <= last) {
                let Some(part) = self.all.get(start..end).filter(|part| !part.is_empty()) else { continue };
                let most = best.map_or(typos, |(least, _)| least.saturating_sub(1));
                let part: Vec<char> = part.iter().map(|(c, _)| *c).collect();
                if best.is_some_and(|(least, _)| least == 0) || !are_near(&part, &name, most) {
                    continue;
                }
                let distance = distance(&part, &name);
                if distance <= most {
                    let span = InputSpan { start: self.all[start].1, end: self.all[end - 1].1 + 1 };
                    best = Some((distance, span));
                }
            }
        }
        best.map(|(_, span)| span)
    }
}

fn letters(text: &str) -> Vec<char> {
    text.chars().filter(|c| c.is_alphanumeric()).map(|c| c.to_lowercase().next().unwrap_or(c)).collect()
}

/// Most typos for a name of this many letters that still make it recognizable.
fn typos(letters: usize) -> usize {
    match letters {
        0..=3 => 0,
        4..=7 => 1,
        _ => 2,
    }
}

/// A cheap lower bound: whether two words may be within a distance, by their letter counts. Each edit changes at most
/// two.
fn are_near(a: &[char], b: &[char], most: usize) -> bool {
    let kinds = |word: &[char]| word.iter().fold(0_u64, |kinds, c| kinds | 1 << (*c as u32 % 64));
    (kinds(a) ^ kinds(b)).count_ones() as usize <= 2 * most
}

/// Edit distance where swapping two neighbours counts as one edit (optimal string alignment).
fn distance(a: &[char], b: &[char]) -> usize {
    let width = b.len() + 1;
    // (a.len() + 1, b.len() + 1)
    let mut table = vec![0; (a.len() + 1) * width];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            table[i * width + j] = if i == 0 || j == 0 {
                i + j
            } else {
                let changed = table[(i - 1) * width + j - 1] + usize::from(a[i - 1] != b[j - 1]);
                let mut least = changed.min(table[(i - 1) * width + j] + 1).min(table[i * width + j - 1] + 1);
                if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    least = least.min(table[(i - 2) * width + j - 2] + 1);
                }
                least
            };
        }
    }
    table[a.len() * width + b.len()]
}
