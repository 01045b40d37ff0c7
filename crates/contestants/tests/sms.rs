//! N-grams score like scikit-learn on real messages: a baseline must not be weaker than common tools.

use graft_contestants::{Contestant, Kind};
use graft_core::{Example, Review, Source};
use graft_tasks::cards;
use serde_json::json;

/// The sample of SMS messages: 1,500 with the label `ham` or `spam`.
fn messages() -> Vec<Example> {
    let sample = include_bytes!("../../tasks/data/sms/sms_spam.csv");
    let rows = csv::Reader::from_reader(&sample[..]).into_records();
    let example = |row: csv::StringRecord| Example {
        id: row[0].to_owned(),
        task: "text-classification".into(),
        input: row[0].to_owned(),
        output: Some(json!(row[1])),
        source: Source { kind: "csv".into(), reference: String::new(), at: None },
        review: Review::Pending,
        revision: 1,
    };
    rows.map_while(Result::ok).map(example).collect()
}

#[test]
fn ngrams_score_like_scikit_learn() {
    let (messages, card) = (messages(), cards::card("text-classification", &["ham".into(), "spam".into()]).unwrap());
    let (train, held_out) = messages.split_at(1200);
    // `learn` in bench/peers/sms_tfidf.py (scikit-learn 1.9.1) classifies 280 and 298 of the 300 correctly.
    for (examples, expected) in [(60, 280_i64), (1200, 298)] {
        let ngrams = Contestant::fit(Kind::NGrams, &card, &train[..examples], None).unwrap();
        let is_right =
            |example: &&Example| Some(&ngrams.answer(&example.input).unwrap().answer) == example.output.as_ref();
        let right = held_out.iter().filter(is_right).count() as i64;
        assert!((right - expected).abs() <= 1, "{examples} examples: {right} right, not {expected}");
    }
    // Its probability for the label of the first held-out message.
    let ngrams = Contestant::fit(Kind::NGrams, &card, train, None).unwrap();
    assert!((ngrams.answer(&held_out[0].input).unwrap().confidence - 0.9775).abs() < 0.002);
}
