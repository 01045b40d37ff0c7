use std::{
    cmp::Ordering,
    collections::{BTreeMap, HashMap},
};

use serde::{Deserialize, Serialize};

use crate::{Digest, Example, ExampleId, Review};

/// Which side of the split an example is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// Learned from.
    Train,
    /// Held out, for ever.
    Eval,
}

/// How the held-out examples are chosen the first time they are seen.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "lowercase")]
pub enum SplitRule {
    /// The share whose text (or a near-duplicate of it) was first seen last: answers "how good will it be on what
    /// comes next". What keeps coming back was seen before, so it is learned from.
    Newest {
        /// From 0 to 1.
        eval_share: f64,
    },
    /// A seeded share of the examples.
    Random {
        /// From 0 to 1.
        eval_share: f64,
        /// Same seed, same choice.
        seed: u64,
    },
}

/// Sides decided by earlier datasets of the task; they never change.
pub type Assignment = BTreeMap<ExampleId, Side>;

/// An immutable list of approved example revisions with its split. Same digest, same training data, for ever.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dataset {
    /// Covers every id, revision, input, output and side.
    pub digest: Digest,
    /// Learned from.
    pub train: Vec<Example>,
    /// Held out.
    pub eval: Vec<Example>,
    /// Approved, but left out of training because a near-duplicate is held out.
    pub leaking: Vec<ExampleId>,
    /// Side of every example, to be kept for the next dataset.
    pub assignment: Assignment,
}

/// Splits the approved examples that have an output.
///
/// Near-duplicates (word 3-gram Jaccard similarity of at least 0.8) stay on one side; examples in `frozen` keep
/// their side. Examples come out in the order given.
#[must_use]
pub fn split(examples: &[Example], frozen: &Assignment, rule: SplitRule) -> Dataset {
    let usable: Vec<&Example> =
        examples.iter().filter(|e| matches!(e.review, Review::Approved { .. }) && e.output.is_some()).collect();
    let cluster = near_duplicates(&usable.iter().map(|e| e.input.as_str()).collect::<Vec<_>>());
    let mut sides: HashMap<usize, Side> = HashMap::new();
    for (example, &c) in usable.iter().zip(&cluster) {
        match frozen.get(&example.id) {
            Some(Side::Eval) => drop(sides.insert(c, Side::Eval)),
            Some(Side::Train) => drop(sides.entry(c).or_insert(Side::Train)),
            None => {}
        }
    }
    hold_out(&usable, &cluster, rule, &mut sides);

    let mut dataset = Dataset {
        digest: Digest::of(b""),
        train: Vec::new(),
        eval: Vec::new(),
        leaking: Vec::new(),
        assignment: frozen.clone(),
    };
    for (example, c) in usable.iter().zip(&cluster) {
        let group = sides.get(c).copied().unwrap_or(Side::Train);
        let side = frozen.get(&example.id).copied().unwrap_or(group);
        dataset.assignment.insert(example.id.clone(), side);
        match side {
            Side::Eval => dataset.eval.push((*example).clone()),
            Side::Train if group == Side::Eval => dataset.leaking.push(example.id.clone()),
            Side::Train => dataset.train.push((*example).clone()),
        }
    }
    dataset.digest = content_digest(&dataset);
    dataset
}

/// Moves whole clusters to the held-out side until its share is reached; clusters with a side keep it.
fn hold_out(usable: &[&Example], cluster: &[usize], rule: SplitRule, sides: &mut HashMap<usize, Side>) {
    let (SplitRule::Newest { eval_share } | SplitRule::Random { eval_share, .. }) = rule;
    let mut order: Vec<usize> = (0..usable.len()).collect();
    match rule {
        SplitRule::Newest { .. } => {
            let mut first = HashMap::new();
            for (i, &c) in cluster.iter().enumerate() {
                let seen = (usable[i].source.at, i);
                first.entry(c).and_modify(|first| *first = seen.min(*first)).or_insert(seen);
            }
            order.sort_by_key(|i| std::cmp::Reverse(first.get(&cluster[*i])));
        }
        // By digests, so that the choice doesn't depend on the order in which examples come.
        SplitRule::Random { seed, .. } => {
            order.sort_by_cached_key(|&i| Digest::of_parts([&seed.to_le_bytes()[..], usable[i].id.as_bytes()]))
        }
    }
    let mut size: HashMap<usize, usize> = HashMap::new();
    for &c in cluster {
        *size.entry(c).or_default() += 1;
    }
    let mut wanted = (usable.len() as f64 * eval_share).round() as usize;
    if wanted == 0 && eval_share > 0.0 && size.len() >= 2 {
        wanted = 1;
    }
    let mut held: usize = size.iter().filter(|(c, _)| sides.get(c) == Some(&Side::Eval)).map(|(_, n)| n).sum();
    for i in order {
        let c = cluster[i];
        if held >= wanted || size.len() < 2 {
            break;
        }
        if let std::collections::hash_map::Entry::Vacant(slot) = sides.entry(c) {
            slot.insert(Side::Eval);
            held += size[&c];
        }
    }
}

