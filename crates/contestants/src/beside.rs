//! N-grams that take part in the choice of a label beside an adapter.

use graft_core::json;
use serde::{Deserialize, Serialize};

use crate::{
    Error,
    features::{Idf, Vocabulary},
    logistic,
    ngrams::{Linear, NGrams},
};

/// Version of the file's format; other versions are refused.
const FORMAT: u32 = 1;

/// The probabilities of labels by n-grams, without the texts of the examples that they were fitted to: the file has hashes of
/// n-grams and numbers.
#[derive(Clone, Debug)]
pub struct LabelNGrams(Linear);

#[derive(Serialize, Deserialize)]
struct File {
    format: u32,
    /// Sorted.
    labels: Vec<String>,
    intercepts: Vec<f32>,
    /// Of each n-gram.
    hashes: Vec<u64>,
    /// Inverse document frequency of each n-gram.
    idf: Vec<f32>,
    /// One number per n-gram and intercept.
    weights: Vec<f32>,
}

impl LabelNGrams {
    /// The name of its file in an adapter's folder.
    pub const FILE: &str = "n_grams.json";

    /// Fits them to texts with their labels; `None` if there are fewer than two labels.
    #[must_use]
    pub fn fit(examples: Vec<(String, String)>) -> Option<Self> {
        NGrams::fit(examples).map(NGrams::into_model).map(Self)
    }

    /// The probability of each label that the examples had.
    #[must_use]
    pub fn chances(&self, input: &str) -> Vec<(&str, f64)> {
        self.0.labels.iter().map(String::as_str).zip(self.0.probabilities(input)).collect()
    }

    /// One JSON document.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let Linear { labels, vocabulary, idf, weights, intercepts } = &self.0;
        let rounded = |numbers: &[f64]| numbers.iter().map(|x| *x as f32).collect();
        let file = File {
            format: FORMAT,
            labels: labels.clone(),
            intercepts: rounded(intercepts),
            hashes: vocabulary.hashes(),
            idf: idf.numbers().to_vec(),
            weights: rounded(weights),
        };
        json::line(&file).into_bytes()
    }

    /// Reads the file, which is untrusted.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let file: File = serde_json::from_slice(bytes).map_err(|e| Error::File(format!("it is damaged: {e}")))?;
        if file.format != FORMAT {
            return Err(Error::File(format!("its format is {} and not {FORMAT}", file.format)));
        }
        let File { labels, intercepts, hashes, idf, weights, .. } = file;
        let numbers = intercepts.iter().chain(&idf).chain(&weights);
        let is_whole = labels.len() >= 2
            && labels.is_sorted_by(|one, next| one < next)
            && intercepts.len() == logistic::columns(labels.len())
            && weights.len() == hashes.len() * intercepts.len()
            && idf.len() == hashes.len()
            && numbers.into_iter().all(|x| x.is_finite());
        let vocabulary = Vocabulary::of(&hashes).filter(|_| is_whole);
        let vocabulary = vocabulary.ok_or_else(|| Error::File("its numbers don't fit its labels".into()))?;
        let wide = |numbers: Vec<f32>| numbers.into_iter().map(f64::from).collect();
        let (weights, intercepts) = (wide(weights), wide(intercepts));
        Ok(Self(Linear { labels, vocabulary, idf: Idf::of(idf), weights, intercepts }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn examples() -> Vec<(String, String)> {
        let one = |i: usize| {
            let (text, label) =
                [("win a free prize", "spam"), ("see you at home", "ham"), ("Re: 5551234", "other")][i % 3];
            (format!("{text} {i}"), label.to_owned())
        };
        (0..30).map(one).collect()
    }

    #[test]
    fn file_has_no_texts_and_gives_the_same_probabilities() {
        for labels in [2, 3] {
            let examples: Vec<_> =
                examples().into_iter().filter(|(_, label)| labels == 3 || label != "other").collect();
            let fitted = LabelNGrams::fit(examples.clone()).unwrap();
            let file = fitted.to_bytes();
            assert_eq!(file, LabelNGrams::fit(examples).unwrap().to_bytes());
            let text = String::from_utf8(file.clone()).unwrap();
            assert!(!["prize", "home", "5551234"].iter().any(|word| text.contains(word)));
            let read = LabelNGrams::from_bytes(&file).unwrap();
            for input in ["a free prize today", "at home", "Re: nothing", ""] {
                let (one, other) = (fitted.chances(input), read.chances(input));
                assert_eq!(one.len(), labels);
                assert!(
                    one.iter().zip(&other).all(|(a, b)| a.0 == b.0 && (a.1 - b.1).abs() < 1e-4),
                    "{one:?} {other:?}"
                );
                assert!((other.iter().map(|(_, chance)| chance).sum::<f64>() - 1.0).abs() < 1e-9);
            }
            let best = read.chances("a free prize today").into_iter().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
            assert_eq!(best.0, "spam");
        }
        assert!(LabelNGrams::fit(examples().into_iter().step_by(3).collect()).is_none());
    }

    #[test]
    fn damaged_file_is_refused() {
        let whole = String::from_utf8(LabelNGrams::fit(examples()).unwrap().to_bytes()).unwrap();
        let first = whole.split_once("\"hashes\":[").unwrap().1.split_once(',').unwrap().0;
        for damaged in [
            whole[..whole.len() / 2].to_owned(),
            whole.replace("\"format\":1", "\"format\":2"),
            whole.replace("\"ham\"", "\"zebra\""),
            whole.replace("\"hashes\":[", "\"hashes\":[7,"),
            whole.replace("\"hashes\":[", &format!("\"idf2\":[],\"hashes\":[{first},")),
            whole.replace("\"weights\":[", "\"weights\":[1e39,"),
            whole.replace("\"intercepts\":[", "\"intercepts\":[0.5,"),
        ] {
            assert!(matches!(LabelNGrams::from_bytes(damaged.as_bytes()), Err(Error::File(_))), "{damaged}");
        }
    }
}
