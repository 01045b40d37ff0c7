//! Batching: each answer is the same as when computed alone, and no request can harm the others.
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
use graft_nn::{Adapter, Model, OnDevice};
use graft_ops::Cpu;
use graft_predict::{
    Batcher, Completion, End, Error, Guide, LabelBias, Limits, Piece, Priority, PromptCache, Request, Sampling,
    Service, Template, Update, Vocabulary,
};
use serde_json::{Value, json};

struct Base {
    model: Arc<Model>,
    template: Template,
    vocabulary: Arc<Vocabulary>,
    /// Base model alone, LoRA, soft prompt.
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
    let tell = Box::new(move |update| send.send(update).is_ok());
    let request = base.template.request(base.adapters[adapter].clone(), input, tell).unwrap();
    (Request { max_tokens, ..request }, heard)
}

fn batcher(base: &Base, slots: usize) -> Batcher {
    Batcher::new(Arc::clone(&base.model), Limits { slots, cache_bytes: 4 << 20, chunk: 16, ..Limits::default() })
}

fn run(batcher: &mut Batcher) {
    while !batcher.is_idle() {
        batcher.step(Instant::now());
    }
}

/// The pieces and the result that a request received.
fn hear(heard: &Heard) -> (Piece, Result<Box<Completion>, Error>) {
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
fn answers_do_not_depend_on_their_batch() {
    for name in ["tiny-llama", "tiny-t5"] {
        let base = base(name);
        let alone: Vec<Box<Completion>> = (0..INPUTS.len())
            .map(|i| {
                let (request, heard) = ask(&base, i % 3, INPUTS[i], 12 + i);
                let mut batcher = batcher(&base, 1);
                batcher.submit(request, Instant::now());
                run(&mut batcher);
                hear(&heard).1.unwrap()
            })
            .collect();
        assert!(alone.windows(2).any(|two| two[0].text != two[1].text), "{name}: all answers are {:?}", alone[0].text);
        // Some wait, and some join while others are being decoded.
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
            let (a, b) = (alone.confidence.answer, together.confidence.answer);
            assert!((a - b).abs() < 1e-4 * a, "{name}: {input}: {a} is not {b}");
        }
    }
}

#[test]
fn bias_of_a_label_changes_its_probability_by_its_factor() {
    for name in ["tiny-llama", "tiny-t5"] {
        let (model, files) = Model::open(&folder(name)).unwrap();
        let vocabulary = Arc::new(Vocabulary::new(Arc::new(files.tokenizer.clone()), &files.tokens.eos).unwrap());
        let card = card(AnswerForm::Label { labels: ["ham", "spam"].map(str::to_owned).to_vec() });
        let template = Template::new(&files, model.has_encoder(), &card, |_| Ok(Arc::clone(&vocabulary))).unwrap();
        let base = Base { model: Arc::new(model), template, vocabulary, adapters: [None, None, None] };
        // What the first token may be, by the label that it leads to.
        let first = |bias: f64| -> [f64; 2] {
            let biases = [("ham".to_owned(), 0.0), ("spam".to_owned(), bias)].into();
            let label_bias = LabelBias::new(&biases, base.template.guide().codec()).unwrap().map(Arc::new);
            let (request, heard) = ask(&base, 0, INPUTS[1], 12);
            let mut batcher = batcher(&base, 1);
            batcher.submit(Request { label_bias, top: Some(99), ..request }, Instant::now());
            run(&mut batcher);
            let (said, done) = hear(&heard);
            let top = said.tokens.iter().find(|token| token.top.len() > 1).map(|token| token.top.clone()).unwrap();
            let leads = |to: u8| -> f64 {
                let start = |bytes: &[u8]| bytes.iter().find(|byte| **byte != b' ').copied();
                top.iter().filter(|(bytes, _)| start(bytes) == Some(to)).map(|(_, log_prob)| log_prob.exp()).sum()
            };
            let found = [leads(b'h'), leads(b's')];
            let chosen = if found[0] > found[1] { "ham" } else { "spam" };
            assert_eq!(done.unwrap().answer, chosen, "{name} with {bias}: {found:?}");
            found
        };
        let plain = first(0.0);
        for bias in [2.0, -1.0] {
            let [ham, spam] = first(bias);
            let factor = (spam / ham) / (plain[1] / plain[0]);
            assert!((factor.ln() - bias).abs() < 1e-3, "{name}: {factor} for a bias of {bias}");
        }
    }
}

