//! Adapters that don't change the encoder: its outputs are cached, with the same results.
#![expect(clippy::unwrap_used, reason = "tests may panic")]

use std::path::Path;

use graft_core::{AdapterSpec, LoraSpec, Ranks, Targets};
use graft_nn::{Adapter, Context, MicroBatch, Model, Sequence};
use graft_ops::Adam;
use graft_train::{Learner, StepPlan};

fn adapter(model: &Model, targets: Targets) -> Adapter {
    let spec =
        AdapterSpec::Lora(LoraSpec { rank: 4, alpha: 8.0, dropout: 0.0, rslora: false, targets, ranks: Ranks::Equal });
    Adapter::fresh(&spec, model.target_modules(), 3, model.width(), &[]).unwrap()
}

#[test]
fn cached_encoder_outputs_give_the_same_training() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testkit/data/parity/tiny-t5");
    let (model, _) = Model::open(&folder).unwrap();
    let sequence = |n: u32| Sequence {
        source: (0..5 + n).map(|i| 3 + (i * 7 + n) % 300).collect(),
        tokens: (0..4 + n % 3).map(|i| 5 + (i * 11 + n) % 300).collect(),
        supervised_from: 0,
    };
    let all: Vec<Sequence> = (0..6).map(sequence).collect();
    let fresh = adapter(&model, Targets::Decoder);
    let adam = Adam::new(fresh.params().data().len(), 0.9, 0.999, 1e-8, 0.0);
    let mut kept = Learner::new(&model, &fresh, &adam);
    let (mut plain, mut plain_adam) = (fresh, adam);
    for step in 0..6 {
        // In the second epoch, sources are combined differently.
        let batch: Vec<&Sequence> = (0..3).map(|i| &all[(step * 3 + i * (1 + step / 2)) % 6]).collect();
        let plan = StepPlan {
            lr: 1e-2,
            clip: 1.0,
            dropout: 0.0,
            seed: 1,
            step: step as u64,
            shared: 0,
            pass_tokens: 512,
            recompute: false,
        };
        let (loss, norm) = kept.step(&batch, &plan).unwrap();
        let supervised: usize = batch.iter().map(|s| s.supervised()).sum();
        let mut grads = vec![0.0; plain.params().data().len()];
        let pass = MicroBatch { sequences: &batch, shared: 0, weight: 1.0 / supervised as f32 };
        let found = model.loss(Some(&plain), &pass, Context::default(), Some(&mut grads)).unwrap();
        let want = -found.iter().map(|p| f64::from(*p)).sum::<f64>() / supervised as f64;
        let want_norm = plain_adam.step(plain.params_mut().data_mut(), &grads, 1e-2, 1.0);
        assert!((loss - want).abs() < 1e-5, "step {step}: loss {loss}, not {want}");
        assert!((norm - want_norm).abs() < 1e-4 * want_norm, "step {step}: gradient norm {norm}, not {want_norm}");
    }
}

#[test]
fn encoder_outputs_are_cached_only_if_they_never_change() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testkit/data/parity");
    let (t5, _) = Model::open(&folder.join("tiny-t5")).unwrap();
    let (llama, _) = Model::open(&folder.join("tiny-llama")).unwrap();
    assert!(t5.encoder_ignores(&adapter(&t5, Targets::Decoder)));
    assert!(!t5.encoder_ignores(&adapter(&t5, Targets::AllLinear)));
    assert!(!t5.encoder_ignores(&adapter(&t5, Targets::Named(vec!["q".into()]))));
    assert!(!llama.encoder_ignores(&adapter(&llama, Targets::Decoder)));
    // A soft prompt changes the encoder's input.
    assert!(!t5.encoder_ignores(&Adapter::soft_prompt(2, t5.width(), &vec![0.1; 2 * t5.width()])));
    let peft = adapter(&t5, Targets::Decoder);
    let spec =
        LoraSpec { rank: 4, alpha: 8.0, dropout: 0.0, rslora: false, targets: Targets::Decoder, ranks: Ranks::Equal };
    let again = Adapter::from_peft(&peft.to_peft(&AdapterSpec::Lora(spec), &t5, "base"), &t5).unwrap();
    assert_eq!(again.params().data(), peft.params().data());
}
