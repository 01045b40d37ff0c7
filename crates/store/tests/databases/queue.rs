use std::time::{Duration, Instant};

use graft_core::{Assignment, Dataset, Digest, ExitCode, Failure};
use graft_store::{
    Again, ChangeFilter, Due, Error, Free, Lease, NewEvaluation, NewMachine, NewRun, NewSchedule, NewVersion, Priority,
    Run, RunFilter, RunKind, RunState, RunUpdate, Store, Submission, Wish,
};
use rand::{RngExt as _, SeedableRng as _, rngs::ChaCha8Rng};
use serde_json::json;

use crate::support::{Database, TASK, again, is_sqlite, new_version, on_both, spec};

on_both!(
    the_queue_goes_by_priority_then_age,
    a_machine_has_its_own_slots,
    a_run_waits_for_threads_time_and_another_run,
    a_stale_holder_writes_nothing,
    clocks_that_jump_neither_end_leases_nor_revive_them,
    a_lease_ends_by_itself_or_at_once,
    a_run_is_cancelled_at_any_state,
    an_ended_run_goes_back_or_away,
    one_of_many_workers_gets_a_run,
    one_submission_per_time_of_a_schedule,
    watchers_hear_of_other_processes,
    processes_on_one_postgres_hear_each_other,
    at_every_failure_a_submission_is_whole_or_absent,
    a_request_that_is_sent_again_gets_its_run,
    a_version_is_measured_once_at_a_time_beside_a_training,
);

const ALL: Free = Free { threads: 2, idle: true, gpus: None };
const LONG: i64 = 60_000;

fn dataset() -> Dataset {
    Dataset {
        digest: Digest::of(b"dataset"),
        train: Vec::new(),
        eval: Vec::new(),
        leaking: Vec::new(),
        assignment: Assignment::new(),
    }
}

fn order() -> Submission<'static> {
    static REQUEST: std::sync::LazyLock<serde_json::Value> = std::sync::LazyLock::new(|| json!({"task": "t"}));
    Submission {
        priority: Priority::Normal,
        after: None,
        activate: false,
        version: None,
        max_attempts: 3,
        request: &REQUEST,
        due: None,
        task_revision: None,
        key: None,
        machine: None,
    }
}

async fn submit(store: &Store, id: &str, order: &Submission<'_>) -> Result<Run, Error> {
    let spec = spec(id);
    let dir = format!("runs/{id}");
    // A task of its own each, so that they don't stand in each other's way.
    let new = NewRun { task: id, spec: &spec, dir: &dir };
    store.submit_run(new, order, &dataset(), "ada", 10).await
}

async fn claim(store: &Store, free: Free) -> Option<(Run, Lease)> {
    store.claim_run("w1", LONG, free, None, "worker").await.unwrap()
}

async fn claimed(store: &Store) -> String {
    claim(store, ALL).await.map_or_else(String::new, |(run, _)| run.id)
}

/// As often as the first time, and with nothing new.
const AGAIN: Again = Again { max_attempts: 3, request: None, version: None };

fn ready(_: &Run) -> Result<(), Error> {
    Ok(())
}

fn to(state: RunState) -> RunUpdate {
    RunUpdate { state: Some(state), ..RunUpdate::default() }
}

async fn the_queue_goes_by_priority_then_age(database: Database) {
    let store = &database.store;
    for (id, priority) in
        [("a", Priority::Low), ("b", Priority::Normal), ("c", Priority::High), ("d", Priority::Normal)]
    {
        submit(store, id, &Submission { priority, ..order() }).await.unwrap();
    }
    // A command that works on its own run takes no other.
    submit(store, "own", &Submission { priority: Priority::Low, ..order() }).await.unwrap();
    let own = |id: &'static str| store.claim_run("command", LONG, ALL, Some(id), "ada");
    assert_eq!(own("own").await.unwrap().unwrap().0.id, "own");
    assert_eq!(own("own").await.unwrap(), None, "once");
    let (run, lease) = claim(store, ALL).await.unwrap();
    assert_eq!((run.id.as_str(), run.state, run.attempts, lease.fence), ("c", RunState::Starting, 1, 1));
    assert_eq!(
        [claimed(store).await, claimed(store).await, claimed(store).await, claimed(store).await],
        ["b", "d", "a", ""]
    );
    assert_eq!(store.count_runs(&RunFilter::default()).await.unwrap(), 5);
}

