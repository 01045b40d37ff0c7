use std::rc::Rc;

use graft_kernels::{pool, rows};

use crate::{Device, Tape, Tensor};

/// Cosines and sines of the rotation of each token: `(tokens, head_dim / 2)`.
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

    /// Half the dimensions of a head: its pairs.
    #[must_use]
    pub fn half(&self) -> usize {
        self.half
    }

    /// Cosines and sines, `(tokens, head_dim / 2)` each.
    #[must_use]
    pub fn angles(&self) -> (&[f32], &[f32]) {
        (&self.cos, &self.sin)
    }

    pub(crate) fn rotate(&self, x: &mut [f32], heads: usize, sign: f32) {
        let (dim, width) = (2 * self.half, heads * 2 * self.half);
        pool::for_each_chunk(x, 16 * width, |chunk, piece| {
            for (row, x) in piece.chunks_mut(width).enumerate() {
                let at = (chunk * 16 + row) * self.half;
                let (cos, sin) = (&self.cos[at..at + self.half], &self.sin[at..at + self.half]);
                x.chunks_mut(dim).for_each(|head| rows::rotate(head, cos, sin, sign));
            }
        });
    }
}

impl<D: Device> Tape<'_, D> {
    /// Rotates each head of each row of `x (tokens, heads·dim)` by its position (RoPE, Su et al. 2021).
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
