use graft_core::{Review, Source};
use proptest::prelude::*;
use serde_json::json;

use super::*;

fn example(input: &str, output: Value) -> Example {
    Example {
        id: input.into(),
        task: "slack-rescue".into(),
        input: input.into(),
        output: Some(output),
        source: Source { kind: "slack".into(), reference: String::new(), at: None },
        review: Review::Approved { by: "me".into(), at: 0 },
        revision: 1,
    }
}

fn item(name: &str, quantity: Value, unit: Value, class: &str) -> Value {
    json!({"name": name, "quantity": quantity, "unit": unit, "subcategory": class})
}

fn examples() -> Vec<Example> {
    let rescue = |direction: &str, from: Value, to: Value, items: Vec<Value>| json!({"direction": direction, "rescue_location": from, "drop_off_location": to, "items": items});
    vec![
        example(
            "Picked up 12 cases of kale and oat milk - 3 from Sunny Acres",
            rescue(
                "inbound",
                json!("Sunny Acres"),
                Value::Null,
                vec![
                    item("kale", json!(12), json!("case"), "produce"),
                    item("oat milk", json!(3), Value::Null, "dairy"),
                ],
            ),
        ),
        example(
            "stocked hope house with some bread",
            rescue(
                "outbound",
                Value::Null,
                json!("Hope House"),
                vec![item("bread", Value::Null, Value::Null, "bakery")],
            ),
        ),
        example(
            "Mercado Luna -> Unity Shelter: half a bag of rice",
            rescue(
                "both",
                json!("Mercado Luna"),
                json!("Unity Shelter"),
                vec![item("rice", json!(0.5), json!("bag"), "dry goods")],
            ),
        ),
        example("who has the keys?", rescue("unknown", Value::Null, Value::Null, vec![])),
    ]
}

fn card() -> TaskCard {
    crate::cards::card("slack-rescue", &[]).unwrap()
}

fn words() -> Wordings {
    crate::cards::task("slack-rescue").unwrap().wordings()
}

fn made(shares: Shares) -> Vec<Variant> {
    let (card, examples) = (card(), examples());
    let variants = Variants::new(&card, words(), &examples, shares);
    (0..400).map(|at| variants.of(at % 4, at as u64 / 4, 7)).collect()
}

/// The names of an answer: places, and items.
fn names(output: &Value) -> Vec<String> {
    let places = ["rescue_location", "drop_off_location"].map(|field| output[field].as_str());
    let items = output["items"].as_array().unwrap().iter().map(|item| item["name"].as_str());
    places.into_iter().chain(items).flatten().map(str::to_owned).collect()
}

#[test]
fn variant_is_a_function_of_seed_epoch_and_example() {
    let shares = Shares { typos: 0.1, exchanged: 0.4, reworded: 0.4 };
    assert_eq!(made(shares), made(shares));
    let all = made(shares);
    let inputs: std::collections::BTreeSet<&str> = all.iter().map(|variant| variant.input.as_str()).collect();
    assert!(inputs.len() > 250, "{}", inputs.len());
}

#[test]
fn variants_equal_their_examples_if_shares_are_zero() {
    for (at, variant) in made(Shares::default()).iter().enumerate() {
        let example = &examples()[at % 4];
        assert_eq!((variant.input.as_str(), Some(&variant.output)), (example.input.as_str(), example.output.as_ref()));
    }
}

#[test]
fn variant_names_occur_in_input_and_answer_follows_schema() {
    let AnswerForm::Json { schema } = card().answer else { unreachable!() };
    for shares in [Shares { exchanged: 1.0, ..Shares::default() }, Shares { reworded: 1.0, ..Shares::default() }] {
        let all = made(shares);
        for Variant { input, output } in &all {
            crate::schema::check(&schema, output).unwrap();
            for name in names(output) {
                assert!(input.to_lowercase().contains(&name.to_lowercase()), "{input:?} has no {name:?}");
            }
        }
        let changed = all.iter().filter(|variant| !names(&variant.output).iter().all(|n| n.contains("kale"))).count();
        assert!(changed > 100);
    }
}

#[test]
fn reworded_variants_state_the_direction() {
    let all = made(Shares { reworded: 1.0, ..Shares::default() });
    for (at, Variant { input, output }) in all.iter().enumerate() {
        let (direction, from, to) = (&output["direction"], &output["rescue_location"], &output["drop_off_location"]);
        assert_eq!(*direction, examples()[at % 4].output.as_ref().unwrap()["direction"], "{input}");
        let given = (from.is_string(), to.is_string());
        let wanted = match direction.as_str().unwrap() {
            "inbound" => (true, false),
            "outbound" => (false, true),
            "both" => (true, true),
            _ => (false, false),
        };
        assert_eq!(given, wanted, "{input}");
        assert!(!input.contains(['{', '}']), "{input}");
    }
}

#[test]
fn ambiguous_values_are_not_exchanged() {
    let output = json!({"direction": "both", "rescue_location": "Main", "drop_off_location": "Main Hall", "items": [
        item("milk", json!(4), Value::Null, "dairy"), item("oat milk", json!(4), Value::Null, "dairy"),
    ]});
    let all = [example("Main to Main Hall: 4 milk, 4 oat milk", output)];
    let card = card();
    let variants = Variants::new(&card, words(), &all, Shares { exchanged: 1.0, ..Shares::default() });
    for epoch in 0..200 {
        let variant = variants.of(0, epoch, 1);
        // `Main` and `milk` are within other names; 4 is said twice.
        assert_eq!(variant.output["rescue_location"].as_str().unwrap().to_lowercase(), "main");
        assert_eq!(variant.output["items"][0]["name"], "milk");
        assert_eq!(variant.output["items"][1]["quantity"], 4);
    }
}

#[test]
fn label_and_text_tasks_only_get_typos() {
    let card = crate::cards::card("text-classification", &["ham".into(), "spam".into()]).unwrap();
    let all = [example("win a prize of 500 pounds", json!("spam"))];
    let shares = Shares { typos: 0.0, exchanged: 0.5, reworded: 0.5 };
    let variant = Variants::new(&card, Wordings::default(), &all, shares).of(0, 3, 1);
    assert_eq!((variant.input.as_str(), variant.output), ("win a prize of 500 pounds", json!("spam")));
}

#[test]
fn built_in_wordings_are_valid() {
    for task in crate::cards::built_in() {
        assert_eq!(task.wordings().frames.is_empty(), task.wordings.is_none(), "{}", task.name);
    }
    assert!(Wordings::from_toml("opening = []").is_err());
}

proptest! {
    #[test]
    fn variants_work_for_any_example(input in ".{0,60}", name in "\\PC{1,12}", epoch in 0_u64..50) {
        let output = json!({"direction": "inbound", "rescue_location": name, "drop_off_location": null, "items": [
            item(&name, json!(2), Value::Null, "dairy"),
        ]});
        let all = [example(&format!("{input} {name} 2"), output)];
        let card = card();
        let shares = Shares { typos: 0.5, exchanged: 0.5, reworded: 0.5 };
        let variant = Variants::new(&card, words(), &all, shares).of(0, epoch, 3);
        let AnswerForm::Json { schema } = card.answer else { unreachable!() };
        prop_assert!(crate::schema::check(&schema, &variant.output).is_ok());
    }
}
