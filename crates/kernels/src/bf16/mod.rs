//! Products that round their inputs to bf16 and sum in f32, on processors with such instructions. Both operands are
//! packed into tiles of 1 KB, the unit of AMX: (16 rows, 32 depth) of the input, and (32 depth, 16 columns) of the
//! weight, with pairs along the depth interleaved as the instructions expect.
//!
//! Each instruction set has its own order of summation, which depends on the shapes alone: the result bits depend
//! neither on threads nor on blocking. `twin` computes both orders one number at a time.

#[cfg(target_arch = "x86_64")]
mod amx;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod pack;
#[cfg(target_arch = "x86_64")]
mod stored;
#[cfg(test)]
mod twin;

use std::{cell::RefCell, fmt, ops::Range, sync::OnceLock};

pub use pack::Packed;
pub(crate) use pack::{lines, packs_stored, room, straight, straight_stored, transpose, turned, turned_stored};

use crate::{
    frozen::each_block,
    pool::{self, SendPtr},
};

/// Rows, or columns, of a tile.
pub(crate) const SIDE: usize = 16;
/// Depth of a tile.
pub(crate) const DEPTH: usize = 32;

/// 512 bf16 numbers: sixteen lines of sixteen pairs.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(crate) struct Tile(pub(crate) [[u32; SIDE]; SIDE]);

impl Tile {
    const ZERO: Self = Self([[0; SIDE]; SIDE]);
}

/// An instruction set for products with bf16 inputs. A value exists only if this machine has the instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bf16(Path);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Path {
    /// `tdpbf16ps` of AMX.
    Amx,
    /// `vdpbf16ps` of AVX-512.
    Avx512,
}

impl Bf16 {
    /// The instruction sets of this machine, fastest first.
    #[must_use]
    pub fn all() -> &'static [Self] {
        static FOUND: OnceLock<Vec<Bf16>> = OnceLock::new();
        FOUND.get_or_init(|| {
            #[cfg(target_arch = "x86_64")]
            {
                let avx512 = avx512::found();
                [(avx512 && amx::permitted(), Path::Amx), (avx512, Path::Avx512)]
                    .into_iter()
                    .filter_map(|(found, path)| found.then_some(Self(path)))
                    .collect()
            }
            #[cfg(not(target_arch = "x86_64"))]
            Vec::new()
        })
    }

    /// The fastest instruction set of this machine, if any.
    #[must_use]
    pub fn found() -> Option<Self> {
        Self::all().first().copied()
    }

    /// The instruction set with this [`name`](Self::name), if the machine has it.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::all().iter().copied().find(|way| way.name() == name)
    }

    /// Its name, recorded where results are compared, because the two sum in different orders.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self.0 {
            Path::Amx => "amx",
            Path::Avx512 => "avx512-bf16",
        }
    }
}

impl fmt::Display for Bf16 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A segment of a block's depth: pointers to its tiles in both operands.
#[derive(Clone, Copy)]
#[repr(C)]
struct Segment {
    /// Tiles of the first and the second sixteen rows.
    rows: [*const Tile; 2],
    /// Tiles of the first and the second sixteen columns.
    cols: [*const Tile; 2],
    /// Number of tiles; at least one.
    tiles: usize,
}

/// Most segments of the depth: the weight, and low-rank products.
const SEGMENTS: usize = 4;

/// The output of a product, shared by tasks that each write their own columns.
#[derive(Clone, Copy)]
pub(crate) struct Output {
    pub(crate) out: SendPtr<f32>,
    pub(crate) stride: usize,
    /// Whether the sums are added to the existing values.
    pub(crate) add: bool,
}

/// A thread's buffer for packed columns.
#[derive(Default)]
struct Scratch(Vec<Tile>);

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

impl Bf16 {
    /// `out (tokens, width) = Σ rows·columns` over the segments of the depth. `lay` packs columns `range` of a segment.
    ///
    /// # Safety
    /// `out` must be valid for `tokens` rows of `width` numbers at its stride, and no other thread may use them during
    /// the call.
    ///
    /// # Panics
    /// If the segments have different numbers of rows, or there are too many.
    pub(crate) unsafe fn product(
        self,
        parts: &[&Packed],
        width: usize,
        unit: usize,
        out: Output,
        lay: impl Fn(usize, Range<usize>, &mut [Tile]) + Sync,
    ) {
        let tokens = parts.first().map_or(0, |part| part.rows());
        assert!(parts.len() <= SEGMENTS && parts.iter().all(|part| part.rows() == tokens), "parts don't match");
        let depth: usize = parts.iter().map(|part| part.tiles()).sum();
        let sides: Vec<Rows<'_>> = parts.iter().map(|part| Rows { tiles: part.data(), depth: part.tiles() }).collect();
        each_block(width, unit.max(2 * SIDE), tokens, 2 * SIDE, |range, rows| {
            SCRATCH.with_borrow_mut(|Scratch(tiles)| {
                let strips = range.len().div_ceil(SIDE);
                if tiles.len() < strips * depth {
                    tiles.resize(strips * depth, Tile::ZERO);
                }
                // Segments one after the other, and within each its strips.
                let mut starts = [(0, 0); SEGMENTS];
                let mut at = 0;
                for (index, part) in parts.iter().enumerate() {
                    starts[index] = (at, part.tiles());
                    let end = at + strips * part.tiles();
                    lay(index, range.clone(), &mut tiles[at..end]);
                    at = end;
                }
                let blocks = Blocks { way: self, parts: &sides, columns: &starts[..parts.len()], tiles, out };
                // SAFETY: no other task has these columns of these rows.
                unsafe { blocks.all(range, rows) };
            });
        });
    }
}

