//! Each fused kernel, compared with the plain loops it replaces and with the memory bandwidth.

mod backward;
mod stored;

use graft_kernels::{AttentionRange, Heads, Inputs, attention, rows};
use serde_json::json;

use crate::timing::{median, numbers};

/// Columns and rows of the operands: 512 tokens of SmolLM2's inner width, 3 MiB.
const COLS: usize = 1536;
const ROWS: usize = 512;

fn say(name: &str, passes: f64, fused: f64, plain: f64) {
    let gb = passes * 4e-9 * (ROWS * COLS) as f64;
    println!(
        "{}",
        json!({"kernel": name, "fused_gb_per_s": gb / fused, "plain_gb_per_s": gb / plain, "ratio": plain / fused})
    );
}

/// Times a kernel and its composed version. `passes` is how often they read or write an operand.
fn beside(name: &str, passes: f64, fused: impl FnMut(), plain: impl FnMut()) {
    say(name, passes, median(0.2, fused), median(0.2, plain));
}

/// Times a kernel and its composed version, which do `gflop` GFLOP.
fn beside_work(name: &str, gflop: f64, fused: impl FnMut(), plain: impl FnMut()) {
    let (fused, plain) = (median(0.3, fused), median(0.3, plain));
    println!(
        "{}",
        json!({"kernel": name, "fused_gflops": gflop / fused, "plain_gflops": gflop / plain, "ratio": plain / fused})
    );
}

/// Prints the memory bandwidth of each kernel in GB/s, on one thread.
pub(crate) fn run() -> anyhow::Result<()> {
    let (a, b) = (numbers(ROWS * COLS, 1), numbers(ROWS * COLS, 2));
    let mut y = numbers(ROWS * COLS, 3);
    let copy = median(0.2, || y.copy_from_slice(&a));
    say("copy (what memory allows)", 2.0, copy, copy);
    norm(&a, &b, &mut y);
    gates(&a, &b, &mut y);
    softmax(&a, &mut y);
    attend();
    backward::run(&a, &b, &mut y);
    stored::run();
    Ok(())
}

fn norm(x: &[f32], w: &[f32], y: &mut [f32]) {
    let fused = median(0.2, || {
        for (y, x) in y.chunks_mut(COLS).zip(x.chunks(COLS)) {
            rows::rms_norm(y, x, &w[..COLS], 1e-5);
        }
    });
    // Composed of tensor operations: square, mean, scale, weight.
    let mut squares = vec![0.0; x.len()];
    let plain = median(0.2, || {
        squares.iter_mut().zip(x).for_each(|(s, x)| *s = x * x);
        for (row, y) in y.chunks_mut(COLS).enumerate() {
            let mean = squares[row * COLS..(row + 1) * COLS].iter().sum::<f32>() / COLS as f32;
            let rstd = 1.0 / (mean + 1e-5).sqrt();
            y.iter_mut().zip(&x[row * COLS..]).for_each(|(y, x)| *y = x * rstd);
        }
        y.chunks_mut(COLS).for_each(|y| y.iter_mut().zip(w).for_each(|(y, w)| *y *= w));
    });
    say("rms_norm", 2.0, fused, plain);
}

fn gates(g: &[f32], u: &[f32], y: &mut [f32]) {
    let mut t = vec![0.0; g.len()];
    let fused = median(0.2, || rows::silu_gate(y, g, u));
    let plain = median(0.2, || {
        t.iter_mut().zip(g).for_each(|(t, g)| *t = 1.0 / (1.0 + (-g).exp()));
        t.iter_mut().zip(g).for_each(|(t, g)| *t *= g);
        y.iter_mut().zip(&t).zip(u).for_each(|((y, t), u)| *y = t * u);
    });
    say("silu_gate", 3.0, fused, plain);
    let fused = median(0.2, || rows::gelu_gate(y, g, u));
    let plain = median(0.2, || {
        t.iter_mut().zip(g).for_each(|(t, g)| *t = (0.797_884_6 * (g + 0.044_715 * g * g * g)).tanh());
        t.iter_mut().zip(g).for_each(|(t, g)| *t = 0.5 * g * (1.0 + *t));
        y.iter_mut().zip(&t).zip(u).for_each(|((y, t), u)| *y = t * u);
    });
    say("gelu_gate", 3.0, fused, plain);
}

