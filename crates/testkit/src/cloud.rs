//! Rented machines: a strict server for the documented part of Lambda Cloud's API (version 1) that Graft uses. Each
//! machine is an `sshd` with its own address and an empty home.

use std::{
    collections::BTreeMap,
    fs, io,
    net::Ipv4Addr,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use serde_json::{Map, Value, json};
use tempfile::TempDir;

use crate::{
    Sshd,
    http::{Answer, Request, listen},
    sshd::whoami,
};

const KEY: &str = "secret_test_0123456789abcdef.fedcba9876543210";
/// Type, price per hour in cents, and regions with capacity.
const TYPES: [(&str, u32, &[&str]); 4] = [
    ("gpu_1x_a10", 75, &["us-east-1", "us-west-1"]),
    ("gpu_1x_a6000", 80, &["us-south-1"]),
    ("gpu_1x_rtx6000", 50, &[]),
    ("gpu_8x_h100_sxm5", 2392, &["us-south-1"]),
];
/// How long a terminated machine stays in the list.
const SHOWN: Duration = Duration::from_secs(600);

/// A server for rented machines, which ends with its process.
#[derive(Debug)]
pub struct Cloud {
    origin: String,
    folder: TempDir,
    state: Arc<Mutex<State>>,
}

/// A fault of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Not executed; the response has this status.
    Status(u16),
    /// Not executed; no response.
    LostRequest,
    /// Executed; no response.
    LostAnswer,
    /// Executed; the response is delayed.
    Slow(Duration),
}

impl Fault {
    /// Every kind of fault.
    #[must_use]
    pub fn all() -> [Self; 5] {
        [Self::Status(500), Self::Status(429), Self::LostRequest, Self::LostAnswer, Self::Slow(Duration::from_secs(1))]
    }
}

/// A machine as recorded by the server.
#[derive(Clone, Debug)]
pub struct Machine {
    /// Its id.
    pub id: String,
    /// The name it was launched with.
    pub name: Option<String>,
    /// Whether it has not been terminated.
    pub runs: bool,
    /// Its cost in cents; started minutes count fully.
    pub cents: u64,
    /// Time since its launch.
    pub age: Duration,
}

#[derive(Debug)]
struct State {
    port: u16,
    /// Names and public keys.
    keys: BTreeMap<String, String>,
    machines: Vec<Rented>,
    /// Calls so far: method and path.
    calls: Vec<String>,
    /// Faults for the call with this number, or for the next call whose path ends with this text.
    faults: Vec<(Which, Fault)>,
    /// Regions and types that are offered but have no capacity.
    full: Vec<(String, String)>,
    boot: Duration,
    late: Duration,
    /// Number of requests with a wrong API key.
    refused: usize,
    /// Errors of malformed requests.
    malformed: Vec<String>,
}

#[derive(Debug)]
enum Which {
    Number(usize),
    Path(String),
}

#[derive(Debug)]
struct Rented {
    id: String,
    name: Option<String>,
    kind: String,
    region: String,
    address: Ipv4Addr,
    cents_per_hour: u32,
    key: String,
    launched: Instant,
    /// When it first appears in the list.
    listed: Instant,
    active: Instant,
    terminated: Option<Instant>,
    is_broken: bool,
    sshd: Option<Sshd>,
}

impl Rented {
    fn status(&self, now: Instant) -> &'static str {
        match self.terminated {
            Some(at) if now.duration_since(at) < Duration::from_millis(300) => "terminating",
            Some(_) => "terminated",
            None if self.is_broken || self.halted() => "unhealthy",
            None if now < self.active => "booting",
            None => "active",
        }
    }

    fn halted(&self) -> bool {
        self.sshd.as_ref().is_some_and(|sshd| sshd.home().join("halted").exists())
    }

    fn about(&self, now: Instant) -> Value {
        let is_there = now >= self.active;
        json!({
            "id": self.id, "name": self.name, "ip": is_there.then(|| self.address.to_string()),
            "status": self.status(now), "ssh_key_names": [self.key], "file_system_names": [],
            "region": {"name": self.region, "description": "Somewhere"},
            "instance_type": kind(&self.kind, self.cents_per_hour),
            "hostname": null, "jupyter_token": null, "jupyter_url": null,
        })
    }

    fn age(&self) -> Duration {
        self.terminated.unwrap_or_else(Instant::now).duration_since(self.launched)
    }

    /// Ends its processes and its `sshd`.
    fn end(&mut self) {
        if let Some(sshd) = self.sshd.take() {
            sshd.kill_all();
        }
    }
}

