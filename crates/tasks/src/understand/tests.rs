use std::time::Instant;

use graft_core::Example;
use proptest::prelude::*;
use serde_json::json;

use super::*;

fn of(text: &str) -> Understanding {
    understand(text, &Columns::default())
}

fn pairs(understanding: &Understanding) -> Vec<(usize, &str, Option<&str>)> {
    understanding
        .examples
        .iter()
        .map(|example| (example.line, example.input.as_str(), example.output.as_ref().and_then(Value::as_str)))
        .collect()
}

#[test]
fn sentiment_example_of_the_prompt_page_has_labels() {
    let found = of(
        "Classify customer sentiment:\n\n1. \"I love this product!\" -> positive\n2. \"Not what I expected\" -> negative\n3. \"It works fine\" -> neutral\n",
    );
    assert_eq!((found.layout, found.form), (Layout::LabelLines, Some(Form::Labels)));
    assert_eq!(found.instruction.as_deref(), Some("Classify customer sentiment"));
    assert_eq!(pairs(&found)[1], (4, "Not what I expected", Some("negative")));
    assert_eq!(found.labels.len(), 3);
    assert!(
        found.hints.iter().any(|hint| hint.kind == HintKind::Few && hint.text.contains("3 examples have an answer"))
    );
    assert!(found.problems.is_empty() && !found.evidence.is_empty());
}

#[test]
fn block_example_of_the_prompt_page_is_text() {
    let found = of(
        "Instruction following:\n\nTask: Summarize the following text\nInput: [long text here]\nExpected: [short summary]\n",
    );
    assert_eq!((found.layout, found.form), (Layout::Blocks, Some(Form::Text)));
    assert_eq!(pairs(&found), [(3, "Summarize the following text\n\n[long text here]", Some("[short summary]"))]);
}

#[test]
fn text_without_answers_says_what_is_missing() {
    let found = of("Test training prompt");
    assert_eq!((found.layout, found.form), (Layout::Lines, None));
    assert_eq!(pairs(&found), [(1, "Test training prompt", None)]);
    let kinds: Vec<HintKind> = found.hints.iter().map(|hint| hint.kind).collect();
    assert_eq!(kinds, [HintKind::Unanswered, HintKind::Few]);
    assert!(of("").examples.is_empty() && of(" \n").hints.is_empty());
}

#[test]
fn each_layout_is_detected() {
    let cases: [(&str, Layout, Option<Form>, usize); 16] = [
        ("good stuff\tpositive\nbad stuff\tnegative\nfine stuff\tpositive\n", Layout::Table, Some(Form::Labels), 3),
        ("text,label\n\"well, good\",positive\nbad,negative\n", Layout::Table, Some(Form::Labels), 2),
        ("a -> x\nb -> y\n", Layout::LabelLines, Some(Form::Labels), 2),
        ("User: hi\nAssistant: hello\nUser: bye\nAssistant: ciao\n", Layout::Dialogue, Some(Form::Dialogue), 2),
        (
            "{\"text\": \"a\", \"label\": \"x\"}\n{\"text\": \"b\", \"label\": \"x\"}",
            Layout::Json,
            Some(Form::Labels),
            2,
        ),
        (
            "[{\"text\": \"a\", \"label\": \"x\"}, {\"text\": \"b\", \"label\": \"x\"}]",
            Layout::Json,
            Some(Form::Labels),
            2,
        ),
        (
            "{\"instruction\": \"do\", \"input\": \"this\", \"output\": \"a long answer of some words\"}",
            Layout::Json,
            Some(Form::Text),
            1,
        ),
        (
            "{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}, {\"role\": \"assistant\", \"content\": \"b\"}, {\"role\": \"user\", \"content\": \"c\"}, {\"role\": \"assistant\", \"content\": \"d\"}]}",
            Layout::Json,
            Some(Form::Dialogue),
            2,
        ),
        ("{\"vendor\": \"A\"}\n{\"vendor\": \"B\"}", Layout::Answers, Some(Form::Fields), 0),
        (
            "{\"type\": \"object\", \"properties\": {\"vendor\": {\"type\": \"string\"}}}",
            Layout::Schema,
            Some(Form::Fields),
            0,
        ),
        (
            "Bill of A\n{\"vendor\": \"A\"}\n\nBill of B\nto us\n{\n  \"vendor\": \"B\"\n}\n",
            Layout::TextAndJson,
            Some(Form::Fields),
            2,
        ),
        (
            "Bill of A -> {\"vendor\": \"A\"}\nBill of B -> {\"vendor\": \"B\"}",
            Layout::LabelLines,
            Some(Form::Fields),
            2,
        ),
        ("Input: Bill of A\nExpected:\n{\n\"vendor\":\n\"A\"\n}\n", Layout::Blocks, Some(Form::Fields), 1),
        ("text,vendor,total\nBill of A over 4,A,4\nBill of B over 5,B,5\n", Layout::Table, Some(Form::Fields), 2),
        (
            "{\"text\": \"Bill of A\", \"vendor\": \"A\"}\n{\"text\": \"Bill of B\", \"vendor\": \"B\"}",
            Layout::Json,
            Some(Form::Fields),
            2,
        ),
        ("1. first\n2. second\n- third", Layout::Lines, None, 3),
    ];
    for (text, layout, form, examples) in cases {
        let found = of(text);
        assert_eq!((found.layout, found.form, found.examples.len()), (layout, form, examples), "{text}\n{found:?}");
        assert!(found.problems.iter().all(|problem| problem.reason.contains("heading")), "{text}\n{found:?}");
    }
}

