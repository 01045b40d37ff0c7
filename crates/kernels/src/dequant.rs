//! Dequantization of stored tensors to f32, with the arithmetic of ggml's reference (`dequantize_row_*` in ggml-quants.c).

use crate::Dtype;

/// Dequantizes whole blocks to f32.
///
/// Inlined into its callers so that it is compiled with their target features.
///
/// # Panics
/// When `bytes` is not exactly the storage of `out.len()` values.
#[inline(always)]
pub(crate) fn dequantize(dtype: Dtype, bytes: &[u8], out: &mut [f32]) {
    assert_eq!(dtype.row_bytes(out.len()), Some(bytes.len()), "{dtype:?}: {} values", out.len());
    match dtype {
        Dtype::F32 => blocks(bytes, out, |b: &[u8; 4], y: &mut [f32; 1]| y[0] = f32::from_le_bytes(*b)),
        Dtype::F16 => blocks(bytes, out, |b: &[u8; 2], y: &mut [f32; 1]| y[0] = f16(b[0], b[1])),
        Dtype::BF16 => {
            blocks(bytes, out, |b: &[u8; 2], y: &mut [f32; 1]| y[0] = f32::from_le_bytes([0, 0, b[0], b[1]]))
        }
        Dtype::Q4_0 => blocks(bytes, out, q4_0),
        Dtype::Q4_1 => blocks(bytes, out, q4_1),
        Dtype::Q8_0 => blocks(bytes, out, q8_0),
        Dtype::Q4K => blocks(bytes, out, q4k),
        Dtype::Q5K => blocks(bytes, out, q5k),
        Dtype::Q6K => blocks(bytes, out, q6k),
        Dtype::Q5_0 => blocks(bytes, out, q5_0),
        Dtype::Q5_1 => blocks(bytes, out, q5_1),
        Dtype::Q2K => blocks(bytes, out, q2k),
        Dtype::Q3K => blocks(bytes, out, q3k),
        Dtype::Iq4Nl => blocks(bytes, out, iq4_nl),
        Dtype::Iq4Xs => blocks(bytes, out, iq4_xs),
        Dtype::Mxfp4 => blocks(bytes, out, mxfp4),
    }
}

/// Applies `unpack` to each block of `B` bytes and `N` values.
#[inline(always)]
fn blocks<const B: usize, const N: usize>(bytes: &[u8], out: &mut [f32], unpack: impl Fn(&[u8; B], &mut [f32; N])) {
    let (bytes, _) = bytes.as_chunks::<B>();
    let (out, _) = out.as_chunks_mut::<N>();
    for (block, values) in bytes.iter().zip(out) {
        unpack(block, values);
    }
}

/// Converts half to single precision exactly. Without branches, so that loops over it vectorise.
#[inline(always)]
fn f16(low: u8, high: u8) -> f32 {
    let half = u32::from(u16::from_le_bytes([low, high]));
    let (sign, magnitude) = ((half & 0x8000) << 16, half & 0x7fff);
    let normal = (magnitude << 13) + (112 << 23);
    // A subnormal is a multiple of 2^-24, which is the spacing of f32 just above 0.5: set its bits in 0.5, subtract 0.5.
    let subnormal = (f32::from_bits(0x3f00_0000 | magnitude) - 0.5).to_bits();
    let finite = if magnitude < 0x0400 { subnormal } else { normal };
    f32::from_bits(sign | if magnitude >= 0x7c00 { normal + (112 << 23) } else { finite })
}

#[inline(always)]
fn q4_0(block: &[u8; 18], y: &mut [f32; 32]) {
    let scale = f16(block[0], block[1]);
    for (i, q) in block[2..].iter().enumerate() {
        y[i] = (i32::from(q & 0xf) - 8) as f32 * scale;
        y[i + 16] = (i32::from(q >> 4) - 8) as f32 * scale;
    }
}

#[inline(always)]
fn q4_1(block: &[u8; 20], y: &mut [f32; 32]) {
    let (scale, min) = (f16(block[0], block[1]), f16(block[2], block[3]));
    for (i, q) in block[4..].iter().enumerate() {
        y[i] = f32::from(q & 0xf) * scale + min;
        y[i + 16] = f32::from(q >> 4) * scale + min;
    }
}

