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
    Options { choice: Choice::default(), group, approval: Approval { by: "ana".into(), at: 9, doubtful: false } }
}

/// Imports files, without a database.
fn slack() -> &'static Task {
    crate::cards::task("slack-rescue").unwrap()
}

fn import(path: &Path, labels: Option<&Path>, options: &Options) -> Result<Import, Error> {
    let truths = labels.map(|labels| labels::read(labels, slack())).transpose()?.unwrap_or_default();
    let (messages, import) = read_files(path, archive::open(path, archive::LIMITS)?, &options.choice)?;
    examples(messages, import, truths, ("slack-rescue", options)).or_nothing(&path.display().to_string())
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
fn sample_export_is_read_completely() {
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
fn label_pounds_equal_the_sample_table() {
    let tables = fs::read_to_string(shipped("tables.toml")).unwrap();
    let tables = crate::pounds::Tables::from_toml(&tables).unwrap();
    for line in fs::read_to_string(shipped("labels.jsonl")).unwrap().lines() {
        let label: Value = serde_json::from_str(line).unwrap();
        let ours = slack().finish(label["truth"].clone(), &tables);
        let (ours, theirs) = (ours["estimated_lbs"].as_f64().unwrap(), label["estimated_lbs"].as_f64().unwrap());
        assert!((ours - theirs).abs() < 0.051, "{}: {ours} and {theirs}", label["ts"]);
    }
}

#[test]
fn skipped_messages_are_counted_by_kind() {
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
fn single_day_file_reads_like_its_export() {
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
fn zip_reads_like_its_folder() {
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
        assert!(matches!(
            read_files(&path, archive::Export::Days(days), &Choice::default()),
            Err(Error::TooLarge { .. })
        ));
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
    book(path, &[("food", "visible", rows)]);
}

/// A workbook of sheets, each with its name, its state and its rows.
fn book(path: &Path, sheets: &[(&str, &str, &str)]) {
    let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    let rels = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let package = "http://schemas.openxmlformats.org/package/2006/relationships";
    let (mut listed, mut links) = (String::new(), String::new());
    let mut files = Vec::new();
    for (number, (name, state, rows)) in (1..).zip(sheets) {
        listed += &format!(r#"<sheet name="{name}" state="{state}" sheetId="{number}" r:id="r{number}"/>"#);
        links +=
            &format!(r#"<Relationship Id="r{number}" Type="{rels}/worksheet" Target="worksheets/sheet{number}.xml"/>"#);
        let cells = format!(r#"<worksheet xmlns="{main}"><sheetData>{rows}</sheetData></worksheet>"#);
        files.push((format!("xl/worksheets/sheet{number}.xml"), cells));
    }
    let root = format!(
        r#"<Relationships xmlns="{package}"><Relationship Id="r1" Type="{rels}/officeDocument" Target="xl/workbook.xml"/></Relationships>"#
    );
    let types = r#"<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>"#;
    // A date is a number in a style: that of the second format here.
    let formats = r#"<cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14" applyNumberFormat="1"/></cellXfs>"#;
    files.extend([
        ("[Content_Types].xml".to_owned(), types.to_owned()),
        ("_rels/.rels".to_owned(), root),
        (
            "xl/workbook.xml".to_owned(),
            format!(r#"<workbook xmlns="{main}" xmlns:r="{rels}"><sheets>{listed}</sheets></workbook>"#),
        ),
        (
            "xl/_rels/workbook.xml.rels".to_owned(),
            format!(r#"<Relationships xmlns="{package}">{links}</Relationships>"#),
        ),
        ("xl/styles.xml".to_owned(), format!(r#"<styleSheet xmlns="{main}">{formats}</styleSheet>"#)),
    ]);
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, text)| (name.as_str(), text.as_bytes())).collect();
    zipped(path, &files);
}

fn row(number: u32, cells: &[&str]) -> String {
    let cell = |(i, text): (usize, &&str)| {
        let column = char::from(b'A' + i as u8);
        format!(r#"<c r="{column}{number}" t="inlineStr"><is><t>{text}</t></is></c>"#)
    };
    format!(r#"<row r="{number}">{}</row>"#, cells.iter().enumerate().map(cell).collect::<String>())
}

#[test]
fn spreadsheet_becomes_text_that_could_be_pasted() {
    use crate::tabular::pasted_text;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("reviews.xlsx");
    let rows = [row(1, &["text", "label"]), row(3, &["good, really", "yes"]), row(4, &["bad"])];
    book(&path, &[("notes", "visible", &row(1, &["by Ana"])), ("data", "visible", &rows.concat())]);
    let (text, notes) = pasted_text(&path).unwrap();
    assert_eq!(text, "text,label\n\"good, really\",yes\nbad,\n");
    assert_eq!(notes, ["Read from the sheet `data`.", "Sheets that are not read: `notes`."]);
    // One wide row and many short ones must not make a table of that size.
    let wide = r#"<row r="1"><c r="XFD1" t="inlineStr"><is><t>x</t></is></c></row>"#.to_owned();
    let short = |number| format!(r#"<row r="{number}"><c r="A{number}"><v>1</v></c></row>"#);
    sheet(&path, &(2..20_000).map(short).fold(wide, |all, row| all + &row));
    assert!(matches!(pasted_text(&path), Err(Error::TooLarge { .. })));
    let utf16: Vec<u8> = "\u{feff}gr\u{fc}n -> ja\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    fs::write(&path, utf16).unwrap();
    assert_eq!(pasted_text(&path).unwrap().0, "gr\u{fc}n -> ja\n");
}

#[test]
fn spreadsheet_reads_like_an_export() {
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
fn messages_of_the_same_minute_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("messages.xlsx");
    let minute = |number, user, text| row(number, &["2025-03-01 12:00", user, text]);
    let rows = [
        row(1, &["Timestamp", "User", "Message"]),
        minute(2, "ana", "milk"),
        minute(3, "bo", "kale"),
        minute(4, "ana", "eggs"),
        minute(5, "bo", "kale"),
    ];
    sheet(&path, &rows.concat());
    let (messages, import) = read(&path).unwrap();
    assert_eq!((texts(&messages), import.count("duplicate")), (vec!["milk", "kale", "eggs"], 1));
    let ts: Vec<&str> = messages.iter().map(|m| m.ts.as_str()).collect();
    assert_eq!(ts, ["1740830400.000000", "1740830400.000001", "1740830400.000002"]);
}

#[test]
fn spreadsheet_is_read_as_a_table() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("rows.xlsx");
    sheet(
        &path,
        &[row(1, &["text", "label"]), row(2, &["nice, really", "good"]), row(3, &["old", "bad", "", "x"])].concat(),
    );
    let approval = Approval { by: "ana".into(), at: 9, doubtful: false };
    let import = crate::tabular::import_csv(
        &path,
        crate::cards::task("text-classification").unwrap(),
        &crate::tabular::Columns::default(),
        &approval,
    )
    .unwrap();
    assert_eq!((import.examples.len(), import.examples[0].input.as_str()), (1, "nice, really"));
    assert!(import.problems[0].reason.starts_with("line 3, column 3"), "{:?}", import.problems);
    assert_eq!(import.notes[0], "Read from the sheet `food`.");
}

#[test]
fn sheet_with_known_heading_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("feedback.xlsx");
    let cover = row(1, &["Report of 2024"]) + &row(2, &["by ana"]);
    let hidden = row(1, &["text", "label"]) + &row(2, &["secret", "bad"]);
    let date = r#"<row r="5"><c r="A5" t="inlineStr"><is><t>when</t></is></c><c r="B5" s="1"><v>45292</v></c></row>"#;
    let data = [
        row(1, &["All feedback"]),
        row(2, &["text", "label"]),
        row(3, &["nice", "good"]),
        row(4, &["fine"]),
        date.to_owned(),
    ];
    book(&path, &[("Old", "hidden", &hidden), ("Cover", "visible", &cover), ("Data", "visible", &data.concat())]);
    let approval = Approval { by: "ana".into(), at: 9, doubtful: false };
    let columns = crate::tabular::Columns::default();
    let import =
        crate::tabular::import_csv(&path, crate::cards::task("text-classification").unwrap(), &columns, &approval)
            .unwrap();
    let read: Vec<(&str, Option<&str>)> =
        import.examples.iter().map(|e| (e.input.as_str(), e.output.as_ref().and_then(Value::as_str))).collect();
    assert_eq!(read, [("nice", Some("good")), ("fine", None), ("when", Some("2024-01-01"))]);
    assert_eq!((import.count("line above the heading"), import.skipped.len()), (1, 1));
    assert_eq!(import.notes[..2], ["Read from the sheet `Data`.", "Sheets that are not read: `Cover`, `Old`."]);
}

#[test]
fn windows_paths_and_message_lines_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("export.zip");
    let day = json!([{"user": "U1", "ts": "1740800001.000100", "text": "milk"}]);
    zipped(&path, &[(r"food\2025-03-01.json", day.to_string().as_bytes())]);
    let (messages, _) = read(&path).unwrap();
    assert_eq!((texts(&messages), messages[0].channel.as_str()), (vec!["milk"], "food"));
    zipped(&path, &[(r"..\..\food\2025-03-01.json", day.to_string().as_bytes())]);
    assert!(matches!(read(&path), Err(Error::UnsafeEntry { .. })));
    let lines = dir.path().join("food.jsonl");
    fs::write(&lines, format!("{}\n{}\n", day[0], json!({"user": "U1", "ts": "1740800002.000100", "text": "eggs"})))
        .unwrap();
    assert_eq!(texts(&read(&lines).unwrap().0), ["milk", "eggs"]);
}

#[test]
fn edits_and_deletions_are_applied() {
    let said = |ts: &str, text: &str| json!({"type": "message", "user": "U1", "ts": ts, "text": text});
    let edited = |ts: &str, text: &str, at: &str| json!({"type": "message", "user": "U1", "ts": ts, "text": text, "edited": {"user": "U1", "ts": at}});
    let dir = export(&json!([
        said("1740800001.000000", "2 milk"),
        said("1740800002.000000", "gone"),
        said("1740800003.000000", "gone, too"),
        edited("1740800004.000000", "newest", "1740800050.000000"),
        {"type": "message", "subtype": "message_changed", "ts": "1740800010.000000",
         "message": edited("1740800001.000000", "3 milk", "1740800010.000000"), "original": said("1740800001.000000", "2 milk")},
        {"type": "message", "subtype": "message_deleted", "ts": "1740800020.000000", "deleted_ts": "1740800002.000000"},
        {"type": "message", "subtype": "message_deleted", "ts": "1740800021.000000", "previous_message": said("1740800003.000000", "gone, too")},
        {"type": "message", "subtype": "message_changed", "ts": "1740800040.000000", "message": edited("1740800004.000000", "older", "1740800040.000000")},
        {"type": "message", "subtype": "tombstone", "user": "USLACKBOT", "hidden": true, "ts": "1740800005.000000", "text": "This message was deleted."},
    ]));
    // Browsers name a second download so; the export tells the edits of a message on another day.
    fs::write(
        dir.path().join("food/2025-03-01 (1).json"),
        json!([said("1740800005.000000", "gone as well"), said("1740900001.000000", "next"),
            {"type": "message", "subtype": "message_changed", "ts": "1740900002.000000", "message": edited("1740900001.000000", "next day", "1740900002.000000")}])
        .to_string(),
    )
    .unwrap();
    let (messages, import) = read(dir.path()).unwrap();
    assert_eq!(texts(&messages), ["3 milk", "newest", "next day"]);
    let counts = ["deleted message", "older text of a message", "tombstone"].map(|kind| import.count(kind));
    assert_eq!(counts, [3, 3, 1]);
}

#[test]
fn texts_in_blocks_and_attachments_are_read() {
    let dir = export(&json!([
        {"type": "message", "user": "U1", "ts": "1740800001.000000", "text": "", "blocks": [{"type": "rich_text", "elements": [
            {"type": "rich_text_section", "elements": [{"type": "text", "text": "milk for "}, {"type": "user", "user_id": "U1"}]}]}]},
        {"type": "message", "user": "U1", "ts": "1740800002.000000", "text": "This content can't be displayed.", "attachments": [{"fallback": "kale &amp; eggs"}]},
        {"type": "message", "user": "U1", "ts": "1740800003.000000", "text": "", "files": [{"name": "a.jpg"}]},
        {"type": "message", "user": "U1", "ts": "1740800004.000000", "text": "from the form", "blocks": [],
         "attachments": [{"fields": [{"title": "What", "value": "6 eggs"}]}, {"fallback": "from the form"}]},
        {"type": "message", "user": "U1", "ts": "1740800005.000000", "text": "see <https://x.org>",
         "attachments": [{"from_url": "https://x.org", "title": "All about kale"}]},
        {"type": "message", "user": "U1", "ts": "1740800006.000000", "text": "",
         "attachments": [{"original_url": "https://x.org", "text": "forwarded kale"}]},
    ]));
    let (messages, import) = read(dir.path()).unwrap();
    let read =
        vec!["milk for @ana", "kale & eggs", "from the form\nWhat: 6 eggs", "see https://x.org", "forwarded kale"];
    assert_eq!((texts(&messages), import.count("empty"), import.count("preview of a link")), (read, 1, 1));
}

#[test]
fn direct_messages_are_read_only_when_asked_for() {
    let dir = export(&json!([{"user": "U1", "ts": "1740800001.000000", "text": "milk"}]));
    let put = |place: &str, value: Value| {
        let path = dir.path().join(place);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, value.to_string()).unwrap();
    };
    let said = |ts: &str, text: &str| json!([{"user": "U1", "ts": ts, "text": text}]);
    put("dms.json", json!([{"id": "D0123ABCD", "members": ["U1", "U2"]}]));
    put("mpims.json", json!([{"id": "G0123ABCD", "name": "trio", "members": ["U1", "U2", "U3"]}]));
    put("D0123ABCD/2025-03-01.json", said("1740800002.000000", "secret"));
    put("D0999ZZZZ/2025-03-01.json", said("1740800003.000000", "unlisted secret"));
    put("trio/2025-03-01.json", said("1740800004.000000", "ours"));
    put("drivers/2025-03-01.json", said("1740800005.000000", "van"));
    put("integration_logs.json", json!([]));
    put("drivers/notes.txt", json!(1));
    let read = |channels: &[&str], direct: bool| {
        let choice = Choice { channels: channels.iter().map(|name| (*name).to_owned()).collect(), direct };
        read_files(dir.path(), archive::open(dir.path(), archive::LIMITS).unwrap(), &choice)
    };
    let (messages, import) = read(&[], false).unwrap();
    assert_eq!(texts(&messages), ["milk", "van"]);
    assert_eq!((import.count("direct message"), import.count("file that is not read")), (3, 2));
    let notes = [
        "Messages by channel: drivers (1), food (1).",
        "Not read, because not asked for: D0123ABCD (1), D0999ZZZZ (1), trio (1).",
    ];
    assert_eq!(import.notes, notes);
    assert_eq!(texts(&read(&[], true).unwrap().0).len(), 5);
    assert_eq!(texts(&read(&["#drivers", "trio"], false).unwrap().0), ["ours", "van"]);
    assert!(
        matches!(read(&["nowhere"], false), Err(Error::NoChannel { has, .. }) if has.starts_with("D0123ABCD (1), "))
    );
    // A folder that is named is asked for.
    let own = super::read(&dir.path().join("D0123ABCD")).unwrap();
    assert_eq!(texts(&own.0), ["secret"]);
}

#[test]
fn single_channel_folder_finds_its_users() {
    let dir = export(&json!([{"user": "U2", "text": "hi <@U1>", "ts": "1740800004.000000"}]));
    let whole = read(dir.path()).unwrap().0;
    assert_eq!(read(&dir.path().join("food")).unwrap().0, whole);
    assert_eq!(texts(&whole), ["hi @ana"]);
    fs::rename(dir.path().join("users.json"), dir.path().join("org_users.json")).unwrap();
    assert_eq!(read(dir.path()).unwrap().0, whole, "the export of an organisation names its users so");
    fs::remove_file(dir.path().join("org_users.json")).unwrap();
    assert!(read(dir.path()).unwrap().1.notes[0].starts_with("There is no users.json"));
}

#[test]
fn enterprise_grid_exports_are_read() {
    let dir = tempfile::tempdir().unwrap();
    for (team, text) in [("east", "milk"), ("west", "kale")] {
        let folder = dir.path().join("Grid export/teams").join(team).join("general");
        fs::create_dir_all(&folder).unwrap();
        let day = json!([{"user": "U1", "ts": "1740800001.000000", "text": text}]);
        fs::write(folder.join("2025-03-01.json"), day.to_string()).unwrap();
    }
    fs::write(dir.path().join("Grid export/org_users.json"), "[]").unwrap();
    for (team, id) in [("east", "C0EASTAAA"), ("west", "C0WESTAAA")] {
        let list = json!([{"id": id, "name": "general"}]);
        fs::write(dir.path().join("Grid export/teams").join(team).join("channels.json"), list.to_string()).unwrap();
    }
    let (messages, _) = read(dir.path()).unwrap();
    let found: Vec<(&str, &str)> = messages.iter().map(|m| (m.channel.as_str(), m.text.as_str())).collect();
    assert_eq!(found, [("east/general", "milk"), ("west/general", "kale")]);
    let only = |channel: &str| {
        let choice = Choice { channels: vec![channel.to_owned()], direct: false };
        let import = super::tests::import(dir.path(), None, &Options { choice, ..options(false) }).unwrap();
        import.examples.into_iter().map(|example| example.input).collect::<Vec<_>>()
    };
    assert_eq!([only("C0WESTAAA"), only("C0EASTAAA"), only("west/general")], [["kale"], ["milk"], ["kale"]]);
}

#[test]
fn bad_character_or_message_affects_only_itself() {
    let dir = export(
        &json!([{"user": "U1", "ts": "1740800001.000000", "text": "a\0b"}, {"user": "U1", "ts": "1740800002.000000", "text": "milk"}]),
    );
    let marked = "\u{feff}[{\"user\": \"U1\", \"ts\": \"1740900001.000000\", \"text\": \"\\ud83d\"},\n{\"user\": \"U1\", \"ts\": \"1740900002.000000\", \"text\": \"kale\"}]";
    fs::write(dir.path().join("food/2025-03-02.json"), marked).unwrap();
    let wide: Vec<u8> = "\u{feff}[{\"user\": \"U1\", \"ts\": \"1740950001.000000\", \"text\": \"bread\"}]"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    fs::write(dir.path().join("food/2025-03-03.json"), wide).unwrap();
    let (messages, import) = read(dir.path()).unwrap();
    assert_eq!((texts(&messages), import.count("malformed")), (vec!["milk", "kale", "bread"], 2));
    assert!(import.problems.iter().any(|problem| problem.reason.contains("NUL")), "{:?}", import.problems);
    let labels = dir.path().join("labels.jsonl");
    fs::write(
        &labels,
        "\u{feff}{\"ts\": \"1740800002.000000\", \"truth\": {\"direction\": \"both\", \"items\": []}}\n",
    )
    .unwrap();
    assert_eq!(super::tests::import(dir.path(), Some(&labels), &options(false)).unwrap().unlabelled(), 2);
}

#[tokio::test]
async fn slackdump_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let dump = json!({"channel_id": "C0123ABCD", "name": "food", "messages": [
        {"user": "U1", "ts": "1740800001.000000", "text": "milk", "slackdump_thread_replies": [
            {"user": "U1", "ts": "1740800002.000000", "thread_ts": "1740800001.000000", "text": "2 cases"}]}]});
    fs::write(dir.path().join("C0123ABCD.json"), dump.to_string()).unwrap();
    let (messages, _) = read(dir.path()).unwrap();
    assert_eq!((texts(&messages), messages[0].channel.as_str()), (vec!["milk", "2 cases"], "food"));
    assert_eq!(read(&dir.path().join("C0123ABCD.json")).unwrap().0, messages);

    use sqlx::{Connection as _, Executor as _};
    let path = dir.path().join("slackdump.sqlite");
    let open = sqlx::sqlite::SqliteConnectOptions::new().filename(&path).create_if_missing(true);
    let mut database = sqlx::SqliteConnection::connect_with(&open).await.unwrap();
    database
        .execute(
            r#"create table S_USER (ID text, CHUNK_ID integer, USERNAME text);
               create table CHANNEL (ID text, CHUNK_ID integer, NAME text, DATA blob);
               create table MESSAGE (ID integer, CHUNK_ID integer, CHANNEL_ID text, IDX integer, DATA blob);
               insert into S_USER values ('U1', 1, 'ana');
               insert into CHANNEL values ('C1', 1, 'food', '{}'), ('D1', 1, null, '{"is_im": true}');
               insert into MESSAGE values
                 (1, 2, 'C1', 0, '{"user": "U1", "ts": "1740800001.000000", "text": "milk by <@U1>"}'),
                 (1, 3, 'C1', 0, '{"user": "U1", "ts": "1740800001.000000", "text": "eggs by <@U1>", "edited": {"ts": "1740800009.0"}}'),
                 (2, 2, 'D1', 0, '{"user": "U1", "ts": "1740800002.000000", "text": "secret"}'),
                 (3, 2, 'C1', 1, 'damaged');"#,
        )
        .await
        .unwrap();
    database.close().await.unwrap();
    for place in [dir.path(), path.as_path()] {
        let import = super::import(place, slack(), None, &options(false)).await.unwrap();
        let inputs: Vec<&str> = import.examples.iter().map(|example| example.input.as_str()).collect();
        assert_eq!((inputs, import.count("direct message")), (vec!["eggs by @ana"], 1));
        assert_eq!(import.count("malformed"), 1);
    }
    let other = dir.path().join("other.sqlite");
    let mut database = sqlx::SqliteConnection::connect_with(&open.filename(&other)).await.unwrap();
    database.execute("create table x (y)").await.unwrap();
    database.close().await.unwrap();
    assert!(matches!(super::import(&other, slack(), None, &options(false)).await, Err(Error::NotAnExport(_))));
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
        let error = labels::read(&path, slack()).unwrap_err();
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
            if let Ok((message, _)) = message(&value, "c", &Names::new()) {
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
        drop(labels::read(&labels, slack()));
        fs::write(&labels, &bytes).unwrap();
        drop((labels::read(&labels, slack()), read(&labels)));
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
