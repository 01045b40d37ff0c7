//! Clocks.

use std::time::Instant;

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
