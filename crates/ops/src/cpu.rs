use std::{ops::Range, rc::Rc};

use graft_kernels::{
    Bf16, Frozen, Gradients, Input, attention, attention_backward, matmul, pool,
    rows::{self, AdamStep},
};

use crate::{
    Activation, AttentionLayer, AttentionRange, Device, DeviceError, Head, LayerGradients, Lora, Matrix, Param,
    ParamSet, Rope, Shaped, Target, Weight,
    elementwise::adjust,
    linear::{dense, dense_mut, dropped, factor, input_gradient_term, param, up_term},
    loss::cross_entropy,
    params::clipped_step,
};

/// The host CPU with all cores.
#[derive(Clone, Copy, Debug, Default)]
pub enum Cpu {
    /// Everything in f32.
    #[default]
    F32,
    /// Products round their inputs to bf16; sums and everything else are f32.
    Bf16(Bf16),
}

impl Cpu {
    /// Whether products round their inputs to bf16.
    pub(crate) fn bf16(self) -> Option<Bf16> {
        match self {
            Self::F32 => None,
            Self::Bf16(way) => Some(way),
        }
    }
}

/// Elements per thread-pool task of an element-wise operation.
const CHUNK: usize = 1 << 14;

impl Shaped for Matrix {
    fn rows(&self) -> usize {
        self.rows()
    }

    fn cols(&self) -> usize {
        self.cols()
    }
}

impl Shaped for Weight {
    fn rows(&self) -> usize {
        self.rows()
    }

    fn cols(&self) -> usize {
        self.cols()
    }
}

impl Device for Cpu {
    type Matrix = Matrix;
    type Weight = Weight;
    type Vector = Vec<f32>;
    type Numbers = Vec<f32>;
    type Params = ParamSet;
    type Param<'a> = Param<'a>;
    type Ranges = [AttentionRange];
    type Indices = [usize];
    type Angles = Rope;
    type Kept = Rc<Matrix>;

    fn weight(&self, weight: &Weight) -> Weight {
        weight.clone()
    }

    fn vector(&self, numbers: &[f32]) -> Vec<f32> {
        numbers.to_vec()
    }

    fn matrix(&self, matrix: Matrix) -> Matrix {
        matrix
    }

    fn download(&self, matrix: &Matrix) -> Matrix {
        matrix.clone()
    }

    fn ranges(&self, ranges: Rc<[AttentionRange]>) -> Rc<[AttentionRange]> {
        ranges
    }

    fn indices(&self, indices: Rc<[usize]>) -> Rc<[usize]> {
        indices
    }

    fn angles(&self, rope: Rope) -> Rc<Rope> {
        Rc::new(rope)
    }

    fn params(&self, params: &ParamSet) -> ParamSet {
        params.clone()
    }

