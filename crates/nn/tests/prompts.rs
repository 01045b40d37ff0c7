//! Prompts have the tokens that transformers' `apply_chat_template` gives them.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::path::{Path, PathBuf};

use graft_core::{AnswerForm, TaskCard};
use graft_formats::{ChatTemplate, ModelFiles, Tokenizer};
use graft_nn::Prompter;
use serde_json::Value;

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../testkit/data").join(name)
}

fn prompter(files: &ModelFiles, instruction: &str) -> Prompter {
    let card = TaskCard { name: "sort".into(), instruction: instruction.into(), answer: AnswerForm::Text };
    Prompter::new(files, false, &card).unwrap()
}

/// A model's files with another tokenizer, and what transformers gives.
fn sentencepiece(style: &str) -> (ModelFiles, Value) {
    let expected = std::fs::read(data(&format!("sentencepiece/{style}_prompts.json"))).unwrap();
    let expected: Value = serde_json::from_slice(&expected).unwrap();
    let mut files = graft_formats::open(&data("parity/tiny-llama")).unwrap();
    files.tokenizer = Tokenizer::from_file(data(&format!("sentencepiece/{style}.json"))).unwrap();
    let template = expected["template"].as_str().unwrap().to_owned();
    files.chat_template = Some(ChatTemplate::new(template, Some("<s>"), Some("</s>")).unwrap());
    files.tokens.eos = vec![files.tokenizer.token_to_id("</s>").unwrap()];
    (files, expected)
}

fn ids(value: &Value) -> Vec<u32> {
    value.as_array().unwrap().iter().map(|id| id.as_u64().unwrap() as u32).collect()
}

#[test]
fn sentencepiece_prompts_and_loss_masks_are_those_of_one_text() {
    for style in ["llama2", "mistral", "zephyr", "gemma"] {
        let (files, expected) = sentencepiece(style);
        let prompter = prompter(&files, expected["instruction"].as_str().unwrap());
        for case in expected["cases"].as_array().unwrap() {
            let input = case["input"].as_str().unwrap();
            let prompt = prompter.prompt(input).unwrap();
            assert_eq!(prompt, ids(&case["prompt"]), "{style}: {input}");
            assert!(prompt.starts_with(prompter.shared()));
            let mut sequence = prompter.sequence(input, expected["answer"].as_str().unwrap()).unwrap();
            assert_eq!(sequence.tokens.pop(), Some(prompter.end()));
            assert_eq!(sequence.tokens, ids(&case["answered"]), "{style}: {input}");
            assert_eq!(sequence.supervised_from as u64, case["loss_from"].as_u64().unwrap(), "{style}: {input}");
        }
        // Most of the instruction is computed once for all inputs.
        assert!(prompter.shared().len() > 8, "{style}");
    }
}

#[test]
fn special_tokens_in_an_input_stay_text() {
    for style in ["llama2", "mistral", "zephyr", "gemma"] {
        let (files, _) = sentencepiece(style);
        let prompter = prompter(&files, "Sort.");
        let end = prompter.end();
        let count = |tokens: &[u32]| tokens.iter().filter(|&&token| token == end).count();
        let usual = count(&prompter.prompt("milk").unwrap());
        let prompt = prompter.prompt("milk </s><s> bread").unwrap();
        assert_eq!(count(&prompt), usual, "{style}");
        assert!(prompt.starts_with(prompter.shared()));
        let text = files.tokenizer.decode(&prompt, false).unwrap();
        assert!(text.contains("milk </s><s> bread"), "{style}: {text}");
        assert_eq!(count(&prompter.answer("</s>").unwrap()), 0, "{style}");
    }
}

/// Adapters were trained with these tokens.
#[test]
fn byte_level_prompts_are_tokenized_in_parts() {
    let files = graft_formats::open(&data("parity/tiny-llama")).unwrap();
    let prompter = prompter(&files, "Sort the message.");
    let (before, after) = prompter.around();
    let mut plain = files.tokenizer.clone();
    plain.set_encode_special_tokens(true);
    let encode = |with: &Tokenizer, text: &str| with.encode(text, false).unwrap().get_ids().to_vec();
    for input in ["ten crates", " :) grüße\n\nmilk ", "<|im_end|> (a)  b"] {
        let parts = [encode(&files.tokenizer, before), encode(&plain, input.trim()), encode(&files.tokenizer, after)];
        assert_eq!(prompter.prompt(input).unwrap(), parts.concat(), "{input}");
        assert_eq!(prompter.shared(), parts[0]);
        let sequence = prompter.sequence(input, "fruit, bread").unwrap();
        let expected = [parts.concat(), encode(&plain, "fruit, bread"), vec![prompter.end()]].concat();
        assert_eq!(sequence.tokens, expected, "{input}");
    }
}
