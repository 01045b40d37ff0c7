//! Products with frozen weights, `y (tokens, rows) = x (tokens, cols) · Wᵀ` and its backward. A block of the weight is
//! read in its storage type, dequantized and packed in cache in the layout of the registers, and used for all tokens at
//! once. The whole dequantized weight never exists in memory. The blocking is that of Goto and van de Geijn 2008.

mod few;

use std::{cell::RefCell, ops::Range};

use few::FEW;
pub use few::{Product, forward_all};

use crate::{
    Bf16, Dtype,
    bf16::{self, Output, Packed},
    dequantize,
    pool::{self, SendPtr},
    simd::prefetch,
    tile::{self, STRIP, Strip, Tile},
};

/// Depth of a packed block: how many elements of each inner product are packed at once. A multiple of every type's
/// block length.
const DEPTH: usize = 256;
/// Most output columns of a task. A packed block (DEPTH, WIDTH) fits into a part of the L2 cache.
const WIDTH: usize = 128;
/// How many rows ahead of the packed ones are prefetched.
const AHEAD: usize = 16;
/// From this many tokens on, tasks also split the tokens if there are too few output columns for all threads.
const MANY: usize = 24;

/// A frozen matrix `(rows, cols)` in row-major order, in its storage type.
#[derive(Clone, Copy)]
pub struct Frozen<'w> {
    rows: usize,
    cols: usize,
    numbers: Numbers<'w>,
    /// Whether products round their inputs to bf16; `None` computes in f32.
    bf16: Option<Bf16>,
}

#[derive(Clone, Copy)]
enum Numbers<'w> {
    Plain(&'w [f32]),
    Stored(Dtype, &'w [u8]),
}

/// The input of products.
pub enum Input<'x> {
    /// Unchanged, with a factor.
    Plain(&'x [f32], f32),
    /// Rounded to bf16 and packed.
    Packed(Bf16, Packed),
}

/// A low-rank product (LoRA, Hu et al. 2021) that is added to a frozen product for some tokens while the output is in
/// cache.
#[derive(Clone, Debug)]
pub struct LowRank<'a> {
    /// The range of tokens.
    pub tokens: Range<usize>,
    /// `(tokens, rank)`.
    pub input: &'a [f32],
    /// Forward `B (rows, rank)`, backward `A (rank, cols)`.
    pub factor: &'a [f32],
    /// Rank: the depth of the inner products.
    pub rank: usize,
    /// Factor on the product.
    pub scale: f32,
}

impl LowRank<'_> {
    /// The scaled inputs of all tokens, packed; zeros for tokens outside the range.
    fn pack(&self, way: Bf16, tokens: usize) -> Packed {
        if self.tokens == (0..tokens) {
            return way.pack(self.input, self.rank, self.scale);
        }
        let mut all = vec![0.0; tokens * self.rank];
        all[self.tokens.start * self.rank..self.tokens.end * self.rank].copy_from_slice(self.input);
        way.pack(&all, self.rank, self.scale)
    }
}

/// A thread's buffers: packed strips, and the dequantized rows they are made from.
#[derive(Default)]
struct Scratch {
    strips: Vec<Strip>,
    rows: Vec<f32>,
}

impl Scratch {
    /// Buffers of these sizes with arbitrary contents.
    fn room(&mut self, lines: usize, numbers: usize) -> (&mut [Strip], &mut [f32]) {
        if self.strips.len() < lines {
            self.strips.resize(lines, Strip::ZERO);
        }
        if self.rows.len() < numbers {
            self.rows.resize(numbers, 0.0);
        }
        (&mut self.strips[..lines], &mut self.rows[..numbers])
    }
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

impl<'w> Frozen<'w> {
    /// A matrix of f32.
    ///
    /// # Panics
    /// If the length of `numbers` is not `rows · cols`.
    #[must_use]
    pub fn plain(rows: usize, cols: usize, numbers: &'w [f32]) -> Self {
        assert_eq!(numbers.len(), rows * cols, "the weight's size differs from its shape");
        Self { rows, cols, numbers: Numbers::Plain(numbers), bf16: None }
    }

    /// A matrix in a file's storage type.
    ///
    /// # Panics
    /// If the length of `bytes` does not match shape and type.
    #[must_use]
    pub fn stored(rows: usize, cols: usize, dtype: Dtype, bytes: &'w [u8]) -> Self {
        assert_eq!(
            dtype.row_bytes(cols).map(|row| row * rows),
            Some(bytes.len()),
            "the weight's size differs from its shape"
        );
        Self { rows, cols, numbers: Numbers::Stored(dtype, bytes), bf16: None }
    }

