use std::{fs, path::PathBuf};

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::FileForm;
use crate::cards;

fn me() -> Approval {
    Approval { by: "me".into(), at: 1, doubtful: false }
}

fn file(bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x");
    fs::write(&path, bytes).unwrap();
    (dir, path)
}

fn csv_of(text: &str, columns: &Columns) -> Result<Import, Error> {
    let (_dir, path) = file(text.as_bytes());
    import_csv(&path, cards::task("text-classification").unwrap(), columns, &me())
}

fn jsonl_of(task: &str, text: &str) -> Result<Import, Error> {
    let (_dir, path) = file(text.as_bytes());
    import_jsonl(&path, cards::task(task).unwrap(), &me())
}

fn pairs(import: &Import) -> Vec<(&str, Option<&str>)> {
    import.examples.iter().map(|e| (e.input.as_str(), e.output.as_ref().and_then(Value::as_str))).collect()
}

#[test]
fn sample_csv_is_read_completely() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/sms/sms_spam.csv");
    let import = import_csv(&path, cards::task("text-classification").unwrap(), &Columns::default(), &me()).unwrap();
    assert_eq!((import.examples.len(), import.skipped.len(), import.labels().join(" ")), (1500, 0, "ham spam".into()));
    let ids: std::collections::HashSet<_> = import.examples.iter().map(|e| &e.id).collect();
    assert_eq!(ids.len(), 1500);
}

#[test]
fn columns_are_detected_or_named() {
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
fn heading_and_examples_are_not_confused() {
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
        crate::Problem { at: "row 3".into(), reason: "it has 1 column(s), but 2 are needed".into() }
    );
    assert!(
        matches!(csv_of("text,label\nshort\n", &Columns::default()), Err(Error::Nothing { skipped, .. }) if skipped == "1 bad row")
    );
}

fn states(import: &Import) -> Vec<&str> {
    import.examples.iter().map(|example| example.review.name()).collect()
}

fn csv_bytes(bytes: &[u8]) -> Result<Import, Error> {
    let (_dir, path) = file(bytes);
    import_csv(&path, cards::task("text-classification").unwrap(), &Columns::default(), &me())
}

#[test]
fn doubtful_rows_are_imported_as_pending() {
    let p = "pending";
    let a = "approved";
    let cases = [
        // The first row's label is none of the others'.
        ("so bad,bad\nnice,good\nfine,good\nold,bad\n", vec![a, a, a, a], ""),
        ("How was your stay with us?,Rating\nnice,good\nfine,good\n", vec![p, a, a], "may be a heading"),
        ("great,good\nawful,bad\n", vec![p, a], "may be a heading"),
        // A cell that may have swallowed rows.
        ("text,label\n\"van late,bad\nnice,good\nold\",bad\nfine,good\n", vec![p, a], "line breaks and separators"),
        ("text,label\n\"two\nlines\",bad\nfine,good\n", vec![a, a], ""),
        // Answers that are texts, and texts that are ids.
        (
            "text,label\nthe van was late,we are sorry to hear that\nnice people,thank you very much for it\nold bread,we \
             will look into it\n",
            vec![p, p, p],
            "as long as the text",
        ),
        ("1001,bad\n1002,good\n1003,good\n1004,bad\n", vec![p, p, p, p], "look like ids"),
        ("T-1,bad\nT-2,good\nT-3,bad\n", vec![p, p, p], "look like ids"),
        ("text,label\na\u{fffd}b,bad\nfine,good\n", vec![p, a], "\u{fffd}"),
    ];
    for (text, wanted, note) in cases {
        let import = csv_of(text, &Columns::default()).unwrap();
        assert_eq!(states(&import), wanted, "{text}");
        let said = import.notes.iter().find(|said| said.contains("Doubtful"));
        assert!(
            said.map_or(note.is_empty(), |said| !note.is_empty() && said.contains(note)),
            "{text}: {:?}",
            import.notes
        );
        let (_dir, path) = file(text.as_bytes());
        let sure = Approval { doubtful: true, ..me() };
        let import =
            import_csv(&path, cards::task("text-classification").unwrap(), &Columns::default(), &sure).unwrap();
        assert!(states(&import).iter().all(|state| *state == a), "{text}: approved where it is asked for");
    }
}

