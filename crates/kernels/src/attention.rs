//! Softmax attention over packed sequences, forward and backward, keeping only the log-sum-exp of each row
//! (as FlashAttention does, Dao et al. 2022). Packed sequences are rows of one matrix; the attention mask is a
//! list of [`AttentionRange`]s.

use std::{cell::RefCell, ops::Range};

use crate::{
    Bf16, attention_bf16, attention_few,
    matmul::raw_gemm,
    pool::{self, SendPtr},
    rows,
};

/// Query rows per block; limits the scores in memory to (BLOCK, keys).
const BLOCK: usize = 64;

/// One block of the attention mask: consecutive query rows and the key rows they attend to, which are all of `prefix`,
/// then `keys`, with a causal mask if `causal` is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttentionRange {
    /// Rows of the queries.
    pub queries: Range<usize>,
    /// Key rows before `keys` that all queries attend to; may be empty, and several ranges may share them.
    pub prefix: Range<usize>,
    /// The range's own key rows, which are in no other range's `keys`.
    pub keys: Range<usize>,
    /// Whether the queries are the last `queries.len()` tokens of `keys` and attend to no later one.
    pub causal: bool,
}

impl AttentionRange {
    pub(crate) fn keys_in_all(&self) -> usize {
        self.prefix.len() + self.keys.len()
    }

    /// Positions (among all of `prefix` and `keys`) of the keys that the query at `index` within the range attends to.
    pub(crate) fn visible(&self, index: usize, window: Option<usize>) -> Range<usize> {
        if !self.causal {
            return 0..self.keys_in_all();
        }
        let end = self.keys_in_all() - (self.queries.len() - 1 - index);
        window.map_or(0, |window| end.saturating_sub(window))..end
    }

    /// The rows of the keys at some positions: those in `prefix`, and those in `keys`.
    pub(crate) fn rows_at(&self, positions: &Range<usize>) -> [Range<usize>; 2] {
        let border = self.prefix.len();
        let part = |of: &Range<usize>, start: usize, end: usize| of.start + start..of.start + end;
        let (start, end) = (positions.start, positions.end);
        [
            part(&self.prefix, start.min(border), end.min(border)),
            part(&self.keys, start.saturating_sub(border), end.saturating_sub(border)),
        ]
    }
}

/// Shape of an attention layer.
#[derive(Clone, Copy, Debug)]
pub struct Heads {
    /// Query heads.
    pub heads: usize,
    /// Key and value heads; divides `heads`.
    pub kv_heads: usize,
    /// Width of a head.
    pub dim: usize,
    /// Factor on the scores.
    pub scale: f32,
}

/// A learned bias that depends on the head and on key position minus query position (T5).
#[derive(Clone, Copy, Debug)]
pub struct Bias<'a> {
    /// `(heads, 2·reach − 1)`: distance `d` is at `d + reach − 1`.
    pub table: &'a [f32],
    /// One more than the largest distance.
    pub reach: usize,
}

/// Inputs of an attention layer: `q (queries, heads·dim)`, `k` and `v (keys, kv_heads·dim)`.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// Queries.
    pub q: &'a [f32],
    /// Keys.
    pub k: &'a [f32],
    /// Values.
    pub v: &'a [f32],
    /// The attention mask.
    pub ranges: &'a [AttentionRange],
    /// Shape.
    pub heads: Heads,
    /// Position bias, if the architecture has one.
    pub bias: Option<Bias<'a>>,
    /// Sliding window: most keys that a query of a causal range attends to, including its own (Beltagy et al. 2020);
    /// `None` for all.
    pub window: Option<usize>,
    /// Scores become `cap · tanh(score / cap)` (Gemma 2).
    pub cap: Option<f32>,
    /// Whether products round their inputs to bf16; `None` computes in f32.
    pub bf16: Option<Bf16>,
}

