//! The inner loop of a product: a tile of input rows by packed columns, whose sums stay in registers. With AVX2 it is
//! (6 rows, 16 columns), 12 of 16 registers; with AVX-512 (12 rows, 32 columns), 24 of 32 registers.

/// Columns of a packed strip.
pub(crate) const STRIP: usize = 16;
/// Input rows of a tile.
const ROWS: usize = 6;
/// Input rows of a tile of AVX-512.
#[cfg(target_arch = "x86_64")]
const ROWS_512: usize = 12;

/// Sixteen numbers in one cache line.
#[derive(Clone, Copy)]
#[repr(align(64))]
pub(crate) struct Strip(pub(crate) [f32; STRIP]);

impl Strip {
    pub(crate) const ZERO: Self = Self([0.0; STRIP]);
}

/// Shape of a tiled product: `out = scale · x·strips`, or `out += …` with `add`.
pub(crate) struct Tile {
    /// Lines of a strip: the depth of each inner product.
    pub(crate) depth: usize,
    /// Distance of input rows in numbers.
    pub(crate) x_stride: usize,
    /// Distance of output rows in numbers.
    pub(crate) out_stride: usize,
    pub(crate) scale: f32,
    pub(crate) add: bool,
}

impl Tile {
    /// Computes all tiles of `tokens` rows of `x` and `cols` columns, whose strips are consecutive in `strips`.
    ///
    /// # Panics
    /// If `x` or `strips` is too short.
    ///
    /// # Safety
    /// `out` must be valid for `tokens` rows of `cols` numbers, and no other thread may use them during the call.
    pub(crate) unsafe fn all(&self, strips: &[Strip], cols: usize, x: &[f32], tokens: usize, out: *mut f32) {
        let depth = self.depth;
        assert!(strips.len() >= cols.div_ceil(STRIP) * depth, "too few strips");
        assert!(tokens == 0 || depth == 0 || x.len() >= (tokens - 1) * self.x_stride + depth, "too little input");
        #[cfg(target_arch = "x86_64")]
        if crate::simd::has_avx512() {
            // SAFETY: the features were detected, the sizes of the slices were checked, and the output belongs to the
            // caller.
            return unsafe { self.all_512(strips, cols, x, tokens, out) };
        }
        // SAFETY: as above.
        unsafe { self.all_by_six(strips, cols, x, tokens, out) }
    }

    /// [`all`](Self::all) with AVX2 or portable code.
    ///
    /// # Safety
    /// As [`all`](Self::all), whose checks were made.
    unsafe fn all_by_six(&self, strips: &[Strip], cols: usize, x: &[f32], tokens: usize, out: *mut f32) {
        let depth = self.depth;
        for first in (0..tokens).step_by(ROWS) {
            let x = x[(first * self.x_stride).min(x.len())..].as_ptr();
            for (strip, col) in (0..cols).step_by(STRIP).enumerate() {
                let strip = &strips[strip * depth..(strip + 1) * depth];
                let (rows, width) = (ROWS.min(tokens - first), STRIP.min(cols - col));
                // SAFETY: `rows` rows from `first` and `width` columns from `col` lie inside the output, and the rows of
                // the input inside `x`, as was checked above.
                unsafe { self.one(strip, x, rows, out.add(first * self.out_stride + col), width) };
            }
        }
    }

    /// One tile of up to [`ROWS`] rows and `width` columns.
    ///
    /// # Safety
    /// `x` must be readable for `rows` rows of `strip.len()` numbers, `out` writable for `rows` rows of `width`.
    unsafe fn one(&self, strip: &[Strip], x: *const f32, rows: usize, out: *mut f32, width: usize) {
        // SAFETY: the caller guarantees the pointers; the features were detected.
        let sums = unsafe {
            #[cfg(target_arch = "x86_64")]
            match crate::simd::has_avx2() {
                true if width == STRIP => return self.rows(strip, x, rows, out),
                true => {
                    let mut sums = [[0.0; STRIP]; ROWS];
                    let whole = Tile { out_stride: STRIP, scale: 1.0, add: false, ..*self };
                    whole.rows(strip, x, rows, sums.as_mut_ptr().cast());
                    sums
                }
                false => self.sums(strip, x, rows),
            }
            #[cfg(not(target_arch = "x86_64"))]
            self.sums(strip, x, rows)
        };
        for (row, sums) in sums.iter().take(rows).enumerate() {
            for (col, sum) in sums.iter().take(width).enumerate() {
                // SAFETY: the caller guarantees that it lies inside the output.
                let out = unsafe { &mut *out.add(row * self.out_stride + col) };
                *out = if self.add { *out + self.scale * sum } else { self.scale * sum };
            }
        }
    }