#[test]
fn unclear_columns_are_asked_for() {
    for text in
        ["ticket,remark,verdict\n1,nice van,good\n2,old van,bad\n", "1,nice,good\n2,old,bad\n", "a,b,c,d\n1,2,3,4\n"]
    {
        let error = csv_of(text, &Columns::default()).unwrap_err();
        assert!(
            matches!(&error, Error::WhichColumns { line: 1, .. }) && error.hint().unwrap().contains("--label"),
            "{error}"
        );
    }
    let of = |text: &str| csv_of(text, &Columns::default()).unwrap();
    let ab = [("nice", Some("good")), ("old", Some("bad"))];
    for text in [
        "ticket,comment,rating\n1,nice,good\n2,old,bad\n",
        "Unnamed: 0,comment,rating\n0,nice,good\n1,old,bad\n",
        ",text,label\n0,nice,good\n1,old,bad\n",
        "Unnamed: 0,remark,verdict\n0,nice,good\n1,old,bad\n",
        "text,label,\nnice,good,\nold,bad,\n",
        "text,label\nnice,good\ntext,label\nold,bad\n",
        "sep=;\ntext;label\nnice;good\nold;bad\n",
    ] {
        assert_eq!(pairs(&of(text)), ab, "{text}");
    }
    assert_eq!(of("ticket,comment,rating\n1,nice,good\n2,old,bad\n").notes[1], "Columns that are not read: `ticket`.");
    let pending = of("a,b\n");
    assert_eq!(states(&pending), ["pending"], "one row may be a heading");
}

#[test]
fn two_candidate_columns_are_asked_for() {
    for text in [
        "review,rating,sentiment\nnice,5,pos\nold,1,neg\n",
        "instruction,input,output\nshorten,a long text,short\nshorten,another,other\n",
        "text,text,label\nnice,van,good\nold,van,bad\n",
        "text,label,label\nnice,good,1\nold,bad,0\n",
    ] {
        let error = csv_of(text, &Columns::default()).unwrap_err();
        assert!(matches!(error, Error::WhichColumns { line: 1, .. }), "{text}: {error}");
    }
    let named = |label: &str| Columns { label: Some(label.into()), ..Columns::default() };
    let text = "review,rating,sentiment\nnice,5,pos\nold,1,neg\n";
    assert_eq!(pairs(&csv_of(text, &named("rating")).unwrap()), [("nice", Some("5")), ("old", Some("1"))]);
    let twice = "text,label,label\nnice,good,1\nold,bad,0\n";
    assert!(matches!(csv_of(twice, &named("label")), Err(Error::TwoColumns { .. })));
    assert_eq!(pairs(&csv_of(twice, &named("3")).unwrap())[0], ("nice", Some("1")));
    let sure = csv_of("text,label,score\nnice,good,0.9\nold,bad,0.8\n", &Columns::default()).unwrap();
    assert_eq!(pairs(&sure), [("nice", Some("good")), ("old", Some("bad"))], "`label` is what it is called");
}

#[test]
fn lines_around_a_table_are_counted() {
    for text in [
        "# exported 2024\n# by a tool\ntext,label\nnice,good\nold,bad\n",
        "Customer feedback 2024,,\n,,\ntext,label,id\nnice,good,1\nold,bad,2\n",
        "Feedback\n\ntext;label\nnice;good\nold;bad\n",
        "| text | label |\n|:-----|-------|\n| nice | good |\n| old | bad |\n",
    ] {
        let import = csv_of(text, &Columns::default()).unwrap();
        assert_eq!(pairs(&import), [("nice", Some("good")), ("old", Some("bad"))], "{text}");
        assert_eq!(import.count("line above the heading") > 0, !text.starts_with('|'), "{text}: {:?}", import.skipped);
    }
    assert!(matches!(csv_of(" \n  \n", &Columns::default()), Err(Error::Nothing { .. })));
    // The first line is broken, and the separator is known all the same.
    let broken = csv_of("\"The van was late,bad\nold,bad\nfine,good\nmean,bad\n", &Columns::default()).unwrap();
    assert_eq!((pairs(&broken)[0], broken.count("bad row")), (("old", Some("bad")), 1), "{:?}", broken.notes);
}

