use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
};

use proptest::prelude::*;
use serde_json::json;
use zip::{ZipWriter, write::SimpleFileOptions};

use super::*;

fn shipped(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data/slack").join(path)
}

fn options(group: bool) -> Options {
    Options { group, approval: Approval { by: "ana".into(), at: 9, doubtful: false } }
}

/// An export with one channel and one day.
fn export(messages: &Value) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("users.json"), r#"[{"id":"U1","name":"ana"}]"#).unwrap();
    fs::create_dir(dir.path().join("food")).unwrap();
    fs::write(dir.path().join("food/2025-03-01.json"), messages.to_string()).unwrap();
    dir
}

fn zipped(path: &Path, files: &[(&str, &[u8])]) {
    let mut zip = ZipWriter::new(File::create(path).unwrap());
    for (name, bytes) in files {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap();
}

fn texts(messages: &[Message]) -> Vec<&str> {
    messages.iter().map(|m| m.text.as_str()).collect()
}

#[test]
fn the_shipped_export_is_whole() {
    let import = import(&shipped("export"), Some(&shipped("labels.jsonl")), &options(false)).unwrap();
    assert_eq!((import.examples.len(), import.unlabelled(), import.skipped.len()), (500, 0, 0));
    let second = &import.examples[1];
    assert_eq!(second.id, "slack:1740892800.000000");
    assert!(second.input.starts_with("From Baker & Daughters:\n*"), "{}", second.input);
    assert_eq!(second.source.at, Some(1_740_892_800_000));
    assert_eq!(second.review, Review::Approved { by: "ana".into(), at: 9 });
    assert_eq!(second.output.as_ref().unwrap()["items"][3]["unit"], "dozen");
    assert!(import.examples.is_sorted_by_key(|e| e.source.at));
}

#[test]
fn the_labels_pounds_are_those_of_the_shipped_table() {
    let tables = fs::read_to_string(shipped("tables.toml")).unwrap();
    let tables = crate::pounds::Tables::from_toml(&tables).unwrap();
    for line in fs::read_to_string(shipped("labels.jsonl")).unwrap().lines() {
        let label: Value = serde_json::from_str(line).unwrap();
        let ours = cards::finish("slack-rescue", label["truth"].clone(), &tables);
        let (ours, theirs) = (ours["estimated_lbs"].as_f64().unwrap(), label["estimated_lbs"].as_f64().unwrap());
        assert!((ours - theirs).abs() < 0.051, "{}: {ours} and {theirs}", label["ts"]);
    }
}

#[test]
fn what_nobody_wrote_is_counted_by_kind() {
    let dir = export(&json!([
        {"type": "message", "subtype": "channel_join", "user": "U1", "text": "joined", "ts": "1740800000.000100"},
        {"type": "message", "subtype": "channel_join", "user": "U2", "text": "joined", "ts": "1740800000.000200"},
        {"type": "message", "bot_id": "B1", "text": "reminder", "ts": "1740800001.000000"},
        {"type": "message", "user": "U1", "text": "  ", "ts": "1740800002.000000"},
        {"type": "message", "user": "U1", "text": "no ts"},
        {"type": "message", "user": 7, "text": "odd", "ts": "1740800003.000000"},
        "nonsense",
        {"type": "message", "user": "U1", "text": "hi <@U1> &amp; co", "ts": "1740800004.000000"},
        {"type": "message", "user": "U1", "text": "hi <@U1> &amp; co", "ts": "1740800004.000000"},
        {"type": "message", "subtype": "file_share", "user": "U2", "text": "photo", "ts": "1740800003.500000", "thread_ts": "1740800000.0"},
    ]));
    fs::write(dir.path().join("food/2025-03-02.json"), "{not json").unwrap();
    let (messages, import) = read(dir.path()).unwrap();
    assert_eq!(texts(&messages), ["photo", "hi @ana & co"]);
    assert_eq!((messages[0].channel.as_str(), messages[0].thread_ts.as_deref()), ("food", Some("1740800000.0")));
    let counts =
        ["channel_join", "bot_message", "empty", "malformed", "unreadable file", "duplicate"].map(|k| import.count(k));
    assert_eq!(counts, [2, 1, 1, 3, 1, 1]);
    assert!(import.skipped[0].first_where.contains("2025-03-01.json"), "{:?}", import.skipped[0]);
    assert_eq!(import.problems.len(), 4);
}

#[test]
fn one_days_file_is_read_as_it_is_in_its_export() {
    let dir = export(&json!([{"user": "U2", "text": "hi <@U1>", "ts": "1740800004.000000"}]));
    let whole = import(dir.path(), None, &options(false)).unwrap();
    let day = dir.path().join("food/2025-03-01.json");
    assert_eq!(import(&day, None, &options(false)).unwrap(), whole);
    let away = dir.path().join("saved under another name.json");
    fs::rename(&day, &away).unwrap();
    assert_eq!(import(&away, None, &options(false)).unwrap(), whole, "users.json lies beside it");
    fs::write(&away, "{}").unwrap();
    assert!(matches!(read(&away), Err(Error::NotAnExport(_))));
}

#[test]
fn messages_of_one_user_are_grouped_but_not_across_labels() {
    let at = |user: &str, ts: &str, text: &str| json!({"user": user, "ts": ts, "text": text});
    let dir = export(&json!([
        at("U1", "1740800000.0", "a"),
        at("U1", "1740801000.0", "b"),
        at("U1", "1740802700.0", "c"),
        at("U1", "1740804600.0", "late"),
        at("U2", "1740804700.0", "d"),
        at("U2", "1740804800.0", "labelled"),
        at("U2", "1740804900.0", "e"),
    ]));
    let labels = dir.path().join("labels.jsonl");
    let truth = json!({"direction": "unknown", "items": []});
    let lines = [json!({"ts": "1740804800.0", "truth": truth}), json!({"ts": "1.5", "truth": truth})];
    fs::write(&labels, lines.map(|line| line.to_string()).join("\n\n")).unwrap();
    let import = import(dir.path(), Some(&labels), &options(true)).unwrap();
    let inputs: Vec<&str> = import.examples.iter().map(|e| e.input.as_str()).collect();
    assert_eq!(inputs, ["a\nb\nc", "late", "d", "labelled", "e"]);
    assert_eq!((import.unlabelled(), import.count("label without a message")), (4, 1));
}

#[test]
fn a_zip_reads_like_its_folder() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("export.zip");
    let day = json!([{"user": "U1", "ts": "1740800000.0", "text": "milk"}]).to_string();
    zipped(&path, &[("My export/food/2025-03-01.json", day.as_bytes()), ("My export/users.json", b"[]")]);
    let (messages, _) = read(&path).unwrap();
    assert_eq!((texts(&messages), messages[0].channel.as_str()), (vec!["milk"], "food"));
}