impl Bf16 {
    /// `out (m, n) = a·b` on this thread: `a` has groups of `depth` tiles, and the strips of `b` are `stride` tiles
    /// apart.
    ///
    /// # Safety
    /// `out` must be valid for `m` rows of `n` numbers at its stride, and no other thread may use them during the call.
    ///
    /// # Panics
    /// If `a` or `b` is too short.
    pub(crate) unsafe fn multiply(
        self,
        a: &[Tile],
        (b, strip): (&[Tile], usize),
        depth: usize,
        (m, n): (usize, usize),
        out: Output,
    ) {
        let blocks = Blocks { way: self, parts: &[Rows { tiles: a, depth }], columns: &[(0, strip)], tiles: b, out };
        // SAFETY: guaranteed by the caller.
        unsafe { blocks.all(0..n, 0..m) };
    }
}

/// Packed rows: `depth` tiles for each group of sixteen.
#[derive(Clone, Copy)]
struct Rows<'b> {
    tiles: &'b [Tile],
    depth: usize,
}

/// The blocks of a task: packed rows times packed columns.
struct Blocks<'b> {
    way: Bf16,
    parts: &'b [Rows<'b>],
    /// For each segment, the index of its first tile in `tiles` and the distance of its strips.
    columns: &'b [(usize, usize)],
    tiles: &'b [Tile],
    out: Output,
}

impl Blocks<'_> {
    /// Columns `range` of the output for `rows`.
    ///
    /// # Safety
    /// They must lie inside the output, and no other thread may use them during the call.
    unsafe fn all(&self, range: Range<usize>, rows: Range<usize>) {
        #[cfg(target_arch = "x86_64")]
        let _configured = match self.way.0 {
            // SAFETY: the instruction set exists, so this thread may use the tiles.
            Path::Amx => Some(unsafe { amx::Configured::new() }),
            Path::Avx512 => None,
        };
        for col in range.clone().step_by(2 * SIDE) {
            for row in rows.clone().step_by(2 * SIDE) {
                let (height, width) = ((rows.end - row).min(2 * SIDE), (range.end - col).min(2 * SIDE));
                // Next is the block below, or the first one of the next columns.
                let below = row + 2 * SIDE;
                let (row_then, col_then) = if below < rows.end { (below, col) } else { (rows.start, col + 2 * SIDE) };
                let next = self.out.out.get().wrapping_add(row_then * self.out.stride + col_then);
                // SAFETY: the block lies inside the output and belongs to the caller.
                unsafe { self.one(col - range.start, row, (height, width), col, next) };
            }
        }
    }

    /// A block of up to two by two tiles; the output's lines from `next` on are prefetched.
    ///
    /// # Safety
    /// As [`all`](Self::all).
    unsafe fn one(&self, strip: usize, row: usize, (height, width): (usize, usize), col: usize, next: *const f32) {
        let (tall, wide) = (height > SIDE, width > SIDE);
        let mut segments = [Segment { rows: [std::ptr::null(); 2], cols: [std::ptr::null(); 2], tiles: 0 }; SEGMENTS];
        let mut count = 0;
        for (part, (start, apart)) in self.parts.iter().zip(self.columns) {
            let tiles = part.depth;
            if tiles == 0 {
                continue;
            }
            let group = |group: usize| &part.tiles[group * tiles..(group + 1) * tiles];
            let (first, second) = (group(row / SIDE), group(row / SIDE + usize::from(tall)));
            let of = |strip: usize| &self.tiles[start + strip * apart..][..tiles];
            let (left, right) = (of(strip / SIDE), of(strip / SIDE + usize::from(wide)));
            segments[count] =
                Segment { rows: [first.as_ptr(), second.as_ptr()], cols: [left.as_ptr(), right.as_ptr()], tiles };
            count += 1;
        }
        let segments = &segments[..count];
        // SAFETY: the caller guarantees that the block lies inside the output.
        let out = unsafe { self.out.out.get().add(row * self.out.stride + col) };
        let whole = height % SIDE == 0 && width % SIDE == 0;
        if whole {
            // SAFETY: as above; the segments have as many tiles as they state.
            return unsafe { self.compute(segments, (tall, wide), (out, next), self.out.stride) };
        }
        let mut edge = Edge([[0.0; 2 * SIDE]; 2 * SIDE]);
        // SAFETY: only elements inside the output are read and written.
        unsafe {
            if self.out.add {
                for (row, line) in edge.0.iter_mut().enumerate().take(height) {
                    out.add(row * self.out.stride).copy_to_nonoverlapping(line.as_mut_ptr(), width);
                }
            }
            self.compute(segments, (tall, wide), (edge.0.as_mut_ptr().cast(), edge.0.as_ptr().cast()), 2 * SIDE);
            for (row, line) in edge.0.iter().enumerate().take(height) {
                out.add(row * self.out.stride).copy_from_nonoverlapping(line.as_ptr(), width);
            }
        }
    }

    /// Computes one or two by one or two tiles; lines from `next` on are prefetched.
    ///
    /// # Safety
    /// `out` must be valid for the whole tiles, the segments' pointers for their tiles; with AMX, this thread's tiles must be
    /// configured.
    unsafe fn compute(
        &self,
        segments: &[Segment],
        shape: (bool, bool),
        (out, next): (*mut f32, *const f32),
        stride: usize,
    ) {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: guaranteed by the caller; the instructions exist because the value does.
        unsafe {
            match self.way.0 {
                Path::Amx => amx::block(segments, shape, (out, next), stride, self.out.add),
                Path::Avx512 => avx512::block(segments, shape, out, stride, self.out.add),
            }
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = (segments, shape, out, next, stride);
    }
}

