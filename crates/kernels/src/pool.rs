//! A fork-join thread pool: every operation is split into a few tasks, which the caller and the workers execute.
//!
//! Workers spin briefly between operations (a training step issues thousands) and then park, so an idle process
//! uses no CPU time. Which thread executes a task never changes the result: tasks write disjoint outputs.

use std::{
    cell::Cell,
    sync::{
        Condvar, Mutex, OnceLock,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

/// Bit that is set while the current job accepts workers; the bits below it count the workers inside the job.
const OPEN: u64 = 1 << 31;
/// Increment of the job counter in the upper half of the state.
const GENERATION: u64 = 1 << 32;
/// Spins before a waiting worker parks: some tens of microseconds, at up to 140 cycles per spin.
const SPINS: u32 = 1000;

/// A job's closure with its lifetime erased, and how many tasks it has.
#[derive(Clone, Copy)]
struct Job {
    run: *const (dyn Fn(usize) + Sync),
    tasks: usize,
}

struct Pool {
    /// `generation << 32 | open << 31 | workers inside`.
    state: AtomicU64,
    next: AtomicUsize,
    job: std::cell::UnsafeCell<Option<Job>>,
    /// Held by the thread whose job is running.
    busy: Mutex<()>,
    sleepers: Mutex<usize>,
    wake: Condvar,
}

// SAFETY: `job` is written only while the state is closed and no worker is inside, by the holder of `busy`,
// and read only by workers that joined an open generation.
unsafe impl Sync for Pool {}
// SAFETY: as above; the raw pointer inside is only used while its owner waits in `for_each`.
unsafe impl Send for Pool {}

static POOL: OnceLock<&'static Pool> = OnceLock::new();
static THREADS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Sets the number of threads (the caller included); takes effect only before the first parallel operation.
pub fn set_threads(threads: usize) {
    THREADS.store(threads.max(1), Ordering::Relaxed);
}

/// Threads that share an operation, the caller included.
#[must_use]
pub fn threads() -> usize {
    match THREADS.load(Ordering::Relaxed) {
        0 => {
            // The query reads files, so ask only once.
            let found = std::thread::available_parallelism().map_or(1, usize::from);
            THREADS.store(found, Ordering::Relaxed);
            found
        }
        n => n,
    }
}

fn pool() -> &'static Pool {
    POOL.get_or_init(|| {
        let pool: &'static Pool = Box::leak(Box::new(Pool {
            state: AtomicU64::new(0),
            next: AtomicUsize::new(0),
            job: std::cell::UnsafeCell::new(None),
            busy: Mutex::new(()),
            sleepers: Mutex::new(0),
            wake: Condvar::new(),
        }));
        for index in 1..threads() {
            // If the system can't start a thread, compute with fewer.
            let _ = std::thread::Builder::new().name(format!("compute-{index}")).spawn(move || -> () { worker(pool) });
        }
        pool
    })
}

/// Whether the current thread is executing a task.
pub(crate) fn inside() -> bool {
    INSIDE.get()
}

/// Runs `f(0)`, …, `f(tasks - 1)`, each once, on all threads, and returns when all are done.
///
/// Nested calls, and calls while another thread's job runs, run on the calling thread alone.
///
/// # Panics
/// A panic inside a task aborts the process, because the other threads cannot be stopped.
pub fn for_each(tasks: usize, f: impl Fn(usize) + Sync) {
    if tasks <= 1 || threads() == 1 || INSIDE.get() {
        (0..tasks).for_each(f);
        return;
    }
    let pool = pool();
    let Ok(_busy) = pool.busy.try_lock() else {
        (0..tasks).for_each(f);
        return;
    };
    let abort = AbortOnPanic;
    INSIDE.set(true);
    let run: &(dyn Fn(usize) + Sync) = &f;
    // SAFETY: only the lifetime changes; this function returns after every worker has left the job.
    let run: &'static (dyn Fn(usize) + Sync) = unsafe { std::mem::transmute(run) };
    // SAFETY: the state is closed and empty, and `busy` is held, so no other thread accesses `job`.
    unsafe { *pool.job.get() = Some(Job { run, tasks }) };
    pool.next.store(0, Ordering::Relaxed);
    let generation = (pool.state.load(Ordering::Relaxed) & !(GENERATION - 1)).wrapping_add(GENERATION);
    pool.state.store(generation | OPEN, Ordering::Release);
    if let Ok(sleepers) = pool.sleepers.lock()
        && *sleepers > 0
    {
        pool.wake.notify_all();
    }
    drain(pool, run, tasks);
    pool.state.fetch_and(!OPEN, Ordering::AcqRel);
    let mut spins = 0_u32;
    while pool.state.load(Ordering::Acquire) & (OPEN - 1) != 0 {
        spins += 1;
        if spins > SPINS { std::thread::yield_now() } else { std::hint::spin_loop() }
    }
    INSIDE.set(false);
    std::mem::forget(abort);
}

