//! Speed of answers: one at a time and batched, with the base model alone and with many adapters in one batch.
//!
//! The adapters are untrained LoRAs of rank 16 on every linear layer, which cost as much as trained ones.

use std::{
    path::Path,
    sync::{Arc, mpsc},
    time::Instant,
};

use graft_core::{AdapterSpec, AnswerForm, LoraSpec, Ranks, Targets, TaskCard};
use graft_nn::{Adapter, Model};
use graft_predict::{Batcher, Error, Limits, Request, Template, Update, Vocabulary};
use serde_json::json;

/// Inputs of about the length of a Slack message.
const INPUTS: usize = 100;
/// Most tokens of an answer, like those of a rescue message.
const TOKENS: usize = 32;
/// How often each number of adapters is measured.
const ROUNDS: usize = 5;

struct Bench {
    model: Arc<Model>,
    template: Template,
    adapters: Vec<Arc<Adapter>>,
}

/// Duration and size of some answers.
struct Taken {
    seconds: f64,
    tokens: usize,
}

fn inputs() -> Vec<String> {
    let input = |i: usize| format!("Picked up {} cases of kale and {} boxes of bread from Aldi #{i}", i % 7 + 2, i % 5);
    (0..INPUTS).map(input).collect()
}

/// Answers one by one, then with growing batches.
pub(crate) fn together(model: &Path) -> anyhow::Result<()> {
    let (bench, inputs) = (Bench::new(model, 1)?, inputs());
    // The first answer also reads the weights from disk, and computes the prefix.
    let mut batcher = bench.batcher(1);
    bench.answer(&mut batcher, &inputs[..1], 1)?;
    let one = bench.answer(&mut batcher, &inputs[1..2], 1)?;
    println!("{}", json!({"what": "one message", "seconds": one.seconds, "tokens": one.tokens}));
    let alone = bench.answer(&mut batcher, &inputs[..20], 1)?;
    for slots in [8, 24, 48] {
        let mut batcher = bench.batcher(slots);
        bench.answer(&mut batcher, &inputs[..1], 1)?;
        let together = bench.answer(&mut batcher, &inputs, 1)?;
        let each = |taken: &Taken| taken.tokens as f64 / taken.seconds;
        println!(
            "{}",
            json!({
                "what": "100 messages", "lanes": slots, "seconds": together.seconds,
                "messages_per_s": INPUTS as f64 / together.seconds, "times_one_at_a_time": each(&together) / each(&alone),
            })
        );
    }
    Ok(())
}

/// Batches of eight answers: by the base model alone and with growing numbers of adapters, in turns, so that all are
/// measured under the same conditions.
pub(crate) fn adapters(model: &Path) -> anyhow::Result<()> {
    const COUNTS: [usize; 4] = [0, 1, 8, 64];
    let (bench, inputs) = (Bench::new(model, 64)?, inputs());
    let mut batchers = COUNTS.map(|_| bench.batcher(8));
    for (count, batcher) in COUNTS.iter().zip(&mut batchers) {
        bench.answer(batcher, &inputs[..(*count).clamp(1, 64)], *count)?;
    }
    let mut rates = [const { Vec::new() }; COUNTS.len()];
    for _ in 0..ROUNDS {
        for ((count, batcher), rates) in COUNTS.iter().zip(&mut batchers).zip(&mut rates) {
            let taken = bench.answer(batcher, &inputs[..24], *count)?;
            rates.push(taken.tokens as f64 / taken.seconds);
        }
    }
    let bare = rates[0].clone();
    for (count, rates) in COUNTS.iter().zip(&rates) {
        let slower: Vec<f64> = rates.iter().zip(&bare).map(|(rate, bare)| 1.0 - rate / bare).collect();
        let (rate, slowdown) = (median(rates), median(&slower));
        println!(
            "{}",
            json!({"what": "adapters", "count": count, "tokens_per_s": rate, "slowdown": slowdown, "rounds": slower})
        );
    }
    Ok(())
}

/// Batches of eight answers with `count` adapters, each used at least once; prints the peak memory.
pub(crate) fn memory(model: &Path, count: usize) -> anyhow::Result<()> {
    let (bench, inputs) = (Bench::new(model, count as u64)?, inputs());
    bench.answer(&mut bench.batcher(8), &inputs[..64], count)?;
    println!("{}", json!({"what": "memory", "count": count, "peak_gb": graft_train::peak_rss() as f64 / 1e9}));
    Ok(())
}

fn median(numbers: &[f64]) -> f64 {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

impl Bench {
    fn new(path: &Path, adapters: u64) -> anyhow::Result<Self> {
        let (model, files) = Model::open(path)?;
        let card = TaskCard {
            name: "bench".into(),
            instruction: "Extract who gave which food, and where it went.".into(),
            answer: AnswerForm::Text,
        };
        let vocabulary = Arc::new(Vocabulary::new(Arc::new(files.tokenizer.clone()), &files.tokens.eos)?);
        let template = Template::new(&files, model.has_encoder(), &card, |_| Ok(vocabulary))?;
        let lora = LoraSpec {
            rank: 16,
            alpha: 16.0,
            dropout: 0.0,
            rslora: false,
            targets: Targets::AllLinear,
            ranks: Ranks::Equal,
        };
        let spec = AdapterSpec::Lora(lora);
        let modules = model.target_modules();
        let fresh = |seed| Adapter::fresh(&spec, modules, seed, model.width(), &[]).map(Arc::new);
        let adapters = (0..adapters).map(fresh).collect::<Result<_, _>>()?;
        Ok(Self { model: Arc::new(model), template, adapters })
    }

    fn batcher(&self, slots: usize) -> Batcher {
        Batcher::new(Arc::clone(&self.model), Limits { slots, cache_bytes: 1 << 30, ..Limits::default() })
    }

    /// Answers all inputs, with `adapters` adapters in turn.
    fn answer(&self, batcher: &mut Batcher, inputs: &[String], adapters: usize) -> anyhow::Result<Taken> {
        let (send, done) = mpsc::channel();
        let clock = Instant::now();
        for (index, input) in inputs.iter().enumerate() {
            let send = send.clone();
            let tell = Box::new(move |update| match update {
                Update::Done(result) => send.send(result).is_ok(),
                _ => true,
            });
            let adapter = (adapters > 0).then(|| Arc::clone(&self.adapters[index % adapters]));
            let request = self.template.request(adapter, input, tell)?;
            batcher.submit(Request { max_tokens: TOKENS, ..request }, clock);
        }
        while !batcher.is_idle() {
            batcher.step(Instant::now());
        }
        let seconds = clock.elapsed().as_secs_f64();
        let answers: Result<Vec<_>, Error> = done.try_iter().collect();
        Ok(Taken { seconds, tokens: answers?.iter().map(|done| done.answer_tokens).sum() })
    }
}
