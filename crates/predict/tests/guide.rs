//! Constrained decoding with the real tokenizers of a small Llama and a small T5.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise, in its helpers too")]

mod common;

use std::sync::{Arc, OnceLock};

use common::{Spec, answer, answered, rescue};
use graft_core::AnswerForm;
use graft_predict::{Candidates, Finished, Guide, Vocabulary, Walk};
use proptest::prelude::*;
use rand::{SeedableRng as _, rngs::ChaCha8Rng, seq::IndexedRandom as _};
use serde_json::json;
use tokenizers::{AddedToken, Tokenizer};

struct Base {
    tokenizer: Arc<Tokenizer>,
    vocabulary: Arc<Vocabulary>,
    eos: u32,
}

fn load(file: &str, eos: u32, more: &[&str]) -> Base {
    let path = format!("{}/tests/data/{file}", env!("CARGO_MANIFEST_DIR"));
    let mut tokenizer = Tokenizer::from_file(path).unwrap();
    tokenizer.add_tokens(more.iter().map(|text| AddedToken::from(*text, false))).unwrap();
    let tokenizer = Arc::new(tokenizer);
    Base { vocabulary: Arc::new(Vocabulary::new(tokenizer.clone(), &[eos]).unwrap()), tokenizer, eos }
}

/// Like Llama: byte-level BPE.
fn llama() -> &'static Base {
    static BASE: OnceLock<Base> = OnceLock::new();
    BASE.get_or_init(|| load("byte_level.json", 3, &[]))
}

/// Like T5: SentencePiece, which adds a space before the text. This small one lacks the wire form's marks.
fn t5() -> &'static Base {
    static BASE: OnceLock<Base> = OnceLock::new();
    BASE.get_or_init(|| load("metaspace.json", 1, &[";", "|", "-", ".", "8", "9"]))
}

/// SmolLM2, from the GGUF file in `GRAFT_TEST_GGUF`.
fn smollm2() -> Base {
    let path = std::env::var_os("GRAFT_TEST_GGUF").expect("GRAFT_TEST_GGUF names SmolLM2-135M-Instruct.Q4_1.gguf");
    let model = graft_formats::open(path.as_ref()).unwrap();
    let (tokenizer, eos) = (Arc::new(model.tokenizer), model.tokens.eos);
    let vocabulary = Arc::new(Vocabulary::new(tokenizer.clone(), &eos).unwrap());
    Base { vocabulary, tokenizer, eos: eos[0] }
}

fn tokens(base: &Base, text: &str) -> Vec<u32> {
    base.tokenizer.encode_fast(text, false).unwrap().get_ids().to_vec()
}

/// Decodes an answer by random choice among allowed tokens, preferring those that end values.
fn wander(guide: &Guide, base: &Base, budget: usize, seed: u64) -> Finished {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut walk = guide.start(None);
    let closing: Vec<u32> = [";", "]", " -", "1"].iter().flat_map(|text| tokens(base, text)).collect();
    while walk.tokens().len() < budget && !walk.is_done() {
        if !walk.forced().unwrap().is_empty() {
            continue;
        }
        let mask = walk.allowed().unwrap();
        let ends: Vec<u32> = closing.iter().copied().filter(|&t| mask.allows(t)).collect();
        let all: Vec<u32> = mask.iter().collect();
        assert!(!all.is_empty(), "something is always allowed");
        let from = if random.random_ratio(2, 3) && !ends.is_empty() { &ends } else { &all };
        walk.push(*from.choose(&mut random).unwrap(), -0.5).unwrap();
    }
    walk.finish().unwrap()
}

/// Pushes an answer's own tokens, checking that each is allowed or forced; returns the walk.
fn follow(guide: &Guide, ids: &[u32]) -> Result<Walk, String> {
    let mut walk = guide.start(None);
    while walk.tokens().len() < ids.len() {
        walk.forced().unwrap();
        let so_far = walk.tokens().len();
        if !ids.starts_with(walk.tokens()) {
            return Err(format!("forced {:?} against {ids:?}", walk.tokens()));
        }
        if let Some(&next) = ids.get(so_far) {
            if !walk.allowed().unwrap().allows(next) {
                return Err(format!("token {next} at {so_far} of {ids:?} is not allowed"));
            }
            walk.push(next, -0.1).unwrap();
        }
    }
    Ok(walk)
}

