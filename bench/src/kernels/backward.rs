//! Kernels of the backward pass and the optimizer, compared with sequences of simple tensor operations.

use graft_kernels::{AttentionRange, Gradients, Heads, Inputs, attention, attention_backward, rows};

use super::{COLS, beside, beside_work};
use crate::timing::numbers;

pub(super) fn run(a: &[f32], b: &[f32], y: &mut [f32]) {
    norm(a, b, y);
    gate(a, b, y);
    softmax(a, b, y);
    rotate(a, y);
    adamw(a);
    attend();
}

fn norm(x: &[f32], dy: &[f32], dx: &mut [f32]) {
    let w = numbers(COLS, 4);
    let mut t = vec![0.0; x.len()];
    let each = |dx: &mut [f32]| {
        for ((dx, dy), x) in dx.chunks_mut(COLS).zip(dy.chunks(COLS)).zip(x.chunks(COLS)) {
            rows::rms_norm_backward(dx, dy, x, &w, 0.7);
        }
    };
    let mut kept = dx.to_vec();
    beside(
        "rms_norm backward",
        4.0,
        || each(&mut kept),
        || {
            t.iter_mut().zip(dy).zip(w.iter().cycle()).for_each(|((t, dy), w)| *t = dy * w);
            for ((dx, t), x) in dx.chunks_mut(COLS).zip(t.chunks(COLS)).zip(x.chunks(COLS)) {
                let mean = t.iter().zip(x).map(|(t, x)| t * x).sum::<f32>() / COLS as f32;
                dx.iter_mut().zip(t).for_each(|(dx, t)| *dx += 0.7 * t);
                dx.iter_mut().zip(x).for_each(|(dx, x)| *dx -= 0.343 * mean * x);
            }
        },
    );
}

fn gate(g: &[f32], u: &[f32], dy: &[f32]) {
    let (mut fused_g, mut fused_u, mut plain_g, mut plain_u) = (g.to_vec(), u.to_vec(), g.to_vec(), u.to_vec());
    let (mut s, mut act) = (vec![0.0; g.len()], vec![0.0; g.len()]);
    // The gradients overwrite the inputs, so each run starts with a copy of them.
    beside(
        "silu_gate backward",
        7.0,
        || {
            fused_g.copy_from_slice(g);
            fused_u.copy_from_slice(u);
            rows::silu_gate_backward(dy, &mut fused_g, &mut fused_u);
        },
        || {
            s.iter_mut().zip(g).for_each(|(s, g)| *s = 1.0 / (1.0 + (-g).exp()));
            act.iter_mut().zip(g).zip(&s).for_each(|((a, g), s)| *a = g * s);
            plain_u.iter_mut().zip(dy).zip(&act).for_each(|((du, dy), a)| *du = dy * a);
            plain_g.iter_mut().zip(&s).zip(&act).for_each(|((dg, s), a)| *dg = s + a * (1.0 - s));
            plain_g.iter_mut().zip(dy).zip(u).for_each(|((dg, dy), u)| *dg *= dy * u);
        },
    );
}

fn softmax(p: &[f32], dp: &[f32], y: &mut [f32]) {
    let mut kept = dp.to_vec();
    beside(
        "softmax backward",
        3.0,
        || {
            for (dp, p) in kept.chunks_mut(COLS).zip(p.chunks(COLS)) {
                rows::softmax_backward(dp, p, 0.1, 0.125);
            }
        },
        || {
            y.iter_mut().zip(dp).for_each(|(y, dp)| *y = dp - 0.1);
            y.iter_mut().zip(p).for_each(|(y, p)| *y *= p);
            y.iter_mut().for_each(|y| *y *= 0.125);
        },
    );
}

fn rotate(angles: &[f32], y: &mut [f32]) {
    const HEAD: usize = 64;
    let (cos, sin) = (&angles[..HEAD / 2], &angles[HEAD / 2..HEAD]);
    let (mut kept, mut turned) = (y.to_vec(), y.to_vec());
    beside(
        "rotary",
        2.0,
        || kept.chunks_mut(HEAD).for_each(|head| rows::rotate(head, cos, sin, 1.0)),
        || {
            // Composed as in transformers: swapped halves, two products, a sum.
            for (turned, y) in turned.chunks_mut(HEAD).zip(y.chunks(HEAD)) {
                turned[..HEAD / 2].iter_mut().zip(&y[HEAD / 2..]).for_each(|(t, y)| *t = -y);
                turned[HEAD / 2..].copy_from_slice(&y[..HEAD / 2]);
            }
            y.iter_mut().enumerate().for_each(|(i, y)| *y *= cos[i % (HEAD / 2)]);
            turned.iter_mut().enumerate().for_each(|(i, t)| *t *= sin[i % (HEAD / 2)]);
            y.iter_mut().zip(&turned).for_each(|(y, t)| *y += t);
        },
    );
}