async fn a_machine_has_its_own_slots(database: Database) {
    let store = &database.store;
    let gpu = NewMachine { name: "gpu", destination: "ada@gpu", slots: 2, program: None };
    store.add_machine(gpu, "ada", 5).await.unwrap();
    assert!(matches!(store.add_machine(gpu, "ada", 5).await, Err(Error::MachineExists(_))));
    assert_eq!(store.machine("gpu").await.unwrap().destination, "ada@gpu");
    for id in ["far1", "far2", "far3"] {
        submit(store, id, &Submission { machine: Some("gpu"), ..order() }).await.unwrap();
    }
    submit(store, "near", &order()).await.unwrap();
    assert!(matches!(store.remove_machine("gpu", "ada", 6).await, Err(Error::MachineBusy { .. })));
    // A worker whose threads are all taken has a slot for what executes elsewhere, as often as the machine has one.
    let busy = Free { threads: 0, idle: false, gpus: None };
    let (first, lease) = claim(store, busy).await.unwrap();
    assert_eq!((first.id.as_str(), first.machine.as_deref()), ("far1", Some("gpu")));
    assert_eq!(claim(store, busy).await.unwrap().0.id, "far2");
    assert!(claim(store, busy).await.is_none(), "both slots are taken");
    assert_eq!(claimed(store).await, "near", "what waits for a machine holds nobody up");
    store.update_held(&lease, &to(RunState::Failed), "w", 7).await.unwrap();
    assert_eq!(claimed(store).await, "far3");
    for id in ["far2", "far3"] {
        store.cancel_run(id, "ada", 8).await.unwrap();
        let run = store.run(id).await.unwrap();
        let (_, lease) = store.take_over(&run, "w1", LONG).await.unwrap();
        store.update_held(&lease, &to(RunState::Cancelled), "w", 9).await.unwrap();
    }
    assert_eq!(store.remove_machine("gpu", "ada", 10).await.unwrap().name, "gpu");
    assert!(matches!(store.remove_machine("gpu", "ada", 10).await, Err(Error::NoMachine(_))));
    assert_eq!(store.machines().await.unwrap(), []);
    assert_eq!(store.run("far1").await.unwrap().machine.as_deref(), Some("gpu"), "a run says where it was");
}

async fn a_run_waits_for_threads_time_and_another_run(database: Database) {
    let store = &database.store;
    submit(store, "a", &order()).await.unwrap();
    submit(store, "b", &Submission { after: Some("a"), ..order() }).await.unwrap();
    assert!(matches!(submit(store, "c", &Submission { after: Some("x"), ..order() }).await, Err(Error::NoRun(_))));
    assert!(matches!(store.run("c").await, Err(Error::NoRun(_))), "nothing is left of it");
    // It takes all threads of an idle worker.
    assert!(claim(store, Free { idle: false, ..ALL }).await.is_none());
    // It leaves the device to the machine, whose first GPU another run has.
    assert!(claim(store, Free { gpus: Some(0b10), ..ALL }).await.is_none());
    let (_, lease) = claim(store, Free { gpus: Some(0b01), ..ALL }).await.unwrap();
    assert_eq!(claimed(store).await, "");
    let now = store.now().await.unwrap();
    let reason = Failure::new("the network failed", ExitCode::Network);
    let waiting = store.requeue_run(&lease, now + LONG, &reason, "w", 20).await.unwrap();
    assert_eq!((waiting.state, waiting.failure.as_ref()), (RunState::Queued, Some(&reason)));
    assert_eq!(claimed(store).await, "");
    let (later, lease) = store.take_over(&waiting, "w1", LONG).await.unwrap();
    store.requeue_run(&lease, now - 1, &reason, "w", 20).await.unwrap();
    assert_eq!(later.attempts, 1);
    let (run, lease) = claim(store, ALL).await.unwrap();
    assert_eq!((run.id.as_str(), run.attempts, run.failure), ("a", 2, None));
    store.update_held(&lease, &to(RunState::Running), "w", 21).await.unwrap();
    store.update_held(&lease, &to(RunState::Succeeded), "w", 22).await.unwrap();
    // What has succeeded may be deleted: who waited for it still goes on, and who waits for a failure doesn't.
    store.delete_run("a", "ada", 23).await.unwrap();
    assert!(store.cancel_orphans("w", 24).await.unwrap().is_empty());
    submit(store, "d", &order()).await.unwrap();
    submit(store, "e", &Submission { after: Some("d"), ..order() }).await.unwrap();
    store.cancel_run("d", "ada", 25).await.unwrap();
    store.delete_run("d", "ada", 26).await.unwrap();
    assert_eq!(store.cancel_orphans("w", 27).await.unwrap().len(), 1);
    assert_eq!(claimed(store).await, "b");
}

