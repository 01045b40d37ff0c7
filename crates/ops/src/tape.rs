use std::rc::Rc;

use crate::{Matrix, Param};

/// Index of a recorded value.
type Slot = usize;

/// A value, with its slot on the tape if a gradient flows to it.
#[derive(Clone, Debug)]
pub struct Tensor {
    pub(crate) value: Rc<Matrix>,
    pub(crate) slot: Option<Slot>,
}

impl Tensor {
    /// A value without a gradient.
    #[must_use]
    pub fn constant(value: Matrix) -> Self {
        Self { value: Rc::new(value), slot: None }
    }

    /// The numbers.
    #[must_use]
    pub fn value(&self) -> &Matrix {
        &self.value
    }

    /// The matrix itself if it is not shared, otherwise a copy.
    pub(crate) fn into_matrix(self) -> Matrix {
        Rc::try_unwrap(self.value).unwrap_or_else(|shared| (*shared).clone())
    }
}

/// Backward of one operation: takes the gradient of its output and adds to the gradients of its inputs.
type Backward<'a> = Box<dyn FnOnce(Matrix, &mut Grads<'_>) + 'a>;

/// Records operations for the backward pass.
pub struct Tape<'a> {
    steps: Vec<(Slot, Backward<'a>)>,
    slots: Slot,
    recording: bool,
}

/// Gradients during the backward pass: of values not yet visited, and of the parameters.
pub struct Grads<'g> {
    values: Vec<Option<Matrix>>,
    params: &'g mut [f32],
}

impl Grads<'_> {
    /// Adds `gradient` to that of `slot`.
    pub(crate) fn add(&mut self, slot: Slot, gradient: Matrix) {
        match &mut self.values[slot] {
            Some(sum) => sum.add(&gradient),
            empty => *empty = Some(gradient),
        }
    }

    /// The gradient of `slot` so far, to add to; zeros of the given shape if there is none yet.
    pub(crate) fn slot(&mut self, slot: Slot, rows: usize, cols: usize) -> &mut Matrix {
        self.values[slot].get_or_insert_with(|| Matrix::zeros(rows, cols))
    }

    /// Removes and returns the gradient of `slot`.
    pub(crate) fn take(&mut self, slot: Slot) -> Option<Matrix> {
        self.values[slot].take()
    }

    /// The gradient of a parameter.
    pub(crate) fn param(&mut self, param: &Param<'_>) -> &mut [f32] {
        &mut self.params[param.range()]
    }
}

impl<'a> Tape<'a> {
    /// A tape for training.
    #[must_use]
    pub fn new() -> Self {
        Self { steps: Vec::new(), slots: 0, recording: true }
    }

    /// A tape that records nothing: for inference.
    #[must_use]
    pub fn frozen() -> Self {
        Self { steps: Vec::new(), slots: 0, recording: false }
    }

    /// Whether the tape records for a backward pass.
    #[must_use]
    pub fn recording(&self) -> bool {
        self.recording
    }

    /// Records `backward` and assigns `value` a slot, if a gradient is wanted and the tape records.
    pub(crate) fn push(
        &mut self,
        value: Matrix,
        wanted: bool,
        backward: impl FnOnce(Matrix, &mut Grads<'_>) + 'a,
    ) -> Tensor {
        self.push_shared(Rc::new(value), wanted, backward)
    }

    /// Like [`push`](Self::push) for a value that the backward also holds.
    pub(crate) fn push_shared(
        &mut self,
        value: Rc<Matrix>,
        wanted: bool,
        backward: impl FnOnce(Matrix, &mut Grads<'_>) + 'a,
    ) -> Tensor {
        if !(wanted && self.recording) {
            return Tensor { value, slot: None };
        }
        let slot = self.slots;
        self.slots += 1;
        self.steps.push((slot, Box::new(backward)));
        Tensor { value, slot: Some(slot) }
    }

    /// Propagates `gradient` (of `output`, same shape) back through all recorded operations and adds the parameters'
    /// gradients to `params`. Consumes the tape: each step frees its activations when it has run.
    pub fn backward(self, output: &Tensor, gradient: Matrix, params: &mut [f32]) {
        self.run_back(output, gradient, params);
    }

    /// Runs `block` without keeping its activations, and again in the backward pass (gradient checkpointing, Chen et al.
    /// 2016): the same gradients for one more forward. `block` must be deterministic.
    pub fn recomputed(&mut self, x: &Tensor, block: impl Fn(&mut Tape<'a>, &Tensor) -> Tensor + 'a) -> Tensor {
        let input = Tensor { value: Rc::clone(&x.value), slot: None };
        let output = block(&mut Tape::frozen(), &input);
        let (value, from) = (output.into_matrix(), x.slot);
        self.push(value, true, move |dy, grads| {
            let mut inner = Tape::new();
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
    fn run_back(self, output: &Tensor, gradient: Matrix, params: &mut [f32]) -> Option<Matrix> {
        let slot = output.slot?;
        let mut grads = Grads { values: Vec::new(), params };
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
