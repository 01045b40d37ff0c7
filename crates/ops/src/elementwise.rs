use std::rc::Rc;

use graft_kernels::{pool, rows};

use crate::{Matrix, Param, Tape, Tensor};

/// Activation function of a gated layer's gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// `x · sigmoid(x)`.
    Silu,
    /// The tanh approximation of GELU (`gelu_new`).
    GeluTanh,
    /// `max(x, 0)`.
    Relu,
}

/// Numbers that one thread-pool task of an element-wise operation processes.
const CHUNK: usize = 1 << 14;

impl<'a> Tape<'a> {
    /// `x + y`, same shapes.
    pub fn add(&mut self, x: &Tensor, y: Tensor) -> Tensor {
        let (from_x, from_y) = (x.slot, y.slot);
        let mut sum = y.into_matrix();
        sum.add(&x.value);
        self.push(sum, from_x.is_some() || from_y.is_some(), move |dy, grads| match (from_x, from_y) {
            (Some(x), Some(y)) => {
                grads.add(x, dy.clone());
                grads.add(y, dy);
            }
            (Some(one), None) | (None, Some(one)) => grads.add(one, dy),
            (None, None) => {}
        })
    }

    /// RMSNorm of each row with the frozen `weight (cols)`.
    pub fn rms_norm(&mut self, x: &Tensor, weight: &'a [f32], eps: f32) -> Tensor {
        let (count, cols) = (x.value.rows(), x.value.cols());
        let mut y = Matrix::scratch(count, cols);
        let mut rstd = vec![0.0_f32; count];
        let per_task = (CHUNK / cols).max(1);
        let value: &Matrix = &x.value;
        pool::for_each_chunks((y.data_mut(), per_task * cols), (&mut rstd, per_task), |i, piece, rstd| {
            for (row, (out, rstd)) in piece.chunks_mut(cols).zip(rstd).enumerate() {
                *rstd = rows::rms_norm(out, value.row(i * per_task + row), weight, eps);
            }
        });
        let (slot, wanted) = (x.slot, x.slot.is_some());
        let x = Rc::clone(&x.value);
        self.push(y, wanted, move |dy, grads| {
            let Some(slot) = slot else { return };
            let dx = grads.slot(slot, count, cols);
            let x: &Matrix = &x;
            pool::for_each_chunk(dx.data_mut(), per_task * cols, |i, piece| {
                for (row, dx) in piece.chunks_mut(cols).enumerate() {
                    let row = i * per_task + row;
                    rows::rms_norm_backward(dx, dy.row(row), x.row(row), weight, rstd[row]);
                }
            });
        })
    }

    /// `activation(gate) · up`.
    pub fn gated(&mut self, activation: Activation, gate: Tensor, up: Tensor) -> Tensor {
        let (from_gate, from_up) = (gate.slot, up.slot);
        let mut y = Matrix::scratch(gate.value.rows(), gate.value.cols());
        let forward = match activation {
            Activation::Silu => rows::silu_gate,
            Activation::GeluTanh => rows::gelu_gate,
            Activation::Relu => rows::relu_gate,
        };
        let (g, u): (&Matrix, &Matrix) = (&gate.value, &up.value);
        pool::for_each_chunk(y.data_mut(), CHUNK, |i, piece| {
            let at = i * CHUNK..i * CHUNK + piece.len();
            forward(piece, &g.data()[at.clone()], &u.data()[at]);
        });
        let wanted = from_gate.is_some() || from_up.is_some();
        let (gate, up) = (gate.value, up.value);
        self.push(y, wanted, move |dy, grads| {
            let (mut dgate, mut dup) = (unshared(gate), unshared(up));
            let backward = match activation {
                Activation::Silu => rows::silu_gate_backward,
                Activation::GeluTanh => rows::gelu_gate_backward,
                Activation::Relu => rows::relu_gate_backward,
            };
            pool::for_each_chunks((dgate.data_mut(), CHUNK), (dup.data_mut(), CHUNK), |i, gate, up| {
                backward(&dy.data()[i * CHUNK..], gate, up);
            });
            if let Some(slot) = from_gate {
                grads.add(slot, dgate);
            }
            if let Some(slot) = from_up {
                grads.add(slot, dup);
            }
        })
    }

    /// `max(x, 0)`.
    pub fn relu(&mut self, x: Tensor) -> Tensor {
        let slot = x.slot;
        let mut y = x.into_matrix();
        pool::for_each_chunk(y.data_mut(), CHUNK, |_, piece| rows::relu(piece));
        let y = Rc::new(y);
        let kept = Rc::clone(&y);
        self.push_shared(y, slot.is_some(), move |mut dy, grads| {
            let Some(slot) = slot else { return };
            let y: &Matrix = &kept;
            pool::for_each_chunk(dy.data_mut(), CHUNK, |i, piece| {
                rows::relu_backward(piece, &y.data()[i * CHUNK..]);
            });
            grads.add(slot, dy);
        })
    }

    /// Writes the trainable rows `prompt` over the rows of `x` that start at each of `places`.
    pub fn place(&mut self, mut x: Matrix, prompt: Param<'a>, places: Rc<[usize]>) -> Tensor {
        let size = prompt.rows * prompt.cols;
        for &row in &*places {
            let start = row * prompt.cols;
            x.data_mut()[start..start + size].copy_from_slice(prompt.data);
        }
        self.push(x, true, move |dy, grads| {
            for &row in &*places {
                let start = row * prompt.cols;
                rows::add_assign(grads.param(&prompt), &dy.data()[start..start + size]);
            }
        })
    }

    /// The rows of `x` with these indices, in this order.
    pub fn select(&mut self, x: &Tensor, indices: Rc<[usize]>) -> Tensor {
        let (count, cols) = (x.value.rows(), x.value.cols());
        let mut y = Matrix::scratch(indices.len(), cols);
        for (row, &index) in indices.iter().enumerate() {
            y.row_mut(row).copy_from_slice(x.value.row(index));
        }
        let slot = x.slot;
        self.push(y, slot.is_some(), move |dy, grads| {
            let Some(slot) = slot else { return };
            let dx = grads.slot(slot, count, cols);
            for (row, &index) in indices.iter().enumerate() {
                rows::add_assign(dx.row_mut(index), dy.row(row));
            }
        })
    }
}

fn unshared(value: Rc<Matrix>) -> Matrix {
    Rc::try_unwrap(value).unwrap_or_else(|shared| (*shared).clone())
}
