use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use graft_core::ComputeDevice;
use graft_nn::Model;

use crate::{Batcher, Error, Limits, Priority, PromptCache, Request, Result, device};

/// A [`Batcher`] at work on a thread of its own, with a bounded queue before it.
///
/// It is the one way to an answer: of one request, of many at once, with an adapter or of the bare base model. Dropping it
/// lets the thread finish what it has begun and end.
pub struct Service {
    /// Requests of one message enter the batch together.
    requests: mpsc::Sender<Vec<(Ticket, Request)>>,
    load: Arc<Load>,
    slots: usize,
    queue: usize,
    device: String,
}

/// What a service is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Status {
    /// Requests in the queue, those in the background among them.
    pub waiting: usize,
    /// Answers being written.
    pub running: usize,
    /// Requests that ended, one way or another, since the start.
    pub ended: u64,
    /// Answers a second, lately and while there was work.
    pub rate: f64,
    /// Seconds until a request that came now should begin, by the pace of late.
    pub wait: f64,
}

#[derive(Default)]
struct Load {
    queue: Mutex<Queue>,
    running: AtomicUsize,
    ended: AtomicU64,
    /// Nanoseconds of work an answer, an average that forgets; 0 before the first.
    nanos: AtomicU64,
    /// Nanoseconds of work since an answer ended.
    busy: AtomicU64,
    /// When the next answer should end, as far as that is known.
    next_end: Mutex<Option<Instant>>,
}

/// The requests that wait.
#[derive(Default)]
struct Queue {
    waiting: usize,
    /// Those of them in the background.
    background: usize,
    /// Those that are not, by client.
    clients: HashMap<Arc<str>, usize>,
}

/// A request's place in the queue, until it begins or is given up.
pub(crate) struct Ticket {
    load: Arc<Load>,
    client: Arc<str>,
    is_background: bool,
}

impl Ticket {
    fn new(load: &Arc<Load>, request: &Request) -> Self {
        let (client, is_background) = (Arc::clone(&request.client), request.priority == Priority::Background);
        let mut queue = load.queue();
        queue.waiting += 1;
        if is_background {
            queue.background += 1;
        } else {
            *queue.clients.entry(Arc::clone(&client)).or_default() += 1;
        }
        Self { load: Arc::clone(load), client, is_background }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut queue = self.load.queue();
        queue.waiting -= 1;
        if self.is_background {
            queue.background -= 1;
        } else if let Some(its) = queue.clients.get_mut(&self.client) {
            *its -= 1;
            if *its == 0 {
                queue.clients.remove(&self.client);
            }
        }
    }
}

impl Service {
    /// Starts the thread. `queue` requests may wait beside those in the background; `cache` keeps what is computed of
    /// instructions for later processes.
    ///
    /// # Errors
    /// The system refuses a thread.
    pub fn start(model: Arc<Model>, limits: Limits, queue: usize, cache: Option<PromptCache>) -> Result<Self> {
        Self::start_on(ComputeDevice::Cpu, model, limits, queue, cache)
    }

    /// The same on a device. What a GPU computes of instructions is not kept: it computes them faster than a file is read,
    /// and other devices would answer from its numbers.
    ///
    /// # Errors
    /// The system refuses a thread; the device is named, and is not there or has too little memory.
    pub fn start_on(
        device: ComputeDevice,
        model: Arc<Model>,
        limits: Limits,
        queue: usize,
        cache: Option<PromptCache>,
    ) -> Result<Self> {
        let (requests, receive) = mpsc::channel();
        let load = Arc::new(Load::default());
        let seen = Arc::clone(&load);
        let (say, hear) = mpsc::channel();
        let batcher = move || {
            let mut limits = limits;
            let (generator, name) = device::open(device, &model, &mut limits)?;
            let cache = cache.clone().filter(|_| name == device::CPU);
            Ok((Batcher::on(generator, Arc::clone(&model), limits).with_prompt_cache(cache), (name, limits.slots)))
        };
        let run = move || {
            let (first, about) = match batcher() {
                Ok(made) => made,
                Err(error) => return drop(say.send(Err(error))),
            };
            if say.send(Ok(about)).is_ok() {
                drop(say);
                work(first, &|| batcher().ok().map(|(batcher, _)| batcher), &receive, &seen);
            }
        };
        let thread = thread::Builder::new().name("answers".into()).spawn(run).map_err(Error::Thread)?;
        let (device, slots) = hear.recv().map_err(|_| Error::Interrupted)??;
        if device != device::CPU {
            ON_DEVICES.lock().unwrap_or_else(PoisonError::into_inner).push(thread);
        }
        Ok(Self { requests, load, slots, queue, device })
    }

    /// Where it computes: `cpu`, or which GPU.
    #[must_use]
    pub fn device(&self) -> &str {
        &self.device
    }

