//! Packing of stored weights: blocks of 32 numbers are dequantized in registers, with the arithmetic of
//! [`dequantize`](crate::dequantize), and rounded there. No copy in f32 is written.

use std::arch::x86_64::{
    __m128i, __m256i, __m512, __m512i, _mm_loadu_si128, _mm256_loadu_si256, _mm256_set1_epi16, _mm512_and_si512,
    _mm512_castsi512_ps, _mm512_cvtepi8_epi32, _mm512_cvtepi32_ps, _mm512_cvtepu8_epi32, _mm512_cvtepu16_epi32,
    _mm512_cvtph_ps, _mm512_fmadd_ps, _mm512_mul_ps, _mm512_permutexvar_epi16, _mm512_set1_epi32, _mm512_set1_ps,
    _mm512_setzero_ps, _mm512_setzero_si512, _mm512_slli_epi32, _mm512_srli_epi32, _mm512_sub_ps,
};

use super::{
    DEPTH, SIDE, Tile,
    pack::fast::{interleave, round, store, transpose},
};
use crate::Dtype;

/// Whether rows of `cols` numbers of this type are packed by [`turned`] and [`straight`].
pub(super) fn handles(dtype: Dtype, cols: usize) -> bool {
    match dtype {
        Dtype::Q4_0 | Dtype::Q4_1 | Dtype::Q8_0 => true,
        Dtype::F16 | Dtype::BF16 => cols.is_multiple_of(DEPTH),
        _ => false,
    }
}

/// [`turned`](super::turned) of stored rows.
///
/// # Panics
/// If [`handles`] returns false for the type, or a row is shorter than the tiles.
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
pub(super) fn turned(dtype: Dtype, lines: &[&[u8]], tiles: &mut [Tile]) {
    match dtype {
        Dtype::Q4_0 => turned_by::<18>(|block| q4_0(block), lines, tiles),
        Dtype::Q4_1 => turned_by::<20>(|block| q4_1(block), lines, tiles),
        Dtype::Q8_0 => turned_by::<34>(|block| q8_0(block), lines, tiles),
        Dtype::F16 => turned_by::<64>(|block| f16(block), lines, tiles),
        Dtype::BF16 => turned_by::<64>(|block| bf16(block), lines, tiles),
        _ => unreachable!("{dtype:?} is dequantized first"),
    }
}

