//! Alerts and digests, to receivers that fail, from servers that are killed.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    thread::sleep,
    time::{Duration, Instant},
};

use graft_store::{RolloutPair, Store};
use graft_testkit::{ReceiverMood, Smtp, Webhook};
use serde_json::{Value, json};

use crate::common::{Graft, server::Server};

const TASK: &str = "text-classification";
/// A training that is over in a moment.
const SHORT: [&str; 11] =
    ["train", TASK, "--base", "tiny", "--epochs", "1", "--batch-size", "8", "--no-eval", "--threads", "1"];

#[track_caller]
fn wait_for<T>(what: &str, is_so: impl Fn() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = is_so() {
            return found;
        }
        assert!(began.elapsed() < Duration::from_secs(120), "never: {what}");
        sleep(Duration::from_millis(50));
    }
}

fn with_store<T>(graft: &Graft, work: impl AsyncFnOnce(Store) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { work(Store::open(&graft.database()).await.unwrap()).await })
}

/// A free port, for servers whose log is a file.
fn free() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, graft_testkit::free_port().unwrap()).into()
}

/// A home with two versions of a task, and receivers of alerts.
struct Place {
    graft: Graft,
    webhook: Webhook,
    smtp: Smtp,
    log: PathBuf,
}

impl Place {
    fn new() -> Self {
        let (webhook, smtp) = (Webhook::start().unwrap(), Smtp::start().unwrap());
        let graft = Graft::with_toy_task()
            .with("GRAFT_ALERT_WEBHOOK", webhook.url())
            .with("GRAFT_ALERT_WEBHOOK_SECRET", Webhook::SECRET)
            .with("GRAFT_ALERT_SMTP", smtp.url())
            .with("GRAFT_ALERT_SMTP_PASSWORD", Smtp::PASSWORD)
            .with("GRAFT_ALERT_FROM", "graft@x.example")
            .with("GRAFT_ALERT_TO", "ada@x.example")
            .with("GRAFT_PUBLIC_URL", "https://graft.example");
        for version in ["v1", "v2"] {
            graft.ok(&[&SHORT[..], &["--version", version]].concat());
        }
        graft.ok(&["models", "set-active", "v1", "--force"]);
        let log = graft.dir.path().join("server.log");
        Self { graft, webhook, smtp, log }
    }

    /// A server that looks for alerts from now on.
    fn serve(&self) -> Server {
        let server = Server::spawn(&self.graft, free(), &self.log);
        let is_ready = |store: Store| async move {
            let mut ready = true;
            for name in ["watch", "webhook", "email"] {
                ready &= store.notifier(name).await.unwrap().is_some();
            }
            ready
        };
        wait_for("the server looks", || with_store(&self.graft, is_ready).then_some(()));
        server
    }

    /// People find that all answers of v2 to 20 new inputs are wrong.
    fn withdraw(&self) {
        let graft = &self.graft;
        let rows: String = (0..20).map(|i| format!("new input {i},\n")).collect();
        graft.ok(&["import", "csv", graft.file("more.csv", &format!("text,label\n{rows}")).to_str().unwrap()]);
        with_store(graft, async |store| {
            let mut examples = store.examples(&graft_store::ExampleFilter::default()).await.unwrap();
            examples.retain(|example| example.input.starts_with("new input"));
            assert_eq!(examples.len(), 20);
            // Before the roll-out, so that no worker lets the version answer them.
            for example in &examples {
                store.edit(TASK, &example.id, &"good".into(), "ada", 5).await.unwrap();
            }
            graft.ok(&["rollout", "start", "v2", "--drift-samples", "20"]);
            let rollout = store.rollout(TASK).await.unwrap().unwrap();
            let pair = |example: &graft_core::Example| RolloutPair {
                input: example.input.clone(),
                served: "v1".into(),
                active: json!("bad"),
                candidate: json!("bad"),
                agreement: 1.0,
                at: 1,
            };
            let pairs: Vec<RolloutPair> = examples.iter().map(pair).collect();
            store.add_rollout_answers(rollout.id, &pairs, 0, 0).await.unwrap();
        });
        let ended = graft.json(&["rollout", "status"]);
        assert_eq!(ended["ended"][0]["state"], "returned", "{ended}");
    }

