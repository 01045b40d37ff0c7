//! Rewords an input from its answer.

use rand::{
    Rng, RngExt as _,
    rngs::ChaCha8Rng,
    seq::{IndexedRandom as _, IteratorRandom as _},
};
use serde_json::{Map, Value};

use super::{
    Draft, Part, Wordings,
    exchange::{Pools, quantity},
    pick,
    wordings::{Frames, ListWords, choose},
    words,
};
use crate::baseline::NUMBER_WORDS;

impl Wordings {
    /// Tells an answer anew, with names and amounts of its own; `None` where no frame fits it.
    pub(super) fn tell(&self, output: &Value, pools: &Pools, random: &mut ChaCha8Rng) -> Option<Draft> {
        let mut output = output.as_object()?.clone();
        let told = Frames::told(&self.frames);
        // Sometimes the message does not name the item.
        for name in self.lists.keys() {
            let mut without = output.clone();
            without.insert(name.clone(), Value::Array(Vec::new()));
            if random.random_bool(0.03) && !Frames::fitting(&self.frames, &told, &without).is_empty() {
                output = without;
            }
        }
        let mut lists = Vec::new();
        for (name, words) in self.lists.iter().filter(|(name, _)| told.contains(*name)) {
            let Some(Value::Array(objects)) = output.get_mut(name) else { continue };
            lists.push((name.clone(), words.tell(name, objects, pools, random)?));
        }
        let groups = Frames::fitting(&self.frames, &told, &output);
        let frame = choose(groups.choose(random)?.choose(random)?, random);
        // Where the frame says which is which, names may sound like those of another field: only what is said decides.
        let says = frame.split(['{', '}']).step_by(2).any(|text| text.chars().any(char::is_alphabetic));
        for name in told.iter().filter(|name| pools.names.contains_key(*name)) {
            if output.get(name).is_some_and(Value::is_string) && random.random_bool(0.8) {
                let kinds = says && random.random_bool(0.4);
                let kinds = pools.kinds.keys().filter(|_| kinds).choose(random).unwrap_or(name);
                output.insert(name.clone(), Value::from(pools.invent(kinds, random)));
            }
        }
        let mut draft = Draft { parts: Vec::new(), output: Value::Object(output) };
        let mut rest = frame.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}')?;
            draft.parts.push(Part::plain(before));
            let last = after.trim_end_matches(['.', '!', ' ']).is_empty() || after.starts_with('\n');
            if let Some(name) = name.strip_prefix('*') {
                match self.lists.get(name) {
                    Some(words) => join(words.invent(name, pools, random)?, last, random, &mut draft.parts),
                    None => {
                        draft.parts.push(Part { text: pools.invent(name, random), name: Some(String::new()) });
                        self.tail(&mut draft.parts, random);
                    }
                }
            } else if let Some((_, items)) = lists.iter_mut().find(|(list, _)| list == name) {
                // A frame that has a list twice tells some objects in the first place and the others in the second.
                let again = after.matches(&format!("{{{name}}}")).count();
                let here = items.len().checked_sub(again).filter(|here| *here > 0)?;
                let here = if again > 0 { random.random_range(1..=here) } else { here };
                let later = items.split_off(here);
                join(std::mem::replace(items, later), last, random, &mut draft.parts);
            } else {
                place(name, pools, &mut draft, random);
                self.tail(&mut draft.parts, random);
            }
            rest = after;
        }
        draft.parts.push(Part::plain(rest));
        self.frame(&mut draft, 0.35, random);
        Some(draft)
    }

    /// Puts words after a name that don't belong to it, now and then.
    fn tail(&self, parts: &mut Vec<Part>, random: &mut impl Rng) {
        if !self.tails.is_empty() && random.random_bool(0.1) {
            parts.push(Part::plain(choose(pick(&self.tails, random), random)));
        }
    }
}