#[test]
fn problems_are_reported_by_line() {
    let found = of("\"a\" -> x\n\"b\" -> x\nno label\n\"c\" -> y");
    assert_eq!(found.problems, [LineProblem { line: 3, reason: "it is not `\"text\" -> label`".into() }]);
    let found = of("Bill of A\n{\"vendor\": \"A\"}\nBill of B\n{\"vendor\": }\n");
    assert_eq!((found.examples.len(), found.problems[0].line), (1, 4));
    let found = of(
        "{\"input\": \"a\", \"output\": {\"v\": 1}}\n{\"input\": \"b\", \"output\": {\"v\": 2}}\n{\"input\": \"c\", \"output\": \"v\"}",
    );
    assert_eq!((found.problems[0].line, found.problems.len()), (3, 1));
}

#[test]
fn schema_is_inferred_from_five_answers_with_evidence() {
    let invoices = [
        (
            "Invoice 17 from Acme Ltd, 40.50 EUR, paid",
            json!({"number": "17", "vendor": "Acme Ltd", "total": 40.5, "currency": "euro", "paid": true, "lines": [{"item": "nails", "count": 3}]}),
        ),
        (
            "Bill 18 of Bolt & Co over 7 EUR",
            json!({"number": "18", "vendor": "Bolt & Co", "total": 7, "currency": "euro", "paid": false, "lines": []}),
        ),
        (
            "No 19, Acme Ltd: 12 dollars",
            json!({"number": "19", "vendor": "Acme Ltd", "total": 12, "currency": "dollar", "paid": false, "lines": [{"item": "glue", "count": 1, "note": "red"}]}),
        ),
        (
            "20 Cord GmbH 99 EUR",
            json!({"number": "20", "vendor": "Cord GmbH", "total": 99, "currency": "euro", "paid": null, "lines": []}),
        ),
        (
            "Invoice 21 Acme Ltd 1 EUR",
            json!({"number": "21", "vendor": "Acme Ltd", "total": 1, "currency": "euro", "paid": true, "lines": []}),
        ),
    ];
    let text: String = invoices.iter().map(|(input, answer)| format!("{input}\n{answer}\n\n")).collect();
    let found = of(&text);
    assert_eq!((found.form, found.examples.len()), (Some(Form::Fields), 5));
    let schema = found.schema.unwrap();
    let properties = &schema["properties"];
    assert_eq!(properties["vendor"], json!({"type": "string", "x-graft-grounded": true}));
    assert_eq!(properties["total"], json!({"type": "number", "minimum": 0}));
    assert_eq!(properties["currency"], json!({"enum": ["euro", "dollar"]}));
    assert_eq!(properties["paid"], json!({"type": ["boolean", "null"]}));
    let item = &properties["lines"]["items"];
    assert_eq!(item["properties"]["count"], json!({"type": "integer", "minimum": 0}));
    assert_eq!(item["properties"]["note"], json!({"type": ["string", "null"]}));
    assert_eq!(item["required"], json!(["item", "count", "note"]));
    let vendor = found.fields.iter().find(|field| field.path == "vendor").unwrap();
    assert!(
        vendor.grounded && vendor.evidence.contains(&"5 of 5 texts occur in their inputs.".to_owned()),
        "{vendor:?}"
    );
    let note = found.fields.iter().find(|field| field.path == "lines[].note").unwrap();
    assert!(note.optional && schema.pointer(&note.pointer).is_some());
    for (_, answer) in &invoices {
        assert_eq!(crate::schema::check(&schema, &crate::schema::conform(&schema, answer)), Ok(()));
    }
}

