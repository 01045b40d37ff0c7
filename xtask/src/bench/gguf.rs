//! Prefill and decode of the GGUF file: Graft and llama.cpp.

use super::{
    Settings, built, lines, number, peer,
    report::{Better, Versus},
};

pub(super) fn run(settings: &Settings) -> anyhow::Result<Option<String>> {
    let mut node = match peer::llama_cpp("llama_cpp.mjs")? {
        Ok(node) => node,
        Err(reason) => return Ok(Some(reason)),
    };
    node.arg(&settings.base);
    let mut ours = built("graft-bench")?;
    ours.arg("gguf").arg(&settings.base);
    let mut table = Versus::new("llama.cpp");
    for round in 1..=settings.rounds {
        println!("Round {round} of {}", settings.rounds);
        for (ours, theirs) in lines(&mut ours)?.iter().zip(lines(&mut node)?) {
            for name in ["prefill_tokens_per_s", "decode_tokens_per_s"] {
                table.add(&name.replace('_', " "), Better::More, number(ours, name)?, number(&theirs, name)?);
            }
        }
    }
    table.print();
    Ok(None)
}
