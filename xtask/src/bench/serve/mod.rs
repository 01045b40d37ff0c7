//! The service under load with a real model: during a training, with many event streams, over many requests.

mod http;

use std::{
    collections::BTreeMap,
    fmt::{self, Display, Formatter},
    fs,
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

use super::{
    Settings, built, number,
    report::plain,
    scratch,
    train::{ask, prepare_home},
};
use http::Connection;

const TASK: &str = "slack-rescue";
/// Clients that ask at once, as many as there may be.
const CLIENTS: usize = 64;
/// Clients of an ordinary hour, who wait a moment after each answer.
const FEW: (usize, Duration) = (4, Duration::from_secs(1));
/// How long they ask.
const LOAD: Duration = Duration::from_secs(60);
/// How long the training is watched alone.
const ALONE: Duration = Duration::from_secs(40);
/// Event streams held at once, and events sent to each.
const STREAMS: usize = 1000;
const EVENTS: usize = 20;
/// Requests over which memory is watched.
const REQUESTS: usize = 10_000;
/// Longest answer, in tokens: most rescue messages end before it.
const TOKENS: usize = 48;

pub(super) fn run(settings: &Settings) -> anyhow::Result<Option<String>> {
    let home = scratch("serve")?;
    prepare_home(&home, &settings.base, 96)?;
    let train = ["train", TASK, "--base", "bench-base", "--epochs", "0.3", "--activate", "--force", "--skip-base"];
    ask(&home, &train)?;
    let server = Server::start(&home)?;
    println!("| | |\n|---|---|");
    memory(&server)?;
    // After the requests, when the model is loaded and what that took is given back: streams alone make the difference.
    streams(&server)?;
    training(&server)?;
    Ok(None)
}

/// A server that ends with its measurement.
struct Server {
    child: Child,
    address: SocketAddr,
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    fn start(home: &Path) -> anyhow::Result<Self> {
        let mut command: Command = built("graft")?;
        command.args(["serve", "--bind", "127.0.0.1:0"]).env("GRAFT_HOME", home).env("GRAFT_LOG", "error");
        let mut child = command.env_remove("GRAFT_DATABASE").stderr(Stdio::piped()).spawn()?;
        let mut said = BufReader::new(child.stderr.take().context("a server without stderr")?).lines();
        let first = said.next().context("the server ended")??;
        let address = first.split("http://").nth(1).with_context(|| format!("no address in: {first}"))?.parse()?;
        thread::spawn(move || said.map_while(Result::ok).for_each(drop));
        Ok(Self { child, address })
    }

    fn connect(&self) -> anyhow::Result<Connection> {
        Connection::open(self.address)
    }

    /// Resident memory in MB.
    fn memory(&self) -> anyhow::Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? / 1000.0)
    }
}

fn question(index: usize, tokens: usize) -> Value {
    let input = format!("Picked up {} boxes of kale and {} of bread from Aldi #{index}", index % 7 + 2, index % 5 + 1);
    json!({"task": TASK, "input": input, "max_tokens": tokens})
}

/// Many listeners, all of whom hear each change.
fn streams(server: &Server) -> anyhow::Result<()> {
    let mut ask = server.connect()?;
    let mut first = |state: &str| -> anyhow::Result<Value> {
        let path = format!("/api/v1/examples?task={TASK}&state={state}&limit=1");
        Ok(ask.must("GET", &path, &Value::Null)?["examples"][0].take())
    };
    let (output, example) = (first("approved")?["output"].take(), first("pending")?);
    let path = format!("/api/v1/examples/{TASK}/{}", example["id"].as_str().context("no example")?.replace(':', "%3A"));
    let mut revision = example["revision"].clone();
    let before = server.memory()?;
    let mut streams = Vec::new();
    for _ in 0..STREAMS {
        let mut stream = server.connect()?;
        stream.listen("/api/v1/events")?;
        streams.push(stream);
    }
    let clock = Instant::now();
    for _ in 0..EVENTS {
        let edit = json!({"revision": revision, "output": output});
        revision = ask.must("POST", &format!("{path}/edit"), &edit)?["example"]["revision"].clone();
    }
    for stream in &mut streams {
        stream.hear(EVENTS)?;
    }
    println!(
        "| {STREAMS} event streams, {EVENTS} changes: all heard after, s | {} |",
        plain(clock.elapsed().as_secs_f64())
    );
    println!("| memory of a stream, kB | {} |", plain((server.memory()? - before) * 1000.0 / STREAMS as f64));
    Ok(())
}

/// Memory over many requests, of which one in twenty asks the model.
fn memory(server: &Server) -> anyhow::Result<()> {
    server.connect()?.must("POST", "/api/v1/infer", &question(0, 4))?;
    let mut seen = vec![server.memory()?];
    for half in 0..2 {
        thread::scope(|scope| {
            let clients: Vec<_> =
                (0..8).map(|client| scope.spawn(move || requests(server, half * 8 + client))).collect();
            clients
                .into_iter()
                .try_for_each(|client| client.join().map_err(|_| anyhow::anyhow!("a client panicked"))?)
        })?;
        seen.push(server.memory()?);
    }
    let seen: Vec<String> = seen.into_iter().map(plain).collect();
    println!(
        "| resident memory at the start, after {} and {REQUESTS} requests, MB | {} |",
        REQUESTS / 2,
        seen.join(", ")
    );
    Ok(())
}