/// Writes a name, now and then with an article or in lower case.
fn place(name: &str, pools: &Pools, draft: &mut Draft, random: &mut impl Rng) {
    let Some(Value::String(value)) = draft.output.get_mut(name) else { return };
    if random.random_bool(0.1) {
        draft.parts.push(Part::plain("the "));
    }
    let known = pools.names.get(name).is_some_and(|known| known.contains(value));
    let mut text = value.clone();
    if random.random_bool(0.08) {
        text = text.to_lowercase();
        if !known {
            value.clone_from(&text);
        }
    }
    draft.parts.push(Part { text, name: (!known).then(|| format!("/{name}")) });
}

impl ListWords {
    /// Tells each object of a list, with other names and amounts; some lists get shorter.
    fn tell(
        &self,
        list: &str,
        objects: &mut Vec<Value>,
        pools: &Pools,
        random: &mut ChaCha8Rng,
    ) -> Option<Vec<Vec<Part>>> {
        // Short lists teach what is around them in less time; that lists can be long is learned from the examples.
        objects.truncate([1, 1, 2, 2, 3, 3, 4, 5, usize::MAX][random.random_range(0..9)]);
        for object in objects.iter_mut().filter_map(Value::as_object_mut) {
            if random.random_bool(0.5) {
                pools.replace(list, object, random);
            }
            if random.random_bool(0.4) {
                self.amount(object, random);
            }
        }
        pools.only_once(list, objects);
        let told = Frames::told(&self.frames);
        let mut texts = Vec::with_capacity(objects.len());
        for (at, object) in objects.iter().filter_map(Value::as_object).enumerate() {
            let groups = Frames::fitting(&self.frames, &told, object);
            let frame = choose(groups.choose(random)?.choose(random)?, random);
            texts.push(self.object(&frame, &format!("/{list}/{at}"), object, list, pools, random));
        }
        Some(texts)
    }

    /// Tells objects that no answer has.
    fn invent(&self, list: &str, pools: &Pools, random: &mut ChaCha8Rng) -> Option<Vec<Vec<Part>>> {
        let mut objects = Vec::new();
        for _ in 0..[1, 1, 1, 2, 3][random.random_range(0..5)] {
            let mut object: Map<String, Value> = Map::new();
            let told = Frames::told(&self.frames);
            if random.random() {
                object.extend(told.into_iter().filter(|name| !self.spelled.contains_key(name)).map(|n| (n, 1.into())));
            }
            pools.replace(list, &mut object, random);
            self.amount(&mut object, random);
            objects.push(Value::Object(object));
        }
        self.tell(list, &mut objects, pools, random)
    }

    /// Another number, or none, and another of the values that can be spelled.
    fn amount(&self, object: &mut Map<String, Value>, random: &mut impl Rng) {
        let Some(number) = object.iter().find(|(_, value)| value.is_number()).map(|(name, _)| name.clone()) else {
            return;
        };
        if random.random_bool(0.15) {
            let spelled = self.spelled.keys().filter(|name| object.contains_key(*name)).cloned();
            let none: Vec<String> = spelled.chain([number]).collect();
            object.extend(none.into_iter().map(|name| (name, Value::Null)));
            return;
        }
        object.insert(number, quantity(random));
        for (name, spelled) in &self.spelled {
            let values: Vec<&String> = spelled.keys().collect();
            match random.random_range(0..3) {
                0 => object.insert(name.clone(), Value::Null),
                1 => {
                    object.insert(name.clone(), values.choose(random).map_or(Value::Null, |v| Value::from(v.as_str())))
                }
                _ => None,
            };
        }
    }

