//! Many answers at once: as if each were alone, and none can hurt the others.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise, in its helpers too")]

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};

use graft_core::{AnswerForm, Digest, TaskCard};
use graft_nn::{Adapter, Model};
use graft_predict::{
    Batcher, Decoding, End, Error, Guide, Limits, Outcome, Piece, Predictor, PromptCache, Request, Sampling, Service,
    Template, Update, Vocabulary,
};
use serde_json::{Value, json};

struct Base {
    model: Arc<Model>,
    template: Template,
    vocabulary: Arc<Vocabulary>,
    /// None, LoRA, soft prompt.
    adapters: [Option<Arc<Adapter>>; 3],
}

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../testkit/data/parity").join(name)
}

fn card(answer: AnswerForm) -> TaskCard {
    TaskCard { name: "t".into(), instruction: "Say what it is.".into(), answer }
}

fn base(name: &str) -> Base {
    let (model, files) = Model::open(&folder(name)).unwrap();
    let vocabulary = Arc::new(Vocabulary::new(Arc::new(files.tokenizer.clone()), &files.tokens.eos).unwrap());
    let card = card(AnswerForm::Text);
    let template = Template::new(&files, model.has_encoder(), &card, |_| Ok(Arc::clone(&vocabulary))).unwrap();
    let open = |adapter: &str| Some(Arc::new(Adapter::open(&folder(name).join(adapter), &model).unwrap()));
    let adapters = [None, open("adapter_lora"), open("adapter_prompt")];
    Base { model: Arc::new(model), template, vocabulary, adapters }
}

type Heard = mpsc::Receiver<Update>;

fn ask(base: &Base, adapter: usize, input: &str, max_tokens: usize) -> (Request, Heard) {
    let (send, heard) = mpsc::channel();
    let how = Decoding { max_tokens, ..Decoding::default() };
    let tell = Box::new(move |update| send.send(update).is_ok());
    (base.template.request(base.adapters[adapter].clone(), input, how, tell).unwrap(), heard)
}

fn batcher(base: &Base, lanes: usize) -> Batcher {
    Batcher::new(Arc::clone(&base.model), Limits { lanes, cache_bytes: 4 << 20, chunk: 16 })
}

fn run(batcher: &mut Batcher) {
    while !batcher.is_idle() {
        batcher.step(Instant::now());
    }
}

/// What was written, piece by piece, and how it ended.
fn hear(heard: &Heard) -> (Piece, Result<Box<Outcome>, Error>) {
    let mut all = Piece::default();
    loop {
        match heard.recv().unwrap() {
            Update::Waiting => {}
            Update::Written(piece) => {
                all.text += &piece.text;
                all.tokens.extend(piece.tokens);
            }
            Update::Done(done) => {
                if let Ok(outcome) = &done {
                    all.text += &outcome.rest.text;
                    all.tokens.extend(outcome.rest.tokens.clone());
                }
                return (all, done);
            }
        }
    }
}

const INPUTS: [&str; 6] =
    ["a", "two boxes of bread", "the lights of the kitchen go on at dusk", "kale", "12 lb of figs, please", "no"];

#[test]
fn answers_do_not_depend_on_their_company() {
    for name in ["tiny-llama", "tiny-t5"] {
        let base = base(name);
        let alone: Vec<Box<Outcome>> = (0..INPUTS.len())
            .map(|i| {
                let (request, heard) = ask(&base, i % 3, INPUTS[i], 12 + i);
                let mut batcher = batcher(&base, 1);
                batcher.submit(request, Instant::now());
                run(&mut batcher);
                hear(&heard).1.unwrap()
            })
            .collect();
        assert!(alone.windows(2).any(|two| two[0].text != two[1].text), "{name}: all answers are {:?}", alone[0].text);
        // Some wait, some join while others are in the middle of theirs.
        let mut batcher = batcher(&base, 4);
        let mut heard = Vec::new();
        for (i, input) in INPUTS.iter().enumerate() {
            let (request, listener) = ask(&base, i % 3, input, 12 + i);
            batcher.submit(request, Instant::now());
            heard.push(listener);
            batcher.step(Instant::now());
        }
        run(&mut batcher);
        for ((alone, heard), input) in alone.iter().zip(&heard).zip(INPUTS) {
            let (said, together) = hear(heard);
            let together = together.unwrap();
            assert_eq!((&together.text, together.end), (&alone.text, alone.end), "{name}: {input}");
            assert_eq!(said.text, together.text, "{name}: {input}, in pieces");
            let (a, b) = (alone.prediction.raw_confidence, together.prediction.raw_confidence);
            assert!((a - b).abs() < 1e-4 * a, "{name}: {input}: {a} is not {b}");
        }
    }
}