    /// State and kind of all notices that the webhook took.
    fn told(&self) -> Vec<String> {
        let notices = self.webhook.taken().into_iter().flat_map(|one| one["notices"].as_array().unwrap().clone());
        let word = |value: &Value| value.as_str().unwrap().to_owned();
        notices.map(|one| format!("{} {}", word(&one["state"]), word(&one["kind"]))).collect()
    }

    /// How many notices of all emails have a text.
    fn mails_with(&self, text: &str) -> usize {
        self.smtp.taken().iter().map(|mail| mail.content.matches(text).count()).sum()
    }

    /// Waits until both receivers have so many notices.
    #[track_caller]
    fn wait(&self, notices: usize) {
        wait_for("the notices arrive", || (self.told().len() >= notices).then_some(()));
        let waiting = || {
            let receivers = self.graft.json(&["alerts", "list"])["receivers"].clone();
            receivers.as_array().unwrap().iter().all(|one| one["waiting"] == 0).then_some(())
        };
        wait_for("nothing waits", waiting);
    }
}

/// Nothing that was said holds a secret.
#[track_caller]
fn check_hidden(what: &str, text: &str) {
    for secret in ["hidden-p", Webhook::SECRET] {
        assert!(!text.contains(secret), "{what} shows a secret: {text}");
    }
}

#[test]
fn alerts_arrive_once_although_receivers_fail_and_servers_are_killed() {
    let place = Place::new();
    place.webhook.set(ReceiverMood::Away);
    place.smtp.set(ReceiverMood::Away);
    let mut server = place.serve();
    place.withdraw();
    wait_for("the webhook is called", || (place.webhook.calls() > 0).then_some(()));
    let listed = wait_for("both receivers fail", || {
        let listed = place.graft.json(&["alerts", "list"]);
        listed["receivers"].as_array().unwrap().iter().all(|one| one["error"].is_string()).then_some(listed)
    });
    assert_eq!((&listed["open"][0]["kind"], &listed["receivers"][0]["waiting"]), (&json!("withdrawn"), &json!(1)));
    server.child.kill().unwrap();
    server.child.wait().unwrap();
    place.webhook.set(ReceiverMood::Slow);
    place.smtp.set(ReceiverMood::Well);
    let _server = place.serve();
    place.wait(1);
    let document = place.webhook.taken().pop().unwrap();
    let notice = &document["notices"][0];
    assert_eq!((&document["schema"], &notice["task"], &notice["subject"]), (&json!(1), &json!(TASK), &json!("v2")));
    assert_eq!(notice["link"], format!("https://graft.example/versions?task={TASK}"));
    assert!(notice["why"].as_str().unwrap().contains("95th percentile 1.00 (limit 0.20)"), "{notice}");
    place.webhook.set(ReceiverMood::Well);

    // Two servers; a run that fails, and the next roll-out.
    let _other = Server::spawn(&place.graft, free(), &place.log);
    let diverges = ["--learning-rate", "100", "--clip", "0", "--epochs", "30", "--alpha", "1e30"];
    place.graft.fails(13, &[&["train", TASK, "--base", "tiny"][..], &diverges].concat(), "stable");
    place.wait(2);
    place.graft.ok(&["rollout", "start", "v2"]);
    place.wait(3);
    place.graft.ok(&[&SHORT[..], &["--version", "v3"]].concat());
    place.wait(4);
    // The order tells that nothing came twice: it would have come before the last one.
    assert_eq!(place.told(), ["open withdrawn", "open run", "over withdrawn", "over run"]);
    for (text, count) in [("was withdrawn", 2), ("is not retried", 2), ("Over: ", 2)] {
        assert!(place.mails_with(text) >= count, "{text}: {:?}", place.smtp.taken());
    }
    let ids: Vec<Value> = place.webhook.taken().iter().map(|one| one["notices"][0]["id"].clone()).collect();
    assert!(ids.iter().all(|id| id.as_str().unwrap().contains("-alert-")), "{ids:?}");
    check_hidden("the log", &fs::read_to_string(&place.log).unwrap());
}

