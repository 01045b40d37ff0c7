//! Element-wise and row-wise kernels on slices.

use crate::simd::{LANES, exp, kernels, sigmoid, sum_by, tanh};

const GELU_SCALE: f32 = 0.797_884_6; // sqrt(2 / pi)
const GELU_CUBE: f32 = 0.044_715;

kernels! {
    /// Inner product.
    pub fn dot(a: &[f32], b: &[f32]) -> f32 {
        // Twice the usual number of partial sums: an addition has a latency of several cycles, which more independent
        // sums hide.
        const WIDE: usize = 2 * LANES;
        let n = a.len().min(b.len());
        let (a, b) = (&a[..n], &b[..n]);
        let mut lanes = [0.0_f32; WIDE];
        let (mut wa, mut wb) = (a.chunks_exact(WIDE), b.chunks_exact(WIDE));
        for (x, y) in (&mut wa).zip(&mut wb) {
            for lane in 0..WIDE {
                lanes[lane] += x[lane] * y[lane];
            }
        }
        let rest: f32 = wa.remainder().iter().zip(wb.remainder()).map(|(x, y)| x * y).sum();
        lanes.iter().sum::<f32>() + rest
    }

    /// Sum of squares.
    pub fn sum_squares(x: &[f32]) -> f32 {
        sum_by(x.len(), |i| x[i] * x[i])
    }

    /// `y += s · x`.
    pub fn axpy(y: &mut [f32], s: f32, x: &[f32]) {
        for (y, x) in y.iter_mut().zip(x) {
            *y += s * x;
        }
    }

    /// `y += x`.
    pub fn add_assign(y: &mut [f32], x: &[f32]) {
        for (y, x) in y.iter_mut().zip(x) {
            *y += x;
        }
    }

    /// `x *= s`.
    pub fn scale(x: &mut [f32], s: f32) {
        for x in x {
            *x *= s;
        }
    }

    /// `y *= x`.
    pub fn multiply(y: &mut [f32], x: &[f32]) {
        for (y, x) in y.iter_mut().zip(x) {
            *y *= x;
        }
    }

    /// `x = cap · tanh(x / cap)`.
    pub fn soft_cap(x: &mut [f32], cap: f32) {
        for x in x {
            let z = *x / cap;
            let s = z * z;
            // `tanh` is imprecise near zero, where the series up to z⁹ is exact; elsewhere `tanh` is.
            let series = z * (1.0 + s * (-1.0 / 3.0 + s * (2.0 / 15.0 + s * (-17.0 / 315.0 + s * (62.0 / 2835.0)))));
            *x = cap * if s < 0.0625 { series } else { tanh(z) };
        }
    }

    /// Derivative of [`soft_cap`] from its output `y`: `1 − (y / cap)²`, written over `y`.
    pub fn soft_cap_slope(y: &mut [f32], cap: f32) {
        for y in y {
            *y = 1.0 - (*y / cap) * (*y / cap);
        }
    }

    /// Row of RMSNorm (Zhang and Sennrich 2019): `y = x · rstd · w`; returns `rstd = 1 / sqrt(mean(x²) + eps)`.
    pub fn rms_norm(y: &mut [f32], x: &[f32], w: &[f32], eps: f32) -> f32 {
        let mean = sum_by(x.len(), |i| x[i] * x[i]) / x.len() as f32;
        let rstd = 1.0 / (mean + eps).sqrt();
        for ((y, x), w) in y.iter_mut().zip(x).zip(w) {
            *y = x * rstd * w;
        }
        rstd
    }

    /// Row of RMSNorm's backward: adds `rstd · (w·dy − x · rstd² · mean(w·dy·x))` to `dx`.
    pub fn rms_norm_backward(dx: &mut [f32], dy: &[f32], x: &[f32], w: &[f32], rstd: f32) {
        let n = x.len();
        let (dy, w) = (&dy[..n], &w[..n]);
        let mean = sum_by(n, |i| dy[i] * w[i] * x[i]) / n as f32;
        let slope = rstd * rstd * rstd * mean;
        for (i, dx) in dx.iter_mut().enumerate().take(n) {
            *dx += rstd * w[i] * dy[i] - x[i] * slope;
        }
    }

    /// Rotates the pairs `(x[i], x[i + n/2])` of one head by angles given as cosines and sines; `sign` −1 rotates back
    /// (RoPE, Su et al. 2021, in the half-split order of Hugging Face).
    pub fn rotate(x: &mut [f32], cos: &[f32], sin: &[f32], sign: f32) {
        let (low, high) = x.split_at_mut(x.len() / 2);
        for (((low, high), cos), sin) in low.iter_mut().zip(high).zip(cos).zip(sin) {
            let (a, b) = (*low, *high);
            *low = a * cos - b * sin * sign;
            *high = b * cos + a * sin * sign;
        }
    }

    /// `y = silu(g) · u` (SwiGLU, Shazeer 2020).
    pub fn silu_gate(y: &mut [f32], g: &[f32], u: &[f32]) {
        for ((y, &g), u) in y.iter_mut().zip(g).zip(u) {
            *y = g * sigmoid(g) * u;
        }
    }

    /// Backward of [`silu_gate`]: turns `g` and `u` into their gradients.
    pub fn silu_gate_backward(dy: &[f32], g: &mut [f32], u: &mut [f32]) {
        for ((dy, g), u) in dy.iter().zip(g).zip(u) {
            let s = sigmoid(*g);
            let act = *g * s;
            let slope = s * (1.0 + *g * (1.0 - s));
            *g = dy * *u * slope;
            *u = dy * act;
        }
    }

    /// `y = gelu_new(g) · u`, the tanh approximation (GEGLU, Shazeer 2020).
    pub fn gelu_gate(y: &mut [f32], g: &[f32], u: &[f32]) {
        for ((y, &g), u) in y.iter_mut().zip(g).zip(u) {
            *y = 0.5 * g * (1.0 + tanh(GELU_SCALE * (g + GELU_CUBE * g * g * g))) * u;
        }
    }

    /// Backward of [`gelu_gate`]: turns `g` and `u` into their gradients.
    pub fn gelu_gate_backward(dy: &[f32], g: &mut [f32], u: &mut [f32]) {
        for ((dy, g), u) in dy.iter().zip(g).zip(u) {
            let x = *g;
            let t = tanh(GELU_SCALE * (x + GELU_CUBE * x * x * x));
            let act = 0.5 * x * (1.0 + t);
            let slope = 0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * GELU_SCALE * (1.0 + 3.0 * GELU_CUBE * x * x);
            *g = dy * *u * slope;
            *u = dy * act;
        }
    }

    /// `y = max(g, 0) · u`.
    pub fn relu_gate(y: &mut [f32], g: &[f32], u: &[f32]) {
        for ((y, g), u) in y.iter_mut().zip(g).zip(u) {
            *y = g.max(0.0) * u;
        }
    }

    /// Backward of [`relu_gate`]: turns `g` and `u` into their gradients.
    pub fn relu_gate_backward(dy: &[f32], g: &mut [f32], u: &mut [f32]) {
        for ((dy, g), u) in dy.iter().zip(g).zip(u) {
            let act = g.max(0.0);
            *g = if *g > 0.0 { dy * *u } else { 0.0 };
            *u = dy * act;
        }
    }

    /// `x = max(x, 0)`.
    pub fn relu(x: &mut [f32]) {
        for x in x {
            *x = x.max(0.0);
        }
    }

    /// Backward of [`relu`] from its output: `dy` is zeroed where the output is zero.
    pub fn relu_backward(dy: &mut [f32], y: &[f32]) {
        for (dy, y) in dy.iter_mut().zip(y) {
            *dy = if *y > 0.0 { *dy } else { 0.0 };
        }
    }

    /// Largest element; negative infinity for an empty row.
    pub fn max(x: &[f32]) -> f32 {
        let mut lanes = [f32::NEG_INFINITY; LANES];
        let mut whole = x.chunks_exact(LANES);
        for chunk in &mut whole {
            for lane in 0..LANES {
                lanes[lane] = if chunk[lane] > lanes[lane] { chunk[lane] } else { lanes[lane] };
            }
        }
        whole.remainder().iter().chain(&lanes).copied().fold(f32::NEG_INFINITY, f32::max)
    }

    /// `x = e^(x − shift)`; returns the sum.
    pub fn exp_sum(x: &mut [f32], shift: f32) -> f32 {
        let mut lanes = [0.0_f32; LANES];
        let mut whole = x.chunks_exact_mut(LANES);
        for chunk in &mut whole {
            for lane in 0..LANES {
                chunk[lane] = exp(chunk[lane] - shift);
                lanes[lane] += chunk[lane];
            }
        }
        let mut total = lanes.iter().sum::<f32>();
        for x in whole.into_remainder() {
            *x = exp(*x - shift);
            total += *x;
        }
        total
    }

    /// Sum of `e^(x − shift)`.
    pub fn sum_exp(x: &[f32], shift: f32) -> f32 {
        sum_by(x.len(), |i| exp(x[i] - shift))
    }

    /// `x = e^(scale·x − shift)`.
    pub fn exp_scaled(x: &mut [f32], scale: f32, shift: f32) {
        for x in x {
            *x = exp(scale * *x - shift);
        }
    }

    /// `ds = p · (dp − mean) · scale`, written over `dp`: the backward of a softmax row.
    pub fn softmax_backward(dp: &mut [f32], p: &[f32], mean: f32, scale: f32) {
        for (dp, p) in dp.iter_mut().zip(p) {
            *dp = p * (*dp - mean) * scale;
        }
    }

    /// One AdamW update (Loshchilov and Hutter 2019) as `torch.optim.AdamW` does it; `c1`, `c2` are the bias corrections `1 − βᵗ`.
    pub fn adamw(p: &mut [f32], g: &[f32], m: &mut [f32], v: &mut [f32], step: &AdamStep) {
        for (((p, g), m), v) in p.iter_mut().zip(g).zip(m).zip(v) {
            let g = g * step.grad_scale;
            *m = step.beta1 * *m + (1.0 - step.beta1) * g;
            *v = step.beta2 * *v + (1.0 - step.beta2) * g * g;
            let denominator = v.sqrt() / step.c2.sqrt() + step.eps;
            *p = *p * (1.0 - step.lr * step.weight_decay) - step.lr / step.c1 * *m / denominator;
        }
    }
}

