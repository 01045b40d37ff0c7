use std::collections::HashMap;

use serde_json::Value;

use super::Board;

/// Longest text compared, in words: the longest common subsequence takes their product.
const MAX_WORDS: usize = 2000;

/// Scores free texts: the same text but for case and spaces; the overlap of words (token F1 as in SQuAD, Rajpurkar et
/// al. 2016); and ROUGE-L, which minds their order (Lin 2004, as an F1).
pub(super) fn score(pairs: &[(Value, Option<Value>)], board: &mut Board) -> &'static str {
    let words: Vec<(Vec<String>, Option<Vec<String>>)> =
        pairs.iter().map(|(want, got)| (split(want), got.as_ref().map(split))).collect();
    board.share("exact", words.iter().map(|(want, got)| got.as_ref() == Some(want)));
    let mean_f1 = |shared: fn(&[String], &[String]) -> usize| -> Vec<f64> {
        words
            .iter()
            .map(|(want, got)| got.as_ref().map_or(0.0, |got| f1(shared(want, got), want.len(), got.len())))
            .collect()
    };
    board.mean("token_f1", mean_f1(overlap));
    board.mean("rouge_l", mean_f1(common_subsequence));
    "rouge_l"
}

/// Whether two texts have the same words.
pub(super) fn same(want: &Value, got: &Value) -> bool {
    split(want) == split(got)
}

/// Lowercase words without their punctuation.
fn split(text: &Value) -> Vec<String> {
    let text = text.as_str().map_or_else(|| text.to_string(), str::to_lowercase);
    let words = text.split(|c: char| !(c.is_alphanumeric() || c == '\'')).filter(|word| !word.is_empty());
    words.take(MAX_WORDS).map(str::to_owned).collect()
}

fn f1(shared: usize, want: usize, got: usize) -> f64 {
    if want + got == 0 { 1.0 } else { 2.0 * shared as f64 / (want + got) as f64 }
}

fn overlap(want: &[String], got: &[String]) -> usize {
    let mut left: HashMap<&str, usize> = HashMap::new();
    want.iter().for_each(|word| *left.entry(word).or_default() += 1);
    got.iter().filter(|word| left.get_mut(word.as_str()).filter(|n| **n > 0).map(|n| *n -= 1).is_some()).count()
}

/// Length of the longest common subsequence, one row at a time.
fn common_subsequence(want: &[String], got: &[String]) -> usize {
    let mut row = vec![0; got.len() + 1];
    for wanted in want {
        let mut diagonal = 0;
        for (j, given) in got.iter().enumerate() {
            let above = row[j + 1];
            row[j + 1] = if wanted == given { diagonal + 1 } else { above.max(row[j]) };
            diagonal = above;
        }
    }
    row[got.len()]
}
