//! AVX2 kernels on rows in their storage type. Weights are unpacked from the file's bytes to registers. Inner products with a
//! few rows of f32 use them there, without a dequantized copy in memory; larger products dequantize blocks first.

use std::arch::x86_64::{
    __m128i, __m256, _mm_add_ps, _mm_add_ss, _mm_and_si128, _mm_cvtph_ps, _mm_cvtsi32_si128, _mm_cvtss_f32,
    _mm_loadu_si128, _mm_movehl_ps, _mm_or_si128, _mm_set1_epi8, _mm_shuffle_ps, _mm_slli_epi16, _mm_srli_epi16,
    _mm_srli_si128, _mm256_add_ps, _mm256_broadcastss_ps, _mm256_castps256_ps128, _mm256_cvtepi8_epi32,
    _mm256_cvtepi32_ps, _mm256_cvtepu8_epi32, _mm256_extractf128_ps, _mm256_fmadd_ps, _mm256_fmsub_ps, _mm256_loadu_ps,
    _mm256_mul_ps, _mm256_set1_ps, _mm256_setzero_ps, _mm256_storeu_ps, _mm256_sub_ps,
};

use crate::{Dtype, dequant::scale_min, quantized::Tail};

/// Whether [`dot`] has a kernel for this type on this machine.
pub(crate) fn handles(dtype: Dtype) -> bool {
    matches!(dtype, Dtype::Q4_0 | Dtype::Q4_1 | Dtype::Q8_0 | Dtype::Q4K | Dtype::Q6K)
        && crate::simd::has_avx2()
        && std::arch::is_x86_feature_detected!("f16c")
}

/// Whether [`dot_plain`] can be used for rows of `cols` numbers on this machine.
pub(crate) fn handles_plain(cols: usize) -> bool {
    cols > 0 && cols.is_multiple_of(32) && handles(Dtype::Q8_0)
}

/// Inner products of stored rows of `cols` numbers with each row of `x (tokens, cols)`, plus optional tails:
/// `out (rows, tokens)`.
///
/// # Panics
/// When the lengths don't match.
///
/// # Safety
/// [`handles`] must have returned true for this type.
#[target_feature(enable = "avx2,fma,f16c")]
pub(crate) unsafe fn dot(
    dtype: Dtype,
    bytes: &[u8],
    x: &[f32],
    cols: usize,
    tails: &[Option<Tail<'_>>],
    out: &mut [f32],
) {
    let size = dtype.row_bytes(cols).unwrap_or(0);
    assert!(cols > 0 && x.len().is_multiple_of(cols) && size > 0, "the input is not made of rows");
    assert_eq!(out.len() * size * cols, bytes.len() * x.len(), "rows, input and output differ in length");
    let rows = Rows { bytes, size, block: dtype.block_bytes(), cols, tails };
    // SAFETY: the CPU features exist; every block that is read has the bytes of its type.
    unsafe {
        match dtype {
            Dtype::Q4_0 => groups::<1>(|block, _| q4_0(block), rows, x, out),
            Dtype::Q4_1 => groups::<1>(|block, _| q4_1(block), rows, x, out),
            Dtype::Q4K => groups::<8>(|block, part| q4k(block, part), rows, x, out),
            Dtype::Q6K => groups::<8>(|block, part| q6k(block, part), rows, x, out),
            _ => groups::<1>(|block, _| q8_0(block), rows, x, out),
        }
    }
}

/// [`dot`] for plain numbers.
///
/// # Panics
/// When the lengths don't match.
///
/// # Safety
/// [`handles_plain`] must have returned true for `cols`.
#[target_feature(enable = "avx2,fma,f16c")]
pub(crate) unsafe fn dot_plain(numbers: &[f32], x: &[f32], cols: usize, tails: &[Option<Tail<'_>>], out: &mut [f32]) {
    assert!(cols.is_multiple_of(32) && x.len().is_multiple_of(cols), "the input is not made of rows");
    assert_eq!(out.len() * cols * cols, numbers.len() * x.len(), "rows, input and output differ in length");
    // SAFETY: numbers have four bytes; the CPU features were checked, and a block is 32 numbers.
    unsafe {
        let bytes = std::slice::from_raw_parts(numbers.as_ptr().cast::<u8>(), size_of_val(numbers));
        let rows = Rows { bytes, size: 4 * cols, block: 128, cols, tails };
        groups::<1>(|block, _| plain(block), rows, x, out);
    }
}

/// Dequantizes whole blocks to f32.
///
/// # Panics
/// When `bytes` is not exactly the storage of `out.len()` values.
///
/// # Safety
/// [`handles`] must have returned true for this type.
#[target_feature(enable = "avx2,fma,f16c")]
pub(crate) unsafe fn dequantize(dtype: Dtype, bytes: &[u8], out: &mut [f32]) {
    assert_eq!(dtype.row_bytes(out.len()), Some(bytes.len()), "{dtype:?}: {} values", out.len());
    // SAFETY: the CPU features exist; every block that is read has the bytes of its type.
    unsafe {
        match dtype {
            Dtype::Q4_0 => each_block::<18, 1>(|block, _| q4_0(block), bytes, out),
            Dtype::Q4_1 => each_block::<20, 1>(|block, _| q4_1(block), bytes, out),
            Dtype::Q4K => each_block::<144, 8>(|block, part| q4k(block, part), bytes, out),
            Dtype::Q6K => each_block::<210, 8>(|block, part| q6k(block, part), bytes, out),
            _ => each_block::<34, 1>(|block, _| q8_0(block), bytes, out),
        }
    }
}

/// [`dequantize`] for blocks of `B` bytes and `P` parts of 32 values.
///
/// # Safety
/// `unpack` must be allowed to read a block at the address it gets.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn each_block<const B: usize, const P: usize>(
    unpack: impl Fn(*const u8, usize) -> [__m256; 4],
    bytes: &[u8],
    out: &mut [f32],
) {
    for (block, out) in bytes.as_chunks::<B>().0.iter().zip(out.chunks_exact_mut(32 * P)) {
        for (part, out) in out.as_chunks_mut::<32>().0.iter_mut().enumerate() {
            for (values, out) in unpack(block.as_ptr(), part).into_iter().zip(out.as_chunks_mut::<8>().0) {
                // SAFETY: eight numbers fit there.
                unsafe { _mm256_storeu_ps(out.as_mut_ptr(), values) };
            }
        }
    }
}

/// Stored rows of `cols` numbers in `size` bytes each, made of blocks of `block` bytes.
#[derive(Clone, Copy)]
struct Rows<'b> {
    bytes: &'b [u8],
    size: usize,
    block: usize,
    cols: usize,
    tails: &'b [Option<Tail<'b>>],
}

