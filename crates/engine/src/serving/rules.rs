//! A task's rules beside its adapter.
//!
//! Where a task has a parser, the lists of its schema may say `"x-graft-rules": true`: they are taken from the parser's answer
//! if it agrees with the adapter on everything that is no list, and found as many values, or all that the adapter found and
//! more. Rules that know a wording read long lists without a mistake, where a model leaves something out now and then; where
//! they don't know it, they find another direction or place than the adapter, or none, and don't count.

use std::collections::BTreeMap;

use graft_contestants::Parser;
use graft_core::{AnswerForm, TaskCard};
use graft_predict::{Codec, Completion, Confidence, FROM_RULES, GROUNDED, spans_of};
use graft_tasks::{cards::Scoring, score};
use serde_json::Value;

use crate::{Result, versions::field_of};

/// Whether any list of a card may be taken from the rules.
pub(crate) fn may_help(card: &TaskCard) -> bool {
    !lists(card).is_empty()
}

/// The lists that may be taken from the rules.
fn lists(card: &TaskCard) -> Vec<&str> {
    let AnswerForm::Json { schema } = &card.answer else { return Vec::new() };
    let properties = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
    properties
        .filter(|(_, inner)| inner.get(FROM_RULES) == Some(&Value::Bool(true)))
        .map(|(name, _)| name.as_str())
        .collect()
}

/// What an adapter completed, with the lists of its task's rules, if there are rules that agree with it on the rest.
pub(crate) fn with_rules(
    parser: Option<&Parser>,
    task: (&TaskCard, &Scoring),
    codec: &Codec,
    input: &str,
    done: Completion,
) -> Completion {
    let Some(Ok(answer)) = parser.filter(|_| done.valid && may_help(task.0)).map(|parser| parser.answer(input)) else {
        return done;
    };
    settle(task, codec, input, &answer, done.clone()).unwrap_or(done)
}

/// Takes lists from the rules' answer to the same input, if it agrees on the rest. Values that the adapter did not write are
/// half as sure as all its single fields together: nothing is known of them but that both read the rest alike.
///
/// # Errors
/// The rules' answer does not follow the task's form.
fn settle(
    (card, scoring): (&TaskCard, &Scoring),
    codec: &Codec,
    input: &str,
    rules: &Value,
    mut done: Completion,
) -> Result<Completion> {
    let diff = score::diff(card, scoring, &done.answer, rules);
    let names = lists(card);
    let complete = names.iter().all(|name| is_complete(schema_of(card, name), &rules[*name], &done.answer[*name]));
    let differ = names.iter().any(|name| done.answer[*name] != rules[*name]);
    if !diff.fields.iter().all(|field| field.same) || !complete || !differ {
        return Ok(done);
    }
    let before = done.answer.clone();
    for name in &names {
        done.answer[*name] = rules[*name].clone();
    }
    let single = |path: &String| !names.contains(&field_of(path).split(['[', '.']).next().unwrap_or_default());
    let raw = std::mem::take(&mut done.confidence.fields);
    let sure: f64 = raw.iter().filter(|(path, _)| single(path)).map(|(_, confidence)| confidence).product();
    let paths = codec.fields(&codec.encode(&done.answer)?)?;
    let fields: BTreeMap<String, f64> = paths
        .into_iter()
        .map(|field| {
            let kept = before.pointer(&pointer(&field.path)) == done.answer.pointer(&pointer(&field.path));
            let confidence = raw.get(&field.path).filter(|_| kept).copied();
            (field.path, confidence.unwrap_or(sure / 2.0))
        })
        .collect();
    // Where the rules only confirm what was read, its probability stays.
    let confirmed = diff.only_left.is_empty() && diff.only_right.is_empty();
    let answer = if confirmed { done.confidence.answer } else { sure / 2.0 };
    done.confidence = Confidence { answer, fields };
    done.spans = spans_of(input, codec, &done.answer);
    Ok(done)
}

/// The schema of a list's objects.
fn schema_of<'c>(card: &'c TaskCard, list: &str) -> Option<&'c Value> {
    let AnswerForm::Json { schema } = &card.answer else { return None };
    schema.get("properties")?.get(list)?.get("items")
}

