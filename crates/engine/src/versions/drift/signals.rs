//! Signals of drift in suggestions, as pure functions, so that each rule can be tested alone.

use graft_store::{Suggested, Version};
use graft_tasks::{cards::Scoring, score};
use serde_json::Value;

use super::numbers::{Share, Spread, kolmogorov_smirnov};
use super::{AnswerDrift, Drift, DriftState, ENOUGH, Overrides, ServedDrift, Shift};
use crate::versions::Evaluation;

/// Significance level: how rarely equal distributions would differ this much. It is this small because several signals look
/// again and again, and any of them makes a version drift.
const P: f64 = 0.003;

const OVERRIDES: &str = "It drifts if the 95 % intervals (Wilson) of both shares do not overlap, and \
                         the lower end is above the share that its confidences predict for the same suggestions.";
const SHIFT: &str = "It drifts if a two-sample Kolmogorov–Smirnov test gives p < 0.003.";

impl Drift {
    /// Of a task for which nothing answers.
    pub(super) fn nothing(task: &str) -> Self {
        let why = "Unknown: no version is active.";
        Self {
            task: task.to_owned(),
            version: None,
            state: DriftState::Unknown,
            measured_at: None,
            overrides: Overrides::unknown(why),
            confidence: Shift::unknown(why),
            inputs: Shift::unknown(why),
            answers: AnswerDrift::unknown(0, 0, why),
            periods: Vec::new(),
            served: ServedDrift::unknown(0, why),
        }
    }
}

impl Overrides {
    fn unknown(why: impl Into<String>) -> Self {
        let (window, reference, promised, differing) = (None, None, None, None);
        let state = DriftState::Unknown;
        Self { state, text: why.into(), test: OVERRIDES, window, reference, promised, differing }
    }
}

impl Shift {
    fn unknown(why: impl Into<String>) -> Self {
        let (window, reference, distance) = (None, None, None);
        Self { state: DriftState::Unknown, text: why.into(), test: SHIFT, window, reference, distance }
    }
}

/// What follows of all signals.
pub(super) fn together(states: &[DriftState]) -> DriftState {
    if states.contains(&DriftState::Drifting) {
        DriftState::Drifting
    } else if states.contains(&DriftState::Unknown) {
        DriftState::Unknown
    } else {
        DriftState::Stable
    }
}

/// Whether people change suggestions more often than the held-out answers were wrong.
///
/// People may look at the least sure suggestions first, which are wrong more often than others. So the changes must also
/// be more than the confidences of those very suggestions promised.
pub(super) fn overrides(
    version: &Version,
    rules: &Scoring,
    evaluation: Option<&Evaluation>,
    decided: &[Suggested],
) -> Overrides {
    let Some(evaluation) = evaluation else { return Overrides::unknown(unmeasured(version)) };
    let n = evaluation.adapter.n;
    let right = evaluation.adapter.metric("exact").or_else(|| evaluation.adapter.metric("accuracy"));
    let wrong = right.map_or(n, |metric| n - ((metric.value * n as f64).round() as usize).min(n));
    let Some(reference) = Share::of(wrong, n) else {
        return Overrides::unknown("Unknown: the version was not evaluated on held-out examples.");
    };
    let pairs: Vec<(&Suggested, &Value)> = decided.iter().filter_map(|one| Some((one, one.truth.as_ref()?))).collect();
    let changed =
        pairs.iter().filter(|(one, truth)| !score::all_right(&version.card, rules, truth, &one.answer)).count();
    let apart = |(one, truth): &(&Suggested, &Value)| 1.0 - score::diff(&version.card, rules, truth, &one.answer).score;
    let found = Overrides {
        reference: Some(reference),
        window: Share::of(changed, pairs.len()),
        promised: Spread::of(&pairs.iter().map(|(one, _)| 1.0 - one.confidence).collect::<Vec<_>>()).map(|s| s.mean),
        differing: Spread::of(&pairs.iter().map(apart).collect::<Vec<_>>()),
        ..Overrides::unknown(few("people have decided on", "of its suggestions", pairs.len()))
    };
    let (Some(window), Some(promised), true) = (found.window, found.promised, pairs.len() >= ENOUGH) else {
        return found;
    };
    let drifting = window.low > reference.high && window.low > promised;
    let text = format!(
        "People changed {} of the last {} suggestions they decided on ({}). On the held-out examples {} of {} answers \
         were not fully correct ({}), and for these suggestions its confidences predict {}.",
        window.count,
        window.n,
        interval(window),
        reference.count,
        reference.n,
        interval(reference),
        percent(promised),
    );
    Overrides { state: if drifting { DriftState::Drifting } else { DriftState::Stable }, text, ..found }
}