thread_local! {
    static SCRATCH: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

pub(crate) fn with_scratch<R>(len: usize, f: impl FnOnce(&mut [f32]) -> R) -> R {
    SCRATCH.with_borrow_mut(|scratch| {
        if scratch.len() < len {
            scratch.resize(len, 0.0);
        }
        f(&mut scratch[..len])
    })
}

impl Inputs<'_> {
    fn check(&self, out: usize, lse: usize) {
        let Heads { heads, kv_heads, dim, .. } = self.heads;
        let (queries, keys) = (self.q.len() / (heads * dim), self.k.len() / (kv_heads * dim));
        assert!(heads % kv_heads == 0 && self.k.len() == self.v.len(), "keys and values differ in shape");
        assert!(out == self.q.len() && lse == queries * heads, "the output's shape differs from the queries'");
        for range in self.ranges {
            let inside = range.queries.end <= queries && range.keys.end <= keys && range.prefix.end <= keys;
            assert!(
                inside && (!range.causal || range.queries.len() <= range.keys.len()),
                "attention range outside its matrices"
            );
            if let Some(bias) = self.bias {
                assert!(
                    range.keys_in_all() <= bias.reach && bias.table.len() == heads * (2 * bias.reach - 1),
                    "bias too short"
                );
            }
        }
    }

    /// Positions of the keys that any of some queries of a range attends to.
    pub(crate) fn visible_to(&self, range: &AttentionRange, queries: &Range<usize>) -> Range<usize> {
        range.visible(queries.start, self.window).start..range.visible(queries.end - 1, self.window).end
    }

    /// Writes the scores `scale · q·kᵀ + bias` of query rows `block` of a range for one head and the keys at the positions
    /// `seen` to `s (block, seen)`.
    ///
    /// The keys are two separate runs of rows, `prefix` and `keys`, so the product is computed in two parts, whose columns
    /// are adjacent in `s`.
    fn scores(&self, s: &mut [f32], seen: &Range<usize>, range: &AttentionRange, head: usize, block: &Range<usize>) {
        let Heads { heads, kv_heads, dim, scale } = self.heads;
        let (kv, width) = (head / (heads / kv_heads), seen.len());
        let q = &self.q[(range.queries.start + block.start) * heads * dim + head * dim..];
        let mut column = 0;
        for part in range.rows_at(seen) {
            let n = part.len();
            let k = &self.k[(part.start * kv_heads * dim + kv * dim).min(self.k.len())..];
            // SAFETY: `check` verified that all rows are inside; `s` has `block.len()` rows of `width`.
            unsafe {
                raw_gemm(
                    (block.len(), n, dim),
                    (s.as_mut_ptr().wrapping_add(column), width),
                    false,
                    scale,
                    (q.as_ptr(), heads * dim, 1),
                    (k.as_ptr(), 1, kv_heads * dim),
                );
            }
            column += n;
        }
        for (row, index) in block.clone().enumerate() {
            self.finish_scores(&mut s[row * width..(row + 1) * width], seen.start, range, head, index);
        }
    }

    /// Adds the position bias to the scores of the query at `index` within a range, and caps them. The scores are of the
    /// keys from position `first` on. Key `j` of all has the distance `j − (all − queries + index)`, so a row of scores
    /// needs a contiguous part of the bias table.
    pub(crate) fn finish_scores(&self, s: &mut [f32], first: usize, range: &AttentionRange, head: usize, index: usize) {
        if let Some(bias) = self.bias {
            let from = head * (2 * bias.reach - 1) + bias.reach - 1 + first;
            rows::add_assign(s, &bias.table[from - (range.keys_in_all() - range.queries.len() + index)..]);
        }
        if let Some(cap) = self.cap {
            rows::soft_cap(s, cap);
        }
    }
}

/// Splits a range's query rows into blocks.
pub(crate) fn blocks(range: &AttentionRange) -> impl Iterator<Item = Range<usize>> {
    let n = range.queries.len();
    (0..n).step_by(BLOCK).map(move |start| start..(start + BLOCK).min(n))
}