#[test]
fn suspicious_answers_and_texts_are_imported_as_pending() {
    let cases = [
        ("nan", "fine", "is a placeholder"),
        ("good", "NaN", "is a placeholder"),
        ("['joy', 'love']", "fine", "as a list"),
        ("good", "schÃ¶n", "another encoding"),
        ("good", "“fine”", "quotation marks"),
        ("NA", "fine", "is a placeholder"),
        ("good", "\\N", "is a placeholder"),
        ("#DIV/0!", "fine", "is a placeholder"),
        // Cyrillic, and Japanese that was never decoded.
        ("good", "Ð¼Ð¾Ð»Ð¾ÐºÐ¾", "another encoding"),
        ("good", "\u{1b}$B%Q%s\u{1b}(B", "control characters"),
        ("good", "so ein Spaß“ … „heiß“", ""),
        ("none", "the café isn’t bad", ""),
    ];
    for (label, text, doubt) in cases {
        let import = csv_of(&format!("text,label\nold,bad\n{text},\"{label}\"\n"), &Columns::default()).unwrap();
        let states = states(&import);
        assert_eq!(states, ["approved", if doubt.is_empty() { "approved" } else { "pending" }], "{text} -> {label}");
        let note = import.notes.iter().find(|note| note.starts_with("Doubtful"));
        assert!(note.map_or(doubt.is_empty(), |note| note.contains(doubt)), "{:?}", import.notes);
    }
    let import = csv_bytes(&["text,label\nnice,good\nschön,".as_bytes(), b"\xc3"].concat()).unwrap();
    assert_eq!((pairs(&import)[1].0, states(&import)), ("schön", vec!["approved", "pending"]), "cut within a letter");
    let objects = json!({"instruction": "a", "output": ["x", "y"]});
    assert_eq!(states(&jsonl_of("instruction", &objects.to_string()).unwrap()), ["pending"]);
    let several = json!({"question": "a", "answer": "x", "category": "y"});
    assert_eq!(states(&jsonl_of("text-classification", &several.to_string()).unwrap()), ["pending"]);
}

#[test]
fn bad_row_is_reported_by_line_and_column() {
    let import =
        csv_of("text,label\n\"ok, ok\",good\nI came, I saw,good\n\"late,bad\nfine,good\n", &Columns::default())
            .unwrap();
    assert_eq!(pairs(&import), [("ok, ok", Some("good")), ("fine", Some("good"))]);
    let reasons: Vec<&str> = import.problems.iter().map(|problem| problem.reason.as_str()).collect();
    assert!(reasons[0].starts_with("line 3, column 3: `good` is one cell more"), "{reasons:?}");
    assert!(reasons[1].starts_with("the quote in line 4, column 1 is never closed"), "{reasons:?}");
    let escaped = csv_of("text,label\n\"a \\\"b, c\\\" d\",x\nfine,good\n", &Columns::default()).unwrap();
    assert_eq!(pairs(&escaped)[0], ("a \"b, c\" d", Some("x")));
}

