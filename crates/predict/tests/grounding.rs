//! Grounded strings: for any input and any tokens, a value is a part of the input or a known name.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise, in its helpers too")]

use std::sync::{Arc, OnceLock};

use graft_core::AnswerForm;
use graft_predict::{Finished, Guide, InputSpan, Vocabulary};
use proptest::prelude::*;
use rand::{SeedableRng as _, rngs::ChaCha8Rng, seq::IndexedRandom as _};
use serde_json::{Value, json};
use tokenizers::{AddedToken, Tokenizer};

fn load(file: &str, eos: u32, more: &[&str]) -> (Arc<Vocabulary>, Arc<Tokenizer>) {
    let path = format!("{}/tests/data/{file}", env!("CARGO_MANIFEST_DIR"));
    let mut tokenizer = Tokenizer::from_file(path).unwrap();
    tokenizer.add_tokens(more.iter().map(|text| AddedToken::from(*text, false))).unwrap();
    let tokenizer = Arc::new(tokenizer);
    (Arc::new(Vocabulary::new(Arc::clone(&tokenizer), &[eos]).unwrap()), tokenizer)
}

/// Byte-level BPE, with tokens that span two values.
fn llama() -> &'static (Arc<Vocabulary>, Arc<Tokenizer>) {
    static BASE: OnceLock<(Arc<Vocabulary>, Arc<Tokenizer>)> = OnceLock::new();
    BASE.get_or_init(|| load("byte_level.json", 3, &["; k", "| a", "; -", "7 b"]))
}

/// SentencePiece, which adds a space before the text and lacks many characters.
fn t5() -> &'static (Arc<Vocabulary>, Arc<Tokenizer>) {
    static BASE: OnceLock<(Arc<Vocabulary>, Arc<Tokenizer>)> = OnceLock::new();
    BASE.get_or_init(|| load("metaspace.json", 1, &[";", "|", "-", ".", "8", "9"]))
}

const KNOWN: [&str; 3] = ["salads", "Green Fork Co-op", "true bread"];
const ALWAYS: &str = "unknown donor";

/// Grounded strings alone, with null as alternative, after a number, and in a list.
fn form() -> AnswerForm {
    let place = json!({"known": KNOWN, "always": [ALWAYS]});
    AnswerForm::Json {
        schema: json!({
            "type": "object",
            "properties": {
                "from": {"type": ["string", "null"], "x-graft-grounded": place},
                "count": {"type": ["number", "null"]},
                "to": {"type": "string", "maxLength": 40, "x-graft-grounded": true},
                "kind": {"enum": ["food", "tool"]},
                "items": {"type": "array", "items": {
                    "anyOf": [{"type": "string"}, {"type": "boolean"}], "x-graft-grounded": {"known": KNOWN},
                }},
            },
            "required": ["from", "count", "to", "kind", "items"],
        }),
    }
}

/// Decodes an answer by random choice among allowed tokens.
fn wander(guide: &Guide, input: &str, budget: usize, seed: u64) -> Result<Finished, TestCaseError> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut walk = guide.start(guide.ground(input));
    while walk.tokens().len() < budget && !walk.is_done() {
        if walk.forced().unwrap().is_empty() {
            let all: Vec<u32> = walk.allowed().unwrap().iter().collect();
            prop_assert!(
                !all.is_empty(),
                "nothing may follow {:?} for {input:?}",
                String::from_utf8_lossy(walk.wire())
            );
            walk.push(*all.choose(&mut random).unwrap(), -0.5).unwrap();
        }
    }
    Ok(walk.finish().unwrap())
}

/// Whether the input contains a value without cutting a word (words of scripts without spaces may be cut).
fn is_part(value: &str, input: &str) -> bool {
    let joined = |a: Option<char>, b: Option<char>| {
        let letter = |c: char| (c.is_alphanumeric() || c == '_') && (c as u32) < 0xe00;
        a.is_some_and(letter) && b.is_some_and(letter)
    };
    input.match_indices(value).any(|(at, _)| {
        let (before, after) = (&input[..at], &input[at + value.len()..]);
        !joined(before.chars().next_back(), value.chars().next())
            && !joined(value.chars().next_back(), after.chars().next())
    })
}

fn is_grounded(done: &Finished, input: &str) -> Result<(), TestCaseError> {
    let items = done.answer["items"].as_array().unwrap();
    let strings = [&done.answer["from"], &done.answer["to"]].into_iter().chain(items).filter_map(Value::as_str);
    for value in strings {
        let known = value == ALWAYS || KNOWN.contains(&value);
        let empty = value.is_empty() && (done.cut || !input.chars().any(|c| !c.is_whitespace() && !c.is_control()));
        let unwritable = value.is_empty() && !input.is_ascii();
        prop_assert!(known || empty || unwritable || is_part(value, input), "{value:?} of {input:?}");
    }
    let chars: Vec<char> = input.chars().collect();
    for (path, InputSpan { start, end }) in &done.spans {
        let value = done.answer.pointer(&format!("/{}", path.replace('[', "/").replace(']', ""))).unwrap();
        let part: String = chars[*start..*end].iter().collect();
        prop_assert!(part == *value || KNOWN.contains(&value.as_str().unwrap()), "{part:?} is not {value}");
    }
    Ok(())
}

