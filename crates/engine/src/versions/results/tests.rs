use std::{collections::BTreeMap, path::PathBuf};

use graft_core::{Digest, EventKind, Example, Review, Source};
use graft_predict::Calibration;
use graft_store::{Method, Stage};
use graft_tasks::{
    Approval, cards,
    tabular::{Columns, import_csv},
};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::score_answers;

fn example(id: usize, input: &str, output: Value) -> Example {
    Example {
        id: format!("csv:{id}"),
        task: "text-classification".into(),
        input: input.to_owned(),
        output: Some(output),
        source: Source { kind: "csv".into(), reference: id.to_string(), at: None },
        review: Review::Approved { by: "ada".into(), at: 1 },
        revision: 1,
    }
}

/// Results whose texts, labels and names are made of these words.
fn results(words: &[String; 4]) -> Results {
    let [text, label, name, other] = words;
    let mut task = cards::task("text-classification").unwrap().clone();
    task.title = format!("Title {name}");
    let labels = [format!("a {label}"), format!("b {other}")];
    let card = task.card(&labels).unwrap();
    let examples = [0, 1, 2].map(|i| example(i, &format!("{i} {text}"), json!(labels[i % 2])));
    let answers = [Some(json!(labels[0])), Some(json!(labels[0])), None];
    let adapter = score_answers((&card, &task.scoring), &examples, &answers);
    let evaluation = Evaluation {
        dataset: Digest::of(b"d"),
        at: 0,
        base: Some(adapter.clone()),
        baseline: None,
        contestants: Vec::new(),
        from_parser: 0,
        calibration: Calibration::fit(&[(0.9, true), (0.6, false)]),
        fields: BTreeMap::new(),
        confidences: Some(vec![0.9, 0.6, 0.0]),
        seconds_per_answer: 0.1,
        worst: Vec::new(),
        right: Vec::new(),
        adapter,
    };
    let version = Version {
        task: task.name.clone(),
        name: format!("v1 {name}"),
        stage: Stage::Active,
        method: Method::Adapter,
        run: None,
        adapter_dir: String::new(),
        adapter_digest: Digest::of(b"a"),
        base: Some(format!("tiny {other}")),
        base_digest: Some(Digest::of(b"b")),
        dataset: Some(Digest::of(b"d")),
        card_digest: card.digest(),
        card,
        metrics: json!({"training": {"samples": 12}}),
        parent: Some(name.clone()),
        task_revision: Some(1),
        created_by: other.clone(),
        created_at: 0,
    };
    let kept = answers.into_iter().zip(&evaluation.adapter.per_example).enumerate();
    let kept = kept.map(|(place, (answer, score))| KeptAnswer { place, score: *score, answer }).collect();
    let rows = rows(&version, &task, &evaluation, examples.to_vec(), kept);
    let loss = |step| EventKind::Step {
        step,
        of: 2,
        loss: 1.0 / step as f64,
        lr: 0.1,
        grad_norm: 1.0,
        tokens_per_s: 1.0,
        eta_s: 0.0,
        memory: None,
    };
    let events = vec![Event { seq: 1, at: 0, kind: loss(1) }, Event { seq: 2, at: 0, kind: loss(2) }];
    Results { version, task, evaluation, run: None, events, rows, commands: vec![format!("graft eval {name}")] }
}

/// The tags of a page, in order.
fn tags(page: &str) -> Vec<&str> {
    page.split('<').skip(1).map(|part| part.split('>').next().unwrap_or(part)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever people and models write, it stays text: the page has the same tags as one of plain words.
    #[test]
    fn texts_never_become_markup(words in proptest::array::uniform4("(\\PC|[<>&\"'=/]|<script>|-->|</style>|\0){1,12}")) {
        let page = html::report(&results(&words));
        let plain = html::report(&results(&["text", "one", "two", "three"].map(str::to_owned)));
        prop_assert_eq!(tags(&page), tags(&plain));
        prop_assert!(!page.contains('\0'));
    }

    /// A table is read back as it was, except that formulas become texts.
    #[test]
    fn csv_is_read_back(text in "[a-z ,;\"'\n\r|]{0,20}", label in "[a-z,\"]{1,8}(\n[a-z])?") {
        let results = results(&[text, label, "x".into(), "y".into()]);
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), table::csv(&results)).unwrap();
        let named = |name: &str| Some(name.to_owned());
        let columns = Columns { text: named("input"), label: named("expected"), id: named("id"), heading: Some(true) };
        let approval = Approval { by: "ada".into(), at: 1, doubtful: true };
        let read = import_csv(file.path(), &results.task, &columns, &approval).unwrap().examples;
        let read: Vec<_> = read.into_iter().map(|one| (one.input, one.output)).collect();
        let rows: Vec<_> = results.rows.into_iter().map(|row| (row.input.trim().to_owned(), row.expected)).collect();
        prop_assert_eq!(read, rows);
    }
}

#[test]
fn report_needs_nothing_else_and_shows_worst_first() {
    let results = results(&["text", "one", "two", "three"].map(str::to_owned));
    let page = html::report(&results);
    for outside in ["src=", "href=", "url(", "@import", "<script", "<link"] {
        assert!(!page.contains(outside), "{outside}");
    }
    let place = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text}"));
    // The surest of the mistakes comes first.
    assert!(place("<p class=\"text\">1 text") < place("<p class=\"text\">2 text"));
    assert!(place("<p class=\"text\">2 text") < place("<p class=\"text\">0 text"));
    assert!(
        page.contains("No valid answer")
            && page.contains("<polyline class=\"loss\" points=\"410.0,0.0 820.0,100.0\"/>")
    );
    assert!(page.contains("33.3 %") && page.contains("graft eval two"), "accuracy and the command");
    // Of an evaluation that kept some answers, this is said.
    let some = Results { rows: results.rows[..1].to_vec(), ..results };
    assert!(html::report(&some).contains("1 of 3 answers were kept"));
}

#[test]
fn rows_hold_confidence_and_correctness() {
    let results = results(&["text", "one", "two", "three"].map(str::to_owned));
    let lines: Vec<Value> = table::jsonl(&results).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        lines[1],
        json!({"id": "csv:1", "input": "1 text", "expected": "b three", "answer": "a one", "correct": false,
               "score": 0.0, "confidence": 0.6})
    );
    assert_eq!((&lines[0]["correct"], &lines[2]["answer"]), (&json!(true), &Value::Null));
    assert_eq!(table::csv(&results).lines().nth(3), Some("csv:2,2 text,a one,,false,0,0"));
    assert_eq!(ResultFormat::of(&PathBuf::from("a/b.HTML")), Some(ResultFormat::Html));
}
