use std::{fs, path::PathBuf};

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn me() -> Approval {
    Approval { by: "me".into(), at: 1 }
}

fn file(bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x");
    fs::write(&path, bytes).unwrap();
    (dir, path)
}

fn csv_of(text: &str, columns: &Columns) -> Result<Import, Error> {
    let (_dir, path) = file(text.as_bytes());
    import_csv(&path, "text-classification", columns, &me())
}

fn jsonl_of(task: &str, text: &str) -> Result<Import, Error> {
    let (_dir, path) = file(text.as_bytes());
    import_jsonl(&path, task, &me())
}

fn pairs(import: &Import) -> Vec<(&str, Option<&str>)> {
    import.examples.iter().map(|e| (e.input.as_str(), e.output.as_ref().and_then(Value::as_str))).collect()
}

#[test]
fn the_shipped_csv_is_whole() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/sms/sms_spam.csv");
    let import = import_csv(&path, "text-classification", &Columns::default(), &me()).unwrap();
    assert_eq!((import.examples.len(), import.skipped.len(), import.labels().join(" ")), (1500, 0, "ham spam".into()));
    let ids: std::collections::HashSet<_> = import.examples.iter().map(|e| &e.id).collect();
    assert_eq!(ids.len(), 1500);
}

#[test]
fn columns_are_found_or_named() {
    let ab = vec![("a", Some("x")), ("b", Some("y"))];
    let named =
        |text: &str, label: &str| Columns { text: Some(text.into()), label: Some(label.into()), ..Columns::default() };
    let auto = Columns::default();
    let cases = [
        ("text,label\na,x\nb,y", &auto),
        ("Label;Text\nx;a\ny;b", &auto),
        ("\u{feff}text\tcategory\na\tx\nb\ty", &auto),
        ("a,x\nb,y", &auto),
        ("n,said,is\n1,a,x\n2,b,y", &named("said", "IS")),
        ("1,a,x\n2,b,y", &named("2", "3")),
    ];
    for (text, columns) in cases {
        assert_eq!(pairs(&csv_of(text, columns).unwrap()), ab, "{text}");
    }
    let quoted = csv_of("id,message,label\n7,\"a, \"\"b\"\"\nc\",x\n8,d,\n", &auto).unwrap();
    assert_eq!(pairs(&quoted), [("a, \"b\"\nc", Some("x")), ("d", None)]);
    assert_eq!((quoted.examples[0].id.as_str(), quoted.unlabelled()), ("csv:7", 1));
    assert_eq!(quoted.examples[1].review, Review::Pending);
    assert!(matches!(csv_of("a,b\nc,d", &named("said", "b")), Err(Error::NoColumn { has, .. }) if has == "a, b"));
}

#[test]
fn a_heading_is_no_example_and_an_example_no_heading() {
    let of = |text: &str| csv_of(text, &Columns::default());
    let headed = of("Review,Stars\nso good a dinner,5\nso bad a lunch,1\n").unwrap();
    assert_eq!(pairs(&headed), [("so good a dinner", Some("5")), ("so bad a lunch", Some("1"))]);
    assert_eq!(headed.notes, ["The first row names the columns: texts from `Review`, answers from `Stars`."]);
    let unknown = of("Essen,Note\ngut,1\nschlecht,6\n").unwrap();
    assert_eq!(unknown.examples.len(), 2, "all other labels are numbers");
    assert_eq!(of("when,review,grade\n2,a,x\n3,b,y\n").unwrap().unlabelled(), 2, "nothing is approved by guessing");

    let plain = of("great,good\nawful,bad\nfine,good\n").unwrap();
    assert_eq!(
        (plain.examples.len(), plain.notes[0].as_str()),
        (3, "The first row is an example: texts from column 1, answers from column 2.")
    );
    assert_eq!(of("I liked it.,neutral\nawful,bad\nworse,bad\n").unwrap().examples.len(), 3);
    for unsure in
        ["Essen,Note\nso gut,gut\nschlecht,schlecht\nmies,schlecht\n", "Frage,Antwort\nWie spät ist es?,Halb drei.\n"]
    {
        assert!(matches!(of(unsure), Err(Error::WhichHeading { .. })), "{unsure}");
        for (said, rows) in [(true, 1), (false, 0)] {
            let columns = Columns { heading: Some(said), ..Columns::default() };
            assert_eq!(csv_of(unsure, &columns).unwrap().examples.len(), unsure.lines().count() - rows, "{unsure}");
        }
    }
}

