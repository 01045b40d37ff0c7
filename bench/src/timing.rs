//! Clocks.

use std::{fs, time::Instant};

/// Runs `work` until `least` seconds have passed (and at least three times); returns the median seconds of a run.
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

/// Numbers that look random, between -1 and 1.
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

/// Seconds that the threads of this process have computed, which others on the machine don't change as they change the
/// wall clock. Zero where the system doesn't tell.
pub(crate) fn cpu_seconds() -> f64 {
    let of = |entry: fs::DirEntry| {
        let text = fs::read_to_string(entry.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<f64>().ok()
    };
    let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    1e-9 * tasks.filter_map(of).sum::<f64>()
}

/// CPU seconds of a run of `work`, on average over `least` seconds. The system counts at its ticks, so short runs are not told
/// apart.
pub(crate) fn mean_cpu(least: f64, mut work: impl FnMut()) -> f64 {
    work();
    let (all, start, mut runs) = (Instant::now(), cpu_seconds(), 0);
    while all.elapsed().as_secs_f64() < least {
        work();
        runs += 1;
    }
    (cpu_seconds() - start) / f64::from(runs.max(1))
}
