//! The operations of `graft_ops::Device` on a GPU.

use std::{cell::OnceCell, ops::Range, rc::Rc};

use graft_ops::{
    Activation, AdamStep, AttentionLayer, AttentionRange, Device, DeviceError, Dropout, Head, LayerGradients, Lora,
    ParamSet, Shaped, Target,
};

use crate::{
    Element, Gpu,
    matrix::{Matrix, Operand, SPARE},
    memory::{Buffer, Machine},
    ranges::Ranges,
    runtime::{Factor, Product, arguments, int},
    weight::Weight,
};

/// Limit of the memory for logits that exist at the same time.
const LOGIT_BYTES: usize = 1 << 30;

/// Trainable parameters on the device.
#[derive(Debug)]
pub struct Params {
    numbers: Numbers,
    /// Rows, columns and offset of each tensor.
    shapes: Vec<(usize, usize, usize)>,
    /// Each tensor as an operand of products, created when generation first needs it.
    operands: Vec<OnceCell<Operand>>,
}

/// A flat vector: parameters, gradients or moments.
#[derive(Debug)]
pub struct Numbers {
    buffer: Buffer,
    count: usize,
}

/// One trainable matrix.
#[derive(Clone, Copy, Debug)]
pub struct Param<'a> {
    numbers: &'a Numbers,
    operand: &'a OnceCell<Operand>,
    pub(crate) rows: usize,
    pub(crate) cols: usize,
    /// Offset of these rows in the tensor, which has `all` rows from `start` on.
    first: usize,
    all: usize,
    start: usize,
}

/// Cosines and sines of a batch's rows.
#[derive(Debug)]
pub struct Angles {
    cosines: Buffer,
    sines: Buffer,
    half: usize,
}

/// Indices of rows.
#[derive(Debug)]
pub struct Indices {
    host: Rc<[usize]>,
    pub(crate) count: usize,
    pub(crate) indices: Buffer,
    /// Copied to the device when a gradient first needs it.
    sources: OnceCell<Sources>,
}

/// For the gradient of a selection: the distinct rows, the start of each one's positions, and the positions.
#[derive(Debug)]
struct Sources {
    distinct: usize,
    rows: Buffer,
    starts: Buffer,
    places: Buffer,
}

/// What the backward of a linear layer needs of its input.
#[derive(Debug)]
pub struct Kept(Input);

#[derive(Debug)]
enum Input {
    /// The operand of the product.
    Operand(Rc<Operand>),
    /// The whole input, because dropout is applied to it again.
    Matrix(Rc<Matrix>),
}

impl Param<'_> {
    fn address(&self) -> u64 {
        self.numbers.of(self)
    }

    /// As a factor of a product.
    pub(crate) fn factor(&self) -> Factor {
        let machine = self.numbers.buffer.machine();
        let whole = self.numbers.buffer.at(4 * self.start);
        let operand = self.operand.get_or_init(|| Operand::of(machine, whole, self.all, self.cols, 1.0));
        operand.from(self.first, 0)
    }

    fn shape(&self) -> (usize, usize) {
        (self.rows, self.cols)
    }
}

impl Params {
    /// Drops the operands, because the parameters are about to change.
    fn forget_operands(&mut self) {
        self.operands.iter_mut().for_each(|operand| drop(operand.take()));
    }
}

impl Numbers {
    fn upload(machine: &Rc<Machine>, numbers: &[f32]) -> Self {
        Self { buffer: machine.upload(numbers), count: numbers.len() }
    }

    /// Address of a parameter's gradient.
    fn of(&self, param: &Param<'_>) -> u64 {
        self.buffer.at(4 * (param.start + param.first * param.cols))
    }
}

impl Indices {
    fn upload(machine: &Rc<Machine>, host: Rc<[usize]>) -> Self {
        let indices: Vec<i32> = host.iter().map(|row| *row as i32).collect();
        Self { count: host.len(), indices: machine.upload(&indices), host, sources: OnceCell::new() }
    }

