//! Suggestions over time.

use graft_core::{TaskCard, Timestamp};
use graft_store::Suggested;
use graft_tasks::{cards::Scoring, score};
use serde::Serialize;
use utoipa::ToSchema;

use super::{ENOUGH, answers::Kinds};

/// At most so many periods.
const PERIODS: usize = 20;

/// Consecutive suggestions of a task.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct DriftPeriod {
    /// When the first was made.
    pub from: Timestamp,
    /// When the last was made.
    pub until: Timestamp,
    /// How many they are.
    pub suggestions: usize,
    /// How many of them people decided on since.
    pub decided: usize,
    /// How many of those they changed.
    pub changed: usize,
    /// Mean confidence, from 0 to 1.
    pub confidence: f64,
    /// Mean length of the inputs in characters.
    pub chars: f64,
    /// Largest difference of shares between these answers and those to the held-out examples; absent where these were not
    /// stored.
    pub answers: Option<f64>,
}

/// Suggestions, newest first, in periods of equal size, oldest first. The oldest ones that make no whole period are left out.
pub(super) fn periods(lately: &[Suggested], kinds: &Kinds, card: &TaskCard, rules: &Scoring) -> Vec<DriftPeriod> {
    let size = lately.len().div_ceil(PERIODS).max(ENOUGH);
    let period = |chunk: &[Suggested]| {
        let truths = || chunk.iter().filter_map(|one| Some((one, one.truth.as_ref()?)));
        let changed = truths().filter(|(one, truth)| !score::all_right(card, rules, truth, &one.answer)).count();
        let mean = |of: &dyn Fn(&Suggested) -> f64| chunk.iter().map(of).sum::<f64>() / chunk.len() as f64;
        let times = || chunk.iter().map(|one| one.made_at);
        DriftPeriod {
            from: times().min().unwrap_or_default(),
            until: times().max().unwrap_or_default(),
            suggestions: chunk.len(),
            decided: truths().count(),
            changed,
            confidence: mean(&|one| one.confidence),
            chars: mean(&|one| f64::from(one.chars)),
            answers: kinds.apart(chunk).map(|(_, distance)| distance.distance),
        }
    };
    let mut periods: Vec<DriftPeriod> = lately.chunks_exact(size).map(period).collect();
    periods.reverse();
    periods
}

#[cfg(test)]
mod tests {
    use graft_core::AnswerForm;
    use serde_json::json;

    use super::*;

    #[test]
    fn periods_have_the_same_size_and_the_oldest_comes_first() {
        let labels = vec!["ham".to_owned(), "spam".to_owned()];
        let card = TaskCard { name: "mail".into(), instruction: "Which?".into(), answer: AnswerForm::Label { labels } };
        // Newest first: the last 25 are spam, half of those that people decided on are changed.
        let one = |place: i64| Suggested {
            answer: json!(if place < 25 { "spam" } else { "ham" }),
            confidence: if place < 25 { 0.5 } else { 1.0 },
            made_at: 1000 - place,
            chars: 10,
            truth: (place % 2 == 0).then(|| json!(if place % 4 == 0 { "ham" } else { "spam" })),
        };
        let lately: Vec<Suggested> = (0..70).map(one).collect();
        let kinds = Kinds::of(&[json!("ham"), json!("spam")]);
        let found = periods(&lately, &kinds, &card, &Scoring::default());
        let times: Vec<_> = found.iter().map(|one| (one.from, one.until, one.suggestions)).collect();
        assert_eq!(times, [(941, 960, 20), (961, 980, 20), (981, 1000, 20)]);
        assert_eq!((found[2].decided, found[2].changed, found[2].confidence), (10, 5, 0.5));
        assert_eq!((found[0].answers, found[1].answers, found[2].answers), (Some(0.5), Some(0.25), Some(0.5)));
        assert!(periods(&lately[..19], &kinds, &card, &Scoring::default()).is_empty());
        assert_eq!(periods(&(0..1000).map(one).collect::<Vec<_>>(), &kinds, &card, &Scoring::default()).len(), 20);
    }
}