    /// The same matrix; products of many tokens round inputs and weights to bf16.
    #[must_use]
    pub fn rounded(self, bf16: Option<Bf16>) -> Self {
        Self { bf16, ..self }
    }

    /// Some of the rows.
    ///
    /// # Panics
    /// When there are fewer rows.
    #[must_use]
    pub fn rows(&self, rows: Range<usize>) -> Self {
        let of = |row: usize| rows.start * row..rows.end * row;
        let numbers = match self.numbers {
            Numbers::Plain(numbers) => Numbers::Plain(&numbers[of(self.cols)]),
            Numbers::Stored(dtype, bytes) => {
                Numbers::Stored(dtype, &bytes[of(dtype.row_bytes(self.cols).unwrap_or(0))])
            }
        };
        Self { rows: rows.len(), cols: self.cols, numbers, bf16: self.bf16 }
    }

    /// `y = scale · x·Wᵀ + Σ added`, with at most one low-rank product per token: `x (tokens, cols)`, `y (tokens, rows)`.
    ///
    /// # Panics
    /// When the shapes don't match.
    pub fn forward(&self, x: &[f32], y: &mut [f32], scale: f32, added: &[LowRank<'_>]) {
        self.forward_input(&self.input(x, scale), y, added);
    }

    /// Prepares the input of products with this weight, and with others of the same width, times a factor. If the
    /// weight is [`rounded`](Self::rounded), it is rounded and packed once.
    #[must_use]
    pub fn input<'x>(&self, x: &'x [f32], scale: f32) -> Input<'x> {
        match self.bf16 {
            Some(way) => Input::Packed(way, way.pack(x, self.cols, scale)),
            None => Input::Plain(x, scale),
        }
    }