    /// [`all`](Self::all) with AVX-512.
    ///
    /// # Safety
    /// As [`all`](Self::all), whose checks were made; the machine must have AVX-512.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f")]
    unsafe fn all_512(&self, strips: &[Strip], cols: usize, x: &[f32], tokens: usize, out: *mut f32) {
        for first in (0..tokens).step_by(ROWS_512) {
            let x = x[(first * self.x_stride).min(x.len())..].as_ptr();
            let rows = ROWS_512.min(tokens - first);
            for col in (0..cols).step_by(2 * STRIP) {
                let strips = &strips[col / STRIP * self.depth..];
                // SAFETY: the rows from `first` and the columns from `col` lie inside input and output.
                unsafe {
                    let out = out.add(first * self.out_stride + col);
                    match (cols - col).min(2 * STRIP) {
                        width @ ..=STRIP => self.rows_512::<1>(strips, x, rows, out, width),
                        width => self.rows_512::<2>(strips, x, rows, out, width - STRIP),
                    }
                }
            }
        }
    }

    /// A tile of up to [`ROWS_512`] rows and `S` strips; only `width` columns of the last strip are written.
    ///
    /// # Safety
    /// As [`whole_512`](Self::whole_512).
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f")]
    unsafe fn rows_512<const S: usize>(
        &self,
        strips: &[Strip],
        x: *const f32,
        rows: usize,
        out: *mut f32,
        width: usize,
    ) {
        // SAFETY: guaranteed by the caller.
        unsafe {
            match rows {
                1 => self.whole_512::<1, S>(strips, x, out, width),
                2 => self.whole_512::<2, S>(strips, x, out, width),
                3 => self.whole_512::<3, S>(strips, x, out, width),
                4 => self.whole_512::<4, S>(strips, x, out, width),
                5 => self.whole_512::<5, S>(strips, x, out, width),
                6 => self.whole_512::<6, S>(strips, x, out, width),
                7 => self.whole_512::<7, S>(strips, x, out, width),
                8 => self.whole_512::<8, S>(strips, x, out, width),
                9 => self.whole_512::<9, S>(strips, x, out, width),
                10 => self.whole_512::<10, S>(strips, x, out, width),
                11 => self.whole_512::<11, S>(strips, x, out, width),
                _ => self.whole_512::<12, S>(strips, x, out, width),
            }
        }
    }

    /// A tile of `T` rows and `S` strips; only `width` columns of the last strip are written.
    ///
    /// # Safety
    /// `x` must be readable for `T` rows of `depth` numbers, `out` writable for `T` rows of the columns; the machine must
    /// have AVX-512.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f")]
    unsafe fn whole_512<const T: usize, const S: usize>(
        &self,
        strips: &[Strip],
        x: *const f32,
        out: *mut f32,
        width: usize,
    ) {
        use std::arch::x86_64::{
            _mm512_add_ps, _mm512_fmadd_ps, _mm512_load_ps, _mm512_mask_storeu_ps, _mm512_maskz_loadu_ps,
            _mm512_mul_ps, _mm512_set1_ps, _mm512_setzero_ps,
        };
        let mut sums = [[_mm512_setzero_ps(); S]; T];
        let strips: [&[Strip]; S] = std::array::from_fn(|s| &strips[s * self.depth..(s + 1) * self.depth]);
        for k in 0..self.depth {
            // SAFETY: a line is sixteen numbers with 64-byte alignment, and each strip has `depth` of them; the caller
            // guarantees the input.
            unsafe {
                let lines: [_; S] = std::array::from_fn(|s| _mm512_load_ps(strips[s].get_unchecked(k).0.as_ptr()));
                for (t, sums) in sums.iter_mut().enumerate() {
                    let x = _mm512_set1_ps(*x.add(t * self.x_stride + k));
                    for (sum, line) in sums.iter_mut().zip(lines) {
                        *sum = _mm512_fmadd_ps(x, line, *sum);
                    }
                }
            }
        }
        let scale = _mm512_set1_ps(self.scale);
        for (t, sums) in sums.into_iter().enumerate() {
            for (s, sum) in sums.into_iter().enumerate() {
                let mask = if s + 1 == S { ((1_u32 << width) - 1) as u16 } else { u16::MAX };
                // SAFETY: only columns inside the output are read and written, as the caller guarantees.
                unsafe {
                    let out = out.add(t * self.out_stride + s * STRIP);
                    let sum = _mm512_mul_ps(sum, scale);
                    let before = || _mm512_maskz_loadu_ps(mask, out);
                    _mm512_mask_storeu_ps(out, mask, if self.add { _mm512_add_ps(sum, before()) } else { sum });
                }
            }
        }
    }

