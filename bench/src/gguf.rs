//! Prefill and decoding of a GGUF file; compare with llama.cpp in `bench/peers/llama_cpp.mjs`.

use std::{path::Path, time::Instant};

use graft_nn::{Model, greedy};
use serde_json::json;

/// Number of tokens to decode; below, the prompt of the peer's script.
const DECODE: usize = 100;

/// Prints tokens per second, three times.
pub(crate) fn run(path: &Path) -> anyhow::Result<()> {
    let (model, files) = Model::open(path)?;
    let text = "You are a warehouse intake extractor. ".repeat(40);
    let encoding = files.tokenizer.encode(text, false).map_err(anyhow::Error::msg)?;
    let prompt = encoding.get_ids();
    greedy(&model, None, &[], &prompt[..16], 2, &[])?;
    for _ in 0..3 {
        let clock = Instant::now();
        greedy(&model, None, &[], prompt, 1, &[])?;
        let first = clock.elapsed().as_secs_f64();
        let clock = Instant::now();
        greedy(&model, None, &[], prompt, 1 + DECODE, &[])?;
        let rest = clock.elapsed().as_secs_f64() - first;
        let (prefill, decode) = (prompt.len() as f64 / first, DECODE as f64 / rest);
        println!("{}", json!({"prefill_tokens_per_s": prefill, "decode_tokens_per_s": decode, "prompt": prompt.len()}));
    }
    Ok(())
}