#[test]
fn examples_survive_a_round_trip_through_csv() {
    let found = of("\"well, \\\"good\\\"\" -> yes\nbad -> no\nfine -> yes\n");
    let table = csv(found.examples.iter().map(|example| (example.input.as_str(), example.output.as_ref())));
    assert!(table.starts_with("text,label\n\"well, "), "{table}");
    let again = of(&table);
    assert_eq!(again.layout, Layout::Table);
    let content =
        |found: &Understanding| found.examples.iter().map(|e| (e.input.clone(), e.output.clone())).collect::<Vec<_>>();
    assert_eq!(content(&again), content(&found));
}

#[test]
fn hints_suggest_improvements() {
    let text = "a day -> good\nA  day -> bad\nb day -> good\nb day -> good\nc day -> Good\nd -> good\ne day -> good\nf day -> good\ng day -> good\nh day -> rare\n";
    let kinds: Vec<HintKind> = of(text).hints.iter().map(|hint| hint.kind).collect();
    assert_eq!(
        kinds,
        [
            HintKind::Contradiction,
            HintKind::Spelling,
            HintKind::Rare,
            HintKind::Unbalanced,
            HintKind::Duplicate,
            HintKind::Short
        ]
    );
    assert_eq!(of(text).hints[0].lines, [1, 2]);
}

/// The hints of these kinds for a text of a task.
fn hinted(text: &str, task: &KnownTask, kind: HintKind) -> Vec<(String, Vec<usize>)> {
    let found = understand_for(text, &Columns::default(), task);
    found.hints.into_iter().filter(|hint| hint.kind == kind).map(|hint| (hint.text, hint.lines)).collect()
}

/// A task with an approved example of each pair.
fn task(labels: &[&str], examples: &[(&str, &str)]) -> KnownTask {
    let mut task = KnownTask { labels: labels.iter().map(|&label| label.to_owned()).collect(), ..KnownTask::default() };
    for (input, label) in examples {
        task.used.push((*label).to_owned());
        task.examples.push(Example {
            id: (*input).to_owned(),
            task: "mail".into(),
            input: (*input).to_owned(),
            output: Some(Value::from(*label)),
            source: graft_core::Source { kind: "csv".into(), reference: String::new(), at: None },
            review: graft_core::Review::Approved { by: "ada".into(), at: 0 },
            revision: 1,
        });
    }
    task.used.sort();
    task.used.dedup();
    task
}

#[test]
fn hints_name_near_duplicates() {
    let text = "we got ten crates of ripe pears today -> in\nWe got ten crates of ripe pears today! -> out\n\
                we got ten crates of ripe pears today -> in\nnothing alike at all -> out\n!? -> in\n?! -> out\n";
    let near = hinted(text, &KnownTask::default(), HintKind::NearDuplicate);
    assert_eq!(near.iter().map(|(_, lines)| lines.as_slice()).collect::<Vec<_>>(), [[2]], "the third is an exact copy");
    assert!(near[0].0.contains("(1 with another answer)"), "{near:?}");
    let known = task(&[], &[("nothing alike, at all", "out")]);
    assert_eq!(hinted(text, &known, HintKind::NearDuplicate)[0].1, [2, 4]);
    // Each turn of a dialogue repeats those before it.
    let turns: String = (0..12).map(|i| format!("User: this is question {i}\nAssistant: and answer {i}\n")).collect();
    assert_eq!(hinted(&turns, &KnownTask::default(), HintKind::NearDuplicate), []);
}

#[test]
fn hints_compare_a_text_with_its_task() {
    let many: Vec<(String, &str)> = (0..12).map(|i| (format!("text {i} {i}"), ["yes", "no"][i % 2])).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(text, label)| (text.as_str(), *label)).collect();
    let known = task(&["yes", "no", "perhaps"], &many);
    let text = "Text 0  0 -> yes\ntext 1 1 -> yes\na new one -> Yes\nand another -> maybe\nTEXT 3 3 -> no\n";
    assert_eq!(
        hinted(text, &known, HintKind::Known),
        [("2 texts are examples of the task already: nothing new is learned.".into(), vec![1, 5])]
    );
    assert_eq!(hinted(text, &known, HintKind::Contradiction)[0].1, [2]);
    assert_eq!(hinted(text, &known, HintKind::Spelling)[0].1, [3]);
    assert_eq!(
        hinted(text, &known, HintKind::OtherLabels),
        [("`maybe` is not a label of the task, which has `no`, `yes`.".into(), vec![4])]
    );
    assert_eq!(
        hinted(text, &known, HintKind::MissingLabel)[0].0,
        "`perhaps` has no example: add at least 10 of each label."
    );
    assert_eq!(hinted(text, &known, HintKind::Few), [], "the task has enough");
    let alone = understand(text, &Columns::default()).hints;
    let of_task = [HintKind::Known, HintKind::OtherLabels, HintKind::MissingLabel];
    assert!(alone.iter().all(|hint| !of_task.contains(&hint.kind)), "{alone:?}");
    // A task whose examples have labels of their own lacks none of its definition's.
    assert_eq!(hinted("a b -> x\nc d -> z\n", &task(&["yes", "no"], &[("e f", "x")]), HintKind::MissingLabel), []);
}

