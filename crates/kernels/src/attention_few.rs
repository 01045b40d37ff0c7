//! Attention of a few queries, as in decoding, where there are too few rows for a packed matrix product. Keys and
//! values are read once for all heads that share them.

use std::ops::Range;

use crate::{
    attention::{AttentionRange, Heads, Inputs, only, with_scratch},
    pool::SendPtr,
    rows,
    simd::kernels,
};

/// Most queries of a range for this method.
pub(crate) const FEW: usize = 4;
/// Number of keys or values processed together for all heads that share them, so that they stay in the L1 cache.
const CHUNK: usize = 32;

/// Attention of a range with few queries, for the heads that share the keys and values of head `kv`; results as in
/// [`attention`](crate::attention::attention).
///
/// # Safety
/// `input` must have been checked, and no other thread may use the results of these queries and heads during the call.
pub(crate) unsafe fn few(input: &Inputs<'_>, range: &AttentionRange, kv: usize, out: SendPtr<f32>, lse: SendPtr<f32>) {
    let Heads { heads, kv_heads, dim, scale } = input.heads;
    let seen = input.visible_to(range, &(0..range.queries.len()));
    let (group, stride, width) = (heads / kv_heads, kv_heads * dim, seen.len());
    let query = |at: usize| (range.queries.start + at / group) * heads + kv * group + at % group;
    let count = range.queries.len() * group;
    with_scratch(count * width, |s| {
        for (column, keys) in chunks(range, &seen) {
            let k = &input.k[keys.start * stride + kv * dim..];
            for at in 0..count {
                let s = &mut s[at * width + column..][..keys.len()];
                scores(s, &input.q[query(at) * dim..][..dim], k, stride, scale);
            }
        }
        for at in 0..count {
            let s = &mut s[at * width..(at + 1) * width];
            input.finish_scores(s, seen.start, range, kv * group + at % group, at / group);
            let own = only(s, &seen, range.visible(at / group, input.window));
            let max = rows::max(own);
            let sum = rows::exp_sum(own, max);
            rows::scale(own, 1.0 / sum);
            // SAFETY: `check` verified the bounds, and the caller guarantees exclusive access.
            unsafe {
                *lse.get().add(query(at)) = max + sum.ln();
                std::slice::from_raw_parts_mut(out.get().add(query(at) * dim), dim).fill(0.0);
            }
        }
        for (column, keys) in chunks(range, &seen) {
            let v = &input.v[keys.start * stride + kv * dim..];
            for at in 0..count {
                // SAFETY: as above.
                let out = unsafe { std::slice::from_raw_parts_mut(out.get().add(query(at) * dim), dim) };
                mix(out, &s[at * width + column..][..keys.len()], v, stride);
            }
        }
    });
}

/// Chunks of the key rows at the positions `seen` of a range, each with the index of its first key.
fn chunks(range: &AttentionRange, seen: &Range<usize>) -> impl Iterator<Item = (usize, Range<usize>)> {
    let [prefix, own] = range.rows_at(seen);
    [(0, prefix.clone()), (prefix.len(), own)].into_iter().flat_map(|(before, keys)| {
        let (first, end) = (keys.start, keys.end);
        keys.step_by(CHUNK).map(move |start| (before + start - first, start..(start + CHUNK).min(end)))
    })
}

kernels! {
    /// `s[j] = scale · q·k[j]` for keys that are `stride` numbers apart.
    pub(crate) fn scores(s: &mut [f32], q: &[f32], k: &[f32], stride: usize, scale: f32) {
        const LANES: usize = 8;
        for (j, s) in s.iter_mut().enumerate() {
            let k = &k[j * stride..j * stride + q.len()];
            let (q, q_rest) = q.as_chunks::<LANES>();
            let (k, k_rest) = k.as_chunks::<LANES>();
            let mut sums = [[0.0_f32; LANES]; 2];
            for (index, (q, k)) in q.iter().zip(k).enumerate() {
                for ((sum, q), k) in sums[index % 2].iter_mut().zip(q).zip(k) {
                    *sum += q * k;
                }
            }
            let [a, b] = sums;
            let eight: [f32; LANES] = std::array::from_fn(|i| a[i] + b[i]);
            let four: [f32; 4] = std::array::from_fn(|i| eight[i] + eight[i + 4]);
            let rest: f32 = q_rest.iter().zip(k_rest).map(|(q, k)| q * k).sum();
            *s = scale * ((four[0] + four[2]) + (four[1] + four[3]) + rest);
        }
    }

    /// `out += Σ p[j] · v[j]` for values that are `stride` numbers apart.
    pub(crate) fn mix(out: &mut [f32], p: &[f32], v: &[f32], stride: usize) {
        const WIDE: usize = 64;
        let width = out.len();
        for (first, out) in (0..width).step_by(WIDE).zip(out.chunks_mut(WIDE)) {
            // The 64 (or 128) sums of a head stay in registers while all values are added.
            if let Ok(sums) = <&mut [f32; WIDE]>::try_from(&mut *out) {
                let mut kept = *sums;
                for (j, p) in p.iter().enumerate() {
                    for (sum, v) in kept.iter_mut().zip(&v[j * stride + first..j * stride + first + WIDE]) {
                        *sum += p * v;
                    }
                }
                *sums = kept;
            } else {
                for (j, p) in p.iter().enumerate() {
                    rows::portable::axpy(out, *p, &v[j * stride + first..j * stride + width]);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matmul::tests::numbers;

    #[test]
    fn decoding_kernels_equal_plain_sums() {
        for (dim, keys, stride) in [(64, 5, 192), (128, 3, 128), (72, 9, 80), (6, 1, 6), (64, 0, 64)] {
            let (q, k, p) = (numbers(dim, 1), numbers(keys * stride, 2), numbers(keys, 3));
            let (mut s, mut out) = (vec![7.0; keys], vec![0.5; dim]);
            scores(&mut s, &q, &k, stride, 0.125);
            mix(&mut out, &p, &k, stride);
            for (j, s) in s.iter().enumerate() {
                let want: f32 = (0..dim).map(|i| q[i] * k[j * stride + i]).sum();
                assert!((s - 0.125 * want).abs() < 1e-4, "score {j} of width {dim}");
            }
            for (i, out) in out.iter().enumerate() {
                let want: f32 = (0..keys).map(|j| p[j] * k[j * stride + i]).sum();
                assert!((out - 0.5 - want).abs() < 1e-4, "number {i} of width {dim}");
            }
        }
    }
}
