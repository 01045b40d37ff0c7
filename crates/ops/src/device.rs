use std::{
    error::Error,
    fmt::{self, Debug},
    ops::Range,
    rc::Rc,
};

use graft_kernels::rows::AdamStep;

use crate::{Activation, AttentionLayer, AttentionRange, Head, Lora, Matrix, ParamSet, Rope, Target, Weight};

/// Something with rows and columns.
pub trait Shaped {
    /// Number of rows.
    fn rows(&self) -> usize;

    /// Number of columns.
    fn cols(&self) -> usize;
}

/// Where a model computes: the coarse operations below the tape, with their gradients. Models and the tape are written
/// once; [`Cpu`](crate::Cpu) computes on the host, another crate on a GPU.
///
/// A device may work behind its caller and then reports what went wrong at [`status`](Device::status); until then results
/// after a failure are arbitrary.
pub trait Device: Clone + Debug + 'static {
    /// Rows of numbers.
    type Matrix: Shaped + Debug;
    /// A frozen weight `(out, in)`.
    type Weight: Shaped + Debug;
    /// A frozen row of numbers.
    type Vector: Debug;
    /// A flat row of numbers that change: gradients, moments.
    type Numbers: Debug;
    /// All trainable tensors of an adapter.
    type Params: Debug;
    /// One of them.
    type Param<'a>: Copy + Debug;
    /// An attention mask: which key rows each query row attends to.
    type Ranges: ?Sized + Debug;
    /// Indices of rows.
    type Indices: ?Sized + Debug;
    /// Angles of a batch's rows, for rotary positions.
    type Angles: Debug;
    /// What the backward of a linear layer with LoRA keeps of its input.
    type Kept: Debug;

    // What goes to the device and comes back.

    /// A weight on this device.
    fn weight(&self, weight: &Weight) -> Self::Weight;
    /// A frozen row of numbers on this device.
    fn vector(&self, numbers: &[f32]) -> Self::Vector;
    /// A matrix on this device.
    fn matrix(&self, matrix: Matrix) -> Self::Matrix;
    /// A matrix from the device.
    fn download(&self, matrix: &Self::Matrix) -> Matrix;
    /// Attention ranges on this device.
    fn ranges(&self, ranges: Rc<[AttentionRange]>) -> Rc<Self::Ranges>;
    /// Row indices on this device.
    fn indices(&self, indices: Rc<[usize]>) -> Rc<Self::Indices>;
    /// Angles on this device.
    fn angles(&self, rope: Rope) -> Rc<Self::Angles>;
    /// An adapter's tensors on this device.
    fn params(&self, params: &ParamSet) -> Self::Params;
    /// The tensor with an index.
    fn param(params: &Self::Params, index: usize) -> Self::Param<'_>;
    /// Some rows of a tensor.
    fn rows(param: Self::Param<'_>, rows: Range<usize>) -> Self::Param<'_>;
    /// Copies all trainable numbers from the device.
    fn read_params(&self, params: &Self::Params, to: &mut [f32]);
    /// Overwrites all trainable numbers.
    fn write_params(&self, params: &mut Self::Params, from: &[f32]);
    /// A row of numbers on this device.
    fn numbers(&self, numbers: &[f32]) -> Self::Numbers;
    /// A row of numbers from the device.
    fn read(&self, numbers: &Self::Numbers) -> Vec<f32>;
    /// Sets all numbers to zero.
    fn clear(&self, numbers: &mut Self::Numbers);
    /// Whether everything asked for since the last call could be done.
    ///
    /// # Errors
    /// The first thing that could not.
    fn status(&self) -> Result<(), DeviceError>;

    // Operations; `_backward` gives the gradient of the operation it is named after.

    /// A matrix of zeros.
    fn zeros(&self, rows: usize, cols: usize) -> Self::Matrix;
    /// The same numbers again.
    fn copy(&self, x: &Self::Matrix) -> Self::Matrix;
    /// Rows of a weight, as of an embedding table: `(ids, in)`.
    fn gather(&self, weight: &Self::Weight, ids: &[u32]) -> Self::Matrix;
    /// `sum += x`.
    fn add(&self, sum: &mut Self::Matrix, x: &Self::Matrix);
    /// `x *= factor`.
    fn scale(&self, x: &mut Self::Matrix, factor: f32);
    /// RMSNorm of each row or, where the weight is shorter than a row, of each of its pieces (heads); with what its
    /// backward needs.
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
    /// Rotates each head of each row by its angles; `sign` −1 turns back. Where there are fewer angles than pairs, the rest
    /// of the head stays as it is.
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
    /// Softmax attention and the log-sum-exp of each row.
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
    /// What to keep of a linear layer's input for the gradients of its LoRA.
    fn keep(&self, x: &Rc<Self::Matrix>, dropout: bool) -> Self::Kept;
    /// `x·Wᵀ` with the LoRA's term; and LoRA's inner product `(tokens, rank)`.
    fn linear(
        &self,
        x: &Self::Matrix,
        weight: &Self::Weight,
        lora: Option<&Lora<Self::Param<'_>>>,
    ) -> (Self::Matrix, Option<Self::Matrix>);
    /// The input's gradient if `dx` asks for it, added to what it holds; adds to the gradients of the LoRA.
    fn linear_backward(
        &self,
        dy: &Self::Matrix,
        weight: &Self::Weight,
        dx: Option<Option<Self::Matrix>>,
        lora: Option<LayerGradients<'_, '_, Self>>,
    ) -> Option<Self::Matrix>;
    /// Cross-entropy through the output head without storing all logits: `h (targets, hidden)` holds only rows that carry
    /// loss. Returns each target's log-probability, and, if asked, the gradient of `Σ weight · −log p` by `h`.
    fn cross_entropy(
        &self,
        h: &Self::Matrix,
        head: &Head<'_, Self::Weight>,
        targets: &[Target],
        gradient: bool,
    ) -> (Vec<f32>, Option<Self::Matrix>);
    /// Updates `params` by `grads`, whose norm is first clipped to `clip` (0: not), and returns the norm before that. The
    /// factor on the gradient in `step` is ignored.
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

/// What the gradients of a LoRA are computed from, and where they go.
#[derive(Debug)]
pub struct LayerGradients<'g, 'a, D: Device> {
    /// The layer's LoRA.
    pub lora: &'g Lora<D::Param<'a>>,
    /// The layer's input.
    pub kept: &'g D::Kept,
    /// What [`Device::linear`] gave beside its output.
    pub low: &'g D::Matrix,
    /// Gradients of all trainable numbers.
    pub grads: &'g mut D::Numbers,
}

/// Why a device could not do what it was asked.
#[derive(Debug)]
pub struct DeviceError {
    /// Whether less work at once might fit.
    pub out_of_memory: bool,
    /// What the user can do.
    pub hint: &'static str,
    /// The device's own words.
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