    fn sources(&self) -> &Sources {
        self.sources.get_or_init(|| {
            let pairs = self.host.iter().enumerate().map(|(place, row)| (*row, place));
            let mut places: Vec<(usize, usize)> = pairs.collect();
            places.sort_unstable();
            let (mut rows, mut starts) = (Vec::new(), Vec::new());
            for (at, (row, _)) in places.iter().enumerate() {
                if rows.last() != Some(&(*row as i32)) {
                    rows.push(*row as i32);
                    starts.push(at as i32);
                }
            }
            starts.push(places.len() as i32);
            let upload = |numbers: Vec<i32>| self.indices.machine().upload(&numbers);
            Sources {
                distinct: rows.len(),
                rows: upload(rows),
                starts: upload(starts),
                places: upload(places.into_iter().map(|(_, place)| place as i32).collect()),
            }
        })
    }
}

/// A dropout mask as kernel arguments: the halves of the seed, the threshold, and the factor on kept values.
fn mask(dropout: Dropout) -> (u32, u32, u32, f32) {
    (dropout.seed as u32, (dropout.seed >> 32) as u32, dropout.threshold(), dropout.keep())
}

impl Gpu {
    pub(crate) fn scratch(&self, rows: usize, cols: usize) -> Matrix {
        Matrix::scratch(&self.machine, rows, cols)
    }

    /// `c = alpha · a·b + beta · c`.
    pub(crate) fn multiply(
        &self,
        shape: (usize, usize, usize),
        a: Factor,
        b: Factor,
        c: (u64, usize),
        alpha: f32,
        beta: f32,
    ) {
        let element = self.machine.element;
        self.machine.multiply(&Product { shape, a, b, c: c.0, c_pitch: c.1, alpha, beta, element });
    }

    /// `x = cap · tanh(x / cap)`, if there is a cap.
    pub(crate) fn soft_cap(&self, x: &mut Matrix, cap: Option<f32>) {
        if let Some(cap) = cap {
            let count = x.len();
            self.machine.each("soft_cap", count, arguments![x.data_mut(), cap, count as u64]);
        }
    }

    /// A linear layer's input with dropout, as an operand.
    fn dropped(&self, x: &Matrix, dropout: Dropout) -> Operand {
        let operand = Operand::scratch(&self.machine, x.rows(), x.cols(), 0);
        let kernel = self.machine.element.kernel("cast_dropped_bf16", "cast_dropped_f32");
        let (low, high, threshold, keep) = mask(dropout);
        let arguments =
            arguments![x.data(), int(x.cols()), low, high, threshold, keep, &operand.buffer, int(operand.pitch),];
        self.machine.launch(kernel, (x.rows(), 1), 256, arguments);
        operand
    }

    /// Writes a LoRA's factors next to the weight: `B` to the right of its columns and `A` below its rows.
    fn attach(&self, weight: &Operand, lora: &Lora<Param<'_>>) -> bool {
        let fits = lora.a.rows <= SPARE;
        if fits {
            weight.paste(lora.b.address(), lora.b.shape(), 1.0, (0, weight.cols));
            weight.paste(lora.a.address(), lora.a.shape(), 1.0, (weight.rows, 0));
        }
        fits
    }

    /// A LoRA's factors as operands: next to the weight, or separate if the rank is too large for that.
    fn factors(&self, weight: &Operand, lora: &Lora<Param<'_>>) -> LoraFactors {
        if self.attach(weight, lora) {
            let (a, b) = (weight.from(weight.rows, 0), weight.from(0, weight.cols));
            return LoraFactors { a, b, attached: true, _own: None };
        }
        let own = |param: &Param<'_>| Operand::of(&self.machine, param.address(), param.rows, param.cols, 1.0);
        let own = (own(&lora.a), own(&lora.b));
        LoraFactors { a: own.0.from(0, 0), b: own.1.from(0, 0), attached: false, _own: Some(own) }
    }

    pub(crate) fn attention_arguments(layer: &AttentionLayer<Self>) -> [u64; 8] {
        let (bias, reach) = layer.bias.as_ref().map_or((0, 0), |(table, reach)| (table.data().address(), *reach));
        let heads = layer.heads;
        // A window longer than any text has no effect.
        let window = layer.window.filter(|window| *window < 1 << 30).unwrap_or(0);
        let numbers: &[u64] = arguments![
            int(heads.heads),
            int(heads.kv_heads),
            int(heads.dim),
            heads.scale,
            bias,
            int(reach),
            int(window),
            layer.cap.unwrap_or(0.0),
        ];
        numbers.try_into().unwrap_or_default()
    }

