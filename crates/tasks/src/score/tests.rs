use serde_json::json;

use super::*;
use crate::{Error, cards};

fn rules() -> &'static Scoring {
    &cards::task("slack-rescue").unwrap().scoring
}

fn strict() -> Scoring {
    Scoring::default()
}

fn slack() -> TaskCard {
    cards::card("slack-rescue", &[]).unwrap()
}

fn spam() -> TaskCard {
    cards::card("text-classification", &["ham".into(), "spam".into()]).unwrap()
}

fn values(scores: &Scores, names: &[&str]) -> Vec<f64> {
    names.iter().map(|name| scores.metric(name).unwrap().value).collect()
}

/// `score_py.json` holds pairs with every kind of right and wrong, and what the data's `score.py` prints for them.
#[test]
fn slack_scores_equal_score_py() {
    let fixture: Value = serde_json::from_str(include_str!("../../tests/data/score_py.json")).unwrap();
    let pair = |p: &Value| (p["want"].clone(), Some(p["got"].clone()).filter(|got| !got.is_null()));
    let pairs: Vec<_> = fixture["pairs"].as_array().unwrap().iter().map(pair).collect();
    let scores = score(&slack(), rules(), &pairs, 1);
    let expected = &fixture["score"];
    assert_eq!((scores.n, scores.answered), (60, expected["answered"].as_u64().unwrap() as usize));
    for name in ["direction", "rescue_location", "drop_off_location", "item_f1", "exact"] {
        let ours = scores.metric(name).unwrap();
        assert!(
            (ours.value - expected[name].as_f64().unwrap()).abs() < 5.1e-5,
            "{name}: {} {}",
            ours.value,
            expected[name]
        );
        assert!(ours.low <= ours.value && ours.value <= ours.high && ours.low < ours.high, "{ours:?}");
    }
    let [precision, recall, f1] = values(&scores, &["item_precision", "item_recall", "item_f1"])[..] else { panic!() };
    assert!((f1 - 2.0 * precision * recall / (precision + recall)).abs() < 1e-12);
    assert_eq!(scores.headline().unwrap().name, "exact");
}

#[test]
fn labels_are_scored_separately() {
    let answer = |got: &str| if got.is_empty() { None } else { Some(json!(got)) };
    let rows = [
        ("spam", "spam"),
        ("spam", "ham"),
        ("spam", ""),
        ("ham", "ham"),
        ("ham", "spam"),
        ("ham", "ham"),
        ("eggs", "ham"),
    ];
    let pairs: Vec<_> = rows.iter().map(|(want, got)| (json!(want), answer(got))).collect();
    let scores = score(&spam(), &strict(), &pairs, 1);
    assert_eq!(scores.confusion.as_ref().unwrap().labels, ["ham", "spam", "eggs"]);
    assert_eq!(scores.confusion.as_ref().unwrap().counts, [[2, 1, 0, 0], [1, 1, 0, 1], [1, 0, 0, 0]]);
    let ham = &scores.labels[0];
    assert_eq!((ham.support, ham.precision, ham.recall), (3, 0.5, 2.0 / 3.0));
    let (ham, spam) = (4.0 / 7.0, 2.0 / 5.0);
    let expected = [3.0 / 7.0, (ham + spam + 0.0) / 3.0];
    values(&scores, &["accuracy", "macro_f1"]).iter().zip(expected).for_each(|(a, b)| assert!((a - b).abs() < 1e-12));
}

#[test]
fn texts_are_scored_by_words_and_order() {
    let card = cards::card("ask-ai", &[]).unwrap();
    let pair = |want: &str, got: &str| score(&card, &strict(), &[(json!(want), Some(json!(got)))], 1);
    assert_eq!(values(&pair("Turn on the light.", "turn on  the light"), &["exact", "token_f1", "rouge_l"]), [1.0; 3]);
    // Order counts for ROUGE-L only: "a b" is the longest common subsequence of 3 and 3 words.
    assert_eq!(values(&pair("a b c", "c a b"), &["exact", "token_f1", "rouge_l"]), [0.0, 1.0, 2.0 / 3.0]);
    assert_eq!(values(&pair("a b", "a c c c"), &["token_f1", "rouge_l"]), [1.0 / 3.0; 2]);
    assert_eq!(values(&score(&card, &strict(), &[(json!("a"), None)], 1), &["exact", "rouge_l"]), [0.0; 2]);
}

#[test]
fn any_schema_is_scored_by_field() {
    let schema = json!({"type": "object", "properties": {"n": {"type": "number"}, "tags": {"type": "array", "items": {"type": "string"}}}});
    let card = TaskCard { name: "mine".into(), instruction: String::new(), answer: AnswerForm::Json { schema } };
    let want = json!({"n": 2, "tags": ["A", "b", "b"]});
    let scores = score(&card, &strict(), &[(want.clone(), Some(json!({"tags": ["b", "a", "c"], "n": 2.0})))], 1);
    assert_eq!(values(&scores, &["n", "tag_precision", "tag_recall", "exact"]), [1.0, 2.0 / 3.0, 2.0 / 3.0, 0.0]);
    let odd = [json!(3), json!({"tags": 3, "n": []}), json!([]), json!({"tags": [[{}]]})];
    odd.into_iter().for_each(|got| {
        assert_eq!(values(&score(&card, &strict(), &[(want.clone(), Some(got))], 1), &["exact"]), [0.0])
    });
}