/// Numbers of one AdamW step.
#[derive(Clone, Copy, Debug)]
pub struct AdamStep {
    /// Learning rate.
    pub lr: f32,
    /// First-moment decay.
    pub beta1: f32,
    /// Second-moment decay.
    pub beta2: f32,
    /// Denominator floor.
    pub eps: f32,
    /// Decoupled weight decay.
    pub weight_decay: f32,
    /// `1 − beta1^t`.
    pub c1: f32,
    /// `1 − beta2^t`.
    pub c2: f32,
    /// Factor on the gradient (clipping).
    pub grad_scale: f32,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(n: usize, seed: f32) -> Vec<f32> {
        (0..n).map(|i| (i as f32 * 1.37 + seed).sin() * 2.5).collect()
    }

    fn close(a: &[f32], b: &[f32]) {
        assert_eq!(a.len(), b.len());
        for (i, (x, y)) in a.iter().zip(b).enumerate() {
            assert!((x - y).abs() <= 2e-5 * (1.0 + y.abs()), "element {i}: {x} is not {y}");
        }
    }

    #[test]
    fn dispatched_kernels_equal_portable_ones() {
        for n in [1, 7, 16, 33, 100] {
            let (a, b, c) = (numbers(n, 0.1), numbers(n, 0.7), numbers(n, 1.9));
            close(
                &[dot(&a, &b), sum_squares(&a), max(&a)],
                &[portable::dot(&a, &b), portable::sum_squares(&a), portable::max(&a)],
            );
            for (fast, slow) in [
                (silu_gate as fn(&mut [f32], &[f32], &[f32]), portable::silu_gate as fn(&mut [f32], &[f32], &[f32])),
                (gelu_gate, portable::gelu_gate),
            ] {
                let (mut x, mut y) = (c.clone(), c.clone());
                fast(&mut x, &a, &b);
                slow(&mut y, &a, &b);
                close(&x, &y);
            }
            let (mut x, mut y) = (c.clone(), c.clone());
            let sums = [exp_sum(&mut x, 0.5), portable::exp_sum(&mut y, 0.5)];
            close(&x, &y);
            close(&sums[..1], &sums[1..]);
        }
    }

