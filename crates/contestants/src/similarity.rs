//! How alike texts are, for choosing examples that say something new.

use std::{num::NonZero, thread};

use crate::features::{Counts, Idf, Row, Vocabulary};

/// Characters of a text that are compared.
const MAX_CHARS: usize = 1000;

/// Texts to choose from, each with its greatest similarity to the known texts and to those chosen so far: the cosine of
/// their n-grams, where words and characters count the same.
#[derive(Clone, Debug)]
pub struct Similarity {
    rows: Vec<Row>,
    /// For each n-gram, the texts that contain it, with its weight.
    having: Vec<Vec<(u32, f32)>>,
    greatest: Vec<f64>,
}

impl Similarity {
    /// Compares each text with all known ones, by their first 1,000 characters; on all processors.
    #[must_use]
    pub fn new(texts: &[&str], known: &[&str]) -> Self {
        let mut vocabulary = Vocabulary::default();
        // N-grams that only one side has count as well, or texts with new words would seem alike by their few known ones.
        let mut learn = |text: &&str| vocabulary.learn(beginning(text));
        let (counts, known): (Vec<Counts>, Vec<Counts>) =
            (texts.iter().map(&mut learn).collect(), known.iter().map(&mut learn).collect());
        let idf = Idf::fit(counts.iter().chain(&known), vocabulary.len());
        let rows: Vec<Row> = counts.iter().map(|counts| unit(&idf, counts)).collect();
        let mut having = vec![Vec::new(); vocabulary.len()];
        for (i, row) in rows.iter().enumerate() {
            for &(id, x) in row {
                having[id as usize].push((i as u32, x));
            }
        }
        let mut similarity = Self { greatest: vec![0.0; rows.len()], rows, having };
        let workers = thread::available_parallelism().map_or(1, NonZero::get);
        let parts: Vec<Vec<f64>> = thread::scope(|scope| {
            let (similarity, idf) = (&similarity, &idf);
            let part = |known: &[Counts]| {
                let mut greatest = similarity.greatest.clone();
                known.iter().for_each(|counts| similarity.compare(&unit(idf, counts), &mut greatest));
                greatest
            };
            let threads: Vec<_> = known
                .chunks(known.len().div_ceil(workers).max(1))
                .map(|some| scope.spawn(move || part(some)))
                .collect();
            threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
        });
        for part in parts {
            similarity.greatest.iter_mut().zip(part).for_each(|(greatest, other)| *greatest = greatest.max(other));
        }
        similarity
    }

    /// The greatest similarity of a text to a known or chosen one, from 0 to 1.
    #[must_use]
    pub fn greatest(&self, text: usize) -> f64 {
        self.greatest[text].clamp(0.0, 1.0)
    }

    /// Adds a text to those that are known.
    pub fn choose(&mut self, text: usize) {
        let mut greatest = std::mem::take(&mut self.greatest);
        self.compare(&self.rows[text], &mut greatest);
        self.greatest = greatest;
    }

    fn compare(&self, row: &Row, greatest: &mut [f64]) {
        let mut cosines = vec![0.0_f32; self.rows.len()];
        for &(id, x) in row {
            for &(text, y) in &self.having[id as usize] {
                cosines[text as usize] += x * y;
            }
        }
        greatest.iter_mut().zip(cosines).for_each(|(greatest, cosine)| *greatest = greatest.max(f64::from(cosine)));
    }
}

/// The weights of a text, of length 1; empty if it has no n-grams.
fn unit(idf: &Idf, counts: &Counts) -> Row {
    let mut row = idf.row(counts);
    let length = row.iter().map(|(_, x)| x * x).sum::<f32>().sqrt();
    row.iter_mut().for_each(|(_, x)| *x /= length);
    row
}

fn beginning(text: &str) -> &str {
    text.char_indices().nth(MAX_CHARS).map_or(text, |(end, _)| &text[..end])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn new_words_make_a_text_new() {
        let known = ["the parcel came late", "the parcel is lost", "refund my money"];
        let texts = ["The parcel came  late", "the parcel came too late", "the glockenspiel of ludwig zyx", "?!"];
        let mut similarity = Similarity::new(&texts, &known);
        let [same, near, new, signs] = [0, 1, 2, 3].map(|text| similarity.greatest(text));
        assert!(same > 0.99 && (0.5..0.99).contains(&near) && new < 0.2 && signs < 0.2, "{same} {near} {new} {signs}");
        similarity.choose(2);
        similarity.choose(3);
        let after = [1, 2, 3].map(|text| similarity.greatest(text));
        assert!(after[0] == near && after[1] > 0.99 && after[2] > 0.99, "{after:?}");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_texts_are_compared(texts in prop::collection::vec("\\PC{0,12}", 0..6), known in prop::collection::vec("\\PC{0,12}", 0..6)) {
            let (texts, known): (Vec<&str>, Vec<&str>) =
                (texts.iter().map(String::as_str).collect(), known.iter().map(String::as_str).collect());
            let mut similarity = Similarity::new(&texts, &known);
            for text in 0..texts.len() {
                similarity.choose(text);
                prop_assert!((0.0..=1.0).contains(&similarity.greatest(text)));
            }
        }
    }
}