#[test]
fn every_bad_row_is_reported() {
    let mut text = String::from("text,label\ngood,x\n");
    text.push_str(&"short\n".repeat(30));
    text.push_str(" ,x\n");
    let import = csv_of(&text, &Columns::default()).unwrap();
    assert_eq!((import.examples.len(), import.count("bad row"), import.problems.len()), (1, 31, MAX));
    assert_eq!(
        import.problems[0],
        crate::Problem { at: "row 3".into(), reason: "it has 1 column(s) where 2 are needed".into() }
    );
    assert!(
        matches!(csv_of("text,label\nshort\n", &Columns::default()), Err(Error::Nothing { skipped, .. }) if skipped == "1 bad row")
    );
    let (_dir, path) = file(b"text,label\na,x\n\xff\xfe,x\n");
    let import = import_csv(&path, "text-classification", &Columns::default(), &me()).unwrap();
    assert_eq!(import.problems[0].reason, "the text is not UTF-8");
}

const MAX: usize = crate::MAX_PROBLEMS;

#[test]
fn the_same_text_keeps_its_name() {
    let first = csv_of("text,label\na,x\nb,y\na,x", &Columns::default()).unwrap();
    let second = csv_of("text,label\nnew,x\nb,y\na,z", &Columns::default()).unwrap();
    assert_eq!(first.examples[1].id, second.examples[1].id);
    assert_eq!(first.examples[0].id, second.examples[2].id);
    assert_eq!(first.examples[2].id, format!("{}-2", first.examples[0].id));
}

#[test]
fn json_lines_say_their_form() {
    let text = r#"{"text": "a", "label": "x"}
{"input": "a", "output": "x"}
{"prompt": "a", "completion": "x"}
{"instruction": "do", "input": "a", "output": "x"}
{"instruction": "do", "input": "", "output": "x"}
{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "x"}]}
{"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}, {"from": "human", "value": "c"}, {"from": "gpt", "value": "x"}]}
{"text": "a"}
"#;
    let import = jsonl_of("instruction", text).unwrap();
    let x = Some("x");
    let talk = "User: a\nAssistant: b\nUser: c";
    assert_eq!(
        pairs(&import),
        [("a", x), ("a", x), ("a", x), ("do\n\na", x), ("do", x), ("a", x), (talk, x), ("a", None)]
    );
}

#[test]
fn json_lines_that_are_none_are_named() {
    let text = "{\"text\": \"a\", \"label\": 1, \"id\": 5}\n\n[1]\n{\"text\": 3}\n{broken\n{\"a\": 1}\n{\"messages\": [{\"role\": \"x\"}]}\n{\"text\":\"a\",\"label\":{}}";
    let import = jsonl_of("text-classification", text).unwrap();
    assert_eq!(import.examples[0].id, "jsonl:5");
    let at: Vec<&str> = import.problems.iter().map(|p| p.at.as_str()).collect();
    assert_eq!(at, ["line 3", "line 4", "line 5", "line 6", "line 7", "line 8"]);
    assert_eq!(import.problems[3].reason, "no text among its fields (a)");
}

