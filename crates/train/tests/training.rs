//! Trainings of a tiny Llama and a tiny T5: reproducibility and refusals.
#![expect(clippy::unwrap_used, reason = "tests may panic")]

use std::path::{Path, PathBuf};

use graft_contestants::LabelNGrams;
use graft_core::{
    AdapterSpec, AnswerForm, BaseRef, Digest, EvalSpec, EventKind, ExitCode, InitFrom, Limits, LoraSpec, OptimSpec,
    Precision, PromptInit, PromptSpec, Ranks, Targets, TaskCard, TrainSpec,
};
use graft_formats::{DigestCache, digest_of};
use graft_nn::{Adapter, Context, MicroBatch, Model, Prompter, Sequence, TargetModule, ranks_by_sensitivity};
use graft_train::{AdapterCard, Error, Machine, Outcome, Row, RunDir, TrainingRun, train};
use serde_json::{Value, json};

fn model(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../testkit/data/parity").join(name)
}

fn spec(model_name: &str) -> TrainSpec {
    let path = model(model_name);
    TrainSpec {
        run: "test".into(),
        graft: "0.0.0".into(),
        base: BaseRef { name: model_name.into(), digest: digest_of(&path, &DigestCache::none()).unwrap() },
        task: TaskCard { name: "t".into(), instruction: "Say it again.".into(), answer: AnswerForm::Text },
        dataset: Digest::of(b"data"),
        adapter: AdapterSpec::Lora(LoraSpec {
            rank: 4,
            alpha: 8.0,
            dropout: 0.1,
            rslora: false,
            targets: Targets::AllLinear,
            ranks: Ranks::Equal,
        }),
        optim: OptimSpec { epochs: 3.0, lr: 1e-2, batch: 4, ..OptimSpec::default() },
        eval: EvalSpec { checkpoints_per_epoch: 4, ..EvalSpec::default() },
        limits: Limits { threads: Some(2), precision: Precision::F32, ..Limits::default() },
        init_from: None,
    }
}

fn rows(count: usize) -> Vec<Row> {
    (0..count)
        .map(|i| {
            let answer = format!("the {} of {}", ["cat", "dog", "hen"][i % 3], i * 7 % 10);
            Row {
                id: i.to_string(),
                input: format!("number {i}"),
                output: answer.clone().into(),
                answer,
                variants: Vec::new(),
            }
        })
        .collect()
}

fn make(dir: &Path, spec: &TrainSpec, count: usize) -> RunDir {
    let run = RunDir::new(dir.join("run"));
    run.create(spec, &rows(count), &rows(4)).unwrap();
    run
}

/// Trains on a machine that has the base models of the parity data.
fn attempt(run: &RunDir, threads: Option<usize>) -> Result<Outcome, Error> {
    let find_base = |base: &BaseRef| Ok(model(&base.name));
    train(run, &Machine { find_base: &find_base, digests: &DigestCache::none(), threads, scorer: None }, &mut |_| {})
}

fn finish(run: &RunDir) -> TrainingRun {
    match attempt(run, None).unwrap() {
        Outcome::Finished(result) | Outcome::AlreadyDone(result) => *result,
    }
}

fn losses(run: &RunDir) -> Vec<f64> {
    let step = |kind| if let EventKind::Step { loss, .. } = kind { Some(loss) } else { None };
    run.events_after(0).unwrap().into_iter().filter_map(|event| step(event.kind)).collect()
}

#[test]
fn training_learns_and_is_bit_reproducible() {
    let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (first, second) = (make(a.path(), &spec("tiny-llama"), 16), make(b.path(), &spec("tiny-llama"), 16));
    let (one, two) = (finish(&first), finish(&second));
    assert_eq!(one.adapter_hash, two.adapter_hash, "same seed and threads, same bits");
    let losses = losses(&first);
    assert_eq!(losses.len(), 12);
    assert!(losses[11] < 0.92 * losses[0], "it did not learn: {losses:?}");
    assert!(first.adapter().join("adapter_model.safetensors").exists());
    let other = TrainSpec { optim: OptimSpec { seed: 7, ..spec("tiny-llama").optim }, ..spec("tiny-llama") };
    let c = tempfile::tempdir().unwrap();
    assert_ne!(finish(&make(c.path(), &other, 16)).adapter_hash, one.adapter_hash, "the seed changes the result");
}

