//! Weights in a file's storage type: dequantization, and products for a few tokens without dequantized copies in
//! memory.

use graft_kernels::{Dtype, Frozen, dequantize, rows};
use serde_json::json;

use crate::timing::{median, numbers};

/// Rows and columns of SmolLM2's largest layers. For Q4_K and Q6_K the columns must be a multiple of 256.
const ROWS: usize = 576;
const COLS: usize = 1536;

/// Prints the speed of each type: dequantization on one thread, products on all.
pub(super) fn run() {
    for dtype in [Dtype::F32, Dtype::BF16, Dtype::Q8_0, Dtype::Q4_0, Dtype::Q4_1, Dtype::Q4K, Dtype::Q6K] {
        let Some(size) = dtype.row_bytes(COLS).map(|row| row * ROWS) else { continue };
        // Small scales, so that sums stay finite.
        let bytes: Vec<u8> = (0..size).map(|i| if i % 2 == 1 { 0x20 } else { (i * 37 % 251) as u8 }).collect();
        let mut wide = vec![0.0; ROWS * COLS];
        let seconds = median(0.2, || dequantize(dtype, &bytes, &mut wide));
        println!(
            "{}",
            json!({"kernel": format!("{dtype:?} dequantized to f32"), "fused_gb_per_s": (size + 4 * wide.len()) as f64 * 1e-9 / seconds})
        );
        let weight = Frozen::stored(ROWS, COLS, dtype, &bytes);
        for tokens in [1, 8] {
            let x = numbers(tokens * COLS, 1);
            let mut y = vec![0.0; tokens * ROWS];
            let fused = median(0.2, || weight.forward(&x, &mut y, 1.0, &[]));
            // Dequantized to memory first, then row by row.
            let plain = median(0.2, || {
                dequantize(dtype, &bytes, &mut wide);
                for (row, w) in wide.chunks(COLS).enumerate() {
                    (0..tokens).for_each(|t| y[t * ROWS + row] = rows::dot(w, &x[t * COLS..(t + 1) * COLS]));
                }
            });
            let work = 2e-9 * (tokens * ROWS * COLS) as f64;
            println!(
                "{}",
                json!({"kernel": format!("product of {dtype:?}, {tokens} tokens"), "fused_gflops": work / fused,
                       "plain_gflops": work / plain, "ratio": plain / fused})
            );
        }
    }
}