/// [`straight`](super::straight) of stored rows.
///
/// # Panics
/// If [`handles`] returns false for the type.
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
pub(super) fn straight(dtype: Dtype, lines: [&[u8]; 2], pair: usize, depth: usize, tiles: &mut [Tile]) {
    match dtype {
        Dtype::Q4_0 => straight_by::<18>(|block| q4_0(block), lines, pair, depth, tiles),
        Dtype::Q4_1 => straight_by::<20>(|block| q4_1(block), lines, pair, depth, tiles),
        Dtype::Q8_0 => straight_by::<34>(|block| q8_0(block), lines, pair, depth, tiles),
        Dtype::F16 => straight_by::<64>(|block| f16(block), lines, pair, depth, tiles),
        Dtype::BF16 => straight_by::<64>(|block| bf16(block), lines, pair, depth, tiles),
        _ => unreachable!("{dtype:?} is dequantized first"),
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
fn turned_by<const B: usize>(unpack: impl Fn(&[u8; B]) -> [__m512; 2], lines: &[&[u8]], tiles: &mut [Tile]) {
    let mut blocks = [&[][..]; SIDE];
    for (blocks, line) in blocks.iter_mut().zip(lines) {
        *blocks = &line.as_chunks::<B>().0[..tiles.len()];
    }
    for (k, tile) in tiles.iter_mut().enumerate() {
        let mut pairs = [_mm512_setzero_si512(); SIDE];
        for (pairs, blocks) in pairs.iter_mut().zip(&blocks[..lines.len()]) {
            let [low, high] = unpack(&blocks[k]);
            *pairs = round(low, high);
        }
        for (line, pairs) in transpose(pairs).into_iter().enumerate() {
            store(tile, line, pairs);
        }
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
fn straight_by<const B: usize>(
    unpack: impl Fn(&[u8; B]) -> [__m512; 2],
    lines: [&[u8]; 2],
    pair: usize,
    depth: usize,
    tiles: &mut [Tile],
) {
    let order = interleave();
    let [even, odd] = lines.map(|line| line.as_chunks::<B>().0);
    for (k, strips) in tiles.chunks_exact_mut(2 * depth).enumerate() {
        let of = |blocks: &[[u8; B]]| blocks.get(k).map_or([_mm512_setzero_ps(); 2], &unpack);
        let ([even, even_high], [odd, odd_high]) = (of(even), of(odd));
        store(&mut strips[pair / SIDE], pair % SIDE, _mm512_permutexvar_epi16(order, round(even, odd)));
        let high = _mm512_permutexvar_epi16(order, round(even_high, odd_high));
        store(&mut strips[depth + pair / SIDE], pair % SIDE, high);
    }
}

/// A half-precision number in all lanes.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn half(bytes: [u8; 2]) -> __m512 {
    _mm512_cvtph_ps(_mm256_set1_epi16(i16::from_le_bytes(bytes)))
}

#[inline]
#[target_feature(enable = "avx512f")]
fn bytes(from: &[u8; 16]) -> __m128i {
    // SAFETY: sixteen bytes exist there.
    unsafe { _mm_loadu_si128(from.as_ptr().cast()) }
}

/// Sixteen 16-bit words of a half of a block.
#[inline]
#[target_feature(enable = "avx512f")]
fn words(block: &[u8; 64], half: usize) -> __m256i {
    // SAFETY: half of the block is 32 bytes.
    unsafe { _mm256_loadu_si256(block[32 * half..][..32].as_ptr().cast()) }
}

/// The low and the high nibbles of sixteen bytes.
#[inline]
#[target_feature(enable = "avx512f")]
fn nibbles(from: &[u8; 16]) -> [__m512; 2] {
    let all = _mm512_cvtepu8_epi32(bytes(from));
    let low = _mm512_and_si512(all, _mm512_set1_epi32(0xf));
    [_mm512_cvtepi32_ps(low), _mm512_cvtepi32_ps(_mm512_srli_epi32::<4>(all))]
}

/// Part of a block as an array.
#[inline(always)]
fn part<const N: usize>(block: &[u8], at: usize) -> &[u8; N] {
    block[at..].first_chunk().unwrap_or(&[0; N])
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn q4_1(block: &[u8; 20]) -> [__m512; 2] {
    let (scale, min) = (half(*part(block, 0)), half(*part(block, 2)));
    let [low, high] = nibbles(part(block, 4));
    [_mm512_fmadd_ps(low, scale, min), _mm512_fmadd_ps(high, scale, min)]
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn q4_0(block: &[u8; 18]) -> [__m512; 2] {
    let (scale, eight) = (half(*part(block, 0)), _mm512_set1_ps(8.0));
    let [low, high] = nibbles(part(block, 2));
    [_mm512_mul_ps(_mm512_sub_ps(low, eight), scale), _mm512_mul_ps(_mm512_sub_ps(high, eight), scale)]
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn q8_0(block: &[u8; 34]) -> [__m512; 2] {
    let scale = half(*part(block, 0));
    let (low, high) = (_mm512_cvtepi8_epi32(bytes(part(block, 2))), _mm512_cvtepi8_epi32(bytes(part(block, 18))));
    [_mm512_mul_ps(_mm512_cvtepi32_ps(low), scale), _mm512_mul_ps(_mm512_cvtepi32_ps(high), scale)]
}

#[inline]
#[target_feature(enable = "avx512f")]
fn f16(block: &[u8; 64]) -> [__m512; 2] {
    [_mm512_cvtph_ps(words(block, 0)), _mm512_cvtph_ps(words(block, 1))]
}

#[inline]
#[target_feature(enable = "avx512f")]
fn bf16(block: &[u8; 64]) -> [__m512; 2] {
    let wide = |words: __m256i| -> __m512i { _mm512_slli_epi32::<16>(_mm512_cvtepu16_epi32(words)) };
    [_mm512_castsi512_ps(wide(words(block, 0))), _mm512_castsi512_ps(wide(words(block, 1)))]
}
