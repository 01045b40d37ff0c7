use std::collections::BTreeSet;

use crate::pounds::Tables;

/// Corrects two swapped neighbouring letters in the name of an item, as in `bnaanas` or `sweetp otatoes`.
///
/// Other slips are left alone: no swap turns one food into another, but a changed letter does (`beer`, `beet`).
#[derive(Clone, Debug)]
pub(super) struct Spelling {
    /// Every word of the food tables, singular and plural.
    words: BTreeSet<String>,
}

impl Spelling {
    pub(super) fn new(tables: &Tables) -> Self {
        let mut words = BTreeSet::new();
        for word in tables.foods.values().flatten().flat_map(|food| food.split_whitespace()) {
            words.extend([word.to_owned(), format!("{word}s"), format!("{word}es")]);
            words.extend(word.strip_suffix('y').map(|stem| format!("{stem}ies")));
        }
        Self { words }
    }

    /// The name after the one swap that makes most of its words known; the name itself if no swap makes any word known.
    pub(super) fn correct(&self, name: &str) -> String {
        let known = |name: &str| name.split(' ').filter(|word| self.words.contains(*word)).count();
        let letters: Vec<char> = name.chars().collect();
        let (mut best, mut most) = (name.to_owned(), known(name));
        for at in 1..letters.len() {
            let mut swapped = letters.clone();
            swapped.swap(at - 1, at);
            let swapped: String = swapped.into_iter().collect();
            if known(&swapped) > most {
                (most, best) = (known(&swapped), swapped);
            }
        }
        best
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn swapped_letters_are_corrected() {
        let spelling = Spelling::new(&Tables::builtin());
        let cases = [
            ("bnaanas", "bananas"),
            ("sweetp otatoes", "sweet potatoes"),
            ("shredded chesee", "shredded cheese"),
            ("blackberires", "blackberries"),
            ("sweet potatoes", "sweet potatoes"),
            ("beer", "beer"),
            ("paper plates", "paper plates"),
            ("", ""),
        ];
        for (said, meant) in cases {
            assert_eq!(spelling.correct(said), meant);
        }
    }
}