#[test]
fn interrupted_training_gives_the_same_result() {
    for name in ["tiny-llama", "tiny-t5"] {
        let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let whole = finish(&make(a.path(), &spec(name), 16));
        let run = make(b.path(), &spec(name), 16);
        for _ in 0..4 {
            std::fs::write(run.path().join("stop"), "").unwrap();
            let error = attempt(&run, None).unwrap_err();
            assert_eq!(error.exit_code(), ExitCode::Stopped);
            std::fs::remove_file(run.path().join("stop")).unwrap();
        }
        // A crash during a write leaves an incomplete line and a damaged checkpoint; resuming must handle both.
        std::fs::OpenOptions::new()
            .append(true)
            .open(run.path().join("events.jsonl"))
            .and_then(|mut file| std::io::Write::write_all(&mut file, b"{\"seq\":9"))
            .unwrap();
        let damaged = run.checkpoints().join("step-99");
        std::fs::create_dir(&damaged).unwrap();
        std::fs::write(damaged.join("state.bin"), "half").unwrap();
        assert_eq!(finish(&run).adapter_hash, whole.adapter_hash, "{name}");
        let seqs: Vec<u64> = run.events_after(0).unwrap().iter().map(|event| event.seq).collect();
        assert_eq!(seqs, (1..=seqs.len() as u64).collect::<Vec<_>>(), "events are numbered without gaps");
    }
}

/// A spec of LoRA with these ranks.
fn with_ranks(name: &str, ranks: Ranks) -> TrainSpec {
    let plain = spec(name);
    let AdapterSpec::Lora(lora) = plain.adapter else { panic!() };
    TrainSpec { adapter: AdapterSpec::Lora(LoraSpec { ranks, ..lora }), ..spec(name) }
}

#[test]
fn rank_patterns_are_trained_and_written_as_peft_reads_them() {
    let dir = tempfile::tempdir().unwrap();
    let run = make(dir.path(), &with_ranks("tiny-llama", "q_proj=8,1.mlp.down_proj=2".parse().unwrap()), 16);
    finish(&run);
    let config: Value =
        serde_json::from_slice(&std::fs::read(run.adapter().join("adapter_config.json")).unwrap()).unwrap();
    let q = |block: usize| format!("model.layers.{block}.self_attn.q_proj");
    let down = "model.layers.1.mlp.down_proj";
    assert_eq!((&config["r"], &config["lora_alpha"]), (&json!(4), &json!(8)));
    assert_eq!(config["rank_pattern"], json!({q(0): 8, q(1): 8, q(2): 8, down: 2}));
    // PEFT scales each module by its own alpha / rank, which is the same for all.
    assert_eq!(config["alpha_pattern"], json!({q(0): 16, q(1): 16, q(2): 16, down: 4}));
    let files = graft_formats::peft::read(&run.adapter()).unwrap();
    for pair in files.lora_pairs() {
        let rank = match pair.module {
            module if module.ends_with("q_proj") => 8,
            module if module == down => 2,
            _ => 4,
        };
        assert_eq!((pair.a.0[0], pair.b.0[1]), (rank, rank), "{}", pair.module);
        assert!(pair.b.1.iter().any(|x| *x != 0.0), "{} was not trained", pair.module);
    }
    assert_ne!(with_ranks("tiny-llama", "q_proj=8".parse().unwrap()).digest(), spec("tiny-llama").digest());
}