/// `out = softmax(scale · q·kᵀ + bias)·v`, shape of `q`; `lse (queries, heads)` receives the log-sum-exp of each row.
///
/// # Panics
/// When shapes or ranges don't match.
pub fn attention(input: &Inputs<'_>, out: &mut [f32], lse: &mut [f32]) {
    input.check(out.len(), lse.len());
    let Heads { heads, kv_heads, dim, .. } = input.heads;
    let (out, lse) = (SendPtr(out.as_mut_ptr()), SendPtr(lse.as_mut_ptr()));
    pool::for_each(input.ranges.len() * heads, |task| {
        let (range, head) = (&input.ranges[task / heads], task % heads);
        let (kv, first_of_group) = (head / (heads / kv_heads), head % (heads / kv_heads) == 0);
        if let Some(way) = input.bf16 {
            if first_of_group {
                // SAFETY: the input was checked; no other task has this range and these keys and values.
                unsafe { attention_bf16::forward(way, input, range, kv, out, lse) };
            }
            return;
        }
        if range.queries.len() <= attention_few::FEW {
            if first_of_group {
                // SAFETY: the input was checked; no other task has this range and these keys and values.
                unsafe { attention_few::few(input, range, kv, out, lse) };
            }
            return;
        }
        with_scratch(BLOCK * range.keys_in_all(), |scratch| {
            for block in blocks(range) {
                let seen = input.visible_to(range, &block);
                let width = seen.len();
                let s = &mut scratch[..block.len() * width];
                input.scores(s, &seen, range, head, &block);
                let first = range.queries.start + block.start;
                for (row, index) in block.clone().enumerate() {
                    let own = only(&mut s[row * width..(row + 1) * width], &seen, range.visible(index, input.window));
                    let max = rows::max(own);
                    let sum = rows::exp_sum(own, max);
                    rows::scale(own, 1.0 / sum);
                    // SAFETY: this task alone writes column `head` of this row.
                    unsafe { *lse.get().add((first + row) * heads + head) = max + sum.ln() };
                }
                // out (block, dim) = p (block, width) · v (width, dim), again in two parts.
                let mut column = 0;
                for part in range.rows_at(&seen) {
                    let n = part.len();
                    let v = &input.v[(part.start * kv_heads * dim + kv * dim).min(input.v.len())..];
                    if n > 0 {
                        // SAFETY: this task alone writes these rows of its head's columns; `check` bounds the rest.
                        unsafe {
                            raw_gemm(
                                (block.len(), dim, n),
                                (out.get().add(first * heads * dim + head * dim), heads * dim),
                                column > 0,
                                1.0,
                                (s.as_ptr().add(column), width, 1),
                                (v.as_ptr(), kv_heads * dim, 1),
                            );
                        }
                    }
                    column += n;
                }
            }
        });
    });
}

/// Keeps the scores of the keys at positions `own` within `seen` and sets the others to zero; returns those of `own`.
pub(crate) fn only<'s>(s: &'s mut [f32], seen: &Range<usize>, own: Range<usize>) -> &'s mut [f32] {
    let (start, end) = (own.start - seen.start, own.end - seen.start);
    s[..start].fill(0.0);
    s[end..].fill(0.0);
    &mut s[start..end]
}

/// Gradients of [`attention`], in the shapes of `q`, `k` and `v`.
pub struct Gradients<'a> {
    /// Overwritten.
    pub dq: &'a mut [f32],
    /// Must be zero on entry.
    pub dk: &'a mut [f32],
    /// Must be zero on entry.
    pub dv: &'a mut [f32],
}