#[test]
fn digest_is_sent_once_by_two_servers() {
    let mut place = Place::new();
    let zone = |place: Place, zone: &str| {
        let graft = place.graft.with("GRAFT_DIGEST", "00:00").with("GRAFT_DIGEST_ZONE", zone);
        Place { graft, ..place }
    };
    // At any time it is a later day in the second zone than in the first.
    place = zone(place, "Etc/GMT+12");
    let first = place.serve();
    let cursor = |store: Store| async move { store.notifier("digest").await.unwrap().map(|known| known.cursor) };
    let day = wait_for("the day is known", || with_store(&place.graft, cursor));
    drop(first);
    assert!(place.told().is_empty(), "there is none on the first day");
    place.graft.ok(&["import", "csv", place.graft.file("new.csv", "text,label\nmaybe,\n").to_str().unwrap()]);
    place = zone(place, "Pacific/Kiritimati");
    let _servers = [place.serve(), place.serve()];
    place.wait(1);
    assert!(with_store(&place.graft, cursor) > Some(day));
    // Whatever comes after it shows that it came once.
    place.withdraw();
    place.wait(2);
    assert_eq!(place.told(), ["digest digest", "open withdrawn"]);
    let digest = &place.webhook.taken()[0]["notices"][0];
    assert!(digest["why"].as_str().unwrap().contains("1 example waits to be audited, "), "{digest}");
    assert_eq!(digest["details"]["tasks"][0]["pending"], 1);
    assert_eq!(place.mails_with("waits to be audited."), 2, "once as the subject, once in the text");
}

#[test]
fn test_message_reports_each_receiver() {
    let (webhook, smtp) = (Webhook::start().unwrap(), Smtp::start().unwrap());
    let nobody = Graft::new().run(&["alerts", "test"]);
    assert!(nobody.code == 2 && nobody.stdout.contains("GRAFT_ALERT_WEBHOOK"), "{}", nobody.stdout);
    let graft = Graft::new()
        .with("GRAFT_ALERT_WEBHOOK", webhook.url())
        .with("GRAFT_ALERT_WEBHOOK_SECRET", Webhook::SECRET)
        .with("GRAFT_ALERT_SMTP", smtp.url().replace('@', ":hidden-pass@"))
        .with("GRAFT_ALERT_FROM", "graft@x.example")
        .with("GRAFT_ALERT_TO", "ada@x.example, bob@x.example");
    let wrong = graft.run(&["alerts", "test"]);
    assert_eq!(wrong.code, 14, "{}{}", wrong.stdout, wrong.stderr);
    assert!(wrong.stdout.contains("webhook: sent to http://127.0.0.1:"), "{}", wrong.stdout);
    assert!(wrong.stdout.contains("log in to smtp://127.0.0.1:") && wrong.stdout.contains("GRAFT_ALERT_SMTP_PASSWORD"));
    assert_eq!(webhook.taken()[0]["notices"][0]["state"], "test");
    for command in [&["doctor"][..], &["config", "show"], &["alerts", "list"]] {
        let (said, json) = (graft.run(command), graft.run(&[command, &["--json"]].concat()));
        [said.stdout, said.stderr, json.stdout].iter().for_each(|text| check_hidden(&command.join(" "), text));
    }
    let doctor = graft.run(&["doctor"]).stdout;
    assert!(doctor.contains("alerts by webhook") && doctor.contains("log in to smtp://127.0.0.1:"), "{doctor}");
    check_hidden("the test", &(wrong.stdout + &wrong.stderr));

    let graft = graft.with("GRAFT_ALERT_SMTP", smtp.url()).with("GRAFT_ALERT_SMTP_PASSWORD", Smtp::PASSWORD);
    graft.ok(&["alerts", "test"]);
    let to: Vec<String> = smtp.taken().iter().flat_map(|mail| mail.to.clone()).collect();
    assert_eq!(to, ["ada@x.example", "bob@x.example"]);
    assert!(graft.run(&["doctor"]).stdout.contains("ada@x.example, bob@x.example through smtp://127.0.0.1:"));
    let graft = graft.with("GRAFT_ALERT_TO", "ada");
    graft.fails(2, &["alerts", "list"], "`ada` is not an address");
    let graft = graft.with("GRAFT_ALERT_TO", "ada@x.example").with("GRAFT_DIGEST", "noon");
    graft.fails(2, &["alerts", "list"], "`noon` is not a time such as 08:00");
}