/// Value `i` of 32 5-bit values, as (low 4 bits, fifth bit): the low bits are in sixteen bytes, the fifth bits in the
/// four bytes before.
#[inline(always)]
fn five_bits(packed: &[u8], i: usize) -> (u8, u8) {
    let fifth = |i: usize| (packed[i / 8] >> (i % 8) & 1) << 4;
    let low = packed[4 + i];
    (low & 0xf | fifth(i), low >> 4 | fifth(i + 16))
}

#[inline(always)]
fn q5_0(block: &[u8; 22], y: &mut [f32; 32]) {
    let scale = f16(block[0], block[1]);
    for i in 0..16 {
        let (low, high) = five_bits(&block[2..], i);
        y[i] = (i32::from(low) - 16) as f32 * scale;
        y[i + 16] = (i32::from(high) - 16) as f32 * scale;
    }
}

#[inline(always)]
fn q5_1(block: &[u8; 24], y: &mut [f32; 32]) {
    let (scale, min) = (f16(block[0], block[1]), f16(block[2], block[3]));
    for i in 0..16 {
        let (low, high) = five_bits(&block[4..], i);
        y[i] = f32::from(low) * scale + min;
        y[i + 16] = f32::from(high) * scale + min;
    }
}

/// ggml's table `kvalues_iq4nl`.
const UNEVEN: [i8; 16] = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];
/// The values of a float with 2 exponent bits and 1 mantissa bit, times two.
const E2M1: [i8; 16] = [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12];

/// Sixteen bytes with two table indices each: the values of the low nibbles come first.
#[inline(always)]
fn steps(steps: &[i8; 16], scale: f32, packed: &[u8], y: &mut [f32]) {
    for (i, q) in packed.iter().enumerate().take(16) {
        y[i] = scale * f32::from(steps[usize::from(q & 0xf)]);
        y[i + 16] = scale * f32::from(steps[usize::from(q >> 4)]);
    }
}

#[inline(always)]
fn iq4_nl(block: &[u8; 18], y: &mut [f32; 32]) {
    steps(&UNEVEN, f16(block[0], block[1]), &block[2..], y);
}

#[inline(always)]
fn iq4_xs(block: &[u8; 136], y: &mut [f32; 256]) {
    let d = f16(block[0], block[1]);
    let high = u16::from_le_bytes([block[2], block[3]]);
    for (i, (q, y)) in block[8..].as_chunks::<16>().0.iter().zip(y.as_chunks_mut::<32>().0).enumerate() {
        let low = block[4 + i / 2] >> (4 * (i % 2)) & 0xf;
        let scale = i32::from(low) | i32::from(high >> (2 * i) & 3) << 4;
        steps(&UNEVEN, d * (scale - 32) as f32, q, y);
    }
}

#[inline(always)]
fn mxfp4(block: &[u8; 17], y: &mut [f32; 32]) {
    // Half of 2^(e − 127), because the values are doubled.
    let e = u32::from(block[0]);
    let scale = f32::from_bits(if e < 2 { 0x0020_0000 << e } else { (e - 1) << 23 });
    steps(&E2M1, scale, &block[1..], y);
}

#[inline(always)]
fn q2k(block: &[u8; 84], y: &mut [f32; 256]) {
    let (d, dmin) = (f16(block[80], block[81]), f16(block[82], block[83]));
    for (i, y) in y.as_chunks_mut::<16>().0.iter_mut().enumerate() {
        // Half a block is 32 bytes with 2 bits of each quarter; a sub-block is half a quarter.
        let (half, quarter, part) = (i / 8, i / 2 % 4, i % 2);
        let (scale, min) = (d * f32::from(block[i] & 0xf), dmin * f32::from(block[i] >> 4));
        let q = &block[16 + 32 * half + 16 * part..][..16];
        for (y, q) in y.iter_mut().zip(q) {
            *y = scale * f32::from(q >> (2 * quarter) & 3) - min;
        }
    }
}

#[inline(always)]
fn q3k(block: &[u8; 110], y: &mut [f32; 256]) {
    let d = f16(block[108], block[109]);
    let packed = &block[96..108];
    for (i, y) in y.as_chunks_mut::<16>().0.iter_mut().enumerate() {
        // The low 4 bits of scales 0 to 7 are the low halves of eight bytes, of 8 to 15 the high ones; the high 2 bits are
        // in the four bytes after.
        let low = packed[i % 8] >> (4 * (i / 8)) & 0xf;
        let scale = i32::from(low | (packed[8 + i % 4] >> (2 * (i / 4)) & 3) << 4) - 32;
        let (half, quarter, part) = (i / 8, i / 2 % 4, i % 2);
        let q = &block[32 + 32 * half + 16 * part..][..16];
        let high = &block[16 * part..][..16];
        for ((y, q), high) in y.iter_mut().zip(q).zip(high) {
            let missing = if high >> (4 * half + quarter) & 1 == 0 { 4 } else { 0 };
            *y = d * scale as f32 * (i32::from(q >> (2 * quarter) & 3) - missing) as f32;
        }
    }
}

