use rand::{Rng, RngExt as _};

/// Shorter words are rarely recognisable with a slip in them.
const SHORTEST: usize = 4;

/// Writes a text as hasty people type it: a `share` of its longer words gets one slip. Most slips swap two neighbouring
/// letters, the others lose, double or replace one; the first letter stays.
pub(super) fn misspell(text: &str, share: f64, random: &mut impl Rng) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut word: Vec<char> = Vec::new();
    let mut end = |word: &mut Vec<char>, out: &mut String, whole: bool| {
        if whole && word.len() >= SHORTEST && random.random::<f64>() < share {
            slip(word, random);
        }
        out.extend(word.drain(..));
    };
    let mut before = ' ';
    for c in text.chars() {
        if c.is_alphabetic() {
            word.push(c);
            continue;
        }
        // What stands in an escape (`&amp;`), a mention, a link or a code is not a word.
        end(&mut word, &mut out, is_plain(before) && is_plain(c) && !(before == '&' && c == ';'));
        out.push(c);
        before = c;
    }
    end(&mut word, &mut out, is_plain(before));
    out
}

fn is_plain(neighbour: char) -> bool {
    !neighbour.is_numeric() && !"@<>/_=%\\|".contains(neighbour)
}

fn slip(word: &mut Vec<char>, random: &mut impl Rng) {
    let at = random.random_range(1..word.len() - 1);
    match random.random_range(0..20) {
        0..12 => word.swap(at, at + 1),
        12..15 => drop(word.remove(at)),
        15..17 => word.insert(at, word[at]),
        _ => word[at] = neighbour(word[at], random),
    }
}

/// A key beside this one on a QWERTY keyboard.
fn neighbour(c: char, random: &mut impl Rng) -> char {
    const ROWS: [&str; 3] = ["qwertyuiop", "asdfghjkl", "zxcvbnm"];
    let Some((row, at)) = ROWS.iter().find_map(|row| Some((row.as_bytes(), row.find(c)?))) else { return c };
    let beside = if random.random() { at.checked_sub(1) } else { Some(at + 1) };
    row.get(beside.unwrap_or(1)).map_or(row[row.len() - 2] as char, |&key| key as char)
}

#[cfg(test)]
mod tests {
    use graft_core::{Purpose, random};

    use super::*;

    #[test]
    fn typos_are_a_function_of_the_seed_and_change_only_words() {
        let text = "Got 12cases of <@U123> &quot;tomatoes&quot; from 3 big markets, thanks!";
        let misspelt = |share, seed| misspell(text, share, &mut random(seed, Purpose::Variants, [0, 0]));
        assert_eq!(misspelt(0.0, 1), text);
        let wrong = misspelt(1.0, 1);
        assert_eq!(wrong, misspelt(1.0, 1));
        assert_ne!(wrong, misspelt(1.0, 2));
        for kept in ["Got 12cases of <@U123> &quot;", "&quot; ", " 3 big "] {
            assert!(wrong.contains(kept), "{wrong}");
        }
        assert!(!wrong.contains("tomatoes") && !wrong.contains("markets"), "{wrong}");
    }

    #[test]
    fn typos_affect_about_the_given_share_of_words() {
        let text =
            "strawberries potatoes cucumbers tomatoes bananas oranges peppers onions carrots lettuce ".repeat(100);
        let wrong = misspell(&text, 0.1, &mut random(3, Purpose::Variants, [0, 0]));
        let hit = text.split(' ').zip(wrong.split(' ')).filter(|(a, b)| a != b).count();
        assert!((70..130).contains(&hit), "{hit} of 1000");
    }
}