/// Whether a version is as sure as it was on the held-out examples. Suggestions from before it was measured have
/// confidences of another calibration and don't count.
pub(super) fn confidence(version: &Version, evaluation: Option<&Evaluation>, newest: &[Suggested]) -> Shift {
    let Some(evaluation) = evaluation else { return Shift::unknown(unmeasured(version)) };
    let Some(reference) = &evaluation.confidences else {
        return Shift::unknown(format!(
            "Unknown: the confidences of {} on the held-out examples were not stored; evaluate it again.",
            version.name
        ));
    };
    let since = newest.iter().filter(|one| one.made_at >= evaluation.at);
    let window: Vec<f64> = since.map(|one| one.confidence).collect();
    shift(&window, reference, &|window, reference| {
        format!(
            "The average confidence of its last {} suggestions is {}, that of {} held-out answers was {}",
            window.n,
            percent(window.mean),
            reference.n,
            percent(reference.mean)
        )
    })
}

/// Whether inputs are as long as those that the version learned from.
pub(super) fn inputs(learned: &[f64], newest: &[Suggested]) -> Shift {
    if learned.is_empty() {
        return Shift::unknown("Unknown: the training data of the version is not known.");
    }
    let window: Vec<f64> = newest.iter().map(|one| f64::from(one.chars)).collect();
    shift(&window, learned, &|window, reference| {
        format!(
            "The last {} messages are {:.0} characters long on average, the {} training examples {:.0}",
            window.n, window.mean, reference.n, reference.mean
        )
    })
}

fn shift(window: &[f64], reference: &[f64], say: &dyn Fn(&Spread, &Spread) -> String) -> Shift {
    let found = Shift {
        window: Spread::of(window),
        reference: Spread::of(reference),
        ..Shift::unknown(few("it has made", "suggestions", window.len()))
    };
    let (Some(now), Some(then), true) = (&found.window, &found.reference, window.len() >= ENOUGH) else {
        return found;
    };
    let distance = kolmogorov_smirnov(window, reference);
    let text = say(now, then);
    match distance {
        None => found,
        Some(apart) => {
            let state = if apart.p < P { DriftState::Drifting } else { DriftState::Stable };
            let text = format!("{text}: {:.2} apart, {}.", apart.distance, apart.said());
            Shift { state, text, distance, ..found }
        }
    }
}

pub(super) fn unmeasured(version: &Version) -> String {
    format!("Unknown: {} was not evaluated.", version.name)
}

pub(super) fn few(before: &str, after: &str, have: usize) -> String {
    format!("Unknown yet: {before} {have} {after}; {} more are needed.", ENOUGH.saturating_sub(have))
}

pub(super) fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

fn interval(share: Share) -> String {
    format!("{}, 95 % interval {:.0} to {}", percent(share.share), share.low * 100.0, percent(share.high))
}

#[cfg(test)]
mod tests {
    use graft_core::{AnswerForm, Digest, Purpose, TaskCard, random};
    use graft_predict::Calibration;
    use graft_store::{Method, Stage};
    use rand::{Rng, RngExt as _};
    use serde_json::json;

    use super::super::answers::{Kinds, answers};
    use super::*;

    fn version() -> Version {
        let card = TaskCard {
            name: "text-classification".into(),
            instruction: "Say which.".into(),
            answer: AnswerForm::Label { labels: vec!["ham".into(), "spam".into()] },
        };
        Version {
            task: card.name.clone(),
            name: "v1".into(),
            stage: Stage::Active,
            method: Method::Adapter,
            run: None,
            adapter_dir: String::new(),
            adapter_digest: Digest::of(b"adapter"),
            base: Some("tiny".into()),
            base_digest: Some(Digest::of(b"base")),
            dataset: None,
            card_digest: card.digest(),
            card,
            metrics: Value::Null,
            parent: None,
            task_revision: None,
            created_by: "ada".into(),
            created_at: 0,
        }
    }

