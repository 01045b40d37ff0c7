use std::rc::Rc;

use graft_kernels::{AttentionRange, Bias, Gradients, Heads, Inputs, attention, attention_backward};

use crate::{Matrix, Tape, Tensor};

/// Shape, mask and position bias of an attention layer.
#[derive(Clone, Debug)]
pub struct AttentionLayer {
    /// Shape.
    pub heads: Heads,
    /// The attention mask: which key rows each query row attends to.
    pub ranges: Rc<[AttentionRange]>,
    /// T5's position bias: the table `(heads, 2·reach − 1)` and `reach`, one more than the largest distance.
    pub bias: Option<(Rc<[f32]>, usize)>,
}

impl AttentionLayer {
    fn inputs<'i>(&'i self, q: &'i [f32], k: &'i [f32], v: &'i [f32]) -> Inputs<'i> {
        Inputs {
            q,
            k,
            v,
            ranges: &self.ranges,
            heads: self.heads,
            bias: self.bias.as_ref().map(|(table, reach)| Bias { table, reach: *reach }),
        }
    }
}

/// Attention without a tape, for inference over a KV cache: `q (queries, heads·dim)`, `k` and `v (keys, kv_heads·dim)`
/// give `(queries, heads·dim)`.
#[must_use]
pub fn attend(q: &Matrix, k: &[f32], v: &[f32], layer: &AttentionLayer) -> Matrix {
    let mut out = Matrix::scratch(q.rows(), q.cols());
    let mut lse = Matrix::scratch(q.rows(), layer.heads.heads);
    attention(&layer.inputs(q.data(), k, v), out.data_mut(), lse.data_mut());
    out
}

impl Tape<'_> {
    /// Softmax attention: `q (queries, heads·dim)`, `k` and `v (keys, kv_heads·dim)` give `(queries, heads·dim)`.
    pub fn attention(&mut self, q: &Tensor, k: &Tensor, v: &Tensor, layer: AttentionLayer) -> Tensor {
        let (queries, width) = (q.value.rows(), q.value.cols());
        let mut out = Matrix::scratch(queries, width);
        let mut lse = Matrix::scratch(queries, layer.heads.heads);
        attention(&layer.inputs(q.value.data(), k.value.data(), v.value.data()), out.data_mut(), lse.data_mut());
        let slots = [q.slot, k.slot, v.slot];
        let (q, k, v) = (Rc::clone(&q.value), Rc::clone(&k.value), Rc::clone(&v.value));
        let out = Rc::new(out);
        // The backward recomputes the scores from the log-sum-exp, so the attention matrix is never stored.
        let kept = Rc::clone(&out);
        self.push_shared(out, slots.iter().any(Option::is_some), move |dy, grads| {
            let mut dq = Matrix::scratch(queries, width);
            let (mut dk, mut dv) = (Matrix::zeros(k.rows(), k.cols()), Matrix::zeros(v.rows(), v.cols()));
            let to = Gradients { dq: dq.data_mut(), dk: dk.data_mut(), dv: dv.data_mut() };
            attention_backward(&layer.inputs(q.data(), k.data(), v.data()), kept.data(), lse.data(), dy.data(), to);
            for (slot, gradient) in slots.into_iter().zip([dq, dk, dv]) {
                if let Some(slot) = slot {
                    grads.add(slot, gradient);
                }
            }
        })
    }
}
