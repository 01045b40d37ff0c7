//! Exported adapters in llama.cpp: the merged model and the LoRA file answer the same prompts as in Graft.

use std::{fs, path::Path};

use anyhow::Context as _;
use serde_json::{Value, json};

use super::{Settings, built, infer, lines, peer, scratch, train::ask};

/// Messages to answer.
const MESSAGES: usize = 50;

pub(super) fn run(settings: &Settings) -> anyhow::Result<Option<String>> {
    let llama_cpp = |arguments: &[&Path]| -> anyhow::Result<Result<Vec<Value>, String>> {
        match peer::llama_cpp("llama_cpp_answers.mjs")? {
            Ok(mut node) => lines(node.args(arguments)).map(Ok),
            Err(reason) => Ok(Err(reason)),
        }
    };
    let home = infer::adapter(&settings.base)?;
    let folder = scratch("exported")?;
    let (inputs, prompts) = (folder.join("inputs.jsonl"), folder.join("prompts.jsonl"));
    let messages = infer::messages()?;
    let texts: Vec<String> = messages.iter().take(MESSAGES).map(|text| json!({"text": text}).to_string()).collect();
    fs::write(&inputs, texts.join("\n"))?;
    let (peft, merged, lora) = (folder.join("adapter"), folder.join("merged.gguf"), folder.join("lora.gguf"));
    let known = ask(&home, &["models", "list", "--task", "slack-rescue"])?;
    let version = known["versions"][0]["name"].as_str().context("the home has no version")?;
    for (what, path) in [("--peft", &peft), ("--merged", &merged), ("--gguf", &lora)] {
        ask(&home, &["adapter", "export", version, "--task", "slack-rescue", what, &path.display().to_string()])?;
    }
    println!("| | answers | the same in llama.cpp, token by token |\n|---|---|---|");
    for (title, model, adapter) in
        [("merged model", &merged, None), ("base model with LoRA file", &settings.base, Some(&lora))]
    {
        let mut ours = built("graft-bench")?;
        ours.arg("answers").args([model, &peft, &inputs]).args(adapter.map(|_| "adapter"));
        let ours = lines(&mut ours)?;
        fs::write(&prompts, ours.iter().map(Value::to_string).collect::<Vec<_>>().join("\n"))?;
        let mut arguments: Vec<&Path> = vec![model, &prompts];
        arguments.extend(adapter.map(|lora| lora.as_path()));
        let theirs = match llama_cpp(&arguments)? {
            Ok(theirs) => theirs,
            Err(reason) => return Ok(Some(reason)),
        };
        let same = ours.iter().zip(&theirs).filter(|(ours, theirs)| ours["answer"] == theirs["answer"]).count();
        println!("| {title} | {} | {same} |", ours.len());
    }
    Ok(None)
}