#[test]
fn bad_character_drops_at_most_its_row() {
    let import = csv_of("text,label\na\0b,x\nc,y\nd,y\0\n", &Columns::default()).unwrap();
    assert_eq!(pairs(&import), [("c", Some("y"))]);
    assert_eq!(
        (import.problems[0].at.as_str(), import.problems[0].reason.as_str()),
        ("row 2", "the text contains a NUL character, at byte 2")
    );
    let utf_16: Vec<u8> =
        "\u{feff}text,label\nschön,gut\nmüde,schlecht\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let import = csv_bytes(&utf_16).unwrap();
    assert_eq!((pairs(&import)[0], states(&import)[0]), (("schön", Some("gut")), "approved"));
    let latin: Vec<u8> =
        "text,label\nschön und gut,gut\nfine,gut\nmüde Äpfel,schlecht\n".chars().map(|c| c as u8).collect();
    let import = csv_bytes(&latin).unwrap();
    assert_eq!((pairs(&import)[0].0, states(&import)), ("schön und gut", vec!["pending", "approved", "pending"]));
    assert!(import.notes[0].contains("which is guessed"), "{:?}", import.notes);
    let import = csv_bytes(b"text,label\n\xc3\xa9t\xc3\xa9,x\n\xc3\xa9\xff,x\nc,y\n").unwrap();
    assert_eq!((states(&import), import.examples.len()), (vec!["approved", "pending", "approved"], 3));
    let import = jsonl_of(
        "text-classification",
        "{\"text\": \"a\\u0000\", \"label\": \"x\"}\n{\"text\": \"b\", \"label\": \"x\"}\n",
    )
    .unwrap();
    assert_eq!((import.examples.len(), import.problems[0].at.as_str()), (1, "line 1"));
}

