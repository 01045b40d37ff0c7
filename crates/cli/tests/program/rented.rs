//! Trainings on rented machines: strict servers of the providers' documented APIs, whose machines are real `sshd`s.
//! After any failure or kill, no machine is left running, and the cost equals the server's bill.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use graft_testkit::{Cloud, Fault};
use rand::{RngExt as _, SeedableRng as _, rngs::ChaCha8Rng};
use serde_json::Value;

use crate::common::{Graft, Said, check_events};

const TRAIN: [&str; 8] = ["train", "text-classification", "--base", "tiny", "--batch-size", "4", "--dropout", "0.1"];

/// A home, and a provider of machines.
struct Place {
    graft: Graft,
    cloud: Cloud,
    on: &'static str,
}

impl Place {
    fn lambda() -> Option<Self> {
        let cloud = Cloud::lambda().unwrap()?;
        Some(Self { graft: Graft::with_toy_task(), cloud, on: "lambda" })
    }

    fn runpod() -> Option<Self> {
        let cloud = Cloud::runpod().unwrap()?;
        Some(Self { graft: Graft::with_toy_task(), cloud, on: "runpod" })
    }

    /// A training on a rented machine.
    fn train<'a>(&self, more: &[&'a str]) -> Vec<&'a str> {
        [&TRAIN[..], &["--on", self.on], more].concat()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.graft.command(args);
        command.envs(self.cloud.environment());
        command
    }

    fn json(&self, args: &[&str]) -> Value {
        let said = Said::of(self.command(&[args, &["--json"]].concat()));
        assert_eq!(said.code, 0, "{args:?}\n{}\n{}", said.stdout, said.stderr);
        serde_json::from_str(&said.stdout).unwrap()
    }

    /// A training of one epoch, whatever it costs.
    fn train_shortly(&self, seed: usize) -> Said {
        let seed = seed.to_string();
        let mut command = self.command(&self.train(&["--no-eval", "--epochs", "1", "--seed", &seed]));
        command.env("GRAFT_RENT_RUN_LIMIT", "1000").env("GRAFT_RENT_MONTH_LIMIT", "1000");
        Said::of(command)
    }

    #[track_caller]
    fn refused(said: Said, code: i32, words: &str) -> Said {
        assert_eq!(said.code, code, "{}\n{}", said.stdout, said.stderr);
        assert!(said.stderr.contains(words) && said.stderr.contains("hint: "), "`{words}`: {}", said.stderr);
        said
    }

    fn begin(&self, args: &[&str]) -> Child {
        self.command(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    fn run(&self, id: &str) -> Value {
        self.json(&["runs", "show", id])["run"].clone()
    }

    /// Whether there is a run of this name, with its result.
    fn has_succeeded(&self, id: &str) -> bool {
        let said = Said::of(self.command(&["runs", "show", id, "--json"]));
        said.code == 0 && serde_json::from_str::<Value>(&said.stdout).unwrap()["run"]["state"] == "succeeded"
    }

    /// Sweeps, and checks that nothing of ours is left, and that what is written down is what the server wants.
    #[track_caller]
    fn check_bill(&self, what: &str) {
        // A machine that was asked for just before may come up behind a sweep; a minute is what is promised.
        let began = Instant::now();
        let sweep = loop {
            let sweep = self.json(&["machines", "sweep"]);
            if !self.cloud.machines().iter().any(|machine| machine.runs) || began.elapsed() > Duration::from_secs(60) {
                break sweep;
            }
        };
        assert_eq!(sweep["running"], serde_json::json!([]), "{what}: {sweep:#}");
        for machine in self.cloud.machines() {
            assert!(!machine.runs, "{what}: {machine:?} is left running");
        }
        let rentals = self.rentals();
        for machine in self.cloud.machines() {
            let name = machine.name.clone().unwrap();
            let known = rentals.iter().find(|rental| rental.name == name);
            let cents = known.unwrap_or_else(|| panic!("{what}: {name} is unknown")).cents(i64::MAX);
            // What is a moment longer here than there may begin another unit.
            let most = machine.cents_after(Duration::from_secs(15));
            let is_paid = (machine.cents..=most).contains(&cents);
            assert!(is_paid, "{what}: {cents} cents, the bill says {machine:?}: {known:#?}");
        }
    }

    fn rentals(&self) -> Vec<graft_core::Rental> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            graft_store::Store::open(&self.graft.database()).await.unwrap().rentals().await.unwrap()
        })
    }
}

