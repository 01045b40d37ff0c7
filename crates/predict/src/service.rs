use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
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
    requests: mpsc::Sender<Vec<Request>>,
    load: Arc<Load>,
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
}

#[derive(Default)]
struct Load {
    waiting: AtomicUsize,
    /// Requests in the background that wait; `waiting` counts them too.
    background: AtomicUsize,
    running: AtomicUsize,
    ended: AtomicU64,
    /// Nanoseconds of work an answer, an average that forgets; 0 before the first.
    nanos: AtomicU64,
    /// Nanoseconds of work since an answer ended.
    busy: AtomicU64,
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
            Ok((Batcher::on(generator, Arc::clone(&model), limits).with_prompt_cache(cache), name))
        };
        let run = move || {
            let (first, name) = match batcher() {
                Ok(made) => made,
                Err(error) => return drop(say.send(Err(error))),
            };
            if say.send(Ok(name)).is_ok() {
                drop(say);
                work(first, &|| batcher().ok().map(|(batcher, _)| batcher), &receive, &seen);
            }
        };
        thread::Builder::new().name("answers".into()).spawn(run).map_err(Error::Thread)?;
        let device = hear.recv().map_err(|_| Error::Interrupted)??;
        Ok(Self { requests, load, queue, device })
    }

    /// Where it computes: `cpu`, or which GPU.
    #[must_use]
    pub fn device(&self) -> &str {
        &self.device
    }

    /// Puts a request into the queue; only normal ones need room in it.
    ///
    /// # Errors
    /// [`Error::Full`] if too many wait already; [`Error::Interrupted`] if the thread is gone.
    pub fn submit(&self, request: Request) -> Result<()> {
        let before = self.load.waiting.fetch_add(1, Ordering::AcqRel);
        let waiting = before.saturating_sub(self.load.background.load(Ordering::Acquire));
        if waiting >= self.queue && request.priority == Priority::Normal {
            self.load.waiting.fetch_sub(1, Ordering::AcqRel);
            return Err(Error::Full { waiting, retry_after: self.retry_after(waiting) });
        }
        let background = usize::from(request.priority == Priority::Background);
        self.load.background.fetch_add(background, Ordering::AcqRel);
        self.send(vec![request], background)
    }

    /// Puts requests into the queue, whether or not there is room. They enter the batch at the same step, so that the
    /// same requests to an idle service have the same batches, and answers that are the same to the bit.
    ///
    /// # Errors
    /// [`Error::Interrupted`] if the thread is gone.
    pub fn submit_all(&self, requests: Vec<Request>) -> Result<()> {
        let background = requests.iter().filter(|request| request.priority == Priority::Background).count();
        self.load.waiting.fetch_add(requests.len(), Ordering::AcqRel);
        self.load.background.fetch_add(background, Ordering::AcqRel);
        self.send(requests, background)
    }

    /// Hands requests that are counted already to the thread.
    fn send(&self, requests: Vec<Request>, background: usize) -> Result<()> {
        self.requests.send(requests).map_err(|mpsc::SendError(requests)| {
            self.load.waiting.fetch_sub(requests.len(), Ordering::AcqRel);
            self.load.background.fetch_sub(background, Ordering::AcqRel);
            Error::Interrupted
        })
    }

    /// What it is doing.
    #[must_use]
    pub fn status(&self) -> Status {
        let nanos = self.load.nanos.load(Ordering::Relaxed);
        Status {
            waiting: self.load.waiting.load(Ordering::Relaxed),
            running: self.load.running.load(Ordering::Relaxed),
            ended: self.load.ended.load(Ordering::Relaxed),
            rate: if nanos == 0 { 0.0 } else { 1e9 / nanos as f64 },
        }
    }

    /// When a full queue should have room again, by the rate of late.
    fn retry_after(&self, waiting: usize) -> Duration {
        let nanos = self.load.nanos.load(Ordering::Relaxed).saturating_mul(waiting as u64);
        Duration::from_nanos(nanos).clamp(Duration::from_secs(1), Duration::from_secs(60))
    }
}

/// How many requests wait, wait in the background, and run.
#[derive(Clone, Copy)]
struct Counts {
    waiting: usize,
    background: usize,
    running: usize,
}

impl Counts {
    fn of(batcher: &Batcher) -> Self {
        Self { waiting: batcher.waiting(), background: batcher.waiting_in_background(), running: batcher.running() }
    }
}

fn work(
    mut batcher: Batcher,
    fresh: &impl Fn() -> Option<Batcher>,
    requests: &mpsc::Receiver<Vec<Request>>,
    load: &Load,
) {
    loop {
        // Sleeps while there is nothing to do; otherwise takes what came during the last step.
        let first = if batcher.is_idle() { Some(requests.recv()) } else { None };
        let Ok(first) = first.transpose() else { return };
        let came = Instant::now();
        for request in first.into_iter().chain(requests.try_iter()).flatten() {
            batcher.submit(request, came);
        }
        let before = Counts::of(&batcher);
        // A panic in one answer must not end the service of the others: whoever waits hears that the channel is closed.
        if catch_unwind(AssertUnwindSafe(|| batcher.step(came))).is_err() {
            let Some(new) = fresh() else { return };
            batcher = new;
        }
        load.note(before, Counts::of(&batcher), came.elapsed());
    }
}

impl Load {
    /// Takes note of a step. Requests are counted when they are submitted, so only the difference is taken off here.
    fn note(&self, before: Counts, after: Counts, took: Duration) {
        self.waiting.fetch_sub(before.waiting.saturating_sub(after.waiting), Ordering::AcqRel);
        self.background.fetch_sub(before.background.saturating_sub(after.background), Ordering::AcqRel);
        self.running.store(after.running, Ordering::Relaxed);
        let ended = (before.waiting + before.running).saturating_sub(after.waiting + after.running) as u64;
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
