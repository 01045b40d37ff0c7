//! A server and its trainers killed at random moments under load: nothing that was acknowledged is lost, doubled or
//! left half done.
//!
//! A few kills by default; `cargo xtask campaign` sets GRAFT_KILLS for more, and GRAFT_SEED to repeat one.

mod check;
mod clients;
mod ledger;

use std::{
    net::{SocketAddr, TcpListener, TcpStream},
    sync::atomic::{AtomicBool, AtomicU16, Ordering},
    thread,
    time::{Duration, Instant},
};

use graft_testkit::Postgres;
use ledger::Ledger;
use serde_json::Value;

use crate::common::{Graft, Random, seed, server::Server, signal};

/// Tasks whose runs are submitted and whose versions are switched.
const TASKS: [&str; 2] = ["text-classification", "instruction"];
/// The task whose examples come in and are decided about; it learns, too.
const AUDITED: &str = "text-classification";

/// An address that stays free in the moments between two servers: its port is none of those that the system gives to
/// connections, among them those of the clients that ask for a server that is gone, and none of another process's tests.
fn address() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 20_000 + (std::process::id() % 1_000) as u16 * 10;
    loop {
        let address = SocketAddr::from(([127, 0, 0, 1], first + NEXT.fetch_add(1, Ordering::Relaxed)));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
}

/// What clients and killer share.
struct World {
    graft: Graft,
    address: SocketAddr,
    ledger: Ledger,
    /// The killing is over: clients finish what they began.
    calm: AtomicBool,
}

impl World {
    fn new(graft: Graft) -> Self {
        graft.add_toy_task();
        graft.add_toy_to(&["instruction"]);
        Self { graft, address: address(), ledger: Ledger::default(), calm: AtomicBool::new(false) }
    }

    fn serve(&self) -> Server {
        Server::spawn(&self.graft, self.address, &self.graft.dir.path().join("server.log"))
    }

    /// Waits until a server listens.
    fn wait_until_served(&self) {
        let began = Instant::now();
        while TcpStream::connect(self.address).is_err() {
            assert!(began.elapsed() < Duration::from_secs(60), "no server listens");
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn is_calm(&self) -> bool {
        self.calm.load(Ordering::Relaxed)
    }

    /// Kills every trainer of this home; returns how many.
    fn kill_trainers(&self) -> usize {
        self.graft.processes().into_iter().filter(|pid| signal(*pid, "KILL")).count()
    }
}

/// Kills server, trainers or both `kills` times while clients work, then checks all that is promised.
fn campaign(graft: Graft, kills: u64, seed: u64) {
    println!("seed {seed}: repeat it with GRAFT_SEED={seed} GRAFT_KILLS={kills}");
    let world = World::new(graft);
    let mut random = Random::new(seed);
    let (mut servers, mut trainers) = (0, 0);
    let server = thread::scope(|scope| {
        let mut server = world.serve();
        let clients = clients::start(scope, &world, seed);
        for kill in 0..kills {
            thread::sleep(Duration::from_millis(50 + random.below(1950)));
            if kill % 10 == 9 {
                // On a busy machine a start or a request takes longer than the time between two kills, and clients wait for a minute.
                world.wait_until_served();
                thread::sleep(Duration::from_secs(5));
            }
            let what = random.below(10);
            if what < 4 || what == 9 {
                trainers += world.kill_trainers();
            }
            if what >= 4 {
                drop(server);
                server = world.serve();
                servers += 1;
            }
            if clients.iter().any(thread::ScopedJoinHandle::is_finished) {
                break;
            }
        }
        world.calm.store(true, Ordering::Relaxed);
        server
    });
    let ended = wait_for_ends(&world);
    server.stop();
    println!("killed {servers} servers and {trainers} trainers; the last run ended {ended:?} later");
    check::all(&world);
}

/// Waits until no run is active any more.
fn wait_for_ends(world: &World) -> Duration {
    let began = Instant::now();
    loop {
        let runs = world.graft.json(&["runs", "list"])["runs"].clone();
        let active = |run: &&Value| ["queued", "starting", "running"].iter().any(|state| run["state"] == *state);
        let Some(run) = runs.as_array().unwrap().iter().find(active) else { return began.elapsed() };
        assert!(began.elapsed() < Duration::from_secs(150), "a run is stuck: {run:#}");
        thread::sleep(Duration::from_millis(200));
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn kills_lose_nothing_on_sqlite() {
    campaign(Graft::new(), number("GRAFT_KILLS").unwrap_or(6), seed());
}

#[test]
fn kills_lose_nothing_on_postgres() {
    let Some(server) = Postgres::shared() else { return };
    campaign(Graft::on(server.database().unwrap()), number("GRAFT_KILLS").unwrap_or(3), seed());
}
