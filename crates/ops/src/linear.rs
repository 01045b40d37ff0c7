use std::ops::Range;

use graft_kernels::{Frozen, LowRank, Product, View, ViewMut, forward_all, pool};

use crate::{AdaptedWeight, Cpu, Device, LayerGradients, Matrix, Param, Tape, Tensor};

/// The trainable part of a linear layer: `y += scale · dropout(x)·Aᵀ·Bᵀ` (Hu et al. 2021).
#[derive(Clone, Copy, Debug)]
pub struct Lora<P> {
    /// `(rank, in)`.
    pub a: P,
    /// `(out, rank)`.
    pub b: P,
    /// `alpha / rank`, or a variant of it.
    pub scale: f32,
    /// Dropout of the input, in training.
    pub dropout: Option<Dropout>,
}

/// Dropout whose mask is a function of seed and position, so the backward recomputes it instead of storing it.
#[derive(Clone, Copy, Debug)]
pub struct Dropout {
    /// Fraction of the inputs set to zero; the others are divided by one minus it.
    pub rate: f32,
    /// Different for every layer and step.
    pub seed: u64,
}

impl Dropout {
    /// Factor on the values that are kept.
    #[must_use]
    pub fn keep(self) -> f32 {
        1.0 / (1.0 - self.rate)
    }

    /// Elements whose 32 random bits are below this are dropped.
    #[must_use]
    pub fn threshold(self) -> u32 {
        (f64::from(self.rate) * f64::from(u32::MAX)) as u32
    }

    pub(crate) fn apply(self, x: &mut Matrix) {
        let cols = x.cols();
        let (keep, threshold) = (self.keep(), self.threshold());
        pool::for_each_chunk(x.data_mut(), 64 * cols, |chunk, piece| {
            let base = (chunk * 64 * cols) as u32;
            let (low, high) = (self.seed as u32, (self.seed >> 32) as u32);
            for (i, x) in piece.iter_mut().enumerate() {
                let kept = mix(base.wrapping_add(i as u32) ^ low, high) >= threshold;
                *x *= if kept { keep } else { 0.0 };
            }
        });
    }
}

/// Two rounds of a 32-bit finalizer (lowbias32, Wellons 2018). `graft_core::random` is not used: here each element's
/// random number depends on its position alone, in any order and on any number of threads, and a GPU computes it in a
/// few instructions.
fn mix(x: u32, key: u32) -> u32 {
    let round = |mut x: u32| {
        x = (x ^ (x >> 16)).wrapping_mul(0x7feb_352d);
        x = (x ^ (x >> 15)).wrapping_mul(0x846c_a68b);
        x ^ (x >> 16)
    };
    round(round(x).wrapping_add(key))
}

impl<'a, D: Device> Tape<'a, D> {
    /// `y = x·Wᵀ + scale · dropout(x)·Aᵀ·Bᵀ`: `x (tokens, in)`, `y (tokens, out)`. The frozen `W` has no gradient, so
    /// the backward of the large product is one product instead of two.
    pub fn linear(&mut self, x: &Tensor<D>, weight: &'a D::Weight, lora: Option<Lora<D::Param<'a>>>) -> Tensor<D> {
        let (y, low) = self.device().linear(&x.value, weight, lora.as_ref());
        let (slot, wanted) = (x.slot, x.slot.is_some() || lora.is_some());
        let dropout = |lora: Lora<D::Param<'a>>| self.device().keep(&x.value, lora.dropout.is_some());
        let kept = lora.filter(|_| self.recording()).map(dropout);
        self.push(y, wanted, move |dy, grads| {
            let dx = slot.map(|slot| grads.take(slot));
            let (device, params) = (grads.device, &mut *grads.params);
            let lora = match (&lora, &kept, &low) {
                (Some(lora), Some(kept), Some(low)) => Some(LayerGradients { lora, kept, low, grads: params }),
                _ => None,
            };
            let dx = device.linear_backward(&dy, weight, dx, lora);
            if let (Some(slot), Some(dx)) = (slot, dx) {
                grads.add(slot, dx);
            }
        })
    }
}