#[test]
fn gradients_decide_ranks_and_an_interrupted_training_keeps_them() {
    for name in ["tiny-llama", "tiny-t5"] {
        let spec = with_ranks(name, Ranks::Sensitivity);
        let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let first = make(a.path(), &spec, 16);
        let whole = finish(&first);
        let card = AdapterCard::read(&first.adapter()).unwrap();
        let AdapterSpec::Lora(LoraSpec { ranks: Ranks::Pattern(ranks), .. }) = &card.adapter else {
            panic!("{:?}", card.adapter)
        };
        assert!(ranks.values().all(|rank| (2..=16).contains(rank)), "{ranks:?}");
        assert!(ranks.values().any(|rank| *rank > 4) && ranks.values().any(|rank| *rank < 4), "{ranks:?}");
        let (model, _) = Model::open(&model(name)).unwrap();
        let size = |adapter: &AdapterSpec| Adapter::parameters(adapter, &model);
        let (trained, equal) = (size(&card.adapter), size(&self::spec(name).adapter));
        assert!(trained <= equal && 20 * trained > 19 * equal, "{trained} of {equal} parameters");
        let told = |run: &RunDir| {
            let notes = run.events_after(0).unwrap().into_iter();
            let is_one = |kind: &EventKind| matches!(kind, EventKind::Note { text } if text.starts_with("Mean ranks"));
            notes.filter(|event| is_one(&event.kind)).count()
        };
        assert_eq!(told(&first), 1);

        let run = make(b.path(), &spec, 16);
        std::fs::write(run.path().join("stop"), "").unwrap();
        assert_eq!(attempt(&run, None).unwrap_err().exit_code(), ExitCode::Stopped);
        std::fs::remove_file(run.path().join("stop")).unwrap();
        assert_eq!(finish(&run).adapter_hash, whole.adapter_hash, "{name}");
        assert_eq!(told(&run), 1, "the ranks are known, and not decided again");

        // A version with these ranks is trained further as it is.
        let c = tempfile::tempdir().unwrap();
        let further = TrainSpec { adapter: card.adapter.clone(), ..spec };
        let further = warm(c.path(), &further, &first, &whole.adapter_hash);
        assert_ne!(finish(&further).adapter_hash, whole.adapter_hash);
    }
}

#[test]
fn modules_whose_gradient_is_large_get_high_ranks() {
    // The estimate from a random adapter's gradient must not depend on its rank or seed.
    let (model, files) = Model::open(&model("tiny-llama")).unwrap();
    let spec = spec("tiny-llama");
    let prompter = Prompter::new(&files, false, &spec.task).unwrap();
    let sequences: Vec<Sequence> =
        rows(16).iter().map(|row| prompter.sequence(&row.input, &row.answer).unwrap()).collect();
    let sequences: Vec<&Sequence> = sequences.iter().collect();
    let AdapterSpec::Lora(lora) = &spec.adapter else { panic!() };
    let ranks = |rank: usize, seed: u64| {
        let probe = AdapterSpec::Lora(LoraSpec { rank, ..lora.clone() });
        let probe = Adapter::fresh(&probe, model.target_modules(), seed, model.width(), &[]).unwrap();
        let mut gradient = vec![0.0; probe.params().data().len()];
        let batch = MicroBatch { sequences: &sequences, shared: prompter.shared().len(), weight: 1.0 };
        model.loss(Some(&probe), &batch, Context { recompute: false, encoded: None }, Some(&mut gradient)).unwrap();
        let found = ranks_by_sensitivity(lora, model.target_modules(), &probe, &gradient);
        let rank = |module: &TargetModule| found.get(&module.name).copied().unwrap_or(lora.rank);
        model.target_modules().iter().map(rank).collect::<Vec<usize>>()
    };
    let expected = ranks(256, 1);
    assert!(expected.iter().max() > expected.iter().min().map(|least| 2 * least).as_ref(), "{expected:?}");
    for other in [ranks(256, 2), ranks(64, 3)] {
        let apart = expected.iter().zip(&other).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
        assert!(apart <= 2, "{expected:?} {other:?}");
    }
}

/// A run that starts from another run's adapter, whose files are in its directory.
fn warm(dir: &Path, spec: &TrainSpec, from: &RunDir, digest: &Digest) -> RunDir {
    let init = InitFrom { version: "v1".into(), adapter: digest.clone(), dataset: None, replay: 0 };
    let run = make(dir, &TrainSpec { init_from: Some(init), ..spec.clone() }, 16);
    std::fs::create_dir(run.init()).unwrap();
    for file in std::fs::read_dir(from.adapter()).unwrap().map(Result::unwrap) {
        std::fs::copy(file.path(), run.init().join(file.file_name())).unwrap();
    }
    run
}

