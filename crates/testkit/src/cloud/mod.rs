//! Rented machines: strict servers for the documented parts of providers' APIs that Graft uses. Each machine is an `sshd`
//! of its own with an empty home.

mod lambda;
mod runpod;

use std::{
    collections::BTreeMap,
    fs, io,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant, SystemTime},
};

use serde_json::{Map, Value};
use tempfile::TempDir;

use crate::{
    Sshd,
    http::{Answer, Request, listen},
};

/// How long a terminated machine stays in the list of a provider that lists it.
const SHOWN: Duration = Duration::from_secs(600);

/// A server for rented machines, which ends with its process.
#[derive(Debug)]
pub struct Cloud {
    api: &'static Api,
    origin: String,
    folder: TempDir,
    state: Arc<Mutex<State>>,
}

/// How a provider's API differs from the others.
#[derive(Debug)]
struct Api {
    /// Its API key, and the variables in which a client looks for the key and the address.
    key: &'static str,
    variables: [&'static str; 2],
    /// How the line of the launching call ends: method and path.
    launch: &'static str,
    types: &'static [Type],
    /// Price of the disk of a machine per hour, in cents.
    disk: f64,
    /// A started unit of time is billed in full.
    unit: Duration,
    /// Whether a machine that ends itself is terminated by that.
    removes_itself: bool,
    /// Code of a refusal that the client's author is to blame for.
    malformed: &'static str,
    act: fn(&Request, &mut State) -> Result<Reply, Refusal>,
    failed: fn(Refusal) -> Reply,
}

/// Name, price per hour in cents, and regions with capacity.
type Type = (&'static str, u32, &'static [&'static str]);
/// Status and body.
type Reply = (u16, Option<Value>);
/// Status, code and message.
type Refusal = (u16, &'static str, String);

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
    /// Its cost in cents; started units of time count fully.
    pub cents: u64,
    /// Time since its launch.
    pub age: Duration,
    cents_per_hour: f64,
    unit: Duration,
}

impl Machine {
    /// What it would have cost if it had run so much longer.
    #[must_use]
    pub fn cents_after(&self, more: Duration) -> u64 {
        bill(self.cents_per_hour, self.unit, self.age + more)
    }
}

#[derive(Debug)]
struct State {
    api: &'static Api,
    /// The port of machines with addresses of their own.
    port: u16,
    /// Names and public keys.
    keys: BTreeMap<String, String>,
    machines: Vec<Rented>,
    /// Calls so far: method and path.
    calls: Vec<String>,
    /// Faults for the call with this number, or for the next call whose method and path end with this text.
    faults: Vec<(Which, Fault)>,
    /// Regions and types that are offered but have no capacity.
    full: Vec<(String, String)>,
    boot: Duration,
    late: Duration,
    /// Cents per hour that new machines cost beyond the listed price.
    raise: u32,
    /// Number of requests with a wrong API key.
    refused: usize,
    /// Errors of malformed requests.
    malformed: Vec<String>,
}

#[derive(Debug)]
enum Which {
    Number(usize),
    End(String),
}

/// What a machine does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Booting,
    Active,
    Broken,
    Ending,
    Terminated,
}

#[derive(Debug)]
struct Rented {
    id: String,
    name: Option<String>,
    kind: String,
    region: String,
    address: String,
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
    fn phase(&self, now: Instant) -> Phase {
        match self.terminated {
            Some(at) if now.duration_since(at) < Duration::from_millis(300) => Phase::Ending,
            Some(_) => Phase::Terminated,
            None if self.is_broken || self.halted().is_some() => Phase::Broken,
            None if now < self.active => Phase::Booting,
            None => Phase::Active,
        }
    }

    /// How long ago it ended itself.
    fn halted(&self) -> Option<Duration> {
        let about = fs::metadata(self.sshd.as_ref()?.home().join("halted")).ok()?;
        Some(SystemTime::now().duration_since(about.modified().ok()?).unwrap_or_default())
    }

    fn is_listed(&self, now: Instant) -> bool {
        self.listed <= now
    }

    fn age(&self) -> Duration {
        self.terminated.unwrap_or_else(Instant::now).duration_since(self.launched)
    }

    fn terminate(&mut self, at: Instant) {
        self.end();
        self.terminated = self.terminated.or(Some(at));
    }

    /// Ends its processes and its `sshd`.
    fn end(&mut self) {
        if let Some(sshd) = self.sshd.take() {
            sshd.kill_all();
        }
    }
}

impl State {
    /// Terminates the machines that removed themselves.
    fn settle(&mut self) {
        let now = Instant::now();
        for rented in self.machines.iter_mut().filter(|_| self.api.removes_itself) {
            if let Some(ago) = rented.halted() {
                rented.terminate(now.checked_sub(ago).unwrap_or(now));
            }
        }
    }

    /// The price of a type in a region where there is capacity for it; nothing for an unknown type.
    fn price(&self, kind: &str, region: &str) -> Option<Option<u32>> {
        let (_, cents, regions) = self.api.types.iter().find(|(name, ..)| *name == kind)?;
        let is_full = self.full.contains(&(kind.to_owned(), region.to_owned()));
        Some((regions.contains(&region) && !is_full).then_some(*cents + self.raise))
    }

    fn new_id(&self) -> String {
        format!("{:032x}", 0xabcd_ef00_0000 + self.machines.len())
    }

    /// Adds a machine that was launched just now, and returns its id.
    fn add(&mut self, id: String, offer: (String, String, u32), name: Option<String>, key: String, place: Place) {
        let (launched, (kind, region, cents_per_hour)) = (place.launched, offer);
        self.machines.push(Rented {
            id,
            name,
            kind,
            region,
            address: place.address,
            cents_per_hour,
            key,
            launched,
            listed: launched + self.late,
            active: launched + self.boot,
            terminated: None,
            is_broken: false,
            sshd: place.sshd,
        });
    }
}

/// Where a machine is, and since when.
struct Place {
    launched: Instant,
    address: String,
    sshd: Option<Sshd>,
}

impl Cloud {
    /// Starts a server of Lambda Cloud's API (version 1) without machines; `None` with `GRAFT_SKIP_SSHD=1`.
    ///
    /// # Errors
    /// If no port is free, or a file can't be written.
    pub fn lambda() -> io::Result<Option<Self>> {
        Self::start(&lambda::API)
    }

    /// Starts a server of RunPod's API (version 2), as [`lambda`](Self::lambda).
    ///
    /// # Errors
    /// If no port is free, or a file can't be written.
    pub fn runpod() -> io::Result<Option<Self>> {
        Self::start(&runpod::API)
    }

    fn start(api: &'static Api) -> io::Result<Option<Self>> {
        if std::env::var("GRAFT_SKIP_SSHD").is_ok_and(|value| value == "1") {
            return Ok(None);
        }
        let folder = tempfile::Builder::new().prefix("graft-cloud-").tempdir()?;
        fs::create_dir(folder.path().join("control"))?;
        let port = crate::free_port()?;
        // The client sends every environment variable that it is asked to send.
        fs::write(folder.path().join("client"), format!("Host 127.*\n Port {port}\n SendEnv *\n"))?;
        let state = State {
            api,
            port,
            keys: BTreeMap::new(),
            machines: Vec::new(),
            calls: Vec::new(),
            faults: Vec::new(),
            full: Vec::new(),
            boot: Duration::ZERO,
            late: Duration::ZERO,
            raise: 0,
            refused: 0,
            malformed: Vec::new(),
        };
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        let origin = listen(move |request| answer(request, &shared))?;
        Ok(Some(Self { api, origin, folder, state }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        let mut state = lock(&self.state);
        state.settle();
        state
    }

    /// Its address.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Its API key.
    #[must_use]
    pub fn key(&self) -> &'static str {
        self.api.key
    }

    /// How the line of its launching call ends, for [`fail_next`](Self::fail_next).
    #[must_use]
    pub fn launch_call(&self) -> &'static str {
        self.api.launch
    }

    /// The environment variables that a client needs, the API key first.
    ///
    /// # Panics
    /// If the user who runs the tests is unknown.
    #[must_use]
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let path = |name: &str| self.folder.path().join(name).to_string_lossy().into_owned();
        let [key, address] = self.api.variables;
        vec![
            (key, self.api.key.to_owned()),
            (address, self.origin.clone()),
            ("GRAFT_SSH_CONFIG", path("client")),
            ("XDG_RUNTIME_DIR", path("control")),
            ("GRAFT_RENT_USER", crate::sshd::whoami().expect("`id` works")),
        ]
    }

    /// Every machine that was ever launched, the oldest first.
    #[must_use]
    pub fn machines(&self) -> Vec<Machine> {
        let (disk, unit) = (self.api.disk, self.api.unit);
        let of = |rented: &Rented| {
            let (cents_per_hour, age) = (f64::from(rented.cents_per_hour) + disk, rented.age());
            Machine {
                id: rented.id.clone(),
                name: rented.name.clone(),
                runs: rented.terminated.is_none(),
                cents: bill(cents_per_hour, unit, age),
                age,
                cents_per_hour,
                unit,
            }
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

    /// Injects a fault into the next call whose method and path end with `end`.
    pub fn fail_next(&self, end: &str, fault: Fault) {
        self.state().faults.push((Which::End(end.to_owned()), fault));
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

    /// Raises the price of new machines beyond what is listed, in cents per hour.
    pub fn raise(&self, cents: u32) {
        self.state().raise = cents;
    }

    /// Sets how long machines take to become active, and to appear in the list.
    pub fn delay(&self, boot: Duration, late: Duration) {
        let mut state = self.state();
        (state.boot, state.late) = (boot, late);
    }

    /// Launches a machine that belongs to another user, and returns its id.
    #[must_use]
    pub fn launch_foreign(&self, name: Option<&str>) -> String {
        let mut state = self.state();
        let id = state.new_id();
        let (kind, cents, regions) = self.api.types[0];
        let place = Place { launched: Instant::now(), address: "127.0.0.9".to_owned(), sshd: None };
        let offer = (kind.to_owned(), regions[0].to_owned(), cents);
        state.add(id.clone(), offer, name.map(str::to_owned), "theirs".to_owned(), place);
        id
    }

    /// Ends all machines abruptly, like a power failure: as terminated by the provider, otherwise as unhealthy.
    pub fn break_machines(&self, terminated: bool) {
        let now = Instant::now();
        for rented in self.state().machines.iter_mut().filter(|rented| rented.sshd.is_some()) {
            if terminated {
                rented.terminate(now);
            } else {
                rented.end();
                rented.is_broken = true;
            }
        }
    }
}

impl Drop for Cloud {
    /// Ends what a failed test left running; the listening thread keeps the state.
    fn drop(&mut self) {
        self.state().machines.iter_mut().for_each(Rented::end);
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The cost of a machine: started units of time count fully, and cents are rounded up.
fn bill(cents_per_hour: f64, unit: Duration, age: Duration) -> u64 {
    let units = age.as_millis().div_ceil(unit.as_millis()).max(1);
    // Less than a millionth is a matter of how numbers are stored.
    (units as f64 * unit.as_secs_f64() * cents_per_hour / 3600.0 - 1e-6).ceil() as u64
}

fn written((status, body): Reply) -> Answer {
    let body = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
    Some((status, vec![("content-type", "application/json".into())], body))
}

fn answer(request: &Request, shared: &Mutex<State>) -> Answer {
    let (fault, api) = {
        let mut state = lock(shared);
        let (number, line) = (state.calls.len(), format!("{} {}", request.method, request.path));
        let is_meant = |(which, _): &(Which, Fault)| match which {
            Which::Number(wanted) => *wanted == number,
            Which::End(end) => line.ends_with(end.as_str()),
        };
        let found = state.faults.iter().position(is_meant);
        state.calls.push(line);
        (found.map(|at| state.faults.remove(at).1), state.api)
    };
    match fault {
        Some(Fault::Status(status)) => {
            written((api.failed)((status, "global/unknown", "Something unexpected occurred.".to_owned())))
        }
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
    state.settle();
    let api = state.api;
    if request.headers.get("authorization").map(String::as_str) != Some(format!("Bearer {}", api.key).as_str()) {
        state.refused += 1;
        return written((api.failed)((401, "global/invalid-api-key", "The API key is invalid.".to_owned())));
    }
    let reply = (api.act)(request, &mut state).unwrap_or_else(|refusal| {
        if refusal.1 == api.malformed {
            state.malformed.push(refusal.2.clone());
        }
        (api.failed)(refusal)
    });
    written(reply)
}

/// The body of a request: a JSON object with all `needed` fields, and no others than `known`.
fn body(request: &Request, known: &[&str], needed: &[&str]) -> Result<Map<String, Value>, String> {
    if request.headers.get("content-type").map(String::as_str) != Some("application/json") {
        return Err("the body is application/json".to_owned());
    }
    let body: Value = serde_json::from_slice(&request.body).map_err(|_| "the body is no JSON")?;
    object(&body, known, needed)
}

/// The same of a value in it.
fn object(value: &Value, known: &[&str], needed: &[&str]) -> Result<Map<String, Value>, String> {
    let Value::Object(object) = value else { return Err("it is no object".to_owned()) };
    if let Some(unknown) = object.keys().find(|name| !known.contains(&name.as_str())) {
        return Err(format!("there is no field {unknown}"));
    }
    if let Some(missing) = needed.iter().find(|name| !object.contains_key(**name)) {
        return Err(format!("{missing} is missing"));
    }
    Ok(object.clone())
}

fn text(body: &Map<String, Value>, name: &str, longest: usize) -> Result<String, String> {
    let text = body.get(name).and_then(Value::as_str).filter(|text| !text.is_empty() && text.len() <= longest);
    text.map(str::to_owned).ok_or_else(|| format!("{name} is a text of 1 to {longest} characters"))
}

fn texts(body: &Map<String, Value>, name: &str) -> Result<Vec<String>, String> {
    let list = body.get(name).and_then(Value::as_array).filter(|list| !list.is_empty());
    let list = list.and_then(|list| list.iter().map(|text| text.as_str().map(str::to_owned)).collect());
    list.ok_or_else(|| format!("{name} is a list of texts"))
}
