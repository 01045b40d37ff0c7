use graft_kernels::{Frozen, pool, rows};

use crate::Matrix;

/// A row of the hidden states with loss.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Target {
    /// The correct next token.
    pub token: u32,
    /// Weight of its loss.
    pub weight: f32,
}

/// The output head, which computes logits from hidden states: `cap · tanh(scale · h·Wᵀ / cap)`, or `scale · h·Wᵀ`
/// without a cap.
#[derive(Debug)]
pub struct Head<'w, W> {
    /// `(vocab, hidden)`, frozen.
    pub weight: &'w W,
    /// Factor on the logits.
    pub scale: f32,
    /// Soft cap of the logits (Gemma 2).
    pub cap: Option<f32>,
}

/// Most rows whose logits are in memory at the same time.
const ROWS: usize = 256;
/// Columns of a panel: the number of vocabulary entries whose logits, and then gradients, are computed while they are
/// in cache.
const PANEL: usize = 512;
/// Number of partial sums of the gradient over the vocabulary. A constant, so that the result does not depend on the
/// number of threads.
const SHARES: usize = 4;

/// Cross-entropy through the output head without storing all logits.
///
/// `h (targets, hidden)` holds only rows with loss. Returns each target's log-probability and, if requested, the
/// gradient of `Σ weight · −log p` with respect to `h`.
pub(crate) fn cross_entropy(
    h: &Matrix,
    head: &Head<'_, Frozen<'_>>,
    targets: &[Target],
    gradient: bool,
) -> (Vec<f32>, Option<Matrix>) {
    assert_eq!(h.rows(), targets.len(), "one target per row");
    let hidden = h.cols();
    let mut log_probs = Vec::with_capacity(targets.len());
    let mut dh = gradient.then(|| Matrix::scratch(h.rows(), hidden));
    let most = targets.len().div_ceil(targets.len().div_ceil(ROWS).max(1)).max(1);
    for (chunk, targets) in targets.chunks(most).enumerate() {
        let at = chunk * most * hidden..(chunk * most + targets.len()) * hidden;
        let vocab = head.weight.shape().0;
        let mut logits = Matrix::scratch(targets.len(), vocab);
        let sums = forward(&h.data()[at.clone()], head, &mut logits);
        for (row, (target, sum)) in targets.iter().zip(&sums).enumerate() {
            let (first, within) = (target.token as usize / PANEL * PANEL, target.token as usize % PANEL);
            let width = PANEL.min(vocab - first);
            log_probs.push(logits.data()[first * targets.len() + row * width + within] - sum);
        }
        if let Some(dh) = &mut dh {
            backward(&mut logits, head, targets, &sums, &mut dh.data_mut()[at]);
        }
    }
    (log_probs, dh)
}

/// Logits, panel after panel, each `(rows, panel)`; returns each row's log-sum-exp.
fn forward(h: &[f32], head: &Head<'_, Frozen<'_>>, logits: &mut Matrix) -> Vec<f32> {
    let (rows, vocab) = (logits.rows(), logits.cols());
    // Per panel and row: the largest logit and `Σ exp(logit − largest)`; combined into the log-sum-exp below.
    let input = head.weight.input(h, head.scale);
    let mut found = vec![(0.0_f32, 0.0_f32); vocab.div_ceil(PANEL) * rows];
    pool::for_each_chunks((logits.data_mut(), rows * PANEL), (&mut found, rows), |index, panel, found| {
        let width = panel.len() / rows;
        let first = index * PANEL;
        head.weight.rows(first..first + width).forward_input(&input, panel, &[]);
        if let Some(cap) = head.cap {
            rows::soft_cap(panel, cap);
        }
        for (row, found) in panel.chunks(width).zip(found) {
            let max = rows::max(row);
            *found = (max, rows::sum_exp(row, max));
        }
    });
    let of_row = |row: usize| found[row..].iter().step_by(rows);
    let log_sum = |row: usize| {
        let max = of_row(row).map(|(max, _)| *max).fold(f32::NEG_INFINITY, f32::max);
        max + of_row(row).map(|(own, sum)| (own - max).exp() * sum).sum::<f32>().ln()
    };
    (0..rows).map(log_sum).collect()
}

/// Replaces the logits by their gradient `weight · (softmax − onehot)` and multiplies it by the head: `dh (rows, hidden)`.
fn backward(logits: &mut Matrix, head: &Head<'_, Frozen<'_>>, targets: &[Target], sums: &[f32], dh: &mut [f32]) {
    let (rows, vocab, hidden) = (logits.rows(), logits.cols(), head.weight.shape().1);
    let panels = vocab.div_ceil(PANEL).div_ceil(SHARES);
    let shares = vocab.div_ceil(PANEL).div_ceil(panels);
    let mut parts = Matrix::scratch(shares, rows * hidden);
    let all = (logits.data_mut(), panels * rows * PANEL);
    pool::for_each_chunks(all, (parts.data_mut(), rows * hidden), |share, logits, part| {
        for (index, panel) in logits.chunks_mut(rows * PANEL).enumerate() {
            let (first, width) = ((share * panels + index) * PANEL, panel.len() / rows);
            for ((row, target), sum) in panel.chunks_mut(width).zip(targets).zip(sums) {
                let slopes = head.cap.map(|cap| {
                    let mut slopes = row.to_vec();
                    rows::soft_cap_slope(&mut slopes, cap);
                    slopes
                });
                rows::exp_scaled(row, 1.0, *sum);
                rows::scale(row, target.weight);
                if let Some(own) = (target.token as usize).checked_sub(first).and_then(|own| row.get_mut(own)) {
                    *own -= target.weight;
                }
                if let Some(slopes) = slopes {
                    rows::multiply(row, &slopes);
                }
            }
            head.weight.rows(first..first + width).backward(panel, part, head.scale, index > 0, &[]);
        }
    });
    dh.copy_from_slice(parts.row(0));
    (1..shares).for_each(|share| rows::add_assign(dh, parts.row(share)));
}