#[test]
fn unsupported_formats_are_named() {
    let cases: [(&[u8], FileForm, &str); 6] = [
        (
            b"{\"text\": \"a, b\", \"label\": \"x\"}\n{\"text\": \"c, d\", \"label\": \"y\"}\n",
            FileForm::Json,
            "import jsonl",
        ),
        (b"[\n  {\"text\": \"a\"}\n]", FileForm::Json, "import jsonl"),
        (b"PAR1\x15\x04", FileForm::Parquet, "read_parquet"),
        (b"SQLite format 3\0....", FileForm::Sqlite, "ask-ai"),
        (b"%PDF-1.7", FileForm::Pdf, "CSV"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", FileForm::Xls, ".xlsx"),
    ];
    for (bytes, form, hint) in cases {
        let error = csv_bytes(bytes).unwrap_err();
        assert!(matches!(error, Error::OtherForm { found, .. } if found == form), "{error}");
        assert!(error.hint().unwrap().contains(hint));
        if form != FileForm::Json {
            let (_dir, path) = file(bytes);
            assert!(matches!(
                import_jsonl(&path, cards::task("sentiment").unwrap(), &me()),
                Err(Error::OtherForm { .. })
            ));
        }
    }
}

#[test]
fn json_is_read_in_every_layout_with_errors() {
    let ab = [("a", Some("x")), ("b", Some("y"))];
    for text in [
        "[{\"text\": \"a\", \"label\": \"x\"}, {\"text\": \"b\", \"label\": \"y\"}]",
        "[\n  {\n    \"text\": \"a\",\n    \"label\": \"x\"\n  },\n  {\n    \"text\": \"b\",\n    \"label\": \"y\"\n  }\n]\n",
        "{\n  \"text\": \"a\",\n  \"label\": \"x\"\n}\n{\n  \"text\": \"b\",\n  \"label\": \"y\"\n}\n",
        "\u{feff}{\"text\": \"a\", \"label\": \"x\"}\r\n{\"text\": \"b\", \"label\": \"y\"}",
    ] {
        assert_eq!(pairs(&jsonl_of("text-classification", text).unwrap()), ab, "{text}");
    }
    let cases = [
        ("{\"text\": \"a\", \"label\": \"x\",}", "trailing comma (line 1, column 28)"),
        ("{'text': 'a', 'label': None}", "json.dumps"),
        ("{\"data\": [{\"text\": \"a\"}]}", "if `data` holds the rows"),
        ("{\"prompt\": \"a\", \"chosen\": \"x\", \"rejected\": \"y\"}", "a chosen and a rejected answer"),
        (
            "{\"input\": {\"messages\": []}, \"preferred_output\": [], \"non_preferred_output\": []}",
            "a chosen and a rejected answer",
        ),
        ("{\"id\": 1, \"data\": {\"text\": \"a\"}, \"annotations\": [{\"result\": []}]}", "of Label Studio"),
        ("{\"text\": \"a\", \"label\": \"x\"", "EOF while parsing"),
        ("{“text”: “a”, “label”: “x”}", "its quotes are typographic"),
        ("{\"text\": [\"a\", \"b\"], \"label\": [\"x\", \"y\"]}", "orient=\"records\""),
        ("{\"prompt\": \"a\", \"completion\": \"x\", \"label\": false}", "rejected"),
        ("{\"text\": \"a\", \"label\": \"x\", \"answer\": \"reject\"}", "rejected"),
    ];
    for (text, reason) in cases {
        let error = jsonl_of("text-classification", text).unwrap_err();
        assert!(error.to_string().contains(reason), "{error}");
        assert_eq!(error.hint().as_deref(), Some("correct the problem, then import the file again"));
    }
}

#[test]
fn lines_of_yaml_are_no_texts() {
    let yaml = "- text: nice soup\n  label: good\n- text: cold soup\n  label: bad\n";
    let task = cards::task("text-classification").unwrap();
    for read in [import_lines, import_prompt] {
        let error = read(yaml, "the text", task, &me()).unwrap_err();
        assert!(error.to_string().contains("a YAML list"), "{error}");
    }
    assert!(matches!(csv_bytes(yaml.as_bytes()), Err(Error::OtherForm { found: FileForm::Yaml, .. })));
}

#[test]
fn answers_that_count_choices_are_pending() {
    let mcq = "{\"question\": \"2 + 2?\", \"choices\": [\"3\", \"4\"], \"answer\": \"1\"}\n{\"question\": \"1 + 1?\", \"answer\": \"2\"}\n";
    let import = jsonl_of("text-classification", mcq).unwrap();
    assert_eq!(states(&import), ["pending", "approved"]);
}

#[test]
fn chat_and_instruction_formats_follow_their_tools() {
    let of = |value: Value| jsonl_of("chat", &value.to_string());
    let turn = |role: &str, content: &str| json!({"role": role, "content": content});
    let two = of(json!({"id": 7, "messages": [
        turn("user", "a"), turn("assistant", "x"), turn("user", "b"), turn("assistant", "y")]}))
    .unwrap();
    assert_eq!(pairs(&two), [("a", Some("x")), ("User: a\nAssistant: x\nUser: b", Some("y"))]);
    assert_eq!([two.examples[0].id.as_str(), two.examples[1].id.as_str()], ["jsonl:7:1", "jsonl:7"]);

    let dialog = json!({"dialog": [turn("user", "a"), turn("assistant", "x")]});
    assert_eq!(pairs(&of(dialog).unwrap()), [("a", Some("x"))]);

    let weight = |weight: Value| json!({"role": "assistant", "content": "x", "weight": weight});
    let weighed =
        of(json!({"messages": [turn("user", "a"), weight(json!(0)), turn("user", "b"), turn("assistant", "y")]}));
    assert_eq!(pairs(&weighed.unwrap()), [("User: a\nAssistant: x\nUser: b", Some("y"))]);
    for (turns, reason) in [
        (json!([turn("user", "a"), weight(json!(0))]), "every answer has the weight 0"),
        (json!([turn("user", "a"), weight(json!(0.5))]), "turn 2 has a `weight`"),
        (json!([turn("user", "a"), turn("tool", "x")]), "turn 2 has the role `tool`"),
        (
            json!([turn("user", "a"), {"role": "assistant", "content": null, "tool_calls": [{}]}]),
            "turn 2 has `tool_calls`",
        ),
        (json!([{"role": "user", "content": [{"type": "image_url"}]}, turn("assistant", "x")]), "type `image_url`"),
    ] {
        let error = of(json!({"messages": turns})).unwrap_err();
        assert!(error.to_string().contains(reason), "{error}");
    }
    let parts =
        json!({"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}]}, turn("assistant", "x")]});
    assert_eq!(pairs(&of(parts).unwrap()), [("a", Some("x"))]);
    let shared = json!({"system": "Be kind.", "tools": "[]", "conversations": [
        {"from": "human", "value": "a"}, {"from": "gpt", "value": "x"}]});
    let import = of(shared).unwrap();
    assert_eq!(pairs(&import), [("System: Be kind.\nUser: a", Some("x"))]);
    assert_eq!(import.notes, ["Fields that are not read: `tools` (1 ×)."]);

    let alpaca =
        of(json!({"instruction": "b", "input": null, "output": "y", "system": "Be kind.", "history": [["a", "x"]]}));
    let alpaca = alpaca.unwrap();
    assert_eq!(
        pairs(&alpaca),
        [("System: Be kind.\nUser: a", Some("x")), ("System: Be kind.\nUser: a\nAssistant: x\nUser: b", Some("y"))]
    );
    let plain = of(json!({"instruction": "b", "input": null, "output": null, "system": "", "history": []})).unwrap();
    assert_eq!((pairs(&plain), plain.notes.len()), (vec![("b", None)], 0), "{:?}", plain.notes);
    let context = of(json!({"instruction": "b", "context": "c", "response": "y", "category": "qa"})).unwrap();
    assert_eq!(pairs(&context), [("b\n\nc", Some("y"))], "as Dolly writes it");
    let untrained = json!({"role": "assistant", "content": "x", "train": false});
    let untrained = of(json!({"messages": [turn("user", "a"), untrained, turn("user", "b"), turn("assistant", "y")]}));
    assert_eq!(untrained.unwrap().examples.len(), 1, "as Axolotl writes it");
    let gemini = of(json!({"systemInstruction": {"parts": [{"text": "Be kind."}]}, "contents": [
        {"role": "user", "parts": [{"text": "a"}]}, {"role": "model", "parts": [{"text": "x"}]}]}));
    assert_eq!(pairs(&gemini.unwrap()), [("System: Be kind.\nUser: a", Some("x"))]);
    let twice = of(json!({"messages": [turn("user", "a"), turn("assistant", "x"), turn("assistant", "y")]})).unwrap();
    assert_eq!(states(&twice), ["pending", "pending"], "{:?}", twice.notes);
    let prompts = of(json!({"prompt": [turn("user", "a")], "completion": [turn("assistant", "x")]})).unwrap();
    assert_eq!(pairs(&prompts), [("a", Some("x"))]);
}

fn pasted_as(task: &str, text: &str) -> Import {
    import_prompt(text, "the text", cards::task(task).unwrap(), &me()).unwrap()
}

#[test]
fn pasted_tables_are_doubted_as_files_are() {
    let (p, a) = ("pending", "approved");
    let cases = [
        ("How was lunch?,Verdict\ntasty,good\nwarm,good\ncold,bad\n", vec![p, a, a, a], "may be a heading"),
        ("text,label\n\"cold soup, bad\nwarm soup\",good\nfine,good\n", vec![p, a], "line breaks and separators"),
        ("T-1,bad\nT-2,good\nT-3,bad\n", vec![p, p, p], "look like ids"),
        ("text,label\nwarm,good\ntext,label\ncold,bad\n", vec![a, a], ""),
    ];
    for (text, wanted, doubt) in cases {
        let import = pasted_as("text-classification", text);
        assert_eq!(states(&import), wanted, "{text}");
        let said = import.notes.iter().find(|note| note.starts_with("Doubtful"));
        assert!(said.map_or(doubt.is_empty(), |said| said.contains(doubt) && !said.contains("--")), "{said:?}");
    }
    let fields =
        pasted_as("chat", "message,tone,length\na long soup,warm,3\nsoup, cold,sour,4\n\"rice\nand, peas\",mild,2\n");
    assert_eq!((fields.examples.len(), fields.problems.len()), (2, 1), "{fields:?}");
    assert!(fields.problems[0].reason.contains("`4` is one cell more"), "{:?}", fields.problems);
    assert_eq!(states(&fields)[1], p);
}

#[test]
fn guessed_answer_columns_are_doubted() {
    for (text, wanted) in [
        ("date,text\n2024-01-01,nice\n2024-01-01,old\n", "pending"),
        ("text,Ticket\nnice,17\nold,17\n", "pending"),
        ("user,message\nana,nice\nben,old\nana,fine\n", "pending"),
        ("case,message\nX1,nice\nX2,old\nX3,fine\n", "pending"),
        ("nice van,1.2.2024\nold van,3.2.2024\n", "pending"),
        ("message,grade\nnice,1\nold,3\nfine,1\n", "approved"),
        ("message,mood\nnice,glad\nold,sad\nfine,calm\n", "approved"),
        ("message,label\nnice,X1\nold,X2\nfine,X3\n", "approved"),
    ] {
        let import = csv_of(text, &Columns::default()).unwrap();
        assert!(states(&import).iter().all(|state| *state == wanted), "{text}: {:?}", import.notes);
    }
    let named = Columns { label: Some("date".into()), ..Columns::default() };
    let import = csv_of("date,text\n2024-01-01,nice\n2024-01-02,old\n", &named).unwrap();
    assert_eq!(states(&import), ["approved", "approved"]);
}

#[test]
fn swallowed_rows_are_doubted_in_any_cell() {
    for text in [
        "id,text,label\n1,\"late,bad\n2,nice\",good\n3,fine,good\n",
        "text,note,label\nnice,\"x,good\nold,y\",bad\nfine,z,good\n",
    ] {
        assert_eq!(states(&csv_of(text, &Columns::default()).unwrap()), ["pending", "approved"], "{text}");
    }
}

#[test]
fn headings_of_joined_files_are_no_examples() {
    for text in [
        "\u{feff}text,label\nnice,good\n\u{feff}text,label\nold,bad\n",
        "text,label\nnice,good\nText , LABEL\nold,bad\n",
    ] {
        let import = csv_of(text, &Columns::default()).unwrap();
        assert_eq!(pairs(&import), [("nice", Some("good")), ("old", Some("bad"))], "{text}");
        assert_eq!((states(&import), import.count("heading again")), (vec!["approved"; 2], 1));
    }
    let swapped = csv_of("text,label\nnice,good\nlabel,text\nbad,old\n", &Columns::default()).unwrap();
    assert_eq!(states(&swapped), ["approved", "pending"], "{:?}", swapped.notes);
    let bare = csv_of("text,label\nnice,good\n\u{feff}old,bad\n", &Columns::default()).unwrap();
    assert_eq!(pairs(&bare)[1].0, "old");
}

#[test]
fn made_ids_spare_the_ids_of_other_rows() {
    for ids in [["1", "1", "1-2"], ["1-2", "1", "1"], ["1", "1-2", "1"]] {
        let text = format!("id,text,label\n{},a,x\n{},b,y\n{},c,x\n", ids[0], ids[1], ids[2]);
        let import = csv_of(&text, &Columns::default()).unwrap();
        let distinct: std::collections::HashSet<_> = import.examples.iter().map(|example| &example.id).collect();
        assert_eq!(distinct.len(), 3, "{ids:?}");
    }
}

#[test]
fn rejected_answers_are_refused_in_every_layout() {
    let turns = |answer: Value| json!([{"role": "user", "content": "a"}, answer]);
    let x = json!({"role": "assistant", "content": "x", "weight": null});
    for (row, reason) in [
        (json!({"prompt": [{"role": "user", "content": "a"}], "completion": [x], "label": false}), "`label` marks"),
        (json!({"messages": turns(x.clone()), "label": "False"}), "`label` marks"),
        (json!({"instruction": "a", "output": "x", "kto_tag": false}), "`kto_tag` marks"),
        (json!({"prompt": "a", "response": "x", "label": 0}), "`label` marks"),
        (json!({"text": "a", "output": "x", "weight": 0}), "`weight` is 0"),
        (json!({"instruction": "a", "output": "x", "history": "b"}), "`history` is not a list"),
    ] {
        let error = jsonl_of("chat", &row.to_string()).unwrap_err();
        assert!(error.to_string().contains(reason), "{row}: {error}");
    }
    let kept = jsonl_of("chat", &json!({"messages": turns(x), "label": true}).to_string()).unwrap();
    assert_eq!(pairs(&kept), [("a", Some("x"))], "a weight of null is none");
    let answer = jsonl_of("text-classification", &json!({"text": "a", "label": false}).to_string()).unwrap();
    assert_eq!(states(&answer), ["approved"]);
    let either = jsonl_of("chat", &json!({"input": "a", "output": "x", "label": false}).to_string()).unwrap();
    assert_eq!(states(&either), ["pending"]);
    let weighed = jsonl_of("chat", &json!({"text": "a", "output": "x", "weight": 0.5}).to_string()).unwrap();
    assert_eq!(weighed.notes, ["Fields that are not read: `weight` (1 ×)."]);
    let told = json!({"systemInstruction": "Be kind.", "contents": [
        {"role": "user", "parts": [{"text": "a"}]}, {"role": "model", "parts": [{"text": "x"}]}]});
    assert_eq!(pairs(&jsonl_of("chat", &told.to_string()).unwrap()), [("System: Be kind.\nUser: a", Some("x"))]);
}

const MAX: usize = crate::MAX_PROBLEMS;

#[test]
fn same_text_keeps_its_id() {
    let first = csv_of("text,label\na,x\nb,y\na,x", &Columns::default()).unwrap();
    let second = csv_of("text,label\nnew,x\nb,y\na,z", &Columns::default()).unwrap();
    assert_eq!(first.examples[1].id, second.examples[1].id);
    assert_eq!(first.examples[0].id, second.examples[2].id);
    assert_eq!(first.examples[2].id, format!("{}-2", first.examples[0].id));
}

#[test]
fn json_lines_detect_their_format() {
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
        [("a", x), ("a", x), ("a", x), ("do\n\na", x), ("do", x), ("a", x), ("a", Some("b")), (talk, x), ("a", None)]
    );
}

#[test]
fn invalid_json_lines_are_reported() {
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
    import_prompt(text, "the text", cards::task("instruction").unwrap(), &me()).unwrap()
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
    assert!(matches!(import_prompt("just a text", "t", cards::task("chat").unwrap(), &me()), Err(Error::UnknownForm)));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases / 3, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_csv_is_read_or_reported(bytes in prop::collection::vec(prop_oneof![Just(b','), Just(b'"'), Just(b'\n'), any::<u8>()], 0..200)) {
        let (_dir, path) = file(&bytes);
        if let Ok(import) = import_csv(&path, cards::task("sentiment").unwrap(), &Columns::default(), &me()) {
            prop_assert!(import.examples.iter().all(|e| !e.input.trim().is_empty()));
        }
    }

    #[test]
    fn any_jsonl_is_read_or_reported(lines in prop::collection::vec("\\PC{0,40}|\\{\"(text|input|messages|prompt|instruction)\": ?(\"[a-z]{0,3}\"|\\[\\]|1|null|\\{\\})(, \"(label|output|id)\": ?(\"x\"|2|null|\\[1\\]))?\\}", 0..8)) {
        let text = lines.join("\n");
        let rows = text.lines().filter(|line| !line.trim().is_empty()).count();
        // A list has any number of values, and may not be closed; a brace alone begins an object of several lines.
        let is_list = text.trim_start().starts_with('[') || lines.iter().any(|line| line.trim() == "{");
        for task in ["sentiment", "slack-rescue", "chat"] {
            match jsonl_of(task, &text) {
                Ok(import) => prop_assert!(is_list || import.examples.len() + import.count("bad row") == rows),
                Err(error) => prop_assert!(matches!(error, Error::Nothing { .. }), "{error}"),
            }
        }
    }

    #[test]
    fn any_prompt_is_read_or_reported(text in "(\\PC{0,10}|User:|Bot: |Task:|Input: x|Expected:|->|\"a\" -> b|\n|---\n){0,16}") {
        match import_prompt(&text, "t", cards::task("chat").unwrap(), &me()) {
            Ok(import) => prop_assert!(!import.examples.is_empty()),
            Err(error) => prop_assert!(matches!(error, Error::Nothing { .. } | Error::UnknownForm), "{error}"),
        }
    }
}
