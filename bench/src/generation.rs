//! Speed of prefill and decoding on a GPU, for a growing number of sequences; compare with
//! `bench/peers/hf_llama_generate.py`.

use std::{path::Path, time::Instant};

use graft_gpu::{Cuda, Element, Gpu};
use graft_nn::{Generator, Model, Next, OnDevice};
use serde_json::json;

/// Prompt tokens per step.
const CHUNK: usize = 8192;

/// Reads `prompt` tokens for each sequence, then decodes `new` tokens greedily; once for each number in `sequences`.
pub(crate) fn run(path: &Path, (prompt, new): (usize, usize), sequences: &[usize]) -> anyhow::Result<()> {
    let (model, _) = Model::open(path)?;
    let gpu = Gpu::new(Box::new(Cuda::open(0)?), Element::Bf16);
    gpu.keep_operands(true);
    let clock = Instant::now();
    let there = model.upload(&gpu)?;
    let mask = vec![u32::MAX; model.vocab().div_ceil(32)];
    let most = sequences.iter().copied().max().unwrap_or(1);
    let mut generator = OnDevice::new(there, most * (prompt + new), most * (prompt + new))?;
    let uploaded = clock.elapsed().as_secs_f64();
    // The first round is a warm-up.
    for (round, &sequences) in std::iter::once(&most).chain(sequences).enumerate() {
        gpu.reset_peak();
        let slots: Vec<usize> = (0..sequences).filter_map(|_| generator.open(None, 0, prompt + new)).collect();
        anyhow::ensure!(slots.len() == sequences, "the cache is too small");
        let vocab = model.vocab();
        let prompts: Vec<Vec<u32>> = (0..sequences)
            .map(|sequence| (0..prompt).map(|i| ((sequence * 7919 + i * 104_729) % (vocab - 300) + 2) as u32).collect())
            .collect();
        let clock = Instant::now();
        let mut next: Vec<u32> = Vec::with_capacity(sequences);
        for (slots, prompts) in slots.chunks((CHUNK / prompt).max(1)).zip(prompts.chunks((CHUNK / prompt).max(1))) {
            let one = |(slot, tokens): (&usize, &Vec<u32>)| (*slot, tokens.clone());
            next.extend(step(&mut generator, &slots.iter().zip(prompts).map(one).collect::<Vec<_>>(), &mask)?);
        }
        let prefill = clock.elapsed().as_secs_f64();
        let clock = Instant::now();
        for _ in 1..new {
            let fed: Vec<(usize, Vec<u32>)> =
                slots.iter().zip(&next).map(|(slot, token)| (*slot, vec![*token])).collect();
            next = step(&mut generator, &fed, &mask)?;
        }
        let decode = clock.elapsed().as_secs_f64();
        slots.into_iter().for_each(|slot| generator.close(slot));
        if round > 0 {
            println!(
                "{}",
                json!({
                    "what": "generate on a GPU", "gpu": gpu.name(), "lanes": sequences, "prompt": prompt, "new": new,
                    "prefill_tokens_per_s": (sequences * prompt) as f64 / prefill,
                    "decode_tokens_per_s": (sequences * (new - 1)) as f64 / decode,
                    "ms_per_step": 1e3 * decode / (new - 1) as f64,
                    "peak_gb": gpu.used().0 as f64 / 1e9, "upload_s": uploaded,
                })
            );
        }
    }
    Ok(())
}

/// Feeds tokens and returns the most likely next ones.
fn step(generator: &mut OnDevice<Gpu>, fed: &[(usize, Vec<u32>)], mask: &[u32]) -> anyhow::Result<Vec<u32>> {
    let inputs: Vec<Next<'_>> = fed.iter().map(|(slot, tokens)| Next { slot: *slot, adapter: None, tokens }).collect();
    generator.feed(&inputs)?;
    let rows: Vec<usize> = (0..fed.len()).collect();
    let best = generator.best(&rows, &vec![mask; fed.len()])?;
    Ok(best.iter().map(|best| best.token.unwrap_or(0)).collect())
}
