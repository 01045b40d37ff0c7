use std::{
    error::Error,
    fmt::{self, Debug},
    ops::Range,
    rc::Rc,
};

use graft_kernels::rows::AdamStep;

use crate::{Activation, AttentionLayer, AttentionRange, Head, Lora, Matrix, ParamSet, Rope, Target, Weight};

/// A value with rows and columns.
pub trait Shaped {
    /// Number of rows.
    fn rows(&self) -> usize;

    /// Number of columns.
    fn cols(&self) -> usize;
}

/// The device that computes a model: coarse operations below the tape, with their gradients. Models and the tape are
/// written once; [`Cpu`](crate::Cpu) computes on the host, another crate on a GPU.
///
/// A device may work asynchronously. It then reports errors in [`status`](Device::status); until that call, results
/// after a failure are arbitrary.
pub trait Device: Clone + Debug + 'static {
    /// A matrix.
    type Matrix: Shaped + Debug;
    /// A frozen weight `(out, in)`.
    type Weight: Shaped + Debug;
    /// A frozen vector.
    type Vector: Debug;
    /// A mutable vector: gradients, moments.
    type Numbers: Debug;
    /// All trainable tensors of an adapter.
    type Params: Debug;
    /// One trainable tensor.
    type Param<'a>: Copy + Debug;
    /// An attention mask: which key rows each query row attends to.
    type Ranges: ?Sized + Debug;
    /// Indices of rows.
    type Indices: ?Sized + Debug;
    /// Rotary angles of a batch's rows.
    type Angles: Debug;
    /// What the backward of a linear layer with LoRA needs of the layer's input.
    type Kept: Debug;

    // Transfers to and from the device.

    /// Copies a weight to the device.
    fn weight(&self, weight: &Weight) -> Self::Weight;
    /// Copies a frozen vector to the device.
    fn vector(&self, numbers: &[f32]) -> Self::Vector;
    /// Moves a matrix to the device.
    fn matrix(&self, matrix: Matrix) -> Self::Matrix;
    /// Copies a matrix from the device.
    fn download(&self, matrix: &Self::Matrix) -> Matrix;
    /// Copies attention ranges to the device.
    fn ranges(&self, ranges: Rc<[AttentionRange]>) -> Rc<Self::Ranges>;
    /// Copies row indices to the device.
    fn indices(&self, indices: Rc<[usize]>) -> Rc<Self::Indices>;
    /// Copies angles to the device.
    fn angles(&self, rope: Rope) -> Rc<Self::Angles>;
    /// Copies an adapter's tensors to the device.
    fn params(&self, params: &ParamSet) -> Self::Params;
    /// The tensor with this index.
    fn param(params: &Self::Params, index: usize) -> Self::Param<'_>;
    /// Some rows of a tensor.
    fn rows(param: Self::Param<'_>, rows: Range<usize>) -> Self::Param<'_>;
    /// Copies all trainable parameters from the device.
    fn read_params(&self, params: &Self::Params, to: &mut [f32]);
    /// Overwrites all trainable parameters.
    fn write_params(&self, params: &mut Self::Params, from: &[f32]);
    /// Copies a vector to the device.
    fn numbers(&self, numbers: &[f32]) -> Self::Numbers;
    /// Copies a vector from the device.
    fn read(&self, numbers: &Self::Numbers) -> Vec<f32>;
    /// Sets all elements to zero.
    fn clear(&self, numbers: &mut Self::Numbers);
    /// Whether the operations since the last call succeeded, as far as the device has reported.
    ///
    /// # Errors
    /// The first error.
    fn status(&self) -> Result<(), DeviceError>;

    // Operations. An operation with the suffix `_backward` computes the gradient of the one without it.

    /// A matrix of zeros.
    fn zeros(&self, rows: usize, cols: usize) -> Self::Matrix;
    /// A copy.
    fn copy(&self, x: &Self::Matrix) -> Self::Matrix;
    /// Rows of a weight, such as an embedding table: (ids, in).
    fn gather(&self, weight: &Self::Weight, ids: &[u32]) -> Self::Matrix;
    /// `sum += x`.
    fn add(&self, sum: &mut Self::Matrix, x: &Self::Matrix);
    /// `x *= factor`.
    fn scale(&self, x: &mut Self::Matrix, factor: f32);
    /// `x = gain · x + bias` for each column of some rows; an empty vector changes nothing. Computed on the host, unless the
    /// device has something faster.
    fn adjust(&self, x: &mut Self::Matrix, rows: Range<usize>, gain: &[f32], bias: &[f32]) {
        let mut host = self.download(x);
        crate::elementwise::adjust(&mut host, rows, gain, bias);
        *x = self.matrix(host);
    }
    /// RMSNorm of each row or, if the weight is shorter than a row, of each piece of that length (head); also returns
    /// what the backward needs.
    fn rms_norm(&self, x: &Self::Matrix, weight: &Self::Vector, eps: f32) -> (Self::Matrix, Self::Matrix);
    /// Adds to `dx`.
    fn rms_norm_backward(
        &self,
        dx: &mut Self::Matrix,
        dy: &Self::Matrix,
        x: &Self::Matrix,
        weight: &Self::Vector,
        rstd: &Self::Matrix,
    );
    /// `activation(gate) · up`.
    fn gated(&self, activation: Activation, gate: &Self::Matrix, up: &Self::Matrix) -> Self::Matrix;
    /// Turns `gate` and `up` into their gradients.
    fn gated_backward(&self, activation: Activation, dy: &Self::Matrix, gate: &mut Self::Matrix, up: &mut Self::Matrix);
    /// `x = max(x, 0)`.
    fn relu(&self, x: &mut Self::Matrix);
    /// Turns `dy` into the input's gradient.
    fn relu_backward(&self, dy: &mut Self::Matrix, y: &Self::Matrix);
    /// Rotates each head of each row by its angles; `sign` −1 rotates back. If there are fewer angles than pairs, the
    /// rest of the head stays unchanged.
    fn rotate(&self, x: &mut Self::Matrix, angles: &Self::Angles, heads: usize, sign: f32);
    /// The rows with these indices.
    fn select(&self, x: &Self::Matrix, indices: &Self::Indices) -> Self::Matrix;
    /// Adds to `dx`.
    fn select_backward(&self, dx: &mut Self::Matrix, dy: &Self::Matrix, indices: &Self::Indices);
    /// Writes `prompt` over the rows of `x` that start at each of `places`.
    fn place(&self, x: &mut Self::Matrix, prompt: &Self::Param<'_>, places: &Self::Indices);
    /// Adds to the prompt's gradient.
    fn place_backward(
        &self,
        grads: &mut Self::Numbers,
        dy: &Self::Matrix,
        prompt: &Self::Param<'_>,
        places: &Self::Indices,
    );
    /// Softmax attention; also returns the log-sum-exp of each row.
    fn attention(
        &self,
        q: &Self::Matrix,
        k: &Self::Matrix,
        v: &Self::Matrix,
        layer: &AttentionLayer<Self>,
    ) -> (Self::Matrix, Self::Matrix);
    /// Gradients of `q`, `k` and `v`.
    fn attention_backward(
        &self,
        inputs: [&Self::Matrix; 3],
        out: &Self::Matrix,
        lse: &Self::Matrix,
        dout: &Self::Matrix,
        layer: &AttentionLayer<Self>,
    ) -> [Self::Matrix; 3];
    /// Keeps what the gradients of the LoRA need of a linear layer's input.
    fn keep(&self, x: &Rc<Self::Matrix>, dropout: bool) -> Self::Kept;
    /// `x·Wᵀ` plus the LoRA term; also returns LoRA's inner product (tokens, rank).
    fn linear(
        &self,
        x: &Self::Matrix,
        weight: &Self::Weight,
        lora: Option<&Lora<Self::Param<'_>>>,
    ) -> (Self::Matrix, Option<Self::Matrix>);
    /// Adds the input's gradient to `dx`, if given, and the gradients of the LoRA to theirs.
    fn linear_backward(
        &self,
        dy: &Self::Matrix,
        weight: &Self::Weight,
        dx: Option<Option<Self::Matrix>>,
        lora: Option<LayerGradients<'_, '_, Self>>,
    ) -> Option<Self::Matrix>;
    /// Cross-entropy through the output head without storing all logits: `h (targets, hidden)` holds only rows with
    /// loss. Returns each target's log-probability and, if requested, the gradient of `Σ weight · −log p` with respect
    /// to `h`.
    fn cross_entropy(
        &self,
        h: &Self::Matrix,
        head: &Head<'_, Self::Weight>,
        targets: &[Target],
        gradient: bool,
    ) -> (Vec<f32>, Option<Self::Matrix>);
    /// Updates `params` with `grads`, clipped to the norm `clip` (0: not clipped), and returns the norm before
    /// clipping. The gradient factor in `step` is ignored.
    fn adamw(
        &self,
        params: &mut Self::Params,
        grads: &Self::Numbers,
        m: &mut Self::Numbers,
        v: &mut Self::Numbers,
        step: &AdamStep,
        clip: f64,
    ) -> f64;
}

/// Inputs and output of the gradients of a LoRA.
#[derive(Debug)]
pub struct LayerGradients<'g, 'a, D: Device> {
    /// The layer's LoRA.
    pub lora: &'g Lora<D::Param<'a>>,
    /// What was kept of the layer's input.
    pub kept: &'g D::Kept,
    /// LoRA's inner product, as returned by [`Device::linear`].
    pub low: &'g D::Matrix,
    /// Gradients of all trainable parameters.
    pub grads: &'g mut D::Numbers,
}

/// Why an operation of a device failed.
#[derive(Debug)]
pub struct DeviceError {
    /// Whether less work at once might fit.
    pub out_of_memory: bool,
    /// What the user can do.
    pub hint: &'static str,
    /// The device's error.
    pub source: Box<dyn Error + Send + Sync>,
}

impl fmt::Display for DeviceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.source, f)
    }
}

impl Error for DeviceError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.source()
    }
}