/// [`dot`] for up to eight rows of `x` at a time: more would not fit in the registers. An addition has a latency of several
/// cycles, so fewer rows use more partial sums each.
///
/// # Safety
/// As [`dot`]; `unpack` must be allowed to read a block at the address it gets.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn groups<const P: usize>(
    unpack: impl Fn(*const u8, usize) -> [__m256; 4] + Copy,
    rows: Rows<'_>,
    x: &[f32],
    out: &mut [f32],
) {
    let tokens = x.len() / rows.cols;
    for first in (0..tokens).step_by(8) {
        let now = (tokens - first).min(8);
        let x = &x[first * rows.cols..(first + now) * rows.cols];
        let out = Columns { out: &mut *out, first, stride: tokens };
        let rows = Rows { tails: rows.tails.get(first..first + now).unwrap_or_default(), ..rows };
        // SAFETY: `x` holds `now` rows of `cols` numbers, as many as the stored rows hold.
        unsafe {
            match now {
                1 => some::<P, 1, 4>(unpack, rows, x, out),
                2 => some::<P, 2, 4>(unpack, rows, x, out),
                3 => some::<P, 3, 2>(unpack, rows, x, out),
                4 => some::<P, 4, 2>(unpack, rows, x, out),
                5 => some::<P, 5, 1>(unpack, rows, x, out),
                6 => some::<P, 6, 1>(unpack, rows, x, out),
                7 => some::<P, 7, 1>(unpack, rows, x, out),
                _ => some::<P, 8, 1>(unpack, rows, x, out),
            }
        }
    }
}

/// The output: from column `first` on, in rows of `stride` numbers.
struct Columns<'o> {
    out: &'o mut [f32],
    first: usize,
    stride: usize,
}