#[test]
fn warm_start_continues_from_the_version_and_is_bit_reproducible() {
    let prompt = AdapterSpec::SoftPrompt(PromptSpec { tokens: 3, init: PromptInit::Vocabulary });
    let with = |name, adapter| TrainSpec { adapter, ..spec(name) };
    for spec in [spec("tiny-llama"), spec("tiny-t5"), with("tiny-llama", prompt.clone()), with("tiny-t5", prompt)] {
        let folders: Vec<_> = (0..3).map(|_| tempfile::tempdir().unwrap()).collect();
        let first = make(folders[0].path(), &spec, 16);
        let version = finish(&first);
        let run = warm(folders[1].path(), &spec, &first, &version.adapter_hash);
        let again = finish(&run);
        assert_ne!(again.adapter_hash, version.adapter_hash);
        let (cold, warm_losses) = (losses(&first), losses(&run));
        // With the same seed, the first step has the same examples.
        assert!(warm_losses[0] < cold[0] && again.eval_loss < version.eval_loss, "{cold:?} {warm_losses:?}");
        // Stopped after every step, moved to another folder, and resumed.
        let other = warm(folders[2].path(), &spec, &first, &version.adapter_hash);
        for _ in 0..4 {
            std::fs::write(other.path().join("stop"), "").unwrap();
            assert_eq!(attempt(&other, None).unwrap_err().exit_code(), ExitCode::Stopped);
            std::fs::remove_file(other.path().join("stop")).unwrap();
        }
        let moved = RunDir::new(folders[2].path().join("moved"));
        std::fs::rename(other.path(), moved.path()).unwrap();
        assert_eq!(finish(&moved).adapter_hash, again.adapter_hash);
    }
}

#[test]
fn warm_start_from_a_mismatching_version_is_refused() {
    let folders: Vec<_> = (0..5).map(|_| tempfile::tempdir().unwrap()).collect();
    let good = spec("tiny-llama");
    let first = make(folders[0].path(), &good, 16);
    let digest = finish(&first).adapter_hash;
    let refused = |run: &RunDir| {
        let error = attempt(run, None).unwrap_err();
        assert_eq!(error.exit_code(), ExitCode::ModelMissing, "{error}");
        assert!(error.hint().is_some() && run.result().unwrap().is_none());
        error.to_string()
    };
    let AdapterSpec::Lora(lora) = good.adapter.clone() else { panic!() };
    let wide = AdapterSpec::Lora(LoraSpec { rank: 8, ..lora });
    let run = warm(folders[1].path(), &TrainSpec { adapter: wide, ..good.clone() }, &first, &digest);
    assert!(refused(&run).contains("another kind or shape"));
    let run = warm(folders[2].path(), &good, &first, &Digest::of(b"other"));
    assert!(refused(&run).contains("other weights"));
    let run = warm(folders[3].path(), &good, &first, &digest);
    let card = run.init().join("graft.json");
    let text = std::fs::read_to_string(&card).unwrap();
    std::fs::write(&card, text.replace(good.base.digest.as_str(), Digest::of(b"other").as_str())).unwrap();
    assert!(refused(&run).contains("another base model"));
    // The start determines the result, so its checkpoints fit no other start; the version's name does not matter.
    let from = |version: &str, adapter: &[u8]| {
        let init = InitFrom { version: version.into(), adapter: Digest::of(adapter), dataset: None, replay: 0 };
        TrainSpec { init_from: Some(init), ..good.clone() }.digest()
    };
    assert_ne!(from("v1", b"a"), from("v1", b"b"));
    assert_eq!(from("v1", b"a"), from("v2", b"a"));
    assert_ne!(from("v1", b"a"), good.digest());
}

/// The spec with bf16 products, or `None` if the processor has none; the test prints then that it was skipped.
fn rounded(name: &str) -> Option<TrainSpec> {
    if graft_train::bf16_of(Precision::Bf16).is_none() {
        eprintln!("skipped: this processor has no bf16 products");
        return None;
    }
    Some(TrainSpec { limits: Limits { precision: Precision::Bf16, ..spec(name).limits }, ..spec(name) })
}

#[test]
fn bf16_training_is_bit_identical_after_interruption_on_any_number_of_threads() {
    for name in ["tiny-llama", "tiny-t5"] {
        let Some(rounded) = rounded(name) else { return };
        let folders = [(); 4].map(|()| tempfile::tempdir().unwrap());
        let [plain, whole, few, run] = [(0, spec(name)), (1, rounded.clone()), (2, rounded.clone()), (3, rounded)]
            .map(|(folder, spec)| make(folders[folder].path(), &spec, 16));
        let (exact, whole_result) = (finish(&plain), finish(&whole));
        assert_ne!(whole_result.adapter_hash, exact.adapter_hash, "{name}: nothing was rounded");
        assert!(whole_result.products.is_some() && exact.products.is_none());
        for (one, other) in losses(&plain).iter().zip(losses(&whole)) {
            assert!((one - other).abs() < 0.02 * one, "{name}: {other} in bf16, {one} in f32");
        }
        attempt(&few, Some(1)).unwrap();
        assert_eq!(finish(&few).adapter_hash, whole_result.adapter_hash, "{name}: threads change the result");
        for _ in 0..3 {
            std::fs::write(run.path().join("stop"), "").unwrap();
            assert_eq!(attempt(&run, None).unwrap_err().exit_code(), ExitCode::Stopped);
            std::fs::remove_file(run.path().join("stop")).unwrap();
        }
        assert_eq!(finish(&run).adapter_hash, whole_result.adapter_hash, "{name}");
    }
}

