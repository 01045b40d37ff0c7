//! Training steps of a model of flan-t5-small's size with random weights: Graft, and transformers with peft.

use std::path::Path;

use anyhow::Context as _;
use serde_json::Value;

use super::{
    Settings, built, lines, number, peer,
    report::{Better, Versus},
};
use crate::shell;

const PEER: &str = "bench/peers/hf_t5_lora.py";

/// Name, our adapter, the peer's, examples a step, our steps, the peer's, and the length the peer pads to.
const WORK: [(&str, &str, &str, &str, &str, &str, &str); 4] = [
    ("LoRA as the Ask AI trainer does it: batch 1, the peer padded to 384", "qv", "qv", "1", "8", "2", "384"),
    ("LoRA, the peer well tuned: batch 8, no padding, 24 and 64 tokens", "qv", "qv", "8", "6", "5", "0"),
    ("soft prompt of 20 tokens, batch 8, no padding, 24 and 64 tokens", "prompt", "prompt", "8", "6", "5", "0"),
    ("LoRA in the decoder only, encoder output kept; the peer's whole LoRA", "fast", "qv", "8", "6", "5", "0"),
];

pub(super) fn run(settings: &Settings) -> anyhow::Result<Option<String>> {
    let model = shape()?;
    let mut table = Versus::new("transformers + peft");
    for round in 1..=settings.rounds {
        for (name, ours, theirs, batch, our_steps, their_steps, pad) in WORK {
            println!("Round {round} of {}: {name}", settings.rounds);
            let size = [batch, "24", "64"];
            let mut command = peer::python()?;
            command.args([PEER, theirs]).args(size).args([their_steps, "--pad", pad]);
            let theirs = one(lines(&mut command)?)?;
            let ours = one(lines(built("graft-bench")?.arg("step").arg(&model).arg(ours).args(size).arg(our_steps))?)?;
            let time = format!("{name}: ms an example");
            table.add(&time, Better::Less, number(&ours, "ms_an_example")?, number(&theirs, "ms_an_example")?);
            table.add("peak memory, GB", Better::Less, number(&ours, "peak_gb")?, number(&theirs, "peak_gb")?);
        }
    }
    table.print();
    Ok(None)
}

/// The folder of the model, made if it isn't there.
fn shape() -> anyhow::Result<std::path::PathBuf> {
    let folder = std::path::absolute(shell::target().join("bench/t5-shape"))?;
    if !Path::new(&folder).join("model.safetensors").exists() {
        shell::run(built("graft-bench")?.arg("shape").arg(&folder))?;
    }
    Ok(folder)
}

fn one(lines: Vec<Value>) -> anyhow::Result<Value> {
    lines.into_iter().next().context("nothing was said")
}
