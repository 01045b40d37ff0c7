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

/// A [`Batcher`] on its own thread, with a bounded queue.
///
/// All answers are computed here: single requests or many at once, with an adapter or with the base model alone. When
/// the service is dropped, the thread finishes the answers it has started and ends.
pub struct Service {
    /// The requests of one message enter the batch at the same step.
    requests: mpsc::Sender<Vec<(Ticket, Request)>>,
    load: Arc<Load>,
    slots: usize,
    queue: usize,
    device: String,
}

/// State of a service.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Status {
    /// Requests in the queue, including background ones.
    pub waiting: usize,
    /// Answers being written.
    pub running: usize,
    /// Requests that ended in any way since the start.
    pub ended: u64,
    /// Answers per second, a recent average over times with work.
    pub rate: f64,
    /// Expected seconds until a new request would start, from the recent speed.
    pub wait: f64,
}

#[derive(Default)]
struct Load {
    queue: Mutex<Queue>,
    running: AtomicUsize,
    ended: AtomicU64,
    /// Nanoseconds of work per answer, a moving average; 0 before the first.
    nanos: AtomicU64,
    /// Nanoseconds of work since the last answer ended.
    busy: AtomicU64,
    /// When the next answer should end, if known.
    next_end: Mutex<Option<Instant>>,
}

/// Counts of waiting requests.
#[derive(Default)]
struct Queue {
    waiting: usize,
    /// Background requests among them.
    background: usize,
    /// The other requests, by client.
    clients: HashMap<Arc<str>, usize>,
}

/// A request's place in the queue, released when it starts or is cancelled.
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
    /// Starts the thread. At most `queue` requests may wait, not counting background ones; `cache` stores computed
    /// instructions for later processes.
    ///
    /// # Errors
    /// If the system can't start a thread.
    pub fn start(model: Arc<Model>, limits: Limits, queue: usize, cache: Option<PromptCache>) -> Result<Self> {
        Self::start_on(ComputeDevice::Cpu, model, limits, queue, cache)
    }

    /// The same on a device. A GPU does not store computed instructions: computing them is faster than reading a file,
    /// and another device would answer from the GPU's numbers.
    ///
    /// # Errors
    /// If the system can't start a thread, or the requested device does not exist or has too little memory.
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

    /// The device: `cpu`, or which GPU.
    #[must_use]
    pub fn device(&self) -> &str {
        &self.device
    }

    /// Queues a request. Only requests of normal priority need room in the queue; a client without waiting requests may
    /// exceed its length, up to twice.
    ///
    /// # Errors
    /// [`Error::Full`] if the queue is full; [`Error::Interrupted`] if the thread is gone.
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

    /// Queues requests regardless of room. They enter the batch at the same step, so the same requests to an idle
    /// service give the same batches and bit-identical answers.
    ///
    /// # Errors
    /// [`Error::Interrupted`] if the thread is gone.
    pub fn submit_all(&self, requests: Vec<Request>) -> Result<()> {
        let counted = requests.into_iter().map(|request| (Ticket::new(&self.load, &request), request)).collect();
        self.requests.send(counted).map_err(|_| Error::Interrupted)
    }

    /// The state of the service.
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

/// The threads of services on devices other than the CPU.
static ON_DEVICES: Mutex<Vec<thread::JoinHandle<()>>> = Mutex::new(Vec::new());

/// Waits up to `limit` until the threads of dropped services have released their GPUs. Call it at the end of a process:
/// a thread that frees GPU memory while the driver is being unloaded aborts the process.
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
        // Blocks while there is no work; otherwise takes what arrived during the last step.
        let first = if batcher.is_idle() { Some(requests.recv()) } else { None };
        let Ok(first) = first.transpose() else { return };
        let came = Instant::now();
        for (ticket, request) in first.into_iter().chain(requests.try_iter()).flatten() {
            batcher.enqueue(request, came, Some(ticket));
        }
        let before = batcher.waiting() + batcher.running();
        // A panic in one answer must not end the service for the others: clients of this batch see a closed channel.
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

    /// Expected time until the next answer ends.
    fn until_next_end(&self) -> Duration {
        self.next_end().map_or(Duration::ZERO, |at| at.saturating_duration_since(Instant::now()))
    }

    /// Expected time until a full queue has room: when an answer ends, the next request starts.
    fn until_room(&self) -> Duration {
        self.until_next_end().max(Duration::from_secs(1))
    }

    /// Updates the statistics after a step.
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