/// The result for depth zero: zeros, or the existing values with `add`.
///
/// # Safety
/// `out` must be valid for the whole tiles.
#[cfg(target_arch = "x86_64")]
unsafe fn clear((tall, wide): (bool, bool), out: *mut f32, stride: usize, add: bool) {
    for row in 0..if add { 0 } else { SIDE << usize::from(tall) } {
        // SAFETY: guaranteed by the caller.
        unsafe { out.add(row * stride).write_bytes(0, SIDE << usize::from(wide)) };
    }
}

/// A buffer for a block at the edge of an output.
#[repr(align(64))]
struct Edge([[f32; 2 * SIDE]; 2 * SIDE]);

/// Groups of sixteen rows that a task packs.
const GROUPS: usize = 4;

impl Bf16 {
    /// Packs the rows of `x (rows, cols)`, times a factor, on all threads.
    pub(crate) fn pack(self, x: &[f32], cols: usize, factor: f32) -> Packed {
        let mut packed = Packed::room(x.len().checked_div(cols).unwrap_or(0), cols);
        let (rows, tiles) = (packed.rows(), packed.tiles());
        pool::for_each_chunk(packed.data_mut(), GROUPS * tiles, |index, chunk| {
            for (group, chunk) in chunk.chunks_mut(tiles.max(1)).enumerate() {
                let first = (index * GROUPS + group) * SIDE;
                let end = (first + SIDE).min(rows);
                let mut lines = [&[][..]; SIDE];
                lines.iter_mut().zip(x[first * cols..end * cols].chunks(cols)).for_each(|(line, row)| *line = row);
                pack::lines(self, &lines, factor, chunk);
            }
        });
        packed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Frozen, LowRank, matmul::tests::numbers};

    /// Numbers that bf16 can't represent exactly, of very different magnitudes.
    fn uneven(len: usize, seed: u32) -> Vec<f32> {
        numbers(len, seed)
            .into_iter()
            .enumerate()
            .map(|(i, x)| x * 1.234_567 * 2_f32.powi((i * 7 % 23) as i32 - 15))
            .collect()
    }

    /// Shapes that end inside tiles and at their edges: rows and columns of the weight, tokens, rank.
    const SHAPES: [(usize, usize, usize, usize); 9] = [
        (1, 1, 1, 1),
        (16, 32, 16, 8),
        (17, 33, 5, 3),
        (32, 64, 32, 16),
        (70, 95, 31, 20),
        (300, 17, 33, 33),
        (5, 600, 49, 4),
        (130, 300, 64, 16),
        (64, 31, 100, 1),
    ];