    /// A tile of up to [`ROWS`] rows and all columns.
    ///
    /// # Safety
    /// As [`whole`](Self::whole).
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,fma")]
    unsafe fn rows(&self, strip: &[Strip], x: *const f32, rows: usize, out: *mut f32) {
        // SAFETY: guaranteed by the caller.
        unsafe {
            match rows {
                1 => self.whole::<1>(strip, x, out),
                2 => self.whole::<2>(strip, x, out),
                3 => self.whole::<3>(strip, x, out),
                4 => self.whole::<4>(strip, x, out),
                5 => self.whole::<5>(strip, x, out),
                _ => self.whole::<6>(strip, x, out),
            }
        }
    }

    /// The sums of a tile in plain Rust, for processors without AVX2.
    ///
    /// # Safety
    /// As [`one`](Self::one).
    unsafe fn sums(&self, strip: &[Strip], x: *const f32, rows: usize) -> [[f32; STRIP]; ROWS] {
        let mut sums = [[0.0; STRIP]; ROWS];
        for (k, line) in strip.iter().enumerate() {
            for (row, sums) in sums.iter_mut().take(rows).enumerate() {
                // SAFETY: the caller guarantees that it lies inside the input.
                let x = unsafe { *x.add(row * self.x_stride + k) };
                for (sum, number) in sums.iter_mut().zip(&line.0) {
                    // Fused on aarch64; elsewhere `mul_add` would be a slow function call.
                    *sum = if cfg!(target_arch = "aarch64") { x.mul_add(*number, *sum) } else { *sum + x * number };
                }
            }
        }
        sums
    }

    /// A tile of `T` rows and all sixteen columns.
    ///
    /// # Safety
    /// As [`one`](Self::one); the machine must have AVX2 and FMA.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,fma")]
    unsafe fn whole<const T: usize>(&self, strip: &[Strip], x: *const f32, out: *mut f32) {
        use std::arch::x86_64::{
            _mm256_add_ps, _mm256_broadcast_ss, _mm256_fmadd_ps, _mm256_load_ps, _mm256_loadu_ps, _mm256_mul_ps,
            _mm256_set1_ps, _mm256_setzero_ps, _mm256_storeu_ps,
        };
        let mut sums = [[_mm256_setzero_ps(); 2]; T];
        for (k, line) in strip.iter().enumerate() {
            // SAFETY: a line is sixteen numbers with 64-byte alignment; the caller guarantees the input.
            unsafe {
                let (low, high) = (_mm256_load_ps(line.0.as_ptr()), _mm256_load_ps(line.0.as_ptr().add(8)));
                for (t, [a, b]) in sums.iter_mut().enumerate() {
                    let x = _mm256_broadcast_ss(&*x.add(t * self.x_stride + k));
                    *a = _mm256_fmadd_ps(x, low, *a);
                    *b = _mm256_fmadd_ps(x, high, *b);
                }
            }
        }
        let scale = _mm256_set1_ps(self.scale);
        for (t, sums) in sums.into_iter().enumerate() {
            for (half, sum) in sums.into_iter().enumerate() {
                // SAFETY: the caller guarantees that it lies inside the output.
                unsafe {
                    let out = out.add(t * self.out_stride + 8 * half);
                    let sum = _mm256_mul_ps(sum, scale);
                    _mm256_storeu_ps(out, if self.add { _mm256_add_ps(sum, _mm256_loadu_ps(out)) } else { sum });
                }
            }
        }
    }
}