/// Numbers each text by its cluster of near-duplicates, which is the place of its first text: Jaccard similarity of at
/// least 0.8 of their word 3-grams, single linkage.
///
/// Exact and yet quick where many texts share a beginning: sets that are so similar share one of their rarest shingles,
/// so only these are looked up (prefix filtering, Chaudhuri et al. 2006, <https://doi.org/10.1109/ICDE.2006.9>).
#[must_use]
pub fn near_duplicates(texts: &[&str]) -> Vec<usize> {
    let mut sets: Vec<Vec<u64>> = texts.iter().map(|text| word_shingles(text)).collect();
    let mut parent: Vec<usize> = (0..texts.len()).collect();
    let mut count: HashMap<u64, usize> = HashMap::new();
    for shingle in sets.iter().flatten() {
        *count.entry(*shingle).or_default() += 1;
    }
    for set in &mut sets {
        set.sort_unstable_by_key(|shingle| (count[shingle], *shingle));
    }
    let mut equal: HashMap<&[u64], usize> = HashMap::new();
    let mut seen: HashMap<u64, Vec<usize>> = HashMap::new();
    for (i, set) in sets.iter().enumerate() {
        if let Some(&first) = equal.get(set.as_slice()) {
            parent[i] = first;
            continue;
        }
        equal.insert(set, i);
        for shingle in &set[..set.len() + 1 - least_shared(set.len())] {
            let earlier = seen.entry(*shingle).or_default();
            for &j in earlier.iter() {
                let (a, b) = (root(&mut parent, i), root(&mut parent, j));
                if a != b && are_similar(set, &sets[j], &count) {
                    parent[a.max(b)] = a.min(b);
                }
            }
            earlier.push(i);
        }
    }
    (0..texts.len()).map(|i| root(&mut parent, i)).collect()
}

/// Share of two sets' shingles that near-duplicates have in common.
const SIMILAR: f64 = 0.8;

/// Shingles that a set of so many shares at least with each set that is similar to it.
fn least_shared(len: usize) -> usize {
    ((SIMILAR * len as f64 - 1e-9).ceil() as usize).clamp(1, len)
}

/// Both sets are sorted by how often a shingle occurs, then by the shingle.
fn are_similar(a: &[u64], b: &[u64], count: &HashMap<u64, usize>) -> bool {
    if a.len().min(b.len()) < least_shared(a.len().max(b.len())) {
        return false;
    }
    let (mut i, mut j, mut both) = (0, 0, 0);
    while let (Some(x), Some(y)) = (a.get(i), b.get(j)) {
        match (count[x], x).cmp(&(count[y], y)) {
            Ordering::Less => i += 1,
            Ordering::Greater => j += 1,
            Ordering::Equal => (i, j, both) = (i + 1, j + 1, both + 1),
        }
    }
    both as f64 >= SIMILAR * (a.len() + b.len() - both) as f64
}

fn root(parent: &mut [usize], mut i: usize) -> usize {
    while parent[i] != i {
        parent[i] = parent[parent[i]];
        i = parent[i];
    }
    i
}

/// Distinct hashes of each run of three words, case and punctuation aside; shorter texts are one shingle.
fn word_shingles(text: &str) -> Vec<u64> {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let lower = text.to_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).collect();
    let hash = |words: &[&str]| {
        let mut hasher = DefaultHasher::new();
        words.hash(&mut hasher);
        hasher.finish()
    };
    let mut shingles: Vec<u64> =
        if words.len() < 3 { vec![hash(&words)] } else { words.windows(3).map(hash).collect() };
    shingles.sort_unstable();
    shingles.dedup();
    shingles
}