async fn a_version_is_measured_once_at_a_time_beside_a_training(database: Database) {
    let store = &database.store;
    let adapter = spec("r").adapter;
    let version = new_version(None);
    let v1 = store.add_version(&version, "ada", 1).await.unwrap();
    let v2 = store.add_version(&version, "ada", 2).await.unwrap();
    let request = json!({"task": TASK});
    let measure = async |id, version| {
        let (dataset, request) = (&dataset(), &request);
        let new =
            NewEvaluation { id, version, adapter: Some(&adapter), dataset, dir: "runs/e", request, max_attempts: 3 };
        store.submit_evaluation(new, "ada", 10).await.map(|(run, begun)| (run.id, begun))
    };
    let training = spec("training");
    let new = NewRun { task: TASK, spec: &training, dir: "runs/t" };
    store.submit_run(new, &order(), &dataset(), "ada", 9).await.unwrap();
    assert_eq!(measure("e1", &v1).await.unwrap(), ("e1".into(), true));
    assert_eq!(measure("e2", &v1).await.unwrap(), ("e1".into(), false));
    assert_eq!(measure("e3", &v2).await.unwrap(), ("e3".into(), true));
    // What somebody waits for comes first; the task's place for trainings is not theirs.
    assert_eq!(store.active_run(TASK).await.unwrap().unwrap().id, "training");
    let (run, lease) = claim(store, ALL).await.unwrap();
    assert_eq!((run.id.as_str(), run.kind, run.version.as_deref()), ("e1", RunKind::Evaluate, Some("v1")));
    store.update_held(&lease, &to(RunState::Failed), "w1", 20).await.unwrap();
    assert_eq!(measure("e4", &v1).await.unwrap(), ("e4".into(), true));
    let never = |_: &Run| -> Result<(), Error> { panic!("what a refused run has is left alone") };
    let refused = store.queue_again("e1", AGAIN, "ada", 21, never).await;
    assert!(matches!(refused, Err(Error::RunActive { run, .. }) if run == "e4"));
    // Whoever lost the run writes no numbers.
    let numbers = ("evaluation", &json!(1));
    assert!(matches!(store.set_metric(&v1, numbers, Some(&lease), "w1", 22).await, Err(Error::LeaseLost { .. })));
    let of = |kind| RunFilter { kind: Some(kind), ..RunFilter::default() };
    assert_eq!(store.count_runs(&of(RunKind::Train)).await.unwrap(), 1);
    assert_eq!(store.runs(&of(RunKind::Evaluate)).await.unwrap().len(), 3);
}