/// Every file below a folder that holds a text.
fn holding(folder: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.metadata().is_ok_and(|about| about.len() < 64 << 20)
                && fs::read(&path).is_ok_and(|bytes| bytes.windows(text.len()).any(|part| part == text.as_bytes()))
            {
                found.push(path.display().to_string());
            }
        }
    }
    found
}

#[test]
fn train_on_rented_machine_terminates_it_afterwards() {
    let Some(place) = Place::lambda() else { return };
    let dry = place.json(&place.train(&["--dry-run", "--version", "v1"]));
    let quote = &dry["rental"]["quote"];
    assert_eq!((&quote["offer"]["kind"], &quote["most_cents"]), (&"gpu_1x_a10".into(), &150.into()), "{dry:#}");
    assert!(dry["preflight"]["estimate"]["seconds"].is_number() && dry["rental"]["cents"].is_null(), "{dry:#}");
    assert_eq!(place.cloud.machines().len(), 0, "nothing is rented, nothing is queued");
    assert_eq!(place.json(&["runs", "list"])["runs"], serde_json::json!([]));
    let theirs = place.cloud.launch_foreign(Some("web"));
    place.cloud.delay(Duration::from_secs(1), Duration::ZERO);
    let said = Said::of(place.command(&place.train(&["--run-id", "one", "--version", "v1", "--skip-base"])));
    assert_eq!(said.code, 0, "{}\n{}", said.stdout, said.stderr);
    assert!(said.stderr.contains("Renting gpu_1x_a10 in us-east-1 at $0.75 an hour"), "{}", said.stderr);
    assert!(said.stdout.contains("v1 of text-classification"), "{}", said.stdout);
    let machines = place.cloud.machines();
    assert_eq!(machines.iter().map(|machine| machine.runs).collect::<Vec<_>>(), [true, false], "{machines:?}");
    check_events(&place.graft, "one");
    // It is the same training as here.
    let here = place.json(&[&TRAIN[..], &["--run-id", "here", "--no-eval"]].concat());
    assert_eq!(here["run"], "here");
    let adapter =
        |run: &str| fs::read(place.graft.home().join("runs").join(run).join("adapter/adapter_model.safetensors"));
    assert_eq!(adapter("one").unwrap(), adapter("here").unwrap());
    // What it cost is in its directory, and with the run.
    let text = fs::read_to_string(place.graft.home().join("runs/one/metadata.json")).unwrap();
    let metadata: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(metadata["cost_cents"], machines[1].cents, "{metadata:#}");
    assert_eq!((&metadata["is_final"], &metadata["version"]), (&true.into(), &"v1".into()), "{metadata:#}");
    let rental = &metadata["rentals"][0];
    assert_eq!((&rental["instance_type"], &rental["region"]), (&"gpu_1x_a10".into(), &"us-east-1".into()));
    let shown = Said::of(place.command(&["runs", "show", "one"]));
    assert!(shown.stdout.contains(&format!("${}.{:02} for gpu_1x_a10", 0, machines[1].cents)), "{}", shown.stdout);
    // Somebody else's machine is shown, and left alone.
    let sweep = place.json(&["machines", "sweep"]);
    assert_eq!(sweep["foreign"], serde_json::json!([format!("{theirs} (web)")]));
    assert_eq!(place.cloud.complaints(), (0, Vec::new()));
    // The next estimate knows how fast such a machine is.
    let dry = place.json(&place.train(&["--dry-run", "--seed", "7"]));
    assert!(dry["rental"]["cents"].as_u64().unwrap() > 0, "{dry:#}");
}