/// The LoRA term of some packed rows.
#[derive(Clone, Debug)]
pub struct LoraRows<P> {
    /// The rows.
    pub rows: Range<usize>,
    /// The weights; dropout is ignored.
    pub lora: Lora<P>,
}

/// `y = x·Wᵀ` of all rows for each of `N` weights, plus each group's LoRA term on its rows. Groups don't overlap, and no
/// gradient is recorded.
#[must_use]
pub fn linear_groups<const N: usize>(x: &Matrix, layers: &[AdaptedWeight<'_, Cpu>; N]) -> [Matrix; N] {
    let groups: Vec<&LoraRows<Param<'_>>> = layers.iter().flat_map(|(_, groups)| groups).collect();
    let mut low: Vec<Option<Matrix>> = vec![None; groups.len()];
    pool::for_each_chunk(&mut low, 1, |index, low| {
        low[0] = Some(project_down(x, groups[index].rows.clone(), &groups[index].lora));
    });
    let mut results = layers.each_ref().map(|(weight, _)| Matrix::scratch(x.rows(), weight.rows()));
    let mut added = groups.iter().zip(low.iter().flatten()).map(|(of, h)| up_term(&of.lora, of.rows.clone(), h));
    let mut products: Vec<Product<'_>> = Vec::with_capacity(layers.len());
    for ((weight, groups), y) in layers.iter().zip(&mut results) {
        let added = added.by_ref().take(groups.len()).collect();
        products.push(Product { weight: weight.frozen(), y: y.data_mut(), added });
    }
    forward_all(x.data(), &mut products);
    results
}

/// `h = x·Aᵀ` of some rows: `(rows, rank)`.
fn project_down(x: &Matrix, rows: Range<usize>, lora: &Lora<Param<'_>>) -> Matrix {
    let mut h = Matrix::scratch(rows.len(), lora.a.rows);
    let x = &x.data()[rows.start * x.cols()..rows.end * x.cols()];
    factor(&lora.a).forward(x, h.data_mut(), 1.0, &[]);
    h
}

/// The term `scale · h·Bᵀ` of some rows of `y`.
pub(crate) fn up_term<'a>(lora: &Lora<Param<'a>>, tokens: Range<usize>, h: &'a Matrix) -> LowRank<'a> {
    LowRank { tokens, input: h.data(), factor: lora.b.data, rank: lora.b.cols, scale: lora.scale }
}

/// The term `dh·A` of `dx`.
pub(crate) fn input_gradient_term<'a>(lora: &Lora<Param<'a>>, dh: &'a Matrix) -> LowRank<'a> {
    LowRank { tokens: 0..dh.rows(), input: dh.data(), factor: lora.a.data, rank: lora.a.rows, scale: 1.0 }
}

/// A copy of the input with dropout, if there is any.
pub(crate) fn dropped(x: &Matrix, dropout: Option<Dropout>) -> Option<Matrix> {
    let dropout = dropout?;
    let mut copy = x.clone();
    dropout.apply(&mut copy);
    Some(copy)
}

pub(crate) fn dense(m: &Matrix) -> View<'_> {
    View::dense(m.data(), m.rows(), m.cols())
}

pub(crate) fn dense_mut(m: &mut Matrix) -> ViewMut<'_> {
    let (rows, cols) = (m.rows(), m.cols());
    ViewMut::dense(m.data_mut(), rows, cols)
}

/// A factor of a LoRA as an operand of products.
pub(crate) fn factor<'p>(p: &Param<'p>) -> Frozen<'p> {
    Frozen::plain(p.rows, p.cols, p.data)
}

pub(crate) fn param<'p>(p: &Param<'p>) -> View<'p> {
    View::dense(p.data, p.rows, p.cols)
}