async fn clocks_that_jump_neither_end_leases_nor_revive_them(database: Database) {
    let store = &database.store;
    let decade = 10 * 365 * 24 * 3_600_000;
    let holds = async |lease_millis, id| {
        submit(store, id, &order()).await.unwrap();
        let (run, lease) = store.claim_run("w1", lease_millis, ALL, None, "w1").await.unwrap().unwrap();
        assert_eq!(run.id, id);
        // The holder's own clock goes wrong, one way and the other.
        for at in [graft_core::Timestamp::MAX, store.now().await.unwrap() + decade, 0] {
            store.update_held(&lease, &RunUpdate::default(), "w1", at).await.unwrap();
        }
        let run = store.run(id).await.unwrap();
        let abandoned = store.abandoned_runs().await.unwrap().iter().any(|run| run.id == id);
        (store.is_held(&run).await.unwrap(), abandoned, store.take_over(&run, "w2", LONG).await.is_ok())
    };
    assert_eq!(holds(LONG, "held").await, (true, false, false));
    assert_eq!(holds(-1, "ended").await, (false, true, true));
}

async fn a_stale_holder_writes_nothing(database: Database) {
    let store = &database.store;
    submit(store, "a", &order()).await.unwrap();
    let (run, old) = store.claim_run("w1", -1, ALL, None, "w1").await.unwrap().unwrap();
    let abandoned = store.abandoned_runs().await.unwrap();
    assert_eq!(abandoned.len(), 1);
    let (_, new) = store.take_over(&run, "w2", LONG).await.unwrap();
    assert!(matches!(store.take_over(&run, "w3", LONG).await, Err(Error::LeaseLost { .. })));
    let now = store.run("a").await.unwrap();
    assert!(matches!(store.take_over(&now, "w3", LONG).await, Err(Error::LeaseHeld { .. })));
    let version = NewVersion { run: Some("a".into()), ..new_version(None) };
    let lost = |error: &Error| matches!(error, Error::LeaseLost { .. });
    assert!(lost(&store.renew_lease(&old, LONG).await.unwrap_err()));
    assert!(lost(&store.update_held(&old, &to(RunState::Running), "w1", 20).await.unwrap_err()));
    assert!(lost(&store.requeue_run(&old, 0, &Failure::new("late", ExitCode::Internal), "w1", 20).await.unwrap_err()));
    assert!(lost(&store.release_lease(&old).await.unwrap_err()));
    assert!(lost(&store.add_version_held(&old, &version, "w1", 20).await.unwrap_err()));
    assert!(store.versions(None).await.unwrap().is_empty());
    assert_eq!(store.add_version_held(&new, &version, "w2", 21).await.unwrap().name, "v1");
    store.update_held(&new, &to(RunState::Running), "w2", 22).await.unwrap();
    // After the end nobody holds it.
    store.update_held(&new, &to(RunState::Succeeded), "w2", 23).await.unwrap();
    assert!(lost(&store.update_held(&new, &RunUpdate::default(), "w2", 24).await.unwrap_err()));
    assert!(lost(&store.take_over(&now, "w3", LONG).await.unwrap_err()), "it ended since it was seen");
    let fences: Vec<i64> = (store.changes(&ChangeFilter::default()).await.unwrap().iter())
        .filter_map(|change| change.after.as_ref()?.get("fence")?.as_i64())
        .collect();
    assert!(fences.is_sorted(), "{fences:?}");
}

async fn a_lease_ends_by_itself_or_at_once(database: Database) {
    let store = &database.store;
    submit(store, "a", &order()).await.unwrap();
    let (run, lease) = store.claim_run("w1", LONG, ALL, None, "w1").await.unwrap().unwrap();
    assert!(store.is_held(&run).await.unwrap() && store.abandoned_runs().await.unwrap().is_empty());
    let held = store.held_runs().await.unwrap();
    assert_eq!((held.len(), &held[0].run, &held[0].owner), (1, &run.id, &lease.owner), "{held:?}");
    assert!((1..=LONG).contains(&held[0].left_ms), "{held:?}");
    store.renew_lease(&lease, 1).await.unwrap();
    let other = again(&database).await;
    while other.abandoned_runs().await.unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // Late, but nobody else came.
    store.renew_lease(&lease, LONG).await.unwrap();
    assert!(store.abandoned_runs().await.unwrap().is_empty());
    store.release_lease(&lease).await.unwrap();
    assert_eq!(store.abandoned_runs().await.unwrap().len(), 1);
    assert_eq!(store.held_runs().await.unwrap()[0].left_ms, 0);
}

