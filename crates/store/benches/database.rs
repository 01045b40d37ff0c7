//! Measures Graft's writes on Postgres: `cargo bench -p graft-store --bench database`. It starts a server of its
//! own, whose commits are on the disk. Each writer and each worker has its own connections, as another process has.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use graft_core::{
    AdapterSpec, AnswerForm, Assignment, BaseRef, Dataset, Digest, EvalSpec, Example, Limits, LoraSpec, OptimSpec,
    Ranks, Review, Source, Targets, TaskCard, TrainSpec,
};
use graft_store::{
    ChangeFilter, Findings, Free, KeyedRequest, Lease, NewRun, Priority, RunFilter, RunState, RunUpdate, Store,
    Submission,
};
use graft_testkit::Postgres;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};

/// Examples of each writer's task.
const EXAMPLES: usize = 200;
const SECOND: Duration = Duration::from_secs(1);

/// What a writer does again and again.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Work {
    /// Approves examples of its own task.
    Tasks,
    /// Approves its own examples of the one task that all writers share.
    Task,
    /// Queues runs.
    Enqueue,
    /// Claims queued runs.
    Claim,
    /// Renews the lease of its run.
    Renew,
    /// Begins and ends requests with an idempotency key.
    Request,
}

const WORKS: [(Work, &str); 6] = [
    (Work::Tasks, "approvals, a task for each writer"),
    (Work::Task, "approvals, one task"),
    (Work::Enqueue, "runs queued"),
    (Work::Claim, "runs claimed"),
    (Work::Renew, "leases renewed"),
    (Work::Request, "requests with a key, begun and ended"),
];

#[tokio::main]
async fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let number = |place: usize, default| words.get(place).map_or(default, |word| word.parse().expect("a number"));
    match words.first().map(String::as_str) {
        Some("writes") => writes(number(1, 3), number(2, 1)).await,
        Some("queue") => queue(number(1, 10_000), number(2, 4)).await,
        _ => {
            writes(3, 0).await;
            writes(3, 1).await;
            queue(10_000, 4).await;
        }
    }
}

/// Writes a second of each kind of work with 1, 4 and 16 writers, each for some seconds. Each message to the server and from
/// it takes some milliseconds.
async fn writes(seconds: usize, millis: usize) {
    let server = Postgres::durable().expect("a Postgres server");
    println!("| writes a second, a round trip of {} ms | 1 writer | 4 | 16 |\n|---|---|---|---|", 2 * millis);
    for (work, name) in WORKS {
        let mut row = format!("| {name} |");
        for writers in [1, 4, 16] {
            let done = {
                let near = server.database().expect("a database");
                let far = if millis > 0 { Some(far_from(&near, millis)) } else { None };
                measure((&near, far.as_ref().map_or(&near, |far| &far.url)), work, writers, seconds).await
            };
            row += &format!(" {:.0} |", done as f64 / seconds as f64);
        }
        println!("{row}");
    }
}

async fn measure((near, far): (&str, &str), work: Work, writers: usize, seconds: usize) -> usize {
    let first = Store::open(near).await.expect("a store");
    prepare(&first, work, writers).await;
    let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let mut tasks = tokio::task::JoinSet::new();
    for writer in 0..writers {
        let (store, stop, done) = (Store::open(far).await.expect("a store"), stop.clone(), done.clone());
        tasks.spawn(async move {
            let held = if work == Work::Renew { claim(&store, writer).await } else { None };
            for n in 0.. {
                if stop.load(Ordering::Relaxed) || !write(&store, work, writer, n, held.as_ref()).await {
                    break;
                }
                done.fetch_add(1, Ordering::Relaxed);
            }
            store.close().await;
        });
    }
    tokio::time::sleep(SECOND / 2).await;
    let before = done.load(Ordering::Relaxed);
    tokio::time::sleep(SECOND * u32::try_from(seconds).expect("few seconds")).await;
    let made = done.load(Ordering::Relaxed) - before;
    stop.store(true, Ordering::Relaxed);
    tasks.join_all().await;
    let changes = first.changes(&ChangeFilter::default()).await.expect("the audit trail");
    assert!(changes.iter().zip(1..).all(|(change, seq)| change.seq == seq), "the audit trail has a gap");
    first.close().await;
    made
}

