//! Timers.

use std::{fs, time::Instant};

/// Runs `work` for at least `least` seconds (and at least three times); returns the median duration in seconds.
pub(crate) fn median(least: f64, mut work: impl FnMut()) -> f64 {
    work();
    let (all, mut times) = (Instant::now(), Vec::new());
    while times.len() < 3 || all.elapsed().as_secs_f64() < least {
        let clock = Instant::now();
        work();
        times.push(clock.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Pseudo-random numbers between -1 and 1.
pub(crate) fn numbers(count: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

/// CPU seconds of all threads of this process. Unlike the wall clock, they don't depend on other processes. Zero if the
/// system does not report them.
pub(crate) fn cpu_seconds() -> f64 {
    let of = |entry: fs::DirEntry| {
        let text = fs::read_to_string(entry.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<f64>().ok()
    };
    let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    1e-9 * tasks.filter_map(of).sum::<f64>()
}

/// Mean CPU seconds per run of `work`, over at least `least` seconds. The system counts in ticks, so single short runs
/// can't be measured.
pub(crate) fn mean_cpu(least: f64, mut work: impl FnMut()) -> f64 {
    work();
    let (all, start, mut runs) = (Instant::now(), cpu_seconds(), 0);
    while all.elapsed().as_secs_f64() < least {
        work();
        runs += 1;
    }
    (cpu_seconds() - start) / f64::from(runs.max(1))
}