    /// [`forward`](Self::forward) with a prepared input, which several weights can share.
    ///
    /// # Panics
    /// When the shapes don't match.
    pub fn forward_input(&self, input: &Input<'_>, y: &mut [f32], added: &[LowRank<'_>]) {
        let (x, scale) = match input {
            Input::Packed(way, packed) => return self.forward_bf16(*way, packed, y, added),
            Input::Plain(x, scale) => (*x, *scale),
        };
        let tokens = self.tokens(x.len(), self.cols, y.len(), self.rows);
        if tokens <= FEW {
            return self.forward_few(x, y, scale, added);
        }
        let out = Columns { out: SendPtr(y.as_mut_ptr()), stride: self.rows, tokens };
        each_block(self.rows, STRIP, tokens, 1, |range, rows| {
            SCRATCH.with_borrow_mut(|scratch| {
                for first in (0..self.cols.max(1)).step_by(DEPTH) {
                    let depth = DEPTH.min(self.cols - first);
                    self.lay_turned(range.clone(), first..first + depth, scratch);
                    let tile = Tile { depth, x_stride: self.cols, out_stride: out.stride, scale, add: first > 0 };
                    let x = &x[(rows.start * self.cols + first).min(x.len())..];
                    // SAFETY: no other task writes columns `range` of tokens `rows`.
                    unsafe { out.add(&tile, scratch, range.clone(), x, rows.clone()) };
                }
                for low in added {
                    let factor = Frozen::plain(self.rows, low.rank, low.factor);
                    factor.lay_turned(range.clone(), 0..low.rank, scratch);
                    // SAFETY: as above.
                    unsafe { out.add_low(low, scratch, range.clone(), rows.clone()) };
                }
            });
        });
    }

    /// `dx = scale · dy·W + Σ added`, or `dx += …` with `add`: `dy (tokens, rows)`, `dx (tokens, cols)`.
    ///
    /// # Panics
    /// When the shapes don't match.
    pub fn backward(&self, dy: &[f32], dx: &mut [f32], scale: f32, add: bool, added: &[LowRank<'_>]) {
        self.backward_input(&self.gradient(dy, scale), dx, add, added);
    }

    /// Prepares the output's gradient for products with this weight, and with others of the same height, times a
    /// factor; see [`input`](Self::input).
    #[must_use]
    pub fn gradient<'x>(&self, dy: &'x [f32], scale: f32) -> Input<'x> {
        match self.bf16 {
            Some(way) => Input::Packed(way, way.pack(dy, self.rows, scale)),
            None => Input::Plain(dy, scale),
        }
    }

    /// [`backward`](Self::backward) with a prepared gradient, which several weights can share.
    ///
    /// # Panics
    /// When the shapes don't match.
    pub fn backward_input(&self, dy: &Input<'_>, dx: &mut [f32], add: bool, added: &[LowRank<'_>]) {
        let (dy, scale) = match dy {
            Input::Packed(way, packed) => return self.backward_bf16(*way, packed, dx, add, added),
            Input::Plain(dy, scale) => (*dy, *scale),
        };
        let tokens = self.tokens(dy.len(), self.rows, dx.len(), self.cols);
        let out = Columns { out: SendPtr(dx.as_mut_ptr()), stride: self.cols, tokens };
        let block = if let Numbers::Stored(dtype, _) = self.numbers { dtype.block_len() } else { 1 };
        each_block(self.cols, STRIP.max(block), tokens, 1, |range, rows| {
            // If a type's block length makes the task wider, reduce its depth: the size in cache stays the same.
            let step = DEPTH.min(DEPTH * WIDTH / range.len());
            SCRATCH.with_borrow_mut(|scratch| {
                for first in (0..self.rows.max(1)).step_by(step) {
                    let depth = step.min(self.rows - first);
                    self.lay_straight(first..first + depth, range.clone(), scratch);
                    let add = add || first > 0;
                    let tile = Tile { depth, x_stride: self.rows, out_stride: out.stride, scale, add };
                    let dy = &dy[(rows.start * self.rows + first).min(dy.len())..];
                    // SAFETY: no other task writes columns `range` of tokens `rows`.
                    unsafe { out.add(&tile, scratch, range.clone(), dy, rows.clone()) };
                }
                for low in added {
                    let factor = Frozen::plain(low.rank, self.cols, low.factor);
                    factor.lay_straight(0..low.rank, range.clone(), scratch);
                    // SAFETY: as above.
                    unsafe { out.add_low(low, scratch, range.clone(), rows.clone()) };
                }
            });
        });
    }

    /// Rows and columns.
    #[must_use]
    pub fn shape(&self) -> (usize, usize) {
        (self.rows, self.cols)
    }

    /// The number of tokens of input and output.
    fn tokens(&self, read: usize, of: usize, written: usize, to: usize) -> usize {
        let tokens = read.checked_div(of).unwrap_or_else(|| written / to.max(1));
        assert!(read == tokens * of && written == tokens * to, "shapes don't match");
        tokens
    }

    /// The bytes of a part of a row of blocks.
    fn bytes(&self, dtype: Dtype, bytes: &'w [u8], row: usize, cols: &Range<usize>) -> &'w [u8] {
        let (len, size) = (dtype.block_len(), dtype.block_bytes());
        let start = row * (self.cols / len) * size;
        &bytes[start + cols.start / len * size..start + cols.end / len * size]
    }

    /// Part of a row as `f32`; dequantized into `room` unless it is stored as f32.
    fn part<'r>(&self, row: usize, cols: Range<usize>, room: &'r mut [f32]) -> &'r [f32]
    where
        'w: 'r,
    {
        match self.numbers {
            Numbers::Plain(numbers) => &numbers[row * self.cols..][cols],
            Numbers::Stored(dtype, bytes) => {
                let room = &mut room[..cols.len()];
                dequantize(dtype, self.bytes(dtype, bytes, row, &cols), room);
                room
            }
        }
    }

    /// [`forward`](Self::forward) of packed rows.
    fn forward_bf16(&self, way: Bf16, x: &Packed, y: &mut [f32], added: &[LowRank<'_>]) {
        assert!(x.cols() == self.cols && y.len() == x.rows() * self.rows, "shapes don't match");
        let low: Vec<Packed> = added.iter().map(|low| low.pack(way, x.rows())).collect();
        let parts: Vec<&Packed> = std::iter::once(x).chain(&low).collect();
        let factors: Vec<Frozen<'_>> = added.iter().map(|low| Frozen::plain(self.rows, low.rank, low.factor)).collect();
        let out = Output { out: SendPtr(y.as_mut_ptr()), stride: self.rows, add: false };
        let lay = |part: usize, range: Range<usize>, tiles: &mut [bf16::Tile]| match part.checked_sub(1) {
            None => self.lay_turned_bf16(way, range, tiles),
            Some(low) => factors[low].lay_turned_bf16(way, range, tiles),
        };
        // SAFETY: `y` has as many rows as `x` and is borrowed mutably by this call alone.
        unsafe { way.product(&parts, self.rows, 1, out, lay) };
    }

    /// [`backward`](Self::backward) of packed rows.
    fn backward_bf16(&self, way: Bf16, dy: &Packed, dx: &mut [f32], add: bool, added: &[LowRank<'_>]) {
        assert!(dy.cols() == self.rows && dx.len() == dy.rows() * self.cols, "shapes don't match");
        let low: Vec<Packed> = added.iter().map(|low| low.pack(way, dy.rows())).collect();
        let parts: Vec<&Packed> = std::iter::once(dy).chain(&low).collect();
        let factors: Vec<Frozen<'_>> = added.iter().map(|low| Frozen::plain(low.rank, self.cols, low.factor)).collect();
        let block = if let Numbers::Stored(dtype, _) = self.numbers { dtype.block_len() } else { 1 };
        let out = Output { out: SendPtr(dx.as_mut_ptr()), stride: self.cols, add };
        let lay = |part: usize, range: Range<usize>, tiles: &mut [bf16::Tile]| match part.checked_sub(1) {
            None => self.lay_straight_bf16(way, range, tiles),
            Some(low) => factors[low].lay_straight_bf16(way, range, tiles),
        };
        // SAFETY: `dx` has as many rows as `dy` and is borrowed mutably by this call alone.
        unsafe { way.product(&parts, self.cols, block, out, lay) };
    }

    /// The bytes, if their type can be packed without dequantizing to memory first.
    fn packed_as_stored(&self) -> Option<(Dtype, &'w [u8])> {
        match self.numbers {
            Numbers::Stored(dtype, bytes) if bf16::packs_stored(dtype, self.cols) => Some((dtype, bytes)),
            _ => None,
        }
    }

    /// [`lay_turned`](Self::lay_turned) in bf16, over the whole depth.
    fn lay_turned_bf16(&self, way: Bf16, rows: Range<usize>, tiles: &mut [bf16::Tile]) {
        let depth = self.cols.div_ceil(bf16::DEPTH);
        if let Some((dtype, bytes)) = self.packed_as_stored() {
            for (strip, first) in tiles.chunks_exact_mut(depth.max(1)).zip(rows.clone().step_by(STRIP)) {
                let rows = first..(first + STRIP).min(rows.end);
                self.prefetch(rows.end..(rows.end + STRIP).min(self.rows), &(0..self.cols));
                let mut lines = [&[][..]; STRIP];
                for (line, row) in lines.iter_mut().zip(rows.clone()) {
                    *line = self.bytes(dtype, bytes, row, &(0..self.cols));
                }
                bf16::turned_stored(way, dtype, &lines[..rows.len()], strip);
            }
            return;
        }
        SCRATCH.with_borrow_mut(|scratch| {
            let (_, room) = scratch.room(0, STRIP * DEPTH);
            for (strip, first) in tiles.chunks_exact_mut(depth.max(1)).zip(rows.clone().step_by(STRIP)) {
                for (tiles, at) in strip.chunks_mut(DEPTH / bf16::DEPTH).zip((0..self.cols).step_by(DEPTH)) {
                    let cols = at..(at + DEPTH).min(self.cols);
                    let mut parts = [&[][..]; STRIP];
                    let rooms = room.chunks_exact_mut(DEPTH);
                    for ((part, row), room) in parts.iter_mut().zip(first..rows.end).zip(rooms) {
                        *part = self.part(row, cols.clone(), room);
                    }
                    bf16::turned(way, &parts, tiles);
                }
            }
        });
    }

    /// [`lay_straight`](Self::lay_straight) in bf16, over the whole depth.
    fn lay_straight_bf16(&self, way: Bf16, cols: Range<usize>, tiles: &mut [bf16::Tile]) {
        let depth = self.rows.div_ceil(bf16::DEPTH);
        if let Some((dtype, bytes)) = self.packed_as_stored() {
            for pair in 0..depth * bf16::SIDE {
                self.prefetch((2 * pair + AHEAD).min(self.rows)..(2 * pair + AHEAD + 2).min(self.rows), &cols);
                let line = |row| if row < self.rows { self.bytes(dtype, bytes, row, &cols) } else { &[] };
                bf16::straight_stored(way, dtype, [line(2 * pair), line(2 * pair + 1)], pair, depth, tiles);
            }
            return;
        }
        SCRATCH.with_borrow_mut(|scratch| {
            let (_, room) = scratch.room(0, 2 * cols.len());
            let (even, odd) = room.split_at_mut(cols.len());
            for pair in 0..depth * bf16::SIDE {
                let row = 2 * pair;
                self.prefetch((row + AHEAD).min(self.rows)..(row + AHEAD + 2).min(self.rows), &cols);
                let even = if row < self.rows { self.part(row, cols.clone(), even) } else { &[] };
                let odd = if row + 1 < self.rows { self.part(row + 1, cols.clone(), odd) } else { &[] };
                bf16::straight(way, [even, odd], pair, depth, tiles);
            }
        });
    }

    /// Prefetches parts of rows that are read soon. They are short and far apart, so the hardware prefetcher does not
    /// detect them.
    fn prefetch(&self, rows: Range<usize>, cols: &Range<usize>) {
        match self.numbers {
            Numbers::Stored(dtype, bytes) => rows.for_each(|row| prefetch(self.bytes(dtype, bytes, row, cols))),
            Numbers::Plain(numbers) => rows.for_each(|row| prefetch(&numbers[row * self.cols..][cols.clone()])),
        }
    }

    /// Packs rows into strips of sixteen: line `k` of a strip has column `k` of its sixteen rows (for `x·Wᵀ`).
    fn lay_turned(&self, rows: Range<usize>, cols: Range<usize>, scratch: &mut Scratch) {
        let depth = cols.len();
        let (strips, room) = scratch.room(rows.len().div_ceil(STRIP) * depth, STRIP * DEPTH);
        for (strip, first) in strips.chunks_exact_mut(depth.max(1)).zip(rows.clone().step_by(STRIP)) {
            self.prefetch((first + STRIP).min(rows.end)..(first + 2 * STRIP).min(rows.end), &cols);
            let mut parts = [&[][..]; STRIP];
            let rooms = room.chunks_exact_mut(DEPTH);
            for ((part, row), room) in parts.iter_mut().zip(first..rows.end).zip(rooms) {
                *part = self.part(row, cols.clone(), room);
            }
            tile::turn(&parts, strip);
        }
    }

    /// Packs columns into strips of sixteen: line `k` of a strip has the sixteen columns of row `k` (for `dy·W`).
    fn lay_straight(&self, rows: Range<usize>, cols: Range<usize>, scratch: &mut Scratch) {
        let depth = rows.len();
        let (strips, room) = scratch.room(cols.len().div_ceil(STRIP) * depth, cols.len());
        for (k, row) in rows.clone().enumerate() {
            self.prefetch((row + STRIP).min(rows.end)..(row + STRIP + 1).min(rows.end), &cols);
            let part = self.part(row, cols.clone(), room);
            for (strip, part) in strips[k..].iter_mut().step_by(depth).zip(part.chunks(STRIP)) {
                match part.try_into() {
                    Ok(whole) => strip.0 = whole,
                    Err(_) => strip.0[..part.len()].copy_from_slice(part),
                }
            }
        }
    }
}

/// An output matrix, shared by tasks that each write their own columns.
struct Columns {
    out: SendPtr<f32>,
    stride: usize,
    tokens: usize,
}

impl Columns {
    /// Computes the tiles of columns `range` of tokens `rows`; `x` starts at the first of these tokens.
    ///
    /// # Safety
    /// `range` must lie inside the stride, and no other thread may use these columns of these tokens during the call.
    unsafe fn add(&self, tile: &Tile, scratch: &Scratch, range: Range<usize>, x: &[f32], rows: Range<usize>) {
        assert!(range.end <= self.stride && rows.end <= self.tokens, "outside the result");
        // SAFETY: the check above shows that the columns lie inside the output; they belong to the caller.
        unsafe {
            let out = self.out.get().add(rows.start * self.stride + range.start);
            tile.all(&scratch.strips, range.len(), x, rows.len(), out);
        }
    }

    /// Adds a low-rank product, whose factor is packed, to columns `range` of tokens `rows`.
    ///
    /// # Safety
    /// As [`add`](Self::add).
    unsafe fn add_low(&self, low: &LowRank<'_>, scratch: &Scratch, range: Range<usize>, rows: Range<usize>) {
        let rows = rows.start.max(low.tokens.start)..rows.end.min(low.tokens.end);
        if rows.is_empty() {
            return;
        }
        let tile = Tile { depth: low.rank, x_stride: low.rank, out_stride: self.stride, scale: low.scale, add: true };
        let x = &low.input[(rows.start - low.tokens.start) * low.rank..];
        // SAFETY: guaranteed by the caller.
        unsafe { self.add(&tile, scratch, range, x, rows) };
    }
}

/// Calls `f` with ranges of `0..len` whose lengths are multiples of `unit`, so that all threads get equal work. If
/// there are too few ranges for that, also splits the tokens, at multiples of `rows`.
pub(crate) fn each_block(
    len: usize,
    unit: usize,
    tokens: usize,
    rows: usize,
    f: impl Fn(Range<usize>, Range<usize>) + Sync,
) {
    let threads = if pool::inside() { 1 } else { pool::threads() };
    let parts = threads * len.div_ceil(threads * WIDTH);
    let size = len.div_ceil(parts.max(1)).next_multiple_of(unit);
    let blocks = len.div_ceil(size.max(1));
    let split = blocks < threads && tokens >= MANY;
    let share = if split { tokens.div_ceil(threads).next_multiple_of(rows) } else { tokens };
    let shares = tokens.div_ceil(share.max(1)).max(1);
    pool::for_each(blocks * shares, |task| {
        let (first, token) = (task / shares * size, task % shares * share);
        f(first..(first + size).min(len), token..(token + share).min(tokens));
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matmul::tests::numbers;

    /// Bytes of some rows, with scales of ordinary magnitude.
    fn stored(dtype: Dtype, rows: usize, cols: usize) -> Vec<u8> {
        let mut bytes: Vec<u8> = (0..rows * dtype.row_bytes(cols).unwrap()).map(|i| (i * 37 % 251) as u8).collect();
        for block in bytes.chunks_mut(dtype.block_bytes()) {
            let at = if dtype == Dtype::Q6K { block.len() - 2 } else { 0 };
            block[at..at + 2].copy_from_slice(&[0x00, 0x2c]);
            if matches!(dtype, Dtype::Q4_1 | Dtype::Q4K) {
                block[2..4].copy_from_slice(&[0x00, 0xa8]);
            }
        }
        bytes
    }

    fn check(w: Frozen<'_>, wide: &[f32], tokens: usize) {
        let (n, k) = (w.rows, w.cols);
        let (x, dy) = (numbers(tokens * k, 1), numbers(tokens * n, 2));
        let (mut y, mut dx) = (vec![7.0; tokens * n], numbers(tokens * k, 3));
        let before = dx.clone();
        w.forward(&x, &mut y, 0.5, &[]);
        w.backward(&dy, &mut dx, 0.5, true, &[]);
        let close = |got: f32, want: f32, what: &str| {
            assert!(
                (got - want).abs() < 1e-3 * (1.0 + want.abs()),
                "{what} of ({n}, {k}), {tokens} tokens: {got} is not {want}"
            );
        };
        for t in 0..tokens {
            for row in 0..n {
                let want: f32 = (0..k).map(|c| x[t * k + c] * wide[row * k + c]).sum();
                close(y[t * n + row], 0.5 * want, "forward");
            }
            for c in 0..k {
                let want: f32 = (0..n).map(|row| dy[t * n + row] * wide[row * k + c]).sum();
                close(dx[t * k + c], before[t * k + c] + 0.5 * want, "backward");
            }
        }
    }

    #[test]
    fn plain_products_equal_the_triple_loop() {
        for (n, k, tokens) in
            [(1, 1, 1), (16, 8, 6), (17, 33, 5), (130, 300, 7), (300, 17, 13), (5, 600, 2), (64, 64, 64)]
        {
            let wide = numbers(n * k, 4);
            check(Frozen::plain(n, k, &wide), &wide, tokens);
        }
        Frozen::plain(3, 0, &[]).forward(&[], &mut [1.0; 6], 1.0, &[]);
        Frozen::plain(0, 3, &[]).forward(&[1.0; 6], &mut [], 1.0, &[]);
    }

    #[test]
    fn stored_weights_give_the_products_of_dequantized_ones() {
        for (dtype, n, k) in
            [(Dtype::Q4_1, 40, 96), (Dtype::Q8_0, 19, 320), (Dtype::Q4K, 33, 512), (Dtype::Q6K, 300, 256)]
        {
            let bytes = stored(dtype, n, k);
            let mut wide = vec![0.0; n * k];
            dequantize(dtype, &bytes, &mut wide);
            let weight = Frozen::stored(n, k, dtype, &bytes);
            check(weight, &wide, 9);
            check(weight.rows(3..n - 2), &wide[3 * k..(n - 2) * k], 4);
        }
    }

    #[test]
    fn stored_weights_in_bf16_are_bit_identical_to_dequantized_ones() {
        let types = [
            (Dtype::F16, [(17, 64), (70, 33)]),
            (Dtype::BF16, [(17, 64), (70, 33)]),
            (Dtype::Q4_0, [(40, 96), (33, 352)]),
            (Dtype::Q4_1, [(40, 96), (161, 352)]),
            (Dtype::Q8_0, [(19, 320), (64, 32)]),
            (Dtype::Q4K, [(33, 512), (16, 256)]),
            (Dtype::Q6K, [(130, 256), (1, 256)]),
        ];
        for &way in Bf16::all() {
            for (dtype, shapes) in types {
                for (n, k) in shapes {
                    let bytes = stored(dtype, n, k);
                    let mut wide = vec![0.0; n * k];
                    dequantize(dtype, &bytes, &mut wide);
                    assert!(wide.iter().all(|x| x.is_finite()), "{dtype:?}");
                    let tokens = 37;
                    let (x, dy) = (numbers(tokens * k, 1), numbers(tokens * n, 2));
                    let products = |w: Frozen<'_>| {
                        let (mut y, mut dx) = (vec![7.0; tokens * n], numbers(tokens * k, 3));
                        w.rounded(Some(way)).forward(&x, &mut y, 0.5, &[]);
                        w.rounded(Some(way)).backward(&dy, &mut dx, 0.5, true, &[]);
                        [y, dx].concat().into_iter().map(f32::to_bits).collect::<Vec<_>>()
                    };
                    let (got, want) = (Frozen::stored(n, k, dtype, &bytes), Frozen::plain(n, k, &wide));
                    assert!(products(got) == products(want), "{way}: {dtype:?} of ({n}, {k})");
                }
            }
        }
    }

    #[test]
    fn added_low_rank_products_equal_separate_ones() {
        for (n, k, tokens, rank) in
            [(40, 96, 31, 8), (17, 33, 5, 3), (16, 300, 50, 20), (300, 64, 26, 16), (70, 64, 12, 21), (9, 32, 4, 16)]
        {
            let (wide, x, dy) = (numbers(n * k, 1), numbers(tokens * k, 2), numbers(tokens * n, 3));
            let (a, b) = (numbers(rank * k, 4), numbers(n * rank, 5));
            let (w, some) = (Frozen::plain(n, k, &wide), 2..tokens - 1);
            let h = numbers(some.len() * rank, 6);
            let low = |factor| LowRank { tokens: some.clone(), input: &h, factor, rank, scale: 0.25 };
            let (mut y, mut bare) = (vec![7.0; tokens * n], vec![7.0; tokens * n]);
            w.forward(&x, &mut y, 0.5, &[low(&b)]);
            w.forward(&x, &mut bare, 0.5, &[]);
            let (mut dx, mut bare_dx) = (vec![7.0; tokens * k], vec![7.0; tokens * k]);
            w.backward(&dy, &mut dx, 0.5, false, &[low(&a)]);
            w.backward(&dy, &mut bare_dx, 0.5, false, &[]);
            for t in 0..tokens {
                let sum = |f: &dyn Fn(usize) -> f32| {
                    let Some(t) = t.checked_sub(some.start).filter(|t| *t < some.len()) else { return 0.0 };
                    (0..rank).map(|r| h[t * rank + r] * f(r)).sum::<f32>() * 0.25
                };
                for row in 0..n {
                    let want = bare[t * n + row] + sum(&|r| b[row * rank + r]);
                    assert!((y[t * n + row] - want).abs() < 1e-3, "forward of token {t}");
                }
                for c in 0..k {
                    let want = bare_dx[t * k + c] + sum(&|r| a[r * k + c]);
                    assert!((dx[t * k + c] - want).abs() < 1e-3, "backward of token {t}");
                }
            }
        }
    }
}
