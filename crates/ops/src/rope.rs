use std::rc::Rc;

use graft_kernels::{pool, rows};

use crate::{Tape, Tensor};

/// Cosines and sines of rotary positions.
#[derive(Clone, Debug)]
pub struct Rope {
    half: usize,
    cos: Vec<f32>,
    sin: Vec<f32>,
}

impl Rope {
    /// Tables for positions `0..positions` from one inverse frequency for each pair of a head.
    #[must_use]
    pub fn new(inverse_frequencies: &[f32], positions: usize) -> Self {
        let angles = |f: fn(f32) -> f32| {
            (0..positions).flat_map(|p| inverse_frequencies.iter().map(move |w| f(p as f32 * w))).collect()
        };
        Self { half: inverse_frequencies.len(), cos: angles(f32::cos), sin: angles(f32::sin) }
    }

    fn turn(&self, x: &mut [f32], positions: &[u32], heads: usize, sign: f32) {
        let (dim, width) = (2 * self.half, heads * 2 * self.half);
        pool::for_each_chunk(x, 16 * width, |chunk, piece| {
            for (row, x) in piece.chunks_mut(width).enumerate() {
                let at = positions[chunk * 16 + row] as usize * self.half;
                let (cos, sin) = (&self.cos[at..at + self.half], &self.sin[at..at + self.half]);
                x.chunks_mut(dim).for_each(|head| rows::rotate(head, cos, sin, sign));
            }
        });
    }
}

impl<'a> Tape<'a> {
    /// Rotates each head of each row of `x (tokens, heads·dim)` by its position (RoPE).
    pub fn rope(&mut self, x: Tensor, rope: &'a Rope, positions: &Rc<[u32]>, heads: usize) -> Tensor {
        let slot = x.slot;
        let mut y = x.into_matrix();
        rope.turn(y.data_mut(), positions, heads, 1.0);
        let positions = Rc::clone(positions);
        self.push(y, slot.is_some(), move |mut dy, grads| {
            let Some(slot) = slot else { return };
            rope.turn(dy.data_mut(), &positions, heads, -1.0);
            grads.add(slot, dy);
        })
    }
}
