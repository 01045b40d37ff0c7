//! TF-IDF features of word and character n-grams, as in scikit-learn: 1 and 2 words, and 2 to 5 characters within a
//! word and its borders (`char_wb`); lower case, sublinear term frequency, smoothed inverse document frequency. Words
//! and characters are two blocks, each normalized to length 1.

use std::collections::HashMap;

/// Number of characters of a text that are used. The rest of a longer text changes little and takes long.
const MAX_CHARS: usize = 4000;
/// Lengths of word n-grams.
const WORDS: [usize; 2] = [1, 2];
/// Lengths of character n-grams.
const CHARS: [usize; 4] = [2, 3, 4, 5];

/// Counts of a text's n-grams by id, for words and for characters.
pub(crate) type Counts = [Vec<(u32, u32)>; 2];
/// Weights of a text's n-grams, by id.
pub(crate) type Row = Vec<(u32, f32)>;

/// Assigns ids to n-grams, which it knows by their hashes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Vocabulary {
    ids: HashMap<u64, u32>,
}

impl Vocabulary {
    /// The n-grams with these hashes, by id; `None` if two are the same.
    pub(crate) fn of(hashes: &[u64]) -> Option<Self> {
        let ids: HashMap<u64, u32> = hashes.iter().copied().zip(0..).collect();
        (ids.len() == hashes.len()).then_some(Self { ids })
    }

    /// The hashes of its n-grams, by id.
    pub(crate) fn hashes(&self) -> Vec<u64> {
        let mut hashes = vec![0; self.len()];
        self.ids.iter().for_each(|(hash, id)| hashes[*id as usize] = *hash);
        hashes
    }

    /// Number of ids.
    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    /// Counts the n-grams of a text; new ones get an id.
    pub(crate) fn learn(&mut self, text: &str) -> Counts {
        let mut next = self.len() as u32;
        count(text, |block, gram| {
            let id = *self.ids.entry(hash(block, gram)).or_insert(next);
            next += u32::from(id == next);
            Some(id)
        })
    }

    /// Counts the known n-grams of a text.
    pub(crate) fn counts(&self, text: &str) -> Counts {
        count(text, |block, gram| self.ids.get(&hash(block, gram)).copied())
    }
}

/// The hash of an n-gram of words (block 0) or characters (block 1): FNV-1a with 64 bits (RFC 9923), the same everywhere.
fn hash(block: usize, gram: &str) -> u64 {
    const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
    std::iter::once(block as u8)
        .chain(gram.bytes())
        .fold(OFFSET, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME))
}

/// Inverse document frequency of each n-gram.
#[derive(Clone, Debug)]
pub(crate) struct Idf(Vec<f32>);

impl Idf {
    /// These numbers, by id.
    pub(crate) fn of(numbers: Vec<f32>) -> Self {
        Self(numbers)
    }

    /// Its numbers, by id.
    pub(crate) fn numbers(&self) -> &[f32] {
        &self.0
    }

    /// Fits the frequencies of `ids` n-grams to these texts.
    pub(crate) fn fit<'c>(texts: impl Iterator<Item = &'c Counts>, ids: usize) -> Self {
        let mut documents = vec![0_u32; ids];
        let mut n = 0.0;
        for counts in texts {
            n += 1.0;
            counts.iter().flatten().for_each(|(id, _)| documents[*id as usize] += 1);
        }
        let idf = |df: u32| if df == 0 { 0.0 } else { ((1.0 + n) / (1.0 + f64::from(df))).ln() as f32 + 1.0 };
        Self(documents.into_iter().map(idf).collect())
    }

    /// The weights of a text. N-grams that occur in none of the fitted texts are left out.
    pub(crate) fn row(&self, counts: &Counts) -> Row {
        let mut row = Row::with_capacity(counts.iter().map(Vec::len).sum());
        for block in counts {
            let start = row.len();
            for &(id, count) in block {
                let idf = self.0[id as usize];
                if idf > 0.0 {
                    row.push((id, (1.0 + (count as f32).ln()) * idf));
                }
            }
            let length = row[start..].iter().map(|(_, x)| f64::from(*x).powi(2)).sum::<f64>().sqrt() as f32;
            row[start..].iter_mut().for_each(|(_, x)| *x /= length);
        }
        row
    }
}

