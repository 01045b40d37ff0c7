use graft_core::{Review, Source};
use graft_tasks::{cards, pounds::Tables};
use proptest::prelude::*;
use serde_json::json;

use super::*;

fn example(input: &str, output: Value) -> Example {
    Example {
        id: input.into(),
        task: "t".into(),
        input: input.into(),
        output: Some(output),
        source: Source { kind: "csv".into(), reference: String::new(), at: None },
        review: Review::Approved { by: "me".into(), at: 0 },
        revision: 1,
    }
}

/// Messages whose label follows from one word, among random ones.
fn messages() -> Vec<Example> {
    let noise = ["today", "at nine", "for you", "my friend", "again", "please", "this week"];
    let label = |i: usize| if i.is_multiple_of(3) { ("win a free prize", "spam") } else { ("see you at home", "ham") };
    (0..40).map(|i| example(&format!("{} {} {i}", label(i).0, noise[i % noise.len()]), json!(label(i).1))).collect()
}

fn card() -> TaskCard {
    cards::card("text-classification", &["ham".into(), "other".into(), "spam".into()]).unwrap()
}

fn all(card: &TaskCard, examples: &[Example]) -> Vec<Contestant> {
    let rules = Parser::of(cards::task(&card.name).unwrap(), &Tables::builtin()).unwrap();
    Contestant::all(card, examples, rules.as_ref())
}

fn kinds(contestants: &[Contestant]) -> Vec<Kind> {
    contestants.iter().map(Contestant::kind).collect()
}

#[test]
fn answer_form_determines_the_contestants() {
    let labels = all(&card(), &messages());
    assert_eq!(kinds(&labels), [Kind::NGrams, Kind::Nearest, Kind::MostFrequent]);
    assert_eq!(labels[2].name(), "always ham");
    let texts = cards::card("ask-ai", &[]).unwrap();
    assert_eq!(kinds(&all(&texts, &[example("light?", json!("turn it on"))])), [Kind::Nearest]);
    assert_eq!(kinds(&all(&texts, &[])), []);
    let objects = cards::card("slack-rescue", &[]).unwrap();
    assert_eq!(kinds(&all(&objects, &[])), [Kind::Rules]);
    // A single label is not enough to fit n-grams.
    assert_eq!(kinds(&all(&card(), &messages()[..1])), [Kind::Nearest, Kind::MostFrequent]);
    let refused = Contestant::fit(Kind::NGrams, &objects, &messages(), None).unwrap_err();
    assert_eq!(refused.to_string(), "answer task `slack-rescue` with n-grams: its answers are not labels");
}

#[test]
fn unseen_predictions_use_models_fitted_to_other_texts() {
    let messages = messages();
    let mut pairs: Vec<(&str, &str)> =
        messages.iter().map(|one| (one.input.as_str(), one.output.as_ref().unwrap().as_str().unwrap())).collect();
    pairs[3].1 = "ham";
    let said = unseen(&pairs);
    let wrong: Vec<usize> = (0..pairs.len()).filter(|&i| said[i].label != pairs[i].1).collect();
    assert_eq!((said.len(), wrong), (40, vec![3]));
    assert!(said[3].label == "spam" && said[3].probability > 0.5 && said[3].usual > 0.5, "{:?}", said[3]);
    assert_eq!(unseen(&pairs[1..3]), []);
}

#[test]
fn contestants_answer_known_patterns() {
    for contestant in &all(&card(), &messages())[..2] {
        let said = contestant.answer("win another free prize").unwrap();
        assert_eq!(said.answer, json!("spam"), "{}", contestant.name());
        assert!(said.confidence > 0.5 && said.confidence <= 1.0, "{said:?}");
        assert_eq!(contestant.answer("see them at home").unwrap().answer, json!("ham"));
    }
    let nearest =
        &all(&cards::card("ask-ai", &[]).unwrap(), &[example("a b", json!("x")), example("c d", json!("y"))])[0];
    let said = nearest.answer("c d").unwrap();
    assert_eq!(said.answer, json!("y"));
    assert!((said.confidence - 1.0).abs() < 1e-5);
    assert_eq!(nearest.answer("").unwrap().confidence, 0.0);
}

