use graft_core::{Review, Source, SplitRule};
use graft_store::{Decision, Seen};
use serde_json::json;

use super::*;
use crate::{Engine, Home, now};

const SLACK: &str = "slack-rescue";

async fn engine(dir: &tempfile::TempDir) -> Engine {
    Engine::open(Home::at(dir.path()).unwrap(), "ada").await.unwrap()
}

fn example(id: &str, input: &str, output: Option<Value>) -> Example {
    let review = if output.is_some() { Review::Approved { by: "ada".into(), at: 0 } } else { Review::Pending };
    let source = Source { kind: "slack".into(), reference: id.into(), at: Some(0) };
    Example { id: id.into(), task: SLACK.into(), input: input.into(), output, source, review, revision: 1 }
}

fn answer(direction: &str, place: &str, item: (&str, i64, &str)) -> Value {
    let (name, quantity, subcategory) = item;
    let items = json!([{"name": name, "quantity": quantity, "unit": "box", "subcategory": subcategory}]);
    json!({"direction": direction, "rescue_location": place, "drop_off_location": null, "items": items})
}

/// Everything that is suspect, by kind and reason.
async fn found(engine: &Engine) -> Vec<(SuspectKind, String)> {
    let found = engine.evaluations().suspects(SLACK).await.unwrap();
    found.suspects.into_iter().map(|one| (one.kind, one.reason)).collect()
}

#[tokio::test]
async fn near_duplicates_are_compared_on_ungrounded_fields() {
    let dir = tempfile::tempdir().unwrap();
    let engine = engine(&dir).await;
    let text = |boxes: i64, place: &str| {
        format!(
            "{boxes} boxes of kale just picked up this morning and we have them all in the cold room now thanks {place}"
        )
    };
    let one = |id: &str, boxes, place, direction, sub| {
        example(id, &text(boxes, place), Some(answer(direction, place, ("kale", boxes, sub))))
    };
    // Other numbers and places, as the texts say.
    let clean = [one("a", 3, "Aldi", "inbound", "produce"), one("b", 4, "Lidl", "inbound", "produce")];
    engine.store.import(&clean, "ada", 0).await.unwrap();
    assert_eq!(found(&engine).await, []);
    engine.store.import(&[one("c", 5, "Spar", "outbound", "dairy")], "ada", 0).await.unwrap();
    let reason = "nearly the same text has different answers: direction `inbound` and `outbound`; items[kale].subcategory `dairy` and `produce`";
    assert_eq!(found(&engine).await, [(SuspectKind::NearDuplicate, reason.to_owned())]);
    // The answers of others don't fit the text of one: whoever isn't kept is rejected.
    let suspects = engine.evaluations().suspects(SLACK).await.unwrap();
    let keep = &suspects.suspects[0].fixes[0];
    assert!(
        keep.action == FixAction::Keep && keep.decisions.iter().all(|one| one.action == FixVerb::Reject),
        "{keep:?}"
    );
}