/// Counts the n-grams of a text that have an id, sorted by id.
fn count(text: &str, mut id: impl FnMut(usize, &str) -> Option<u32>) -> Counts {
    let text: String = text.chars().take(MAX_CHARS).collect::<String>().to_lowercase();
    let mut found: [Vec<u32>; 2] = [Vec::new(), Vec::new()];
    let words: Vec<&str> = text.split(|c: char| !is_word(c)).filter(|word| !word.is_empty()).collect();
    for n in WORDS {
        for gram in words.windows(n) {
            found[0].extend(id(0, &gram.join(" ")));
        }
    }
    let mut padded = String::new();
    let mut borders = Vec::new();
    for word in text.split_whitespace() {
        padded.clear();
        padded.extend([" ", word, " "]);
        borders.clear();
        borders.extend(padded.char_indices().map(|(at, _)| at).chain([padded.len()]));
        let chars = borders.len() - 1;
        for n in CHARS {
            // A word shorter than `n` counts once, as a whole.
            for start in 0..=chars.saturating_sub(n) {
                found[1].extend(id(1, &padded[borders[start]..borders[(start + n).min(chars)]]));
            }
            if chars <= n {
                break;
            }
        }
    }
    found.map(|mut ids| {
        ids.sort_unstable();
        ids.chunk_by(|a, b| a == b).map(|same| (same[0], same.len() as u32)).collect()
    })
}

/// Approximately what `\w` matches.
fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The n-grams of a text in the order of their ids, with their counts.
    fn grams(text: &str) -> [Vec<(String, u32)>; 2] {
        let mut names: Vec<(usize, String)> = Vec::new();
        let counts = count(text, |block, gram| {
            let name = (block, gram.to_owned());
            let known = names.iter().position(|known| *known == name);
            Some(known.unwrap_or_else(|| {
                names.push(name);
                names.len() - 1
            }) as u32)
        });
        counts.map(|counts| counts.iter().map(|&(id, count)| (names[id as usize].1.clone(), count)).collect())
    }

    #[test]
    fn ngrams_match_scikit_learn() {
        let [words, chars] = grams("Call  ME, call me");
        let of = |pairs: &[(&str, u32)]| pairs.iter().map(|(gram, n)| ((*gram).to_owned(), *n)).collect::<Vec<_>>();
        assert_eq!(words, of(&[("call", 2), ("me", 2), ("call me", 2), ("me call", 1)]));
        // CountVectorizer(analyzer="char_wb", ngram_range=(2, 5)) gives the same 27.
        assert_eq!(chars.len(), 27);
        assert!(chars.contains(&(" me ".into(), 1)) && chars.contains(&(" me, ".into(), 1)));
        assert_eq!(grams("i")[1], of(&[(" i", 1), ("i ", 1), (" i ", 1)]));
        assert_eq!(grams("")[1], []);
    }

    #[test]
    fn tfidf_weights_match_scikit_learn() {
        let mut vocabulary = Vocabulary::default();
        let texts = ["free prize", "see you at home", "free free home"].map(|text| vocabulary.learn(text));
        let idf = Idf::fit(texts.iter(), vocabulary.len());
        let row = idf.row(&texts[2]);
        let weight =
            |block: usize, gram: &str| row.iter().find(|(id, _)| *id == vocabulary.ids[&hash(block, gram)]).unwrap().1;
        // TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True).
        for (gram, expected) in [("free", 0.625_610), ("home", 0.369_495), ("free free", 0.485_842)] {
            assert!((weight(0, gram) - expected).abs() < 1e-5, "{gram} {}", weight(0, gram));
        }
        let length: f32 = row.iter().map(|(_, x)| x * x).sum();
        assert!((length - 2.0).abs() < 1e-5);
    }
}