#[test]
fn a_file_of_inputs_is_answered_like_each_input() {
    let (_, files) = Model::open(&folder("tiny-llama")).unwrap();
    let base = base("tiny-llama");
    let labels = ["inbound", "outbound", "both"].map(String::from).to_vec();
    let card = card(AnswerForm::Label { labels });
    let adapter = Adapter::open(&folder("tiny-llama").join("adapter_lora"), &base.model).unwrap();
    let predictor = Predictor::new(Arc::clone(&base.model), &files, &card, Some(adapter)).unwrap();
    let long = "x ".repeat(600);
    let mut inputs: Vec<&str> = INPUTS.into_iter().cycle().take(20).collect();
    inputs[7] = &long;
    let (mut told, how) = (Vec::new(), Decoding { batch: 3, ..Decoding::default() });
    let together = predictor.predict(&inputs, how, &mut |done| told.push(done)).unwrap();
    assert_eq!(told.last(), Some(&20));
    assert!(together[7].is_none(), "what is too long gets no answer, alone");
    for (index, input) in inputs.iter().enumerate() {
        let alone = predictor.predict(&[input], how, &mut |_| {}).unwrap().pop().unwrap();
        assert_eq!(alone.as_ref().map(|a| &a.answer), together[index].as_ref().map(|a| &a.answer), "{input}");
    }
    let bare = predictor.bare().predict(&[INPUTS[1]], how, &mut |_| {}).unwrap();
    assert_ne!(bare[0].as_ref().unwrap().raw_confidence, together[1].as_ref().unwrap().raw_confidence);
}

#[test]
fn an_instruction_is_computed_once_and_read_by_later_processes() {
    let (_, files) = Model::open(&folder("tiny-llama")).unwrap();
    let base = base("tiny-llama");
    let card = card(AnswerForm::Text);
    for adapter in ["adapter_lora", "adapter_prompt"] {
        let kept = tempfile::tempdir().unwrap();
        let confidence = || {
            let adapter = Adapter::open(&folder("tiny-llama").join(adapter), &base.model).unwrap();
            let predictor = Predictor::new(Arc::clone(&base.model), &files, &card, Some(adapter)).unwrap();
            let predictor =
                predictor.with_prompt_cache(PromptCache::new(kept.path().into(), Digest::of(b"tiny-llama")));
            let how = Decoding { max_tokens: 5, ..Decoding::default() };
            predictor.predict(&[INPUTS[1]], how, &mut |_| {}).unwrap()[0].as_ref().unwrap().raw_confidence
        };
        let first = confidence();
        let files: Vec<PathBuf> = std::fs::read_dir(kept.path()).unwrap().map(|e| e.unwrap().path()).collect();
        let [file] = &files[..] else { panic!("{files:?}") };
        assert_eq!(confidence(), first);
        // Other numbers, with their digest: had they not been read, nothing would change.
        let zeros = vec![0; std::fs::read(file).unwrap().len() - Digest::LEN];
        std::fs::write(file, [Digest::of(&zeros).as_str().as_bytes(), &zeros].concat()).unwrap();
        assert_ne!(confidence(), first);
        std::fs::write(file, [&[b'0'; Digest::LEN], &zeros[..]].concat()).unwrap();
        assert_eq!(confidence(), first, "what is damaged is computed");
    }
}

#[test]
fn a_long_prompt_lets_others_go_on_and_a_request_that_is_too_long_fails_alone() {
    let base = base("tiny-llama");
    let mut batcher = batcher(&base, 4);
    let (short, short_heard) = ask(&base, 1, "bread", 20);
    batcher.submit(short, Instant::now());
    batcher.step(Instant::now());
    let (long, long_heard) = ask(&base, 1, &"kale ".repeat(60), 4);
    let (endless, endless_heard) = ask(&base, 1, &"kale ".repeat(600), 4);
    let tokens = long.prompt.len();
    batcher.submit(endless, Instant::now());
    batcher.submit(long, Instant::now());
    // 16 tokens of the prompt a step: the short answer gets a token in each.
    let before = short_heard.try_iter().count();
    for _ in 0..tokens / 16 - 1 {
        batcher.step(Instant::now());
    }
    assert_eq!(short_heard.try_iter().count(), tokens / 16 - 1, "after {before}");
    assert!(long_heard.try_iter().all(|update| matches!(update, Update::Waiting)));
    assert!(matches!(hear(&endless_heard).1, Err(Error::Model(graft_nn::Error::TooLong { context: 512, .. }))));
    run(&mut batcher);
    assert_eq!(hear(&long_heard).1.unwrap().prediction.answer_tokens, 4);
}

#[test]
fn who_goes_away_or_is_late_leaves_the_room_to_others() {
    let base = base("tiny-llama");
    let mut batcher = batcher(&base, 1);
    let (gone, gone_heard) = ask(&base, 2, "bread", 400);
    batcher.submit(gone, Instant::now());
    batcher.step(Instant::now());
    let now = Instant::now();
    let (mut late, late_heard) = ask(&base, 0, "figs", 400);
    late.deadline = Some(now + Duration::from_secs(5));
    let (mut never, never_heard) = ask(&base, 0, "figs", 400);
    never.deadline = Some(now);
    batcher.submit(late, now);
    batcher.submit(never, now);
    assert_eq!((batcher.running(), batcher.waiting()), (1, 2));
    drop(gone_heard);
    batcher.step(now);
    batcher.step(now);
    assert_eq!((batcher.running(), batcher.waiting()), (1, 0));
    assert!(matches!(hear(&never_heard).1, Err(Error::Deadline)));
    batcher.step(now + Duration::from_secs(6));
    assert!(batcher.is_idle());
    assert!(matches!(hear(&late_heard).1, Err(Error::Deadline)));
}

