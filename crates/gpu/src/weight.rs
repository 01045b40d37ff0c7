use std::rc::Rc;

use graft_ops::{Dtype, Shaped};

use crate::{
    Element,
    matrix::{Matrix, Operand, SPARE},
    memory::{Buffer, Machine},
    runtime::{arguments, int},
};

/// A frozen weight `(out, in)` on the device, in its file's storage type.
#[derive(Debug)]
pub struct Weight {
    rows: usize,
    cols: usize,
    dtype: Dtype,
    row_bytes: usize,
    storage: Storage,
}

#[derive(Debug)]
enum Storage {
    /// Its bytes, dequantized into an operand for each use.
    Bytes(Buffer),
    /// Kept as an operand of products.
    Operand(Rc<Operand>),
}

impl Shaped for Weight {
    fn rows(&self) -> usize {
        self.rows
    }

    fn cols(&self) -> usize {
        self.cols
    }
}

/// Number of a storage type in `kernels/operands.cu`.
fn code(dtype: Dtype) -> i32 {
    match dtype {
        Dtype::F32 => 0,
        Dtype::F16 => 1,
        Dtype::BF16 => 2,
        Dtype::Q4_0 => 3,
        Dtype::Q4_1 => 4,
        Dtype::Q8_0 => 5,
        Dtype::Q4K => 6,
        Dtype::Q5K => 7,
        Dtype::Q6K => 8,
        // Dequantized before the upload.
        Dtype::Q5_0 | Dtype::Q5_1 | Dtype::Q2K | Dtype::Q3K | Dtype::Iq4Nl | Dtype::Iq4Xs | Dtype::Mxfp4 => -1,
    }
}

impl Weight {
    pub(crate) fn upload(machine: &Rc<Machine>, weight: &graft_ops::Weight) -> Self {
        let (rows, cols, mut dtype) = (weight.rows(), weight.cols(), weight.dtype());
        let bytes = if code(dtype) >= 0 {
            machine.upload_bytes(&weight.stored_bytes())
        } else {
            let mut numbers = vec![0.0; rows * cols];
            weight.dequantize(0..rows, &mut numbers);
            dtype = Dtype::F32;
            machine.upload(&numbers)
        };
        let row_bytes = dtype.row_bytes(cols).unwrap_or(0);
        let mut own = Self { rows, cols, dtype, row_bytes, storage: Storage::Bytes(bytes) };
        let element = match machine.element {
            Element::Bf16 => Dtype::BF16,
            Element::F32 => Dtype::F32,
        };
        if machine.keep_operands.get() || dtype == element && element == Dtype::BF16 {
            own.storage = Storage::Operand(own.operand(machine));
            own.dtype = element;
        }
        own
    }

    /// The weight as an operand, with spare rows and columns.
    pub(crate) fn operand(&self, machine: &Rc<Machine>) -> Rc<Operand> {
        match &self.storage {
            Storage::Operand(operand) => Rc::clone(operand),
            Storage::Bytes(bytes) => {
                let operand = Operand::scratch(machine, self.rows, self.cols, SPARE);
                let kernel = machine.element.kernel("dequantize_bf16", "dequantize_f32");
                let arguments = arguments![
                    code(self.dtype),
                    bytes,
                    self.row_bytes as u64,
                    0_u64,
                    int(self.cols),
                    &operand.buffer,
                    int(operand.pitch),
                ];
                machine.launch(kernel, (self.rows, 1), 256, arguments);
                Rc::new(operand)
            }
        }
    }

    /// Rows as f32, such as of an embedding table.
    pub(crate) fn gather(&self, machine: &Rc<Machine>, ids: &[u32]) -> Matrix {
        let out = Matrix::scratch(machine, ids.len(), self.cols);
        let ids: Vec<i32> = ids.iter().map(|id| id.cast_signed()).collect();
        let ids = machine.upload(&ids);
        let (bytes, row_bytes) = match &self.storage {
            Storage::Bytes(bytes) => (bytes, self.row_bytes),
            Storage::Operand(operand) => (&operand.buffer, operand.pitch * machine.element.bytes()),
        };
        let arguments =
            arguments![code(self.dtype), bytes, row_bytes as u64, &ids, int(self.cols), out.data(), int(self.cols),];
        machine.launch("dequantize_f32", (out.len() / self.cols.max(1), 1), 256, arguments);
        out
    }
}
