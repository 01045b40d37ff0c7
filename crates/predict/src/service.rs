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

use graft_nn::Model;

use crate::{Batcher, Error, Limits, Request, Result};

/// A [`Batcher`] at work on a thread of its own, with a bounded queue before it.
///
/// Dropping it lets the thread finish what it has begun and end.
pub struct Service {
    requests: mpsc::Sender<Request>,
    load: Arc<Load>,
    queue: usize,
}

/// What a service is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Status {
    /// Requests in the queue.
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
    running: AtomicUsize,
    ended: AtomicU64,
    /// Nanoseconds of work an answer, an average that forgets; 0 before the first.
    nanos: AtomicU64,
    /// Nanoseconds of work since an answer ended.
    busy: AtomicU64,
}

impl Service {
    /// Starts the thread. `queue` requests may wait.
    ///
    /// # Errors
    /// The system refuses a thread.
    pub fn start(model: Arc<Model>, limits: Limits, queue: usize) -> std::io::Result<Self> {
        let (requests, receive) = mpsc::channel();
        let load = Arc::new(Load::default());
        let seen = Arc::clone(&load);
        thread::Builder::new().name("answers".into()).spawn(move || work(&model, limits, &receive, &seen))?;
        Ok(Self { requests, load, queue })
    }

    /// Puts a request into the queue; urgent ones always fit.
    ///
    /// # Errors
    /// [`Error::Full`] if too many wait already; [`Error::Interrupted`] if the thread is gone.
    pub fn submit(&self, request: Request) -> Result<()> {
        let waiting = self.load.waiting.fetch_add(1, Ordering::AcqRel);
        if waiting >= self.queue && !request.urgent {
            self.load.waiting.fetch_sub(1, Ordering::AcqRel);
            return Err(Error::Full { waiting, retry_after: self.retry_after(waiting) });
        }
        self.requests.send(request).map_err(|_| {
            self.load.waiting.fetch_sub(1, Ordering::AcqRel);
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

fn work(model: &Arc<Model>, limits: Limits, requests: &mpsc::Receiver<Request>, load: &Load) {
    let mut batcher = Batcher::new(Arc::clone(model), limits);
    loop {
        if batcher.is_idle() {
            let Ok(request) = requests.recv() else { return };
            batcher.submit(request, Instant::now());
        }
        requests.try_iter().for_each(|request| batcher.submit(request, Instant::now()));
        let (start, before) = (Instant::now(), (batcher.waiting(), batcher.running()));
        // A mistake in one answer must not end the others' service: whoever waits hears that the channel is closed.
        if catch_unwind(AssertUnwindSafe(|| batcher.step(start))).is_err() {
            batcher = Batcher::new(Arc::clone(model), limits);
        }
        load.note(before, (batcher.waiting(), batcher.running()), start.elapsed());
    }
}

impl Load {
    /// Takes note of a step: how many waited and ran before it and after it.
    fn note(&self, before: (usize, usize), after: (usize, usize), took: Duration) {
        self.waiting.fetch_sub(before.0 - after.0.min(before.0), Ordering::AcqRel);
        self.running.store(after.1, Ordering::Relaxed);
        let ended = (before.0 + before.1).saturating_sub(after.0 + after.1) as u64;
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