async fn a_run_is_cancelled_at_any_state(database: Database) {
    let store = &database.store;
    submit(store, "a", &order()).await.unwrap();
    submit(store, "b", &Submission { after: Some("a"), ..order() }).await.unwrap();
    assert_eq!(store.cancel_run("a", "ada", 20).await.unwrap().state, RunState::Cancelled);
    assert!(matches!(store.cancel_run("a", "ada", 20).await, Err(Error::RunState { .. })));
    let orphans = store.cancel_orphans("w", 21).await.unwrap();
    assert_eq!((orphans.len(), orphans[0].state), (1, RunState::Cancelled));
    assert!(orphans[0].failure.as_ref().unwrap().message.contains("`a`"));
    submit(store, "c", &order()).await.unwrap();
    let (_, lease) = claim(store, ALL).await.unwrap();
    let told = store.cancel_run("c", "ada", 22).await.unwrap();
    assert_eq!((told.state, told.wants), (RunState::Starting, Some(Wish::Cancel)));
    assert_eq!(store.renew_lease(&lease, LONG).await.unwrap().wants, Some(Wish::Cancel));
    let ended = store.update_held(&lease, &to(RunState::Cancelled), "w", 23).await.unwrap();
    assert_eq!((ended.wants, ended.lease_owner), (None, None));
}

async fn an_ended_run_goes_back_or_away(database: Database) {
    let store = &database.store;
    submit(store, "a", &order()).await.unwrap();
    let (_, lease) = claim(store, ALL).await.unwrap();
    let never = |_: &Run| -> Result<(), Error> { panic!("what a refused run has is left alone") };
    assert!(matches!(store.queue_again("a", AGAIN, "ada", 20, never).await, Err(Error::RunState { .. })));
    assert!(matches!(store.delete_run("a", "ada", 20).await, Err(Error::RunState { .. })));
    store.update_held(&lease, &to(RunState::Failed), "w", 21).await.unwrap();
    let failing = |_: &Run| Err(Error::NoRun("its directory can't be made ready".into()));
    assert!(store.queue_again("a", AGAIN, "ada", 22, failing).await.is_err());
    assert_eq!(store.run("a").await.unwrap().state, RunState::Failed);
    let queued = store.queue_again("a", AGAIN, "ada", 22, ready).await.unwrap();
    assert_eq!((queued.state, queued.attempts), (RunState::Queued, 0));
    store.cancel_run("a", "ada", 23).await.unwrap();
    assert_eq!(store.runs_finished_before(24).await.unwrap().len(), 1);
    assert!(store.runs_finished_before(23).await.unwrap().is_empty());
    store.delete_run("a", "ada", 25).await.unwrap();
    assert!(matches!(store.run("a").await, Err(Error::NoRun(_))));
}

async fn one_of_many_workers_gets_a_run(database: Database) {
    for n in 0..6 {
        submit(&database.store, &format!("r{n}"), &order()).await.unwrap();
    }
    let mut workers = Vec::new();
    for n in 0..4 {
        let store = again(&database).await;
        workers.push(tokio::spawn(async move {
            let mut mine = Vec::new();
            while let Some((run, _)) = store.claim_run(&format!("w{n}"), LONG, ALL, None, "w").await.unwrap() {
                mine.push(run.id);
            }
            mine
        }));
    }
    let mut all = Vec::new();
    for worker in workers {
        all.extend(worker.await.unwrap());
    }
    all.sort();
    assert_eq!(all, ["r0", "r1", "r2", "r3", "r4", "r5"]);
}