/// Transposes sixteen rows into lines: line `k` gets element `k` of each row. An empty row counts as zeros.
pub(crate) fn turn(rows: &[&[f32]; STRIP], lines: &mut [Strip]) {
    #[cfg(target_arch = "x86_64")]
    if crate::simd::has_avx2() && rows.iter().all(|row| row.len() == lines.len()) {
        // SAFETY: the feature was detected, and every row is as long as there are lines.
        return unsafe { turn_avx2(rows, lines) };
    }
    for (k, line) in lines.iter_mut().enumerate() {
        line.0 = rows.map(|row| row.get(k).copied().unwrap_or(0.0));
    }
}

/// [`turn`] in blocks of eight by eight.
///
/// # Safety
/// The machine must have AVX2, and every row must be as long as there are lines.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn turn_avx2(rows: &[&[f32]; STRIP], lines: &mut [Strip]) {
    use std::arch::x86_64::{
        _mm256_loadu_ps, _mm256_permute2f128_ps, _mm256_shuffle_ps, _mm256_store_ps, _mm256_unpackhi_ps,
        _mm256_unpacklo_ps,
    };
    let whole = lines.len() / 8 * 8;
    let start = lines.as_mut_ptr();
    for first in (0..whole).step_by(8) {
        for half in [0, 8] {
            // SAFETY: each row has eight numbers from `first` on, and there are eight lines.
            unsafe {
                let r: [_; 8] = std::array::from_fn(|i| _mm256_loadu_ps(rows[half + i].as_ptr().add(first)));
                let pair = |i: usize| (_mm256_unpacklo_ps(r[i], r[i + 1]), _mm256_unpackhi_ps(r[i], r[i + 1]));
                let ((a, b), (c, d), (e, f), (g, h)) = (pair(0), pair(2), pair(4), pair(6));
                let four = |x, y| (_mm256_shuffle_ps::<0x44>(x, y), _mm256_shuffle_ps::<0xee>(x, y));
                let ((p0, p1), (p2, p3)) = (four(a, c), four(b, d));
                let ((q0, q1), (q2, q3)) = (four(e, g), four(f, h));
                for (k, (p, q)) in [(p0, q0), (p1, q1), (p2, q2), (p3, q3)].into_iter().enumerate() {
                    let line = |k: usize| start.add(first + k).cast::<f32>().add(half);
                    _mm256_store_ps(line(k), _mm256_permute2f128_ps::<0x20>(p, q));
                    _mm256_store_ps(line(k + 4), _mm256_permute2f128_ps::<0x31>(p, q));
                }
            }
        }
    }
    for (k, line) in lines.iter_mut().enumerate().skip(whole) {
        line.0 = rows.map(|row| row[k]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matmul::tests::numbers;

    #[test]
    fn all_register_widths_give_the_same_sums() {
        for (tokens, cols, depth) in
            [(1_usize, 16_usize, 3_usize), (12, 32, 20), (13, 33, 7), (29, 17, 64), (40, 70, 33), (5, 1, 9), (3, 8, 0)]
        {
            let x = numbers(tokens * depth, 1);
            let strips: Vec<Strip> = numbers(cols.div_ceil(STRIP) * depth * STRIP, 2)
                .chunks(STRIP)
                .map(|line| Strip(line.try_into().unwrap()))
                .collect();
            for add in [false, true] {
                let tile = Tile { depth, x_stride: depth, out_stride: cols, scale: 0.5, add };
                let before = numbers(tokens * cols, 3);
                let (mut best, mut six, mut plain) = (before.clone(), before.clone(), before);
                // SAFETY: the outputs have `tokens` rows of `cols` numbers.
                unsafe {
                    tile.all(&strips, cols, &x, tokens, best.as_mut_ptr());
                    tile.all_by_six(&strips, cols, &x, tokens, six.as_mut_ptr());
                }
                for (t, row) in plain.chunks_mut(cols).enumerate() {
                    for (col, out) in row.iter_mut().enumerate() {
                        let line = |k: usize| strips[col / STRIP * depth + k].0[col % STRIP];
                        let sum: f32 = (0..depth).map(|k| x[t * depth + k] * line(k)).sum();
                        *out = 0.5 * sum + if add { *out } else { 0.0 };
                    }
                }
                let close = |a: &[f32], b: &[f32]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-4);
                assert!(close(&best, &plain) && close(&six, &plain), "{tokens} × {cols} × {depth}");
            }
        }
    }
}
