use std::{ops::Range, rc::Rc};

use crate::{Device, Matrix, Shaped, Tape, Tensor, tape::unshared};

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

impl<'a, D: Device> Tape<'a, D> {
    /// `x + y`, same shapes.
    pub fn add(&mut self, x: &Tensor<D>, y: Tensor<D>) -> Tensor<D> {
        let (from_x, from_y) = (x.slot, y.slot);
        let mut sum = y.into_matrix(self.device());
        self.device().add(&mut sum, &x.value);
        self.push(sum, from_x.is_some() || from_y.is_some(), move |dy, grads| match (from_x, from_y) {
            (Some(x), Some(y)) => {
                grads.add(x, grads.device.copy(&dy));
                grads.add(y, dy);
            }
            (Some(one), None) | (None, Some(one)) => grads.add(one, dy),
            (None, None) => {}
        })
    }

    /// `factor · x`.
    pub fn scale(&mut self, x: Tensor<D>, factor: f32) -> Tensor<D> {
        let slot = x.slot;
        let mut y = x.into_matrix(self.device());
        self.device().scale(&mut y, factor);
        self.push(y, slot.is_some(), move |mut dy, grads| {
            let Some(slot) = slot else { return };
            grads.device.scale(&mut dy, factor);
            grads.add(slot, dy);
        })
    }

    /// RMSNorm of each row with the frozen `weight (cols)`, or of each piece (head) of the weight's length if it is
    /// shorter.
    pub fn rms_norm(&mut self, x: &Tensor<D>, weight: &'a D::Vector, eps: f32) -> Tensor<D> {
        let (y, rstd) = self.device().rms_norm(&x.value, weight, eps);
        let (slot, wanted) = (x.slot, x.slot.is_some());
        let x = Rc::clone(&x.value);
        self.push(y, wanted, move |dy, grads| {
            let Some(slot) = slot else { return };
            let device = grads.device;
            device.rms_norm_backward(grads.slot(slot, x.rows(), x.cols()), &dy, &x, weight, &rstd);
        })
    }

    /// `activation(gate) · up`.
    pub fn gated(&mut self, activation: Activation, gate: Tensor<D>, up: Tensor<D>) -> Tensor<D> {
        let (from_gate, from_up) = (gate.slot, up.slot);
        let y = self.device().gated(activation, &gate.value, &up.value);
        let wanted = from_gate.is_some() || from_up.is_some();
        let (gate, up) = (gate.value, up.value);
        self.push(y, wanted, move |dy, grads| {
            let (mut dgate, mut dup) = (unshared(gate, grads.device), unshared(up, grads.device));
            grads.device.gated_backward(activation, &dy, &mut dgate, &mut dup);
            if let Some(slot) = from_gate {
                grads.add(slot, dgate);
            }
            if let Some(slot) = from_up {
                grads.add(slot, dup);
            }
        })
    }

    /// `max(x, 0)`.
    pub fn relu(&mut self, x: Tensor<D>) -> Tensor<D> {
        let slot = x.slot;
        let mut y = x.into_matrix(self.device());
        self.device().relu(&mut y);
        let y = Rc::new(y);
        let kept = Rc::clone(&y);
        self.push_shared(y, slot.is_some(), move |mut dy, grads| {
            let Some(slot) = slot else { return };
            grads.device.relu_backward(&mut dy, &kept);
            grads.add(slot, dy);
        })
    }

    /// Writes the trainable rows `prompt` over the rows of `x` that start at each of `places`.
    pub fn place(&mut self, mut x: D::Matrix, prompt: D::Param<'a>, places: Rc<D::Indices>) -> Tensor<D> {
        self.device().place(&mut x, &prompt, &places);
        self.push(x, true, move |dy, grads| grads.device.place_backward(grads.params, &dy, &prompt, &places))
    }

    /// The rows of `x` with these indices, in this order.
    pub fn select(&mut self, x: &Tensor<D>, indices: Rc<D::Indices>) -> Tensor<D> {
        let (count, cols) = (x.value.rows(), x.value.cols());
        let y = self.device().select(&x.value, &indices);
        let slot = x.slot;
        self.push(y, slot.is_some(), move |dy, grads| {
            let Some(slot) = slot else { return };
            let device = grads.device;
            device.select_backward(grads.slot(slot, count, cols), &dy, &indices);
        })
    }
}

/// `x = gain · x + bias` for each column of some rows; an empty vector changes nothing.
pub(crate) fn adjust(x: &mut Matrix, rows: Range<usize>, gain: &[f32], bias: &[f32]) {
    let cols = x.cols();
    for row in x.data_mut()[rows.start * cols..rows.end * cols].chunks_exact_mut(cols) {
        row.iter_mut().zip(gain).for_each(|(x, gain)| *x *= gain);
        row.iter_mut().zip(bias).for_each(|(x, bias)| *x += bias);
    }
}