fn requests(server: &Server, client: usize) -> anyhow::Result<()> {
    let mut connection = server.connect()?;
    let looks = ["/api/v1/tasks", "/api/v1/versions", "/api/v1/runs", "/api/v1/examples?limit=20", "/health"];
    for index in 0..REQUESTS / 16 {
        if index % 20 == 0 {
            connection.must("POST", "/api/v1/infer", &question(client * 1000 + index, 4))?;
        } else {
            connection.must("GET", looks[index % looks.len()], &Value::Null)?;
        }
    }
    Ok(())
}

/// A training, alone and beside clients: a few, and many who ask without a pause.
fn training(server: &Server) -> anyhow::Result<()> {
    let calm = Latencies::of(load(server, FEW)?.1);
    let body =
        json!({"task": TASK, "base": "bench-base", "evaluate": false, "settings": {"epochs": 200, "batch_size": 2}});
    let run =
        server.connect()?.must("POST", "/api/v1/runs", &body)?["run"]["id"].as_str().context("no run")?.to_owned();
    let clock = Instant::now();
    let begun = loop {
        if let Some(pace) = pace(server, &run)? {
            break pace;
        }
        ensure!(clock.elapsed() < Duration::from_secs(120), "the training doesn't begin");
        thread::sleep(Duration::from_millis(200));
    };
    thread::sleep(ALONE);
    let alone = pace(server, &run)?.context("no steps")?;
    let busy = Latencies::of(load(server, FEW)?.1);
    println!("| {} clients with pauses of a second: seconds to an answer, p50, p95, p99 | {calm} |", FEW.0);
    let slower = busy.at(0.95) / calm.at(0.95);
    println!("| the same during a training | {busy} (p95: {slower:.2} ×) |");
    let middle = pace(server, &run)?.context("no steps")?;
    let (statuses, latencies) = load(server, (CLIENTS, Duration::ZERO))?;
    let end = pace(server, &run)?.context("no steps")?;
    let speed = |from: &Pace, to: &Pace| 60.0 * (to.step - from.step) / (to.at - from.at).as_secs_f64();
    let (alone, beside) = (speed(&begun, &alone), speed(&middle, &end));
    server.connect()?.must("POST", &format!("/api/v1/runs/{run}/cancel"), &json!({}))?;
    println!("| {CLIENTS} clients for {} s during a training: answers by status | {statuses:?} |", LOAD.as_secs());
    println!("| seconds to an answer: p50, p95, p99 | {} |", Latencies::of(latencies));
    println!(
        "| steps of the training a minute: alone, beside the clients | {}, {} ({:.2} ×) |",
        plain(alone),
        plain(beside),
        beside / alone
    );
    Ok(())
}

/// Seconds to the answers, in order.
struct Latencies(Vec<f64>);

impl Latencies {
    fn of(mut seconds: Vec<f64>) -> Self {
        seconds.sort_by(f64::total_cmp);
        Self(seconds)
    }

    fn at(&self, share: f64) -> f64 {
        self.0[((self.0.len() - 1) as f64 * share) as usize]
    }
}

impl Display for Latencies {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}, {}", plain(self.at(0.5)), plain(self.at(0.95)), plain(self.at(0.99)))
    }
}

/// How far a training is, and when.
struct Pace {
    step: f64,
    at: Instant,
}

/// How far a run is by its newest step, once it has taken one.
fn pace(server: &Server, run: &str) -> anyhow::Result<Option<Pace>> {
    // The server closes connections that are idle for long.
    let found = server.connect()?.must("GET", &format!("/api/v1/runs/{run}/events"), &Value::Null)?;
    let mut steps = found["events"].as_array().into_iter().flatten().filter(|event| event["event"] == "step");
    let Some(last) = steps.next_back() else { return Ok(None) };
    Ok(Some(Pace { step: number(last, "step")?, at: Instant::now() }))
}

/// Clients that send requests with a pause after each answer, or after `Retry-After`; how often each status was returned,
/// and the seconds to each answer that was one.
fn load(server: &Server, (clients, pause): (usize, Duration)) -> anyhow::Result<(BTreeMap<u16, usize>, Vec<f64>)> {
    let until = Instant::now() + LOAD;
    let client = |client: usize| -> anyhow::Result<Vec<(u16, f64)>> {
        let (mut connection, mut told) = (server.connect()?, Vec::new());
        while Instant::now() < until {
            let clock = Instant::now();
            let (status, _) =
                connection.send("POST", "/api/v1/infer", &question(client * 1000 + told.len(), TOKENS))?;
            told.push((status, clock.elapsed().as_secs_f64()));
            thread::sleep(if status == 429 { Duration::from_secs(1) } else { pause });
        }
        Ok(told)
    };
    let told = thread::scope(|scope| {
        let clients: Vec<_> = (0..clients).map(|number| scope.spawn(move || client(number))).collect();
        let join = |client: thread::ScopedJoinHandle<'_, _>| {
            client.join().map_err(|_| anyhow::anyhow!("a client panicked"))?
        };
        clients.into_iter().map(join).collect::<anyhow::Result<Vec<_>>>()
    })?;
    let mut statuses = BTreeMap::new();
    let told: Vec<(u16, f64)> = told.concat();
    told.iter().for_each(|(status, _)| *statuses.entry(*status).or_default() += 1);
    ensure!(statuses.keys().all(|status| [200, 429].contains(status)), "answers other than 200 and 429: {statuses:?}");
    Ok((statuses, told.into_iter().filter(|(status, _)| *status == 200).map(|(_, seconds)| seconds).collect()))
}
