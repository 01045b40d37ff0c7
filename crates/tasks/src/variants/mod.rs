//! Variants of approved examples for training: the same answers for other names and amounts, in other words, with typos.
//!
//! An adapter that sees a few hundred examples learns their names by heart and misreads others. A variant keeps what an
//! example teaches and changes what it must not: names that stand in the input are exchanged in input and answer together
//! (only where the place is certain), amounts too, and a task that has [`Wordings`] tells the answer again in other words.
//!
//! A variant follows from its seed, epoch and example alone.

mod exchange;
mod rewording;
mod typos;
mod wordings;
mod words;

use graft_core::{AnswerForm, Example, Purpose, TaskCard, random};
use rand::{Rng, RngExt as _, rngs::ChaCha8Rng};
use serde_json::Value;

pub use wordings::Wordings;

use exchange::Pools;
use typos::misspell;

/// How much of the training is variants.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Shares {
    /// Of the longer words of each input, those that are misspelt.
    pub typos: f64,
    /// Of the examples, those with other names and amounts.
    pub exchanged: f64,
    /// Of the examples, those told in other words, for tasks that have some.
    pub reworded: f64,
}

impl Shares {
    /// Whether every variant is the example itself.
    #[must_use]
    pub fn is_none(self) -> bool {
        self == Self::default()
    }
}

/// An example in other words.
#[derive(Clone, Debug, PartialEq)]
pub struct Variant {
    /// What the model reads.
    pub input: String,
    /// What it must answer.
    pub output: Value,
}

/// Makes variants of the examples of a training.
#[derive(Debug)]
pub struct Variants<'e> {
    examples: &'e [Example],
    shares: Shares,
    wordings: Wordings,
    pools: Pools,
}

impl<'e> Variants<'e> {
    /// Of these examples, for a task with this card and these words. Only answers that are objects have names to exchange.
    #[must_use]
    pub fn new(card: &TaskCard, wordings: Wordings, examples: &'e [Example], shares: Shares) -> Self {
        let pools = match &card.answer {
            AnswerForm::Json { schema } => Pools::new(schema, examples, &wordings),
            AnswerForm::Label { .. } | AnswerForm::Text => Pools::default(),
        };
        Self { examples, shares, wordings, pools }
    }

    /// The variant of an example in an epoch.
    #[must_use]
    pub fn of(&self, index: usize, epoch: u64, seed: u64) -> Variant {
        let example = &self.examples[index];
        let random = &mut random(seed, Purpose::Variants, [epoch, index as u64]);
        let kind = random.random::<f64>();
        let output = example.output.clone().unwrap_or_default();
        let (reworded, exchanged) = (self.shares.reworded, self.shares.exchanged);
        let told = if kind < reworded { self.wordings.tell(&output, &self.pools, random) } else { None };
        let draft = match told {
            Some(draft) => draft,
            None if kind < reworded + exchanged => {
                let mut draft = self.pools.exchange(&example.input, output, random);
                self.wordings.frame(&mut draft, 0.2, random);
                draft
            }
            None => Draft::of(&example.input, output),
        };
        draft.finish(self.shares.typos, random)
    }
}

/// A variant being made.
#[derive(Debug)]
struct Draft {
    parts: Vec<Part>,
    output: Value,
}

/// A part of an input.
#[derive(Debug)]
struct Part {
    text: String,
    /// Of an invented name, where it stands in the answer: it is to be copied, whatever it is.
    name: Option<String>,
}

impl Part {
    fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), name: None }
    }
}

impl Draft {
    fn of(input: &str, output: Value) -> Self {
        Self { parts: vec![Part::plain(input)], output }
    }

    /// Whether it has invented names.
    fn is_changed(&self) -> bool {
        self.parts.len() > 1
    }

    /// Now and then all in lower case or in capitals, or with another first letter; with typos in what need not be copied.
    fn finish(mut self, typos: f64, random: &mut ChaCha8Rng) -> Variant {
        if self.is_changed() {
            match random.random_range(0..20) {
                0..3 => self.all(str::to_lowercase),
                3 if random.random_bool(0.4) => self.all(str::to_uppercase),
                3..6 => self.first_letter(|c| c.to_uppercase().collect()),
                6..9 => self.first_letter(|c| c.to_lowercase().collect()),
                _ => {}
            }
        }
        let text = |part: Part| if part.name.is_some() { part.text } else { misspell(&part.text, typos, random) };
        Variant { input: self.parts.into_iter().map(text).collect(), output: self.output }
    }

    /// Writes everything in another case, the invented names of the answer too.
    fn all(&mut self, case: impl Fn(&str) -> String) {
        for part in &mut self.parts {
            part.text = case(&part.text);
            let name = part.name.as_ref().and_then(|at| self.output.pointer_mut(at));
            if let Some(Value::String(name)) = name {
                *name = case(name);
            }
        }
    }

    /// Changes the first letter, unless a name begins with it.
    fn first_letter(&mut self, change: impl Fn(char) -> String) {
        let Some(part) = self.parts.iter_mut().find(|part| !part.text.is_empty()) else { return };
        let mut chars = part.text.chars();
        if let (None, Some(first)) = (&part.name, chars.next()) {
            part.text = change(first) + chars.as_str();
        }
    }
}

/// One of these texts; nothing where there are none.
fn pick<'t>(texts: &'t [String], random: &mut impl Rng) -> &'t str {
    use rand::seq::IndexedRandom as _;
    texts.choose(random).map_or("", String::as_str)
}

#[cfg(test)]
mod tests;