    /// Of `n` held-out answers the last `wrong` are wrong; the version was as sure of them as `confidences` says.
    fn evaluation(n: usize, wrong: usize, confidences: Option<Vec<f64>>) -> Evaluation {
        let pairs: Vec<(Value, Option<Value>)> =
            (0..n).map(|i| (json!("ham"), Some(json!(if i < n - wrong { "ham" } else { "spam" })))).collect();
        Evaluation {
            dataset: Digest::of(b"dataset"),
            at: 100,
            adapter: score::score(&version().card, &Scoring::default(), &pairs, 1),
            base: None,
            baseline: None,
            contestants: Vec::new(),
            from_parser: 0,
            calibration: Calibration::fit(&[]),
            fields: [].into(),
            confidences,
            seconds_per_answer: 0.1,
            worst: Vec::new(),
            right: Vec::new(),
        }
    }

    /// `n` suggestions that people decided on, of which they changed the first `changed`.
    fn suggested(n: usize, changed: usize, confidence: f64) -> Vec<Suggested> {
        let one = |i| Suggested {
            answer: json!("ham"),
            confidence,
            made_at: 100,
            chars: 10 + i as u32,
            truth: Some(json!(if i < changed { "spam" } else { "ham" })),
        };
        (0..n).map(one).collect()
    }

    #[test]
    fn more_changes_than_held_out_errors_is_drift() {
        let (version, evaluation) = (version(), evaluation(30, 3, None));
        let found = overrides(&version, &Scoring::default(), Some(&evaluation), &suggested(60, 40, 0.9));
        assert_eq!(found.state, DriftState::Drifting);
        let (window, reference) = (found.window.unwrap(), found.reference.unwrap());
        assert_eq!((window.count, window.n, reference.count, reference.n), (40, 60, 3, 30));
        assert_eq!(
            found.text,
            "People changed 40 of the last 60 suggestions they decided on (67 %, 95 % interval 54 to 77 %). On the \
             held-out examples 3 of 30 answers were not fully correct (10 %, 95 % interval 3 to 26 %), and for \
             these suggestions its confidences predict 10 %."
        );
        let differing = found.differing.unwrap();
        assert_eq!((differing.n, differing.max, (differing.mean * 60.0).round()), (60, 1.0, 40.0));
        // The intervals overlap, however large the difference looks.
        let few = overrides(&version, &Scoring::default(), Some(&self::evaluation(5, 0, None)), &suggested(20, 8, 0.9));
        assert_eq!(few.state, DriftState::Stable);
    }

    #[test]
    fn changes_predicted_by_confidences_are_not_drift() {
        let evaluation = evaluation(30, 3, None);
        // People began with those it was least sure of.
        let found = overrides(&version(), &Scoring::default(), Some(&evaluation), &suggested(40, 24, 0.4));
        assert_eq!((found.state, found.promised.map(|p| (p * 10.0).round())), (DriftState::Stable, Some(6.0)));
    }

    #[test]
    fn too_few_decisions_give_unknown() {
        let found = overrides(&version(), &Scoring::default(), Some(&evaluation(30, 3, None)), &suggested(13, 13, 0.9));
        assert_eq!(
            (found.state, found.text.as_str()),
            (DriftState::Unknown, "Unknown yet: people have decided on 13 of its suggestions; 7 more are needed.")
        );
        let unmeasured = overrides(&version(), &Scoring::default(), None, &suggested(60, 40, 0.9));
        assert_eq!(
            (unmeasured.state, unmeasured.text.as_str()),
            (DriftState::Unknown, "Unknown: v1 was not evaluated.")
        );
        assert_eq!(
            overrides(&version(), &Scoring::default(), Some(&evaluation(0, 0, None)), &suggested(60, 40, 0.9)).state,
            DriftState::Unknown
        );
    }