#[test]
fn bulk_requests_give_the_same_answers_behind_others() {
    let base = base("tiny-llama");
    let start = || {
        let limits = Limits { slots: 3, ..Limits::default() };
        Service::start(Arc::clone(&base.model), limits, 2, None).unwrap()
    };
    let long = "x ".repeat(600);
    let mut inputs: Vec<&str> = INPUTS.into_iter().cycle().take(20).collect();
    inputs[7] = &long;
    let all = |service: &Service| {
        let asked: Vec<(Request, Heard)> = inputs.iter().map(|input| ask(&base, 1, input, 12)).collect();
        let (requests, heard): (Vec<Request>, Vec<Heard>) = asked.into_iter().unzip();
        let behind = |request| Request { priority: Priority::Background, ..request };
        service.submit_all(requests.into_iter().map(behind).collect()).unwrap();
        heard
    };
    let service = start();
    let heard = all(&service);
    // Background requests do not fill the queue of two, and a later normal request is answered before they end.
    let (request, soon) = ask(&base, 0, INPUTS[0], 2);
    service.submit(request).unwrap();
    hear(&soon).1.unwrap();
    assert!(service.status().waiting > 0, "the others still wait");
    let together: Vec<_> = heard.iter().map(|heard| hear(heard).1).collect();
    assert!(matches!(together[7], Err(Error::Model(graft_nn::Error::TooLong { .. }))), "what is too long fails alone");
    for (input, together) in inputs.iter().zip(&together) {
        let (request, heard) = ask(&base, 1, input, 12);
        service.submit(request).unwrap();
        let alone = hear(&heard).1;
        assert_eq!(alone.ok().map(|done| done.text), together.as_ref().ok().map(|done| done.text.clone()), "{input}");
    }
    let confidences = || -> Vec<Option<f64>> {
        all(&start()).iter().map(|heard| hear(heard).1.ok().map(|done| done.confidence.answer)).collect()
    };
    assert_eq!(confidences(), confidences(), "the same to the bit");
}

#[test]
fn instruction_is_computed_once_and_read_by_later_processes() {
    let base = base("tiny-llama");
    for adapter in [1, 2] {
        let kept = tempfile::tempdir().unwrap();
        let confidence = || {
            let cache = PromptCache::new(kept.path().into(), Digest::of(b"tiny-llama"));
            let service = Service::start(Arc::clone(&base.model), Limits::default(), 1, Some(cache)).unwrap();
            let (request, heard) = ask(&base, adapter, INPUTS[1], 5);
            service.submit(request).unwrap();
            hear(&heard).1.unwrap().confidence.answer
        };
        let first = confidence();
        let files: Vec<PathBuf> = std::fs::read_dir(kept.path()).unwrap().map(|e| e.unwrap().path()).collect();
        let [file] = &files[..] else { panic!("{files:?}") };
        assert_eq!(confidence(), first);
        // Replace the numbers, with a correct digest: the answer changes only if they are read.
        let zeros = vec![0; std::fs::read(file).unwrap().len() - Digest::LEN];
        std::fs::write(file, [Digest::of(&zeros).as_str().as_bytes(), &zeros].concat()).unwrap();
        assert_ne!(confidence(), first);
        std::fs::write(file, [&[b'0'; Digest::LEN], &zeros[..]].concat()).unwrap();
        assert_eq!(confidence(), first, "what is damaged is computed");
    }
}

#[test]
fn long_prompt_does_not_block_others_and_too_long_request_fails_alone() {
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
    // 16 prompt tokens per step: the short answer gets a token in each.
    let before = short_heard.try_iter().count();
    for _ in 0..tokens / 16 - 1 {
        batcher.step(Instant::now());
    }
    assert_eq!(short_heard.try_iter().count(), tokens / 16 - 1, "after {before}");
    assert!(long_heard.try_iter().all(|update| matches!(update, Update::Waiting)));
    assert!(matches!(hear(&endless_heard).1, Err(Error::Model(graft_nn::Error::TooLong { context: 512, .. }))));
    run(&mut batcher);
    assert_eq!(hear(&long_heard).1.unwrap().answer_tokens, 4);
}

/// The order in which requests are answered, by the steps they take.
fn order(mut batcher: Batcher, asked: Vec<(Request, Heard)>) -> Vec<usize> {
    let now = Instant::now();
    let (requests, heard): (Vec<Request>, Vec<Heard>) = asked.into_iter().unzip();
    requests.into_iter().for_each(|request| batcher.submit(request, now));
    let mut ended = Vec::new();
    while !batcher.is_idle() {
        batcher.step(now);
        for (index, heard) in heard.iter().enumerate() {
            if heard.try_iter().any(|update| matches!(update, Update::Done(Ok(_)))) {
                ended.push(index);
            }
        }
    }
    ended
}

