use std::{borrow::Cow, fmt, ops::Range, sync::Arc};

use graft_kernels::{Dtype, Frozen, LowRank, dequantize, floats, pool};

use crate::Matrix;

/// Bytes of a weight, usually inside a file map.
pub type Bytes = Arc<dyn AsRef<[u8]> + Send + Sync>;

/// A frozen weight matrix, `(out, in)` as in PyTorch. It keeps the storage type of its file; products dequantize blocks of
/// it to `f32` in cache, so it takes no more memory than the file.
#[derive(Clone)]
pub struct Weight {
    rows: usize,
    cols: usize,
    storage: Storage,
}

#[derive(Clone)]
enum Storage {
    Dense(Arc<[f32]>),
    Packed(Dtype, Bytes),
}

/// Rows in their storage type.
enum Stored<'w> {
    Numbers(&'w [f32]),
    Bytes(Dtype, &'w [u8]),
}

impl Stored<'_> {
    fn dequantize(&self, out: &mut [f32]) {
        match self {
            Self::Numbers(numbers) => out.copy_from_slice(numbers),
            Self::Bytes(dtype, bytes) => dequantize(*dtype, bytes, out),
        }
    }
}

impl fmt::Debug for Weight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Weight({}, {}, {:?})", self.rows, self.cols, self.dtype())
    }
}

impl Weight {
    /// A weight of plain numbers.
    ///
    /// # Panics
    /// If the length of `data` is not `rows · cols`.
    #[must_use]
    pub fn dense(rows: usize, cols: usize, data: impl Into<Arc<[f32]>>) -> Self {
        let data = data.into();
        assert_eq!(data.len(), rows * cols, "the weight's size differs from its shape");
        Self { rows, cols, storage: Storage::Dense(data) }
    }

    /// A weight in a file's storage type, row by row.
    ///
    /// # Panics
    /// If the length of `bytes` does not match shape and type.
    #[must_use]
    pub fn packed(rows: usize, cols: usize, dtype: Dtype, bytes: Bytes) -> Self {
        let row = dtype.row_bytes(cols);
        assert_eq!(row.map(|r| r * rows), Some((*bytes).as_ref().len()), "the weight's size differs from its shape");
        Self { rows, cols, storage: Storage::Packed(dtype, bytes) }
    }

    /// Output features.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Input features.
    #[must_use]
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// Storage type.
    #[must_use]
    pub fn dtype(&self) -> Dtype {
        match &self.storage {
            Storage::Dense(_) => Dtype::F32,
            Storage::Packed(dtype, _) => *dtype,
        }
    }

    /// Some rows in their storage type.
    fn stored(&self, rows: Range<usize>) -> Stored<'_> {
        let numbers = rows.start * self.cols..rows.end * self.cols;
        match &self.storage {
            Storage::Dense(data) => Stored::Numbers(&data[numbers]),
            Storage::Packed(dtype, bytes) => {
                let size = dtype.row_bytes(self.cols).unwrap_or(0);
                let bytes = &(**bytes).as_ref()[rows.start * size..rows.end * size];
                let plain = if *dtype == Dtype::F32 { floats(bytes) } else { None };
                plain.map_or(Stored::Bytes(*dtype, bytes), Stored::Numbers)
            }
        }
    }

    /// The whole matrix as bytes of its [`dtype`](Self::dtype).
    #[must_use]
    pub fn stored_bytes(&self) -> Cow<'_, [u8]> {
        match &self.storage {
            Storage::Dense(numbers) => numbers.iter().flat_map(|number| number.to_le_bytes()).collect(),
            Storage::Packed(_, bytes) => Cow::Borrowed((**bytes).as_ref()),
        }
    }

    /// The whole matrix as an operand of products.
    pub(crate) fn frozen(&self) -> Frozen<'_> {
        match self.stored(0..self.rows) {
            Stored::Numbers(numbers) => Frozen::plain(self.rows, self.cols, numbers),
            Stored::Bytes(dtype, bytes) => Frozen::stored(self.rows, self.cols, dtype, bytes),
        }
    }

    /// Size of the weight in memory, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        match &self.storage {
            Storage::Dense(data) => data.len() * 4,
            Storage::Packed(_, bytes) => (**bytes).as_ref().len(),
        }
    }

    /// Writes rows of the weight as `f32`.
    pub fn dequantize(&self, rows: Range<usize>, out: &mut [f32]) {
        let step = rows.len().div_ceil(pool::threads() * 4).max(8);
        pool::for_each_chunk(out, step * self.cols, |i, piece| {
            let start = rows.start + i * step;
            self.stored(start..start + piece.len() / self.cols).dequantize(piece);
        });
    }

    /// `y = scale · x·Wᵀ + Σ added`: `x (tokens, in)`, `y (tokens, out)`.
    pub fn forward(&self, x: &[f32], y: &mut [f32], scale: f32, added: &[LowRank<'_>]) {
        self.frozen().forward(x, y, scale, added);
    }

    /// `scale · W·x` for some rows of the weight.
    ///
    /// # Panics
    /// If an id is not below the number of rows, or the length of `x` differs from that of a row.
    #[must_use]
    pub fn forward_rows(&self, x: &[f32], ids: &[u32], scale: f32) -> Vec<f32> {
        self.frozen().forward_rows(x, ids, scale)
    }

    /// `dx = scale · dy·W + Σ added`, or `dx += …` with `add`: `dy (tokens, out)`, `dx (tokens, in)`.
    pub fn backward(&self, dy: &[f32], dx: &mut [f32], scale: f32, add: bool, added: &[LowRank<'_>]) {
        self.frozen().backward(dy, dx, scale, add, added);
    }

    /// Rows of the weight as `f32`, as an embedding lookup: `(ids, in)`.
    ///
    /// # Panics
    /// If an id is not below the number of rows.
    #[must_use]
    pub fn gather(&self, ids: &[u32]) -> Matrix {
        let mut out = Matrix::scratch(ids.len(), self.cols);
        for (row, &id) in ids.iter().enumerate() {
            self.stored(id as usize..id as usize + 1).dequantize(out.row_mut(row));
        }
        out
    }
}