    fn object(
        &self,
        frame: &str,
        at: &str,
        object: &Map<String, Value>,
        list: &str,
        pools: &Pools,
        random: &mut impl Rng,
    ) -> Vec<Part> {
        let number = object.values().find_map(Value::as_f64);
        let (mut parts, mut rest) = (Vec::new(), frame);
        while let Some((before, after)) = rest.split_once('{') {
            let Some((name, after)) = after.split_once('}') else { break };
            parts.push(Part::plain(before));
            let value = &object[name];
            match value {
                Value::Number(_) => {
                    let in_words = reads_as_words(before, after);
                    parts.push(Part::plain(written(value.as_f64().unwrap_or(0.0), in_words, random)));
                }
                Value::String(text) => match self.spelled.get(name).and_then(|spelled| spelled.get(text)) {
                    Some(spellings) => {
                        let spelling = pick(spellings, random);
                        let (one, many) = spelling.split_once('/').unwrap_or((spelling, spelling));
                        let single = number.is_some_and(|number| number <= 1.0);
                        parts.push(Part::plain(if single { one } else { many }));
                    }
                    None => {
                        let known = pools.knows(list, text);
                        parts.push(Part { text: text.clone(), name: (!known).then(|| format!("{at}/{name}")) });
                    }
                },
                _ => {}
            }
            rest = after;
        }
        parts.push(Part::plain(rest));
        parts
    }
}

/// Whether a number word reads well between these texts of a frame: before another word (`two crates`), but not beside a
/// sign (`x two`).
fn reads_as_words(before: &str, after: &str) -> bool {
    let sign = before.trim_end().ends_with(['x', '×', '=', '~', '[', '/']);
    !sign && after.strip_prefix(' ').is_some_and(|next| next.starts_with(|c: char| c == '{' || c.is_alphabetic()))
}

/// A number as people write it.
fn written(number: f64, in_words: bool, random: &mut impl Rng) -> String {
    let word = NUMBER_WORDS.iter().find(|(_, n)| (f64::from(*n) - number).abs() < 1e-9);
    if let (true, Some((word, _))) = (in_words, word)
        && random.random_bool(0.33)
    {
        return if random.random_bool(0.1) { format!("{word} ({number})") } else { (*word).to_owned() };
    }
    let whole = number.trunc();
    if ((number - whole) - 0.5).abs() < 1e-9 && random.random_bool(0.5) {
        let half = if random.random() { "½" } else { " 1/2" };
        return if whole > 0.0 { format!("{whole}{half}") } else { half.trim().to_owned() };
    }
    number.to_string()
}

/// Puts the texts of a list beside each other, or below each other at the end of a message.
fn join(texts: Vec<Vec<Part>>, last: bool, random: &mut impl Rng, parts: &mut Vec<Part>) {
    const BULLETS: [&str; 10] = ["- ", "- ", "* ", "• ", "", "", "-", "> ", "+ ", "#"];
    const ENDS: [&str; 14] = [
        " and ",
        " and ",
        " and ",
        ", and ",
        ", and ",
        ", ",
        ", ",
        ", ",
        " & ",
        " plus ",
        " + ",
        " and also ",
        " as well as ",
        " along with ",
    ];
    const BETWEEN: [&str; 9] = ["; ", "; ", "; ", " + ", " / ", " & ", " | ", " and ", "  "];
    let count = texts.len();
    let form = random.random_range(0..100);
    let bullet = (last && count > 1 && form < 30).then(|| *BULLETS.choose(random).unwrap_or(&"- "));
    let (between, end) = match form {
        30..40 => [*BETWEEN.choose(random).unwrap_or(&"; "); 2].into(),
        _ => (", ", *ENDS.choose(random).unwrap_or(&", ")),
    };
    let mark = if random.random() { '.' } else { ')' };
    for (at, text) in texts.into_iter().enumerate() {
        let before = match bullet {
            Some("#") => format!("\n{}{mark} ", at + 1),
            Some(bullet) => format!("\n{bullet}"),
            None if at == 0 => String::new(),
            None if at + 1 == count => end.to_owned(),
            None => between.to_owned(),
        };
        parts.push(Part::plain(before));
        parts.extend(text);
    }
}

impl Pools {
    /// Another name for a field.
    pub(super) fn invent(&self, field: &str, random: &mut impl Rng) -> String {
        words::name(self.kinds.get(field).map_or(&[], Vec::as_slice), random)
    }
}