#[test]
fn short_prompts_overtake_long_ones_and_clients_take_turns() {
    let base = base("tiny-llama");
    let long = "kale ".repeat(60);
    let of = |client: &str, input: &str| {
        let (request, heard) = ask(&base, 1, input, 4);
        (Request { client: client.into(), ..request }, heard)
    };
    // Long prompts, of the same or another client, are read between others' tokens; the first of two ends first.
    for client in ["one", "another"] {
        let asked =
            vec![of("one", &long), of("one", &long), of(client, "bread and some more bread, please, of any kind")];
        assert_eq!(order(batcher(&base, 4), asked), [2, 0, 1], "{client}");
    }
    // A flood takes both slots and queues; another client still gets a slot at once, before the queue.
    let flood = || (0..8).map(|_| of("flood", "bread"));
    let ended = order(batcher(&base, 2), flood().chain([of("single", "bread")]).collect());
    assert!(ended.iter().position(|index| *index == 8).unwrap() <= 2, "{ended:?}");
    // Two floods take turns.
    let ended = order(batcher(&base, 1), flood().chain((0..8).map(|_| of("second", "bread"))).collect());
    let first_half = ended[..8].iter().filter(|index| **index >= 8).count();
    assert!((3..=5).contains(&first_half), "{ended:?}");
    // Long prompts of a flood don't take the budget of another client's long prompt.
    let asked: Vec<_> = (0..3).map(|_| of("flood", &long)).chain([of("single", &long)]).collect();
    assert!(order(batcher(&base, 4), asked)[..2].contains(&3));
}

#[test]
fn prompt_chunking_does_not_change_the_answer() {
    let base = base("tiny-llama");
    let answer = |chunk: usize| {
        let limits = Limits { slots: 2, cache_bytes: 4 << 20, chunk, ..Limits::default() };
        let mut batcher = Batcher::new(Arc::clone(&base.model), limits);
        // Another answer is being decoded, so the prompt is read in chunks of this size.
        let (beside, _beside_heard) = ask(&base, 1, "bread", 300);
        batcher.submit(beside, Instant::now());
        batcher.step(Instant::now());
        let (mut request, heard) = ask(&base, 1, &"kale and figs ".repeat(25), 20);
        request.top = Some(0);
        batcher.submit(request, Instant::now());
        run(&mut batcher);
        let (piece, done) = hear(&heard);
        (piece.text, piece.tokens.iter().map(|token| token.log_prob).collect::<Vec<_>>(), done.unwrap().prompt_tokens)
    };
    let (text, whole, prompt) = answer(1000);
    assert!(prompt > 100 && text.len() > 5, "{prompt}: {text}");
    for chunk in [1, 7, 16, 64] {
        let (parts_text, parts, _) = answer(chunk);
        assert_eq!(parts_text, text, "{chunk}");
        let apart = whole.iter().zip(&parts).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        println!("parts of {chunk}: log probabilities differ by {apart:e} at most");
        assert!(apart < 1e-5, "{chunk}: {apart}");
    }
}

#[test]
fn queue_predicts_when_the_next_answer_ends() {
    let base = base("tiny-llama");
    let mut batcher = batcher(&base, 2);
    let mut now = Instant::now();
    assert_eq!(batcher.until_next_end(), None, "nothing was measured");
    // Answers of equal length, without forced tokens.
    let schema = json!({"type": "array", "items": {"type": "boolean"}, "minItems": 60, "maxItems": 60});
    let guide = Guide::json(&schema, Arc::clone(&base.vocabulary)).unwrap();
    let heard: Vec<Heard> = (0..6)
        .map(|_| {
            let (request, heard) = ask(&base, 0, "bread", 40);
            batcher.submit(Request { guide: guide.clone(), ..request }, now);
            heard
        })
        .collect();
    // With a simulated clock: all steps take equally long.
    let tick = Duration::from_millis(250);
    let (mut told, mut ends) = (Vec::new(), Vec::new());
    while !batcher.is_idle() {
        let before = batcher.running() + batcher.waiting();
        batcher.step(now);
        now += tick;
        if before > batcher.running() + batcher.waiting() {
            ends.push(now);
        }
        told.extend(batcher.until_next_end().map(|left| (now, left)));
    }
    assert!(heard.iter().all(|heard| hear(heard).1.is_ok()));
    assert!(ends.len() >= 3 && told.len() > 20, "{} {}", ends.len(), told.len());
    // Once the length of an answer is known, the prediction is right within a few steps.
    let mut checked = 0;
    for (at, left) in told.into_iter().filter(|(at, _)| *at > ends[0]) {
        let Some(end) = ends.iter().find(|end| **end > at) else { continue };
        let wrong = (*end - at).abs_diff(left);
        assert!(wrong <= 3 * tick, "{left:?} were told, it took {:?}", *end - at);
        checked += 1;
    }
    assert!(checked > 10, "{checked}");
}

#[test]
fn cancelled_and_late_requests_free_their_slots() {
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
    assert!(matches!(hear(&never_heard).1, Err(Error::Deadline { .. })));
    batcher.step(now + Duration::from_secs(6));
    assert!(batcher.is_idle());
    assert!(matches!(hear(&late_heard).1, Err(Error::Deadline { .. })));
}