async fn one_submission_per_time_of_a_schedule(database: Database) {
    let store = &database.store;
    let request = json!({"task": TASK});
    let new = NewSchedule {
        id: "nightly",
        task: TASK,
        cron: "0 3 * * *",
        zone: "UTC",
        request: &request,
        min_new: 5,
        next_at: Some(100),
    };
    store.add_schedule(new, "ada", 10).await.unwrap();
    assert!(matches!(store.add_schedule(new, "ada", 10).await, Err(Error::ScheduleExists(_))));
    let due = Due { schedule: "nightly", at: 100, next_at: Some(200) };
    submit(store, "a", &Submission { due: Some(due), ..order() }).await.unwrap();
    let late = submit(store, "b", &Submission { due: Some(due), ..order() }).await.unwrap_err();
    assert!(matches!(late, Error::ScheduleMoved(_)), "{late:?}");
    assert!(matches!(store.run("b").await, Err(Error::NoRun(_))));
    store.skip_schedule(Due { at: 200, next_at: Some(300), ..due }, "too few", 250).await.unwrap();
    let schedule = store.schedules().await.unwrap().remove(0);
    assert_eq!((schedule.next_at, schedule.last_at, schedule.min_new), (Some(300), Some(250), 5));
    assert_eq!((schedule.last_run.as_deref(), schedule.last_note.as_deref()), (Some("a"), Some("too few")));
    store.remove_schedule("nightly", "ada", 300).await.unwrap();
    assert!(matches!(store.remove_schedule("nightly", "ada", 300).await, Err(Error::NoSchedule(_))));
}

async fn watchers_hear_of_other_processes(database: Database) {
    let mut watch = database.store.watch().await.unwrap();
    let before = watch.newest();
    let quiet = tokio::time::timeout(Duration::from_millis(200), watch.changed()).await;
    assert!(quiet.is_err());
    // Within a second; a machine that is busy elsewhere may be late, but not always.
    let other = again(&database).await;
    for n in 1..=5 {
        other.set_setting("n", &json!(n), "ada", n).await.unwrap();
        let said = Instant::now();
        let heard = tokio::time::timeout(Duration::from_secs(20), watch.changed()).await.unwrap();
        assert_eq!(heard, Some(before + n));
        if said.elapsed() < Duration::from_secs(1) {
            // Whoever comes later starts from there.
            assert_eq!(database.store.watch().await.unwrap().newest(), before + n);
            return;
        }
    }
    panic!("five changes were heard of late");
}

