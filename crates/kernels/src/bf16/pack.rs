//! Rounding to bf16 (to nearest, ties to even) and packing into tiles.

use std::cell::RefCell;

#[cfg(target_arch = "x86_64")]
use super::stored;
use super::{Bf16, DEPTH, SIDE, Tile};
use crate::Dtype;

thread_local! {
    static FREE: RefCell<Vec<Vec<Tile>>> = RefCell::default();
}

/// Rows in bf16: for each sixteen rows, the tiles along their depth. Padding is zero.
#[derive(Debug)]
pub struct Packed {
    rows: usize,
    cols: usize,
    tiles: Vec<Tile>,
}

impl Packed {
    /// A buffer for (rows, cols) with arbitrary contents; memory is reused.
    pub(super) fn room(rows: usize, cols: usize) -> Self {
        let len = rows.div_ceil(SIDE) * cols.div_ceil(DEPTH);
        let mut tiles = FREE.with_borrow_mut(Vec::pop).unwrap_or_default();
        if tiles.len() < len {
            tiles.resize(len, Tile::ZERO);
        }
        Self { rows, cols, tiles }
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    pub(crate) fn cols(&self) -> usize {
        self.cols
    }

    /// Number of tiles along the depth.
    pub(crate) fn tiles(&self) -> usize {
        self.cols.div_ceil(DEPTH)
    }

    pub(super) fn data(&self) -> &[Tile] {
        &self.tiles[..self.rows.div_ceil(SIDE) * self.tiles()]
    }

    pub(super) fn data_mut(&mut self) -> &mut [Tile] {
        let len = self.rows.div_ceil(SIDE) * self.tiles();
        &mut self.tiles[..len]
    }
}

impl Drop for Packed {
    fn drop(&mut self) {
        let tiles = std::mem::take(&mut self.tiles);
        // The free list is gone only while its thread ends.
        let _ = FREE.try_with(|free| {
            let mut free = free.borrow_mut();
            if free.len() < 4 {
                free.push(tiles);
            }
        });
    }
}

/// Packs up to sixteen rows, multiplied by a factor, into the tiles along their depth.
pub(crate) fn lines(_: Bf16, lines: &[&[f32]], factor: f32, tiles: &mut [Tile]) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a `Bf16` value exists, so these instructions do.
    unsafe {
        fast::lines(lines, factor, tiles);
    }
    #[cfg(not(target_arch = "x86_64"))]
    plain::lines(lines, factor, tiles);
}

/// Transposes lines and pairs: columns become rows.
pub(crate) fn transpose(_: Bf16, tile: &mut Tile) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: as in `lines`.
    unsafe {
        fast::transpose_tile(tile);
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        *tile = Tile(std::array::from_fn(|line| std::array::from_fn(|pair| tile.0[pair][line])));
    }
}

/// A buffer of tiles with arbitrary contents.
pub(crate) fn room(tiles: &mut Vec<Tile>, len: usize) -> &mut [Tile] {
    if tiles.len() < len {
        tiles.resize(len, Tile::ZERO);
    }
    &mut tiles[..len]
}

/// Packs columns of a segment of `x·Wᵀ`: `lines` are up to sixteen rows of the weight, at the depth of `tiles`.
pub(crate) fn turned(_: Bf16, lines: &[&[f32]], tiles: &mut [Tile]) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: as in `lines`.
    unsafe {
        fast::turned(lines, tiles);
    }
    #[cfg(not(target_arch = "x86_64"))]
    plain::turned(lines, tiles);
}

/// Whether stored rows of `cols` numbers can be packed directly by [`turned_stored`] and [`straight_stored`].
pub(crate) fn packs_stored(dtype: Dtype, cols: usize) -> bool {
    #[cfg(target_arch = "x86_64")]
    return stored::handles(dtype, cols);
    #[cfg(not(target_arch = "x86_64"))]
    {
        let _ = (dtype, cols);
        false
    }
}

/// [`turned`] of stored rows over the whole depth of `tiles`.
///
/// # Panics
/// If [`packs_stored`] returns false.
pub(crate) fn turned_stored(_: Bf16, dtype: Dtype, lines: &[&[u8]], tiles: &mut [Tile]) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: as in `lines`.
    unsafe {
        stored::turned(dtype, lines, tiles);
    }
    #[cfg(not(target_arch = "x86_64"))]
    unreachable!("{dtype:?}, {} rows, {} tiles", lines.len(), tiles.len());
}

/// [`straight`] of stored rows.
///
/// # Panics
/// If [`packs_stored`] returns false.
pub(crate) fn straight_stored(_: Bf16, dtype: Dtype, lines: [&[u8]; 2], pair: usize, depth: usize, tiles: &mut [Tile]) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: as in `lines`.
    unsafe {
        stored::straight(dtype, lines, pair, depth, tiles);
    }
    #[cfg(not(target_arch = "x86_64"))]
    unreachable!("{dtype:?}, {} rows, pair {pair}, depth {depth}, {} tiles", lines.len(), tiles.len());
}