#[test]
fn labels_are_unbalanced_from_five_to_one() {
    let text = |few: usize| {
        let lines = (0..20 + few).map(|i| format!("text {i} {i} -> {}\n", if i < 20 { "ham" } else { "spam" }));
        lines.collect::<String>()
    };
    let hint = "`ham` has 20 examples, 5 times as many as others: add 1 of `spam` (now 4).";
    assert_eq!(hinted(&text(4), &KnownTask::default(), HintKind::Unbalanced), [(hint.to_owned(), vec![])]);
    assert_eq!(hinted(&text(5), &KnownTask::default(), HintKind::Unbalanced), []);
    // An example that the task has with another answer adds none.
    let many: Vec<String> = (0..20).map(|i| format!("text {i} {i}")).collect();
    let many: Vec<(&str, &str)> =
        many.iter().zip(["ham", "spam"].into_iter().cycle()).map(|(text, label)| (text.as_str(), label)).collect();
    assert_eq!(hinted("text 0 0 -> odd\n", &task(&[], &many), HintKind::Unbalanced), []);
    // What the task has already counts.
    assert_eq!(hinted(&text(4), &task(&[], &[("another offer", "spam")]), HintKind::Unbalanced), []);
}

#[test]
fn ten_thousand_lines_are_parsed() {
    let text: String =
        (0..10_000).map(|i| format!("{i}. \"the parcel number {i} came late\" -> label{}\n", i % 5)).collect();
    let before = Instant::now();
    let found = of(&text);
    assert_eq!((found.examples.len(), found.labels.len(), found.problems.len()), (10_000, 5, 0));
    println!("10,000 lines: {:?}", before.elapsed());
}

/// Pieces of all layouts, and what is between them.
const PIECES: &str = "(\\PC{0,8}|User: |Bot: |Task: a|Input: x|Expected: y|->|\"a\" -> b|\t|,|text,label|\\{\"a\": 1\\}|\\{\"text\": \"x\", \"b\": [1, \"y\"]\\}|\\{|\\[|\"|\n|\r\n|---\n|1\\. ){0,24}";

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_parsed_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        of(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn any_text_is_compared_with_any_task(text in PIECES, input in PIECES, label in "\\PC{0,3}") {
        let task = task(&[&label, "b"], &[(&input, &label), (&text, "b")]);
        let found = understand_for(&text, &Columns::default(), &task);
        let lines = text.split(['\n', '\r']).count();
        prop_assert!(found.hints.iter().flat_map(|hint| &hint.lines).all(|line| (1..=lines).contains(line)), "{found:?}");
    }

    #[test]
    fn parsed_examples_survive_a_round_trip(text in PIECES) {
        let found = of(&text);
        let lines = text.split(['\n', '\r']).count();
        prop_assert!(found.examples.iter().all(|example| (1..=lines).contains(&example.line)), "{found:?}");
        prop_assert!(found.problems.iter().all(|problem| (1..=lines).contains(&problem.line)), "{found:?}");
        let again = of(&render(&found.examples));
        let content = |found: &Understanding| found.examples.iter().map(|e| (e.input.clone(), e.output.clone())).collect::<Vec<_>>();
        prop_assert_eq!(content(&again), content(&found), "{}", render(&found.examples));
        prop_assert_eq!(render(&again.examples), render(&found.examples));
    }

    #[test]
    fn inferred_schemas_allow_the_answers(answers in prop::collection::vec(answer(), 1..6)) {
        let (schema, fields) = infer(answers.iter().map(|answer| (Some("a b c"), answer)));
        if let Some(schema) = schema {
            for field in &fields {
                prop_assert!(schema.pointer(&field.pointer).is_some(), "{} in {schema}", field.pointer);
            }
            for answer in &answers {
                let shaped = crate::schema::conform(&schema, answer);
                prop_assert_eq!(crate::schema::check(&schema, &shaped), Ok(()), "{} {}", schema, answer);
            }
        }
    }
}

fn answer() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-5_i64..500).prop_map(Value::from),
        (-5.0_f64..5.0).prop_map(Value::from),
        "[a-c ]{0,3}".prop_map(Value::from),
    ];
    let tree = leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map("[a-d/~]", inner, 0..4).prop_map(|map| map.into_iter().collect::<Value>()),
        ]
    });
    prop::collection::hash_map("[a-d]", tree, 1..4).prop_map(|map| map.into_iter().collect::<Value>())
}