#[test]
fn json_answers_follow_the_schema() {
    let good = json!({"ts": "1.5", "text": "m", "truth": {"direction": "both", "items": [], "note": 1}});
    let bad = json!({"text": "m", "output": {"direction": "up", "items": []}});
    let import = jsonl_of("slack-rescue", &format!("{good}\n{bad}")).unwrap();
    assert_eq!(
        import.examples[0].output,
        Some(json!({"direction": "both", "rescue_location": null, "drop_off_location": null, "items": []}))
    );
    assert!(import.problems[0].reason.starts_with("direction is \"up\""));
}

fn prompt(text: &str) -> Import {
    import_prompt(text, "the text", "instruction", &me()).unwrap()
}

#[test]
fn label_lines_are_read() {
    let text = "Classify customer sentiment:\n\n1. \"I love this product!\" -> positive\n2) 'Not what I expected' => negative\n- It works fine → neutral\n\"a -> b\" -> arrow\nno label here\n";
    let import = prompt(text);
    let wanted = [
        ("I love this product!", "positive"),
        ("Not what I expected", "negative"),
        ("It works fine", "neutral"),
        ("a -> b", "arrow"),
    ];
    assert_eq!(pairs(&import), wanted.map(|(text, label)| (text, Some(label))));
    assert_eq!(import.problems[0].at, "line 7");
}

#[test]
fn blocks_are_read() {
    let text = "Instruction following:\n\nTask: Summarize\nInput: a long\n\ntext\nExpected: short\n\nTask: Count\nExpected: 3\nTask: Lost\nInput: x";
    let import = prompt(text);
    assert_eq!(pairs(&import), [("Summarize\n\na long\n\ntext", Some("short")), ("Count", Some("3"))]);
    assert_eq!((import.problems[0].at.as_str(), import.problems.len()), ("line 11", 1));
}

#[test]
fn dialogues_are_read() {
    let text = "User: hi\nAssistant: hello\nUser: how\nare you?\nAssistant: fine\n---\nUser: bye\nBot: ciao";
    let import = prompt(text);
    let second = "User: hi\nAssistant: hello\nUser: how\nare you?";
    assert_eq!(pairs(&import), [("hi", Some("hello")), (second, Some("fine")), ("bye", Some("ciao"))]);
    assert!(matches!(import_prompt("just a text", "t", "chat", &me()), Err(Error::UnknownForm)));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases / 3, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_csv_is_read_or_reported(bytes in prop::collection::vec(prop_oneof![Just(b','), Just(b'"'), Just(b'\n'), any::<u8>()], 0..200)) {
        let (_dir, path) = file(&bytes);
        if let Ok(import) = import_csv(&path, "sentiment", &Columns::default(), &me()) {
            prop_assert!(import.examples.iter().all(|e| !e.input.trim().is_empty()));
        }
    }

    #[test]
    fn any_jsonl_is_read_or_reported(lines in prop::collection::vec("\\PC{0,40}|\\{\"(text|input|messages|prompt|instruction)\": ?(\"[a-z]{0,3}\"|\\[\\]|1|null|\\{\\})(, \"(label|output|id)\": ?(\"x\"|2|null|\\[1\\]))?\\}", 0..8)) {
        let text = lines.join("\n");
        let rows = text.lines().filter(|line| !line.trim().is_empty()).count();
        for task in ["sentiment", "slack-rescue", "chat"] {
            match jsonl_of(task, &text) {
                Ok(import) => prop_assert_eq!(import.examples.len() + import.count("bad row"), rows),
                Err(error) => prop_assert!(matches!(error, Error::Nothing { .. }), "{error}"),
            }
        }
    }

    #[test]
    fn any_prompt_is_read_or_reported(text in "(\\PC{0,10}|User:|Bot: |Task:|Input: x|Expected:|->|\"a\" -> b|\n|---\n){0,16}") {
        match import_prompt(&text, "t", "chat", &me()) {
            Ok(import) => prop_assert!(!import.examples.is_empty()),
            Err(error) => prop_assert!(matches!(error, Error::Nothing { .. } | Error::UnknownForm), "{error}"),
        }
    }
}