fn adamw(g: &[f32]) {
    let step = rows::AdamStep {
        lr: 1e-5,
        beta1: 0.9,
        beta2: 0.999,
        eps: 1e-8,
        weight_decay: 0.01,
        c1: 0.1,
        c2: 0.001,
        grad_scale: 1.0,
    };
    let zeros = || vec![0.0_f32; g.len()];
    let (mut p, mut m, mut v, mut q, mut n, mut w, mut t) =
        (zeros(), zeros(), zeros(), zeros(), zeros(), zeros(), zeros());
    beside(
        "AdamW",
        7.0,
        || rows::adamw(&mut p, g, &mut m, &mut v, &step),
        || {
            q.iter_mut().for_each(|q| *q *= 1.0 - 1e-7);
            n.iter_mut().zip(g).for_each(|(m, g)| *m += 0.1 * (g - *m));
            w.iter_mut().for_each(|v| *v *= 0.999);
            w.iter_mut().zip(g).for_each(|(v, g)| *v += 0.001 * g * g);
            t.iter_mut().zip(&w).for_each(|(t, v)| *t = v.sqrt() / step.c2.sqrt() + 1e-8);
            q.iter_mut().zip(&n).zip(&t).for_each(|((q, m), t)| *q -= 1e-4 * m / t);
        },
    );
}

/// Attention backward for 512 tokens of SmolLM2, compared with its definition, which stores all scores.
fn attend() {
    let heads = Heads { heads: 9, kv_heads: 3, dim: 64, scale: 0.125 };
    let (q, k, v) = (numbers(512 * 576, 1), numbers(512 * 192, 2), numbers(512 * 192, 3));
    let ranges = [AttentionRange { queries: 0..512, prefix: 0..0, keys: 0..512, causal: true }];
    let (mut out, mut lse, dout) = (vec![0.0; 512 * 576], vec![0.0; 512 * 9], numbers(512 * 576, 4));
    let input = Inputs { q: &q, k: &k, v: &v, ranges: &ranges, heads, bias: None, window: None, cap: None, bf16: None };
    attention(&input, &mut out, &mut lse);
    let grads = || (vec![0.0; q.len()], vec![0.0; k.len()], vec![0.0; v.len()]);
    let (mut fused, mut plain) = (grads(), grads());
    // Five products of the visible half of the scores.
    let work = 10e-9 * (512 * 513 / 2 * 576) as f64;
    beside_work(
        "attention backward, 512 tokens",
        work,
        || {
            fused.1.fill(0.0);
            fused.2.fill(0.0);
            let (dq, dk, dv) = (&mut fused.0[..], &mut fused.1[..], &mut fused.2[..]);
            attention_backward(&input, &out, &lse, &dout, Gradients { dq, dk, dv });
        },
        || definition(&input, &lse, &dout, &mut plain),
    );
}

fn definition(input: &Inputs<'_>, lse: &[f32], dout: &[f32], (dq, dk, dv): &mut (Vec<f32>, Vec<f32>, Vec<f32>)) {
    [&mut *dq, dk, dv].into_iter().for_each(|grad| grad.fill(0.0));
    let (mut p, mut dp) = (vec![0.0_f32; 512], vec![0.0_f32; 512]);
    for head in 0..9 {
        for i in 0..512 {
            let (at, key) = (i * 576 + head * 64, |j: usize| j * 192 + head / 3 * 64);
            let (q, go) = (&input.q[at..at + 64], &dout[at..at + 64]);
            for j in 0..=i {
                p[j] = (0.125 * rows::dot(q, &input.k[key(j)..][..64]) - lse[i * 9 + head]).exp();
                dp[j] = rows::dot(go, &input.v[key(j)..][..64]);
            }
            let mean: f32 = (0..=i).map(|j| p[j] * dp[j]).sum();
            for j in 0..=i {
                let ds = 0.125 * p[j] * (dp[j] - mean);
                rows::axpy(&mut dv[key(j)..][..64], p[j], go);
                rows::axpy(&mut dq[at..][..64], ds, &input.k[key(j)..][..64]);
                rows::axpy(&mut dk[key(j)..][..64], ds, q);
            }
        }
    }
}