#[test]
fn three_labels_are_distinguished() {
    let words = [("cheap pills", "spam"), ("see you soon", "ham"), ("order shipped", "other")];
    let examples: Vec<Example> =
        (0..30).map(|i| example(&format!("{} {i}", words[i % 3].0), json!(words[i % 3].1))).collect();
    let ngrams = Contestant::fit(Kind::NGrams, &card(), &examples, None).unwrap();
    for (text, label) in words {
        assert_eq!(ngrams.answer(text).unwrap().answer, json!(label));
    }
}

#[test]
fn fit_is_bit_reproducible_and_survives_a_file() {
    for (first, second) in all(&card(), &messages()).into_iter().zip(all(&card(), &messages())) {
        assert_eq!(first.to_bytes(), second.to_bytes());
        let read = Contestant::from_bytes(&first.to_bytes(), &card(), None).unwrap();
        assert_eq!(read.to_bytes(), first.to_bytes());
        for text in ["win", "a b c", "", "see you"] {
            let (a, b) = (read.answer(text).unwrap(), first.answer(text).unwrap());
            assert_eq!((a.answer, a.confidence.to_bits()), (b.answer, b.confidence.to_bits()));
        }
    }
    let slack = cards::card("slack-rescue", &[]).unwrap();
    let parser = Parser::of(cards::task("slack-rescue").unwrap(), &Tables::builtin()).unwrap().unwrap();
    let rules = &all(&slack, &[])[0];
    let read = Contestant::from_bytes(&rules.to_bytes(), &slack, Some(&parser)).unwrap();
    let message = "Picked up 3 boxes of kale from Aldi";
    assert_eq!(read.answer(message).unwrap(), rules.answer(message).unwrap());
}

