use graft_kernels::{pool, rows};

use crate::{Matrix, Weight};

/// A row of the hidden states that carries loss.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Target {
    /// The token that should come next.
    pub token: u32,
    /// Weight of its loss.
    pub weight: f32,
}

/// Rows whose logits exist at the same time.
const ROWS: usize = 192;

/// Cross-entropy through the output head without ever holding all logits.
///
/// `h (targets, hidden)` holds only rows that carry loss; `head (vocab, hidden)` is frozen and its logits are scaled by
/// `scale`. Returns each target's log-probability, and, if asked, the gradient of `Σ weight · −log p` by `h`.
#[must_use]
pub fn cross_entropy(
    h: &Matrix,
    head: &Weight,
    scale: f32,
    targets: &[Target],
    gradient: bool,
) -> (Vec<f32>, Option<Matrix>) {
    assert_eq!(h.rows(), targets.len(), "one target a row");
    let (hidden, vocab) = (h.cols(), head.rows());
    let mut log_probs = vec![0.0_f32; targets.len()];
    let mut dh = gradient.then(|| Matrix::scratch(h.rows(), hidden));
    for (chunk, targets) in targets.chunks(ROWS).enumerate() {
        let first = chunk * ROWS;
        let mut logits = Matrix::scratch(targets.len(), vocab);
        let h = &h.data()[first * hidden..(first + targets.len()) * hidden];
        head.forward(h, logits.data_mut(), scale);
        let found = &mut log_probs[first..first + targets.len()];
        pool::for_each_chunks((logits.data_mut(), 4 * vocab), (found, 4), |i, piece, found| {
            for (row, (logits, found)) in piece.chunks_mut(vocab).zip(found).enumerate() {
                *found = softmax_gradient(logits, targets[i * 4 + row], gradient);
            }
        });
        if let Some(dh) = &mut dh {
            let dh = &mut dh.data_mut()[first * hidden..(first + targets.len()) * hidden];
            head.backward(logits.data(), dh, scale, false);
        }
    }
    (log_probs, dh)
}

/// Turns a row of logits into `weight · (softmax − onehot)` if asked; returns the target's log-probability.
fn softmax_gradient(logits: &mut [f32], target: Target, gradient: bool) -> f32 {
    let wanted = logits[target.token as usize];
    let max = rows::max(logits);
    let sum = rows::exp_sum(logits, max);
    if gradient {
        rows::scale(logits, target.weight / sum);
        logits[target.token as usize] -= target.weight;
    }
    wanted - max - sum.ln()
}
