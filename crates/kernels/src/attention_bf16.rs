//! Softmax attention whose products round their inputs to bf16 and sum in f32; the softmax stays in f32. Results depend
//! on the shapes alone, bit for bit, like all products in [`bf16`].

use std::{cell::RefCell, ops::Range};

use crate::{
    Bf16, Heads, Inputs,
    attention::{AttentionRange, Targets, blocks, only},
    bf16::{self, DEPTH, Output, SIDE, Tile},
    pool::SendPtr,
    rows,
};

/// A thread's buffers: packed operands and f32 blocks. Each task overwrites them.
#[derive(Default)]
struct Scratch {
    tiles: [Vec<Tile>; 7],
    numbers: [Vec<f32>; 5],
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// A buffer of `len` numbers with arbitrary contents.
fn room(numbers: &mut Vec<f32>, len: usize) -> &mut [f32] {
    if numbers.len() < len {
        numbers.resize(len, 0.0);
    }
    &mut numbers[..len]
}

/// Rows of one head: those of `first`, followed by those of `then`.
#[derive(Clone)]
struct Lines<'x> {
    x: &'x [f32],
    stride: usize,
    /// The head's first column.
    at: usize,
    dim: usize,
    first: Range<usize>,
    then: Range<usize>,
}

impl<'x> Lines<'x> {
    fn len(&self) -> usize {
        self.first.len() + self.then.len()
    }

    /// A row; empty beyond the last one.
    fn row(&self, index: usize) -> &'x [f32] {
        let row = match index.checked_sub(self.first.len()) {
            None => self.first.start + index,
            Some(own) if own < self.then.len() => self.then.start + own,
            Some(_) => return &[],
        };
        &self.x[row * self.stride + self.at..][..self.dim]
    }

    /// A group of sixteen rows.
    fn sixteen(&self, group: usize) -> [&'x [f32]; SIDE] {
        std::array::from_fn(|line| self.row(group * SIDE + line))
    }
}

/// Number of tiles for this depth.
fn deep(len: usize) -> usize {
    len.div_ceil(DEPTH)
}

/// Packs operands of products on the current thread.
#[derive(Clone, Copy)]
struct Pack(Bf16);

impl Pack {
    /// Rows as the left operand.
    fn left<'t>(self, x: &Lines<'_>, factor: f32, to: &'t mut Vec<Tile>) -> &'t [Tile] {
        let depth = deep(x.dim);
        let tiles = bf16::room(to, x.len().div_ceil(SIDE) * depth);
        for (group, tiles) in tiles.chunks_exact_mut(depth).enumerate() {
            bf16::lines(self.0, &x.sixteen(group), factor, tiles);
        }
        tiles
    }

    /// Rows as columns of the right operand (transposed), padded to an even number of strips.
    fn turned<'t>(self, x: &Lines<'_>, to: &'t mut Vec<Tile>) -> &'t [Tile] {
        let depth = deep(x.dim);
        let tiles = bf16::room(to, 2 * deep(x.len()) * depth);
        for (group, tiles) in tiles.chunks_exact_mut(depth).enumerate() {
            bf16::turned(self.0, &x.sixteen(group), tiles);
        }
        tiles
    }

    /// Rows as the right operand, whose depth they are.
    fn straight<'t>(self, x: &Lines<'_>, to: &'t mut Vec<Tile>) -> &'t mut [Tile] {
        let depth = deep(x.len());
        let tiles = bf16::room(to, x.dim.div_ceil(SIDE) * depth);
        for pair in 0..depth * SIDE {
            bf16::straight(self.0, [x.row(2 * pair), x.row(2 * pair + 1)], pair, depth, tiles);
        }
        tiles
    }

    /// Columns as the left operand, whose depth the rows are.
    fn across<'t>(self, x: &Lines<'_>, to: &'t mut Vec<Tile>) -> &'t [Tile] {
        let tiles = self.straight(x, to);
        tiles.iter_mut().for_each(|tile| bf16::transpose(self.0, tile));
        tiles
    }
}

/// Rows of a block of scores (rows, width).
fn of_block(x: &[f32], rows: usize, width: usize) -> Lines<'_> {
    Lines { x, stride: width, at: 0, dim: width, first: 0..0, then: 0..rows }
}

/// The keys that a block of queries attends to, rounded to whole tiles.
struct Columns {
    /// Number of tiles of keys before them.
    skipped: usize,
    /// Number of tiles of these keys.
    depth: usize,
}