    /// Central differences of `f` at `x` for each element.
    fn slopes(x: &[f32], f: impl Fn(&[f32]) -> f64) -> Vec<f32> {
        (0..x.len())
            .map(|i| {
                let at = |d: f32| {
                    let mut moved = x.to_vec();
                    moved[i] += d;
                    f(&moved)
                };
                ((at(1e-2) - at(-1e-2)) / 2e-2) as f32
            })
            .collect()
    }

    fn weighted(y: &[f32], dy: &[f32]) -> f64 {
        y.iter().zip(dy).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
    }

    fn near(got: &[f32], want: &[f32]) {
        for (x, y) in got.iter().zip(want) {
            assert!((x - y).abs() < 3e-3 * (1.0 + y.abs()), "{x} is not {y}");
        }
    }

    #[test]
    fn gate_gradients_match_finite_differences() {
        type Gate = (fn(&mut [f32], &[f32], &[f32]), fn(&[f32], &mut [f32], &mut [f32]));
        let gates: [Gate; 3] =
            [(silu_gate, silu_gate_backward), (gelu_gate, gelu_gate_backward), (relu_gate, relu_gate_backward)];
        let (g, u, dy) = (numbers(21, 0.3), numbers(21, 1.1), numbers(21, 2.2));
        for (forward, backward) in gates {
            let value = |g: &[f32], u: &[f32]| {
                let mut y = vec![0.0; g.len()];
                forward(&mut y, g, u);
                weighted(&y, &dy)
            };
            let (mut dg, mut du) = (g.clone(), u.clone());
            backward(&dy, &mut dg, &mut du);
            near(&dg, &slopes(&g, |g| value(g, &u)));
            near(&du, &slopes(&u, |u| value(&g, u)));
        }
    }

    #[test]
    fn rms_norm_gradient_matches_finite_differences() {
        let (x, w, dy) = (numbers(19, 0.4), numbers(19, 1.3), numbers(19, 2.8));
        let mut y = vec![0.0; 19];
        let rstd = rms_norm(&mut y, &x, &w, 1e-5);
        let mut dx = vec![0.0; 19];
        rms_norm_backward(&mut dx, &dy, &x, &w, rstd);
        near(
            &dx,
            &slopes(&x, |x| {
                let mut y = vec![0.0; 19];
                rms_norm(&mut y, x, &w, 1e-5);
                weighted(&y, &dy)
            }),
        );
    }

    #[test]
    fn rotation_is_inverted_by_negative_sign() {
        let x = numbers(8, 0.0);
        let (sin, cos): (Vec<f32>, Vec<f32>) = [0.3_f32, 1.0, 2.0, 4.0].iter().map(|a| a.sin_cos()).unzip();
        let mut y = x.clone();
        rotate(&mut y, &cos, &sin, 1.0);
        assert!((y[0] - (x[0] * cos[0] - x[4] * sin[0])).abs() < 1e-6);
        rotate(&mut y, &cos, &sin, -1.0);
        close(&y, &x);
    }
}