    /// The tensor-core kernels for this layer's shape, if there are any.
    pub(crate) fn tiled(&self, layer: &AttentionLayer<Self>) -> Option<TileKernels> {
        match (self.machine.element, layer.heads.dim) {
            (Element::Bf16, 64) => {
                Some(TileKernels { forward: "attend_tile_64", dq: "attend_dq_tile_64", dkv: "attend_dkv_tile_64" })
            }
            (Element::Bf16, 128) => {
                Some(TileKernels { forward: "attend_tile_128", dq: "attend_dq_tile_128", dkv: "attend_dkv_tile_128" })
            }
            _ => None,
        }
    }
}

struct LoraFactors {
    a: Factor,
    b: Factor,
    attached: bool,
    _own: Option<(Operand, Operand)>,
}

pub(crate) struct TileKernels {
    pub(crate) forward: &'static str,
    dq: &'static str,
    dkv: &'static str,
}

/// Number of threads for a row of `cols` numbers: whole warps, at most `most`.
fn threads(cols: usize, most: usize) -> usize {
    cols.next_multiple_of(32).clamp(32, most)
}

/// Threads of the attention kernels.
pub(crate) const THREADS: usize = 128;

/// Bytes of `rows` bf16 rows of `width` in shared memory, each padded by 8 elements against bank conflicts.
pub(crate) fn padded(rows: usize, width: usize) -> usize {
    2 * rows * (width + 8)
}

impl Device for Gpu {
    type Matrix = Matrix;
    type Weight = Weight;
    type Vector = Matrix;
    type Numbers = Numbers;
    type Params = Params;
    type Param<'a> = Param<'a>;
    type Ranges = Ranges;
    type Indices = Indices;
    type Angles = Angles;
    type Kept = Kept;

    fn weight(&self, weight: &graft_ops::Weight) -> Weight {
        Weight::upload(&self.machine, weight)
    }

    fn vector(&self, numbers: &[f32]) -> Matrix {
        Matrix::upload(&self.machine, 1, numbers.len(), numbers)
    }

    fn matrix(&self, matrix: graft_ops::Matrix) -> Matrix {
        Matrix::upload(&self.machine, matrix.rows(), matrix.cols(), matrix.data())
    }

    fn download(&self, matrix: &Matrix) -> graft_ops::Matrix {
        graft_ops::Matrix::from_slice(matrix.rows(), matrix.cols(), &matrix.download())
    }

    fn ranges(&self, ranges: Rc<[AttentionRange]>) -> Rc<Ranges> {
        Rc::new(Ranges::upload(&self.machine, ranges))
    }

    fn indices(&self, indices: Rc<[usize]>) -> Rc<Indices> {
        Rc::new(Indices::upload(&self.machine, indices))
    }

    fn angles(&self, rope: graft_ops::Rope) -> Rc<Angles> {
        let (cosines, sines) = rope.angles();
        let upload = |numbers: &[f32]| self.machine.upload(numbers);
        Rc::new(Angles { cosines: upload(cosines), sines: upload(sines), half: rope.half() })
    }

    fn params(&self, params: &ParamSet) -> Params {
        let mut start = 0;
        let shapes = params.iter().map(|(_, param)| {
            let first = start;
            start += param.data.len();
            (param.rows, param.cols, first)
        });
        let shapes: Vec<_> = shapes.collect();
        let operands = shapes.iter().map(|_| OnceCell::new()).collect();
        Params { numbers: Numbers::upload(&self.machine, params.data()), shapes, operands }
    }