impl Columns {
    fn of(input: &Inputs<'_>, range: &AttentionRange, block: &Range<usize>) -> Self {
        let seen = input.visible_to(range, block);
        let skipped = seen.start / DEPTH;
        Self { skipped, depth: deep(seen.end) - skipped }
    }
}

impl Inputs<'_> {
    /// A range's query rows of `x`, which has the shape of the queries.
    fn queries<'x>(&self, x: &'x [f32], range: &AttentionRange, head: usize, block: &Range<usize>) -> Lines<'x> {
        let Heads { heads, dim, .. } = self.heads;
        let start = range.queries.start;
        Lines { x, stride: heads * dim, at: head * dim, dim, first: 0..0, then: start + block.start..start + block.end }
    }

    /// A range's key rows of `x`, which has the shape of keys or values.
    fn keys<'x>(&self, x: &'x [f32], range: &AttentionRange, kv: usize) -> Lines<'x> {
        let Heads { kv_heads, dim, .. } = self.heads;
        Lines { x, stride: kv_heads * dim, at: kv * dim, dim, first: range.prefix.clone(), then: range.keys.clone() }
    }
}

/// The heads of one range that share keys and values.
///
/// # Safety
/// The input must have been checked, and no other thread may use these heads' columns of the range's rows of `out` and
/// `lse` during the call.
pub(crate) unsafe fn forward(
    way: Bf16,
    input: &Inputs<'_>,
    range: &AttentionRange,
    kv: usize,
    out: SendPtr<f32>,
    lse: SendPtr<f32>,
) {
    let Heads { heads, kv_heads, dim, scale } = input.heads;
    let (pack, group, q_stride) = (Pack(way), heads / kv_heads, heads * dim);
    SCRATCH.with_borrow_mut(|Scratch { tiles: [k, v, left, ..], numbers: [s, ..] }| {
        let keys = pack.turned(&input.keys(input.k, range, kv), k);
        let values = pack.straight(&input.keys(input.v, range, kv), v);
        let strip = deep(range.keys_in_all());
        for head in kv * group..(kv + 1) * group {
            for block in blocks(range) {
                let Columns { skipped, depth } = Columns::of(input, range, &block);
                let (from, width, tall) = (skipped * DEPTH, depth * DEPTH, block.len().next_multiple_of(SIDE));
                let s = room(s, tall * width);
                let first = range.queries.start + block.start;
                let q = pack.left(&input.queries(input.q, range, head, &block), scale, left);
                let to = Output { out: SendPtr(s.as_mut_ptr()), stride: width, add: false };
                let keys = &keys[2 * skipped * deep(dim)..];
                // SAFETY: `s` has the size of the product; the packed keys cover the whole width.
                unsafe { way.multiply(q, (keys, deep(dim)), deep(dim), (tall, width), to) };
                for (row, index) in block.clone().enumerate() {
                    let seen = range.visible(index, input.window);
                    let s = &mut s[row * width..(row + 1) * width];
                    let own = only(s, &(from..from + width), seen.clone());
                    input.finish_scores(own, seen.start, range, head, index);
                    let max = rows::max(own);
                    let sum = rows::exp_sum(own, max);
                    rows::scale(own, 1.0 / sum);
                    // SAFETY: this task alone writes column `head` of this row.
                    unsafe { *lse.get().add((first + row) * heads + head) = max + sum.ln() };
                }
                let p = pack.left(&of_block(s, block.len(), width), 1.0, left);
                // SAFETY: this task alone writes these rows of its head's columns.
                unsafe {
                    let out = SendPtr(out.get().add(first * q_stride + head * dim));
                    way.multiply(
                        p,
                        (&values[skipped..], strip),
                        depth,
                        (block.len(), dim),
                        Output { out, stride: q_stride, add: false },
                    );
                }
            }
        }
    });
}