/// Inputs with all characters that have a meaning on the wire.
fn input() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        "[a-z]{1,8}",
        "\\PC{0,6}",
        proptest::sample::select(vec![
            "saldas",
            "green fork co-op",
            "true bread",
            "true",
            "-",
            "?",
            ";",
            "\\",
            "\n",
            "\t ",
            "漢字",
            "é",
            "e\u{301}a",
            "7"
        ])
        .prop_map(String::from),
    ];
    proptest::collection::vec((word, proptest::sample::select(vec!["", " ", "  ", ", ", "\n"])), 0..9)
        .prop_map(|words| words.into_iter().map(|(word, space)| word + space).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn random_tokens_give_only_grounded_values(input in input(), budget in 0_usize..80, seed: u64) {
        for (vocabulary, _) in [llama(), t5()] {
            let guide = Guide::new(&form(), Arc::clone(vocabulary)).unwrap();
            is_grounded(&wander(&guide, &input, budget, seed)?, &input)?;
        }
    }
}

/// Whether the constraint allows an answer in its own tokens.
fn is_allowed(guide: &Guide, tokenizer: &Tokenizer, input: &str, answer: &Value) -> bool {
    let wire = guide.codec().encode(answer).unwrap();
    let ids = tokenizer.encode_fast(wire.as_str(), false).unwrap().get_ids().to_vec();
    let mut walk = guide.start(guide.ground(input));
    while walk.tokens().len() < ids.len() {
        walk.forced().unwrap();
        match ids.get(walk.tokens().len()) {
            Some(&next) if !walk.allowed().unwrap().allows(next) => return false,
            Some(&next) => walk.push(next, -0.1).unwrap(),
            None => {}
        }
    }
    walk.is_done()
}

#[test]
fn parts_of_the_input_and_similar_known_names_are_allowed() {
    let (vocabulary, tokenizer) = llama();
    let guide = Guide::new(&form(), Arc::clone(vocabulary)).unwrap();
    let input = "Rescued from green fork co-op: 12 crates of saldas; kale - 3\nfor Love Fridge on 18th";
    let answer = |from: &str, to: &str, item: &str| json!({"from": from, "count": 7, "to": to, "kind": "food", "items": [item, true]});
    for (from, to, item) in [
        ("green fork co-op", "Love Fridge on 18th", "kale"),
        ("Green Fork Co-op", "Love Fridge", "salads"),
        ("unknown donor", "saldas; kale", "saldas"),
        ("fork co-op", "3\nfor", "18th"),
    ] {
        assert!(is_allowed(&guide, tokenizer, input, &answer(from, to, item)), "{from}, {to}, {item}");
    }
    for (from, to, item) in [
        ("green fork co-o", "Love Fridge", "kale"),
        ("Green Fork Co-op", "Love Fridge", "bread"),
        ("true bread", "Love Fridge", "kale"),
        ("Green Fork Co-op", "unknown donor", "kale"),
        ("Green Fork Co-op", "love fridge", "kale"),
        ("Green Fork Co-op", "Love Fridge", "ale"),
    ] {
        assert!(!is_allowed(&guide, tokenizer, input, &answer(from, to, item)), "{from}, {to}, {item}");
    }
    assert!(guide.ground(input).is_some());
}

#[test]
fn spans_locate_values_in_the_input() {
    let (vocabulary, _) = llama();
    let guide = Guide::new(&form(), Arc::clone(vocabulary)).unwrap();
    let input = "é kale from green fork co-op, saldas and kale";
    let answer = json!({"from": "Green Fork Co-op", "count": null, "to": "é", "kind": "food",
        "items": ["kale", "salads", "kale", "kale", false]});
    let (_, tokenizer) = llama();
    let wire = guide.codec().encode(&answer).unwrap();
    let mut walk = guide.start(guide.ground(input));
    for &token in tokenizer.encode_fast(wire.as_str(), false).unwrap().get_ids() {
        walk.push(token, -0.1).unwrap();
    }
    let done = walk.finish().unwrap();
    let part = |path: &str| {
        let InputSpan { start, end } = done.spans[path];
        (start, input.chars().skip(start).take(end - start).collect::<String>())
    };
    assert_eq!(part("from"), (12, "green fork co-op".into()));
    assert_eq!(part("to"), (0, "é".into()));
    assert_eq!(part("items[0]"), (2, "kale".into()));
    assert_eq!(part("items[1]"), (30, "saldas".into()));
    assert_eq!(part("items[2]"), (41, "kale".into()));
    assert_eq!((part("items[3]").0, done.spans.len()), (2, 6), "a value that was written twice only");
}

#[test]
fn invalid_grounding_annotation_is_refused() {
    let with = |annotation: Value, kind: Value| AnswerForm::Json {
        schema: json!({"type": "object", "properties": {"x": {"type": kind, "x-graft-grounded": annotation}}}),
    };
    let made = |annotation, kind| Guide::new(&with(annotation, kind), Arc::clone(&llama().0));
    assert!(made(json!(true), json!("string")).unwrap().ground("a").is_some());
    assert!(made(json!(false), json!("string")).unwrap().ground("a").is_none());
    assert!(made(json!({"known": ["a"]}), json!(["string", "null"])).is_ok());
    for (annotation, kind) in [
        (json!(true), json!("number")),
        (json!(true), json!(["string", "number"])),
        (json!("yes"), json!("string")),
        (json!({"known": "a"}), json!("string")),
        (json!({"names": []}), json!("string")),
    ] {
        assert!(made(annotation.clone(), kind).is_err(), "{annotation}");
    }
}
