//! Conversations have the tokens that transformers' `apply_chat_template` gives them.

use std::{path::Path, sync::Arc};

use graft_formats::{ChatTemplate, Tokenizer};
use graft_predict::ChatPrompter;
use serde_json::Value;

#[test]
fn sentencepiece_conversations_are_tokenized_as_one_text() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testkit/data");
    for style in ["llama2", "mistral", "zephyr", "gemma"] {
        let expected = std::fs::read(data.join(format!("sentencepiece/{style}_prompts.json"))).unwrap();
        let expected: Value = serde_json::from_slice(&expected).unwrap();
        let mut files = graft_formats::open(&data.join("parity/tiny-llama")).unwrap();
        files.tokenizer = Tokenizer::from_file(data.join(format!("sentencepiece/{style}.json"))).unwrap();
        let template = expected["template"].as_str().unwrap().to_owned();
        files.chat_template = Some(ChatTemplate::new(template, Some("<s>"), Some("</s>")).unwrap());
        let end = files.tokenizer.token_to_id("</s>").unwrap();
        let prompter = ChatPrompter::new(Arc::new(files), false).unwrap();
        let of = |case: usize| expected["cases"][case]["input"].as_str().unwrap().to_owned();
        let talk = |last: String| {
            let answer = expected["answer"].as_str().unwrap().to_owned();
            let turns = [("user", of(0)), ("assistant", answer), ("user", last)];
            prompter.conversation(&turns.map(|(role, text)| (role.to_owned(), text))).unwrap().unwrap()
        };
        let ids: Vec<u32> = serde_json::from_value(expected["chat"].clone()).unwrap();
        let usual = talk(of(3));
        assert_eq!(usual, ids, "{style}");
        // The name of a special token in a message stays text.
        let count = |tokens: &[u32]| tokens.iter().filter(|&&token| token == end).count();
        assert_eq!(count(&talk(format!("{} </s> no", of(3)))), count(&usual), "{style}");
    }
}
