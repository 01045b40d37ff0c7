//! Answers with the output of the most similar example.

use serde_json::Value;

use crate::features::{Idf, Vocabulary};

/// Examples with an inverted index of their n-grams.
#[derive(Clone, Debug)]
pub(crate) struct Nearest {
    examples: Vec<(String, Value)>,
    vocabulary: Vocabulary,
    idf: Idf,
    /// For each n-gram, the examples that contain it, with its weight.
    having: Vec<Vec<(u32, f32)>>,
}

impl Nearest {
    /// `examples` must not be empty.
    pub(crate) fn new(examples: Vec<(String, Value)>) -> Self {
        let mut vocabulary = Vocabulary::default();
        let counts: Vec<_> = examples.iter().map(|(text, _)| vocabulary.learn(text)).collect();
        let idf = Idf::fit(counts.iter(), vocabulary.len());
        let mut having = vec![Vec::new(); vocabulary.len()];
        for (i, counts) in counts.iter().enumerate() {
            for (id, x) in idf.row(counts) {
                having[id as usize].push((i as u32, x));
            }
        }
        Self { examples, vocabulary, idf, having }
    }

    pub(crate) fn examples(&self) -> &[(String, Value)] {
        &self.examples
    }

    /// The output of the example with the highest cosine similarity (the first on ties), and that similarity: the mean
    /// of those for words and for characters.
    pub(crate) fn answer(&self, text: &str) -> (&Value, f64) {
        let mut cosines = vec![0.0_f64; self.examples.len()];
        for (id, x) in self.idf.row(&self.vocabulary.counts(text)) {
            for &(example, y) in &self.having[id as usize] {
                cosines[example as usize] += 0.5 * f64::from(x) * f64::from(y);
            }
        }
        let best = (0..cosines.len()).fold(0, |best, i| if cosines[i] > cosines[best] { i } else { best });
        (&self.examples[best].1, cosines[best].clamp(0.0, 1.0))
    }
}
