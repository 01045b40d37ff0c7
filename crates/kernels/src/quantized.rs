//! Inner products with rows in their storage type (quantized or plain).

use crate::{Dtype, dequant::dequantize as dequantize_blocks, rows, simd::kernels};

kernels! {
    /// [`dequantize`] for every type.
    pub(crate) fn dequantize_compiled(dtype: Dtype, bytes: &[u8], out: &mut [f32]) {
        dequantize_blocks(dtype, bytes, out);
    }

    /// [`dot_stored`] by dequantizing each row into `row` first.
    pub(crate) fn dot_dequantized(dtype: Dtype, bytes: &[u8], row: &mut [f32], x: &[f32], out: &mut [f32]) {
        let size = dtype.row_bytes(row.len()).unwrap_or(1).max(1);
        for (bytes, out) in bytes.chunks_exact(size).zip(out.chunks_mut(x.len() / row.len())) {
            dequantize_blocks(dtype, bytes, row);
            for (out, x) in out.iter_mut().zip(x.chunks_exact(row.len())) {
                *out = rows::portable::dot(row, x);
            }
        }
    }
}

/// Dequantizes whole blocks to f32 with ggml's arithmetic, except for the single rounding of fused multiply-add.
///
/// # Panics
/// When `bytes` is not exactly the storage of `out.len()` values.
pub fn dequantize(dtype: Dtype, bytes: &[u8], out: &mut [f32]) {
    #[cfg(target_arch = "x86_64")]
    if crate::dot_avx2::handles(dtype) {
        // SAFETY: the kernel exists for this type and the CPU features were detected.
        return unsafe { crate::dot_avx2::dequantize(dtype, bytes, out) };
    }
    dequantize_compiled(dtype, bytes, out);
}

/// A low-rank term of one token (the product with LoRA's `B`, Hu et al. 2021): row `r` of the output gets
/// `factor[r]·input` added to its inner product.
#[derive(Clone, Copy)]
pub(crate) struct Tail<'a> {
    /// `(rows, rank)`.
    pub(crate) factor: &'a [f32],
    /// `(rank)`.
    pub(crate) input: &'a [f32],
}

impl<'a> Tail<'a> {
    /// A row of the factor.
    pub(crate) fn row(&self, row: usize) -> &'a [f32] {
        &self.factor[row * self.input.len()..(row + 1) * self.input.len()]
    }
}

/// Inner products of stored rows of `cols` numbers with each row of `x (tokens, cols)`, plus optional tails:
/// `out (rows, tokens)`.
///
/// # Panics
/// When the lengths don't match.
pub(crate) fn dot_stored(
    dtype: Dtype,
    bytes: &[u8],
    cols: usize,
    x: &[f32],
    tails: &[Option<Tail<'_>>],
    out: &mut [f32],
) {
    #[cfg(target_arch = "x86_64")]
    if crate::dot_avx2::handles(dtype) && !out.is_empty() {
        // SAFETY: the kernel exists for this type and the CPU features were detected.
        return unsafe { crate::dot_avx2::dot(dtype, bytes, x, cols, tails, out) };
    }
    dot_dequantized(dtype, bytes, &mut vec![0.0; cols], x, out);
    add_tails(tails, out);
}

/// [`dot_stored`] for plain numbers.
///
/// # Panics
/// When the lengths don't match.
pub(crate) fn dot_plain(numbers: &[f32], cols: usize, x: &[f32], tails: &[Option<Tail<'_>>], out: &mut [f32]) {
    #[cfg(target_arch = "x86_64")]
    if crate::dot_avx2::handles_plain(cols) && !out.is_empty() {
        // SAFETY: the kernel exists for this type and the CPU features were detected.
        return unsafe { crate::dot_avx2::dot_plain(numbers, x, cols, tails, out) };
    }
    let rows = numbers.len().checked_div(cols).unwrap_or(0);
    let tokens = out.len().checked_div(rows).unwrap_or(0);
    out.fill(0.0);
    for (index, out) in out.iter_mut().enumerate().take(rows * tokens) {
        let (row, token) = (index / tokens, index % tokens);
        *out = rows::dot(&numbers[row * cols..(row + 1) * cols], &x[token * cols..(token + 1) * cols]);
    }
    add_tails(tails, out);
}

/// Adds tails to sums `(rows, tokens)`.
fn add_tails(tails: &[Option<Tail<'_>>], sums: &mut [f32]) {
    for (row, sums) in sums.chunks_exact_mut(tails.len().max(1)).enumerate() {
        for (sum, tail) in sums.iter_mut().zip(tails) {
            *sum += tail.map_or(0.0, |tail| rows::dot(tail.row(row), tail.input));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_and_dequantized_rows_have_equal_dot_products() {
        for dtype in [Dtype::Q4_0, Dtype::Q4_1, Dtype::Q8_0, Dtype::Q4K, Dtype::Q6K, Dtype::BF16] {
            let cols = 512;
            let size = 3 * dtype.row_bytes(cols).unwrap();
            let mut bytes: Vec<u8> = (0..size).map(|i| (i * 37 % 251) as u8).collect();
            for block in bytes.chunks_mut(dtype.block_bytes()).filter(|_| dtype.block_len() > 1) {
                // Scales that are ordinary numbers: 0x2c00 is 1/16 in half precision.
                let at = if dtype == Dtype::Q6K { block.len() - 2 } else { 0 };
                block[at..at + 2].copy_from_slice(&[0x00, 0x2c]);
                if matches!(dtype, Dtype::Q4_1 | Dtype::Q4K) {
                    block[2..4].copy_from_slice(&[0x00, 0xa8]);
                }
            }
            if dtype == Dtype::BF16 {
                bytes.chunks_mut(2).for_each(|pair| pair[1] = 0x3f);
            }
            for tokens in [1, 2, 3, 4, 5, 6, 7, 8, 11] {
                let x: Vec<f32> = (0..tokens * cols).map(|i| (i as f32 * 0.37).sin()).collect();
                let (mut row, mut fast, mut slow) = (vec![0.0; cols], vec![0.0; 3 * tokens], vec![0.0; 3 * tokens]);
                let (factor, input) = (&x[..33], &x[7..18]);
                let tails: Vec<_> = (0..tokens).map(|t| (t % 3 != 1).then_some(Tail { factor, input })).collect();
                dot_stored(dtype, &bytes, cols, &x, &tails, &mut fast);
                portable::dot_dequantized(dtype, &bytes, &mut row, &x, &mut slow);
                add_tails(&tails, &mut slow);
                for (a, b) in fast.iter().zip(&slow) {
                    assert!((a - b).abs() < 1e-3 * (1.0 + b.abs()), "{dtype:?}, {tokens} tokens: {a} is not {b}");
                }
            }
        }
    }
}
