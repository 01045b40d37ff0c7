use std::time::{Duration, Instant};

use graft_core::{Assignment, Dataset, Digest, ExitCode, Failure, Launcher, SlurmJob};
use graft_store::{
    Again, ChangeFilter, Due, Error, Free, Lease, NewEvaluation, NewMachine, NewRun, NewSchedule, NewVersion,
    PendingRequest, Priority, Run, RunFilter, RunKind, RunState, RunUpdate, Store, Submission,
};
use rand::{RngExt as _, SeedableRng as _, rngs::ChaCha8Rng};
use serde_json::json;

use crate::support::{Database, TASK, again, is_sqlite, new_version, on_both, spec};

on_both!(
    queue_is_ordered_by_priority_then_age,
    machine_slots_are_independent_of_worker_threads,
    run_waits_for_threads_start_time_and_predecessor,
    stale_lease_holder_cannot_write,
    clock_jumps_neither_end_nor_revive_leases,
    lease_expires_or_is_released,
    run_can_be_cancelled_in_any_active_state,
    ended_run_can_be_requeued_or_deleted,
    exactly_one_worker_claims_a_run,
    schedule_occurrence_is_submitted_once,
    watchers_see_changes_of_other_processes,
    processes_on_one_postgres_exchange_messages,
    submission_is_atomic_at_every_fault_point,
    repeated_request_returns_the_same_run,
    version_has_one_evaluation_at_a_time_beside_a_training,
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

pub(crate) fn order() -> Submission<'static> {
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
    // Each run has its own task, so that none blocks another.
    let new = NewRun { task: id, spec: &spec, dir: &dir };
    store.submit_run(new, order, &dataset(), "ada", 10).await
}

async fn claim(store: &Store, free: Free) -> Option<(Run, Lease)> {
    store.claim_run("w1", LONG, free, None, "worker").await.unwrap()
}

async fn claimed(store: &Store) -> String {
    claim(store, ALL).await.map_or_else(String::new, |(run, _)| run.id)
}

/// Resume with the original number of attempts and no changes.
const AGAIN: Again = Again { max_attempts: 3, request: None, version: None };

fn ready(_: &Run) -> Result<(), Error> {
    Ok(())
}

fn to(state: RunState) -> RunUpdate {
    RunUpdate { state: Some(state), ..RunUpdate::default() }
}