#[test]
fn a_small_cache_serves_one_after_the_other() {
    let base = base("tiny-llama");
    // 128 rows: one prefix and one answer at a time.
    let bytes = 128 * base.model.session_row_bytes();
    let mut batcher = Batcher::new(Arc::clone(&base.model), Limits { lanes: 4, cache_bytes: bytes, chunk: 16 });
    let heard: Vec<Heard> = (0..9)
        .map(|i| {
            let (request, heard) = ask(&base, i % 3, INPUTS[i % 6], 400);
            batcher.submit(request, Instant::now());
            heard
        })
        .collect();
    run(&mut batcher);
    for heard in heard {
        assert!(hear(&heard).1.unwrap().prediction.answer_tokens > 0);
    }
}

#[test]
fn text_ends_where_it_is_told_to() {
    let base = base("tiny-llama");
    let full = {
        let (request, heard) = ask(&base, 1, "bread", 30);
        let mut batcher = batcher(&base, 1);
        batcher.submit(request, Instant::now());
        run(&mut batcher);
        hear(&heard).1.unwrap().text
    };
    let middle: Vec<char> = full.chars().filter(|c| *c != char::REPLACEMENT_CHARACTER).collect();
    let stop: String = middle[middle.len() / 2..].iter().take(2).collect();
    let want = &full[..full.find(&stop).unwrap()];
    let (mut request, heard) = ask(&base, 1, "bread", 30);
    request.stop = vec!["never said".into(), stop];
    request.top = Some(3);
    let mut batcher = batcher(&base, 1);
    batcher.submit(request, Instant::now());
    run(&mut batcher);
    let (said, outcome) = hear(&heard);
    let outcome = outcome.unwrap();
    assert_eq!((outcome.text.as_str(), outcome.end, outcome.prediction.valid), (want, End::Stop, true));
    assert_eq!((said.text.as_str(), outcome.prediction.answer), (want, Value::from(want)));
    assert!(!said.tokens.is_empty());
    for token in &said.tokens {
        assert_eq!((token.top.len(), &token.top[0].0), (3, &token.bytes), "the likeliest was taken");
        assert!((token.top[0].1 - token.log_prob).abs() < 1e-9 && token.top[1].1 <= token.top[0].1);
    }
}

#[test]
fn json_follows_its_schema_and_seeds_repeat() {
    let base = base("tiny-llama");
    let schema = json!({
        "type": "object", "additionalProperties": false, "required": ["kind", "count"],
        "properties": {"kind": {"enum": ["food", "tool"]}, "count": {"type": "integer", "minimum": 0, "maximum": 99}},
    });
    let guide = Guide::json(&schema, Arc::clone(&base.vocabulary)).unwrap();
    let written: Vec<String> = [1_u64, 1, 2]
        .into_iter()
        .map(|seed| {
            let (mut request, heard) = ask(&base, 0, "bread", 200);
            request.guide = guide.clone();
            request.sampling = Some(Sampling { temperature: 1.5, top_p: 1.0, seed });
            let mut batcher = batcher(&base, 1);
            batcher.submit(request, Instant::now());
            run(&mut batcher);
            let outcome = hear(&heard).1.unwrap();
            let value: Value = serde_json::from_str(&outcome.text).unwrap();
            assert!(jsonschema::validator_for(&schema).unwrap().is_valid(&value), "{value}");
            outcome.text
        })
        .collect();
    assert_eq!(written[0], written[1]);
    assert!(Guide::json(&json!([]), Arc::clone(&base.vocabulary)).is_err());
}

#[test]
fn a_full_queue_says_when_to_come_back_and_a_panic_ends_nothing() {
    let base = base("tiny-llama");
    let service = Service::start(Arc::clone(&base.model), Limits { lanes: 1, ..Limits::default() }, 2).unwrap();
    let hold = Arc::new(AtomicBool::new(true));
    let (mut first, _) = ask(&base, 0, "bread", 2);
    let held = Arc::clone(&hold);
    first.tell = Box::new(move |_| {
        while held.load(Ordering::Acquire) {
            std::thread::sleep(Duration::from_millis(1));
        }
        panic!("a listener that fails")
    });
    service.submit(first).unwrap();
    let second = ask(&base, 0, "kale", 2);
    service.submit(second.0).unwrap();
    let full = service.submit(ask(&base, 0, "figs", 2).0);
    assert!(matches!(full, Err(Error::Full { waiting: 2, retry_after }) if retry_after >= Duration::from_secs(1)));
    hold.store(false, Ordering::Release);
    // The panic took the first with it; what came later is answered, or its closed channel says that it isn't.
    while second.1.recv().is_ok() {}
    let third = ask(&base, 0, "figs", 2);
    while service.status().waiting > 0 {
        std::thread::sleep(Duration::from_millis(1));
    }
    service.submit(third.0).unwrap();
    assert_eq!(hear(&third.1).1.unwrap().prediction.answer_tokens, 2);
}
