//! Trainings on the device, step by step.
#![expect(clippy::unwrap_used, reason = "tests may panic")]

mod emulator;

use std::path::{Path, PathBuf};

use emulator::gpus;
use graft_core::{AdapterSpec, LoraSpec, Ranks, Targets};
use graft_gpu::Element;
use graft_nn::{Adapter, Model, Sequence};
use graft_ops::Adam;
use graft_train::{Learner, StepPlan};

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

fn plan(step: u64) -> StepPlan {
    StepPlan { lr: 1e-2, clip: 1.0, dropout: 0.1, seed: 3, step, shared: 0, pass_tokens: 24, recompute: step % 2 == 1 }
}

#[test]
fn resumed_gpu_training_is_bit_identical_and_close_to_the_cpu() {
    for gpu in gpus(Element::F32) {
        let (model, _) = Model::open(&folder("tiny-llama")).unwrap();
        let there = model.upload(&gpu).unwrap();
        let fresh = Adapter::fresh(&lora(), model.target_modules(), 5, model.width(), &[]).unwrap();
        let adam = Adam::new(fresh.params().data().len(), 0.9, 0.999, 1e-8, 0.01);
        let sequence = |i: u32| Sequence {
            source: Vec::new(),
            tokens: (0..6 + i).map(|t| 3 + (t * 7 + i * 11) % 40).collect(),
            supervised_from: 3,
        };
        let sequences: Vec<Sequence> = (0..6).map(sequence).collect();
        let batch: Vec<&Sequence> = sequences.iter().collect();
        let mut on_cpu = Learner::new(&model, &fresh, &adam);
        let mut whole = Learner::new(&there, &fresh, &adam);
        let mut resumed = Learner::new(&there, &fresh, &adam);
        for step in 0..6 {
            let (want, _) = on_cpu.step(&batch, &plan(step)).unwrap();
            let (got, _) = whole.step(&batch, &plan(step)).unwrap();
            assert!((got - want).abs() < 1e-4 * want, "step {step}: {got} is not {want}");
            let (again, _) = resumed.step(&batch, &plan(step)).unwrap();
            assert_eq!(again.to_bits(), got.to_bits(), "step {step}");
            // Like a checkpoint.
            let (params, adam) = (resumed.params(), resumed.adam.download(&gpu));
            resumed = Learner::new(&there, &fresh, &adam);
            resumed.set_params(&params);
        }
        assert!(whole.params().iter().zip(&resumed.params()).all(|(a, b)| a.to_bits() == b.to_bits()));
        let (a, b) = (whole.losses(&batch, 0, 24).unwrap(), on_cpu.losses(&batch, 0, 1000).unwrap());
        let same = |a: &(f64, usize), b: &(f64, usize)| (a.0 - b.0).abs() < 1e-4 * a.1 as f64 && a.1 == b.1;
        assert!(a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| same(a, b)), "held-out losses {a:?} and {b:?}");
    }
}