    #[test]
    fn changed_confidences_are_drift() {
        let held_out: Vec<f64> = (0..30).map(|i| 0.7 + 0.01 * f64::from(i)).collect();
        let measured = evaluation(30, 3, Some(held_out));
        let state = |suggestions: &[Suggested]| confidence(&version(), Some(&measured), suggestions).state;
        assert_eq!(state(&suggested(40, 0, 0.4)), DriftState::Drifting);
        let same: Vec<Suggested> = (0..30).flat_map(|i| suggested(1, 0, 0.7 + 0.01 * f64::from(i))).collect();
        assert_eq!(state(&same), DriftState::Stable);
        // Before it was measured, its confidences were calibrated in another way.
        let old: Vec<Suggested> =
            suggested(40, 0, 0.4).into_iter().map(|one| Suggested { made_at: 99, ..one }).collect();
        assert_eq!(state(&old), DriftState::Unknown);
        let none_kept = confidence(&version(), Some(&evaluation(30, 3, None)), &same);
        assert!(none_kept.state == DriftState::Unknown && none_kept.text.contains("evaluate it again"));
    }

    #[test]
    fn longer_messages_are_drift() {
        let learned: Vec<f64> = (0..100).map(f64::from).collect();
        let found = inputs(&learned, &suggested(60, 0, 0.9));
        assert_eq!(found.state, DriftState::Drifting, "{}", found.text);
        assert!(found.text.starts_with(
            "The last 60 messages are 40 characters long on average, the 100 training examples 50: 0.30 apart"
        ));
        assert_eq!(inputs(&[], &suggested(60, 0, 0.9)).state, DriftState::Unknown);
    }

    /// A suggestion that is wrong as often as its confidence says.
    fn drawn(random: &mut dyn Rng) -> Suggested {
        let confidence = 0.6 + 0.4 * random.random::<f64>();
        let labels = if random.random_bool(0.8) { ["ham", "spam"] } else { ["spam", "ham"] };
        let truth = if random.random_bool(confidence) { labels[0] } else { labels[1] };
        let chars = 10 + (-80.0 * (1.0 - random.random::<f64>()).ln()) as u32;
        Suggested { answer: json!(labels[0]), confidence, made_at: 100, chars, truth: Some(json!(truth)) }
    }

    /// 200 streams of 400 suggestions where all are like the held-out ones; the newest 200 are looked at after every 80.
    #[test]
    fn streams_without_drift_rarely_alarm() {
        let (version, rules) = (version(), Scoring::default());
        let mut alarms = [0; 5];
        for seed in 0..200 {
            let mut random = random(seed, Purpose::Bootstrap, [0, 0]);
            let held_out: Vec<Suggested> = (0..40).map(|_| drawn(&mut random)).collect();
            let stream: Vec<Suggested> = (0..400).map(|_| drawn(&mut random)).collect();
            let wrong = held_out.iter().filter(|one| one.truth.as_ref() != Some(&one.answer)).count();
            let confidences = held_out.iter().map(|one| one.confidence).collect();
            let measured = evaluation(held_out.len(), wrong, Some(confidences));
            let lengths: Vec<f64> = held_out.iter().map(|one| f64::from(one.chars)).collect();
            let kinds = Kinds::of(&held_out.iter().map(|one| one.answer.clone()).collect::<Vec<_>>());
            let mut alarmed = [false; 5];
            for n in (80..=stream.len()).step_by(80) {
                let window = &stream[n.saturating_sub(200)..n];
                let states = [
                    overrides(&version, &rules, Some(&measured), window).state,
                    confidence(&version, Some(&measured), window).state,
                    inputs(&lengths, window).state,
                    answers(&kinds, window).state,
                ];
                let all = [&states[..], &[together(&states)]].concat();
                alarmed.iter_mut().zip(all).for_each(|(seen, state)| *seen |= state == DriftState::Drifting);
            }
            alarms.iter_mut().zip(alarmed).for_each(|(sum, seen)| *sum += usize::from(seen));
        }
        // The last are those in which any signal drifted.
        assert!(alarms[4] <= 10, "{alarms:?} of 200");
    }

    #[test]
    fn any_signal_drifts_and_all_are_needed_for_stable() {
        use DriftState::{Drifting, Stable, Unknown};
        assert_eq!(together(&[Unknown, Drifting, Stable]), Drifting);
        assert_eq!(together(&[Stable, Unknown, Stable]), Unknown);
        assert_eq!(together(&[Stable; 3]), Stable);
    }
}
