use std::rc::Rc;

use graft_kernels::{pool, rows};

use crate::{Tape, Tensor};

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

    fn rotate(&self, x: &mut [f32], heads: usize, sign: f32) {
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

impl Tape<'_> {
    /// Rotates each head of each row of `x (tokens, heads·dim)` by its position (RoPE, Su et al. 2021).
    pub fn rope(&mut self, x: Tensor, rope: &Rc<Rope>, heads: usize) -> Tensor {
        let slot = x.slot;
        let mut y = x.into_matrix();
        rope.rotate(y.data_mut(), heads, 1.0);
        let rope = Rc::clone(rope);
        self.push(y, slot.is_some(), move |mut dy, grads| {
            let Some(slot) = slot else { return };
            rope.rotate(dy.data_mut(), heads, -1.0);
            grads.add(slot, dy);
        })
    }
}