/// Backward of [`attention`] from its output, its log-sum-exp and the output's gradient; recomputes the scores.
///
/// # Panics
/// When shapes or ranges don't match.
pub fn attention_backward(input: &Inputs<'_>, out: &[f32], lse: &[f32], dout: &[f32], grads: Gradients<'_>) {
    input.check(out.len(), lse.len());
    assert!(dout.len() == out.len() && grads.dq.len() == input.q.len(), "a gradient's shape differs from its value's");
    assert!(
        grads.dk.len() == input.k.len() && grads.dv.len() == input.v.len(),
        "a gradient's shape differs from its value's"
    );
    let Heads { kv_heads, dim, .. } = input.heads;
    let tasks = input.ranges.len() * kv_heads;
    // Several ranges contribute to the gradient of a shared prefix. Each writes its own copy; the copies are summed in a
    // fixed order afterwards, so that the result does not depend on the threads.
    let offsets: Vec<usize> = input
        .ranges
        .iter()
        .scan(0, |at, range| {
            let mine = *at;
            *at += 2 * range.prefix.len() * dim * kv_heads;
            Some(mine)
        })
        .collect();
    let shared: usize = input.ranges.iter().map(|s| 2 * s.prefix.len() * dim * kv_heads).sum();
    let mut prefix = vec![0.0_f32; shared];
    let prefix_ptr = SendPtr(prefix.as_mut_ptr());
    let targets = Targets {
        dq: SendPtr(grads.dq.as_mut_ptr()),
        dk: SendPtr(grads.dk.as_mut_ptr()),
        dv: SendPtr(grads.dv.as_mut_ptr()),
    };
    pool::for_each(tasks, |task| {
        let (index, kv) = (task / kv_heads, task % kv_heads);
        let range = &input.ranges[index];
        let size = range.prefix.len() * dim;
        // SAFETY: each (range, kv head) has its own piece of `prefix`.
        let own =
            unsafe { std::slice::from_raw_parts_mut(prefix_ptr.get().add(offsets[index] + 2 * size * kv), 2 * size) };
        // SAFETY: this task alone writes the query rows of its heads and the key rows of its kv head.
        unsafe {
            match input.bf16 {
                Some(way) => attention_bf16::backward(way, input, out, lse, dout, range, kv, targets, own),
                None => backward_range(input, out, lse, dout, range, kv, targets, own),
            }
        };
    });
    for (range, offset) in input.ranges.iter().zip(offsets) {
        let size = range.prefix.len() * dim;
        for kv in 0..kv_heads {
            let piece = &prefix[offset + 2 * size * kv..][..2 * size];
            for (row, key) in range.prefix.clone().enumerate() {
                let at = (key * kv_heads + kv) * dim;
                rows::add_assign(&mut grads.dk[at..at + dim], &piece[row * dim..(row + 1) * dim]);
                rows::add_assign(&mut grads.dv[at..at + dim], &piece[size + row * dim..size + (row + 1) * dim]);
            }
        }
    }
}

/// Output pointers for the gradients.
#[derive(Clone, Copy)]
pub(crate) struct Targets {
    pub(crate) dq: SendPtr<f32>,
    pub(crate) dk: SendPtr<f32>,
    pub(crate) dv: SendPtr<f32>,
}