#[test]
fn resumed_run_keeps_its_arithmetic_or_reports_the_change() {
    let automatic =
        TrainSpec { limits: Limits { precision: Precision::Auto, ..spec("tiny-llama").limits }, ..spec("tiny-llama") };
    let stopped = |products: Option<&str>| {
        let folder = tempfile::tempdir().unwrap();
        let run = make(folder.path(), &automatic, 16);
        std::fs::write(run.path().join("stop"), "").unwrap();
        attempt(&run, None).unwrap_err();
        std::fs::remove_file(run.path().join("stop")).unwrap();
        let file = std::fs::read_dir(run.checkpoints()).unwrap().next().unwrap().unwrap().path().join("progress.json");
        let mut header: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        header["progress"]["products"] = products.into();
        std::fs::write(&file, header.to_string()).unwrap();
        let result = finish(&run);
        let notes = run.events_after(0).unwrap().into_iter();
        let changed =
            notes.filter(|event| matches!(&event.kind, EventKind::Note { text } if text.contains("not as before")));
        (result.products, changed.count())
    };
    assert_eq!(stopped(None), (None, 0), "f32 goes on in f32");
    let (products, said) = stopped(Some("of another processor"));
    assert_eq!((products.as_deref(), said), (graft_train::bf16_of(Precision::Auto).map(|way| way.name()), 1));
}

#[test]
fn variants_replace_the_examples_in_each_epoch() {
    let spec = |epochs| TrainSpec {
        optim: OptimSpec { epochs, ..spec("tiny-llama").optim },
        eval: EvalSpec { per_epoch: 0, ..EvalSpec::default() },
        ..spec("tiny-llama")
    };
    let hash = |epochs, rows: &[Row]| {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::new(folder.path().join("run"));
        run.create(&spec(epochs), rows, &[]).unwrap();
        finish(&run).adapter_hash
    };
    let (plain, other) = (rows(8), rows(16)[8..].to_vec());
    let variant = |row: &Row| graft_train::RowVariant { input: row.input.clone(), answer: row.answer.clone() };
    let with = |variants: [&[Row]; 2]| -> Vec<Row> {
        let of = |at: usize| variants.iter().map(|rows| variant(&rows[at])).collect();
        plain.iter().enumerate().map(|(at, row)| Row { variants: of(at), ..row.clone() }).collect()
    };
    assert_eq!(hash(1.0, &with([&other, &plain])), hash(1.0, &other), "the first epoch has the first variant");
    assert_eq!(hash(2.0, &with([&plain, &plain])), hash(2.0, &plain));
    assert_ne!(hash(2.0, &with([&plain, &other])), hash(2.0, &plain), "the second epoch has the second variant");
}

#[test]
fn micro_batches_and_recomputation_do_not_change_the_gradient() {
    let base = |pass_tokens, recompute| {
        let mut spec = spec("tiny-llama");
        spec.adapter = AdapterSpec::Lora(LoraSpec {
            rank: 4,
            alpha: 8.0,
            dropout: 0.0,
            rslora: true,
            targets: Targets::Named(vec!["q_proj".into(), "down_proj".into()]),
            ranks: Ranks::Equal,
        });
        spec.optim.batch = 32;
        spec.optim.epochs = 6.0;
        (spec.limits.pass_tokens, spec.limits.recompute) = (pass_tokens, recompute);
        let dir = tempfile::tempdir().unwrap();
        let run = make(dir.path(), &spec, 32);
        finish(&run);
        losses(&run)
    };
    let whole = base(4096, false);
    for other in [base(8, false), base(128, true)] {
        for (a, b) in whole.iter().zip(&other) {
            assert!((a - b).abs() <= 1e-6 * a.abs(), "one micro-batch {a}, several {b}");
        }
    }
}