#[test]
fn train_on_rented_pod_deletes_it_afterwards() {
    let Some(place) = Place::runpod() else { return };
    let mut command = place.command(&place.train(&[]));
    command.env("RUNPOD_API_KEY", "");
    let said = Place::refused(Said::of(command), 2, "RUNPOD_API_KEY is not set");
    assert!(said.stderr.contains("https://www.console.runpod.io/user/settings"), "{}", said.stderr);
    let dry = place.json(&place.train(&["--dry-run"]));
    let quote = &dry["rental"]["quote"];
    assert_eq!((&quote["offer"]["kind"], &quote["most_cents"]), (&"NVIDIA L4".into(), &90.into()), "{dry:#}");
    assert_eq!(place.cloud.machines().len(), 0);
    // The cheapest can't be had after all, and the answer to the launch of the next is lost; it is listed late.
    place.cloud.delay(Duration::from_secs(1), Duration::from_secs(3));
    place.cloud.fill("NVIDIA L4", "EU-RO-1");
    let train = |run: &str| {
        let said = Said::of(place.command(&place.train(&["--no-eval", "--run-id", run])));
        assert_eq!(said.code, 0, "{}\n{}", said.stdout, said.stderr);
        place.check_bill(run);
        said
    };
    let said = train("one");
    assert!(said.stderr.contains("renting NVIDIA L4 in US-KS-2 for $0.45 an hour"), "{}", said.stderr);
    place.cloud.heal();
    place.cloud.fail_next(place.cloud.launch_call(), Fault::LostAnswer);
    train("two");
    let rentals = place.rentals();
    assert_eq!(rentals.iter().map(|rental| rental.provider.as_str()).collect::<Vec<_>>(), ["runpod"; 3]);
    // The port is the pod's own, as is the user.
    let address = rentals[2].address.as_deref().unwrap();
    assert!(address.starts_with("ssh://") && address.contains("@127.0.0.1:"), "{address}");
    let text = fs::read_to_string(place.graft.home().join("runs/two/metadata.json")).unwrap();
    let metadata: Value = serde_json::from_str(&text).unwrap();
    let cents = rentals[2].cents(i64::MAX);
    assert_eq!((&metadata["cost_cents"], &metadata["is_final"]), (&cents.into(), &true.into()), "{metadata:#}");
    place.cloud.delay(Duration::ZERO, Duration::ZERO);
    let theirs = place.cloud.launch_foreign(Some("web"));
    let sweep = place.json(&["machines", "sweep"]);
    assert_eq!(sweep["foreign"], serde_json::json!([format!("{theirs} (web)")]));
    assert_eq!(place.cloud.complaints(), (0, Vec::new()));
}

#[test]
fn failing_provider_leaves_no_machine_of_another_running() {
    let Some(place) = Place::runpod() else { return };
    place.json(&["machines", "sweep"]);
    let word = fs::read_to_string(place.graft.home().join("instance")).unwrap();
    let lost = place.cloud.launch_foreign(Some(&format!("graft-{}-lost", word.trim())));
    let mut command = place.command(&["machines", "sweep"]);
    command.env("LAMBDA_API_KEY", "secret_key").env("LAMBDA_API_URL", "http://127.0.0.1:9");
    Place::refused(Said::of(command), 14, "Lambda Cloud");
    let machines = place.cloud.machines();
    assert!(machines.iter().any(|machine| machine.id == lost && !machine.runs), "{machines:?}");
    // Without any key nothing can be found out.
    let mut command = place.command(&["machines", "sweep"]);
    command.env_remove("RUNPOD_API_KEY");
    Place::refused(Said::of(command), 2, "none of LAMBDA_LABS_API_KEY, LAMBDA_API_KEY, RUNPOD_API_KEY is set");
}

