use std::{collections::HashMap, fs, path::Path};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::Baseline;
use crate::{cards, pounds::Tables, schema, score, slack};

fn data(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join(path)
}

/// Messages with their labels, in order of time.
fn labelled() -> Vec<(String, Value)> {
    let truths: HashMap<String, Value> = fs::read_to_string(data("slack/labels.jsonl"))
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|label| (label["ts"].as_str().unwrap().to_owned(), label["truth"].clone()))
        .collect();
    let (messages, _) = slack::read(&data("slack/export")).unwrap();
    messages.into_iter().map(|m| (m.text, truths[&m.ts].clone())).collect()
}

fn scores(rows: &[(String, Value)]) -> score::Scores {
    let baseline = Baseline::new(&Tables::builtin());
    let pairs: Vec<_> = rows.iter().map(|(text, want)| (want.clone(), Some(baseline.extract(text)))).collect();
    let slack = cards::task("slack-rescue").unwrap();
    score::score(&slack.card(&[]).unwrap(), &slack.scoring, &pairs, 1)
}

#[test]
fn beats_the_old_parser_on_the_held_out_messages() {
    let scores = scores(&labelled()[400..]);
    let value = |name: &str| scores.metric(name).unwrap().value;
    // The parser of the Slack system: 0.53, 0.12, 0.45, 0.43 and 0.75.
    let fields = ["item_f1", "exact", "direction", "rescue_location", "drop_off_location"];
    assert!(fields.iter().all(|name| value(name) > 0.98), "{:#?}", scores.metrics);
}

/// The answer's direction, both places, and the items as `quantity unit name`.
fn read(message: &str) -> (String, [Value; 2], Vec<String>) {
    let tables = Tables::from_toml("[locations]\n\"Aldi Fulton\" = [\"aldi\", \"the aldi\"]").unwrap();
    let answer = Baseline::new(&tables).extract(message);
    let items = answer["items"].as_array().unwrap().iter();
    let shown = |item: &Value| {
        let parts = ["quantity", "unit", "name"].map(|field| item[field].to_string().replace('"', ""));
        parts.into_iter().filter(|part| part != "null").collect::<Vec<_>>().join(" ")
    };
    let direction = answer["direction"].as_str().unwrap().to_owned();
    (direction, [answer["rescue_location"].clone(), answer["drop_off_location"].clone()], items.map(shown).collect())
}

#[test]
fn all_notations_of_amounts_are_read() {
    let cases = [
        ("ten cs of kale", "10 case kale"),
        ("half a pallet of rice", "0.5 pallet rice"),
        ("~ 3 1/2 gals milk", "3.5 gallon milk"),
        ("milk - 12 doz", "12 dozen milk"),
        ("milk (3 flats)", "3 flat milk"),
        ("60# tomatoes", "60 lb tomatoes"),
        ("tomatoes 60 lbs", "60 lb tomatoes"),
        ("20 of peanut butter", "20 peanut butter"),
        ("5 canned beans", "5 canned beans"),
        ("\u{2022} some hot dog buns", "hot dog buns"),
    ];
    for (said, item) in cases {
        assert_eq!(read(&format!("Picked up from Aldi:\n{said}\nand more of it tomorrow")).2, [item], "{said}");
    }
}

#[test]
fn directions_and_places_are_read() {
    let (here, there) = (json!("Aldi Fulton"), json!("Hope House"));
    let cases = [
        ("Rescued 2 cs milk from the Aldi this morning", "inbound", [here.clone(), Value::Null]),
        ("2 cs milk today from aldi", "inbound", [here.clone(), Value::Null]),
        ("From Aldi: 2 cs milk", "inbound", [here.clone(), Value::Null]),
        ("Aldi:\n- 2 cs milk", "inbound", [here.clone(), Value::Null]),
        ("Aldi:\n- 2 cs milk\nHope House:\n", "inbound", [here.clone(), Value::Null]),
        ("Delivered 2 cs milk to Hope House", "outbound", [Value::Null, there.clone()]),
        ("Stocked Hope House with 2 cs milk", "outbound", [Value::Null, there.clone()]),
        ("Took 2 cs milk from aldi and dropped at Hope House!", "both", [here.clone(), there.clone()]),
        ("Picked up 2 cs milk from aldi for Hope House", "both", [here, there]),
    ];
    for (message, direction, places) in cases {
        let (is, at, items) = read(message);
        assert_eq!((is.as_str(), &at), (direction, &places), "{message}");
        assert_eq!(items, ["2 case milk"], "{message}");
    }
}

#[test]
fn unrelated_messages_have_no_items() {
    assert_eq!(read("Can anyone grab 5 cases from Aldi?").0, "unknown");
    let (_, _, items) = read(
        "Hi all, picked up 3 cs kale; 5551234 calls; 501 bags rice (call me) from Aldi\nPhotos in the thread :pray:",
    );
    assert_eq!(items, ["3 case kale"]);
}

proptest! {
    #[test]
    fn baseline_answer_is_valid_for_any_text(text in "(\\PC{0,6}|picked up|from |dropped at |12 |1/2 |cs |, | and |\n|\\(|->|:|pickup|today|stocked |with |Aldi ){0,24}") {
        let answer = Baseline::new(&Tables::builtin()).extract(&text);
        let graft_core::AnswerForm::Json { schema } = cards::card("slack-rescue", &[]).unwrap().answer else { panic!() };
        prop_assert_eq!(schema::check(&schema, &answer), Ok(()));
    }
}
