use std::rc::Rc;

use graft_kernels::{Bf16, Bias, Heads, Inputs, attention};

use crate::{Cpu, Device, Matrix, Tape, Tensor};

/// Shape, mask and position bias of an attention layer.
#[derive(Clone, Debug)]
pub struct AttentionLayer<D: Device = Cpu> {
    /// Shape.
    pub heads: Heads,
    /// The attention mask: which key rows each query row attends to.
    pub ranges: Rc<D::Ranges>,
    /// T5's position bias: the table `(heads, 2·reach − 1)` and `reach`, one more than the largest distance.
    pub bias: Option<(Rc<D::Vector>, usize)>,
    /// Sliding window: most keys that a query of a causal range attends to, including its own; `None` for all.
    pub window: Option<usize>,
    /// Scores become `cap · tanh(score / cap)`.
    pub cap: Option<f32>,
}

impl AttentionLayer {
    pub(crate) fn inputs<'i>(&'i self, q: &'i [f32], k: &'i [f32], v: &'i [f32], bf16: Option<Bf16>) -> Inputs<'i> {
        Inputs {
            bf16,
            q,
            k,
            v,
            ranges: &self.ranges,
            heads: self.heads,
            bias: self.bias.as_ref().map(|(table, reach)| Bias { table, reach: *reach }),
            window: self.window,
            cap: self.cap,
        }
    }
}

/// Attention without a tape, for inference over a KV cache: `q (queries, heads·dim)`, `k` and `v (keys, kv_heads·dim)`
/// give `(queries, heads·dim)`.
#[must_use]
pub fn attend(q: &Matrix, k: &[f32], v: &[f32], layer: &AttentionLayer) -> Matrix {
    let mut out = Matrix::scratch(q.rows(), q.cols());
    let mut lse = Matrix::scratch(q.rows(), layer.heads.heads);
    attention(&layer.inputs(q.data(), k, v, None), out.data_mut(), lse.data_mut());
    out
}

impl<D: Device> Tape<'_, D> {
    /// Softmax attention: `q (queries, heads·dim)`, `k` and `v (keys, kv_heads·dim)` give `(queries, heads·dim)`.
    pub fn attention(&mut self, q: &Tensor<D>, k: &Tensor<D>, v: &Tensor<D>, layer: AttentionLayer<D>) -> Tensor<D> {
        let (out, lse) = self.device().attention(&q.value, &k.value, &v.value, &layer);
        let slots = [q.slot, k.slot, v.slot];
        let (q, k, v) = (Rc::clone(&q.value), Rc::clone(&k.value), Rc::clone(&v.value));
        let out = Rc::new(out);
        // The backward recomputes the scores from the log-sum-exp, so the attention matrix is never stored.
        let kept = Rc::clone(&out);
        self.push_shared(out, slots.iter().any(Option::is_some), move |dy, grads| {
            let gradients = grads.device.attention_backward([&q, &k, &v], &kept, &lse, &dy, &layer);
            for (slot, gradient) in slots.into_iter().zip(gradients) {
                if let Some(slot) = slot {
                    grads.add(slot, gradient);
                }
            }
        })
    }
}