#[test]
fn key_is_not_sent_and_problems_are_reported_before_renting() {
    let Some(place) = Place::lambda() else { return };
    let without = |variable: &str, value: &str| {
        let mut command = place.command(&place.train(&[]));
        command.env(variable, value);
        Said::of(command)
    };
    let said = without("LAMBDA_API_KEY", "");
    Place::refused(said, 2, "LAMBDA_LABS_API_KEY or LAMBDA_API_KEY is not set");
    let said = Place::refused(without("LAMBDA_API_KEY", "secret_wrong"), 2, "the API key is refused");
    assert!(said.stderr.contains("https://cloud.lambda.ai/api-keys") && !said.stderr.contains("secret_wrong"));
    Place::refused(without("GRAFT_RENT_RUN_LIMIT", "1.49"), 2, "cost up to $1.50");
    Place::refused(without("GRAFT_RENT_MONTH_LIMIT", "1"), 2, "a month may cost $1.00");
    Place::refused(without("GRAFT_RENT_TYPES", "gpu_1x_rtx6000"), 14, "none of gpu_1x_rtx6000");
    Place::refused(without("GRAFT_RENT_MINUTES", "soon"), 2, "`soon` for GRAFT_RENT_MINUTES");
    assert_eq!(place.cloud.machines().len(), 0);
    place.graft.fails(2, &["machines", "add", "lambda", "there"], "is reserved for rented machines");
    // A training with its worker; the client's configuration would send every variable.
    let long = ["--epochs", "300", "--checkpoints-per-epoch", "3", "--patience", "0", "--no-eval", "--run-id", "long"];
    let mut command = place.begin(&place.train(&long));
    let home = wait(|| place.cloud.homes().pop().filter(|home| home.join(".cache/graft/jobs/long/pid").exists()));
    let pid = fs::read_to_string(home.join(".cache/graft/jobs/long/pid")).unwrap();
    let pid = pid.split(' ').nth(2).unwrap().to_owned();
    let environment = fs::read(format!("/proc/{pid}/environ")).unwrap();
    assert!(!String::from_utf8_lossy(&environment).contains(place.cloud.key()), "the trainer there has the key");
    assert!(String::from_utf8_lossy(&environment).contains("GRAFT_RENT_USER"), "the client sends what it has");
    assert_eq!(holding(&home, place.cloud.key()), Vec::<String>::new());
    let shown = place.json(&["machines", "list"]);
    assert_eq!((&shown["rentals"][0]["run"], &shown["rentals"][0]["kind"]), (&"long".into(), &"gpu_1x_a10".into()));
    place.json(&["runs", "stop", "long"]);
    command.wait().unwrap();
    assert_eq!(place.run("long")["state"], "cancelled");
    assert_eq!(holding(&place.graft.home(), place.cloud.key()), Vec::<String>::new());
    place.check_bill("cancelled");
}

#[test]
fn provider_failures_leave_no_machine_running() {
    let Some(place) = Place::lambda() else { return };
    // A machine of ours whose row is lost, and others'.
    place.json(&["machines", "list"]);
    assert_eq!(place.json(&["machines", "sweep"])["terminated"], serde_json::json!([]));
    let word = fs::read_to_string(place.graft.home().join("instance")).unwrap();
    let theirs = [place.cloud.launch_foreign(None), place.cloud.launch_foreign(Some("graft-0123456789ab-1"))];
    let lost = place.cloud.launch_foreign(Some(&format!("graft-{}-lost", word.trim())));
    let sweep = place.json(&["machines", "sweep"]);
    assert_eq!(sweep["terminated"], serde_json::json!([format!("graft-{}-lost", word.trim())]), "{sweep:#}");
    assert_eq!(sweep["foreign"].as_array().unwrap().len(), 2, "{sweep:#}");
    let state = |id: &str| place.cloud.machines().into_iter().find(|machine| machine.id == id).unwrap().runs;
    assert_eq!((state(&theirs[0]), state(&theirs[1]), state(&lost)), (true, true, false));

    let Some(place) = Place::lambda() else { return };
    fail_calls(&place, 1);
    // What can't be had is looked for elsewhere, and told when it can't be had at all.
    place.cloud.fill("gpu_1x_a10", "us-east-1");
    assert_eq!(place.train_shortly(100).code, 0);
    assert_eq!(place.rentals().last().unwrap().region, "us-west-1");
    // Listed late, a machine whose launch wasn't answered is found all the same.
    place.cloud.heal();
    place.cloud.delay(Duration::from_millis(500), Duration::from_secs(3));
    place.cloud.fail_next(place.cloud.launch_call(), Fault::LostAnswer);
    assert_eq!(place.train_shortly(102).code, 0);
    place.check_bill("listed late");
    assert_eq!(place.cloud.complaints(), (0, Vec::new()));
}

