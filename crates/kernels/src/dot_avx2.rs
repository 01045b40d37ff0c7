//! Inner products of stored rows with a few rows of f32, for AVX2: weights go from their file's bits to a register
//! and are used there, so decoding runs at the speed of reading the file.

use std::arch::x86_64::{
    __m128i, __m256, _mm_add_ps, _mm_add_ss, _mm_and_si128, _mm_cvtph_ps, _mm_cvtsi32_si128, _mm_cvtss_f32,
    _mm_loadu_si128, _mm_movehl_ps, _mm_set1_epi8, _mm_shuffle_ps, _mm_srli_epi16, _mm_srli_si128,
    _mm256_broadcastss_ps, _mm256_castps256_ps128, _mm256_cvtepi8_epi32, _mm256_cvtepi32_ps, _mm256_cvtepu8_epi32,
    _mm256_extractf128_ps, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_mul_ps, _mm256_set1_ps, _mm256_setzero_ps,
    _mm256_sub_ps,
};

use crate::Dtype;

/// Whether [`dot`] has a kernel for this type on this machine.
pub(crate) fn handles(dtype: Dtype) -> bool {
    matches!(dtype, Dtype::Q4_0 | Dtype::Q4_1 | Dtype::Q8_0)
        && crate::simd::has_avx2()
        && std::arch::is_x86_feature_detected!("f16c")
}

/// Inner products of one stored row with each row of `x (out.len(), cols)`.
///
/// # Panics
/// Where lengths don't belong together.
///
/// # Safety
/// [`handles`] must have said yes.
#[target_feature(enable = "avx2,fma,f16c")]
pub(crate) unsafe fn dot(dtype: Dtype, bytes: &[u8], x: &[f32], out: &mut [f32]) {
    let cols = x.len() / out.len();
    assert_eq!(dtype.row_bytes(cols), Some(bytes.len()), "row and input differ in length");
    let mut x = x;
    for group in out.chunks_mut(4) {
        let (now, rest) = x.split_at(group.len() * cols);
        x = rest;
        // SAFETY: `now` holds `group.len()` rows of `cols` numbers, which `bytes` holds too.
        unsafe {
            match group.len() {
                1 => some::<1>(dtype, bytes, now, cols, group),
                2 => some::<2>(dtype, bytes, now, cols, group),
                3 => some::<3>(dtype, bytes, now, cols, group),
                _ => some::<4>(dtype, bytes, now, cols, group),
            }
        }
    }
}

/// [`dot`] for `T` rows of `x`.
///
/// # Safety
/// As [`dot`]; `x` holds `T` rows of `cols` numbers, `bytes` one stored row of `cols`.
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn some<const T: usize>(dtype: Dtype, bytes: &[u8], x: &[f32], cols: usize, out: &mut [f32]) {
    let mut sums = [[_mm256_setzero_ps(); 2]; T];
    for (index, block) in bytes.chunks_exact(dtype.block_bytes()).enumerate() {
        // SAFETY: `block` has the bytes of its type.
        let values = unsafe {
            match dtype {
                Dtype::Q4_0 => q4_0(block.as_ptr()),
                Dtype::Q4_1 => q4_1(block.as_ptr()),
                _ => q8_0(block.as_ptr()),
            }
        };
        for (t, sum) in sums.iter_mut().enumerate() {
            // SAFETY: block `index` covers columns `32·index..32·index + 32` of row `t`.
            unsafe {
                let x = x.as_ptr().add(t * cols + 32 * index);
                sum[0] = _mm256_fmadd_ps(values[0], _mm256_loadu_ps(x), sum[0]);
                sum[1] = _mm256_fmadd_ps(values[1], _mm256_loadu_ps(x.add(8)), sum[1]);
                sum[0] = _mm256_fmadd_ps(values[2], _mm256_loadu_ps(x.add(16)), sum[0]);
                sum[1] = _mm256_fmadd_ps(values[3], _mm256_loadu_ps(x.add(24)), sum[1]);
            }
        }
    }
    for (out, [a, b]) in out.iter_mut().zip(sums) {
        *out = total(a) + total(b);
    }
}

/// The sum of eight lanes.
#[target_feature(enable = "avx2")]
fn total(v: __m256) -> f32 {
    let v = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps::<1>(v));
    let v = _mm_add_ps(v, _mm_movehl_ps(v, v));
    _mm_cvtss_f32(_mm_add_ss(v, _mm_shuffle_ps::<1>(v, v)))
}

/// Sixteen bytes of nibbles: the low ones, then the high ones.
#[target_feature(enable = "avx2")]
unsafe fn nibbles(from: *const u8) -> (__m128i, __m128i) {
    // SAFETY: the caller has 16 bytes there.
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
    // SAFETY: the caller has four bytes there.
    let both = _mm_cvtph_ps(_mm_cvtsi32_si128(unsafe { from.cast::<i32>().read_unaligned() }));
    let second = _mm_shuffle_ps::<1>(both, both);
    (_mm256_broadcastss_ps(both), _mm256_broadcastss_ps(second))
}

#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn q4_1(block: *const u8) -> [__m256; 4] {
    // SAFETY: the caller has a block of 20 bytes there.
    let ((scale, min), (low, high)) = unsafe { (halves(block), nibbles(block.add(4))) };
    let ([a, b], [c, d]) = (unsigned(low), unsigned(high));
    [a, b, c, d].map(|q| _mm256_fmadd_ps(q, scale, min))
}

#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn q4_0(block: *const u8) -> [__m256; 4] {
    // SAFETY: the caller has a block of 18 bytes there.
    let ((scale, _), (low, high)) = unsafe { (halves(block), nibbles(block.add(2))) };
    let (eight, [a, b], [c, d]) = (_mm256_set1_ps(8.0), unsigned(low), unsigned(high));
    [a, b, c, d].map(|q| _mm256_mul_ps(_mm256_sub_ps(q, eight), scale))
}

#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn q8_0(block: *const u8) -> [__m256; 4] {
    // SAFETY: the caller has a block of 34 bytes there.
    let (scale, low, high) = unsafe {
        let (scale, _) = halves(block);
        (scale, _mm_loadu_si128(block.add(2).cast()), _mm_loadu_si128(block.add(18).cast()))
    };
    let signed = |bytes: __m128i| _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes));
    let parts = [low, _mm_srli_si128::<8>(low), high, _mm_srli_si128::<8>(high)];
    parts.map(|bytes| _mm256_mul_ps(signed(bytes), scale))
}