/// Packs two rows of the weight into line `pair` of each strip of a segment of `dy·W`; a strip has `depth` tiles.
pub(crate) fn straight(_: Bf16, lines: [&[f32]; 2], pair: usize, depth: usize, tiles: &mut [Tile]) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: as in `lines`.
    unsafe {
        fast::straight(lines, pair, depth, tiles);
    }
    #[cfg(not(target_arch = "x86_64"))]
    plain::straight(lines, pair, depth, tiles);
}

#[cfg(target_arch = "x86_64")]
pub(super) mod fast {
    use std::{
        arch::x86_64::{
            __m512, __m512i, _mm512_cvtne2ps_pbh, _mm512_load_si512, _mm512_loadu_ps, _mm512_maskz_loadu_ps,
            _mm512_mul_ps, _mm512_permutexvar_epi16, _mm512_set1_ps, _mm512_setzero_ps, _mm512_setzero_si512,
            _mm512_shuffle_i32x4, _mm512_store_si512, _mm512_unpackhi_epi32, _mm512_unpackhi_epi64,
            _mm512_unpacklo_epi32, _mm512_unpacklo_epi64,
        },
        mem::transmute,
    };

    use crate::bf16::{DEPTH, SIDE, Tile};

    /// Elements `at..at + 16` of a row; zeros beyond its end.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
    fn sixteen(x: &[f32], at: usize) -> __m512 {
        match x.len().saturating_sub(at) {
            0 => _mm512_setzero_ps(),
            // SAFETY: the mask keeps the read inside the row.
            left @ 1..SIDE => unsafe { _mm512_maskz_loadu_ps((1 << left) - 1, x.as_ptr().add(at)) },
            // SAFETY: sixteen numbers exist there.
            _ => unsafe { _mm512_loadu_ps(x.as_ptr().add(at)) },
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
    pub(in crate::bf16) fn round(low: __m512, high: __m512) -> __m512i {
        // SAFETY: both types are 512 bits without invalid values.
        unsafe { transmute(_mm512_cvtne2ps_pbh(high, low)) }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
    pub(in crate::bf16) fn store(tile: &mut Tile, line: usize, numbers: __m512i) {
        // SAFETY: a line is 64 bytes with 64-byte alignment.
        unsafe { _mm512_store_si512(tile.0[line].as_mut_ptr().cast(), numbers) };
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
    pub(super) fn lines(lines: &[&[f32]], factor: f32, tiles: &mut [Tile]) {
        let factor = _mm512_set1_ps(factor);
        for line in 0..SIDE {
            let row = lines.get(line).copied().unwrap_or_default();
            for (k, tile) in tiles.iter_mut().enumerate() {
                let low = _mm512_mul_ps(sixteen(row, k * DEPTH), factor);
                let high = _mm512_mul_ps(sixteen(row, k * DEPTH + SIDE), factor);
                store(tile, line, round(low, high));
            }
        }
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
    pub(super) fn turned(lines: &[&[f32]], tiles: &mut [Tile]) {
        for (k, tile) in tiles.iter_mut().enumerate() {
            let mut pairs = [_mm512_setzero_si512(); SIDE];
            for (pairs, line) in pairs.iter_mut().zip(lines) {
                *pairs = round(sixteen(line, k * DEPTH), sixteen(line, k * DEPTH + SIDE));
            }
            for (line, pairs) in transpose(pairs).into_iter().enumerate() {
                store(tile, line, pairs);
            }
        }
    }

    /// Transposes sixteen by sixteen 32-bit numbers.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
    pub(in crate::bf16) fn transpose(r: [__m512i; SIDE]) -> [__m512i; SIDE] {
        let mut a = [_mm512_setzero_si512(); SIDE];
        for i in 0..SIDE / 2 {
            a[2 * i] = _mm512_unpacklo_epi32(r[2 * i], r[2 * i + 1]);
            a[2 * i + 1] = _mm512_unpackhi_epi32(r[2 * i], r[2 * i + 1]);
        }
        // Lane `l` of `b[4 q + c]` has column `4 l + c` of rows `4 q..4 q + 4`.
        let mut b = [_mm512_setzero_si512(); SIDE];
        for q in 0..SIDE / 4 {
            b[4 * q] = _mm512_unpacklo_epi64(a[4 * q], a[4 * q + 2]);
            b[4 * q + 1] = _mm512_unpackhi_epi64(a[4 * q], a[4 * q + 2]);
            b[4 * q + 2] = _mm512_unpacklo_epi64(a[4 * q + 1], a[4 * q + 3]);
            b[4 * q + 3] = _mm512_unpackhi_epi64(a[4 * q + 1], a[4 * q + 3]);
        }
        let mut out = a;
        for c in 0..4 {
            let low = _mm512_shuffle_i32x4::<0x88>(b[c], b[4 + c]); // lanes 0, 2 of both
            let high = _mm512_shuffle_i32x4::<0xdd>(b[c], b[4 + c]); // lanes 1, 3
            let low2 = _mm512_shuffle_i32x4::<0x88>(b[8 + c], b[12 + c]);
            let high2 = _mm512_shuffle_i32x4::<0xdd>(b[8 + c], b[12 + c]);
            out[c] = _mm512_shuffle_i32x4::<0x88>(low, low2);
            out[8 + c] = _mm512_shuffle_i32x4::<0xdd>(low, low2);
            out[4 + c] = _mm512_shuffle_i32x4::<0x88>(high, high2);
            out[12 + c] = _mm512_shuffle_i32x4::<0xdd>(high, high2);
        }
        out
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
    pub(super) fn transpose_tile(tile: &mut Tile) {
        // SAFETY: a line is 64 bytes with 64-byte alignment.
        let lines = std::array::from_fn(|line| unsafe { _mm512_load_si512(tile.0[line].as_ptr().cast()) });
        for (line, numbers) in transpose(lines).into_iter().enumerate() {
            store(tile, line, numbers);
        }
    }

    /// The permutation that interleaves the numbers of two rows in one register.
    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(in crate::bf16) fn interleave() -> __m512i {
        const ORDER: [u16; DEPTH] = {
            let mut order = [0; DEPTH];
            let mut i = 0;
            while i < DEPTH {
                order[i] = (i / 2 + i % 2 * SIDE) as u16;
                i += 1;
            }
            order
        };
        // SAFETY: both types are 512 bits without invalid values.
        unsafe { transmute(ORDER) }
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
    pub(super) fn straight([even, odd]: [&[f32]; 2], pair: usize, depth: usize, tiles: &mut [Tile]) {
        let order = interleave();
        for (strip, tile) in tiles.iter_mut().skip(pair / SIDE).step_by(depth).enumerate() {
            let both = round(sixteen(even, strip * SIDE), sixteen(odd, strip * SIDE));
            store(tile, pair % SIDE, _mm512_permutexvar_epi16(order, both));
        }
    }
}

/// The same in plain Rust.
#[cfg(any(test, not(target_arch = "x86_64")))]
pub(super) mod plain {
    use crate::bf16::{DEPTH, SIDE, Tile};

    /// Rounds a number to bf16; subnormal numbers become zero, as in the instructions.
    pub(in crate::bf16) fn round(x: f32) -> u16 {
        if x.is_subnormal() {
            return (x.to_bits() >> 16 & 0x8000) as u16;
        }
        if x.is_nan() {
            return (x.to_bits() >> 16 | 0x40) as u16;
        }
        let bits = x.to_bits();
        (bits.wrapping_add(0x7fff + (bits >> 16 & 1)) >> 16) as u16
    }

    fn pair(low: f32, high: f32) -> u32 {
        u32::from(round(low)) | u32::from(round(high)) << 16
    }

    fn at(x: &[f32], index: usize) -> f32 {
        x.get(index).copied().unwrap_or(0.0)
    }

    pub(in crate::bf16) fn lines(lines: &[&[f32]], factor: f32, tiles: &mut [Tile]) {
        for line in 0..SIDE {
            let row = lines.get(line).copied().unwrap_or_default();
            for (k, tile) in tiles.iter_mut().enumerate() {
                for (p, both) in tile.0[line].iter_mut().enumerate() {
                    let first = k * DEPTH + 2 * p;
                    *both = pair(factor * at(row, first), factor * at(row, first + 1));
                }
            }
        }
    }

    pub(in crate::bf16) fn turned(lines: &[&[f32]], tiles: &mut [Tile]) {
        for (k, tile) in tiles.iter_mut().enumerate() {
            for (p, line) in tile.0.iter_mut().enumerate() {
                for (col, both) in line.iter_mut().enumerate() {
                    let row = lines.get(col).copied().unwrap_or(&[]);
                    *both = pair(at(row, k * DEPTH + 2 * p), at(row, k * DEPTH + 2 * p + 1));
                }
            }
        }
    }

    pub(in crate::bf16) fn straight([even, odd]: [&[f32]; 2], at_pair: usize, depth: usize, tiles: &mut [Tile]) {
        for (strip, tile) in tiles.iter_mut().skip(at_pair / SIDE).step_by(depth).enumerate() {
            for (col, both) in tile.0[at_pair % SIDE].iter_mut().enumerate() {
                *both = pair(at(even, strip * SIDE + col), at(odd, strip * SIDE + col));
            }
        }
    }
}