/// Trains once while each `step`th call of a training meets a fault: one kind of fault each, and all of them in the campaign.
fn fail_calls(place: &Place, step: usize) {
    let said = place.train_shortly(0);
    assert_eq!(said.code, 0, "{}", said.stderr);
    let calls = place.cloud.calls().len();
    place.check_bill("nothing failed");
    let is_long = std::env::var_os("GRAFT_KILLS").is_some();
    let faults = Fault::all();
    for call in (0..calls).step_by(if is_long { 1 } else { step }) {
        for fault in faults.iter().skip(if is_long { 0 } else { call % faults.len() }).take(if is_long { 5 } else { 1 })
        {
            place.cloud.fail_after(call, *fault);
            let said = place.train_shortly(1 + call);
            let what = format!("{fault:?} at call {call} of {calls}: {}", said.stderr);
            assert_eq!(said.code, 0, "{what}");
            place.cloud.heal();
            place.check_bill(&what);
        }
    }
}

#[test]
fn provider_failures_leave_no_pod_running() {
    let Some(place) = Place::runpod() else { return };
    fail_calls(&place, 2);
    assert_eq!(place.cloud.complaints(), (0, Vec::new()));
}

#[test]
fn failed_rented_machine_is_replaced() {
    let Some(place) = Place::lambda() else { return };
    let long = ["--epochs", "800", "--checkpoints-per-epoch", "3", "--patience", "0", "--no-eval"];
    let whole = place.json(&[&TRAIN[..], &long[..], &["--run-id", "whole"]].concat());
    assert_eq!(whole["run"], "whole");
    for (run, terminated) in [("taken", true), ("sick", false)] {
        let mut command = place.begin(&place.train(&[&long[..], &["--run-id", run, "--version", run]].concat()));
        // Its checkpoints are collected as they are made.
        let checkpoints = place.graft.home().join("runs").join(run).join("checkpoints");
        wait(|| checkpoints.read_dir().ok()?.next()).unwrap();
        place.cloud.break_machines(terminated);
        assert_eq!(command.wait().unwrap().code(), Some(0), "{:#}", place.run(run));
        let adapter = |run: &str| {
            fs::read(place.graft.home().join("runs").join(run).join("adapter/adapter_model.safetensors")).unwrap()
        };
        assert_eq!(adapter(run), adapter("whole"), "{run}");
        assert!(place.rentals().iter().filter(|rental| rental.run == run).count() >= 2);
        check_events(&place.graft, run);
    }
    place.json(&["machines", "sweep"]);
    assert!(place.cloud.machines().iter().all(|machine| !machine.runs));
}

#[test]
fn unattended_machine_is_terminated_or_shuts_down() {
    let Some(place) = Place::lambda() else { return };
    leave_alone(&place);
}

#[test]
fn unattended_pod_is_deleted_or_deletes_itself() {
    let Some(place) = Place::runpod() else { return };
    leave_alone(&place);
    // Nothing but its own key was there.
    assert_eq!(place.cloud.complaints(), (0, Vec::new()));
}

