use std::ops::Range;

use graft_kernels::{
    ViewMut,
    rows::{self, AdamStep},
};

use crate::Device;

/// All trainable parameters of an adapter in one flat buffer, with a name and a shape for each tensor.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ParamSet {
    data: Vec<f32>,
    entries: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq)]
struct Entry {
    name: String,
    rows: usize,
    cols: usize,
    start: usize,
}

/// A view of one trainable matrix.
#[derive(Clone, Copy, Debug)]
pub struct Param<'a> {
    /// The numbers, row by row.
    pub data: &'a [f32],
    /// Number of rows.
    pub rows: usize,
    /// Number of columns.
    pub cols: usize,
    start: usize,
}

impl Param<'_> {
    /// Some rows of the tensor.
    #[must_use]
    pub fn rows_of(self, rows: Range<usize>) -> Self {
        let (first, end) = (rows.start * self.cols, rows.end * self.cols);
        Self { data: &self.data[first..end], rows: rows.len(), start: self.start + first, ..self }
    }

    /// The position of its gradient in the flat gradient.
    pub(crate) fn range(&self) -> Range<usize> {
        self.start..self.start + self.data.len()
    }

    /// Its gradient.
    pub(crate) fn gradient<'g>(&self, grads: &'g mut [f32]) -> ViewMut<'g> {
        ViewMut::dense(&mut grads[self.range()], self.rows, self.cols)
    }
}

impl ParamSet {
    /// Adds a tensor and returns its index.
    ///
    /// # Panics
    /// If the length of `data` is not `rows · cols`.
    pub fn push(&mut self, name: String, rows: usize, cols: usize, data: &[f32]) -> usize {
        assert_eq!(data.len(), rows * cols, "parameter `{name}` has another size than its shape");
        self.entries.push(Entry { name, rows, cols, start: self.data.len() });
        self.data.extend_from_slice(data);
        self.entries.len() - 1
    }

    /// The tensor with this index.
    #[must_use]
    pub fn get(&self, index: usize) -> Param<'_> {
        let Entry { rows, cols, start, .. } = self.entries[index];
        Param { data: &self.data[start..start + rows * cols], rows, cols, start }
    }

    /// Names, shapes and numbers, in the order of insertion.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Param<'_>)> {
        self.entries.iter().enumerate().map(|(index, entry)| (entry.name.as_str(), self.get(index)))
    }

    /// Index of the tensor with this name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<usize> {
        self.entries.iter().position(|entry| entry.name == name)
    }

    /// All parameters.
    #[must_use]
    pub fn data(&self) -> &[f32] {
        &self.data
    }

    /// All parameters.
    pub fn data_mut(&mut self) -> &mut [f32] {
        &mut self.data
    }
}

/// AdamW over one flat buffer (Loshchilov and Hutter 2019; the same update as `torch.optim.AdamW`).
#[derive(Clone, Debug, PartialEq)]
pub struct Adam<N = Vec<f32>> {
    /// Steps taken.
    pub steps: u64,
    /// First moments.
    pub m: N,
    /// Second moments.
    pub v: N,
    /// First-moment decay.
    pub beta1: f64,
    /// Second-moment decay.
    pub beta2: f64,
    /// Denominator floor.
    pub eps: f64,
    /// Decoupled weight decay.
    pub weight_decay: f64,
}

impl Adam {
    /// An optimizer for `len` parameters.
    #[must_use]
    pub fn new(len: usize, beta1: f64, beta2: f64, eps: f64, weight_decay: f64) -> Self {
        Self { steps: 0, m: vec![0.0; len], v: vec![0.0; len], beta1, beta2, eps, weight_decay }
    }

    /// Updates `params` with `grads`, whose global norm is first clipped to `clip` (0: not clipped, as in
    /// `torch.nn.utils.clip_grad_norm_`). Returns the norm before clipping.
    pub fn step(&mut self, params: &mut [f32], grads: &[f32], lr: f64, clip: f64) -> f64 {
        let step = self.next(lr);
        clipped_step(params, grads, &mut self.m, &mut self.v, &step, clip)
    }

    /// Copies the optimizer to a device.
    pub fn upload<D: Device>(&self, device: &D) -> Adam<D::Numbers> {
        let Self { steps, ref m, ref v, beta1, beta2, eps, weight_decay } = *self;
        Adam { steps, m: device.numbers(m), v: device.numbers(v), beta1, beta2, eps, weight_decay }
    }
}

impl<N> Adam<N> {
    /// Copies the optimizer to the host.
    pub fn download<D: Device<Numbers = N>>(&self, device: &D) -> Adam {
        let Self { steps, ref m, ref v, beta1, beta2, eps, weight_decay } = *self;
        Adam { steps, m: device.read(m), v: device.read(v), beta1, beta2, eps, weight_decay }
    }

    /// [`step`](Adam::step) on a device.
    pub fn step_on<D: Device<Numbers = N>>(
        &mut self,
        device: &D,
        params: &mut D::Params,
        grads: &N,
        lr: f64,
        clip: f64,
    ) -> f64 {
        let step = self.next(lr);
        device.adamw(params, grads, &mut self.m, &mut self.v, &step, clip)
    }

    /// Constants of the next step.
    fn next(&mut self, lr: f64) -> AdamStep {
        self.steps += 1;
        let correction = |beta: f64| (1.0 - beta.powf(self.steps as f64)) as f32;
        AdamStep {
            lr: lr as f32,
            beta1: self.beta1 as f32,
            beta2: self.beta2 as f32,
            eps: self.eps as f32,
            weight_decay: self.weight_decay as f32,
            c1: correction(self.beta1),
            c2: correction(self.beta2),
            grad_scale: 1.0,
        }
    }
}

/// One update with a clipped gradient; returns the norm before clipping.
pub(crate) fn clipped_step(
    params: &mut [f32],
    grads: &[f32],
    m: &mut [f32],
    v: &mut [f32],
    step: &AdamStep,
    clip: f64,
) -> f64 {
    let norm = grads.chunks(4096).map(|c| f64::from(rows::sum_squares(c))).sum::<f64>().sqrt();
    let grad_scale = if clip > 0.0 { (clip / (norm + 1e-6)).min(1.0) } else { 1.0 };
    let step = AdamStep { grad_scale: grad_scale as f32, ..*step };
    rows::adamw(params, grads, m, v, &step);
    norm
}
