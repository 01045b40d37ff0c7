//! Answers while versions come, go and fail.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use graft_contestants::LabelNGrams;
use graft_core::{AdapterSpec, AnswerForm, Digest, LoraSpec, Ranks, Targets, TaskCard};
use graft_engine::{
    Columns, ContestantKind, Engine, Error, Home, Seen, Serving, Source,
    serving::{AnswerError, AnswerOptions, Format, Heard, Options, Prompt, Verdict},
};
use graft_nn::{Adapter, Model};
use graft_store::{Method, NewVersion, Rollout, RolloutPair, RolloutPolicy, RolloutState, Stage, Store};
use graft_train::{AdapterCard, NGramsCard};

const TASK: &str = "sentiment";

fn tiny(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../testkit/data/parity/tiny-llama").join(name)
}

/// A home with a tiny base and two versions of a task, the LoRA `v1` (active) and the soft prompt `v2`.
struct Place {
    engine: Engine,
    /// As another process has it.
    store: Store,
    home: tempfile::TempDir,
}

impl Place {
    async fn new(form: AnswerForm) -> Self {
        let home = tempfile::tempdir().unwrap();
        let engine = Engine::open(Home::at(home.path()).unwrap(), "test").await.unwrap();
        engine.bases().add("tiny", &tiny("")).await.unwrap();
        let store = Store::open(engine.database()).await.unwrap();
        let place = Self { engine, store, home };
        let card = TaskCard { name: TASK.into(), instruction: "Say how it sounds.".into(), answer: form };
        for (name, folder) in [("v1", "adapter_lora"), ("v2", "adapter_prompt")] {
            place.add(name, folder, &card).await;
        }
        place.activate("v1", None).await;
        place
    }

    async fn add(&self, name: &str, from: &str, card: &TaskCard) {
        self.add_with(name, from, card, (BTreeMap::new(), None)).await;
    }

    /// A version with biases of its labels and the weight and file of n-grams.
    async fn add_with(
        &self,
        name: &str,
        from: &str,
        card: &TaskCard,
        (label_bias, n_grams): (BTreeMap<String, f64>, Option<(f64, &str)>),
    ) {
        let (base, files) = self.engine.bases().find("tiny").await.unwrap();
        let folder = self.home.path().join("adapters").join(name);
        fs::create_dir_all(&folder).unwrap();
        for file in ["adapter_config.json", "adapter_model.safetensors"] {
            fs::copy(tiny(from).join(file), folder.join(file)).unwrap();
        }
        let lora = LoraSpec {
            rank: 8,
            alpha: 16.0,
            dropout: 0.0,
            rslora: false,
            targets: Targets::AllLinear,
            ranks: Ranks::Equal,
        };
        let adapter = AdapterSpec::Lora(lora);
        let about = AdapterCard {
            task: card.clone(),
            base: base.clone(),
            adapter,
            label_bias,
            n_grams: n_grams.map(|(weight, file)| NGramsCard { weight, digest: Digest::of(file.as_bytes()) }),
            dataset: None,
            graft: "test".into(),
        };
        n_grams.iter().for_each(|(_, file)| fs::write(folder.join("n_grams.json"), file).unwrap());
        fs::write(folder.join("graft.json"), serde_json::to_string(&about).unwrap()).unwrap();
        let weights = Adapter::open(&folder, &Model::load(&files).unwrap()).unwrap();
        let bytes: Vec<u8> = weights.params().data().iter().flat_map(|x| x.to_le_bytes()).collect();
        let new = NewVersion {
            task: card.name.clone(),
            name: Some(name.into()),
            method: Method::Adapter,
            run: None,
            adapter_dir: format!("adapters/{name}"),
            adapter_digest: Digest::of(&bytes),
            base: Some(base),
            dataset: None,
            card: card.clone(),
            metrics: serde_json::Value::Null,
            parent: None,
            task_revision: None,
        };
        self.store.add_version(&new, "test", 1).await.unwrap();
    }

    async fn activate(&self, name: &str, expected: Option<&str>) {
        self.store.set_active(TASK, name, expected, "test", 2).await.unwrap();
    }

    async fn active(&self) -> String {
        self.store.active_version(TASK).await.unwrap().unwrap().name
    }

    fn damage(&self, version: &str) {
        let weights = self.home.path().join("adapters").join(version).join("adapter_model.safetensors");
        let mut bytes = fs::read(&weights).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 0x40;
        fs::write(&weights, bytes).unwrap();
    }

    async fn serve(&self, options: Options) -> Serving {
        Serving::start(self.engine.clone(), options).await.unwrap()
    }
}

fn labels() -> AnswerForm {
    AnswerForm::Label { labels: ["negative", "neutral", "positive"].map(String::from).to_vec() }
}