/// Kills every process that looks after a machine: first all, then all but a server.
fn leave_alone(place: &Place) {
    let long = ["--epochs", "9000", "--checkpoints-per-epoch", "3", "--patience", "0", "--no-eval", "--run-id", "long"];
    let begin = |silence: &str| {
        let mut command = place.command(&place.train(&long));
        command.env("GRAFT_RENT_SILENCE", silence).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().unwrap();
        let home = wait(|| place.cloud.homes().pop().filter(|home| home.join(".cache/graft/jobs/long/pid").exists()));
        assert_eq!(holding(&home, place.cloud.key()), Vec::<String>::new());
        (child, home)
    };
    let kill = |mut child: Child| {
        child.kill().unwrap();
        child.wait().unwrap();
    };
    // Nobody is left here: the machine's own deadline ends it.
    let (child, home) = begin("8");
    kill(child);
    wait(|| home.join("halted").exists().then_some(()));
    place.check_bill("halted");
    // A server without a worker terminates what no live run needs.
    let (child, _) = begin("900");
    let mut server = place.begin(&["serve", "--no-worker", "--bind", "127.0.0.1:0"]);
    kill(child);
    wait(|| place.cloud.machines().iter().all(|machine| !machine.runs).then_some(()));
    server.kill().unwrap();
    server.wait().unwrap();
    place.check_bill("after a server");
}

#[test]
fn run_ends_at_its_cost_limit() {
    let Some(place) = Place::lambda() else { return };
    let long = ["--epochs", "10000", "--patience", "0", "--no-eval", "--run-id", "long"];
    let mut command = place.command(&place.train(&long));
    command.env("GRAFT_RENT_MINUTES", "1");
    let said = Said::of(command);
    assert_eq!(said.code, 1, "{}", said.stderr);
    assert!(said.stderr.contains("the limit of 1 minutes or $0.02 is reached"), "{}", said.stderr);
    assert_eq!(place.run("long")["state"], "failed");
    assert_eq!(place.rentals().len(), 1, "{:#?}", place.rentals());
    place.check_bill("at its limit");
}

#[test]
fn no_machine_survives_a_killed_process() {
    let Some(place) = Place::lambda() else { return };
    kill_often(&place, 20);
}

#[test]
fn no_pod_survives_a_killed_process() {
    let Some(place) = Place::runpod() else { return };
    kill_often(&place, 6);
}

/// Kills trainings at random moments.
fn kill_often(place: &Place, usual: u64) {
    let number = |name: &str, usual: u64| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual);
    let (kills, seed) = (number("GRAFT_KILLS", usual), number("GRAFT_SEED", 17));
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    place.cloud.delay(Duration::from_millis(300), Duration::from_millis(200));
    let (mut round, mut ended) = (0, 0);
    for kill in 0..kills {
        let run = format!("run{round}");
        let seed = round.to_string();
        let length = ["--no-eval", "--epochs", "12", "--checkpoints-per-epoch", "3", "--patience", "0"];
        let mut command = place.command(&place.train(&[&length[..], &["--seed", &seed, "--run-id", &run]].concat()));
        command.env("GRAFT_RENT_RUN_LIMIT", "1000").env("GRAFT_RENT_MONTH_LIMIT", "10000");
        let log = place.graft.dir.path().join("stderr.log");
        let mut child = command.stdout(Stdio::null()).stderr(std::fs::File::create(&log).unwrap()).spawn().unwrap();
        sleep(Duration::from_millis(random.random_range(0..7_000)));
        child.kill().unwrap();
        let code = child.wait().unwrap().code();
        let said = || std::fs::read_to_string(&log).unwrap();
        assert!(matches!(code, None | Some(0)), "kill {kill}: it failed before it was killed: {}", said());
        // The run may have come to its end a moment before the kill.
        if place.has_succeeded(&run) {
            (round, ended) = (round + 1, ended + 1);
        }
        // Every other time, another process continues the run and its machine, if it has one.
        if random.random_range(0..2) == 0 {
            place.check_bill(&format!("kill {kill} of seed {seed}"));
        }
    }
    place.check_bill("the end");
    println!("{kills} kills, {} machines, {ended} runs came to their end", place.cloud.machines().len());
    let theirs = place.rentals().iter().map(|rental| rental.cents(i64::MAX)).sum::<u64>();
    println!("{theirs} cents, as the bill says");
}

fn wait<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < Duration::from_secs(180), "it doesn't come");
        sleep(Duration::from_millis(20));
    }
}
