//! Greedy answers of a model to prompts of a task; compare with llama.cpp in `bench/peers/llama_cpp_answers.mjs`.

use std::{fs, path::Path};

use anyhow::Context as _;
use graft_nn::{Adapter, Model, Prompter, greedy};
use graft_train::AdapterCard;
use serde_json::{Value, json};

/// Most tokens of an answer.
const MOST: usize = 128;

/// Prints the tokens of prompt and answer for each input (a JSON object with `text` a line). The task is that of the adapter's
/// folder; the adapter itself takes part only if `is_used`.
pub(crate) fn run(model: &Path, folder: &Path, inputs: &Path, is_used: bool) -> anyhow::Result<()> {
    let (model, files) = Model::open(model)?;
    let card = AdapterCard::read(folder)?;
    let prompter = Prompter::new(&files, model.has_encoder(), &card.task)?;
    let adapter = is_used.then(|| Adapter::open(folder, &model)).transpose()?;
    for line in fs::read_to_string(inputs)?.lines() {
        let input: Value = serde_json::from_str(line)?;
        let prompt = prompter.prompt(input["text"].as_str().context("an input has no `text`")?)?;
        let answer = greedy(&model, adapter.as_ref(), &[], &prompt, MOST, &[prompter.end()])?;
        println!("{}", json!({"prompt": prompt, "answer": answer}));
    }
    Ok(())
}