    fn param(params: &ParamSet, index: usize) -> Self::Param<'_> {
        params.get(index)
    }

    fn rows(param: Self::Param<'_>, rows: Range<usize>) -> Self::Param<'_> {
        param.rows_of(rows)
    }

    fn read_params(&self, params: &ParamSet, to: &mut [f32]) {
        to.copy_from_slice(params.data());
    }

    fn write_params(&self, params: &mut ParamSet, from: &[f32]) {
        params.data_mut().copy_from_slice(from);
    }

    fn numbers(&self, numbers: &[f32]) -> Vec<f32> {
        numbers.to_vec()
    }

    fn read(&self, numbers: &Vec<f32>) -> Vec<f32> {
        numbers.clone()
    }

    fn clear(&self, numbers: &mut Vec<f32>) {
        numbers.fill(0.0);
    }

    fn status(&self) -> Result<(), DeviceError> {
        Ok(())
    }

    fn zeros(&self, rows: usize, cols: usize) -> Matrix {
        Matrix::zeros(rows, cols)
    }

    fn copy(&self, x: &Matrix) -> Matrix {
        x.clone()
    }

    fn gather(&self, weight: &Weight, ids: &[u32]) -> Matrix {
        weight.gather(ids)
    }

    fn add(&self, sum: &mut Matrix, x: &Matrix) {
        sum.add(x);
    }

    fn scale(&self, x: &mut Matrix, factor: f32) {
        pool::for_each_chunk(x.data_mut(), CHUNK, |_, piece| rows::scale(piece, factor));
    }

    fn adjust(&self, x: &mut Matrix, rows: Range<usize>, gain: &[f32], bias: &[f32]) {
        adjust(x, rows, gain, bias);
    }

    fn rms_norm(&self, x: &Matrix, weight: &Vec<f32>, eps: f32) -> (Matrix, Matrix) {
        let cols = weight.len();
        let count = x.data().len() / cols;
        let (mut y, mut rstd) = (Matrix::scratch(x.rows(), x.cols()), Matrix::scratch(count, 1));
        let per_task = (CHUNK / cols).max(1);
        pool::for_each_chunks((y.data_mut(), per_task * cols), (rstd.data_mut(), per_task), |i, piece, rstd| {
            for (row, (out, rstd)) in piece.chunks_mut(cols).zip(rstd).enumerate() {
                let start = (i * per_task + row) * cols;
                *rstd = rows::rms_norm(out, &x.data()[start..start + cols], weight, eps);
            }
        });
        (y, rstd)
    }

    fn rms_norm_backward(&self, dx: &mut Matrix, dy: &Matrix, x: &Matrix, weight: &Vec<f32>, rstd: &Matrix) {
        let cols = weight.len();
        let per_task = (CHUNK / cols).max(1);
        pool::for_each_chunk(dx.data_mut(), per_task * cols, |i, piece| {
            for (row, dx) in piece.chunks_mut(cols).enumerate() {
                let row = i * per_task + row;
                let at = row * cols..(row + 1) * cols;
                rows::rms_norm_backward(dx, &dy.data()[at.clone()], &x.data()[at], weight, rstd.data()[row]);
            }
        });
    }

    fn gated(&self, activation: Activation, gate: &Matrix, up: &Matrix) -> Matrix {
        let mut y = Matrix::scratch(gate.rows(), gate.cols());
        let forward = match activation {
            Activation::Silu => rows::silu_gate,
            Activation::GeluTanh => rows::gelu_gate,
            Activation::Relu => rows::relu_gate,
        };
        pool::for_each_chunk(y.data_mut(), CHUNK, |i, piece| {
            let at = i * CHUNK..i * CHUNK + piece.len();
            forward(piece, &gate.data()[at.clone()], &up.data()[at]);
        });
        y
    }

    fn gated_backward(&self, activation: Activation, dy: &Matrix, gate: &mut Matrix, up: &mut Matrix) {
        let backward = match activation {
            Activation::Silu => rows::silu_gate_backward,
            Activation::GeluTanh => rows::gelu_gate_backward,
            Activation::Relu => rows::relu_gate_backward,
        };
        pool::for_each_chunks((gate.data_mut(), CHUNK), (up.data_mut(), CHUNK), |i, gate, up| {
            backward(&dy.data()[i * CHUNK..], gate, up);
        });
    }

    fn relu(&self, x: &mut Matrix) {
        pool::for_each_chunk(x.data_mut(), CHUNK, |_, piece| rows::relu(piece));
    }

    fn relu_backward(&self, dy: &mut Matrix, y: &Matrix) {
        pool::for_each_chunk(dy.data_mut(), CHUNK, |i, piece| {
            rows::relu_backward(piece, &y.data()[i * CHUNK..]);
        });
    }

    fn rotate(&self, x: &mut Matrix, angles: &Rope, heads: usize, sign: f32) {
        angles.rotate(x.data_mut(), heads, sign);
    }

    fn select(&self, x: &Matrix, indices: &[usize]) -> Matrix {
        let mut y = Matrix::scratch(indices.len(), x.cols());
        for (row, &index) in indices.iter().enumerate() {
            y.row_mut(row).copy_from_slice(x.row(index));
        }
        y
    }

    fn select_backward(&self, dx: &mut Matrix, dy: &Matrix, indices: &[usize]) {
        for (row, &index) in indices.iter().enumerate() {
            rows::add_assign(dx.row_mut(index), dy.row(row));
        }
    }

    fn place(&self, x: &mut Matrix, prompt: &Self::Param<'_>, places: &[usize]) {
        for &row in places {
            let start = row * prompt.cols;
            x.data_mut()[start..start + prompt.data.len()].copy_from_slice(prompt.data);
        }
    }

    fn place_backward(&self, grads: &mut Vec<f32>, dy: &Matrix, prompt: &Self::Param<'_>, places: &[usize]) {
        for &row in places {
            let start = row * prompt.cols;
            rows::add_assign(&mut grads[prompt.range()], &dy.data()[start..start + prompt.data.len()]);
        }
    }

    fn attention(&self, q: &Matrix, k: &Matrix, v: &Matrix, layer: &AttentionLayer) -> (Matrix, Matrix) {
        let mut out = Matrix::scratch(q.rows(), q.cols());
        let mut lse = Matrix::scratch(q.rows(), layer.heads.heads);
        attention(&layer.inputs(q.data(), k.data(), v.data(), self.bf16()), out.data_mut(), lse.data_mut());
        (out, lse)
    }

    fn attention_backward(
        &self,
        [q, k, v]: [&Matrix; 3],
        out: &Matrix,
        lse: &Matrix,
        dout: &Matrix,
        layer: &AttentionLayer,
    ) -> [Matrix; 3] {
        let mut dq = Matrix::scratch(q.rows(), q.cols());
        let (mut dk, mut dv) = (Matrix::zeros(k.rows(), k.cols()), Matrix::zeros(v.rows(), v.cols()));
        let to = Gradients { dq: dq.data_mut(), dk: dk.data_mut(), dv: dv.data_mut() };
        let inputs = layer.inputs(q.data(), k.data(), v.data(), self.bf16());
        attention_backward(&inputs, out.data(), lse.data(), dout.data(), to);
        [dq, dk, dv]
    }

    fn keep(&self, x: &Rc<Matrix>, _: bool) -> Rc<Matrix> {
        Rc::clone(x)
    }

    fn linear(&self, x: &Matrix, weight: &Weight, lora: Option<&Lora<Self::Param<'_>>>) -> (Matrix, Option<Matrix>) {
        let tokens = x.rows();
        let mut y = Matrix::scratch(tokens, weight.rows());
        let weight = weight.frozen().rounded(self.bf16());
        let input = weight.input(x.data(), 1.0);
        let low = lora.map(|lora| {
            let mut low = Matrix::scratch(tokens, lora.a.rows);
            let a = factor(&lora.a).rounded(self.bf16());
            match dropped(x, lora.dropout) {
                Some(x) => a.forward(x.data(), low.data_mut(), 1.0, &[]),
                None => a.forward_input(&input, low.data_mut(), &[]),
            }
            low
        });
        let added = lora.iter().zip(&low).map(|(lora, h)| up_term(lora, 0..tokens, h)).collect::<Vec<_>>();
        weight.forward_input(&input, y.data_mut(), &added);
        (y, low)
    }

    fn linear_backward(
        &self,
        dy: &Matrix,
        weight: &Weight,
        dx: Option<Option<Matrix>>,
        lora: Option<LayerGradients<'_, '_, Self>>,
    ) -> Option<Matrix> {
        let tokens = dy.rows();
        let mut dx = dx.map(|dx| match dx {
            Some(dx) => (dx, true),
            None => (Matrix::scratch(tokens, weight.cols()), false),
        });
        let weight = weight.frozen().rounded(self.bf16());
        let gradient = weight.gradient(dy.data(), 1.0);
        let dh = lora.as_ref().map(|LayerGradients { lora, .. }| {
            let mut dh = Matrix::scratch(tokens, lora.a.rows);
            let b = factor(&lora.b).rounded(self.bf16());
            match &gradient {
                Input::Plain(dy, _) => b.backward(dy, dh.data_mut(), lora.scale, false, &[]),
                packed @ Input::Packed(..) => {
                    b.backward_input(packed, dh.data_mut(), false, &[]);
                    rows::scale(dh.data_mut(), lora.scale);
                }
            }
            dh
        });
        if let Some((dx, add)) = &mut dx {
            // Without dropout `dh·A` is added within the large product. With dropout it must be masked first (below).
            let plain = lora.as_ref().map(|of| of.lora).filter(|lora| lora.dropout.is_none());
            let added = plain.iter().zip(&dh).map(|(lora, dh)| input_gradient_term(lora, dh)).collect::<Vec<_>>();
            weight.backward_input(&gradient, dx.data_mut(), *add, &added);
        }
        if let (Some(LayerGradients { lora, kept, low, grads }), Some(dh)) = (lora, dh) {
            let input = dropped(kept, lora.dropout);
            let input = input.as_ref().unwrap_or(kept);
            self.factor_gradients(dy, low, &dh, input, lora, grads);
            if let (Some((dx, _)), Some(dropout)) = (&mut dx, lora.dropout) {
                let mut part = Matrix::scratch(dx.rows(), dx.cols());
                matmul(dense_mut(&mut part), false, 1.0, dense(&dh), param(&lora.a));
                dropout.apply(&mut part);
                dx.add(&part);
            }
        }
        dx.map(|(dx, _)| dx)
    }

    fn cross_entropy(
        &self,
        h: &Matrix,
        head: &Head<'_, Weight>,
        targets: &[Target],
        gradient: bool,
    ) -> (Vec<f32>, Option<Matrix>) {
        let weight = &head.weight.frozen().rounded(self.bf16());
        cross_entropy(h, &Head { weight, scale: head.scale, cap: head.cap }, targets, gradient)
    }

    fn adamw(
        &self,
        params: &mut ParamSet,
        grads: &Vec<f32>,
        m: &mut Vec<f32>,
        v: &mut Vec<f32>,
        step: &AdamStep,
        clip: f64,
    ) -> f64 {
        clipped_step(params.data_mut(), grads, m, v, step, clip)
    }
}

impl Cpu {
    /// Adds to the gradients of a LoRA's factors: `dB += scale · dyᵀ·h`, `dA += dhᵀ·x`.
    fn factor_gradients(
        self,
        dy: &Matrix,
        low: &Matrix,
        dh: &Matrix,
        x: &Matrix,
        lora: &Lora<Param<'_>>,
        grads: &mut [f32],
    ) {
        let Some(way) = self.bf16() else {
            matmul(lora.b.gradient(grads), true, lora.scale, dense(dy).t(), dense(low));
            return matmul(lora.a.gradient(grads), true, 1.0, dense(dh).t(), dense(x));
        };
        let product = |few: &Matrix, many: &Matrix, scale: f32, out: &mut [f32], add: bool| {
            let many = Frozen::plain(many.rows(), many.cols(), many.data()).rounded(Some(way));
            many.backward(few.transposed().data(), out, scale, add, &[]);
        };
        let mut turned = Matrix::scratch(low.cols(), dy.cols());
        product(low, dy, lora.scale, turned.data_mut(), false);
        rows::add_assign(&mut grads[lora.b.range()], turned.transposed().data());
        product(dh, x, 1.0, &mut grads[lora.a.range()], true);
    }
}