impl Cloud {
    /// Starts a server without machines; `None` with `GRAFT_SKIP_SSHD=1`.
    ///
    /// # Errors
    /// If no port is free, or a file can't be written.
    pub fn start() -> io::Result<Option<Self>> {
        if std::env::var("GRAFT_SKIP_SSHD").is_ok_and(|value| value == "1") {
            return Ok(None);
        }
        let folder = tempfile::Builder::new().prefix("graft-cloud-").tempdir()?;
        fs::create_dir(folder.path().join("control"))?;
        let port = crate::free_port()?;
        // The client sends every environment variable that it is asked to send.
        fs::write(folder.path().join("client"), format!("Host 127.*\n Port {port}\n SendEnv *\n"))?;
        let state = State {
            port,
            keys: BTreeMap::new(),
            machines: Vec::new(),
            calls: Vec::new(),
            faults: Vec::new(),
            full: Vec::new(),
            boot: Duration::ZERO,
            late: Duration::ZERO,
            refused: 0,
            malformed: Vec::new(),
        };
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        let origin = listen(move |request| answer(request, &shared))?;
        Ok(Some(Self { origin, folder, state }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Its address.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Its API key.
    #[must_use]
    pub fn key(&self) -> &'static str {
        KEY
    }

    /// The environment variables that a client needs, the API key first.
    ///
    /// # Panics
    /// If the user who runs the tests is unknown.
    #[must_use]
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let path = |name: &str| self.folder.path().join(name).to_string_lossy().into_owned();
        vec![
            ("LAMBDA_API_KEY", KEY.to_owned()),
            ("LAMBDA_API_URL", self.origin.clone()),
            ("GRAFT_SSH_CONFIG", path("client")),
            ("XDG_RUNTIME_DIR", path("control")),
            ("GRAFT_RENT_USER", whoami().expect("`id` works")),
        ]
    }

    /// Every machine that was ever launched, the oldest first.
    #[must_use]
    pub fn machines(&self) -> Vec<Machine> {
        let of = |rented: &Rented| Machine {
            id: rented.id.clone(),
            name: rented.name.clone(),
            runs: rented.terminated.is_none(),
            cents: bill(rented.cents_per_hour, rented.age()),
            age: rented.age(),
        };
        self.state().machines.iter().map(of).collect()
    }

    /// The home folders of the running machines.
    #[must_use]
    pub fn homes(&self) -> Vec<PathBuf> {
        self.state().machines.iter().filter_map(|rented| Some(rented.sshd.as_ref()?.home())).collect()
    }

    /// The calls so far: method and path.
    #[must_use]
    pub fn calls(&self) -> Vec<String> {
        self.state().calls.clone()
    }

    /// The number of requests with a wrong API key, and the errors of malformed requests.
    #[must_use]
    pub fn complaints(&self) -> (usize, Vec<String>) {
        let state = self.state();
        (state.refused, state.malformed.clone())
    }

    /// Injects a fault into the call after `calls` more.
    pub fn fail_after(&self, calls: usize, fault: Fault) {
        let mut state = self.state();
        let number = state.calls.len() + calls;
        state.faults.push((Which::Number(number), fault));
    }

    /// Injects a fault into the next call whose path ends with `path`.
    pub fn fail_next(&self, path: &str, fault: Fault) {
        self.state().faults.push((Which::Path(path.to_owned()), fault));
    }

    /// Removes all faults.
    pub fn heal(&self) {
        let mut state = self.state();
        state.faults.clear();
        state.full.clear();
    }

    /// Removes the capacity for a type in a region that still offers it.
    pub fn fill(&self, kind: &str, region: &str) {
        self.state().full.push((kind.to_owned(), region.to_owned()));
    }

    /// Sets how long machines take to become active, and to appear in the list.
    pub fn delay(&self, boot: Duration, late: Duration) {
        let mut state = self.state();
        (state.boot, state.late) = (boot, late);
    }

    /// Launches a machine that belongs to another user, and returns its id.
    #[must_use]
    pub fn launch_foreign(&self, name: Option<&str>) -> String {
        let now = Instant::now();
        let mut state = self.state();
        let id = new_id(&state);
        state.machines.push(Rented {
            id: id.clone(),
            name: name.map(str::to_owned),
            kind: TYPES[0].0.to_owned(),
            region: TYPES[0].2[0].to_owned(),
            address: Ipv4Addr::new(127, 0, 0, 9),
            cents_per_hour: TYPES[0].1,
            key: "theirs".to_owned(),
            launched: now,
            listed: now,
            active: now,
            terminated: None,
            is_broken: false,
            sshd: None,
        });
        id
    }

    /// Ends all machines abruptly, like a power failure: as terminated by the provider, otherwise as unhealthy.
    pub fn break_machines(&self, terminated: bool) {
        for rented in self.state().machines.iter_mut().filter(|rented| rented.sshd.is_some()) {
            rented.end();
            if terminated {
                rented.terminated = rented.terminated.or(Some(Instant::now()));
            } else {
                rented.is_broken = true;
            }
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The cost of a machine: started minutes count fully, and cents are rounded up.
fn bill(cents_per_hour: u32, age: Duration) -> u64 {
    let minutes = age.as_millis().div_ceil(60_000).max(1);
    (minutes * u128::from(cents_per_hour)).div_ceil(60) as u64
}

fn new_id(state: &State) -> String {
    format!("{:032x}", 0xabcd_ef00_0000 + state.machines.len())
}

fn kind(name: &str, cents_per_hour: u32) -> Value {
    json!({
        "name": name, "description": format!("1x {name}"), "gpu_description": "A GPU",
        "price_cents_per_hour": cents_per_hour,
        "specs": {"vcpus": 30, "memory_gib": 200, "storage_gib": 1400, "gpus": 1},
    })
}

fn done(data: &Value) -> Answer {
    Some((200, vec![("content-type", "application/json".into())], json!({"data": data}).to_string().into_bytes()))
}

fn failed(status: u16, code: &str, message: &str) -> Answer {
    let body = json!({"error": {"code": code, "message": message, "suggestion": null}});
    Some((status, vec![("content-type", "application/json".into())], body.to_string().into_bytes()))
}

fn answer(request: &Request, shared: &Mutex<State>) -> Answer {
    let fault = {
        let mut state = lock(shared);
        let number = state.calls.len();
        state.calls.push(format!("{} {}", request.method, request.path));
        let is_meant = |(which, _): &(Which, Fault)| match which {
            Which::Number(wanted) => *wanted == number,
            Which::Path(end) => request.path.ends_with(end.as_str()),
        };
        let found = state.faults.iter().position(is_meant);
        found.map(|at| state.faults.remove(at).1)
    };
    match fault {
        Some(Fault::Status(status)) => failed(status, "global/unknown", "Something unexpected occurred."),
        Some(Fault::LostRequest) => None,
        Some(Fault::LostAnswer) => {
            serve(request, shared);
            None
        }
        Some(Fault::Slow(pause)) => {
            thread::sleep(pause);
            serve(request, shared)
        }
        None => serve(request, shared),
    }
}

fn serve(request: &Request, shared: &Mutex<State>) -> Answer {
    let mut state = lock(shared);
    if request.headers.get("authorization").map(String::as_str) != Some(format!("Bearer {KEY}").as_str()) {
        state.refused += 1;
        return failed(401, "global/invalid-api-key", "API key was invalid, expired, or deleted.");
    }
    match act(request, &mut state) {
        Ok(data) => done(&data),
        Err((status, code, message)) => {
            if code == "global/invalid-parameters" {
                state.malformed.push(message.clone());
            }
            failed(status, code, &message)
        }
    }
}

type Refusal = (u16, &'static str, String);

fn invalid(message: impl Into<String>) -> Refusal {
    (400, "global/invalid-parameters", message.into())
}

fn act(request: &Request, state: &mut State) -> Result<Value, Refusal> {
    let now = Instant::now();
    let unknown = || (404, "global/object-does-not-exist", "Specified object does not exist.".to_owned());
    if !request.query.is_empty() {
        return Err(invalid("there are no query parameters"));
    }
    let path = request.path.strip_prefix("/api/v1/").ok_or_else(unknown)?;
    if request.method == "GET" && !request.body.is_empty() {
        return Err(invalid("GET has no body"));
    }
    let is_listed =
        |rented: &&Rented| rented.listed <= now && rented.terminated.is_none_or(|at| now.duration_since(at) < SHOWN);
    match (request.method.as_str(), path) {
        ("GET", "instance-types") => Ok(TYPES
            .iter()
            .map(|(name, cents, regions)| {
                let regions: Vec<Value> =
                    regions.iter().map(|name| json!({"name": name, "description": "Somewhere"})).collect();
                let about = json!({"instance_type": kind(name, *cents), "regions_with_capacity_available": regions});
                ((*name).to_owned(), about)
            })
            .collect::<Map<_, _>>()
            .into()),
        ("GET", "instances") => {
            Ok(state.machines.iter().filter(is_listed).map(|rented| rented.about(now)).collect::<Vec<_>>().into())
        }
        ("GET", "ssh-keys") => Ok(state.keys.iter().map(|(name, key)| ssh_key(name, key)).collect::<Vec<_>>().into()),
        ("POST", "ssh-keys") => {
            let body = body(request, &["name", "public_key"], &["name"])?;
            let (name, key) = (text(&body, "name", 64)?, text(&body, "public_key", 4096)?);
            if state.keys.contains_key(&name) {
                return Err(invalid("a key has that name"));
            }
            let answer = ssh_key(&name, &key);
            state.keys.insert(name, key);
            Ok(answer)
        }
        ("POST", "instance-operations/launch") => launch(request, state),
        ("POST", "instance-operations/terminate") => {
            let body = body(request, &["instance_ids"], &["instance_ids"])?;
            let ids = texts(&body, "instance_ids")?;
            for id in &ids {
                let known = state.machines.iter().any(|rented| rented.id == *id && is_listed(&rented));
                if !known {
                    return Err(unknown());
                }
            }
            let mut ended = Vec::new();
            for rented in state.machines.iter_mut().filter(|rented| ids.contains(&rented.id)) {
                rented.end();
                rented.terminated = rented.terminated.or(Some(now));
                ended.push(rented.about(now));
            }
            Ok(json!({"terminated_instances": ended}))
        }
        ("GET", one) => {
            let id = one.strip_prefix("instances/").ok_or_else(unknown)?;
            let rented = state.machines.iter().filter(is_listed).find(|rented| rented.id == id);
            Ok(rented.ok_or_else(unknown)?.about(now))
        }
        _ => Err(unknown()),
    }
}

fn launch(request: &Request, state: &mut State) -> Result<Value, Refusal> {
    let known = ["region_name", "instance_type_name", "ssh_key_names", "file_system_names", "quantity", "name"];
    let body = body(request, &known, &known[..3])?;
    let (region, kind) = (text(&body, "region_name", 64)?, text(&body, "instance_type_name", 64)?);
    let keys = texts(&body, "ssh_key_names")?;
    let [key] = keys.as_slice() else { return Err(invalid("exactly one SSH key must be specified")) };
    let public = state.keys.get(key).cloned().ok_or_else(|| invalid("there is no such SSH key"))?;
    if body.get("quantity").is_some_and(|quantity| *quantity != json!(1)) {
        return Err(invalid("quantity is 1"));
    }
    let name = body.contains_key("name").then(|| text(&body, "name", 64)).transpose()?;
    let (_, cents_per_hour, regions) =
        TYPES.iter().find(|(name, ..)| *name == kind).ok_or_else(|| invalid("there is no such type"))?;
    if !regions.contains(&region.as_str()) || state.full.contains(&(kind.clone(), region.clone())) {
        let message = "Not enough capacity to fulfill launch request.";
        return Err((400, "instance-operations/launch/insufficient-capacity", message.to_owned()));
    }
    let launched = Instant::now();
    let address = address();
    let sshd = Sshd::fresh(address, state.port, &public).map_err(|error| (500, "global/unknown", error.to_string()))?;
    let id = new_id(state);
    state.machines.push(Rented {
        id: id.clone(),
        name,
        kind,
        region,
        address,
        cents_per_hour: *cents_per_hour,
        key: key.clone(),
        launched,
        listed: launched + state.late,
        active: launched + state.boot,
        terminated: None,
        is_broken: false,
        sshd: Some(sshd),
    });
    Ok(json!({"instance_ids": [id]}))
}

/// A loopback address that no other machine of this process has, and probably none of another process.
fn address() -> Ipv4Addr {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let [.., high, low] = (number + 1).to_be_bytes();
    Ipv4Addr::new(127, (std::process::id() % 250) as u8 + 2, high, low)
}

fn ssh_key(name: &str, public: &str) -> Value {
    json!({"id": format!("key-{name}"), "name": name, "public_key": public, "private_key": null})
}

/// The body of a request: a JSON object with all `needed` fields, and no others than `known`.
fn body(request: &Request, known: &[&str], needed: &[&str]) -> Result<Map<String, Value>, Refusal> {
    if request.headers.get("content-type").map(String::as_str) != Some("application/json") {
        return Err(invalid("the body is application/json"));
    }
    let body: Value = serde_json::from_slice(&request.body).map_err(|_| invalid("the body is no JSON"))?;
    let Value::Object(body) = body else { return Err(invalid("the body is no object")) };
    if let Some(unknown) = body.keys().find(|name| !known.contains(&name.as_str())) {
        return Err(invalid(format!("there is no field {unknown}")));
    }
    if let Some(missing) = needed.iter().find(|name| !body.contains_key(**name)) {
        return Err(invalid(format!("{missing} is missing")));
    }
    Ok(body)
}

fn text(body: &Map<String, Value>, name: &str, longest: usize) -> Result<String, Refusal> {
    let text = body.get(name).and_then(Value::as_str).filter(|text| !text.is_empty() && text.len() <= longest);
    text.map(str::to_owned).ok_or_else(|| invalid(format!("{name} is a text of 1 to {longest} characters")))
}

fn texts(body: &Map<String, Value>, name: &str) -> Result<Vec<String>, Refusal> {
    let list = body.get(name).and_then(Value::as_array).filter(|list| !list.is_empty());
    let list = list.and_then(|list| list.iter().map(|text| text.as_str().map(str::to_owned)).collect());
    list.ok_or_else(|| invalid(format!("{name} is a list of texts")))
}