#[test]
fn small_cache_serves_requests_one_by_one() {
    let base = base("tiny-llama");
    // 128 rows: one prefix and one answer at a time.
    let bytes = 128 * base.model.session_row_bytes();
    let mut batcher =
        Batcher::new(Arc::clone(&base.model), Limits { slots: 4, cache_bytes: bytes, chunk: 16, ..Limits::default() });
    let heard: Vec<Heard> = (0..9)
        .map(|i| {
            let (request, heard) = ask(&base, i % 3, INPUTS[i % 6], 400);
            batcher.submit(request, Instant::now());
            heard
        })
        .collect();
    run(&mut batcher);
    for heard in heard {
        assert!(hear(&heard).1.unwrap().answer_tokens > 0);
    }
}

/// The code path for devices with their own memory, here with the host as such a device.
#[test]
fn device_path_gives_the_same_answers_as_the_host() {
    for name in ["tiny-llama", "tiny-t5"] {
        let base = base(name);
        let schema = json!({
            "type": "object", "additionalProperties": false, "required": ["kind", "count"],
            "properties": {"kind": {"enum": ["food", "tool"]}, "count": {"type": "integer", "minimum": 0, "maximum": 99}},
        });
        let guide = Guide::json(&schema, Arc::clone(&base.vocabulary)).unwrap();
        let answers = |mut batcher: Batcher| {
            let ask = |(i, input): (usize, &&str)| {
                let (mut request, heard) = ask(&base, i % 3, input, 12 + i);
                // Greedy, with alternatives for each token, sampled, and constrained.
                request.top = (i == 1).then_some(2);
                request.sampling = (i == 2).then_some(Sampling { temperature: 1.2, top_p: 0.9, seed: 5 });
                if i >= 3 {
                    request.guide = guide.clone();
                }
                batcher.submit(request, Instant::now());
                heard
            };
            let heard: Vec<Heard> = INPUTS.iter().enumerate().map(ask).collect();
            run(&mut batcher);
            heard.iter().map(hear).collect::<Vec<_>>()
        };
        let device = OnDevice::new(base.model.upload(&Cpu::F32).unwrap(), 2000, 2000).unwrap();
        let limits = Limits { slots: 4, ..Limits::default() };
        let there = answers(Batcher::on(Box::new(device), Arc::clone(&base.model), limits));
        let here = answers(batcher(&base, 4));
        for (((said, got), (said_here, want)), input) in there.into_iter().zip(here).zip(INPUTS) {
            let (got, want) = (got.unwrap(), want.unwrap());
            assert_eq!((&got.text, got.end, got.answer_tokens), (&want.text, want.end, want.answer_tokens), "{input}");
            let (a, b) = (got.confidence.answer, want.confidence.answer);
            assert!((a - b).abs() < 1e-4 * b, "{name}: {input}: {a} is not {b}");
            assert_eq!(said.tokens.len(), said_here.tokens.len(), "{name}: {input}");
            for (a, b) in said.tokens.iter().zip(&said_here.tokens) {
                assert!(a.bytes == b.bytes && (a.log_prob - b.log_prob).abs() < 1e-4 && a.top.len() == b.top.len());
            }
        }
    }
}

#[test]
fn text_ends_at_stop_texts_and_limits() {
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
    assert_eq!((outcome.text.as_str(), outcome.end, outcome.valid), (want, End::Stop, true));
    assert_eq!((said.text.as_str(), outcome.answer), (want, Value::from(want)));
    assert!(!said.tokens.is_empty());
    for token in &said.tokens {
        assert_eq!((token.top.len(), &token.top[0].0), (3, &token.bytes), "the likeliest was taken");
        assert!((token.top[0].1 - token.log_prob).abs() < 1e-9 && token.top[1].1 <= token.top[0].1);
    }
}

#[test]
fn json_follows_its_schema_and_seeds_are_reproducible() {
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
fn full_queue_gives_a_retry_time_and_panic_does_not_end_the_service() {
    let base = base("tiny-llama");
    let service = Service::start(Arc::clone(&base.model), Limits { slots: 1, ..Limits::default() }, 2, None).unwrap();
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
    // A client without waiting requests is still accepted.
    let (newcomer, _newcomer_heard) = ask(&base, 0, "figs", 2);
    service.submit(Request { client: "another".into(), ..newcomer }).unwrap();
    hold.store(false, Ordering::Release);
    // The panic ended the first request; later ones are answered, or their channel is closed.
    while second.1.recv().is_ok() {}
    let third = ask(&base, 0, "figs", 2);
    while service.status().waiting > 0 {
        std::thread::sleep(Duration::from_millis(1));
    }
    service.submit(third.0).unwrap();
    assert_eq!(hear(&third.1).1.unwrap().answer_tokens, 2);
}