/// [`dot`] for blocks of `P` parts and `T` rows of `x`, with `S` partial sums each.
///
/// # Safety
/// As [`groups`]; `x` holds `T` rows of `cols` numbers.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn some<const P: usize, const T: usize, const S: usize>(
    unpack: impl Fn(*const u8, usize) -> [__m256; 4],
    rows: Rows<'_>,
    x: &[f32],
    to: Columns<'_>,
) {
    for (place, (row, out)) in rows.bytes.chunks_exact(rows.size).zip(to.out.chunks_exact_mut(to.stride)).enumerate() {
        let mut sums = [[_mm256_setzero_ps(); S]; T];
        for (index, block) in row.chunks_exact(rows.block).enumerate() {
            for part in 0..P {
                let values = unpack(block.as_ptr(), part);
                let first = 32 * (index * P + part);
                for (t, sums) in sums.iter_mut().enumerate() {
                    for (eight, values) in values.iter().enumerate() {
                        // SAFETY: this part of the block covers columns `first..first + 32` of row `t`.
                        let x = unsafe { _mm256_loadu_ps(x.as_ptr().add(t * rows.cols + first + 8 * eight)) };
                        sums[eight % S] = _mm256_fmadd_ps(*values, x, sums[eight % S]);
                    }
                }
            }
        }
        let mut rests = [0.0; T];
        for ((sums, rest), tail) in sums.iter_mut().zip(&mut rests).zip(rows.tails) {
            if let Some(tail) = tail {
                (sums[0], *rest) = with_tail(sums[0], tail.row(place), tail.input);
            }
        }
        for ((out, sums), rest) in out[to.first..].iter_mut().zip(sums).zip(rests) {
            *out = rest + total(sums.into_iter().fold(_mm256_setzero_ps(), |a, b| _mm256_add_ps(a, b)));
        }
    }
}

/// Partial sums of a tail's inner product; the numbers that don't fill a register are summed separately.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn with_tail(mut sums: __m256, row: &[f32], input: &[f32]) -> (__m256, f32) {
    let ((row, rest), (input, end)) = (row.as_chunks::<8>(), input.as_chunks::<8>());
    for (row, input) in row.iter().zip(input) {
        // SAFETY: eight numbers exist there.
        let (row, input) = unsafe { (_mm256_loadu_ps(row.as_ptr()), _mm256_loadu_ps(input.as_ptr())) };
        sums = _mm256_fmadd_ps(row, input, sums);
    }
    (sums, rest.iter().zip(end).map(|(a, b)| a * b).sum())
}

/// Thirty-two plain numbers.
#[target_feature(enable = "avx2")]
unsafe fn plain(block: *const u8) -> [__m256; 4] {
    // SAFETY: the caller guarantees 128 bytes there.
    [0, 8, 16, 24].map(|first| unsafe { _mm256_loadu_ps(block.cast::<f32>().add(first)) })
}

/// The sum of eight lanes.
#[target_feature(enable = "avx2")]
fn total(v: __m256) -> f32 {
    let v = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps::<1>(v));
    let v = _mm_add_ps(v, _mm_movehl_ps(v, v));
    _mm_cvtss_f32(_mm_add_ss(v, _mm_shuffle_ps::<1>(v, v)))
}

/// Unpacks sixteen bytes into nibbles: the low ones, then the high ones.
#[target_feature(enable = "avx2")]
unsafe fn nibbles(from: *const u8) -> (__m128i, __m128i) {
    // SAFETY: the caller guarantees 16 bytes there.
    let packed = unsafe { _mm_loadu_si128(from.cast()) };
    let mask = _mm_set1_epi8(0xf);
    (_mm_and_si128(packed, mask), _mm_and_si128(_mm_srli_epi16::<4>(packed), mask))
}

/// Sixteen unsigned bytes as two times eight numbers.
#[target_feature(enable = "avx2")]
fn unsigned(bytes: __m128i) -> [__m256; 2] {
    let high = _mm_srli_si128::<8>(bytes);
    [_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(bytes)), _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(high))]
}

/// Two half-precision numbers, each in all lanes.
#[target_feature(enable = "avx2,f16c")]
unsafe fn halves(from: *const u8) -> (__m256, __m256) {
    // SAFETY: the caller guarantees four bytes there.
    let both = _mm_cvtph_ps(_mm_cvtsi32_si128(unsafe { from.cast::<i32>().read_unaligned() }));
    let second = _mm_shuffle_ps::<1>(both, both);
    (_mm256_broadcastss_ps(both), _mm256_broadcastss_ps(second))
}

#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn q4_1(block: *const u8) -> [__m256; 4] {
    // SAFETY: the caller guarantees a block of 20 bytes there.
    let ((scale, min), (low, high)) = unsafe { (halves(block), nibbles(block.add(4))) };
    let ([a, b], [c, d]) = (unsigned(low), unsigned(high));
    [a, b, c, d].map(|q| _mm256_fmadd_ps(q, scale, min))
}