/// Whether the rules' list has as many objects as the model's, or more and each name of the model's among them.
fn is_complete(object: Option<&Value>, rules: &Value, model: &Value) -> bool {
    let (Some(rules), Some(model)) = (rules.as_array(), model.as_array()) else { return rules == model };
    let fields = object.and_then(|object| object.get("properties")?.as_object()).into_iter().flatten();
    let names: Vec<&String> = fields.filter(|(_, inner)| inner.get(GROUNDED).is_some()).map(|(name, _)| name).collect();
    let has = |field: &str, value: &Value| rules.iter().any(|object| object[field] == *value);
    let all_found = || model.iter().all(|object| names.iter().all(|name| has(name, &object[name.as_str()])));
    let more = rules.len() > model.len() && !model.is_empty();
    rules.len() == model.len() || more && !names.is_empty() && all_found()
}

/// `/items/0/name` for `items[0].name`.
fn pointer(path: &str) -> String {
    format!("/{}", path.replace(['[', '.'], "/").replace(']', ""))
}

#[cfg(test)]
mod tests {
    use graft_predict::{End, Piece};
    use serde_json::json;

    use super::*;

    fn item(name: &str, quantity: Value) -> Value {
        json!({"name": name, "quantity": quantity, "unit": null, "subcategory": "produce"})
    }

    fn answer(place: &str, items: &[Value]) -> Value {
        json!({"direction": "inbound", "rescue_location": place, "drop_off_location": null, "items": items})
    }

    fn settled(model: &Value, rules: &Value) -> Completion {
        let slack = graft_tasks::cards::task("slack-rescue").unwrap();
        let card = slack.card(&[]).unwrap();
        let codec = Codec::new(&card.answer).unwrap();
        let fields = codec.fields(&codec.encode(model).unwrap()).unwrap();
        let done = Completion {
            answer: model.clone(),
            confidence: Confidence { answer: 0.3, fields: fields.into_iter().map(|field| (field.path, 0.9)).collect() },
            log_prob: 0.0,
            spans: BTreeMap::new(),
            valid: true,
            prompt_tokens: 1,
            answer_tokens: 1,
            text: String::new(),
            end: End::Whole,
            rest: Piece { text: String::new(), tokens: Vec::new() },
            waited: 0.0,
            seconds: 0.0,
        };
        settle((&card, &slack.scoring), &codec, "4 kale, 5 figs from Aldi", rules, done).unwrap()
    }

    #[test]
    fn rules_provide_lists_if_all_other_fields_agree() {
        let rules = answer("aldi", &[item("kale", json!(4)), item("figs", json!(5))]);
        let done = settled(&answer("Aldi", &[item("kale", json!(4)), item("figs", json!(4))]), &rules);
        assert_eq!(done.answer, answer("Aldi", &[item("kale", json!(4)), item("figs", json!(5))]));
        let fields = &done.confidence.fields;
        assert_eq!((fields["direction"], fields["items[0].quantity"], fields["items[1].name"]), (0.9, 0.9, 0.9));
        // Three single fields of 0.9.
        assert!((fields["items[1].quantity"] - 0.3645).abs() < 1e-9 && (done.confidence.answer - 0.3645).abs() < 1e-9);
        let spans = &done.spans["items[1].name"];
        assert_eq!((spans.start, spans.end), (10, 14));
    }

    #[test]
    fn disagreeing_or_empty_rules_are_ignored() {
        let model = answer("Aldi", &[item("kale", json!(4))]);
        let two = [item("kales", json!(4)), item("figs", json!(5))];
        for rules in [answer("Lidl", &[item("figs", json!(5))]), answer("Aldi", &[]), answer("Aldi", &two)] {
            let done = settled(&model, &rules);
            assert_eq!((&done.answer, done.confidence.answer), (&model, 0.3));
        }
    }

    #[test]
    fn rules_with_more_items_are_used_if_they_include_the_adapters() {
        let model = answer("Aldi", &[item("kale", json!(5))]);
        let rules = answer("Aldi", &[item("kale", json!(4)), item("figs", json!(5))]);
        assert_eq!(settled(&model, &rules).answer, rules);
    }

    #[test]
    fn rules_are_used_only_if_the_card_says_so() {
        let card = |name: &str| graft_tasks::cards::card(name, &["a".into(), "b".into()]).unwrap();
        assert!(may_help(&card("slack-rescue")) && !may_help(&card("sentiment")));
    }
}