#[test]
fn soft_prompts_learn_on_llama_and_t5() {
    for (name, init) in [("tiny-llama", PromptInit::Vocabulary), ("tiny-t5", PromptInit::Text { text: "say".into() })] {
        let mut spec = spec(name);
        spec.adapter = AdapterSpec::SoftPrompt(PromptSpec { tokens: 5, init });
        spec.optim.lr = 0.1;
        spec.optim.epochs = 6.0;
        let dir = tempfile::tempdir().unwrap();
        let run = make(dir.path(), &spec, 16);
        finish(&run);
        let losses = losses(&run);
        assert!(losses[losses.len() - 1] < losses[0], "{name} did not learn: {losses:?}");
    }
}

#[test]
fn early_stopping_publishes_the_best_weights() {
    let mut spec = spec("tiny-llama");
    spec.optim.lr = 0.3;
    spec.optim.epochs = 40.0;
    spec.eval = EvalSpec { per_epoch: 1, patience: 2, ..spec.eval };
    let dir = tempfile::tempdir().unwrap();
    let run = make(dir.path(), &spec, 8);
    let result = finish(&run);
    let measured = |kind| if let EventKind::Eval { loss, step, .. } = kind { Some((loss, step)) } else { None };
    let evals: Vec<(f64, u64)> = run.events_after(0).unwrap().into_iter().filter_map(|e| measured(e.kind)).collect();
    let best = evals.iter().copied().fold((f64::INFINITY, 0), |best, now| if now.0 < best.0 { now } else { best });
    assert!(result.steps < 80, "it ran to its end");
    assert_eq!((result.eval_loss, result.best_step), (Some(best.0), best.1));

    // The trainer was killed after stopping early and before publishing: nothing is left to train.
    std::fs::remove_dir_all(run.adapter()).unwrap();
    std::fs::remove_file(run.path().join("training_run.json")).unwrap();
    let again = finish(&run);
    assert_eq!((again.adapter_hash, again.steps), (result.adapter_hash, result.steps));
    assert_eq!(again.eval_losses, result.eval_losses, "those of the published weights, whoever measured them");
    let (loss, tokens) = again.eval_losses.iter().fold((0.0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    assert_eq!((again.eval_losses.len(), again.eval_loss), (4, Some(loss / tokens as f64)));
}

#[test]
fn best_weights_are_published_without_early_stopping_too() {
    let mut spec = spec("tiny-llama");
    (spec.optim.lr, spec.optim.epochs) = (0.3, 6.0);
    let dir = tempfile::tempdir().unwrap();
    let run = make(dir.path(), &spec, 8);
    let result = finish(&run);
    let measured = |kind| if let EventKind::Eval { loss, step, .. } = kind { Some((loss, step)) } else { None };
    let evals: Vec<(f64, u64)> = run.events_after(0).unwrap().into_iter().filter_map(|e| measured(e.kind)).collect();
    let best = evals.iter().copied().fold((f64::INFINITY, 0), |best, now| if now.0 < best.0 { now } else { best });
    assert_eq!((result.steps, evals.len()), (12, 6));
    assert!(best.1 < 12, "this rate spoils what was learned: {evals:?}");
    assert_eq!((result.eval_loss, result.best_step), (Some(best.0), best.1));
}

#[test]
fn n_grams_are_fitted_to_the_training_examples_of_labels() {
    let labels = ["cat", "hen"].map(str::to_owned).to_vec();
    let mut spec = spec("tiny-llama");
    spec.task.answer = AnswerForm::Label { labels: labels.clone() };
    spec.optim = OptimSpec { epochs: 0.5, n_grams: 1.5, ..spec.optim };
    let row = |i: usize| {
        let label = &labels[i % 2];
        let (input, output) = (format!("number {i}: a {label}"), label.as_str().into());
        Row { id: i.to_string(), input, output, answer: label.clone(), variants: Vec::new() }
    };
    let train = |spec: &TrainSpec| {
        let dir = tempfile::tempdir().unwrap();
        let run = RunDir::new(dir.path().join("run"));
        run.create(spec, &(0..8).map(row).collect::<Vec<_>>(), &[row(9)]).unwrap();
        finish(&run);
        (AdapterCard::read(&run.adapter()).unwrap(), std::fs::read(run.adapter().join(LabelNGrams::FILE)).ok(), dir)
    };
    let (card, file, _dir) = train(&spec);
    let (n_grams, file) = (card.n_grams.unwrap(), file.unwrap());
    assert_eq!((n_grams.weight, &n_grams.digest), (1.5, &Digest::of(&file)));
    let chances = |input: &str| LabelNGrams::from_bytes(&file).unwrap().chances(input)[1].1;
    assert!(chances("a hen") > 0.6 && chances("a cat") < 0.4, "{} {}", chances("a hen"), chances("a cat"));
    let only = LabelNGrams::fit((0..8).map(row).map(|row| (row.input, row.answer)).collect()).unwrap();
    assert_eq!(file, only.to_bytes(), "held-out examples take no part");
    let (card, file, _dir) = train(&TrainSpec { optim: OptimSpec { n_grams: 0.0, ..spec.optim.clone() }, ..spec });
    assert_eq!((card.n_grams, file), (None, None));
}

#[test]
fn untrainable_data_is_refused_before_the_start() {
    let refused = |spec: &TrainSpec, rows: &[Row]| -> Error {
        let dir = tempfile::tempdir().unwrap();
        let run = RunDir::new(dir.path().join("run"));
        run.create(spec, rows, &[]).unwrap();
        let error = attempt(&run, None).unwrap_err();
        assert!(!run.adapter().exists() && losses(&run).is_empty());
        let last = run.events_after(0).unwrap().pop().map(|event| event.kind);
        assert!(
            matches!(last, Some(EventKind::Failed(failure)) if failure.code == error.exit_code() && failure.phase.is_some())
        );
        error
    };
    let good = spec("tiny-llama");
    assert_eq!(refused(&good, &[]).exit_code(), ExitCode::BadData);
    let blank = Row { answer: " ".into(), ..rows(1)[0].clone() };
    assert_eq!(refused(&good, &[blank]).exit_code(), ExitCode::BadData);
    let short = TrainSpec { limits: Limits { max_tokens: 10, ..good.limits.clone() }, ..good.clone() };
    assert!(matches!(refused(&short, &rows(3)), Error::NothingToLearn { .. }));
    let other = TrainSpec { base: BaseRef { digest: Digest::of(b"other"), ..good.base.clone() }, ..good.clone() };
    assert_eq!(refused(&other, &rows(3)).exit_code(), ExitCode::ModelMissing);
    let tight = TrainSpec { limits: Limits { memory: Some(1 << 20), ..good.limits.clone() }, ..good.clone() };
    assert_eq!(refused(&tight, &rows(3)).exit_code(), ExitCode::OutOfMemory);
    let wild = TrainSpec { optim: OptimSpec { lr: 0.0, ..good.optim.clone() }, ..good.clone() };
    assert_eq!(refused(&wild, &rows(3)).exit_code(), ExitCode::Usage);
    let AdapterSpec::Lora(lora) = &good.adapter else { panic!() };
    let of = |ranks: &str, targets: &str| {
        let (targets, ranks) = (Targets::from_names(&[targets.to_owned()]), ranks.parse().unwrap());
        TrainSpec { adapter: AdapterSpec::Lora(LoraSpec { targets, ranks, ..lora.clone() }), ..good.clone() }
    };
    for (ranks, targets) in
        [("equal", "qproj"), ("qproj=2", "all-linear"), ("k_proj=2", "q_proj"), ("q_proj=0", "q_proj")]
    {
        assert_eq!(refused(&of(ranks, targets), &rows(3)).exit_code(), ExitCode::Usage, "{ranks} {targets}");
    }
}

#[test]
fn exploding_loss_stops_the_run() {
    let mut spec = spec("tiny-llama");
    let lora = LoraSpec {
        rank: 4,
        alpha: 1e30,
        dropout: 0.0,
        rslora: false,
        targets: Targets::AllLinear,
        ranks: Ranks::Equal,
    };
    spec.adapter = AdapterSpec::Lora(lora);
    let dir = tempfile::tempdir().unwrap();
    let error = attempt(&make(dir.path(), &spec, 16), None).unwrap_err();
    assert_eq!(error.exit_code(), ExitCode::Diverged);
}

#[test]
fn too_long_examples_are_left_out_and_counted() {
    let mut data = rows(6);
    data[2].input = "very long ".repeat(200);
    let mut spec = spec("tiny-llama");
    spec.limits.max_tokens = 100;
    let dir = tempfile::tempdir().unwrap();
    let run = RunDir::new(dir.path().join("run"));
    run.create(&spec, &data, &[]).unwrap();
    let result = finish(&run);
    assert_eq!((result.samples, result.too_long), (5, 1));
}