#[inline(always)]
fn q8_0(block: &[u8; 34], y: &mut [f32; 32]) {
    let scale = f16(block[0], block[1]);
    for (q, y) in block[2..].iter().zip(y) {
        *y = f32::from(q.cast_signed()) * scale;
    }
}

/// Scale and minimum of sub-block `i`, from twelve bytes that pack eight pairs of 6-bit numbers: the first eight
/// bytes hold the first four scales and minima in their low 6 bits; the last four bytes hold the low 4 bits of the other four
/// pairs, whose high 2 bits are in the top bits of the first eight bytes.
#[inline(always)]
pub(crate) fn scale_min(packed: &[u8], i: usize) -> (f32, f32) {
    let (scale, min) = if i < 4 {
        (packed[i] & 63, packed[i + 4] & 63)
    } else {
        ((packed[i + 4] & 0xf) | (packed[i - 4] >> 6 << 4), (packed[i + 4] >> 4) | (packed[i] >> 6 << 4))
    };
    (f32::from(scale), f32::from(min))
}

#[inline(always)]
fn q4k(block: &[u8; 144], y: &mut [f32; 256]) {
    let (d, dmin) = (f16(block[0], block[1]), f16(block[2], block[3]));
    for (pair, (q, y)) in block[16..].as_chunks::<32>().0.iter().zip(y.as_chunks_mut::<64>().0).enumerate() {
        let (scale, min) = scale_min(&block[4..16], 2 * pair);
        let (low_scale, low_min) = (d * scale, dmin * min);
        let (scale, min) = scale_min(&block[4..16], 2 * pair + 1);
        let (high_scale, high_min) = (d * scale, dmin * min);
        for (i, q) in q.iter().enumerate() {
            y[i] = low_scale * f32::from(q & 0xf) - low_min;
            y[i + 32] = high_scale * f32::from(q >> 4) - high_min;
        }
    }
}

#[inline(always)]
fn q5k(block: &[u8; 176], y: &mut [f32; 256]) {
    let (d, dmin) = (f16(block[0], block[1]), f16(block[2], block[3]));
    let fifth = &block[16..48];
    for (pair, (q, y)) in block[48..].as_chunks::<32>().0.iter().zip(y.as_chunks_mut::<64>().0).enumerate() {
        let (scale, min) = scale_min(&block[4..16], 2 * pair);
        let (low_scale, low_min) = (d * scale, dmin * min);
        let (scale, min) = scale_min(&block[4..16], 2 * pair + 1);
        let (high_scale, high_min) = (d * scale, dmin * min);
        for (i, (q, fifth)) in q.iter().zip(fifth).enumerate() {
            let bits = fifth >> (2 * pair);
            y[i] = low_scale * f32::from((q & 0xf) | ((bits & 1) << 4)) - low_min;
            y[i + 32] = high_scale * f32::from((q >> 4) | ((bits & 2) << 3)) - high_min;
        }
    }
}

