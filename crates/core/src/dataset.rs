use std::{
    cmp::Ordering,
    collections::{BTreeMap, HashMap},
};

use serde::{Deserialize, Serialize};

use crate::{AnswerForm, Digest, Example, ExampleId, Review};

/// Which side of the split an example is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// Used for training.
    Train,
    /// Held out, permanently.
    Eval,
}

/// How held-out examples are chosen when they are first seen.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "lowercase")]
pub enum SplitRule {
    /// The fraction whose text, or a near-duplicate of it, was first seen last. This estimates the quality on future
    /// inputs. Text that recurs was seen before, so it is used for training.
    Newest {
        /// Fraction from 0 to 1.
        eval_share: f64,
    },
    /// A random fraction of the examples.
    Random {
        /// Fraction from 0 to 1.
        eval_share: f64,
        /// The same seed gives the same choice.
        seed: u64,
    },
}

/// Sides fixed by earlier datasets of the task; they never change.
pub type Assignment = BTreeMap<ExampleId, Side>;

/// An immutable list of approved example revisions with their split. The same digest always means the same training
/// data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dataset {
    /// Covers every id, revision, input, output and side.
    pub digest: Digest,
    /// Training examples.
    pub train: Vec<Example>,
    /// Held-out examples.
    pub eval: Vec<Example>,
    /// Approved, but excluded from training because a near-duplicate is held out.
    pub leaking: Vec<ExampleId>,
    /// Side of every example, to be used for the next dataset.
    pub assignment: Assignment,
}

/// Splits the approved examples that have an output.
///
/// Near-duplicates (word 3-gram Jaccard similarity of at least 0.8) stay on one side; examples in `frozen` keep their
/// side. For label answers the rule is applied to each label separately (stratified), so a label with two or more
/// examples is on both sides. The order of the examples is kept.
#[must_use]
pub fn split(examples: &[Example], frozen: &Assignment, rule: SplitRule, answer: &AnswerForm) -> Dataset {
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
    let by_label = matches!(answer, AnswerForm::Label { .. });
    if !(by_label && hold_out_of_each(&usable, &cluster, rule, &mut sides)) {
        hold_out(&usable, &cluster, rule, &mut sides);
    }

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

/// The order in which examples are held out.
fn order(usable: &[&Example], cluster: &[usize], rule: SplitRule) -> Vec<usize> {
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
        // By digests, so that the choice does not depend on the order of the examples.
        SplitRule::Random { seed, .. } => {
            order.sort_by_cached_key(|&i| Digest::of_parts([&seed.to_le_bytes()[..], usable[i].id.as_bytes()]))
        }
    }
    order
}

/// The clusters of one label.
#[derive(Default)]
struct Stratum {
    examples: usize,
    /// Target number of held-out examples.
    held: usize,
    wanted: usize,
    /// Number of clusters on the training side so far.
    learned: usize,
    clusters: usize,
}

/// Moves each label's fraction of clusters to the held-out side: at least one if the label has two or more, and never
/// all. Returns whether anything is held out, which is not the case if each label has only one example.
fn hold_out_of_each(usable: &[&Example], cluster: &[usize], rule: SplitRule, sides: &mut HashMap<usize, Side>) -> bool {
    let (SplitRule::Newest { eval_share } | SplitRule::Random { eval_share, .. }) = rule;
    // The index of a cluster is that of its first example, whose label counts as the cluster's.
    let label = |c: usize| usable[c].output.as_ref().map(ToString::to_string).unwrap_or_default();
    let mut strata: BTreeMap<String, Stratum> = BTreeMap::new();
    let mut size: HashMap<usize, usize> = HashMap::new();
    for &c in cluster {
        *size.entry(c).or_default() += 1;
    }
    for (&c, &examples) in &size {
        let stratum = strata.entry(label(c)).or_default();
        let is_held = sides.get(&c) == Some(&Side::Eval);
        stratum.examples += examples;
        stratum.clusters += 1;
        stratum.held += if is_held { examples } else { 0 };
        stratum.learned += usize::from(!is_held);
    }
    // Cumulative rounding, so that the counts of all labels add up to the fraction of all examples.
    let mut before = 0;
    for stratum in strata.values_mut() {
        let share = |examples: usize| (examples as f64 * eval_share).round() as usize;
        stratum.wanted = share(before + stratum.examples) - share(before);
        before += stratum.examples;
        if eval_share > 0.0 && stratum.clusters > 1 {
            stratum.wanted = stratum.wanted.max(1);
        }
    }
    for i in order(usable, cluster, rule) {
        let c = cluster[i];
        let (Some(stratum), None) = (strata.get_mut(&label(c)), sides.get(&c)) else { continue };
        if stratum.held < stratum.wanted && stratum.learned > 1 {
            sides.insert(c, Side::Eval);
            stratum.held += size[&c];
            stratum.learned -= 1;
        }
    }
    strata.values().any(|stratum| stratum.held > 0)
}

