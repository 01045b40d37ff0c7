use std::{fmt::Debug, ops::Range};

use graft_kernels::{Sparse, pool, rows};

use crate::{AttentionLayer, Cpu, Device, Head, LoraRows, Matrix, Weight, attend, linear_groups};

/// Operations for generation with a KV cache, in addition to those for training. Nothing is recorded for a backward
/// pass.
pub trait Inference: Device {
    /// The KV cache: keys and values of earlier tokens for each attention layer.
    type Cache: Debug;

    /// Allocates a cache for `rows` tokens in `layers` layers, with keys and values of `width` numbers.
    fn cache(&self, layers: usize, rows: usize, width: usize) -> Self::Cache;

    /// Writes row `i` of `k` and `v` to row `rows[i]` of a layer.
    fn store(&self, cache: &mut Self::Cache, layer: usize, rows: &Self::Indices, k: &Self::Matrix, v: &Self::Matrix);

    /// Softmax attention of queries over the keys and values of a layer.
    fn attend(
        &self,
        q: &Self::Matrix,
        cache: &Self::Cache,
        layer: usize,
        attention: &AttentionLayer<Self>,
    ) -> Self::Matrix;

    /// Contents of some rows: layer after layer, keys before values.
    fn cached(&self, cache: &Self::Cache, rows: Range<usize>) -> Vec<f32>;

    /// Fills rows with what [`cached`](Self::cached) returned.
    fn fill(&self, cache: &mut Self::Cache, rows: Range<usize>, numbers: &[f32]);

    /// `y = x·Wᵀ` of all rows for each of `N` weights, plus each group's LoRA term on its rows. Groups don't overlap.
    fn linears<const N: usize>(&self, x: &Self::Matrix, layers: &[AdaptedWeight<'_, Self>; N]) -> [Self::Matrix; N];

    /// Logits `(rows, vocab)`.
    fn logits(&self, h: &Self::Matrix, head: &Head<'_, Self::Weight>) -> Self::Matrix;

    /// For each row of logits, the token with the largest one among those that the row's mask allows. A mask has one
    /// bit per token, 32 in a word from the lowest up; tokens beyond its end are not allowed.
    fn best(&self, logits: &Self::Matrix, masks: &[&[u32]]) -> Vec<Best>;
}

/// A weight with the LoRA terms of some rows of its input.
pub type AdaptedWeight<'w, D> = (&'w <D as Device>::Weight, Vec<LoraRows<<D as Device>::Param<'w>>>);

/// The most likely token of a row of logits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Best {
    /// The token, the first one on ties; `None` if none is allowed.
    pub token: Option<u32>,
    /// Natural logarithm of its probability among the allowed tokens; NaN if a logit is NaN.
    pub log_prob: f32,
}

/// The KV cache on the host.
#[derive(Debug)]
pub struct Cache {
    /// Keys and values `(rows, width)`.
    layers: Vec<[Sparse; 2]>,
    width: usize,
}

impl Inference for Cpu {
    type Cache = Cache;

    /// Memory is committed page by page, when a row is first written.
    fn cache(&self, layers: usize, rows: usize, width: usize) -> Cache {
        let layers = (0..layers).map(|_| [(); 2].map(|()| Sparse::zeros(rows * width))).collect();
        Cache { layers, width }
    }

    fn store(&self, cache: &mut Cache, layer: usize, rows: &[usize], k: &Matrix, v: &Matrix) {
        let width = cache.width;
        for (to, from) in cache.layers[layer].iter_mut().zip([k, v]) {
            for (index, row) in rows.iter().enumerate() {
                to[row * width..(row + 1) * width].copy_from_slice(from.row(index));
            }
        }
    }

    fn attend(&self, q: &Matrix, cache: &Cache, layer: usize, attention: &AttentionLayer) -> Matrix {
        let [keys, values] = &cache.layers[layer];
        attend(q, keys, values, attention)
    }

    fn cached(&self, cache: &Cache, rows: Range<usize>) -> Vec<f32> {
        let at = rows.start * cache.width..rows.end * cache.width;
        cache.layers.iter().flatten().flat_map(|of| &of[at.clone()]).copied().collect()
    }

    fn fill(&self, cache: &mut Cache, rows: Range<usize>, numbers: &[f32]) {
        let at = rows.start * cache.width..rows.end * cache.width;
        for (of, own) in cache.layers.iter_mut().flatten().zip(numbers.chunks(at.len().max(1))) {
            of[at.clone()].copy_from_slice(own);
        }
    }

    fn linears<const N: usize>(&self, x: &Matrix, layers: &[AdaptedWeight<'_, Self>; N]) -> [Matrix; N] {
        linear_groups(x, layers)
    }

    fn logits(&self, h: &Matrix, head: &Head<'_, Weight>) -> Matrix {
        let mut logits = Matrix::scratch(h.rows(), head.weight.rows());
        head.weight.forward(h.data(), logits.data_mut(), head.scale, &[]);
        if let Some(cap) = head.cap {
            pool::for_each_chunk(logits.data_mut(), 1 << 14, |_, piece| rows::soft_cap(piece, cap));
        }
        logits
    }

    fn best(&self, logits: &Matrix, masks: &[&[u32]]) -> Vec<Best> {
        let best = |(row, mask): (usize, &&[u32])| {
            let allows = |token: usize| mask.get(token / 32).is_some_and(|word| word >> (token % 32) & 1 == 1);
            let ids: Vec<u32> = (0..logits.cols() as u32).filter(|id| allows(*id as usize)).collect();
            let allowed: Vec<f32> = ids.iter().map(|id| logits.row(row)[*id as usize]).collect();
            let largest = rows::max(&allowed);
            let place = allowed.iter().position(|&logit| logit == largest && logit > f32::NEG_INFINITY);
            Best { token: place.map(|place| ids[place]), log_prob: -rows::sum_exp(&allowed, largest).ln() }
        };
        masks.iter().enumerate().map(best).collect()
    }
}