#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn q4_0(block: *const u8) -> [__m256; 4] {
    // SAFETY: the caller guarantees a block of 18 bytes there.
    let ((scale, _), (low, high)) = unsafe { (halves(block), nibbles(block.add(2))) };
    let (eight, [a, b], [c, d]) = (_mm256_set1_ps(8.0), unsigned(low), unsigned(high));
    [a, b, c, d].map(|q| _mm256_mul_ps(_mm256_sub_ps(q, eight), scale))
}

#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn q8_0(block: *const u8) -> [__m256; 4] {
    // SAFETY: the caller guarantees a block of 34 bytes there.
    let (scale, low, high) = unsafe {
        let (scale, _) = halves(block);
        (scale, _mm_loadu_si128(block.add(2).cast()), _mm_loadu_si128(block.add(18).cast()))
    };
    let signed = |bytes: __m128i| _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes));
    let parts = [low, _mm_srli_si128::<8>(low), high, _mm_srli_si128::<8>(high)];
    parts.map(|bytes| _mm256_mul_ps(signed(bytes), scale))
}

/// Values `32·part..32·part + 32` of a block of 256: nibbles of 32 bytes, low ones for even parts, and a scale and a
/// minimum of 6 bits.
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn q4k(block: *const u8, part: usize) -> [__m256; 4] {
    // SAFETY: the caller guarantees a block of 144 bytes there.
    let ((d, dmin), packed, (low, high)) = unsafe {
        let packed = std::slice::from_raw_parts(block.add(4), 12);
        let at = block.add(16 + 32 * (part / 2));
        (halves(block), packed, (_mm_loadu_si128(at.cast()), _mm_loadu_si128(at.add(16).cast())))
    };
    let (scale, min) = scale_min(packed, part);
    let (scale, min) = (_mm256_mul_ps(d, _mm256_set1_ps(scale)), _mm256_mul_ps(dmin, _mm256_set1_ps(min)));
    let mask = _mm_set1_epi8(0xf);
    let nibbles = |bytes: __m128i| {
        let bytes = if part.is_multiple_of(2) { bytes } else { _mm_srli_epi16::<4>(bytes) };
        unsigned(_mm_and_si128(bytes, mask))
    };
    let ([a, b], [c, d]) = (nibbles(low), nibbles(high));
    [a, b, c, d].map(|q| _mm256_fmsub_ps(q, scale, min))
}

/// Values `32·part..32·part + 32` of a block of 256: four low bits, two high bits, a scale for each sixteen.
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn q6k(block: *const u8, part: usize) -> [__m256; 4] {
    let (half, quarter) = (part / 4, part % 4);
    // SAFETY: the caller guarantees a block of 210 bytes there.
    let (low, high, scales, (d, _)) = unsafe {
        let low = block.add(64 * half + 32 * (quarter % 2));
        let high = block.add(128 + 32 * half);
        let two = |at: *const u8| [_mm_loadu_si128(at.cast()), _mm_loadu_si128(at.add(16).cast())];
        let scales = block.add(192 + 8 * half + 2 * quarter).cast::<[i8; 2]>().read();
        // These are the last two bytes of the block; the bytes after them must not be read.
        let d = i32::from(block.add(208).cast::<u16>().read_unaligned());
        (two(low), two(high), scales, halves((&raw const d).cast()))
    };
    let (four, two, middle) = (_mm_set1_epi8(0xf), _mm_set1_epi8(3), _mm256_set1_ps(32.0));
    let sixteen = |i: usize| {
        let low = if quarter < 2 { low[i] } else { _mm_srli_epi16::<4>(low[i]) };
        let high = match quarter {
            0 => high[i],
            1 => _mm_srli_epi16::<2>(high[i]),
            2 => _mm_srli_epi16::<4>(high[i]),
            _ => _mm_srli_epi16::<6>(high[i]),
        };
        let bits = _mm_or_si128(_mm_and_si128(low, four), _mm_slli_epi16::<4>(_mm_and_si128(high, two)));
        let scale = _mm256_mul_ps(d, _mm256_set1_ps(f32::from(scales[i])));
        unsigned(bits).map(|q| _mm256_mul_ps(_mm256_sub_ps(q, middle), scale))
    };
    let ([a, b], [c, d]) = (sixteen(0), sixteen(1));
    [a, b, c, d]
}