    /// Puts a request into the queue; only normal ones need room in it. A client that has none there is let in up to twice
    /// its length.
    ///
    /// # Errors
    /// [`Error::Full`] if too many wait already; [`Error::Interrupted`] if the thread is gone.
    pub fn submit(&self, request: Request) -> Result<()> {
        if request.priority == Priority::Normal {
            let queue = self.load.queue();
            let waiting = queue.waiting - queue.background;
            let most = if queue.clients.contains_key(&request.client) { self.queue } else { 2 * self.queue };
            if waiting >= most {
                return Err(Error::Full { waiting, retry_after: self.load.until_room() });
            }
        }
        self.submit_all(vec![request])
    }

    /// Puts requests into the queue, whether or not there is room. They enter the batch at the same step, so that the
    /// same requests to an idle service have the same batches, and answers that are the same to the bit.
    ///
    /// # Errors
    /// [`Error::Interrupted`] if the thread is gone.
    pub fn submit_all(&self, requests: Vec<Request>) -> Result<()> {
        let counted = requests.into_iter().map(|request| (Ticket::new(&self.load, &request), request)).collect();
        self.requests.send(counted).map_err(|_| Error::Interrupted)
    }

    /// What it is doing.
    #[must_use]
    pub fn status(&self) -> Status {
        let Load { running, ended, nanos, .. } = &*self.load;
        let (running, nanos) = (running.load(Ordering::Relaxed), nanos.load(Ordering::Relaxed));
        let (waiting, ahead) = {
            let queue = self.load.queue();
            (queue.waiting, queue.waiting - queue.background)
        };
        let is_free = ahead == 0 && running < self.slots;
        let wait =
            if is_free { 0.0 } else { self.load.until_next_end().as_secs_f64() + ahead as f64 * nanos as f64 / 1e9 };
        Status {
            waiting,
            running,
            ended: ended.load(Ordering::Relaxed),
            rate: if nanos == 0 { 0.0 } else { 1e9 / nanos as f64 },
            wait,
        }
    }
}

/// The threads whose answers are computed on other devices than the CPU.
static ON_DEVICES: Mutex<Vec<thread::JoinHandle<()>>> = Mutex::new(Vec::new());

/// Waits at most so long until the threads of dropped services have left their GPUs. To be called at the end of a process:
/// a thread that frees memory of a driver which is being unloaded aborts the process.
pub fn leave_devices(limit: Duration) {
    let until = Instant::now() + limit;
    let threads = std::mem::take(&mut *ON_DEVICES.lock().unwrap_or_else(PoisonError::into_inner));
    while threads.iter().any(|thread| !thread.is_finished()) && Instant::now() < until {
        thread::sleep(Duration::from_millis(5));
    }
}

fn work(
    mut batcher: Batcher,
    fresh: &impl Fn() -> Option<Batcher>,
    requests: &mpsc::Receiver<Vec<(Ticket, Request)>>,
    load: &Load,
) {
    loop {
        // Sleeps while there is nothing to do; otherwise takes what came during the last step.
        let first = if batcher.is_idle() { Some(requests.recv()) } else { None };
        let Ok(first) = first.transpose() else { return };
        let came = Instant::now();
        for (ticket, request) in first.into_iter().chain(requests.try_iter()).flatten() {
            batcher.enqueue(request, came, Some(ticket));
        }
        let before = batcher.waiting() + batcher.running();
        // A panic in one answer must not end the service of the others: whoever waits hears that the channel is closed.
        if catch_unwind(AssertUnwindSafe(|| batcher.step(came))).is_err() {
            let Some(new) = fresh() else { return };
            batcher = new;
        }
        load.note(before, &batcher, came.elapsed());
    }
}

impl Load {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next_end(&self) -> MutexGuard<'_, Option<Instant>> {
        self.next_end.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long until the next answer should end.
    fn until_next_end(&self) -> Duration {
        self.next_end().map_or(Duration::ZERO, |at| at.saturating_duration_since(Instant::now()))
    }

    /// When a full queue should have room again: an answer ends, and the next request begins.
    fn until_room(&self) -> Duration {
        self.until_next_end().max(Duration::from_secs(1))
    }

    /// Takes note of a step.
    fn note(&self, before: usize, batcher: &Batcher, took: Duration) {
        let running = batcher.running();
        self.running.store(running, Ordering::Relaxed);
        *self.next_end() = batcher.until_next_end().and_then(|left| Instant::now().checked_add(left));
        let ended = before.saturating_sub(batcher.waiting() + running) as u64;
        self.ended.fetch_add(ended, Ordering::Relaxed);
        let nanos = self.nanos.load(Ordering::Relaxed);
        let took = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        let busy = self.busy.fetch_add(took, Ordering::Relaxed) + took;
        if let Some(each) = busy.checked_div(ended) {
            self.busy.store(0, Ordering::Relaxed);
            let mixed = if nanos == 0 { each } else { nanos / 8 * 7 + each / 8 };
            self.nanos.store(mixed.max(1), Ordering::Relaxed);
        }
    }
}