async fn queue_is_ordered_by_priority_then_age(database: Database) {
    let store = &database.store;
    for (id, priority) in
        [("a", Priority::Low), ("b", Priority::Normal), ("c", Priority::High), ("d", Priority::Normal)]
    {
        submit(store, id, &Submission { priority, ..order() }).await.unwrap();
    }
    // A command that works on its own run claims no other.
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

async fn machine_slots_are_independent_of_worker_threads(database: Database) {
    let store = &database.store;
    let launcher = Launcher::Slurm(SlurmJob { gpus: Some("1".into()), ..SlurmJob::default() });
    let gpu = NewMachine { name: "gpu", destination: "ada@gpu", slots: 2, program: None, launcher: &launcher };
    store.add_machine(gpu, "ada", 5).await.unwrap();
    assert!(matches!(store.add_machine(gpu, "ada", 5).await, Err(Error::MachineExists(_))));
    let known = store.machine("gpu").await.unwrap();
    assert_eq!((known.destination.as_str(), &known.launcher), ("ada@gpu", &launcher));
    for id in ["far1", "far2", "far3"] {
        submit(store, id, &Submission { machine: Some("gpu"), ..order() }).await.unwrap();
    }
    submit(store, "near", &order()).await.unwrap();
    assert!(matches!(store.remove_machine("gpu", "ada", 6).await, Err(Error::MachineBusy { .. })));
    // A worker without free threads may still claim runs for another machine, up to that machine's slots.
    let busy = Free { threads: 0, idle: false, gpus: None };
    let (first, lease) = claim(store, busy).await.unwrap();
    assert_eq!((first.id.as_str(), first.machine.as_deref()), ("far1", Some("gpu")));
    assert_eq!(claim(store, busy).await.unwrap().0.id, "far2");
    assert!(claim(store, busy).await.is_none(), "both slots are taken");
    assert_eq!(claimed(store).await, "near", "runs that wait for a machine block no others");
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

async fn run_waits_for_threads_start_time_and_predecessor(database: Database) {
    let store = &database.store;
    submit(store, "a", &order()).await.unwrap();
    submit(store, "b", &Submission { after: Some("a"), ..order() }).await.unwrap();
    assert!(matches!(submit(store, "c", &Submission { after: Some("x"), ..order() }).await, Err(Error::NoRun(_))));
    assert!(matches!(store.run("c").await, Err(Error::NoRun(_))), "it is deleted");
    // It needs all threads of an idle worker.
    assert!(claim(store, Free { idle: false, ..ALL }).await.is_none());
    // It needs the machine's first GPU, which another run has.
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
    // A successful predecessor may be deleted: its successor still runs. The successor of a failed run does not.
    store.delete_run("a", "ada", 23).await.unwrap();
    assert!(store.cancel_orphans("w", 24).await.unwrap().is_empty());
    submit(store, "d", &order()).await.unwrap();
    submit(store, "e", &Submission { after: Some("d"), ..order() }).await.unwrap();
    store.cancel_run("d", "ada", 25).await.unwrap();
    store.delete_run("d", "ada", 26).await.unwrap();
    assert_eq!(store.cancel_orphans("w", 27).await.unwrap().len(), 1);
    assert_eq!(claimed(store).await, "b");
}

async fn version_has_one_evaluation_at_a_time_beside_a_training(database: Database) {
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
    // Evaluations come first and do not count as the task's training.
    assert_eq!(store.active_run(TASK).await.unwrap().unwrap().id, "training");
    let (run, lease) = claim(store, ALL).await.unwrap();
    assert_eq!((run.id.as_str(), run.kind, run.version.as_deref()), ("e1", RunKind::Evaluate, Some("v1")));
    store.update_held(&lease, &to(RunState::Failed), "w1", 20).await.unwrap();
    assert_eq!(measure("e4", &v1).await.unwrap(), ("e4".into(), true));
    let never = |_: &Run| -> Result<(), Error> { panic!("a refused run is not changed") };
    let refused = store.queue_again("e1", AGAIN, "ada", 21, never).await;
    assert!(matches!(refused, Err(Error::RunActive { run, .. }) if run == "e4"));
    // A worker that lost the run can't write metrics.
    let numbers = ("evaluation", &json!(1));
    assert!(matches!(store.set_metric(&v1, numbers, Some(&lease), "w1", 22).await, Err(Error::LeaseLost { .. })));
    let of = |kind| RunFilter { kind: Some(kind), ..RunFilter::default() };
    assert_eq!(store.count_runs(&of(RunKind::Train)).await.unwrap(), 1);
    assert_eq!(store.runs(&of(RunKind::Evaluate)).await.unwrap().len(), 3);
}

async fn clock_jumps_neither_end_nor_revive_leases(database: Database) {
    let store = &database.store;
    let decade = 10 * 365 * 24 * 3_600_000;
    let holds = async |lease_millis, id| {
        submit(store, id, &order()).await.unwrap();
        let (run, lease) = store.claim_run("w1", lease_millis, ALL, None, "w1").await.unwrap().unwrap();
        assert_eq!(run.id, id);
        // The holder's own clock is wrong in both directions.
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

async fn stale_lease_holder_cannot_write(database: Database) {
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
    assert!(lost(&store.settle_base(&old, &spec("a"), "w1", 20).await.unwrap_err()));
    assert!(lost(&store.add_version_held(&old, &version, "w1", 20).await.unwrap_err()));
    assert!(store.versions(None).await.unwrap().is_empty());
    assert_eq!(store.add_version_held(&new, &version, "w2", 21).await.unwrap().name, "v1");
    store.update_held(&new, &to(RunState::Running), "w2", 22).await.unwrap();
    // After its end, a run has no holder.
    store.update_held(&new, &to(RunState::Succeeded), "w2", 23).await.unwrap();
    assert!(lost(&store.update_held(&new, &RunUpdate::default(), "w2", 24).await.unwrap_err()));
    assert!(lost(&store.take_over(&now, "w3", LONG).await.unwrap_err()), "it ended since it was seen");
    let fences: Vec<i64> = (store.changes(&ChangeFilter::default()).await.unwrap().iter())
        .filter_map(|change| change.after.as_ref()?.get("fence")?.as_i64())
        .collect();
    assert!(fences.is_sorted(), "{fences:?}");
}

async fn lease_expires_or_is_released(database: Database) {
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
    // It expired, but nobody took it over.
    store.renew_lease(&lease, LONG).await.unwrap();
    assert!(store.abandoned_runs().await.unwrap().is_empty());
    store.release_lease(&lease).await.unwrap();
    assert_eq!(store.abandoned_runs().await.unwrap().len(), 1);
    assert_eq!(store.held_runs().await.unwrap()[0].left_ms, 0);
}

async fn run_can_be_cancelled_in_any_active_state(database: Database) {
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
    assert_eq!((told.state, told.wants), (RunState::Starting, Some(PendingRequest::Cancel)));
    assert_eq!(store.renew_lease(&lease, LONG).await.unwrap().wants, Some(PendingRequest::Cancel));
    let ended = store.update_held(&lease, &to(RunState::Cancelled), "w", 23).await.unwrap();
    assert_eq!((ended.wants, ended.lease_owner), (None, None));
}

async fn ended_run_can_be_requeued_or_deleted(database: Database) {
    let store = &database.store;
    submit(store, "a", &order()).await.unwrap();
    let (_, lease) = claim(store, ALL).await.unwrap();
    let never = |_: &Run| -> Result<(), Error> { panic!("a refused run is not changed") };
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

async fn exactly_one_worker_claims_a_run(database: Database) {
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

async fn schedule_occurrence_is_submitted_once(database: Database) {
    let store = &database.store;
    let request = json!({"task": TASK});
    let new = NewSchedule {
        id: "nightly",
        task: TASK,
        cron: "0 3 * * *",
        zone: "UTC",
        request: &request,
        min_new: 5,
        after_new: 0,
        even_unchanged: false,
        next_at: Some(100),
    };
    store.add_schedule(new, "ada", 10).await.unwrap();
    assert!(matches!(store.add_schedule(new, "ada", 10).await, Err(Error::ScheduleExists(_))));
    let due = Due { schedule: "nightly", at: Some(100), next_at: Some(200) };
    submit(store, "a", &Submission { due: Some(due), ..order() }).await.unwrap();
    let late = submit(store, "b", &Submission { due: Some(due), ..order() }).await.unwrap_err();
    assert!(matches!(late, Error::ScheduleMoved(_)), "{late:?}");
    assert!(matches!(store.run("b").await, Err(Error::NoRun(_))));
    store.skip_schedule(Due { at: Some(200), next_at: Some(300), ..due }, "too few", false, 250).await.unwrap();
    let schedule = store.schedules().await.unwrap().remove(0);
    assert_eq!((schedule.next_at, schedule.last_at, schedule.min_new), (Some(300), Some(250), 5));
    assert_eq!((schedule.last_run.as_deref(), schedule.last_note.as_deref()), (Some("a"), Some("too few")));
    store.remove_schedule("nightly", "ada", 300).await.unwrap();
    assert!(matches!(store.remove_schedule("nightly", "ada", 300).await, Err(Error::NoSchedule(_))));
}

async fn watchers_see_changes_of_other_processes(database: Database) {
    let mut watch = database.store.watch().await.unwrap();
    let before = watch.newest();
    let quiet = tokio::time::timeout(Duration::from_millis(200), watch.changed()).await;
    assert!(quiet.is_err());
    // Normally within a second. A busy machine may be late, but not every time.
    let other = again(&database).await;
    for n in 1..=5 {
        other.set_setting("n", &json!(n), "ada", n).await.unwrap();
        let said = Instant::now();
        let heard = tokio::time::timeout(Duration::from_secs(20), watch.changed()).await.unwrap();
        assert_eq!(heard, Some(before + n));
        if said.elapsed() < Duration::from_secs(1) {
            // A watcher that subscribes later starts from the newest change.
            assert_eq!(database.store.watch().await.unwrap().newest(), before + n);
            return;
        }
    }
    panic!("five changes were seen late");
}

async fn processes_on_one_postgres_exchange_messages(database: Database) {
    let other = again(&database).await;
    let messages = database.store.messages().await;
    assert_eq!(messages.is_none(), is_sqlite(&database), "a file has one server");
    other.send_message(r#"{"page": "it's ü"}"#).await.unwrap();
    let Some(mut messages) = messages else { return };
    let heard = tokio::time::timeout(Duration::from_secs(20), messages.next()).await.unwrap();
    assert_eq!(heard, r#"{"page": "it's ü"}"#);
    assert!(other.send_message(&"x".repeat(9_000)).await.is_err());
}

async fn repeated_request_returns_the_same_run(database: Database) {
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

async fn submission_is_atomic_at_every_fault_point(database: Database) {
    for k in 1.. {
        let id = format!("k{k}");
        let failing = database.store.failing_at(k);
        let outcome = submit(&failing, &id, &order()).await;
        let stored = database.store.run(&id).await;
        if outcome.is_ok() {
            assert!(failing.fault_points() < k && stored.is_ok());
            break;
        }
        // After the commit only the answer is lost; before it, nothing is stored.
        let whole = stored.is_ok_and(|run| run.request.is_some());
        assert_eq!(whole, k == 3, "at point {k}");
        assert!(k < 10);
    }
}

/// For any sequence of operations by workers and people: a task has at most one active run, fences only grow, a worker
/// that lost a run writes nothing, and every state transition is allowed.
#[tokio::test]
async fn queue_invariants_hold_for_any_sequence_of_operations() {
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
    // A lease that has expired already stands for a worker that died.
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