/// One range's gradients for one kv head.
///
/// # Safety
/// `to` must be valid for the shapes of `q`, `k` and `v`, and no other thread may write the range's query rows in this
/// group's head columns, or its own key rows in this kv head's columns, during the call.
#[expect(clippy::too_many_arguments, reason = "values, gradients and where they go")]
unsafe fn backward_range(
    input: &Inputs<'_>,
    out: &[f32],
    lse: &[f32],
    dout: &[f32],
    range: &AttentionRange,
    kv: usize,
    to: Targets,
    prefix: &mut [f32],
) {
    let Heads { heads, kv_heads, dim, scale } = input.heads;
    let (q_stride, k_stride, group) = (heads * dim, kv_heads * dim, heads / kv_heads);
    let prefix_dv = range.prefix.len() * dim;
    let areas = if input.cap.is_some() { 3 } else { 2 };
    with_scratch(areas * BLOCK * range.keys_in_all(), |scratch| {
        for head in kv * group..(kv + 1) * group {
            for block in blocks(range) {
                let seen = input.visible_to(range, &block);
                let (rows_in, width) = (block.len(), seen.len());
                let (p, rest) = scratch[..areas * rows_in * width].split_at_mut(rows_in * width);
                let (ds, slopes) = rest.split_at_mut(rows_in * width);
                input.scores(p, &seen, range, head, &block);
                if let Some(cap) = input.cap {
                    slopes.copy_from_slice(p);
                    rows::soft_cap_slope(slopes, cap);
                }
                let first = range.queries.start + block.start;
                let at = first * q_stride + head * dim;
                // dp (block, width) = dout (block, dim) · vᵀ, into `ds`.
                let mut column = 0;
                for part in range.rows_at(&seen) {
                    let n = part.len();
                    let v = &input.v[(part.start * k_stride + kv * dim).min(input.v.len())..];
                    // SAFETY: `check` bounds all rows; `ds` has `rows_in` rows of `width`.
                    unsafe {
                        raw_gemm(
                            (rows_in, n, dim),
                            (ds.as_mut_ptr().wrapping_add(column), width),
                            false,
                            1.0,
                            (dout.as_ptr().add(at), q_stride, 1),
                            (v.as_ptr(), 1, k_stride),
                        );
                    }
                    column += n;
                }
                for (row, index) in block.clone().enumerate() {
                    let (own, all) = (range.visible(index, input.window), row * width..(row + 1) * width);
                    let p = only(&mut p[all.clone()], &seen, own.clone());
                    let ds = only(&mut ds[all.clone()], &seen, own.clone());
                    rows::exp_scaled(p, 1.0, lse[(first + row) * heads + head]);
                    let here = at + row * q_stride;
                    // Softmax backward: ds = p · (dp − Σ p·dp) · scale, and Σ p·dp = dout·out (Dao et al. 2022, §B.4).
                    let mean = rows::dot(&dout[here..here + dim], &out[here..here + dim]);
                    rows::softmax_backward(ds, p, mean, scale);
                    if input.cap.is_some() {
                        rows::multiply(ds, only(&mut slopes[all], &seen, own));
                    }
                }
                // dq += ds · k, dk += dsᵀ · q, dv += pᵀ · dout, each in the two parts of the keys.
                let mut column = 0;
                for (part, shared) in range.rows_at(&seen).into_iter().zip([true, false]) {
                    let n = part.len();
                    if n == 0 {
                        continue;
                    }
                    let from = part.start * k_stride + kv * dim;
                    // SAFETY: as promised by the caller; offsets stay inside the checked rows.
                    unsafe {
                        let (dk, dv, stride) = if shared {
                            let base = prefix.as_mut_ptr().add((part.start - range.prefix.start) * dim);
                            (base, base.add(prefix_dv), dim)
                        } else {
                            (to.dk.get().add(from), to.dv.get().add(from), k_stride)
                        };
                        let (pp, pds) = (p.as_ptr().add(column), ds.as_ptr().add(column));
                        let (dq, q) = ((to.dq.get().add(at), q_stride), input.q.as_ptr().add(at));
                        raw_gemm(
                            (rows_in, dim, n),
                            dq,
                            column > 0,
                            1.0,
                            (pds, width, 1),
                            (input.k.as_ptr().add(from), k_stride, 1),
                        );
                        raw_gemm((n, dim, rows_in), (dk, stride), true, 1.0, (pds, 1, width), (q, q_stride, 1));
                        raw_gemm(
                            (n, dim, rows_in),
                            (dv, stride),
                            true,
                            1.0,
                            (pp, 1, width),
                            (dout.as_ptr().add(at), q_stride, 1),
                        );
                    }
                    column += n;
                }
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIM: usize = 4;

    fn numbers(n: usize, seed: f32) -> Vec<f32> {
        (0..n).map(|i| (i as f32 * 1.37 + seed).sin()).collect()
    }

    struct Case {
        ranges: Vec<AttentionRange>,
        queries: usize,
        keys: usize,
        heads: Heads,
        bias: Option<(Vec<f32>, usize)>,
        window: Option<usize>,
        cap: Option<f32>,
    }

    /// A shared prefix of 5 rows with two causal ranges that attend to it; one of them is longer than a block.
    fn packed() -> Case {
        let own =
            |range: Range<usize>, prefix| AttentionRange { queries: range.clone(), prefix, keys: range, causal: true };
        let heads = Heads { heads: 4, kv_heads: 2, dim: DIM, scale: 0.5 };
        Case {
            ranges: vec![own(0..5, 0..0), own(5..12, 0..5), own(12..82, 0..5)],
            queries: 82,
            keys: 82,
            heads,
            bias: None,
            window: None,
            cap: None,
        }
    }

    /// Like [`packed`], with a window that ends inside the prefix, one that ends inside the own keys, and capped
    /// scores.
    fn windowed(window: usize, cap: Option<f32>) -> Case {
        Case { window: Some(window), cap, ..packed() }
    }

    fn cross() -> Case {
        let range = |q, k| AttentionRange { queries: q, prefix: 0..0, keys: k, causal: false };
        let heads = Heads { heads: 2, kv_heads: 2, dim: DIM, scale: 1.0 };
        let ranges = vec![range(0..3, 0..6), range(3..4, 6..9)];
        Case { ranges, queries: 4, keys: 9, heads, bias: None, window: None, cap: None }
    }

    fn biased(causal: bool) -> Case {
        let range = |r: Range<usize>| AttentionRange { queries: r.clone(), prefix: 0..0, keys: r, causal };
        let heads = Heads { heads: 2, kv_heads: 2, dim: DIM, scale: 1.0 };
        Case {
            ranges: vec![range(0..6), range(6..9)],
            queries: 9,
            keys: 9,
            heads,
            bias: Some((numbers(2 * 15, 5.0), 8)),
            window: None,
            cap: None,
        }
    }

    /// The definition of attention, element by element in f64.
    fn naive(case: &Case, q: &[f32], k: &[f32], v: &[f32]) -> Vec<f32> {
        let Heads { heads, kv_heads, scale, .. } = case.heads;
        let mut out = vec![0.0; q.len()];
        for range in &case.ranges {
            let keys: Vec<usize> = range.prefix.clone().chain(range.keys.clone()).collect();
            for (index, row) in range.queries.clone().enumerate() {
                for head in 0..heads {
                    let kv = head / (heads / kv_heads);
                    let at = |x: &[f32], row: usize, n: usize, h: usize| x[(row * n + h) * DIM..][..DIM].to_vec();
                    let query = at(q, row, heads, head);
                    let score = |(j, key): (usize, &usize)| {
                        let dot: f32 = query.iter().zip(at(k, *key, kv_heads, kv)).map(|(a, b)| a * b).sum();
                        let bias = case.bias.as_ref().map_or(0.0, |(table, reach)| {
                            let distance = j + reach - 1 - (keys.len() - range.queries.len() + index);
                            table[head * (2 * reach - 1) + distance]
                        });
                        let score = f64::from(dot * scale + bias);
                        let last = keys.len() - range.queries.len() + index;
                        let hidden = range.causal && (j > last || case.window.is_some_and(|w| j + w <= last));
                        if hidden {
                            0.0
                        } else {
                            case.cap.map_or(score, |c| f64::from(c) * (score / f64::from(c)).tanh()).exp()
                        }
                    };
                    let weights: Vec<f64> = keys.iter().enumerate().map(score).collect();
                    let total: f64 = weights.iter().sum();
                    for (weight, key) in weights.iter().zip(&keys) {
                        for (d, value) in at(v, *key, kv_heads, kv).iter().enumerate() {
                            out[(row * heads + head) * DIM + d] += (weight / total) as f32 * value;
                        }
                    }
                }
            }
        }
        out
    }

    fn check(case: &Case) {
        let Heads { heads, kv_heads, .. } = case.heads;
        let (q, k, v) = (
            numbers(case.queries * heads * DIM, 0.1),
            numbers(case.keys * kv_heads * DIM, 0.5),
            numbers(case.keys * kv_heads * DIM, 0.9),
        );
        let bias = case.bias.as_ref().map(|(table, reach)| Bias { table, reach: *reach });
        let (ranges, window, cap) = (&case.ranges, case.window, case.cap);
        let run = |q: &[f32], k: &[f32], v: &[f32]| {
            let (mut out, mut lse) = (vec![0.0; q.len()], vec![0.0; case.queries * heads]);
            let input = Inputs { q, k, v, ranges, heads: case.heads, bias, window, cap, bf16: None };
            attention(&input, &mut out, &mut lse);
            (out, lse)
        };
        let (out, lse) = run(&q, &k, &v);
        for (got, want) in out.iter().zip(naive(case, &q, &k, &v)) {
            assert!((got - want).abs() < 1e-5, "{got} is not {want}");
        }
        let dout = numbers(q.len(), 3.0);
        let (mut dq, mut dk, mut dv) = (vec![9.0; q.len()], vec![0.0; k.len()], vec![0.0; v.len()]);
        let input = Inputs { q: &q, k: &k, v: &v, ranges, heads: case.heads, bias, window, cap, bf16: None };
        attention_backward(&input, &out, &lse, &dout, Gradients { dq: &mut dq, dk: &mut dk, dv: &mut dv });
        let value = |q: &[f32], k: &[f32], v: &[f32]| -> f64 {
            run(q, k, v).0.iter().zip(&dout).map(|(a, b)| f64::from(a * b)).sum()
        };
        for i in (0..k.len().min(q.len())).step_by(7) {
            for (which, got) in [(0, dq[i]), (1, dk[i]), (2, dv[i])] {
                let moved = |d: f32| {
                    let mut all = [q.clone(), k.clone(), v.clone()];
                    all[which][i] += d;
                    value(&all[0], &all[1], &all[2])
                };
                let want = ((moved(1e-2) - moved(-1e-2)) / 2e-2) as f32;
                assert!(
                    (got - want).abs() < 2e-3 * (1.0 + want.abs()),
                    "input {which}, element {i}: {got} is not {want}"
                );
            }
        }
    }

    #[test]
    fn attention_and_gradients_match_the_definition() {
        let windows = [(3, None), (9, None), (70, None), (9, Some(0.7)), (1000, Some(2.0))];
        let windows = windows.map(|(window, cap)| windowed(window, cap));
        for case in [packed(), cross(), biased(false), biased(true)].into_iter().chain(windows) {
            check(&case);
        }
    }

    /// Output, log-sum-exp and the three gradients.
    fn all(input: &Inputs<'_>, dout: &[f32]) -> [Vec<f32>; 5] {
        let Heads { heads, dim, .. } = input.heads;
        let (mut out, mut lse) = (vec![7.0; input.q.len()], vec![7.0; input.q.len() / dim]);
        assert_eq!(lse.len() % heads, 0);
        attention(input, &mut out, &mut lse);
        let (mut dq, mut dk, mut dv) = (vec![9.0; out.len()], vec![0.0; input.k.len()], vec![0.0; input.v.len()]);
        attention_backward(input, &out, &lse, dout, Gradients { dq: &mut dq, dk: &mut dk, dv: &mut dv });
        [out, lse, dq, dk, dv]
    }

    #[test]
    fn bf16_attention_is_close_to_f32_and_bit_reproducible() {
        for &way in Bf16::all() {
            for (case, dim) in [
                (packed(), 4),
                (packed(), 64),
                (packed(), 40),
                (cross(), 64),
                (biased(false), 33),
                (biased(true), 8),
                (windowed(3, None), 16),
                (windowed(40, Some(2.0)), 64),
            ] {
                let (window, cap) = (case.window, case.cap);
                let heads = Heads { dim, scale: 1.0 / (dim as f32).sqrt(), ..case.heads };
                let (queries, keys) = (case.queries * heads.heads * dim, case.keys * heads.kv_heads * dim);
                let mut numbers = crate::matmul::tests::numbers(2 * (queries + keys), 1).into_iter();
                let [q, k, v, dout] =
                    [queries, keys, keys, queries].map(|len| numbers.by_ref().take(len).collect::<Vec<_>>());
                let bias = case.bias.as_ref().map(|(table, reach)| Bias { table, reach: *reach });
                let input = Inputs { q: &q, k: &k, v: &v, ranges: &case.ranges, heads, bias, window, cap, bf16: None };
                let (want, got) = (all(&input, &dout), all(&Inputs { bf16: Some(way), ..input }, &dout));
                for (which, (got, want)) in got.iter().zip(&want).enumerate() {
                    let size = rows::sum_squares(want).sqrt();
                    let error = got.iter().zip(want).map(|(a, b)| (a - b).powi(2)).sum::<f32>().sqrt();
                    assert!(error < 0.01 * size, "{way}: result {which} of width {dim}: {error} of {size}");
                    assert!(error > 0.0, "{way}: result {which} was not rounded");
                }
                // A task on a pool thread computes without the other threads.
                let alone = std::sync::Mutex::new(None);
                pool::for_each(2, |task| {
                    if task == 0 {
                        *alone.lock().expect("no task panics") = Some(all(&Inputs { bf16: Some(way), ..input }, &dout));
                    }
                });
                assert!(alone.into_inner().expect("no task panics") == Some(got), "{way}: bits depend on threads");
            }
        }
    }
}