    #[test]
    fn packing_equals_its_plain_version() {
        let Some(&way) = Bf16::all().first() else { return skipped() };
        for (rows, cols) in [(1, 1), (16, 32), (5, 31), (16, 100), (11, 47)] {
            let mut x = uneven(rows * cols, 1);
            x[0] = f32::from_bits(3);
            if let Some(last) = x.get_mut(7) {
                *last = f32::INFINITY;
            }
            let tiles = cols.div_ceil(DEPTH);
            let dirty = vec![Tile([[7; SIDE]; SIDE]); tiles];
            let (mut fast, mut plain) = (dirty.clone(), dirty.clone());
            let lines: Vec<&[f32]> = x.chunks(cols).collect();
            pack::lines(way, &lines, 0.5, &mut fast);
            pack::plain::lines(&lines, 0.5, &mut plain);
            let same = |fast: &[Tile], plain: &[Tile]| fast.iter().zip(plain).all(|(a, b)| a.0 == b.0);
            assert!(same(&fast, &plain), "rows ({rows}, {cols})");
            let (mut fast, mut plain) = (dirty.clone(), dirty);
            turned(way, &lines, &mut fast);
            pack::plain::turned(&lines, &mut plain);
            assert!(same(&fast, &plain), "turned ({rows}, {cols})");
            // Two strips with a depth of two tiles each.
            let dirty = vec![Tile([[7; SIDE]; SIDE]); 4];
            for pair in [0, 5, 20] {
                let (mut fast, mut plain) = (dirty.clone(), dirty.clone());
                let lines = [&x[..cols.min(32)], &x[..cols.min(27)]];
                straight(way, lines, pair, 2, &mut fast);
                pack::plain::straight(lines, pair, 2, &mut plain);
                assert!(same(&fast, &plain), "straight {pair} of {cols}");
            }
        }
    }

    /// Prints that a test was skipped.
    fn skipped() {
        eprintln!("skipped: this processor has no bf16 products");
    }

    #[test]
    fn every_instruction_set_is_bit_identical_to_its_twin() {
        if Bf16::all().is_empty() {
            skipped();
        }
        for &way in Bf16::all() {
            for (n, k, tokens, rank) in SHAPES {
                let (w, x, dy) = (uneven(n * k, 1), uneven(tokens * k, 2), uneven(tokens * n, 3));
                let (a, b, h) = (uneven(rank * k, 4), uneven(n * rank, 5), uneven(tokens * rank, 6));
                let low = |factor| LowRank { tokens: 0..tokens, input: &h, factor, rank, scale: 0.7 };
                let frozen = Frozen::plain(n, k, &w).rounded(Some(way));
                let (mut y, mut dx) = (vec![f32::NAN; tokens * n], uneven(tokens * k, 7));
                let before = dx.clone();
                frozen.forward(&x, &mut y, 0.3, &[low(&b)]);
                frozen.backward(&dy, &mut dx, 0.3, true, &[low(&a)]);
                let column = |m: &[f32], cols: usize, col: usize| m[col..].iter().step_by(cols).copied().collect();
                let scaled = |row: &[f32], scale: f32| row.iter().map(|x| scale * x).collect::<Vec<f32>>();
                for t in 0..tokens {
                    let h = scaled(&h[t * rank..(t + 1) * rank], 0.7);
                    for row in 0..n {
                        let base = (scaled(&x[t * k..(t + 1) * k], 0.3), w[row * k..(row + 1) * k].to_vec());
                        let want = twin::dot(way, 0.0, &[base, (h.clone(), b[row * rank..(row + 1) * rank].to_vec())]);
                        let got = y[t * n + row];
                        assert_eq!(
                            got.to_bits(),
                            want.to_bits(),
                            "{way}: y of ({n}, {k}), {tokens}: {got} is not {want}"
                        );
                    }
                    for col in 0..k {
                        let base = (scaled(&dy[t * n..(t + 1) * n], 0.3), column(&w, k, col));
                        let start = before[t * k + col];
                        let want = twin::dot(way, start, &[base, (h.clone(), column(&a, k, col))]);
                        let got = dx[t * k + col];
                        assert_eq!(
                            got.to_bits(),
                            want.to_bits(),
                            "{way}: dx of ({n}, {k}), {tokens}: {got} is not {want}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn twins_are_close_to_f64_products_of_rounded_inputs() {
        for way in [Bf16(Path::Amx), Bf16(Path::Avx512)] {
            for depth in [0, 1, 2, 31, 32, 33, 600] {
                let (a, b) = (numbers(depth, 1), numbers(depth, 2));
                let terms = a.iter().zip(&b).map(|(a, b)| f64::from(twin::rounded(*a)) * f64::from(twin::rounded(*b)));
                let (want, size) = (0.25 + terms.clone().sum::<f64>(), 0.25 + terms.map(f64::abs).sum::<f64>());
                let got = f64::from(twin::dot(way, 0.25, &[(a, b)]));
                assert!((got - want).abs() <= 1e-6 * size, "{way}, depth {depth}: {got} is not {want}");
            }
        }
    }
}