#[test]
fn a_program_or_a_service_answers_in_the_form_of_the_task() {
    let parser = |baseline: Value| {
        let mut task = cards::task("sentiment").unwrap().clone();
        task.closed = true;
        task.baseline = Some(serde_json::from_value(baseline).unwrap());
        Parser::of(&task.checked().unwrap(), &Tables::builtin()).unwrap().unwrap()
    };
    let script = "read text; case $text in *good*) echo Positive;; *) echo odd;; esac";
    let program = parser(json!({"kind": "command", "command": ["sh", "-c", script]}));
    assert_eq!((program.name(), program.answer("all good").unwrap()), ("command", json!("positive")));
    let odd = program.answer("bad").unwrap_err().to_string();
    assert!(odd.starts_with("answer with the command: it answered in another form: the label `odd`"), "{odd}");

    let origin = graft_testkit::http::listen(|request| {
        let asked: Value = serde_json::from_slice(&request.body).unwrap();
        let (status, said) = match asked["input"].as_str().unwrap() {
            "late" => {
                std::thread::sleep(std::time::Duration::from_secs(3));
                (200, "late")
            }
            "gone" => (503, "no"),
            _ => (200, r#""negative""#),
        };
        assert_eq!((asked["task"].as_str(), request.method.as_str()), (Some("sentiment"), "POST"));
        Some((status, Vec::new(), said.into()))
    });
    let service = parser(json!({"kind": "endpoint", "url": origin.unwrap(), "timeout_seconds": 1}));
    assert_eq!((service.name(), service.answer("bad").unwrap()), ("endpoint", json!("negative")));
    assert!(service.answer("gone").unwrap_err().to_string().contains("answered 503"));
    assert!(service.answer("late").unwrap_err().to_string().contains("did not answer in 1 s"));
    let nowhere = parser(json!({"kind": "endpoint", "url": "http://127.0.0.1:1"}));
    assert!(nowhere.answer("x").unwrap_err().to_string().contains("can't be reached"));
}

#[test]
fn built_in_answers_have_the_form_of_the_task() {
    let parser = |schema: Option<Value>| {
        let mut task = cards::task("slack-rescue").unwrap().clone();
        task.schema = schema.or(task.schema);
        Parser::of(&task, &Tables::builtin()).unwrap().unwrap()
    };
    let message = "Picked up 3 boxes of kale from Aldi";
    assert_eq!(parser(None).answer(message).unwrap()["rescue_location"], "Aldi");
    let without = json!({"type": "object", "properties": {"direction": {"type": "string"}}, "required": ["direction"]});
    assert_eq!(parser(Some(without)).answer(message).unwrap(), json!({"direction": "inbound"}));
    let other = json!({"type": "object", "properties": {"total": {"type": "number"}}, "required": ["total"]});
    assert!(matches!(parser(Some(other)).answer(message), Err(Error::NoAnswer { .. })));
}

#[test]
fn rules_of_other_labels_are_refused() {
    let mut task = cards::task("sentiment").unwrap().clone();
    task.closed = true;
    let rules = json!({"kind": "rules", "otherwise": "positive", "rules": [{"label": "odd", "pattern": "x"}]});
    task.baseline = Some(serde_json::from_value(rules).unwrap());
    let refused = Parser::of(&task, &Tables::builtin()).unwrap_err().to_string();
    assert_eq!(refused, "use the rules of task `sentiment`: `rules[0].label`: `odd` is no label of the task");
}

#[test]
fn inconsistent_contestant_files_are_refused() {
    let refused =
        |file: Value| Contestant::from_bytes(file.to_string().as_bytes(), &card(), None).unwrap_err().to_string();
    let pairs = json!([["a", "ham"], ["b", "spam"]]);
    let ngrams = |coefficients: Value, intercepts: Value| json!({"format": 1, "kind": "n-grams", "examples": pairs, "coefficients": coefficients, "intercepts": intercepts});
    assert!(refused(json!({"format": 2, "kind": "later"})).contains("its format is 2 and not 1"));
    assert!(refused(json!({"format": 1, "kind": "oracle"})).contains("damaged"));
    assert!(refused(ngrams(json!([1.0]), json!([0.0]))).contains("numbers don't fit"));
    assert!(refused(ngrams(json!([1.0, 1e300]), json!([0.0]))).contains("numbers don't fit"));
    assert!(refused(json!({"format": 1, "kind": "nearest", "examples": []})).contains("no examples"));
    assert!(refused(json!({"format": 1, "kind": "nearest", "examples": [["a", "eggs"]]})).contains("not a label"));
    assert!(refused(json!({"format": 1, "kind": "most-frequent", "label": "ham", "share": 7})).contains("share is 7"));
    assert!(refused(json!({"format": 1, "kind": "rules"})).contains("no baseline"));
}

proptest! {
    #[test]
    fn damaged_contestant_files_never_panic(at in any::<proptest::sample::Index>(), byte in any::<u8>(), cut in any::<proptest::sample::Index>()) {
        for contestant in all(&card(), &messages()[..6]) {
            let mut bytes = contestant.to_bytes();
            let place = at.index(bytes.len());
            bytes[place] = byte;
            if let Ok(read) = Contestant::from_bytes(&bytes, &card(), None) {
                let said = read.answer("win a prize").unwrap();
                prop_assert!(["ham", "spam", "other"].contains(&said.answer.as_str().unwrap()));
                prop_assert!((0.0..=1.0).contains(&said.confidence));
            }
            bytes.truncate(cut.index(bytes.len()));
            let _ = Contestant::from_bytes(&bytes, &card(), None);
        }
    }

    #[test]
    fn damaged_files_of_n_grams_never_panic(at in any::<proptest::sample::Index>(), byte in any::<u8>(), cut in any::<proptest::sample::Index>()) {
        let labelled = messages().into_iter().take(6).map(|one| (one.input, one.output.unwrap().as_str().unwrap().to_owned()));
        let mut bytes = LabelNGrams::fit(labelled.collect()).unwrap().to_bytes().trim_ascii_end().to_vec();
        let place = at.index(bytes.len());
        bytes[place] = byte;
        if let Ok(read) = LabelNGrams::from_bytes(&bytes) {
            let sum: f64 = read.chances("win a prize").iter().map(|(_, chance)| chance).sum();
            prop_assert!((sum - 1.0).abs() < 1e-6 || sum.is_nan(), "{sum}");
        }
        bytes.truncate(cut.index(bytes.len()));
        prop_assert!(LabelNGrams::from_bytes(&bytes).is_err());
    }

    #[test]
    fn contestants_answer_any_text(text in ".*") {
        for contestant in all(&card(), &messages()[..6]) {
            prop_assert!((0.0..=1.0).contains(&contestant.answer(&text).unwrap().confidence));
        }
    }
}