    fn param(params: &Params, index: usize) -> Self::Param<'_> {
        let (rows, cols, start) = params.shapes[index];
        Param { numbers: &params.numbers, operand: &params.operands[index], rows, cols, first: 0, all: rows, start }
    }

    fn rows(param: Self::Param<'_>, rows: Range<usize>) -> Self::Param<'_> {
        Param { rows: rows.len(), first: param.first + rows.start, ..param }
    }

    fn read_params(&self, params: &Params, to: &mut [f32]) {
        to.copy_from_slice(&self.read(&params.numbers));
    }

    fn write_params(&self, params: &mut Params, from: &[f32]) {
        let bytes: Vec<u8> = from.iter().flat_map(|number| number.to_le_bytes()).collect();
        params.forget_operands();
        params.numbers.buffer.write(0, &bytes);
    }

    fn numbers(&self, numbers: &[f32]) -> Numbers {
        Numbers::upload(&self.machine, numbers)
    }

    fn read(&self, numbers: &Numbers) -> Vec<f32> {
        numbers.buffer.floats(numbers.count)
    }

    fn clear(&self, numbers: &mut Numbers) {
        numbers.buffer.clear(4 * numbers.count);
    }

    fn status(&self) -> Result<(), DeviceError> {
        match self.machine.take_failure() {
            None => Ok(()),
            Some(error) => Err(error.into()),
        }
    }

    fn zeros(&self, rows: usize, cols: usize) -> Matrix {
        Matrix::zeros(&self.machine, rows, cols)
    }

    fn copy(&self, x: &Matrix) -> Matrix {
        x.copy()
    }

    fn gather(&self, weight: &Weight, ids: &[u32]) -> Matrix {
        weight.gather(&self.machine, ids)
    }

    fn add(&self, sum: &mut Matrix, x: &Matrix) {
        let count = x.len();
        self.machine.each("add_to", count, arguments![sum.data_mut(), x.data(), count as u64]);
    }

    fn scale(&self, x: &mut Matrix, factor: f32) {
        let count = x.len();
        self.machine.each("scale", count, arguments![x.data_mut(), factor, count as u64]);
    }

    fn rms_norm(&self, x: &Matrix, weight: &Matrix, eps: f32) -> (Matrix, Matrix) {
        let cols = weight.cols();
        let pieces = x.len() / cols;
        let (y, rstd) = (self.scratch(x.rows(), x.cols()), self.scratch(pieces, 1));
        let arguments = arguments![x.data(), weight.data(), eps, int(cols), y.data(), rstd.data()];
        self.machine.launch("rms_norm", (pieces, 1), threads(cols, 256), arguments);
        (y, rstd)
    }

    fn rms_norm_backward(&self, dx: &mut Matrix, dy: &Matrix, x: &Matrix, weight: &Matrix, rstd: &Matrix) {
        let cols = weight.cols();
        let arguments = arguments![dx.data_mut(), dy.data(), x.data(), weight.data(), rstd.data(), int(cols)];
        self.machine.launch("rms_norm_backward", (x.len() / cols, 1), threads(cols, 256), arguments);
    }

    fn gated(&self, activation: Activation, gate: &Matrix, up: &Matrix) -> Matrix {
        let y = self.scratch(gate.rows(), gate.cols());
        let count = y.len();
        let arguments = arguments![activation as i32, gate.data(), up.data(), y.data(), count as u64];
        self.machine.each("gated", count, arguments);
        y
    }

    fn gated_backward(&self, activation: Activation, dy: &Matrix, gate: &mut Matrix, up: &mut Matrix) {
        let count = dy.len();
        let arguments = arguments![activation as i32, dy.data(), gate.data_mut(), up.data_mut(), count as u64];
        self.machine.each("gated_backward", count, arguments);
    }

    fn relu(&self, x: &mut Matrix) {
        let count = x.len();
        self.machine.each("relu", count, arguments![x.data_mut(), count as u64]);
    }

    fn relu_backward(&self, dy: &mut Matrix, y: &Matrix) {
        let count = y.len();
        self.machine.each("relu_backward", count, arguments![dy.data_mut(), y.data(), count as u64]);
    }

    fn rotate(&self, x: &mut Matrix, angles: &Angles, heads: usize, sign: f32) {
        let (rows, dim, half) = (x.rows(), int(x.cols() / heads), int(angles.half));
        let arguments = arguments![x.data_mut(), &angles.cosines, &angles.sines, int(heads), dim, half, sign];
        self.machine.launch("rope", (rows, 1), 256, arguments);
    }

    fn select(&self, x: &Matrix, indices: &Indices) -> Matrix {
        let y = self.scratch(indices.count, x.cols());
        let arguments = arguments![x.data(), &indices.indices, int(x.cols()), y.data()];
        self.machine.launch("select_rows", (indices.count, 1), 256, arguments);
        y
    }

    fn select_backward(&self, dx: &mut Matrix, dy: &Matrix, indices: &Indices) {
        let (cols, of) = (int(dy.cols()), indices.sources());
        let arguments = arguments![dx.data_mut(), dy.data(), &of.rows, &of.starts, &of.places, cols];
        self.machine.launch("select_rows_backward", (of.distinct, 1), 256, arguments);
    }

    fn place(&self, x: &mut Matrix, prompt: &Self::Param<'_>, places: &Indices) {
        let (cols, count) = (int(prompt.cols), int(prompt.rows * prompt.cols));
        let arguments = arguments![x.data_mut(), prompt.address(), &places.indices, cols, count];
        self.machine.launch("place_rows", (places.count, 1), 256, arguments);
    }

    fn place_backward(&self, grads: &mut Numbers, dy: &Matrix, prompt: &Self::Param<'_>, places: &Indices) {
        let count = prompt.rows * prompt.cols;
        let arguments =
            arguments![grads.of(prompt), dy.data(), &places.indices, int(places.count), int(prompt.cols), int(count),];
        self.machine.launch("place_rows_backward", (count.div_ceil(256), 1), 256, arguments);
    }

    fn attention(&self, q: &Matrix, k: &Matrix, v: &Matrix, layer: &AttentionLayer<Self>) -> (Matrix, Matrix) {
        let heads = layer.heads;
        let (out, lse) = (self.scratch(q.rows(), q.cols()), self.scratch(q.rows(), heads.heads));
        let (ranges, tiles) = (&layer.ranges, layer.ranges.query_tiles());
        let [a, b, c, d, e, f, g, i] = Self::attention_arguments(layer);
        let arguments = arguments![
            q.data(),
            k.data(),
            v.data(),
            &ranges.ranges,
            &tiles.buffer,
            a,
            b,
            c,
            d,
            e,
            f,
            g,
            i,
            out.data(),
            lse.data(),
        ];
        match self.tiled(layer) {
            Some(kernels) => {
                let shared = padded(64, heads.dim) + padded(heads.dim, 64);
                let blocks = (tiles.count, heads.heads);
                self.machine.launch_shared(kernels.forward, blocks, THREADS, shared, arguments);
            }
            None => self.machine.launch("attend", (64 * tiles.count, heads.heads), THREADS, arguments),
        }
        (out, lse)
    }

    fn attention_backward(
        &self,
        [q, k, v]: [&Matrix; 3],
        out: &Matrix,
        lse: &Matrix,
        dout: &Matrix,
        layer: &AttentionLayer<Self>,
    ) -> [Matrix; 3] {
        let (heads, ranges) = (layer.heads, &layer.ranges);
        let (tiles, of_keys) = (ranges.query_tiles(), ranges.keys());
        let delta = self.scratch(q.rows(), heads.heads);
        let count = q.rows() * heads.heads;
        let arguments = arguments![out.data(), dout.data(), int(heads.dim), delta.data(), int(count)];
        self.machine.launch("attend_delta", (count.div_ceil(8), 1), 256, arguments);

        let dq = self.scratch(q.rows(), q.cols());
        // Keys that no query attends to get no gradient.
        let (dk, dv) = (self.zeros(k.rows(), k.cols()), self.zeros(v.rows(), v.cols()));
        let parts = self.scratch(of_keys.part_count * 2 * 64, k.cols());
        let [a, b, c, d, e, f, g, i] = Self::attention_arguments(layer);
        let (q, k, v, dout, lse) = (q.data(), k.data(), v.data(), dout.data(), lse.data());
        let for_dq = arguments![
            q,
            k,
            v,
            dout,
            lse,
            delta.data(),
            &ranges.ranges,
            &tiles.buffer,
            a,
            b,
            c,
            d,
            e,
            f,
            g,
            i,
            dq.data(),
        ];
        let for_dkv = arguments![
            q,
            k,
            v,
            dout,
            lse,
            delta.data(),
            &ranges.ranges,
            &of_keys.tiles.buffer,
            &of_keys.visits,
            a,
            b,
            c,
            d,
            e,
            f,
            g,
            i,
            dk.data(),
            dv.data(),
            parts.data(),
        ];
        let (queries, keys) = (tiles.count, of_keys.tiles.count);
        match self.tiled(layer) {
            Some(kernels) => {
                let shared = 2 * padded(64, heads.dim) + padded(heads.dim, 64);
                self.machine.launch_shared(kernels.dq, (queries, heads.heads), THREADS, shared, for_dq);
                let shared = (2 * (padded(32, heads.dim) + padded(heads.dim, 32))).max(padded(64, heads.dim));
                self.machine.launch_shared(kernels.dkv, (keys, heads.kv_heads), THREADS, shared, for_dkv);
            }
            None => {
                self.machine.launch("attend_dq", (64 * queries, heads.heads), THREADS, for_dq);
                self.machine.launch("attend_dkv", (64 * keys, heads.kv_heads), THREADS, for_dkv);
            }
        }
        let arguments = arguments![&of_keys.folds.buffer, parts.data(), int(dk.cols()), dk.data(), dv.data()];
        self.machine.launch("attend_fold", (64 * of_keys.folds.count, 1), 256, arguments);
        [dq, dk, dv]
    }

    fn keep(&self, x: &Rc<Matrix>, dropout: bool) -> Kept {
        Kept(if dropout { Input::Matrix(Rc::clone(x)) } else { Input::Operand(x.operand()) })
    }

    fn linear(&self, x: &Matrix, weight: &Weight, lora: Option<&Lora<Self::Param<'_>>>) -> (Matrix, Option<Matrix>) {
        let (tokens, inputs, outputs) = (x.rows(), weight.cols(), weight.rows());
        let (y, input, w) = (self.scratch(tokens, outputs), x.operand(), weight.operand(&self.machine));
        let to = (y.data().address(), outputs);
        let Some(lora) = lora else {
            self.multiply((tokens, outputs, inputs), input.from(0, 0), w.from(0, 0).t(), to, 1.0, 0.0);
            return (y, None);
        };
        let (rank, factors) = (lora.a.rows, self.factors(&w, lora));
        let low = self.scratch(tokens, rank); // x·Aᵀ
        let dropped = lora.dropout.map(|dropout| self.dropped(x, dropout));
        let read = dropped.as_ref().map_or_else(|| input.from(0, 0), |dropped| dropped.from(0, 0));
        self.multiply((tokens, rank, inputs), read, factors.a.t(), (low.data().address(), rank), 1.0, 0.0);
        if factors.attached {
            // (x | scale·low) · (W | B)ᵀ
            input.paste(low.data().address(), (tokens, rank), lora.scale, (0, inputs));
            self.multiply((tokens, outputs, inputs + rank), input.from(0, 0), w.from(0, 0).t(), to, 1.0, 0.0);
        } else {
            self.multiply((tokens, outputs, inputs), input.from(0, 0), w.from(0, 0).t(), to, 1.0, 0.0);
            self.multiply((tokens, outputs, rank), low.operand().from(0, 0), factors.b.t(), to, lora.scale, 1.0);
        }
        (y, Some(low))
    }

    fn linear_backward(
        &self,
        dy: &Matrix,
        weight: &Weight,
        dx: Option<Option<Matrix>>,
        lora: Option<LayerGradients<'_, '_, Self>>,
    ) -> Option<Matrix> {
        let (tokens, inputs, outputs) = (dy.rows(), weight.cols(), weight.rows());
        let (slope, w) = (dy.operand(), weight.operand(&self.machine));
        let mut width = outputs;
        let mut back = None;
        if let Some(LayerGradients { lora, kept, low, grads }) = lora {
            let (rank, factors) = (lora.a.rows, self.factors(&w, lora));
            let dh = self.scratch(tokens, rank); // scale · dy·B
            let to = (dh.data().address(), rank);
            self.multiply((tokens, rank, outputs), slope.from(0, 0), factors.b, to, lora.scale, 0.0);
            let low = Operand::of(&self.machine, low.data().address(), tokens, rank, lora.scale);
            let (da, db) = ((grads.of(&lora.a), inputs), (grads.of(&lora.b), rank));
            self.multiply((outputs, rank, tokens), slope.from(0, 0).t(), low.from(0, 0), db, 1.0, 1.0);
            let dropped = match (&kept.0, lora.dropout) {
                (Input::Matrix(x), Some(dropout)) => Rc::new(self.dropped(x, dropout)),
                (Input::Matrix(x), None) => x.operand(),
                (Input::Operand(x), _) => Rc::clone(x),
            };
            self.multiply((rank, inputs, tokens), dh.operand().from(0, 0).t(), dropped.from(0, 0), da, 1.0, 1.0);
            if factors.attached && lora.dropout.is_none() {
                // (dy | dh) · (W; A)
                slope.paste(dh.data().address(), (tokens, rank), 1.0, (0, outputs));
                width += rank;
            } else {
                back = Some((dh, factors, lora.dropout));
            }
        }
        let (mut dx, beta) = match dx? {
            Some(dx) => (dx, 1.0),
            None => (self.scratch(tokens, inputs), 0.0),
        };
        let to = (dx.data_mut().address(), inputs);
        self.multiply((tokens, inputs, width), slope.from(0, 0), w.from(0, 0), to, 1.0, beta);
        if let Some((dh, factors, dropout)) = back {
            let part = self.scratch(tokens, inputs);
            let shape = (tokens, inputs, dh.cols());
            self.multiply(shape, dh.operand().from(0, 0), factors.a, (part.data().address(), inputs), 1.0, 0.0);
            match dropout {
                Some(dropout) => {
                    let (low, high, threshold, keep) = mask(dropout);
                    let count = part.len();
                    let arguments = arguments![dx.data_mut(), part.data(), low, high, threshold, keep, count as u64];
                    self.machine.each("add_dropped", count, arguments);
                }
                None => self.add(&mut dx, &part),
            }
        }
        Some(dx)
    }

    fn cross_entropy(
        &self,
        h: &Matrix,
        head: &Head<'_, Weight>,
        targets: &[Target],
        gradient: bool,
    ) -> (Vec<f32>, Option<Matrix>) {
        let &Head { weight: head, scale, cap } = head;
        let (count, hidden, vocab) = (h.rows(), h.cols(), head.rows());
        let tokens: Vec<i32> = targets.iter().map(|target| target.token.cast_signed()).collect();
        let weights: Vec<f32> = targets.iter().map(|target| target.weight).collect();
        let (tokens, weights) = (self.machine.upload(&tokens), self.machine.upload(&weights));
        let (log_probs, input, w) = (self.scratch(count, 1), h.operand(), head.operand(&self.machine));
        let dh = gradient.then(|| self.scratch(count, hidden));
        let most = (LOGIT_BYTES / (4 + self.machine.element.bytes()) / vocab.max(1)).clamp(1, count.max(1));
        let mut logits = self.scratch(most, vocab);
        let slopes = gradient.then(|| Operand::scratch(&self.machine, most, vocab, 0));
        for start in (0..count).step_by(most) {
            let rows = most.min(count - start);
            let to = (logits.data().address(), vocab);
            self.multiply((rows, vocab, hidden), input.from(start, 0), w.from(0, 0).t(), to, scale, 0.0);
            self.soft_cap(&mut logits, cap);
            let kernel = self.machine.element.kernel("cross_entropy_bf16", "cross_entropy_f32");
            let (slope, pitch) = slopes.as_ref().map_or((0, 0), |slopes| (slopes.buffer.address(), slopes.pitch));
            let arguments = arguments![
                logits.data(),
                int(vocab),
                tokens.at(4 * start),
                weights.at(4 * start),
                log_probs.data().at(4 * start),
                slope,
                int(pitch),
                cap.unwrap_or(0.0),
            ];
            self.machine.launch(kernel, (rows, 1), threads(vocab, 512), arguments);
            if let (Some(dh), Some(slopes)) = (&dh, &slopes) {
                let to = (dh.data().at(4 * start * hidden), hidden);
                self.multiply((rows, hidden, vocab), slopes.from(0, 0), w.from(0, 0), to, scale, 0.0);
            }
        }
        (log_probs.download(), dh)
    }

    fn adamw(
        &self,
        params: &mut Params,
        grads: &Numbers,
        m: &mut Numbers,
        v: &mut Numbers,
        step: &AdamStep,
        clip: f64,
    ) -> f64 {
        params.forget_operands();
        let count = grads.count;
        let chunks = count.div_ceil(4096);
        let (sums, norm) = (self.scratch(chunks, 1), self.scratch(1, 2));
        self.machine.launch("sum_squares", (chunks, 1), 256, arguments![&grads.buffer, count as u64, sums.data()]);
        let arguments = arguments![sums.data(), int(chunks), clip as f32, norm.data()];
        self.machine.launch("gradient_norm", (1, 1), 256, arguments);
        let arguments = arguments![
            &params.numbers.buffer,
            &grads.buffer,
            &m.buffer,
            &v.buffer,
            norm.data(),
            step.lr,
            step.beta1,
            step.beta2,
            step.eps,
            step.weight_decay,
            step.c1,
            step.c2,
            count as u64,
        ];
        self.machine.launch("adamw", (count.div_ceil(256), 1), 256, arguments);
        f64::from(norm.download()[0])
    }
}