#[tokio::test]
async fn unchanged_parser_answers_are_suspect_until_confirmed() {
    let dir = tempfile::tempdir().unwrap();
    let engine = engine(&dir).await;
    let texts =
        ["Picked up 3 boxes of kale from Aldi", "Picked up 4 boxes of rice from Lidl", "Got 2 boxes of figs from Spar"];
    let waiting = texts.map(|text| example(text, text, None));
    engine.store.import(&waiting, "ada", 0).await.unwrap();
    let seen = Seen::default();
    for (at, text) in texts.iter().enumerate() {
        let mut output = engine.examples().detail(SLACK, text).await.unwrap().baseline.unwrap();
        if at == 1 {
            output["direction"] = json!("outbound");
        }
        engine.examples().decide(SLACK, text, seen, Decision::Edit(output)).await.unwrap();
    }
    assert_eq!(found(&engine).await, [], "nothing is held out");
    let all = SplitRule::Random { eval_share: 0.99, seed: 1 };
    let prepared = engine.examples().prepare(SLACK, all, None).await.unwrap();
    assert_eq!(prepared.dataset.eval.len(), 3);
    engine.examples().keep(&prepared).await.unwrap();
    let suspects = engine.evaluations().suspects(SLACK).await.unwrap();
    let ids: Vec<&str> = suspects.suspects.iter().map(|one| one.examples[0].example.id.as_str()).collect();
    assert_eq!(ids, [texts[0], texts[2]], "the second was corrected");
    assert_eq!(suspects.summary(), None, "a training is not spoilt by them");
    let judged = (&prepared.card, &prepared.task.definition.scoring);
    let count =
        || async { engine.evaluations().taken_from_parser(SLACK, judged, &prepared.dataset.eval).await.unwrap() };
    assert_eq!(count().await, 2);
    engine.examples().decide(SLACK, texts[0], seen, Decision::Approve).await.unwrap();
    assert_eq!(count().await, 1, "somebody looked again");
    engine.examples().undo(SLACK, texts[0], seen).await.unwrap();
    assert_eq!(count().await, 2);
}

#[tokio::test]
async fn fix_is_refused_if_example_has_changed() {
    let dir = tempfile::tempdir().unwrap();
    let engine = engine(&dir).await;
    let of = |direction| Some(answer(direction, "Aldi", ("kale", 3, "produce")));
    let text = "Picked up 3 boxes of kale from Aldi";
    engine
        .store
        .import(&[example("a", text, of("inbound")), example("b", text, of("outbound"))], "ada", 0)
        .await
        .unwrap();
    let found = engine.evaluations().suspects(SLACK).await.unwrap();
    let suspect = &found.suspects[0];
    assert_eq!((suspect.kind, suspect.count), (SuspectKind::SameText, 2));
    engine.store.review(SLACK, "b", Seen::default(), &Decision::Approve, "bob", now()).await.unwrap();
    let one = &suspect.examples[1];
    let seen = Seen { revision: Some(one.example.revision), change: Some(one.seen) };
    let refused = engine.examples().decide(SLACK, &one.example.id, seen, Decision::Reject(String::new())).await;
    assert!(matches!(refused, Err(crate::Error::Store(graft_store::Error::Conflict { .. }))), "{refused:?}");
}

#[tokio::test]
async fn ten_thousand_examples_are_checked() {
    let dir = tempfile::tempdir().unwrap();
    let engine = engine(&dir).await;
    let words: Vec<String> = (0..3000_usize).map(|i| format!("word{}", i * 7919 % 5003)).collect();
    let text =
        |i: usize| (0..20).map(|k| words[(i * 31 + k * k * 17) % words.len()].as_str()).collect::<Vec<_>>().join(" ");
    let label = |i: usize| Some(json!(["ham", "spam"][i % 2]));
    let one = |i: usize| Example { task: "sentiment".into(), ..example(&i.to_string(), &text(i), label(i)) };
    let mut all: Vec<Example> = (0..10_000).map(one).collect();
    all[9_999].input = format!("{}!", all[2].input);
    all[9_800..9_950].iter_mut().for_each(|example| example.output = Some(json!("n/a")));
    engine.store.import(&all, "ada", 0).await.unwrap();
    let found = engine.evaluations().suspects("sentiment").await.unwrap();
    let kinds: Vec<SuspectKind> = found.counts.iter().map(|one| one.kind).collect();
    assert!(kinds.starts_with(&[SuspectKind::EmptyLabel]) && kinds.contains(&SuspectKind::NearDuplicate), "{kinds:?}");
    assert!(found.suspects.len() <= LISTED);
    // A fix decides on what is shown, and on nothing else.
    let empty = &found.suspects[0];
    assert_eq!((empty.count, empty.examples.len(), empty.fixes[0].decisions.len()), (150, SHOWN, SHOWN));
}
