use std::{cell::RefCell, rc::Rc};

use graft_ops::Shaped;

use crate::{
    Address,
    memory::{Buffer, Machine},
    runtime::{Factor, arguments, int},
};

/// Spare columns after the rows of an operand, and spare rows after those of a weight. A LoRA of at most this rank is
/// stored there, so that one product computes a layer with its LoRA.
pub(crate) const SPARE: usize = 64;

/// Row-major f32 on the device.
#[derive(Debug)]
pub struct Matrix {
    rows: usize,
    cols: usize,
    buffer: Buffer,
    /// The same matrix as an operand of products, created on first use.
    operand: RefCell<Option<Rc<Operand>>>,
}

/// A matrix of elements, as an operand of products.
#[derive(Debug)]
pub(crate) struct Operand {
    pub(crate) buffer: Buffer,
    pub(crate) rows: usize,
    pub(crate) cols: usize,
    pub(crate) pitch: usize,
}

impl Shaped for Matrix {
    fn rows(&self) -> usize {
        self.rows
    }

    fn cols(&self) -> usize {
        self.cols
    }
}

impl Matrix {
    /// A matrix with arbitrary contents.
    pub(crate) fn scratch(machine: &Rc<Machine>, rows: usize, cols: usize) -> Self {
        Self { rows, cols, buffer: machine.take(4 * rows * cols), operand: RefCell::default() }
    }

    pub(crate) fn zeros(machine: &Rc<Machine>, rows: usize, cols: usize) -> Self {
        let matrix = Self::scratch(machine, rows, cols);
        matrix.buffer.clear(4 * rows * cols);
        matrix
    }

    pub(crate) fn upload(machine: &Rc<Machine>, rows: usize, cols: usize, numbers: &[f32]) -> Self {
        Self { rows, cols, buffer: machine.upload(numbers), operand: RefCell::default() }
    }

    pub(crate) fn copy(&self) -> Self {
        let copy = Self::scratch(self.buffer.machine(), self.rows, self.cols);
        copy.buffer.copy_from(&self.buffer, 4 * self.len());
        copy
    }

    pub(crate) fn len(&self) -> usize {
        self.rows * self.cols
    }

    /// For reading.
    pub(crate) fn data(&self) -> &Buffer {
        &self.buffer
    }

    /// For writing.
    pub(crate) fn data_mut(&mut self) -> &Buffer {
        self.operand.take();
        &self.buffer
    }

    /// The numbers on the host.
    #[must_use]
    pub fn download(&self) -> Vec<f32> {
        self.buffer.floats(self.len())
    }

    /// As an operand.
    pub(crate) fn operand(&self) -> Rc<Operand> {
        let made = || Rc::new(Operand::of(self.buffer.machine(), self.buffer.address(), self.rows, self.cols, 1.0));
        Rc::clone(self.operand.borrow_mut().get_or_insert_with(made))
    }
}

impl Operand {
    /// An operand with arbitrary contents.
    pub(crate) fn scratch(machine: &Rc<Machine>, rows: usize, cols: usize, spare_rows: usize) -> Self {
        let pitch = cols.next_multiple_of(8) + SPARE;
        let buffer = machine.take((rows + spare_rows) * pitch * machine.element.bytes());
        Self { buffer, rows, cols, pitch }
    }

    /// An operand with `scale` times the f32 numbers of a row-major matrix.
    pub(crate) fn of(machine: &Rc<Machine>, numbers: Address, rows: usize, cols: usize, scale: f32) -> Self {
        let operand = Self::scratch(machine, rows, cols, 0);
        operand.paste(numbers, (rows, cols), scale, (0, 0));
        operand
    }

    /// Writes `scale` times a matrix of f32 numbers at `place` (row and column), which may be in the spare rows and
    /// columns.
    pub(crate) fn paste(&self, numbers: Address, (rows, cols): (usize, usize), scale: f32, place: (usize, usize)) {
        let machine = self.buffer.machine();
        let kernel = machine.element.kernel("cast_bf16", "cast_f32");
        let threads = cols.div_ceil(4).next_multiple_of(32).clamp(32, 256);
        let to = self.address(place.0, place.1);
        machine.launch(kernel, (rows, 1), threads, arguments![numbers, int(cols), scale, to, int(self.pitch)]);
    }

    /// Address of an element.
    pub(crate) fn address(&self, row: usize, col: usize) -> Address {
        self.buffer.at((row * self.pitch + col) * self.buffer.machine().element.bytes())
    }

    /// As a factor of a product, from an element on.
    pub(crate) fn from(&self, row: usize, col: usize) -> Factor {
        Factor { address: self.address(row, col), pitch: self.pitch, transposed: false }
    }
}

impl Factor {
    /// The transpose.
    pub(crate) fn t(self) -> Self {
        Self { transposed: !self.transposed, ..self }
    }
}
