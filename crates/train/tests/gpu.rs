//! Trains a run directory on a real GPU: `GRAFT_TEST_GPU=0 cargo test -p graft-train --features cuda`.
#![cfg(feature = "cuda")]
#![expect(clippy::unwrap_used, reason = "tests may panic")]

use std::path::{Path, PathBuf};

use graft_core::{
    AdapterSpec, AnswerForm, BaseRef, ComputeDevice, Digest, EvalSpec, EventKind, ExitCode, Limits, LoraSpec,
    OptimSpec, Ranks, Targets, TaskCard, TrainSpec,
};
use graft_formats::{DigestCache, digest_of};
use graft_train::{Error, Machine, Outcome, Row, RunDir, train};

fn folder(name: &str) -> PathBuf {
    let data = std::env::var_os("GRAFT_TEST_PARITY").map(PathBuf::from);
    data.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../testkit/data/parity")).join(name)
}

fn lora() -> AdapterSpec {
    AdapterSpec::Lora(LoraSpec {
        rank: 4,
        alpha: 8.0,
        dropout: 0.1,
        rslora: false,
        targets: Targets::AllLinear,
        ranks: Ranks::Equal,
    })
}

fn spec(name: &str, device: ComputeDevice) -> TrainSpec {
    TrainSpec {
        run: "test".into(),
        graft: "0.0.0".into(),
        base: BaseRef { name: name.into(), digest: digest_of(&folder(name), &DigestCache::none()).unwrap() },
        task: TaskCard { name: "t".into(), instruction: "Say it again.".into(), answer: AnswerForm::Text },
        dataset: Digest::of(b"data"),
        adapter: lora(),
        optim: OptimSpec { epochs: 3.0, lr: 1e-2, batch: 4, ..OptimSpec::default() },
        eval: EvalSpec { checkpoints_per_epoch: 4, ..EvalSpec::default() },
        limits: Limits { device, ..Limits::default() },
        init_from: None,
    }
}

fn make(dir: &Path, spec: &TrainSpec) -> RunDir {
    let run = RunDir::new(dir.join("run"));
    let row = |i: usize| {
        let answer = format!("the {} of {}", ["cat", "dog", "hen"][i % 3], i * 7 % 10);
        Row {
            id: i.to_string(),
            input: format!("number {i}"),
            output: answer.clone().into(),
            answer,
            variants: Vec::new(),
        }
    };
    run.create(spec, &(0..16).map(row).collect::<Vec<_>>(), &(0..4).map(row).collect::<Vec<_>>()).unwrap();
    run
}

fn attempt(run: &RunDir) -> Result<Outcome, Error> {
    let find_base = |base: &BaseRef| Ok(folder(&base.name));
    train(
        run,
        &Machine { find_base: &find_base, digests: &DigestCache::none(), threads: None, scorer: None },
        &mut |_| {},
    )
}

#[test]
fn interrupted_gpu_training_is_bit_identical() {
    let Ok(index) = std::env::var("GRAFT_TEST_GPU") else {
        println!("SKIPPED: `GRAFT_TEST_GPU` names no GPU");
        return;
    };
    let device = ComputeDevice::Gpu(index.parse().unwrap());
    for name in ["tiny-llama", "tiny-t5"] {
        let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let whole = make(a.path(), &spec(name, device));
        let Outcome::Finished(result) = attempt(&whole).unwrap() else { panic!("it was done already") };
        let events = whole.events_after(0).unwrap();
        let losses: Vec<f64> = events
            .iter()
            .filter_map(|event| if let EventKind::Step { loss, .. } = event.kind { Some(loss) } else { None })
            .collect();
        println!("{name}: losses {} to {}", losses[0], losses[losses.len() - 1]);
        assert!(losses[losses.len() - 1] < 0.95 * losses[0], "it did not learn: {losses:?}");
        let run = make(b.path(), &spec(name, device));
        for _ in 0..4 {
            std::fs::write(run.path().join("stop"), "").unwrap();
            assert_eq!(attempt(&run).unwrap_err().exit_code(), ExitCode::Stopped);
            std::fs::remove_file(run.path().join("stop")).unwrap();
        }
        let Outcome::Finished(resumed) = attempt(&run).unwrap() else { panic!("it was done already") };
        assert_eq!(resumed.adapter_hash, result.adapter_hash, "{name}");
    }
}
