use std::rc::Rc;

use crate::{Cpu, Device};

/// Index of a recorded value.
type Slot = usize;

/// A value, with its slot on the tape if it has a gradient.
#[derive(Debug)]
pub struct Tensor<D: Device = Cpu> {
    pub(crate) value: Rc<D::Matrix>,
    pub(crate) slot: Option<Slot>,
}

impl<D: Device> Clone for Tensor<D> {
    fn clone(&self) -> Self {
        Self { value: Rc::clone(&self.value), slot: self.slot }
    }
}

impl<D: Device> Tensor<D> {
    /// A value without a gradient.
    #[must_use]
    pub fn constant(value: D::Matrix) -> Self {
        Self { value: Rc::new(value), slot: None }
    }

    /// The numbers.
    #[must_use]
    pub fn value(&self) -> &D::Matrix {
        &self.value
    }

    /// The matrix itself if it is not shared, otherwise a copy.
    pub fn into_matrix(self, device: &D) -> D::Matrix {
        unshared(self.value, device)
    }
}

/// The matrix itself if it is not shared, otherwise a copy.
pub(crate) fn unshared<D: Device>(value: Rc<D::Matrix>, device: &D) -> D::Matrix {
    Rc::try_unwrap(value).unwrap_or_else(|shared| device.copy(&shared))
}

/// Backward of one operation: takes the gradient of its output and adds to the gradients of its inputs.
type Backward<'a, D> = Box<dyn FnOnce(<D as Device>::Matrix, &mut Grads<'_, D>) + 'a>;

/// Records operations for the backward pass.
pub struct Tape<'a, D: Device = Cpu> {
    steps: Vec<(Slot, Backward<'a, D>)>,
    slots: Slot,
    recording: bool,
    device: &'a D,
}

/// Gradients during the backward pass: of values not yet visited, and of the parameters.
pub struct Grads<'g, D: Device = Cpu> {
    values: Vec<Option<D::Matrix>>,
    pub(crate) params: &'g mut D::Numbers,
    pub(crate) device: &'g D,
}

impl<D: Device> Grads<'_, D> {
    /// Adds `gradient` to the gradient of `slot`.
    pub(crate) fn add(&mut self, slot: Slot, gradient: D::Matrix) {
        match &mut self.values[slot] {
            Some(sum) => self.device.add(sum, &gradient),
            empty => *empty = Some(gradient),
        }
    }

    /// The gradient of `slot` so far, for adding to it; zeros of the given shape if there is none yet.
    pub(crate) fn slot(&mut self, slot: Slot, rows: usize, cols: usize) -> &mut D::Matrix {
        self.values[slot].get_or_insert_with(|| self.device.zeros(rows, cols))
    }

    /// Removes and returns the gradient of `slot`.
    pub(crate) fn take(&mut self, slot: Slot) -> Option<D::Matrix> {
        self.values[slot].take()
    }
}

impl Tape<'_> {
    /// A tape for training on the host.
    #[must_use]
    pub fn new() -> Self {
        Self::on(&Cpu::F32)
    }

    /// A tape on the host that records nothing: for inference.
    #[must_use]
    pub fn frozen() -> Self {
        Self::frozen_on(&Cpu::F32)
    }
}

impl<'a, D: Device> Tape<'a, D> {
    /// A tape for training on a device.
    #[must_use]
    pub fn on(device: &'a D) -> Self {
        Self { steps: Vec::new(), slots: 0, recording: true, device }
    }

    /// A tape on a device that records nothing.
    #[must_use]
    pub fn frozen_on(device: &'a D) -> Self {
        Self { recording: false, ..Self::on(device) }
    }

    /// The device that computes its operations.
    #[must_use]
    pub fn device(&self) -> &'a D {
        self.device
    }

    /// Whether the tape records for a backward pass.
    #[must_use]
    pub fn recording(&self) -> bool {
        self.recording
    }

    /// Records `backward` and assigns `value` a slot, if it needs a gradient and the tape records.
    pub(crate) fn push(
        &mut self,
        value: D::Matrix,
        wanted: bool,
        backward: impl FnOnce(D::Matrix, &mut Grads<'_, D>) + 'a,
    ) -> Tensor<D> {
        self.push_shared(Rc::new(value), wanted, backward)
    }

    /// Like [`push`](Self::push) for a value that the backward also holds.
    pub(crate) fn push_shared(
        &mut self,
        value: Rc<D::Matrix>,
        wanted: bool,
        backward: impl FnOnce(D::Matrix, &mut Grads<'_, D>) + 'a,
    ) -> Tensor<D> {
        if !(wanted && self.recording) {
            return Tensor { value, slot: None };
        }
        let slot = self.slots;
        self.slots += 1;
        self.steps.push((slot, Box::new(backward)));
        Tensor { value, slot: Some(slot) }
    }

    /// Propagates `gradient` (of `output`, same shape) back through all recorded operations and adds the parameters'
    /// gradients to `params`. Consumes the tape: each step frees its activations after it has run.
    pub fn backward(self, output: &Tensor<D>, gradient: D::Matrix, params: &mut D::Numbers) {
        self.run_back(output, gradient, params);
    }

    /// Runs `block` without keeping its activations, and again in the backward pass (gradient checkpointing, Chen et
    /// al. 2016): the same gradients at the cost of one more forward. `block` must be deterministic.
    pub fn recomputed(&mut self, x: &Tensor<D>, block: impl Fn(&mut Self, &Tensor<D>) -> Tensor<D> + 'a) -> Tensor<D> {
        let device = self.device;
        let input = Tensor { value: Rc::clone(&x.value), slot: None };
        let output = block(&mut Self::frozen_on(device), &input);
        let (value, from) = (output.into_matrix(device), x.slot);
        self.push(value, true, move |dy, grads| {
            let mut inner = Self::on(device);
            let input = Tensor { value: input.value, slot: from.map(|_| 0) };
            inner.slots = 1;
            let output = block(&mut inner, &input);
            drop(input);
            if let Some(dx) = inner.run_back(&output, dy, grads.params)
                && let Some(from) = from
            {
                grads.add(from, dx);
            }
        })
    }

    /// The backward pass. Returns the gradient of slot 0 if no step took it: for a recomputed block that is its input.
    fn run_back(self, output: &Tensor<D>, gradient: D::Matrix, params: &mut D::Numbers) -> Option<D::Matrix> {
        let slot = output.slot?;
        let mut grads = Grads { values: Vec::new(), params, device: self.device };
        grads.values.resize_with(self.slots, || None);
        grads.values[slot] = Some(gradient);
        for (slot, step) in self.steps.into_iter().rev() {
            if let Some(gradient) = grads.take(slot) {
                step(gradient, &mut grads);
            }
        }
        grads.values.first_mut()?.take()
    }
}

impl Default for Tape<'_> {
    fn default() -> Self {
        Self::new()
    }
}