fn softmax(x: &[f32], y: &mut [f32]) {
    let fused = median(0.2, || {
        y.copy_from_slice(x);
        for y in y.chunks_mut(COLS) {
            let max = rows::max(y);
            let sum = rows::exp_sum(y, max);
            rows::scale(y, 1.0 / sum);
        }
    });
    let plain = median(0.2, || {
        y.copy_from_slice(x);
        for y in y.chunks_mut(COLS) {
            let max = y.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            y.iter_mut().for_each(|y| *y = (*y - max).exp());
            let sum: f32 = y.iter().sum();
            y.iter_mut().for_each(|y| *y /= sum);
        }
    });
    say("softmax row", 2.0, fused, plain);
}

/// 512 tokens of SmolLM2's attention (9 heads of 64, 3 for keys and values), causal, on all threads.
fn attend() {
    let heads = Heads { heads: 9, kv_heads: 3, dim: 64, scale: 0.125 };
    let (q, k, v) = (numbers(512 * 576, 1), numbers(512 * 192, 2), numbers(512 * 192, 3));
    let ranges = [AttentionRange { queries: 0..512, prefix: 0..0, keys: 0..512, causal: true }];
    let (mut out, mut lse) = (vec![0.0; 512 * 576], vec![0.0; 512 * 9]);
    let inputs =
        Inputs { q: &q, k: &k, v: &v, ranges: &ranges, heads, bias: None, window: None, cap: None, bf16: None };
    let mut kept = out.clone();
    let work = 4e-9 * (512 * 513 / 2 * 576) as f64;
    let fused = || attention(&inputs, &mut out, &mut lse);
    beside_work("attention, 512 tokens", work, fused, || definition(&q, &k, &v, &mut kept));
    // Only the last token, as in decoding.
    let ranges = [AttentionRange { queries: 0..1, prefix: 0..0, keys: 0..512, causal: true }];
    let inputs =
        Inputs { q: &q[..576], k: &k, v: &v, ranges: &ranges, heads, bias: None, window: None, cap: None, bf16: None };
    let (mut one, mut lse, mut scores) = (vec![0.0; 576], vec![0.0; 9], vec![0.0; 512]);
    let mut composed = vec![0.0; 576];
    beside_work(
        "attention, one token that sees 512",
        4e-9 * (512 * 576) as f64,
        || attention(&inputs, &mut one, &mut lse),
        || {
            composed.fill(0.0);
            for head in 0..9 {
                let key = |j: usize| j * 192 + head / 3 * 64;
                let q = &q[head * 64..(head + 1) * 64];
                scores.iter_mut().enumerate().for_each(|(j, s)| *s = 0.125 * rows::dot(q, &k[key(j)..][..64]));
                let max = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                scores.iter_mut().for_each(|s| *s = (*s - max).exp());
                let sum: f32 = scores.iter().sum();
                let out = &mut composed[head * 64..(head + 1) * 64];
                scores.iter().enumerate().for_each(|(j, s)| rows::axpy(out, s / sum, &v[key(j)..][..64]));
            }
        },
    );
}

/// Attention of each head from its definition, which stores all scores.
fn definition(q: &[f32], k: &[f32], v: &[f32], out: &mut [f32]) {
    let mut scores = vec![0.0_f32; 512 * 512];
    out.fill(0.0);
    for head in 0..9 {
        let kv = head / 3;
        for i in 0..512 {
            for j in 0..=i {
                scores[i * 512 + j] = 0.125 * rows::dot(&q[i * 576 + head * 64..][..64], &k[j * 192 + kv * 64..][..64]);
            }
            let row = &mut scores[i * 512..=i * 512 + i];
            let max = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            row.iter_mut().for_each(|s| *s = (*s - max).exp());
            let sum: f32 = row.iter().sum();
            for j in 0..=i {
                let p = scores[i * 512 + j] / sum;
                rows::axpy(&mut out[i * 576 + head * 64..][..64], p, &v[j * 192 + kv * 64..][..64]);
            }
        }
    }
}
