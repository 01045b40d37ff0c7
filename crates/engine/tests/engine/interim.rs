//! Scores of an adapter while it is trained.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use graft_core::{
    AdapterSpec, BaseRef, Digest, EvalSpec, EventKind, ExitCode, InterimScores, Limits, LoraSpec, OptimSpec, Precision,
    Ranks, Targets, TrainSpec,
};
use graft_engine::interim_scorer;
use graft_formats::{DigestCache, digest_of};
use graft_nn::{Adapter, Model, OnHost};
use graft_train::{Machine, Outcome, Row, RunDir, ScorerOrder, train};
use serde_json::json;

fn base() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../testkit/data/parity/tiny-llama")
}

fn rows(count: usize) -> Vec<Row> {
    let row = |i: usize| {
        let (word, label) = [("yes ", "good"), ("no ", "bad")][i % 2];
        let (id, input) = (i.to_string(), format!("{}{i}", word.repeat(4)));
        Row { id, input, output: label.into(), answer: label.into(), variants: Vec::new() }
    };
    (0..count).map(row).collect()
}

/// A run of a task with two labels.
fn run(dir: &Path, score_examples: usize, held_out: usize) -> (RunDir, TrainSpec) {
    let definition = graft_tasks::cards::task("text-classification").unwrap();
    let lora = LoraSpec {
        rank: 4,
        alpha: 16.0,
        dropout: 0.1,
        rslora: false,
        targets: Targets::AllLinear,
        ranks: Ranks::Equal,
    };
    let spec = TrainSpec {
        run: "test".into(),
        graft: "0.0.0".into(),
        base: BaseRef { name: "tiny".into(), digest: digest_of(&base(), &DigestCache::none()).unwrap() },
        task: definition.card(&["bad".into(), "good".into()]).unwrap(),
        dataset: Digest::of(b"data"),
        adapter: AdapterSpec::Lora(lora),
        optim: OptimSpec { epochs: 4.0, lr: 1e-2, batch: 8, ..OptimSpec::default() },
        eval: EvalSpec { score_examples, ..EvalSpec::default() },
        limits: Limits { threads: Some(2), precision: Precision::F32, ..Limits::default() },
        init_from: None,
    };
    let run = RunDir::new(dir.join("run"));
    run.create(&spec, &rows(120), &rows(held_out)).unwrap();
    std::fs::write(run.scoring(), json!({"task": definition, "tables": null}).to_string()).unwrap();
    (run, spec)
}

/// Trains to the end, stopped after each of the first steps if so wanted. Returns the weights' digest, and the step and
/// the scores of each measurement.
fn trained(run: &RunDir, scores: bool, stops: usize) -> (Digest, Vec<(u64, Option<InterimScores>)>) {
    let find_base = |_: &BaseRef| Ok(base());
    let scorer = scores.then_some(&interim_scorer as &graft_train::MakeScorer<'_>);
    let machine = Machine { find_base: &find_base, digests: &DigestCache::none(), threads: None, scorer };
    for _ in 0..stops {
        std::fs::write(run.path().join("stop"), "").unwrap();
        assert_eq!(train(run, &machine, &mut |_| {}).unwrap_err().exit_code(), ExitCode::Stopped);
        std::fs::remove_file(run.path().join("stop")).unwrap();
    }
    let (Outcome::Finished(result) | Outcome::AlreadyDone(result)) = train(run, &machine, &mut |_| {}).unwrap();
    let measured = run.events_after(0).unwrap().into_iter().filter_map(|event| match event.kind {
        EventKind::Eval { step, scores, .. } => {
            Some((step, scores.map(|scores| InterimScores { seconds: 0.0, ..scores })))
        }
        EventKind::Note { text } if text.contains("No answers") => panic!("{text}"),
        _ => None,
    });
    (result.adapter_hash, measured.filter(|(step, _)| *step > 0).collect())
}

#[test]
fn scoring_changes_no_weight_and_a_resumed_training_reports_the_same_scores() {
    let folders: Vec<_> = (0..4).map(|_| tempfile::tempdir().unwrap()).collect();
    let [scored, unscored, off, stopped] =
        [(0, 64), (1, 64), (2, 0), (3, 64)].map(|(folder, most)| run(folders[folder].path(), most, 8).0);
    let (digest, measured) = trained(&scored, true, 0);
    assert_eq!(measured.iter().map(|(step, _)| *step).collect::<Vec<_>>(), [15, 30, 45, 60]);
    let scores: Vec<&InterimScores> = measured.iter().filter_map(|(_, scores)| scores.as_ref()).collect();
    assert!(scores.len() == 4 && scores.iter().all(|one| one.examples == 8 && one.f1.is_some()), "{scores:?}");
    assert!(scores[3].accuracy > 0.9, "it learns two words: {scores:?}");
    assert_eq!(trained(&stopped, true, 20), (digest.clone(), measured));
    for without in [trained(&unscored, false, 0), trained(&off, true, 0)] {
        assert_eq!(without.0, digest);
        assert!(without.1.iter().all(|(_, scores)| scores.is_none()), "{without:?}");
    }
}

#[test]
fn number_of_answered_examples_is_bounded_by_setting_and_work() {
    let folder = tempfile::tempdir().unwrap();
    let (dir, spec) = run(folder.path(), 64, 100);
    let (model, files) = Model::open(&base()).unwrap();
    let model = Arc::new(model);
    let examples = |score_examples, budget| {
        let spec = TrainSpec { eval: EvalSpec { score_examples, ..spec.eval.clone() }, ..spec.clone() };
        let order = ScorerOrder { dir: &dir, spec: &spec, model: &model, files: &files, budget };
        let mut scorer = interim_scorer(&order).unwrap()?;
        let mut score = || {
            let adapter = Adapter::fresh(&spec.adapter, model.target_modules(), 42, model.width(), &[]).unwrap();
            let scores = (scorer.score)(Box::new(OnHost::new(Arc::clone(&model), scorer.rows)), adapter).unwrap();
            (scores.examples, scores.accuracy, scores.f1)
        };
        let (first, again) = (score(), score());
        assert_eq!(first, again, "the same examples each time");
        assert!(scorer.work <= budget || first.0 == 16);
        Some((first.0, scorer.work))
    };
    let (n, work) = examples(64, u64::MAX).unwrap();
    assert_eq!((n, examples(20, u64::MAX).unwrap().0), (64, 20));
    assert_eq!(examples(64, 0).unwrap().0, 16, "so many are answered in any case");
    let (fewer, less) = examples(64, work / 2).unwrap();
    assert!((17..64).contains(&fewer) && less <= work / 2, "{fewer}: {less} of {work}");
    assert_eq!(examples(0, u64::MAX), None);
    std::fs::remove_file(dir.scoring()).unwrap();
    assert_eq!(examples(64, u64::MAX), None, "runs of earlier versions have no rules of comparison");
}