#[test]
fn versions_are_compared_in_pairs() {
    let version = |right: &dyn Fn(usize) -> bool| {
        let got = |i| json!(if right(i) { "ham" } else { "spam" });
        score(&spam(), &strict(), &(0..100).map(|i| (json!("ham"), Some(got(i)))).collect::<Vec<_>>(), 1)
    };
    let (good, bad, other) =
        (version(&|i| i % 10 != 0), version(&|i| i % 10 != 0 && i >= 10), version(&|i| i % 10 != 1));
    let compared = compare(&good, &bad, 1).unwrap();
    assert_eq!((compared.verdict, compared.metric.as_str()), (Verdict::Better, "accuracy"));
    assert!((compared.difference - 0.09).abs() < 1e-9 && compared.low > 0.0);
    assert_eq!(compare(&bad, &good, 1).unwrap().verdict, Verdict::Worse);
    assert_eq!(compare(&good, &other, 1).unwrap().verdict, Verdict::CannotTell);
    assert_eq!(compare(&good, &good, 1).unwrap().verdict, Verdict::CannotTell);
    let elsewhere = score(&spam(), &strict(), &vec![(json!("spam"), None); 100], 1);
    assert!(matches!(compare(&good, &elsewhere, 1), Err(Error::Unpaired)));
    let stored: Scores = serde_json::from_str(&serde_json::to_string(&good).unwrap()).unwrap();
    assert_eq!(compare(&stored, &bad, 1).unwrap(), compared);
}

#[test]
fn few_differing_examples_do_not_decide() {
    let right = |n: usize, right: bool| {
        let got = json!(if right { "ham" } else { "spam" });
        score(&spam(), &strict(), &vec![(json!("ham"), Some(got)); n], 1)
    };
    let verdict = |n| compare(&right(n, true), &right(n, false), 1).unwrap().verdict;
    assert_eq!((verdict(3), verdict(4), verdict(8)), (Verdict::CannotTell, Verdict::CannotTell, Verdict::Better));
    let three = right(3, true).metrics;
    assert!(three.iter().all(|metric| metric.value == 1.0 && metric.low < 0.5 && metric.high == 1.0), "{three:?}");
}

#[test]
fn differences_are_shown_by_field_and_item() {
    let item = |name: &str, n: u32| json!({"name": name, "quantity": n, "unit": "case", "subcategory": "produce"});
    let left = json!({"direction": "both", "rescue_location": "The Hub", "drop_off_location": null, "items": [item("kale", 1), item("limes", 2)]});
    let right = json!({"direction": "inbound", "rescue_location": "hub.", "drop_off_location": null, "items": [item("limes", 2), item("kale", 3), item("figs", 1)]});
    let diff = diff(&slack(), rules(), &left, &right);
    assert_eq!(diff.fields.iter().map(|f| f.same).collect::<Vec<_>>(), [false, true, true]);
    assert_eq!(
        (diff.both.len(), diff.only_left.len(), diff.only_right.len(), diff.item_count_difference),
        (1, 1, 2, 1)
    );
    assert!((diff.score - 3.0 / 7.0).abs() < 1e-12);
    let same = super::diff(&spam(), &strict(), &json!("Ham"), &json!("ham"));
    assert_eq!((same.score, same.fields[0].same), (1.0, true));
}

#[test]
fn no_examples_give_no_interval() {
    let scores = score(&slack(), rules(), &[], 1);
    let exact = scores.headline().unwrap();
    assert_eq!((exact.value, exact.low, exact.high), (0.0, 0.0, 1.0));
    assert_eq!(compare(&scores, &scores, 1).unwrap().verdict, Verdict::CannotTell);
}

#[test]
fn task_selects_the_deciding_metric() {
    let rules = Scoring { metric: Some("direction".into()), ..rules().clone() };
    let scores = score(&slack(), &rules, &[(json!({"direction": "both"}), Some(json!({"direction": "both"})))], 1);
    assert_eq!((scores.headline.as_str(), scores.per_example.len()), ("direction", 1));
    let other = score(&slack(), self::rules(), &[(json!({"direction": "both"}), None)], 1);
    assert!(matches!(compare(&scores, &other, 1), Err(Error::Unpaired)));
    // Of these, an example has several shares, or none.
    let truth = json!({"items": [{"name": "kale"}, {"name": "figs"}]});
    let unknown = Scoring { metric: Some("item_f1".into()), ..rules };
    assert_eq!(score(&slack(), &unknown, &[(truth.clone(), Some(truth))], 1).headline, "exact");
}