#[test]
fn hostile_archives_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.zip");
    for name in ["../2025-03-01.json", "/food/2025-03-01.json", "food/../../2025-03-01.json"] {
        zipped(&path, &[(name, b"[]")]);
        assert!(matches!(read(&path), Err(Error::UnsafeEntry { .. })), "{name}");
    }
    let mut zip = ZipWriter::new(File::create(&path).unwrap());
    zip.add_symlink("food/2025-03-01.json", "/etc/passwd", SimpleFileOptions::default()).unwrap();
    zip.finish().unwrap();
    assert!(matches!(read(&path), Err(Error::UnsafeEntry { reason: "is a symbolic link", .. })));

    zipped(&path, &[("food/2025-03-01.json", &vec![b' '; 200_000]), ("food/2025-03-02.json", &vec![b' '; 200_000])]);
    for limits in [archive::Limits { file: 100_000, total: 1 << 30 }, archive::Limits { file: 300_000, total: 300_000 }]
    {
        let archive::Export::Days(days) = archive::open(&path, limits).unwrap() else { panic!("not a spreadsheet") };
        assert!(matches!(read_days(days, &mut Import::default()), Err(Error::TooLarge { .. })));
    }
    fs::write(&path, "no zip at all").unwrap();
    assert!(matches!(read(&path), Err(Error::NotAnExport(_))));
    fs::write(&path, "PK\u{3}\u{4} broken").unwrap();
    assert!(matches!(read(&path), Err(Error::Archive { .. })));
    assert!(matches!(read(&dir.path().join("none")), Err(Error::Missing(_))));
}