/// A socket through which everything takes some time, as on the way to another machine.
struct Far {
    url: String,
    _folder: tempfile::TempDir,
}

fn far_from(url: &str, millis: usize) -> Far {
    let folder = tempfile::tempdir().expect("a folder");
    let (start, rest) = url.split_once("host=").expect("a socket's folder");
    let (host, rest) = rest.split_once('&').expect("a user");
    let near = std::path::Path::new(host).join(".s.PGSQL.5432");
    let listener = UnixListener::bind(folder.path().join(".s.PGSQL.5432")).expect("a socket");
    let delay = Duration::from_millis(u64::try_from(millis).expect("few milliseconds"));
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = UnixStream::connect(&near).await.expect("the server");
            let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
            tokio::spawn(carry(from_client, to_server, delay));
            tokio::spawn(carry(from_server, to_client, delay));
        }
    });
    Far { url: format!("{start}host={}&{rest}", folder.path().display()), _folder: folder }
}

async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, delay: Duration) {
    let (send, mut sent) = tokio::sync::mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
    tokio::spawn(async move {
        while let Some((due, bytes)) = sent.recv().await {
            tokio::time::sleep_until(due.into()).await;
            if to.write_all(&bytes).await.is_err() {
                break;
            }
        }
    });
    let mut bytes = vec![0; 1 << 16];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        if send.send((Instant::now() + delay, bytes[..count].to_vec())).is_err() {
            break;
        }
    }
}

fn task_of(work: Work, writer: usize) -> String {
    if work == Work::Task { "shared".to_owned() } else { format!("task-{writer}") }
}

async fn prepare(store: &Store, work: Work, writers: usize) {
    match work {
        Work::Tasks | Work::Task => {
            for writer in 0..writers {
                let task = task_of(work, writer);
                let examples: Vec<_> = (0..EXAMPLES).map(|n| example(&task, writer, n)).collect();
                store.import(&examples, "bench", 1).await.expect("an import");
            }
        }
        Work::Claim => fill(store, 4000).await,
        Work::Renew => fill(store, writers).await,
        Work::Enqueue | Work::Request => {}
    }
}

/// One write; returns whether there is another one.
async fn write(store: &Store, work: Work, writer: usize, n: usize, held: Option<&Lease>) -> bool {
    let at = i64::try_from(n).expect("few writes");
    match work {
        Work::Tasks | Work::Task => {
            let id = format!("e:{writer}:{}", n % EXAMPLES);
            store.approve(&task_of(work, writer), &id, "ada", at).await.expect("an approval");
        }
        Work::Enqueue => submit(store, &format!("r-{writer}-{n}")).await,
        Work::Claim => return claim(store, writer).await.is_some(),
        Work::Renew => drop(store.renew_lease(held.expect("a lease"), 60_000).await.expect("a renewal")),
        Work::Request => {
            let (key, by) = (format!("{writer}-{n}"), format!("writer-{writer}"));
            let digest = Digest::of(b"body");
            let request = KeyedRequest { who: "ada", route: "POST /x", key: &key, digest: &digest, by: &by };
            store.begin_request(request, &|_| false, at, at + 86_400_000).await.expect("a request");
            store.end_request(request, Some((200, "{}"))).await.expect("an answer");
        }
    }
    true
}

