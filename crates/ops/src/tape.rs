use std::rc::Rc;

use crate::{Matrix, Param};

/// Index of a recorded value.
type Slot = usize;

/// A value, and its place on the tape if a gradient can reach it.
#[derive(Clone, Debug)]
pub struct Tensor {
    pub(crate) value: Rc<Matrix>,
    pub(crate) slot: Option<Slot>,
}

impl Tensor {
    /// A value that no gradient flows into.
    #[must_use]
    pub fn constant(value: Matrix) -> Self {
        Self { value: Rc::new(value), slot: None }
    }

    /// The numbers.
    #[must_use]
    pub fn value(&self) -> &Matrix {
        &self.value
    }

    /// The matrix itself if nobody else holds it, else a copy.
    pub(crate) fn into_matrix(self) -> Matrix {
        Rc::try_unwrap(self.value).unwrap_or_else(|shared| (*shared).clone())
    }
}

/// Backward of one operation: gets the gradient of its output and adds to those of its inputs.
type Backward<'a> = Box<dyn FnOnce(Matrix, &mut Grads<'_>) + 'a>;

/// Records operations so that gradients can flow back.
pub struct Tape<'a> {
    steps: Vec<(Slot, Backward<'a>)>,
    slots: Slot,
    recording: bool,
}

/// Gradients on their way back: of values still to be visited, and of the parameters.
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

    /// Takes the gradient of `slot` out, if there is one.
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

    /// Whether gradients will be asked for.
    #[must_use]
    pub fn recording(&self) -> bool {
        self.recording
    }

    /// Gives `value` a slot if `backward` is wanted.
    pub(crate) fn push(
        &mut self,
        value: Matrix,
        wanted: bool,
        backward: impl FnOnce(Matrix, &mut Grads<'_>) + 'a,
    ) -> Tensor {
        self.push_shared(Rc::new(value), wanted, backward)
    }

    /// Like [`push`](Self::push) for a value that the backward keeps too.
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

    /// Sends `gradient` (of `output`, same shape) back through everything recorded; parameter gradients are added
    /// to `params`. The tape is spent: each step frees what it held as it runs.
    pub fn backward(self, output: &Tensor, gradient: Matrix, params: &mut [f32]) {
        self.run_back(output, gradient, params);
    }

    /// Runs `block` without keeping its activations and runs it again in the backward pass (gradient checkpointing,
    /// Chen et al. 2016). Same gradients, one more forward. `block` must give the same result when repeated.
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

    /// The backward pass; returns the gradient of slot 0 where no step claims it: the input of a recomputed block.
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