fn form_is_followed(spec: &Spec, done: &Finished) -> Result<(), TestCaseError> {
    let valid = jsonschema::validator_for(&spec.schema()).unwrap();
    prop_assert!(valid.is_valid(&done.answer), "{} from {:?}", done.answer, done.wire);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn random_tokens_always_give_a_valid_answer(spec in answer(), budget in 0_usize..60, seed: u64) {
        let guide = Guide::new(&spec.form(), llama().vocabulary.clone()).unwrap();
        form_is_followed(&spec, &wander(&guide, llama(), budget, seed))?;
    }

    #[test]
    fn every_valid_answer_is_allowed_in_its_own_tokens((spec, value) in answered()) {
        let guide = Guide::new(&spec.form(), llama().vocabulary.clone()).unwrap();
        let wire = guide.codec().encode(&value).unwrap();
        let walk = follow(&guide, &tokens(llama(), &wire)).map_err(|e| TestCaseError::fail(format!("{wire}: {e}")))?;
        prop_assert!(walk.is_done(), "nothing may follow {}", wire);
        let done = walk.finish().unwrap();
        prop_assert_eq!((done.answer, done.cut), (value, false));
    }

    #[test]
    fn whole_number_ranges_are_exact(low in -1200_i64..1200, more in 0_i64..1500, n in -1500_i64..3000) {
        let spec = Spec::Object(vec![("n".into(), true, Spec::Integer(low, low + more))]);
        let guide = Guide::new(&spec.form(), llama().vocabulary.clone()).unwrap();
        let within = follow(&guide, &tokens(llama(), &format!("{n};"))).is_ok_and(|walk| walk.is_done());
        prop_assert_eq!(within, (low..=low + more).contains(&n));
    }
}

#[test]
fn truncated_slack_answer_is_valid_with_either_tokenizer() {
    let AnswerForm::Json { schema } = rescue() else { unreachable!() };
    let valid = jsonschema::validator_for(&schema).unwrap();
    for base in [llama(), t5()] {
        let guide = Guide::new(&rescue(), base.vocabulary.clone()).unwrap();
        let mut whole = 0;
        for seed in 0..40 {
            let done = wander(&guide, base, seed as usize * 4, seed);
            assert!(valid.is_valid(&done.answer), "{} from {:?}", done.answer, done.wire);
            assert_eq!(done.cut, done.confidence.answer == 0.0, "filled in, so not trusted: {done:?}");
            whole += usize::from(!done.cut);
        }
        assert!(whole > 3, "some walks end by themselves: {whole}");
    }
}

#[test]
#[ignore = "needs the base model's file in GRAFT_TEST_GGUF; `cargo xtask test` runs it"]
fn real_tokenizer_gives_short_answers_with_words_of_the_message() {
    let base = smollm2();
    let guide = Guide::new(&rescue(), base.vocabulary.clone()).unwrap();
    let wire = " both Sunny Acres; -| toilet paper;12 case dry goods| squash;1.5 - produce]";
    let ids = tokens(&base, wire);
    assert_eq!(ids.len(), 25);
    let words = tokens(&base, "We got toilet paper");
    assert!(ids.windows(2).any(|pair| words.ends_with(pair)), "words are copied token by token");
    assert!(follow(&guide, &ids).unwrap().is_done());
    let AnswerForm::Json { schema } = rescue() else { unreachable!() };
    let valid = jsonschema::validator_for(&schema).unwrap();
    for seed in 0..40 {
        let done = wander(&guide, &base, seed as usize * 4, seed);
        assert!(valid.is_valid(&done.answer), "{} from {:?}", done.answer, done.wire);
    }
}

#[test]
fn fractions_stay_within_their_bounds() {
    let schema = json!({"type": "object", "required": ["n"], "properties": {
        "n": {"type": "number", "exclusiveMinimum": 0, "maximum": 12}}});
    let guide = Guide::new(&AnswerForm::Json { schema }, llama().vocabulary.clone()).unwrap();
    let allowed = |text: &str| follow(&guide, &tokens(llama(), text)).is_ok_and(|walk| walk.is_done());
    for good in ["12;", "0.5;", "11.999;", "1;", "3.07;"] {
        assert!(allowed(good), "{good}");
    }
    for bad in ["0;", "12.1;", "13;", "-1;", "-0.5;", "1.0;", "01;", "1.;", ".5;", "1234567890;"] {
        assert!(!allowed(bad), "{bad}");
    }
}