/// Queues runs and lets workers take each of them to its end, without training: the database's part of a run.
async fn queue(runs: usize, workers: usize) {
    let server = Postgres::durable().expect("a Postgres server");
    let url = server.database().expect("a database");
    let store = Store::open(&url).await.expect("a store");
    let began = Instant::now();
    fill(&store, runs).await;
    let a_second = |n: usize, since: Instant| n as f64 / since.elapsed().as_secs_f64();
    println!("{runs} runs queued by one writer: {:.0} a second", a_second(runs, began));
    let page = RunFilter { limit: Some(50), ..RunFilter::default() };
    let active = RunFilter { state: Some(RunState::Queued), ..page.clone() };
    let began = Instant::now();
    store.runs(&page).await.expect("a list");
    store.runs(&active).await.expect("a list");
    store.count_runs(&active).await.expect("a count");
    println!("two pages of 50 runs and a count, all queued: {:.1} ms", began.elapsed().as_secs_f64() * 1e3);
    let (began, ended) = (Instant::now(), Arc::new(AtomicUsize::new(0)));
    let mut tasks = tokio::task::JoinSet::new();
    for worker in 0..workers {
        let (store, ended) = (Store::open(&url).await.expect("a store"), ended.clone());
        tasks.spawn(async move {
            while turn(&store, worker).await {
                ended.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    let (mut before, tenth) = (0, runs.div_ceil(4));
    let mut since = Instant::now();
    while before < runs {
        tokio::time::sleep(SECOND / 20).await;
        let now = ended.load(Ordering::Relaxed);
        if now - before >= tenth || now == runs {
            let listed = Instant::now();
            store.runs(&page).await.expect("a list");
            let listed = listed.elapsed().as_secs_f64() * 1e3;
            println!("{now} of {runs} ended: {:.0} a second; a page in {listed:.1} ms", a_second(now - before, since));
            (before, since) = (now, Instant::now());
        }
    }
    tasks.join_all().await;
    println!("{workers} workers: {:.0} runs a second from claim to end", a_second(runs, began));
    let all = store.runs(&RunFilter::default()).await.expect("a list");
    assert!(all.len() == runs && all.iter().all(|run| run.state == RunState::Succeeded && run.attempts == 1));
}

/// The calls of a worker's turn with one run, as the engine makes them; returns whether there was a run.
async fn turn(store: &Store, worker: usize) -> bool {
    store.cancel_orphans("w", 1).await.expect("orphans");
    assert!(store.abandoned_runs().await.expect("abandoned runs").is_empty());
    let Some(lease) = claim(store, worker).await else { return false };
    let to = |state| RunUpdate { state: Some(state), ..RunUpdate::default() };
    store.take_findings(&lease, &Findings::default(), &to(RunState::Running), "w", 3).await.expect("findings");
    store.renew_lease(&lease, 60_000).await.expect("a renewal");
    store.update_held(&lease, &to(RunState::Succeeded), "w", 4).await.expect("an end");
    true
}

async fn claim(store: &Store, worker: usize) -> Option<Lease> {
    let free = Free { threads: 2, idle: true, gpus: None };
    store.claim_run(&format!("w{worker}"), 60_000, free, None, "worker").await.expect("a claim").map(|(_, lease)| lease)
}

async fn fill(store: &Store, runs: usize) {
    for n in 0..runs {
        submit(store, &format!("run-{n}")).await;
    }
}

/// Queues a run of its own task.
async fn submit(store: &Store, id: &str) {
    let spec = TrainSpec {
        run: id.into(),
        graft: "0.1.0".into(),
        base: BaseRef { name: "smollm2-135m".into(), digest: Digest::of(b"base") },
        task: TaskCard { name: id.into(), instruction: "Extract.".into(), answer: AnswerForm::Text },
        dataset: Digest::of(b"dataset"),
        adapter: AdapterSpec::Lora(LoraSpec {
            rank: 16,
            alpha: 16.0,
            dropout: 0.0,
            rslora: false,
            targets: Targets::AllLinear,
            ranks: Ranks::Equal,
        }),
        optim: OptimSpec::default(),
        eval: EvalSpec::default(),
        limits: Limits::default(),
        init_from: None,
    };
    let dataset = Dataset {
        digest: Digest::of(b"dataset"),
        train: Vec::new(),
        eval: Vec::new(),
        leaking: Vec::new(),
        assignment: Assignment::new(),
    };
    let order = Submission {
        priority: Priority::Normal,
        after: None,
        activate: false,
        version: None,
        max_attempts: 3,
        request: &json!({"task": id}),
        due: None,
        task_revision: None,
        key: Some(id),
        machine: None,
    };
    let new = NewRun { task: id, spec: &spec, dir: id };
    store.submit_run(new, &order, &dataset, "ada", 2).await.expect("a run");
}

fn example(task: &str, writer: usize, n: usize) -> Example {
    Example {
        id: format!("e:{writer}:{n}"),
        task: task.into(),
        input: format!("Picked up {n} crates of bananas"),
        output: Some(json!({"items": [{"name": "bananas", "quantity": n}]})),
        source: Source { kind: "bench".into(), reference: n.to_string(), at: None },
        review: Review::Pending,
        revision: 1,
    }
}