/// Moves whole clusters to the held-out side until it has its fraction. Clusters with a fixed side keep it.
fn hold_out(usable: &[&Example], cluster: &[usize], rule: SplitRule, sides: &mut HashMap<usize, Side>) {
    let (SplitRule::Newest { eval_share } | SplitRule::Random { eval_share, .. }) = rule;
    let mut size: HashMap<usize, usize> = HashMap::new();
    for &c in cluster {
        *size.entry(c).or_default() += 1;
    }
    let mut wanted = (usable.len() as f64 * eval_share).round() as usize;
    if wanted == 0 && eval_share > 0.0 && size.len() >= 2 {
        wanted = 1;
    }
    let mut held: usize = size.iter().filter(|(c, _)| sides.get(c) == Some(&Side::Eval)).map(|(_, n)| n).sum();
    for i in order(usable, cluster, rule) {
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

/// For each text, the index of the first text in its cluster of near-duplicates: Jaccard similarity of the word 3-grams
/// of at least 0.8, single linkage.
///
/// Exact, and fast even if many texts start alike: sets with this similarity share one of their rarest shingles, so
/// only those are looked up (prefix filtering, Chaudhuri et al. 2006, <https://doi.org/10.1109/ICDE.2006.9>).
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

/// Fraction of shingles that near-duplicates have in common.
const SIMILAR: f64 = 0.8;

/// Least number of shingles that a set of this size shares with any similar set.
fn least_shared(len: usize) -> usize {
    ((SIMILAR * len as f64 - 1e-9).ceil() as usize).clamp(1, len)
}

/// Both sets are sorted by the frequency of the shingle, then by the shingle.
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

/// Distinct hashes of all runs of three words, ignoring case and punctuation. A shorter text is one shingle.
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

    fn split_texts(examples: &[Example], frozen: &Assignment, rule: SplitRule) -> Dataset {
        split(examples, frozen, rule, &AnswerForm::Text)
    }

    fn labelled(labels: &[(&str, usize)]) -> Vec<Example> {
        let labels: Vec<&str> = labels.iter().flat_map(|(label, n)| vec![*label; *n]).collect();
        let mut examples = numbered(labels.len());
        examples.iter_mut().zip(labels).for_each(|(example, label)| example.output = Some(label.into()));
        examples
    }

    #[test]
    fn every_label_is_on_both_sides_of_the_split() {
        let form = AnswerForm::Label { labels: Vec::new() };
        let table = labelled(&[("a", 70), ("b", 20), ("c", 8), ("d", 2), ("e", 1)]);
        for rule in [
            SplitRule::Newest { eval_share: 0.2 },
            SplitRule::Random { eval_share: 0.2, seed: 1 },
            SplitRule::Random { eval_share: 0.2, seed: 2 },
        ] {
            let data = split(&table, &Assignment::new(), rule, &form);
            let of = |side: &[Example], label: &str| side.iter().filter(|e| e.output == Some(label.into())).count();
            let held: Vec<usize> = ["a", "b", "c", "d", "e"].iter().map(|label| of(&data.eval, label)).collect();
            assert_eq!(held, [14, 4, 2, 1, 0], "{rule:?}");
            assert_eq!((data.train.len(), data.eval.len()), (80, 21));
            // Fixed sides stay, and new labels are stratified too.
            let more = labelled(&[("a", 70), ("b", 20), ("c", 8), ("d", 2), ("e", 1), ("f", 10)]);
            let later = split(&more, &data.assignment, rule, &form);
            assert!(data.assignment.iter().all(|(id, side)| later.assignment[id] == *side));
            assert_eq!((of(&later.train, "f"), of(&later.eval, "f")), (8, 2));
        }
        // If no label repeats, some examples are held out nevertheless.
        let unique: Vec<(String, usize)> = (0..10).map(|i| (format!("l{i}"), 1)).collect();
        let unique: Vec<(&str, usize)> = unique.iter().map(|(label, n)| (label.as_str(), *n)).collect();
        let data = split(&labelled(&unique), &Assignment::new(), SplitRule::Newest { eval_share: 0.2 }, &form);
        assert_eq!(data.eval.len(), 2);
    }

    #[test]
    fn newest_fraction_is_held_out() {
        let data = split_texts(&numbered(50), &Assignment::new(), SplitRule::Newest { eval_share: 0.2 });
        assert_eq!((data.train.len(), data.eval.len()), (40, 10));
        assert!(data.eval.iter().all(|e| e.source.at >= Some(40)));
    }

    #[test]
    fn recurring_text_is_used_for_training() {
        let mut examples = numbered(50);
        let thanks = "thanks everyone, what a great run today";
        for i in [3, 30, 49] {
            examples[i].input = thanks.into();
        }
        let data = split_texts(&examples, &Assignment::new(), SplitRule::Newest { eval_share: 0.2 });
        assert_eq!(data.train.iter().filter(|e| e.input == thanks).count(), 3);
        assert_eq!(data.eval.len(), 10);
    }

    #[test]
    fn near_duplicates_stay_on_one_side() {
        let mut examples = numbered(20);
        let text = "ten crates of ripe bananas from the corner market went to the shelter this morning";
        examples.extend((20..26).map(|i| example(i, &format!("{text} {}", if i % 2 == 0 { "!" } else { "" }))));
        for seed in 0..20 {
            let data = split_texts(&examples, &Assignment::new(), SplitRule::Random { eval_share: 0.3, seed });
            let held = data.eval.iter().filter(|e| e.input.starts_with("ten crates")).count();
            assert!(held == 0 || held == 6, "seed {seed}: {held} of 6 copies are held out");
        }
    }

    #[test]
    fn clusters_equal_those_of_pairwise_comparison() {
        // Short texts, so that all degrees of similarity occur, many of them equal or with equal beginnings.
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
    fn held_out_side_is_frozen() {
        let rule = SplitRule::Random { eval_share: 0.25, seed: 1 };
        let first = split_texts(&numbered(40), &Assignment::new(), rule);
        let second = split_texts(&numbered(80), &first.assignment, rule);
        for old in &first.eval {
            assert!(second.eval.iter().any(|e| e.id == old.id));
        }
        assert!(second.train.iter().all(|e| first.assignment.get(&e.id) != Some(&Side::Eval)));
        assert_eq!(second.eval.len(), 20);
    }

    #[test]
    fn copy_of_a_held_out_example_is_not_used_for_training() {
        let first = split_texts(&numbered(10), &Assignment::new(), SplitRule::Newest { eval_share: 0.2 });
        let mut more = numbered(10);
        more.push(example(10, &first.eval[0].input));
        let second = split_texts(&more, &first.assignment, SplitRule::Newest { eval_share: 0.2 });
        assert!(second.train.iter().all(|e| e.input != first.eval[0].input));
    }

    #[test]
    fn digest_follows_content() {
        let rule = SplitRule::Newest { eval_share: 0.2 };
        let (a, mut changed) = (split_texts(&numbered(10), &Assignment::new(), rule), numbered(10));
        changed[0].output = Some("y".into());
        assert_eq!(a.digest, split_texts(&numbered(10), &Assignment::new(), rule).digest);
        assert_ne!(a.digest, split_texts(&changed, &Assignment::new(), rule).digest);
    }
}