fn content_digest(dataset: &Dataset) -> Digest {
    let mut parts: Vec<Vec<u8>> = Vec::new();
    for (side, examples) in [("train", &dataset.train), ("eval", &dataset.eval)] {
        for e in examples {
            let row = serde_json::json!([side, e.id, e.revision, e.input, e.output]);
            parts.push(row.to_string().into_bytes());
        }
    }
    Digest::of_parts(parts.iter().map(Vec::as_slice))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::Source;

    fn example(i: usize, input: &str) -> Example {
        Example {
            id: format!("e{i}"),
            task: "t".into(),
            input: input.into(),
            output: Some("x".into()),
            source: Source { kind: "csv".into(), reference: i.to_string(), at: Some(i as i64) },
            review: Review::Approved { by: "me".into(), at: 0 },
            revision: 1,
        }
    }

    fn numbered(n: usize) -> Vec<Example> {
        (0..n).map(|i| example(i, &format!("message {i} about topic {} and thing {}", i * 7, i * 13))).collect()
    }

    #[test]
    fn newest_share_is_held_out() {
        let data = split(&numbered(50), &Assignment::new(), SplitRule::Newest { eval_share: 0.2 });
        assert_eq!((data.train.len(), data.eval.len()), (40, 10));
        assert!(data.eval.iter().all(|e| e.source.at >= Some(40)));
    }

    #[test]
    fn what_keeps_coming_back_is_learned_from() {
        let mut examples = numbered(50);
        let thanks = "thanks everyone, what a great run today";
        for i in [3, 30, 49] {
            examples[i].input = thanks.into();
        }
        let data = split(&examples, &Assignment::new(), SplitRule::Newest { eval_share: 0.2 });
        assert_eq!(data.train.iter().filter(|e| e.input == thanks).count(), 3);
        assert_eq!(data.eval.len(), 10);
    }

    #[test]
    fn near_duplicates_stay_on_one_side() {
        let mut examples = numbered(20);
        let text = "ten crates of ripe bananas from the corner market went to the shelter this morning";
        examples.extend((20..26).map(|i| example(i, &format!("{text} {}", if i % 2 == 0 { "!" } else { "" }))));
        for seed in 0..20 {
            let data = split(&examples, &Assignment::new(), SplitRule::Random { eval_share: 0.3, seed });
            let held = data.eval.iter().filter(|e| e.input.starts_with("ten crates")).count();
            assert!(held == 0 || held == 6, "seed {seed}: {held} of 6 copies are held out");
        }
    }

    #[test]
    fn clusters_are_those_of_comparing_each_with_each() {
        // Texts of few words, so that all degrees of similarity occur, and many that are equal or begin alike.
        let mut state = 7_u64;
        let mut word = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            ["a", "b", "c", "d"][(state >> 33) as usize % 4]
        };
        let head = "we picked up some more of the usual things at the market today and";
        let texts: Vec<String> = (0..300)
            .map(|i| format!("{} {}", head, (0..i % 9).map(|_| word()).collect::<Vec<_>>().join(" ")))
            .collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let sets: Vec<HashSet<u64>> = texts.iter().map(|text| word_shingles(text).into_iter().collect()).collect();
        let mut wanted: Vec<usize> = (0..texts.len()).collect();
        for i in 0..texts.len() {
            for j in 0..i {
                let both = sets[i].intersection(&sets[j]).count();
                if both as f64 >= SIMILAR * (sets[i].len() + sets[j].len() - both) as f64 {
                    let (low, high) = (wanted[i].min(wanted[j]), wanted[i].max(wanted[j]));
                    wanted.iter_mut().filter(|cluster| **cluster == high).for_each(|cluster| *cluster = low);
                }
            }
        }
        assert_eq!(near_duplicates(&texts), wanted);
        assert!(wanted.iter().collect::<HashSet<_>>().len() > 5, "some are alike, some are not: {wanted:?}");
    }

    #[test]
    fn the_held_out_side_is_frozen() {
        let rule = SplitRule::Random { eval_share: 0.25, seed: 1 };
        let first = split(&numbered(40), &Assignment::new(), rule);
        let second = split(&numbered(80), &first.assignment, rule);
        for old in &first.eval {
            assert!(second.eval.iter().any(|e| e.id == old.id));
        }
        assert!(second.train.iter().all(|e| first.assignment.get(&e.id) != Some(&Side::Eval)));
        assert_eq!(second.eval.len(), 20);
    }

    #[test]
    fn a_copy_of_a_held_out_example_does_not_train() {
        let first = split(&numbered(10), &Assignment::new(), SplitRule::Newest { eval_share: 0.2 });
        let mut more = numbered(10);
        more.push(example(10, &first.eval[0].input));
        let second = split(&more, &first.assignment, SplitRule::Newest { eval_share: 0.2 });
        assert!(second.train.iter().all(|e| e.input != first.eval[0].input));
    }

    #[test]
    fn digest_follows_content() {
        let rule = SplitRule::Newest { eval_share: 0.2 };
        let (a, mut changed) = (split(&numbered(10), &Assignment::new(), rule), numbered(10));
        changed[0].output = Some("y".into());
        assert_eq!(a.digest, split(&numbered(10), &Assignment::new(), rule).digest);
        assert_ne!(a.digest, split(&changed, &Assignment::new(), rule).digest);
    }
}