#[test]
fn labels_are_forced_as_soon_as_they_are_certain() {
    let labels = vec!["positive".to_owned(), "negative".to_owned(), "negative tone".to_owned()];
    let guide = Guide::new(&AnswerForm::Label { labels: labels.clone() }, llama().vocabulary.clone()).unwrap();
    for label in &labels {
        let ids = tokens(llama(), label);
        let mut walk = follow(&guide, &ids).unwrap();
        assert!(walk.can_stop().unwrap());
        assert_eq!(walk.is_done(), label != "negative", "`negative` may go on");
        if !walk.is_done() {
            walk.push(llama().eos, 0.0).unwrap();
        }
        let done = walk.finish().unwrap();
        assert_eq!((done.answer, done.cut), (json!(label), false));
    }
    let mut walk = guide.start(None);
    walk.push(tokens(llama(), "positive")[0], -0.3).unwrap();
    let forced = walk.forced().unwrap();
    assert_eq!(forced, tokens(llama(), "positive")[1..]);
    assert!(walk.is_done() && !forced.is_empty());
    assert!((walk.finish().unwrap().confidence.answer - (-0.3_f64).exp()).abs() < 1e-9);
}

#[test]
fn tokenizer_with_leading_space_encodes_labels() {
    let guide =
        Guide::new(&AnswerForm::Label { labels: vec!["she".into(), "he".into()] }, t5().vocabulary.clone()).unwrap();
    let done = follow(&guide, &tokens(t5(), "she")).unwrap().finish().unwrap();
    assert_eq!((done.answer, done.wire.as_str(), done.cut), (json!("she"), "she", false));
}

#[test]
fn tokenizer_without_a_mark_is_refused() {
    let base = load("metaspace.json", 1, &["|", "-", ".", "8", "9"]);
    let error = Guide::new(&rescue(), base.vocabulary).unwrap_err();
    assert!(error.to_string().contains("`;`"), "{error}");
}

#[test]
fn free_text_allows_any_ordinary_token_and_end() {
    let guide = Guide::new(&AnswerForm::Text, llama().vocabulary.clone()).unwrap();
    let mut walk = guide.start(None);
    let mask = walk.allowed().unwrap();
    assert!(mask.allows(llama().eos) && !mask.allows(0) && !mask.allows(2) && mask.allows(4));
    assert!(walk.push(2, 0.0).is_err(), "special tokens are no text");
    for id in tokens(llama(), "Turn it on; 12 é") {
        walk.push(id, -1.0).unwrap();
    }
    walk.push(llama().eos, -1.0).unwrap();
    assert!(walk.push(4, 0.0).is_err(), "nothing follows the end");
    let done = walk.finish().unwrap();
    assert_eq!((done.answer, done.cut), (json!("Turn it on; 12 é"), false));
    assert!((done.confidence.answer - (-1.0_f64).exp()).abs() < 1e-9);
}

#[test]
fn each_field_has_its_own_confidence() {
    let guide = Guide::new(&rescue(), llama().vocabulary.clone()).unwrap();
    let wire = " both Farm; -| milk;12 case dairy]";
    let ids = tokens(llama(), wire);
    let mut walk = guide.start(None);
    let mut at = 0;
    for &id in &ids {
        let length = llama().tokenizer.decode(&[id], false).unwrap().len();
        let doubtful = wire[..at].ends_with("milk;");
        walk.push(id, if doubtful { 0.5_f64.ln() } else { 0.0 }).unwrap();
        at += length;
    }
    let done = walk.finish().unwrap();
    let of = |path: &str| done.confidence.fields[path];
    assert!((of("items[0].quantity") - 0.5).abs() < 1e-9);
    assert!((of("items[0].name") - 1.0).abs() < 1e-9 && (of("direction") - 1.0).abs() < 1e-9);
    assert!((done.confidence.answer - 0.5).abs() < 1e-9);
}

#[test]
fn guide_is_shared_between_threads() {
    let guide = Guide::new(&rescue(), llama().vocabulary.clone()).unwrap();
    let answers: Vec<Finished> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| wander(&guide, llama(), 30, 7))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn masks_renormalize_probabilities() {
    let guide =
        Guide::new(&AnswerForm::Label { labels: vec!["a".into(), "b".into()] }, llama().vocabulary.clone()).unwrap();
    let mask = guide.start(None).allowed().unwrap();
    let (a, b) = (tokens(llama(), "a")[0], tokens(llama(), "b")[0]);
    let mut logits = vec![50.0_f32; llama().vocabulary.size() + 24];
    (logits[a as usize], logits[b as usize]) = (1.0, 1.0 + 3.0_f32.ln());
    let candidates = Candidates::masked(&mask, &logits);
    assert_eq!((mask.count(), candidates.best()), (2, Some(b)));
    assert!((candidates.log_prob(b).exp() - 0.75).abs() < 1e-6);
    assert_eq!(candidates.log_prob(5), f64::NEG_INFINITY);
    mask.apply(&mut logits);
    assert_eq!(logits.iter().filter(|l| l.is_finite()).count(), 2);
}
