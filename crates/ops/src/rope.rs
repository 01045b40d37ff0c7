use std::rc::Rc;

use graft_kernels::{pool, rows};

use crate::{Device, Tape, Tensor};

/// Cosines and sines of the rotation of each token: `(tokens, half)`, for the pairs `(i, i + half)` of a head's first
/// `2 · half` numbers.
#[derive(Clone, Debug)]
pub struct Rope {
    half: usize,
    cos: Vec<f32>,
    sin: Vec<f32>,
}

impl Rope {
    /// Rotations of tokens at `positions`; one inverse frequency per pair of head dimensions.
    #[must_use]
    pub fn new(inverse_frequencies: &[f32], positions: &[u32]) -> Self {
        let angles = positions.iter().flat_map(|&p| inverse_frequencies.iter().map(move |w| p as f32 * w));
        let (sin, cos) = angles.map(f32::sin_cos).unzip();
        Self { half: inverse_frequencies.len(), cos, sin }
    }

    /// The same rotations with a factor on the rotated elements (YaRN, Peng et al. 2023; LongRoPE, Ding et al. 2024).
    #[must_use]
    pub fn stretched(mut self, factor: f32) -> Self {
        self.cos.iter_mut().chain(&mut self.sin).for_each(|x| *x *= factor);
        self
    }

    /// Number of rotated pairs of a head.
    #[must_use]
    pub fn half(&self) -> usize {
        self.half
    }

    /// Cosines and sines, `(tokens, half)` each.
    #[must_use]
    pub fn angles(&self) -> (&[f32], &[f32]) {
        (&self.cos, &self.sin)
    }

    pub(crate) fn rotate(&self, x: &mut [f32], heads: usize, sign: f32) {
        let width = x.len() / (self.cos.len() / self.half.max(1)).max(1);
        let (dim, turned) = (width / heads, 2 * self.half);
        if x.is_empty() {
            return;
        }
        pool::for_each_chunk(x, 16 * width, |chunk, piece| {
            for (row, x) in piece.chunks_mut(width).enumerate() {
                let at = (chunk * 16 + row) * self.half;
                let (cos, sin) = (&self.cos[at..at + self.half], &self.sin[at..at + self.half]);
                x.chunks_mut(dim).for_each(|head| rows::rotate(&mut head[..turned], cos, sin, sign));
            }
        });
    }
}

impl<D: Device> Tape<'_, D> {
    /// Rotates each head of each row of `x (tokens, heads·dim)` by its position (RoPE, Su et al. 2021), or only its
    /// first elements if there are fewer angles.
    pub fn rope(&mut self, x: Tensor<D>, angles: &Rc<D::Angles>, heads: usize) -> Tensor<D> {
        let slot = x.slot;
        let mut y = x.into_matrix(self.device());
        self.device().rotate(&mut y, angles, heads, 1.0);
        let angles = Rc::clone(angles);
        self.push(y, slot.is_some(), move |mut dy, grads| {
            let Some(slot) = slot else { return };
            grads.device.rotate(&mut dy, &angles, heads, -1.0);
            grads.add(slot, dy);
        })
    }
}