#[cfg(unix)]
#[test]
fn links_in_a_folder_are_not_followed() {
    let dir = export(&json!([{"user": "U1", "ts": "1740800000.0", "text": "milk"}]));
    std::os::unix::fs::symlink(shipped("export/food-rescue"), dir.path().join("other")).unwrap();
    let (messages, import) = read(dir.path()).unwrap();
    assert_eq!((messages.len(), import.count("symbolic link")), (1, 1));
}

/// The least that is an .xlsx.
fn sheet(path: &Path, rows: &str) {
    let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    let rels = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let package = "http://schemas.openxmlformats.org/package/2006/relationships";
    let book = format!(
        r#"<workbook xmlns="{main}" xmlns:r="{rels}"><sheets><sheet name="food" sheetId="1" r:id="r1"/></sheets></workbook>"#
    );
    let links = format!(
        r#"<Relationships xmlns="{package}"><Relationship Id="r1" Type="{rels}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#
    );
    let root = format!(
        r#"<Relationships xmlns="{package}"><Relationship Id="r1" Type="{rels}/officeDocument" Target="xl/workbook.xml"/></Relationships>"#
    );
    let cells = format!(r#"<worksheet xmlns="{main}"><sheetData>{rows}</sheetData></worksheet>"#);
    zipped(
        path,
        &[
            (
                "[Content_Types].xml",
                br#"<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>"#,
            ),
            ("_rels/.rels", root.as_bytes()),
            ("xl/workbook.xml", book.as_bytes()),
            ("xl/_rels/workbook.xml.rels", links.as_bytes()),
            ("xl/worksheets/sheet1.xml", cells.as_bytes()),
        ],
    );
}

fn row(number: u32, cells: &[&str]) -> String {
    let cell = |(i, text): (usize, &&str)| {
        let column = char::from(b'A' + i as u8);
        format!(r#"<c r="{column}{number}" t="inlineStr"><is><t>{text}</t></is></c>"#)
    };
    format!(r#"<row r="{number}">{}</row>"#, cells.iter().enumerate().map(cell).collect::<String>())
}

#[test]
fn a_spreadsheet_reads_like_an_export() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("messages.xlsx");
    let rows = [
        row(1, &["Timestamp", "User", "Message", "Type", "Subtype", "ThreadTS", "ReplyCount"]),
        row(2, &["1740800000.123456", "ana", "2 cs &amp;amp; milk", "message", "", "1740800000.000001", "0"]),
        row(3, &["2025-03-01 12:00:00", "bo", "kale", "message", "", "", "0"]),
        row(4, &["1740800002.000000", "bo", "joined", "message", "channel_join"]),
        row(5, &["soon", "bo", "kale"]),
        // A last cell far away must not make a table of that size.
        r#"<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>x</t></is></c></row>"#.to_owned(),
    ];
    sheet(&path, &rows.concat());
    let (messages, import) = read(&path).unwrap();
    assert_eq!(texts(&messages), ["2 cs & milk", "kale"]);
    assert_eq!([messages[0].ts.as_str(), messages[1].ts.as_str()], ["1740800000.123456", "1740830400.000000"]);
    assert_eq!((messages[0].channel.as_str(), messages[0].thread_ts.as_deref()), ("food", Some("1740800000.000001")));
    assert_eq!((import.count("channel_join"), import.count("malformed")), (1, 2));

    sheet(&path, &row(1, &["When", "What"]));
    assert!(matches!(read(&path), Err(Error::NoColumn { has, .. }) if has == "What, When"));
}

#[test]
fn bad_labels_are_named_by_line() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("labels.jsonl");
    let good = r#"{"ts": "1.0", "truth": {"direction": "both", "items": []}}"#;
    let cases = [
        ("nonsense", "expected"),
        (r#"{"truth": {}}"#, "no `ts`"),
        (r#"{"ts": "2.0"}"#, "no `truth`"),
        (r#"{"ts": "2.0", "truth": {"direction": "up", "items": []}}"#, "direction is \"up\""),
        (good, "labelled twice"),
    ];
    for (line, reason) in cases {
        fs::write(&path, format!("{good}\n{line}\n")).unwrap();
        let error = labels::read(&path).unwrap_err();
        assert!(matches!(&error, Error::BadLabel { line: 2, reason: why, .. } if why.contains(reason)), "{error}");
    }
}

/// Any JSON, with the field names of messages.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}|[0-9]{10}\\.[0-9]{6}|message|<@U1>|&[a-z]{2};".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        let field = prop_oneof![
            Just("type"),
            Just("subtype"),
            Just("user"),
            Just("text"),
            Just("ts"),
            Just("thread_ts"),
            Just("truth"),
            Just("items")
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((field.prop_map(str::to_owned), inner), 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases / 3, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_message_is_read_or_counted(values in prop::collection::vec(any_json(), 0..6)) {
        for value in values {
            if let Ok(message) = message(value, "c", &HashMap::new()) {
                prop_assert!(message.at().is_some() && !message.text.trim().is_empty());
            }
        }
    }

    #[test]
    fn any_file_is_read_or_counted(bytes in prop::collection::vec(any::<u8>(), 0..200), label in any_json()) {
        let dir = export(&json!([]));
        fs::write(dir.path().join("food/2025-03-02.json"), &bytes).unwrap();
        fs::write(dir.path().join("users.json"), &bytes).unwrap();
        prop_assert!(read(dir.path()).is_ok());
        let labels = dir.path().join("labels");
        fs::write(&labels, label.to_string()).unwrap();
        drop(labels::read(&labels));
        fs::write(&labels, &bytes).unwrap();
        drop((labels::read(&labels), read(&labels)));
    }

    #[test]
    fn any_text_is_cleaned(text in "[<>@#!|&a-z;\u{e9}\n]{0,40}") {
        prop_assert!(plain_text(&text).len() <= text.len() + 2);
    }

    #[test]
    fn damaged_spreadsheets_never_panic(at in 0usize..4000, with in any::<u8>(), cells in "(<c r=\"[A-Z]{1,3}[0-9]{1,8}\"( t=\"[a-z]{1,3}\")?>(<v>[0-9.e]{0,20}</v>)?</c>|<row r=\"[0-9]{1,12}\">|</row>){0,6}") {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.xlsx");
        let rows = [row(1, &["Timestamp", "User", "Message"]), cells, row(2, &["1740800000.0", "ana", "milk"])];
        sheet(&path, &rows.concat());
        drop(read(&path));
        let mut bytes = fs::read(&path).unwrap();
        let at = at % bytes.len();
        bytes[at] = with;
        fs::write(&path, bytes).unwrap();
        drop(read(&path));
    }

    #[test]
    fn damaged_archives_never_panic(at in 0usize..400, with in any::<u8>()) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.zip");
        zipped(&path, &[("food/2025-03-01.json", br#"[{"user":"U1","ts":"1740800000.0","text":"milk"}]"#)]);
        let mut bytes = fs::read(&path).unwrap();
        let at = at % bytes.len();
        bytes[at] = with;
        fs::write(&path, bytes).unwrap();
        drop(read(&path));
    }
}