/// Waits until something holds.
async fn until(what: &str, holds: impl Fn() -> bool) -> Duration {
    let clock = Instant::now();
    while !holds() {
        assert!(clock.elapsed() < Duration::from_secs(60), "{what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    clock.elapsed()
}

fn answering(serving: &Serving) -> Option<String> {
    serving.status().tasks.first().and_then(|task| task.version.clone())
}

#[tokio::test]
async fn versions_change_under_load_and_no_request_fails() {
    let place = Place::new(labels()).await;
    let serving = place.serve(Options::default()).await;
    let options = AnswerOptions::default();
    let first = serving.answer(TASK, None, "so good", &options).await.unwrap();
    assert_eq!(first.version.as_deref(), Some("v1"));
    let load: Vec<_> = (0..4)
        .map(|client| {
            let serving = serving.clone();
            tokio::spawn(async move {
                let mut seen = Vec::new();
                while seen.last().is_none_or(|version| version != "v2") {
                    let input = format!("message {client} {}", seen.len());
                    let answered = serving.answer(TASK, None, &input, &AnswerOptions::default()).await.unwrap();
                    seen.push(answered.version.unwrap());
                }
                seen
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(30)).await;
    place.store.set_active(TASK, "v2", Some("v1"), "other", 3).await.unwrap();
    let mut took = vec![until("the new version never answered", || answering(&serving).as_deref() == Some("v2")).await];
    for client in load {
        let seen = client.await.unwrap();
        assert!(seen.windows(2).all(|two| two[0] <= two[1]), "no way back: {seen:?}");
    }
    // Within a second; a machine that is busy elsewhere may be late, but not always.
    while took.iter().all(|took| *took > Duration::from_secs(1)) {
        assert!(took.len() < 5, "each change came late: {took:?}");
        let (next, old) = if took.len() % 2 == 1 { ("v1", "v2") } else { ("v2", "v1") };
        place.store.set_active(TASK, next, Some(old), "other", 4).await.unwrap();
        took.push(until("a version never answered", || answering(&serving).as_deref() == Some(next)).await);
    }
    let named = serving.answer(TASK, Some("v1"), "so good", &options).await.unwrap();
    assert_eq!((&named.answer, &named.deployment), (&first.answer, &first.deployment), "versions keep their names");
    until("somebody holds on", || serving.status().deployments.iter().all(|one| one.in_flight == 0)).await;
}

#[tokio::test]
async fn biases_of_labels_belong_to_their_version() {
    let place = Place::new(labels()).await;
    let serving = place.serve(Options::default()).await;
    let options = AnswerOptions::default();
    let plain = serving.answer(TASK, Some("v1"), "so good", &options).await.unwrap();
    let other =
        ["negative", "neutral", "positive"].into_iter().find(|label| plain.answer.as_str() != Some(label)).unwrap();
    let card = TaskCard { name: TASK.into(), instruction: "Say how it sounds.".into(), answer: labels() };
    place.add_with("v3", "adapter_lora", &card, ([(other.to_owned(), 60.0)].into(), None)).await;
    let biased = serving.answer(TASK, Some("v3"), "so good", &options).await.unwrap();
    assert_eq!(biased.answer.as_str(), Some(other));
    assert!(biased.confidence > 0.9, "{biased:?}");
    let both = serving.compare(TASK, "so good", &["v1", "v3"].map(str::to_owned), &options).await.unwrap();
    assert_eq!([&both.answers[0].answer, &both.answers[1].answer], [&plain.answer, &biased.answer]);
}

#[tokio::test]
async fn n_grams_take_part_in_the_choice_of_a_label_by_their_weight() {
    let place = Place::new(labels()).await;
    let card = TaskCard { name: TASK.into(), instruction: "Say how it sounds.".into(), answer: labels() };
    // The third label has no example.
    let examples = [("so good", "positive"), ("so bad", "negative")];
    let fitted = |examples: [(&str, &str); 2]| {
        let examples = examples.map(|(text, label)| (text.to_owned(), label.to_owned()));
        String::from_utf8(LabelNGrams::fit(examples.to_vec()).unwrap().to_bytes()).unwrap()
    };
    let file = fitted(examples);
    for (name, weight) in [("v3", 0.001), ("v4", 1000.0)] {
        place.add_with(name, "adapter_lora", &card, (BTreeMap::new(), Some((weight, &file)))).await;
    }
    let serving = place.serve(Options::default()).await;
    let options = AnswerOptions::default();
    let ask = async |version: &'static str, input: &'static str| {
        serving.answer(TASK, Some(version), input, &options).await.unwrap()
    };
    for (input, sure) in [("so good", "positive"), ("so bad", "negative")] {
        let alone = ask("v1", input).await;
        assert_eq!(ask("v3", input).await.answer, alone.answer, "a small weight changes little");
        let answer = ask("v4", input).await;
        assert_eq!(answer.answer.as_str(), Some(sure));
        assert!(answer.confidence > 0.9, "{answer:?}");
    }
    // A bundle has them; other n-grams than those of the version are refused.
    let bundle = place.engine.versions().bundle(TASK, "v4").await.unwrap();
    let elsewhere = Place::new(labels()).await;
    let version = elsewhere.engine.versions().add_bundle(&bundle.bytes).await.unwrap();
    let there = elsewhere.serve(Options::default()).await;
    let answer = there.answer(TASK, Some(&version.name), "so bad", &options).await.unwrap();
    assert_eq!(answer.answer.as_str(), Some("negative"));
    let [(good, positive), (bad, negative)] = examples;
    fs::write(place.home.path().join("adapters/v4/n_grams.json"), fitted([(good, negative), (bad, positive)])).unwrap();
    let refused = place.serve(Options::default()).await.answer(TASK, Some("v4"), "so bad", &options).await;
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("its n-grams are not those that were registered"), "{refused}");
}

#[tokio::test]
async fn contestant_version_answers_like_any_version() {
    let place = Place::new(labels()).await;
    let file = r#"{"format":1,"kind":"nearest","examples":[["so good","positive"],["so bad","negative"]]}"#;
    let folder = place.home.path().join("adapters/v3");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("contestant.json"), file).unwrap();
    let new = NewVersion {
        task: TASK.into(),
        name: Some("v3".into()),
        method: Method::Nearest,
        run: None,
        adapter_dir: "adapters/v3".into(),
        adapter_digest: Digest::of(file.as_bytes()),
        base: None,
        dataset: None,
        card: TaskCard { name: TASK.into(), instruction: "Say how it sounds.".into(), answer: labels() },
        metrics: serde_json::Value::Null,
        parent: None,
        task_revision: None,
    };
    place.store.add_version(&new, "test", 1).await.unwrap();
    let serving = place.serve(Options::default()).await;
    let options = AnswerOptions::default();
    assert_eq!(serving.answer(TASK, None, "so bad", &options).await.unwrap().version.as_deref(), Some("v1"));
    place.activate("v3", Some("v1")).await;
    until("it never answered", || answering(&serving).as_deref() == Some("v3")).await;
    let answer = serving.answer(TASK, None, "so bad, really", &options).await.unwrap();
    assert_eq!((answer.answer.as_str(), answer.valid), (Some("negative"), true));
    assert!(answer.confidence > 0.1 && answer.confidence < 1.0, "{answer:?}");
    let inputs = ["so good", "so bad", "so good"].map(str::to_owned);
    let deployment = serving.deployment(TASK, None).await.unwrap();
    let all = serving.answer_all(&deployment, &inputs, &options, |_| {}).await.unwrap();
    let all: Vec<_> = all.into_iter().map(|answer| answer.unwrap().answer).collect();
    assert_eq!(all, ["positive", "negative", "positive"]);
    let mut streamed =
        serving.begin(TASK, None, &Prompt::Input("so good".into()), &Format::Own, &options).await.unwrap();
    let Some(Ok(Heard::End { rest, .. })) = streamed.next().await else { panic!("no end") };
    assert_eq!(rest.text, "positive");
    let talk = Prompt::Messages(vec![("user".into(), "hi".into())]);
    for (prompt, format) in [(&talk, Format::Own), (&Prompt::Input("x".into()), Format::Object)] {
        let refused = serving.begin(TASK, None, prompt, &format, &options).await.err();
        assert!(matches!(refused, Some(Error::Unsupported(_))), "{refused:?}");
    }
    let status = serving.status();
    let own = status.deployments.iter().find(|one| one.active).unwrap();
    assert_eq!((&own.base, own.bytes, own.answered), (&None, file.len(), 5));
    // The base model beside it is that of the newest adapter.
    let asked = ["base", "v3"].map(str::to_owned);
    let contest = serving.compare(TASK, "so good", &asked, &options).await.unwrap();
    assert_eq!(contest.answers[1].answer, "positive");
    let (back, _) = serving.roll_back(&place.engine, TASK, Seen::Any).await.unwrap();
    assert_eq!(back.name, "v1");
}

#[tokio::test]
async fn unknown_or_damaged_version_is_an_error_and_changes_nothing() {
    let place = Place::new(labels()).await;
    let serving = place.serve(Options::default()).await;
    let options = AnswerOptions::default();
    let before = serving.answer(TASK, None, "so good", &options).await.unwrap();
    assert!(matches!(serving.answer("nothing", None, "x", &options).await, Err(Error::NoActive { .. })));
    assert!(matches!(serving.answer(TASK, Some("v9"), "x", &options).await, Err(Error::Store(_))));
    place.damage("v2");
    assert!(matches!(serving.prepare(TASK, "v2").await, Err(Error::BadVersion { .. })));
    let refused = place.engine.evaluations().activate_in(&serving, (TASK, "v2"), Seen::Any, true).await;
    assert!(matches!(refused, Err(Error::BadVersion { .. })), "{refused:?}");
    let elsewhere =
        place.engine.evaluations().activate_in(&serving, (TASK, "v1"), Seen::Active(Some("v2")), true).await;
    assert!(matches!(elsewhere, Err(Error::Store(graft_store::Error::ActiveChanged { .. }))), "{elsewhere:?}");
    assert_eq!(place.active().await, "v1");
    // Commands make it active all the same.
    place.activate("v2", Some("v1")).await;
    until("the problem is not told", || serving.status().tasks[0].problem.is_some()).await;
    let after = serving.answer(TASK, None, "so good", &options).await.unwrap();
    assert_eq!((after.version, after.deployment, after.answer), (before.version, before.deployment, before.answer));
}

#[tokio::test]
async fn version_with_failing_first_requests_is_reverted() {
    let place = Place::new(labels()).await;
    place.activate("v2", Some("v1")).await;
    // After it became active, so that only requests find out.
    place.damage("v2");
    let serving = place.serve(Options { preload: false, ..Options::default() }).await;
    let options = AnswerOptions::default();
    for _ in 0..3 {
        let failed = serving.answer(TASK, None, "so good", &options).await;
        assert!(matches!(failed, Err(Error::BadVersion { .. })), "{failed:?}");
    }
    until("nothing tells why", || serving.status().tasks.iter().any(|task| task.problem.is_some())).await;
    assert_eq!(serving.answer(TASK, None, "so good", &options).await.unwrap().version.as_deref(), Some("v1"));
    let history = place.store.activations(TASK).await.unwrap();
    let last = history.last().unwrap();
    assert_eq!((last.version.as_str(), last.by.as_str()), ("v1", "test (serving)"));
}

#[tokio::test]
async fn active_versions_are_loaded_at_start() {
    let place = Place::new(labels()).await;
    let serving = place.serve(Options::default()).await;
    until("nothing was loaded", || answering(&serving).as_deref() == Some("v1")).await;
    place.activate("v2", Some("v1")).await;
    until("the change is not noticed", || answering(&serving).as_deref() == Some("v2")).await;
    let stale = serving.roll_back(&place.engine, TASK, Seen::Active(Some("v1"))).await;
    assert!(matches!(stale, Err(Error::Store(graft_store::Error::ActiveChanged { .. }))), "{stale:?}");
    let (back, from) = serving.roll_back(&place.engine, TASK, Seen::Active(Some("v2"))).await.unwrap();
    assert_eq!((back.name.as_str(), from.as_deref()), ("v1", Some("v2")));
    assert_eq!(answering(&serving).as_deref(), Some("v1"), "it takes effect at once");
}

#[tokio::test]
async fn disconnected_client_frees_its_slot_and_full_queue_refuses() {
    let place = Place::new(AnswerForm::Text).await;
    let options = AnswerOptions { max_tokens: Some(400), ..AnswerOptions::default() };
    let prompt = Prompt::Input("so good".into());
    let begin = async |serving: &Serving| serving.begin(TASK, None, &prompt, &Format::Own, &options).await;
    let is_free = |serving: &Serving| {
        let status = serving.status();
        (status.bases[0].waiting, status.bases[0].running, status.deployments[0].in_flight) == (0, 0, 0)
    };
    // Without a slot no request starts, so the first is still waiting when the next one arrives.
    let serving = place.serve(Options { slots: 0, queue: 1, ..Options::default() }).await;
    let first = begin(&serving).await.unwrap();
    assert!(matches!(begin(&serving).await, Err(Error::Predict(AnswerError::Full { waiting: 1, .. }))));
    drop(first);
    until("the place in the queue is not free", || is_free(&serving)).await;
    drop(begin(&serving).await.unwrap());

    let serving = place.serve(Options { slots: 1, queue: 1, ..Options::default() }).await;
    let mut first = begin(&serving).await.unwrap();
    assert!(matches!(first.next().await, Some(Ok(Heard::Piece(_)))), "it is being written");
    drop(first);
    until("the slot is not free", || is_free(&serving)).await;
    let short = AnswerOptions { max_tokens: Some(3), ..AnswerOptions::default() };
    assert_eq!(serving.answer(TASK, None, "so good", &short).await.unwrap().answer_tokens, 3);
}

#[tokio::test]
async fn least_recently_used_adapter_is_unloaded() {
    let place = Place::new(labels()).await;
    let serving = place.serve(Options { memory: 1, preload: false, ..Options::default() }).await;
    let options = AnswerOptions::default();
    for version in ["v1", "v2", "v1"] {
        serving.answer(TASK, Some(version), "so good", &options).await.unwrap();
        let status = serving.status();
        assert_eq!((status.deployments.len(), status.bases.len()), (1, 1));
        assert_eq!(status.deployments[0].version.as_deref(), Some(version));
    }
    let deployment = serving.deployment(TASK, None).await.unwrap();
    let (inputs, mut told) = (vec!["so good".to_owned(); 40], Vec::new());
    let all = serving.answer_all(&deployment, &inputs, &options, |done| told.push(done)).await.unwrap();
    assert_eq!(told.last(), Some(&40));
    assert!(all.iter().all(|one| one.as_ref().is_ok_and(|a| a.answer == all[0].as_ref().unwrap().answer)));
}

#[tokio::test]
async fn fallback_answers_only_if_needed_and_confident() {
    let place = Place::new(AnswerForm::Text).await;
    let serving = place.serve(Options::default()).await;
    let mut settings = place.engine.versions().ask_ai_settings().await.unwrap();
    let strong = || serde_json::from_str(r#"[{"description": "lights on", "confidence": 0.9, "x": 1}]"#).unwrap();
    let set =
        async |settings: &graft_engine::AskAiSettings| place.engine.versions().set_ask_ai(settings).await.unwrap();
    assert_eq!(
        serving.suggest("dark", Vec::new(), &AnswerOptions::default()).await.unwrap().verdict,
        Verdict::Disabled
    );
    settings.soft_prompt_enabled = true;
    settings.soft_prompt_model_dir = "adapters/v1".into();
    settings.soft_prompt_confidence_threshold = 0.85;
    set(&settings).await;
    let kept = serving.suggest("dark", strong(), &AnswerOptions::default()).await.unwrap();
    assert_eq!((kept.verdict, kept.suggestions[0]["x"].as_i64()), (Verdict::NotNeeded, Some(1)));
    let unsure = serving.suggest("dark", Vec::new(), &AnswerOptions::default()).await.unwrap();
    assert_eq!((unsure.verdict, unsure.suggestions.len()), (Verdict::TooUnsure, 0));
    assert!(unsure.confidence.unwrap() < 0.85);
    settings.soft_prompt_model_dir = "nowhere".into();
    set(&settings).await;
    assert!(matches!(serving.suggest("dark", Vec::new(), &AnswerOptions::default()).await, Err(Error::Unsupported(_))));
}

#[tokio::test]
async fn fallback_uses_active_contestant() {
    let home = tempfile::tempdir().unwrap();
    let engine = Engine::open(Home::at(home.path()).unwrap(), "test").await.unwrap();
    let rows: String = (0..20).map(|i| format!("is it dark in room {i},turn on the light of room {i}\n")).collect();
    let csv = home.path().join("rows.csv");
    fs::write(&csv, format!("text,label\n{rows}")).unwrap();
    let rows = engine.examples().read(&csv, &Source::Csv(Columns::default()), "ask-ai", false).await.unwrap();
    engine.examples().take_in(rows, &mut |_| {}).await.unwrap();
    let mut settings = engine.versions().ask_ai_settings().await.unwrap();
    settings.soft_prompt_enabled = true;
    settings.soft_prompt_confidence_threshold = 0.0;
    let serving = Serving::start(engine.clone(), Options::default()).await.unwrap();
    assert_eq!(serving.check_ask_ai(&settings, &[]).await.unwrap().len(), 1, "there is nothing that could answer yet");
    let tell = &mut |_: &str, _, _| {};
    let version =
        engine.evaluations().add_contestant("ask-ai", ContestantKind::Nearest, None, None, tell).await.unwrap();
    engine.evaluations().activate("ask-ai", &version.name, Seen::Any, false, &mut |_, _, _| {}).await.unwrap();
    assert_eq!(serving.check_ask_ai(&settings, &[]).await.unwrap(), []);
    engine.versions().set_ask_ai(&settings).await.unwrap();
    let said = serving.suggest("is it dark in room 3", Vec::new(), &AnswerOptions::default()).await.unwrap();
    assert_eq!(said.verdict, Verdict::Injected);
    assert_eq!(said.suggestions[0]["description"], "turn on the light of room 3");
    // Settings that name a folder of their own mean that folder.
    settings.soft_prompt_model_dir = "nowhere".into();
    engine.versions().set_ask_ai(&settings).await.unwrap();
    assert!(serving.suggest("dark", Vec::new(), &AnswerOptions::default()).await.is_err());
}

#[tokio::test]
async fn identical_versions_answer_under_their_own_names() {
    let place = Place::new(labels()).await;
    let card = TaskCard { name: TASK.into(), instruction: "Say how it sounds.".into(), answer: labels() };
    place.add("twin", "adapter_lora", &card).await;
    let serving = place.serve(Options::default()).await;
    for version in ["v1", "twin", "v1"] {
        let answered = serving.answer(TASK, Some(version), "so good", &AnswerOptions::default()).await.unwrap();
        assert_eq!(answered.version.as_deref(), Some(version));
    }
    let first = serving.answer(TASK, None, "so good", &AnswerOptions::default()).await.unwrap();
    assert_eq!(first.version.as_deref(), Some("v1"));
    place.activate("twin", Some("v1")).await;
    until("the twin does not answer", || answering(&serving).as_deref() == Some("twin")).await;
}

#[tokio::test]
async fn restored_home_copies_active_ask_ai_version_again() {
    let place = Place::new(labels()).await;
    let card = TaskCard { name: "ask-ai".into(), instruction: "Answer.".into(), answer: AnswerForm::Text };
    place.add("first", "adapter_lora", &card).await;
    place.store.set_active("ask-ai", "first", None, "test", 2).await.unwrap();
    let file = place.home.path().join("all.zip");
    place.engine.upkeep().backup(&file).await.unwrap();
    let home = tempfile::tempdir().unwrap();
    let copy = Engine::open(Home::at(home.path()).unwrap(), "test").await.unwrap();
    copy.upkeep().restore(&file, false).await.unwrap();
    let latest = home.path().join("data/ask_ai_soft_prompt/latest");
    assert!(latest.join("adapter_config.json").is_file() && latest.canonicalize().unwrap().ends_with("first"));
}

/// Waits for what the store says.
async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let clock = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(clock.elapsed() < Duration::from_secs(60), "{what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

impl Place {
    async fn roll_out(&self, policy: RolloutPolicy) -> Rollout {
        self.engine.rollouts().start(TASK, "v2", &policy).await.unwrap()
    }

    /// The roll-out that ended last, once it has.
    async fn ended(&self) -> Rollout {
        let last = async || self.store.rollouts(TASK, 1).await.unwrap().pop().filter(|one| one.ended_at.is_some());
        eventually("the roll-out goes on", last).await
    }
}

#[tokio::test]
async fn shadow_answers_are_never_returned() {
    let place = Place::new(labels()).await;
    let serving = place.serve(Options::default()).await;
    place.roll_out(RolloutPolicy { share: 1.0, ..RolloutPolicy::default() }).await;
    let options = AnswerOptions::default();
    let pairs =
        async || place.store.rollout_counts(&place.engine.rollouts().running(TASK).await.unwrap()).await.unwrap();
    let mut asked = 0;
    // The server needs a moment to notice that there is a roll-out.
    let found = eventually("nothing was compared", async || {
        let input = format!("message {asked}");
        asked += 1;
        let answer = serving.answer(TASK, None, &input, &options).await.unwrap();
        assert_eq!(answer.version.as_deref(), Some("v1"), "a shadow is not seen");
        Some(pairs().await).filter(|counts| counts.pairs > 0)
    });
    let counts = found.await;
    assert_eq!((counts.canary, counts.agreement.is_some()), (0, true));
    let report = place.engine.rollouts().numbered(TASK, None).await.unwrap();
    assert_eq!((report.rollout.failures, report.rollout.state), (0, RolloutState::Shadow));
    assert!(report.times.is_none(), "a shadow waits for requests, so its times say nothing");
}

#[tokio::test]
async fn canary_answers_its_subjects_until_stopped() {
    let place = Place::new(labels()).await;
    let serving = place.serve(Options::default()).await;
    let clients = vec!["bob".to_owned()];
    place.roll_out(RolloutPolicy { share: 0.5, clients, ..RolloutPolicy::default() }).await;
    place.engine.rollouts().to_canary(TASK).await.unwrap();
    assert_eq!(place.store.version(TASK, "v2").await.unwrap().stage, Stage::Canary);
    let asked = async |client: &str, subject: usize| {
        let options = AnswerOptions {
            client: client.into(),
            subject: Some(format!("customer {subject}")),
            ..AnswerOptions::default()
        };
        serving.answer(TASK, None, "so good", &options).await.unwrap()
    };
    eventually("the canary does not answer", async || {
        Some(asked("bob", 0).await).filter(|answer| answer.version.as_deref() == Some("v2"))
    })
    .await;
    let names = [Some("v1"), Some("v2")];
    let generations = [
        serving.deployment(TASK, Some("v1")).await.unwrap().digest().clone(),
        serving.deployment(TASK, Some("v2")).await.unwrap().digest().clone(),
    ];
    let mut of_subject = vec![None; 24];
    for _ in 0..2 {
        for (subject, seen) in of_subject.iter_mut().enumerate() {
            let answer = asked("ann", subject).await;
            let place = names.iter().position(|name| *name == answer.version.as_deref()).unwrap();
            assert_eq!(answer.deployment, generations[place], "its name and its digest say the same");
            assert_eq!(*seen.get_or_insert(place), place, "one subject, one version");
        }
    }
    assert!(of_subject.contains(&Some(0)) && of_subject.contains(&Some(1)), "{of_subject:?}");
    // Whoever names a version gets that one.
    let bob = AnswerOptions { client: "bob".into(), ..AnswerOptions::default() };
    let named = serving.answer(TASK, Some("v1"), "so good", &bob);
    assert_eq!(named.await.unwrap().version.as_deref(), Some("v1"));
    // The same by the names of models.
    for (model, version) in [(TASK, "v2"), ("sentiment:v1", "v1")] {
        let prompt = Prompt::Text("so good".into());
        let answering = serving.begin_model(model, prompt, &Format::Own, &bob).await.unwrap();
        assert_eq!(answering.whole().await.unwrap().version.as_deref(), Some(version));
    }
    // Times are compared of the requests that were distributed at random: not those of a named client, or for a version.
    let of_canary = 2 * of_subject.iter().filter(|place| **place == Some(1)).count() as u64;
    let times = eventually("no times are stored", async || {
        let report = place.engine.rollouts().numbered(TASK, None).await.unwrap();
        report.times.filter(|times| times.active.answers + times.candidate.answers >= 48)
    });
    let times = times.await;
    assert_eq!((times.candidate.answers, times.active.answers), (of_canary, 48 - of_canary));
    for side in [times.active, times.candidate].iter().filter(|side| side.answers >= 20) {
        assert!(side.p50.unwrap() > 1e-5 && side.p50 <= side.p95 && side.p95.unwrap() < 60.0, "{side:?}");
    }
    place.engine.rollouts().stop(TASK, Some("seen enough")).await.unwrap();
    eventually("the canary goes on", async || {
        Some(asked("bob", 0).await).filter(|answer| answer.version.as_deref() == Some("v1"))
    })
    .await;
    assert_eq!(place.store.version(TASK, "v2").await.unwrap().stage, Stage::Shadow);
}

/// What a version answers to a text: its digest, its answer and its confidence.
type Known = HashMap<(String, String), (Digest, serde_json::Value, f64)>;

#[tokio::test]
async fn answers_under_load_are_of_the_versions_they_name_throughout_rollouts() {
    let place = Place::new(labels()).await;
    let serving = place.serve(Options::default()).await;
    let texts: Vec<String> = (0..6).map(|i| format!("message number {i}")).collect();
    let mut known = Known::new();
    for version in ["v1", "v2"] {
        for text in &texts {
            let answer = serving.answer(TASK, Some(version), text, &AnswerOptions::default()).await.unwrap();
            let found = (answer.deployment, answer.answer, answer.confidence);
            known.insert((version.to_owned(), text.clone()), found);
        }
    }
    for text in &texts {
        let [one, other] = ["v1", "v2"].map(|version| &known[&(version.to_owned(), text.clone())]);
        assert!(one.0 != other.0 && (one.2 - other.2).abs() > 1e-3, "they can be told apart: {one:?} {other:?}");
    }
    let (known, stop, seen) = (Arc::new(known), Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new([0_usize; 2])));
    let load: Vec<_> = (0..6_usize)
        .map(|client| {
            let (serving, known, stop, seen, texts) =
                (serving.clone(), Arc::clone(&known), Arc::clone(&stop), Arc::clone(&seen), texts.clone());
            tokio::spawn(async move {
                for turn in 0.. {
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    let text = &texts[(client + turn) % texts.len()];
                    let subject = Some(format!("customer {client} {turn}"));
                    let options = AnswerOptions { subject, ..AnswerOptions::default() };
                    let answer = match client % 3 {
                        0 => serving.answer(TASK, None, text, &options).await.unwrap(),
                        1 => {
                            let prompt = Prompt::Text(text.clone());
                            let answering = serving.begin_model(TASK, prompt, &Format::Own, &options).await;
                            answering.unwrap().whole().await.unwrap()
                        }
                        _ => {
                            let texts = std::slice::from_ref(text);
                            serving.answer_many(TASK, None, texts, &options).await.unwrap().remove(0).unwrap()
                        }
                    };
                    let version = answer.version.unwrap();
                    let (digest, output, confidence) = &known[&(version.clone(), text.clone())];
                    // The rows of a batch are rounded differently, by far less than the versions differ.
                    assert!((answer.confidence - confidence).abs() < 1e-4, "{version} answers {text} otherwise");
                    assert_eq!((&answer.deployment, &answer.answer), (digest, output), "{version}: {text}");
                    seen.lock().unwrap()[usize::from(version == "v2")] += 1;
                }
            })
        })
        .collect();
    let more = async |version: usize, what: &str| {
        let before = seen.lock().unwrap()[version];
        until(what, || seen.lock().unwrap()[version] > before + 5).await;
    };
    for _ in 0..3 {
        place.roll_out(RolloutPolicy { share: 0.5, ..RolloutPolicy::default() }).await;
        more(0, "the active version stops").await;
        place.engine.rollouts().to_canary(TASK).await.unwrap();
        more(1, "the canary does not answer").await;
        more(0, "the active version stops").await;
        place.activate("v2", Some("v1")).await;
        until("the new version never answers", || answering(&serving).as_deref() == Some("v2")).await;
        let ended = place.engine.rollouts().look(TASK).await.unwrap().unwrap();
        assert_eq!(ended.rollout.state, RolloutState::Promoted);
        more(1, "the new version does not answer").await;
        place.activate("v1", Some("v2")).await;
        until("there is no way back", || answering(&serving).as_deref() == Some("v1")).await;
        more(0, "the old version does not answer").await;
    }
    stop.store(true, Ordering::Relaxed);
    for client in load {
        client.await.unwrap();
    }
}

#[tokio::test]
async fn failing_canary_is_withdrawn_and_no_request_fails() {
    let place = Place::new(labels()).await;
    place.roll_out(RolloutPolicy { share: 1.0, ..RolloutPolicy::default() }).await;
    place.engine.rollouts().to_canary(TASK).await.unwrap();
    place.damage("v2");
    let serving = place.serve(Options::default()).await;
    for i in 0..4 {
        let answer = serving.answer(TASK, None, &format!("message {i}"), &AnswerOptions::default()).await.unwrap();
        assert_eq!(answer.version.as_deref(), Some("v1"));
    }
    let ended = place.ended().await;
    assert_eq!(ended.state, RolloutState::Returned);
    assert!(ended.why.as_deref().unwrap_or_default().contains("failed to answer"), "{ended:?}");
    assert_eq!(place.store.version(TASK, "v2").await.unwrap().stage, Stage::Archived);
}

/// Both versions answered 40 examples; people then say that `right` is the truth.
async fn decided(place: &Place, right: &str) {
    let rows: String = (0..40).map(|i| format!("text number {i} of many,\n")).collect();
    let csv = place.home.path().join("rows.csv");
    fs::write(&csv, format!("text,label\n{rows}")).unwrap();
    let rows = place.engine.examples().read(&csv, &Source::Csv(Columns::default()), TASK, false).await.unwrap();
    place.engine.examples().take_in(rows, &mut |_| {}).await.unwrap();
    let filter = graft_store::ExampleFilter { task: Some(TASK.into()), ..Default::default() };
    let examples = place.store.examples(&filter).await.unwrap();
    let pair = |input: &str| RolloutPair {
        input: input.to_owned(),
        served: "v1".into(),
        active: "positive".into(),
        candidate: "negative".into(),
        agreement: 0.0,
        at: 1,
    };
    let pairs: Vec<RolloutPair> = examples.iter().map(|example| pair(&example.input)).collect();
    let rollout = place.engine.rollouts().running(TASK).await.unwrap();
    place.store.add_rollout_answers(rollout.id, &pairs, 0, 0).await.unwrap();
    for example in &examples {
        place.store.edit(TASK, &example.id, &right.into(), "ada", 5).await.unwrap();
    }
}

#[tokio::test]
async fn version_that_people_find_worse_is_withdrawn() {
    let place = Place::new(labels()).await;
    place.roll_out(RolloutPolicy::default()).await;
    decided(&place, "positive").await;
    let report = place.engine.rollouts().look(TASK).await.unwrap().unwrap();
    assert_eq!(
        (report.rollout.state, report.outcomes.losses, report.outcomes.is_worse),
        (RolloutState::Returned, 40, true)
    );
    assert!(report.rollout.why.unwrap().contains("performs worse than v1"));
    assert_eq!(place.active().await, "v1");
    assert!(place.engine.rollouts().look(TASK).await.unwrap().is_none(), "it is over");
}

#[tokio::test]
async fn version_with_drifting_errors_is_withdrawn() {
    let place = Place::new(labels()).await;
    // Both are wrong all the time, so neither is worse.
    place.roll_out(RolloutPolicy { drift_samples: 41, ..RolloutPolicy::default() }).await;
    decided(&place, "neutral").await;
    let few = place.engine.rollouts().look(TASK).await.unwrap().unwrap();
    assert_eq!((few.rollout.state, few.errors.p95, few.errors.enough), (RolloutState::Shadow, Some(1.0), false));
    place.engine.rollouts().stop(TASK, None).await.unwrap();
    let place = Place::new(labels()).await;
    place.roll_out(RolloutPolicy { drift_samples: 40, ..RolloutPolicy::default() }).await;
    decided(&place, "neutral").await;
    let report = place.engine.rollouts().look(TASK).await.unwrap().unwrap();
    assert_eq!(report.rollout.state, RolloutState::Returned);
    let why = report.rollout.why.unwrap();
    assert!(why.contains("drifted") && why.contains("40 not fully correct"), "{why}");
}

#[tokio::test]
async fn better_version_waits_for_its_conditions() {
    let place = Place::new(labels()).await;
    place.roll_out(RolloutPolicy::default()).await;
    decided(&place, "negative").await;
    let report = place.engine.rollouts().look(TASK).await.unwrap().unwrap();
    let open: Vec<_> = report.gates.iter().filter(|gate| !gate.passed).map(|gate| gate.name).collect();
    assert_eq!(
        (report.outcomes.is_not_worse, report.outcomes.wins, open),
        (true, 40, vec!["time as shadow or canary"])
    );
    let refused = place.engine.evaluations().promote(None, TASK, None).await;
    assert!(matches!(&refused, Err(Error::RolloutOpen { open, .. }) if open.contains("time")), "{refused:?}");
    assert_eq!(place.active().await, "v1");
    place.engine.versions().delete(TASK, "v2", false).await.unwrap();
    let ended = place.engine.rollouts().look(TASK).await.unwrap().unwrap().rollout;
    assert_eq!((ended.state, ended.why.as_deref()), (RolloutState::Stopped, Some("its version was deleted")));
    // Somebody else's choice ends it.
    let other = Place::new(labels()).await;
    other.roll_out(RolloutPolicy::default()).await;
    other.activate("v2", Some("v1")).await;
    let ended = other.engine.rollouts().look(TASK).await.unwrap().unwrap().rollout;
    assert_eq!((ended.state, ended.why.as_deref()), (RolloutState::Promoted, Some("it was made active")));
}