async fn processes_on_one_postgres_hear_each_other(database: Database) {
    let other = again(&database).await;
    let words = database.store.words().await;
    assert_eq!(words.is_none(), is_sqlite(&database), "a file has one server");
    other.say(r#"{"page": "it's ü"}"#).await.unwrap();
    let Some(mut words) = words else { return };
    let heard = tokio::time::timeout(Duration::from_secs(20), words.next()).await.unwrap();
    assert_eq!(heard, r#"{"page": "it's ü"}"#);
    assert!(other.say(&"x".repeat(9_000)).await.is_err());
}

async fn a_request_that_is_sent_again_gets_its_run(database: Database) {
    let store = &database.store;
    let keyed = Submission { key: Some("ada k"), ..order() };
    let first = submit(store, "a", &keyed).await.unwrap();
    assert_eq!(submit(store, "b", &keyed).await.unwrap(), first);
    assert_eq!(store.requested_run(Some("ada k")).await.unwrap(), Some(first));
    submit(store, "b", &Submission { key: Some("bob k"), ..order() }).await.unwrap();
    submit(store, "c", &order()).await.unwrap();
    submit(store, "d", &order()).await.unwrap();
    assert_eq!(store.count_runs(&RunFilter::default()).await.unwrap(), 4);
}

async fn at_every_failure_a_submission_is_whole_or_absent(database: Database) {
    for k in 1.. {
        let id = format!("k{k}");
        let failing = database.store.failing_at(k);
        let outcome = submit(&failing, &id, &order()).await;
        let stored = database.store.run(&id).await;
        if outcome.is_ok() {
            assert!(failing.fault_points() < k && stored.is_ok());
            break;
        }
        // After the commit only the answer is lost; before it, nothing is there.
        let whole = stored.is_ok_and(|run| run.request.is_some());
        assert_eq!(whole, k == 3, "at point {k}");
        assert!(k < 10);
    }
}

/// Any sequence of what workers and people do keeps the promises of the queue: one active run a task, fences that
/// only grow, nothing written by who lost a run, and no state that its predecessor doesn't allow.
#[tokio::test]
async fn whatever_happens_the_queue_keeps_its_promises() {
    let campaign = std::env::var("GRAFT_CAMPAIGN").ok().and_then(|n| n.parse().ok()).unwrap_or(8_u64);
    for seed in 0..campaign {
        let database = Database::sqlite().await;
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut dice = move |sides: u64| random.random_range(0..sides);
        let mut leases: Vec<Lease> = Vec::new();
        for step in 0..40 {
            act(&database.store, step, &mut dice, &mut leases).await;
        }
        check(&database.store).await;
    }
}

async fn act(store: &Store, step: u64, dice: &mut impl FnMut(u64) -> u64, leases: &mut Vec<Lease>) {
    let runs = store.runs(&RunFilter::default()).await.unwrap();
    let any = |n: u64| runs.get((n as usize) % runs.len().max(1)).cloned();
    // A lease that ended before it began stands for a worker that vanished.
    let millis = if dice(2) == 0 { -1 } else { LONG };
    let states = [RunState::Running, RunState::Succeeded, RunState::Failed, RunState::Cancelled, RunState::Queued];
    match dice(9) {
        0 | 1 => {
            let (id, task) = (format!("r{step}"), format!("t{}", dice(3)));
            let spec = spec(&id);
            let new = NewRun { task: &task, spec: &spec, dir: "d" };
            let busy = store.active_run(&task).await.unwrap().is_some();
            let added = store.submit_run(new, &order(), &dataset(), "ada", step as i64).await;
            assert_eq!(added.is_ok(), !busy, "{added:?}");
        }
        2 | 3 => leases.extend(store.claim_run("w", millis, ALL, None, "w").await.unwrap().map(|(_, lease)| lease)),
        4 => {
            if let Some(run) = store.abandoned_runs().await.unwrap().first() {
                leases.push(store.take_over(run, "w2", millis).await.unwrap().1);
            }
        }
        5 | 6 if !leases.is_empty() => {
            let lease = leases[dice(leases.len() as u64) as usize].clone();
            let before = store.run(&lease.run).await.ok();
            let update = to(states[dice(5) as usize]);
            let written = store.update_held(&lease, &update, "w", step as i64).await;
            let mine = before.as_ref().is_some_and(|run| {
                run.fence == lease.fence && run.lease_owner.as_deref() == Some(lease.owner.as_str())
            });
            if written.is_ok() {
                assert!(mine, "{lease:?} wrote about {before:?}");
                assert!(before.unwrap().state.may_become(update.state.unwrap()));
            }
        }
        7 => {
            if let Some(run) = any(dice(100)) {
                let cancelled = store.cancel_run(&run.id, "ada", step as i64).await;
                assert_eq!(cancelled.is_ok(), run.state.is_active());
            }
        }
        _ => {
            if let Some(run) = any(dice(100)) {
                let again = store.queue_again(&run.id, AGAIN, "ada", step as i64, ready).await;
                assert!(!(run.state.is_active() || run.state == RunState::Succeeded) || again.is_err());
            }
        }
    }
}

async fn check(store: &Store) {
    let runs = store.runs(&RunFilter::default()).await.unwrap();
    for task in ["t0", "t1", "t2"] {
        assert!(runs.iter().filter(|run| run.task == task && run.state.is_active()).count() <= 1);
    }
    let changes = store.changes(&ChangeFilter::default()).await.unwrap();
    assert!(changes.iter().zip(1..).all(|(change, seq)| change.seq == seq));
    for run in &runs {
        let mine = || changes.iter().filter(|change| change.subject == run.id).filter_map(|c| c.after.as_ref());
        let fences: Vec<i64> = mine().filter_map(|after| after.get("fence")?.as_i64()).collect();
        assert!(fences.is_sorted(), "{}: {fences:?}", run.id);
        let last = mine().filter_map(|after| after.get("state")?.as_str()).next_back().unwrap();
        assert_eq!(last, run.state.name());
        assert!(run.state.is_active() || run.lease_owner.is_none());
    }
}
