//! Both instruction sets emulated one number at a time, according to Intel's manual and confirmed by tests.

use super::{Bf16, DEPTH, Path, pack::plain};

/// Replaces subnormal numbers by zero.
fn flushed(x: f32) -> f32 {
    if x.is_subnormal() { 0.0_f32.copysign(x) } else { x }
}

/// A number as the instructions read it.
pub(super) fn rounded(x: f32) -> f32 {
    flushed(f32::from_bits(u32::from(plain::round(x)) << 16))
}

/// `start + Σ a·b`; `a` and `b` are given in segments of the depth.
pub(super) fn dot(way: Bf16, start: f32, parts: &[(Vec<f32>, Vec<f32>)]) -> f32 {
    let mut sum = flushed(start);
    for (a, b) in parts {
        for (a, b) in a.chunks(DEPTH).zip(b.chunks(DEPTH)) {
            let fma = |sum: f32, i: usize| match (a.get(i), b.get(i)) {
                (Some(a), Some(b)) => flushed(rounded(*a).mul_add(rounded(*b), sum)),
                _ => sum,
            };
            match way.0 {
                // Sums of the even and of the odd positions, both starting from zero, then their sum.
                Path::Amx => {
                    let [even, odd] = [0, 1].map(|start| (start..DEPTH).step_by(2).fold(0.0, fma));
                    sum = flushed(sum + flushed(even + odd));
                }
                // Each pair is added to the sum, its odd position first.
                Path::Avx512 => sum = (0..DEPTH).fold(sum, |sum, i| fma(sum, i ^ 1)),
            }
        }
    }
    sum
}