/// Like [`for_each`] over disjoint pieces of `out`, `size` elements each (the last may be shorter).
pub fn for_each_chunk<T: Send>(out: &mut [T], size: usize, f: impl Fn(usize, &mut [T]) + Sync) {
    let size = size.max(1);
    let (len, start) = (out.len(), SendPtr(out.as_mut_ptr()));
    for_each(len.div_ceil(size), |i| {
        let begin = i * size;
        // SAFETY: pieces of different `i` are disjoint and inside `out`, which this call borrows mutably.
        let piece = unsafe { std::slice::from_raw_parts_mut(start.get().add(begin), size.min(len - begin)) };
        f(i, piece);
    });
}

/// Like [`for_each_chunk`] over two slices in step: piece `i` of `a` together with piece `i` of `b`.
///
/// # Panics
/// When the slices don't split into equally many pieces.
pub fn for_each_chunks<A: Send, B: Send>(
    (a, a_size): (&mut [A], usize),
    (b, b_size): (&mut [B], usize),
    f: impl Fn(usize, &mut [A], &mut [B]) + Sync,
) {
    let (a_size, b_size, b_len) = (a_size.max(1), b_size.max(1), b.len());
    assert_eq!(a.len().div_ceil(a_size), b_len.div_ceil(b_size), "slices split differently");
    let b_start = SendPtr(b.as_mut_ptr());
    for_each_chunk(a, a_size, |i, a| {
        let begin = i * b_size;
        // SAFETY: as in `for_each_chunk`.
        let b = unsafe { std::slice::from_raw_parts_mut(b_start.get().add(begin), b_size.min(b_len - begin)) };
        f(i, a, b);
    });
}

/// A pointer that tasks share because each writes its own part.
#[derive(Clone, Copy)]
pub(crate) struct SendPtr<T>(pub(crate) *mut T);

impl<T> SendPtr<T> {
    /// The pointer; a method so that closures capture the whole wrapper.
    pub(crate) fn get(&self) -> *mut T {
        self.0
    }
}

// SAFETY: users write disjoint parts only.
unsafe impl<T: Send> Send for SendPtr<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for SendPtr<T> {}

struct AbortOnPanic;

impl Drop for AbortOnPanic {
    fn drop(&mut self) {
        std::process::abort();
    }
}

fn drain(pool: &Pool, run: &(dyn Fn(usize) + Sync), tasks: usize) {
    loop {
        let task = pool.next.fetch_add(1, Ordering::Relaxed);
        if task >= tasks {
            return;
        }
        run(task);
    }
}

fn worker(pool: &'static Pool) -> ! {
    let _abort = AbortOnPanic;
    INSIDE.set(true);
    let mut last = 0_u64;
    loop {
        let state = wait(pool, last);
        last = state / GENERATION;
        if pool.state.compare_exchange(state, state + 1, Ordering::AcqRel, Ordering::Relaxed).is_err() {
            last = last.wrapping_sub(1);
            continue;
        }
        // SAFETY: this worker is counted inside an open generation, so the caller keeps `job` alive and unchanged.
        if let Some(job) = unsafe { *pool.job.get() } {
            // SAFETY: as above.
            drain(pool, unsafe { &*job.run }, job.tasks);
        }
        pool.state.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Waits for an open generation other than `last`: spins, then parks.
fn wait(pool: &Pool, last: u64) -> u64 {
    let fresh = |state: u64| state & OPEN != 0 && state / GENERATION != last;
    for _ in 0..SPINS {
        let state = pool.state.load(Ordering::Acquire);
        if fresh(state) {
            return state;
        }
        std::hint::spin_loop();
    }
    let Ok(mut sleepers) = pool.sleepers.lock() else { std::process::abort() };
    *sleepers += 1;
    loop {
        let state = pool.state.load(Ordering::Acquire);
        if fresh(state) {
            *sleepers -= 1;
            return state;
        }
        sleepers = match pool.wake.wait(sleepers) {
            Ok(guard) => guard,
            Err(_) => std::process::abort(),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_runs_once_with_visible_results() {
        for round in 0..2000 {
            let mut out = vec![0_u32; 1 + round % 97];
            for_each_chunk(&mut out, 3, |i, piece| piece.iter_mut().for_each(|x| *x += i as u32 + 1));
            assert!(out.iter().enumerate().all(|(j, &x)| x == (j / 3) as u32 + 1), "round {round}");
            if round % 500 == 0 {
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
        }
    }

    #[test]
    fn nested_and_concurrent_calls_finish() {
        let total = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..100 {
                        for_each(8, |_| {
                            for_each(4, |_| {
                                total.fetch_add(1, Ordering::Relaxed);
                            })
                        });
                    }
                });
            }
        });
        assert_eq!(total.load(Ordering::Relaxed), 4 * 100 * 32);
    }
}
