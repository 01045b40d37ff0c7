//! Facts about parts of a `tokenizer.json` (longest token, highest id), computed while parsing, so that a huge list is
//! never held in memory.

use std::{collections::HashSet, fmt, marker::PhantomData};

use serde::{
    Deserialize,
    de::{Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

/// Maximum number of steps in one sequence of normalizers, pre-tokenizers and so on.
const MOST_STEPS: usize = 64;

/// Any JSON value, parsed completely: ignored values may contain invalid escapes or huge numbers.
pub(super) struct WellFormed;

impl<'de> Deserialize<'de> for WellFormed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Anything;
        impl<'de> Visitor<'de> for Anything {
            type Value = WellFormed;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }

            fn visit_unit<E>(self) -> Result<WellFormed, E> {
                Ok(WellFormed)
            }

            fn visit_bool<E>(self, _: bool) -> Result<WellFormed, E> {
                Ok(WellFormed)
            }

            fn visit_u64<E>(self, _: u64) -> Result<WellFormed, E> {
                Ok(WellFormed)
            }

            fn visit_i64<E>(self, _: i64) -> Result<WellFormed, E> {
                Ok(WellFormed)
            }

            fn visit_f64<E>(self, _: f64) -> Result<WellFormed, E> {
                Ok(WellFormed)
            }

            fn visit_str<E>(self, _: &str) -> Result<WellFormed, E> {
                Ok(WellFormed)
            }

            fn visit_seq<S: SeqAccess<'de>>(self, mut seq: S) -> Result<WellFormed, S::Error> {
                while seq.next_element::<WellFormed>()?.is_some() {}
                Ok(WellFormed)
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<WellFormed, M::Error> {
                while map.next_entry::<WellFormed, WellFormed>()?.is_some() {}
                Ok(WellFormed)
            }
        }
        deserializer.deserialize_any(Anything)
    }
}

/// Facts about a vocabulary, which is an object of ids (BPE) or a list of scores (Unigram).
#[derive(Default)]
pub(super) struct Vocab {
    /// Bytes of the longest token.
    pub(super) longest: usize,
    pub(super) highest_id: u64,
}

impl<'de> Deserialize<'de> for Vocab {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Vocab;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a vocabulary")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Vocab, M::Error> {
                let (mut vocab, mut seen) = (Vocab::default(), HashSet::new());
                while let Some((token, id)) = map.next_entry::<String, u32>()? {
                    vocab.longest = vocab.longest.max(token.len());
                    vocab.highest_id = vocab.highest_id.max(id.into());
                    if !seen.insert(id) {
                        return Err(M::Error::custom(format!("two tokens have the id {id}")));
                    }
                }
                Ok(vocab)
            }

            fn visit_seq<S: SeqAccess<'de>>(self, mut seq: S) -> Result<Vocab, S::Error> {
                let mut count = 0u64;
                while let Some((_, score)) = seq.next_element::<(IgnoredAny, f64)>()? {
                    // Sums of scores along a text must stay finite.
                    if score.abs() > 1e6 {
                        return Err(S::Error::custom(format!("score {score} is not a log probability")));
                    }
                    count += 1;
                }
                Ok(Vocab { longest: 0, highest_id: count.saturating_sub(1) })
            }
        }
        deserializer.deserialize_any(Entries)
    }
}

/// Length in bytes of the longest token that a merge makes.
#[derive(Default)]
pub(super) struct Merges {
    pub(super) longest: usize,
}

impl<'de> Deserialize<'de> for Merges {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Merge {
            Text(String),
            Pair(String, String),
        }
        struct List;
        impl<'de> Visitor<'de> for List {
            type Value = Merges;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of merges")
            }

            fn visit_seq<S: SeqAccess<'de>>(self, mut seq: S) -> Result<Merges, S::Error> {
                let mut longest = 0;
                while let Some(merge) = seq.next_element::<Merge>()? {
                    longest = longest.max(match &merge {
                        Merge::Text(text) => text.len().saturating_sub(1),
                        Merge::Pair(left, right) => left.len() + right.len(),
                    });
                }
                Ok(Merges { longest })
            }
        }
        deserializer.deserialize_seq(List)
    }
}

/// The highest id among the added tokens.
#[derive(Default)]
pub(super) struct AddedTokens(pub(super) u64);

impl<'de> Deserialize<'de> for AddedTokens {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Added {
            id: u32,
        }
        struct List;
        impl<'de> Visitor<'de> for List {
            type Value = AddedTokens;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of added tokens")
            }

            fn visit_seq<S: SeqAccess<'de>>(self, mut seq: S) -> Result<AddedTokens, S::Error> {
                let mut highest = 0;
                while let Some(added) = seq.next_element::<Added>()? {
                    highest = highest.max(added.id.into());
                }
                Ok(AddedTokens(highest))
            }
        }
        deserializer.deserialize_seq(List)
    }
}

/// A template's special tokens: the name of each and its highest id.
#[derive(Default)]
pub(super) struct TemplateTokens(pub(super) Vec<(String, u64)>);

impl<'de> Deserialize<'de> for TemplateTokens {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Token {
            ids: Few<u32>,
        }
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = TemplateTokens;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "at most {MOST_STEPS} special tokens")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<TemplateTokens, M::Error> {
                let mut tokens = Vec::new();
                while let Some((name, token)) = map.next_entry::<String, Token>()? {
                    if tokens.len() == MOST_STEPS {
                        return Err(M::Error::invalid_length(MOST_STEPS + 1, &self));
                    }
                    tokens.push((name, token.ids.0.into_iter().max().unwrap_or(0).into()));
                }
                Ok(TemplateTokens(tokens))
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

/// At most [`MOST_STEPS`] elements.
pub(super) struct Few<T>(pub(super) Vec<T>);

impl<T> Default for Few<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Few<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for List<T> {
            type Value = Few<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a list of at most {MOST_STEPS}")
            }

            fn visit_seq<S: SeqAccess<'de>>(self, mut seq: S) -> Result<Few<T>, S::Error> {
                let mut list = Vec::new();
                while let Some(element) = seq.next_element()? {
                    if list.len() == MOST_STEPS {
                        return Err(S::Error::invalid_length(MOST_STEPS + 1, &self));
                    }
                    list.push(element);
                }
                Ok(Few(list))
            }
        }
        deserializer.deserialize_seq(List(PhantomData))
    }
}
