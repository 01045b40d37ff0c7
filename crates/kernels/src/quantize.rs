use crate::Dtype;

/// Stores numbers as `F32`, `F16`, `BF16` or `Q8_0` (with ggml's arithmetic), rounded to the nearest.
///
/// Returns `None` for another type, for numbers that don't fill whole blocks, and for a number that the type can't hold.
#[must_use]
pub fn quantize(dtype: Dtype, numbers: &[f32]) -> Option<Vec<u8>> {
    let size = dtype.row_bytes(numbers.len())?;
    let mut out = Vec::with_capacity(size);
    match dtype {
        Dtype::F32 => out.extend(numbers.iter().flat_map(|x| x.to_le_bytes())),
        Dtype::F16 => each(numbers, f16, &mut out)?,
        Dtype::BF16 => each(numbers, bf16, &mut out)?,
        Dtype::Q8_0 => numbers.chunks_exact(dtype.block_len()).try_for_each(|block| q8_0(block, &mut out))?,
        _ => return None,
    }
    Some(out)
}

fn each(numbers: &[f32], half: impl Fn(f32) -> Option<u16>, out: &mut Vec<u8>) -> Option<()> {
    for x in numbers {
        out.extend(half(*x)?.to_le_bytes());
    }
    Some(())
}

/// IEEE 754 half precision; ties go to the even neighbour.
fn f16(x: f32) -> Option<u16> {
    /// Half of the distance to the next number above the largest one.
    const TOO_LARGE: f32 = 65520.0;
    /// The smallest normal number, 2⁻¹⁴.
    const NORMAL: f32 = 1.0 / 16384.0;
    let (sign, magnitude) = ((x.to_bits() >> 16 & 0x8000) as u16, x.abs());
    if magnitude.is_nan() || magnitude >= TOO_LARGE {
        return None;
    }
    if magnitude < NORMAL {
        // Multiples of 2⁻²⁴, and the scaling is exact.
        return Some(sign | (magnitude * 16_777_216.0).round_ties_even() as u16);
    }
    let bits = magnitude.to_bits();
    let rounded = bits + 0xfff + (bits >> 13 & 1);
    // The bias of the exponent is 15 instead of 127.
    Some(sign | ((rounded - (112 << 23)) >> 13) as u16)
}

/// The upper half of an `f32`; ties go to the even neighbour.
fn bf16(x: f32) -> Option<u16> {
    let bits = x.to_bits();
    let rounded = (bits.wrapping_add(0x7fff + (bits >> 16 & 1)) >> 16) as u16;
    f32::from_bits(u32::from(rounded) << 16).is_finite().then_some(rounded)
}

/// ggml's `quantize_row_q8_0_ref` for one block.
fn q8_0(block: &[f32], out: &mut Vec<u8>) -> Option<()> {
    let largest = block.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
    let scale = largest / 127.0;
    let inverse = if scale > 0.0 { 1.0 / scale } else { 0.0 };
    if block.iter().any(|x| !x.is_finite()) {
        return None;
    }
    out.extend(f16(scale)?.to_le_bytes());
    out.extend(block.iter().map(|x| ((x * inverse).round() as i8).cast_unsigned()));
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dequantize;

    fn back(dtype: Dtype, numbers: &[f32]) -> Vec<f32> {
        let mut out = vec![0.0; numbers.len()];
        dequantize(dtype, &quantize(dtype, numbers).unwrap(), &mut out);
        out
    }

    #[test]
    fn every_stored_half_comes_back() {
        for (dtype, convert) in [(Dtype::F16, f16 as fn(f32) -> Option<u16>), (Dtype::BF16, bf16)] {
            for stored in 0..=u16::MAX {
                let mut number = [0.0];
                dequantize(dtype, &stored.to_le_bytes(), &mut number);
                let expected = number[0].is_finite().then_some(stored);
                assert_eq!(convert(number[0]), expected, "{dtype:?} {stored:#06x} is {}", number[0]);
            }
        }
    }

    #[test]
    fn rounding_is_to_the_nearest_and_ties_are_even() {
        // Halves have 10 bits after the point, bf16 has 7.
        let tie = |bits: i32| 1.0 + 2.0_f32.powi(-bits - 1);
        let third = |bits: i32| 1.0 + 3.0 * 2.0_f32.powi(-bits - 1);
        for (dtype, bits) in [(Dtype::F16, 10), (Dtype::BF16, 7)] {
            let step = 2.0_f32.powi(-bits);
            assert_eq!(back(dtype, &[tie(bits), third(bits), -tie(bits)]), [1.0, 1.0 + 2.0 * step, -1.0]);
            assert_eq!(back(dtype, &[tie(bits) + 1e-6]), [1.0 + step]);
        }
        assert_eq!(back(Dtype::F16, &[2.0_f32.powi(-25), 3.0 * 2.0_f32.powi(-25)]), [0.0, 2.0_f32.powi(-23)]);
        assert_eq!(back(Dtype::F16, &[65519.0]), [65504.0]);
    }

    #[test]
    fn eight_bits_are_off_by_at_most_half_a_step() {
        let numbers: Vec<f32> = (0..64).map(|i| (i as f32 * 0.7).sin() * if i < 32 { 1.0 } else { 0.1 }).collect();
        let found = back(Dtype::Q8_0, &numbers);
        for (block, found) in numbers.chunks(32).zip(found.chunks(32)) {
            let step = block.iter().fold(0.0_f32, |most, x| most.max(x.abs())) / 127.0;
            // The scale itself is rounded to half precision.
            assert!(block.iter().zip(found).all(|(a, b)| (a - b).abs() <= step * (0.5 + 127.0 / 2048.0)));
        }
        assert_eq!(back(Dtype::Q8_0, &[0.0; 32]), [0.0; 32]);
    }

    #[test]
    fn what_a_type_cannot_hold_is_refused() {
        for dtype in [Dtype::F16, Dtype::BF16, Dtype::Q8_0] {
            for bad in [f32::NAN, f32::INFINITY, f32::MAX] {
                assert_eq!(quantize(dtype, &[bad; 32]), None, "{dtype:?} {bad}");
            }
        }
        assert_eq!(quantize(Dtype::F16, &[65520.0]), None);
        assert_eq!(quantize(Dtype::Q8_0, &[1.0; 31]), None);
        assert_eq!(quantize(Dtype::Q4_0, &[1.0; 32]), None);
    }
}