/// One range's gradients for one kv head. The gradients of the prefix's keys and values go to `prefix`.
///
/// # Safety
/// As [`forward`], for the range's rows in `to`.
#[expect(clippy::too_many_arguments, reason = "values, gradients and where they go")]
pub(crate) unsafe fn backward(
    way: Bf16,
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
    let (pack, group, q_stride, k_stride) = (Pack(way), heads / kv_heads, heads * dim, kv_heads * dim);
    let all = range.keys_in_all();
    let strip = deep(all);
    SCRATCH.with_borrow_mut(|Scratch { tiles, numbers: [p, ds, dk, dv, slopes] }| {
        let [keys, key_rows, values, left, right, across, ..] = tiles;
        let keys_turned = pack.turned(&input.keys(input.k, range, kv), keys);
        let key_rows = &*pack.straight(&input.keys(input.k, range, kv), key_rows);
        let values = pack.turned(&input.keys(input.v, range, kv), values);
        // Gradients of all keys and values of the range in one buffer, because prefix and own rows are not adjacent in
        // the output.
        let (dk, dv) = (room(dk, strip * DEPTH * dim), room(dv, strip * DEPTH * dim));
        dk.fill(0.0);
        dv.fill(0.0);
        for head in kv * group..(kv + 1) * group {
            for block in blocks(range) {
                let Columns { skipped, depth } = Columns::of(input, range, &block);
                let (from, width) = (skipped * DEPTH, depth * DEPTH);
                let (tall, rows_deep) = (block.len().next_multiple_of(SIDE), deep(block.len()));
                let (p, ds) = (room(p, tall * width), room(ds, tall * width));
                let first = range.queries.start + block.start;
                let at = first * q_stride + head * dim;
                let (q, dout_rows) =
                    (input.queries(input.q, range, head, &block), input.queries(dout, range, head, &block));
                let whole = |to: &mut [f32]| Output { out: SendPtr(to.as_mut_ptr()), stride: width, add: false };
                let at_strip = 2 * skipped * deep(dim);
                let packed = pack.left(&q, scale, left);
                // SAFETY: as in `forward`, here and below.
                unsafe {
                    way.multiply(packed, (&keys_turned[at_strip..], deep(dim)), deep(dim), (tall, width), whole(p))
                };
                let packed = pack.left(&dout_rows, 1.0, left);
                // SAFETY: as above.
                unsafe { way.multiply(packed, (&values[at_strip..], deep(dim)), deep(dim), (tall, width), whole(ds)) };
                for (row, index) in block.clone().enumerate() {
                    let (seen, all) = (range.visible(index, input.window), row * width..(row + 1) * width);
                    let p = only(&mut p[all.clone()], &(from..from + width), seen.clone());
                    let ds = only(&mut ds[all], &(from..from + width), seen.clone());
                    input.finish_scores(p, seen.start, range, head, index);
                    let slopes = room(slopes, p.len());
                    if let Some(cap) = input.cap {
                        slopes.copy_from_slice(p);
                        rows::soft_cap_slope(slopes, cap);
                    }
                    rows::exp_scaled(p, 1.0, lse[(first + row) * heads + head]);
                    let here = at + row * q_stride;
                    // As in the f32 kernel.
                    let mean = rows::dot(&dout[here..here + dim], &out[here..here + dim]);
                    rows::softmax_backward(ds, p, mean, scale);
                    if input.cap.is_some() {
                        rows::multiply(ds, slopes);
                    }
                }
                let (p, ds) = (of_block(p, block.len(), width), of_block(ds, block.len(), width));
                let packed = pack.left(&ds, 1.0, left);
                // SAFETY: as above; this task alone writes these rows of its head's columns.
                unsafe {
                    let dq = Output { out: SendPtr(to.dq.get().add(at)), stride: q_stride, add: false };
                    way.multiply(packed, (&key_rows[skipped..], strip), depth, (block.len(), dim), dq);
                }
                // dk += dsᵀ·q, dv += pᵀ·dout.
                for (scores, queries, sum) in [(ds, q, &mut *dk), (p, dout_rows, &mut *dv)] {
                    let (scores, queries) = (pack.across(&scores, across), &*pack.straight(&queries, right));
                    let sum = Output { out: SendPtr(sum[from * dim..].as_mut_ptr()), stride: dim, add: true };
                    // SAFETY: as above; the sums have one row per column of the scores.
                    unsafe { way.multiply(scores, (queries, rows_deep), rows_deep, (width, dim), sum) };
                }
            }
        }
        let shared = range.prefix.len() * dim;
        prefix[..shared].copy_from_slice(&dk[..shared]);
        prefix[shared..].copy_from_slice(&dv[..shared]);
        for (sums, to) in [(dk, to.dk), (dv, to.dv)] {
            for (row, sums) in range.keys.clone().zip(sums[shared..all * dim].chunks_exact(dim)) {
                // SAFETY: this task alone writes the range's key rows of its kv head.
                unsafe {
                    to.get().add(row * k_stride + kv * dim).copy_from_nonoverlapping(sums.as_ptr(), dim);
                }
            }
        }
    });
}