#[inline(always)]
fn q6k(block: &[u8; 210], y: &mut [f32; 256]) {
    let d = f16(block[208], block[209]);
    for (half, y) in y.as_chunks_mut::<128>().0.iter_mut().enumerate() {
        let low = &block[64 * half..][..64];
        let high = &block[128 + 32 * half..][..32];
        let scales = &block[192 + 8 * half..][..8];
        for i in 0..32 {
            let scale = |quarter: usize| d * f32::from(scales[2 * quarter + i / 16].cast_signed());
            let value = |low: u8, shift: u32| (i32::from(low | ((high[i] >> shift & 3) << 4)) - 32) as f32;
            y[i] = scale(0) * value(low[i] & 0xf, 0);
            y[i + 32] = scale(1) * value(low[i + 32] & 0xf, 2);
            y[i + 64] = scale(2) * value(low[i] >> 4, 4);
            y[i + 96] = scale(3) * value(low[i + 32] >> 4, 6);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dequantized(dtype: Dtype, bytes: &[u8]) -> Vec<f32> {
        let mut out = vec![f32::NAN; bytes.len() / dtype.block_bytes() * dtype.block_len()];
        dequantize(dtype, bytes, &mut out);
        out
    }

    #[test]
    fn every_half_precision_number_is_exact() {
        for bits in 0..=u16::MAX {
            let [low, high] = bits.to_le_bytes();
            let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 0x3ff));
            let magnitude = match exponent {
                0 => fraction * 2f64.powi(-24),
                31 if fraction == 0.0 => f64::INFINITY,
                31 => f64::NAN,
                _ => (1024.0 + fraction) * 2f64.powi(exponent - 25),
            };
            let expected = if bits >> 15 == 1 { -magnitude } else { magnitude } as f32;
            let got = f16(low, high);
            assert!(got.to_bits() == expected.to_bits() || got.is_nan() && expected.is_nan(), "{bits:#06x}: {got}");
        }
    }

    #[test]
    fn plain_types() {
        assert_eq!(dequantized(Dtype::F32, &1.5f32.to_le_bytes()), [1.5]);
        assert_eq!(dequantized(Dtype::F16, &[0x00, 0x3c, 0x00, 0xc0]), [1.0, -2.0]);
        assert_eq!(dequantized(Dtype::BF16, &[0x80, 0x3f, 0x20, 0xc0]), [1.0, -2.5]);
    }

    #[test]
    fn blocks_of_32() {
        // Scale 0.5; the first byte holds 0x3 for value 0 and 0xf for value 16.
        let mut block = vec![0x00, 0x38, 0xf3];
        block.resize(18, 0x88);
        let y = dequantized(Dtype::Q4_0, &block);
        assert_eq!((y[0], y[1], y[16], y[17]), (-2.5, 0.0, 3.5, 0.0));

        // Scale 0.5, minimum -1.
        let mut block = vec![0x00, 0x38, 0x00, 0xbc, 0xf3];
        block.resize(20, 0x00);
        let y = dequantized(Dtype::Q4_1, &block);
        assert_eq!((y[0], y[1], y[16], y[17]), (0.5, -1.0, 6.5, -1.0));

        let mut block = vec![0x00, 0x38, 0x80, 0x7f];
        block.resize(34, 2);
        assert_eq!(dequantized(Dtype::Q8_0, &block)[..3], [-64.0, 63.5, 1.0]);
    }

    #[test]
    fn scales_of_k_blocks() {
        // d = 1, dmin = 0.5. Sub-block 1: scale 63, minimum 2. Sub-block 5: scale 0b10_0011, minimum 0b01_0100.
        let mut packed = [0u8; 12];
        packed[1] = 63 | 0b10 << 6;
        packed[5] = 2 | 0b01 << 6;
        packed[9] = 0b0100_0011;
        let mut q4 = vec![0x00, 0x3c, 0x00, 0x38];
        q4.extend(packed);
        q4.resize(144, 0x21);
        let y = dequantized(Dtype::Q4K, &q4);
        assert_eq!((y[0], y[32], y[64]), (0.0, 2.0 * 63.0 - 1.0, 0.0));
        assert_eq!(y[160], 2.0 * 35.0 - 10.0);

        // The fifth bits: bit 1 belongs to sub-block 1, bit 5 to sub-block 5.
        let mut q5 = q4[..16].to_vec();
        q5.extend([0b0010_0010; 32]);
        q5.resize(176, 0x21);
        let y = dequantized(Dtype::Q5K, &q5);
        assert_eq!((y[32], y[160]), (18.0 * 63.0 - 1.0, 18.0 * 35.0 - 10.0));
    }

    #[test]
    fn blocks_of_six_bits() {
        let mut block = vec![0u8; 210];
        block[0] = 0x5a; // low bits of values 0 (0xa) and 64 (0x5)
        block[128] = 0b00_11_00_01; // high bits: value 0 gets 1, value 64 gets 3
        block[192..208].fill(1);
        block[196] = 0xfe; // the scale of values 64 to 79 is -2
        block[209] = 0x3c;
        let y = dequantized(Dtype::Q6K, &block);
        assert_eq!((y[0], y[64], y[1], y[128]), (26.0 - 32.0, (53.0 - 32.0) * -2.0, -32.0, -32.0));
    }

    #[test]
    fn rows_are_whole_blocks() {
        assert_eq!(Dtype::Q4_1.row_bytes(576), Some(360));
        assert_eq!(Dtype::Q4K.row_bytes(576), None);
        assert_eq!(Dtype::F32.row_bytes(usize::MAX), None);
    }
}
