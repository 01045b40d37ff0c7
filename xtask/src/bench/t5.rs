//! Training steps of a model of flan-t5-small's size with random weights: Graft, and transformers with peft.

use std::path::Path;

use anyhow::Context as _;
use serde_json::Value;

use super::{
    Settings, built, floor, lines, number, peer,
    report::{Better, Versus},
};
use crate::shell;

const PEER: &str = "bench/peers/hf_t5_lora.py";

/// What is learned, examples a step, steps.
type Side = [&'static str; 3];

/// Name, our side, the peer's, and the length the peer pads to.
const WORK: [(&str, Side, Side, &str); 4] = [
    (
        "LoRA as the Ask AI trainer does it (steps of 2, the peer one by one, padded to 384)",
        ["qv", "2", "8"],
        ["qv", "1", "3"],
        "384",
    ),
    ("LoRA, the peer well tuned (batch 8, no padding)", ["qv", "8", "6"], ["qv", "8", "5"], "0"),
    ("soft prompt of 20 tokens (batch 8, no padding)", ["prompt", "8", "6"], ["prompt", "8", "5"], "0"),
    ("LoRA in the decoder only, encoder output kept; the peer's whole LoRA", ["fast", "8", "6"], ["qv", "8", "5"], "0"),
];
/// Tokens of source and target.
const TOKENS: [&str; 2] = ["24", "64"];

pub(super) fn run(settings: &Settings) -> anyhow::Result<Option<String>> {
    let model = shape()?;
    let mut table = Versus::new("transformers + peft");
    for round in 1..=settings.rounds {
        for (name, [own, batch, steps], [peers, their_batch, their_steps], pad) in WORK {
            println!("Round {round} of {}: {name}", settings.rounds);
            let mut theirs = peer::python()?;
            theirs.args([PEER, peers, their_batch]).args(TOKENS).args([their_steps, "--pad", pad]);
            let theirs = one(lines(&mut theirs)?)?;
            let mut ours = built("graft-bench")?;
            ours.args(["step", "f32"]).arg(&model).args([own, batch]).args(TOKENS).arg(steps);
            let ours = one(lines(&mut ours)?)?;
            let time = format!("{name}: ms an example");
            let spent = number(&ours, "ms_an_example")?;
            table.add(&time, Better::Less, spent, number(&theirs, "ms_an_example")?);
            table.share(&time, Better::Less, number(&ours, "gflop_an_example")? / spent * 1e3 / floor()?);
            let memory = format!("{name}: peak memory, GB");
            table.add(&memory, Better::Less, number(&ours, "peak_gb")?, number(&theirs, "peak_gb")?);
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
