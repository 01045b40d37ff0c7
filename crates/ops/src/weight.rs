use std::{cell::RefCell, fmt, ops::Range, sync::Arc};

use graft_kernels::{Dtype, View, ViewMut, dequantize, dot_stored, floats, matmul, pool, rows};

use crate::Matrix;

/// Bytes of a weight, usually inside a file map.
pub type Bytes = Arc<dyn AsRef<[u8]> + Send + Sync>;

/// Numbers widened at once when a weight is stored in fewer bits; bounds the scratch memory to 16 MiB.
const PANEL: usize = 4 << 20;

/// Up to this many tokens, a product reads the weight row by row instead of widening it first.
const FEW: usize = 12;

/// A frozen weight matrix, `(out, in)` as in PyTorch. Stored as it lies in its file; widened to `f32` a panel at a
/// time while it is used, so memory stays at the file's size.
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

/// Rows as they lie in memory.
enum Stored<'w> {
    Numbers(&'w [f32]),
    Bytes(Dtype, &'w [u8]),
}

impl Stored<'_> {
    fn widen(&self, out: &mut [f32]) {
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
    /// When `data` has another length than `rows · cols`.
    #[must_use]
    pub fn dense(rows: usize, cols: usize, data: impl Into<Arc<[f32]>>) -> Self {
        let data = data.into();
        assert_eq!(data.len(), rows * cols, "weight has another size than its shape");
        Self { rows, cols, storage: Storage::Dense(data) }
    }

    /// A weight as stored in a file, row by row.
    ///
    /// # Panics
    /// When `bytes` has another length than the shape and type take.
    #[must_use]
    pub fn packed(rows: usize, cols: usize, dtype: Dtype, bytes: Bytes) -> Self {
        let row = dtype.row_bytes(cols);
        assert_eq!(row.map(|r| r * rows), Some((*bytes).as_ref().len()), "weight has another size than its shape");
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

    /// How the numbers are stored.
    #[must_use]
    pub fn dtype(&self) -> Dtype {
        match &self.storage {
            Storage::Dense(_) => Dtype::F32,
            Storage::Packed(dtype, _) => *dtype,
        }
    }

    /// Some rows as they are stored.
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

    /// Calls `f` with some rows as `f32`, on this thread alone.
    pub(crate) fn with_rows<R>(&self, rows: Range<usize>, f: impl FnOnce(&[f32]) -> R) -> R {
        thread_local! {
            static SCRATCH: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
        }
        let size = rows.len() * self.cols;
        match self.stored(rows) {
            Stored::Numbers(numbers) => f(numbers),
            stored => SCRATCH.with_borrow_mut(|scratch| {
                scratch.resize(scratch.len().max(size), 0.0);
                stored.widen(&mut scratch[..size]);
                f(&scratch[..size])
            }),
        }
    }

    /// Bytes the weight takes in memory.
    #[must_use]
    pub fn bytes(&self) -> usize {
        match &self.storage {
            Storage::Dense(data) => data.len() * 4,
            Storage::Packed(_, bytes) => (**bytes).as_ref().len(),
        }
    }

    /// The same weight widened to `f32` for good: more memory, a little less work a use.
    #[must_use]
    pub fn widened(&self) -> Self {
        let mut data = vec![0.0; self.rows * self.cols];
        self.widen(0..self.rows, &mut data);
        Self { rows: self.rows, cols: self.cols, storage: Storage::Dense(data.into()) }
    }

    /// Writes rows of the weight as `f32`.
    pub fn widen(&self, rows: Range<usize>, out: &mut [f32]) {
        let step = rows.len().div_ceil(pool::threads() * 4).max(8);
        pool::for_each_chunk(out, step * self.cols, |i, piece| {
            let start = rows.start + i * step;
            self.stored(start..start + piece.len() / self.cols).widen(piece);
        });
    }

    /// Calls `f` with panels of rows, in order, as `f32`.
    fn panels(&self, mut f: impl FnMut(Range<usize>, &[f32])) {
        if let Stored::Numbers(numbers) = self.stored(0..self.rows) {
            return f(0..self.rows, numbers);
        }
        let per_panel = (PANEL / self.cols.max(1)).clamp(1, self.rows.max(1));
        let mut scratch = Matrix::scratch(per_panel, self.cols);
        for start in (0..self.rows).step_by(per_panel) {
            let rows = start..(start + per_panel).min(self.rows);
            let panel = &mut scratch.data_mut()[..rows.len() * self.cols];
            self.widen(rows.clone(), panel);
            f(rows, panel);
        }
    }

    /// `y = scale · x·Wᵀ`: `x (tokens, in)`, `y (tokens, out)`.
    pub fn forward(&self, x: &[f32], y: &mut [f32], scale: f32) {
        let tokens = x.len() / self.cols;
        if let (Stored::Bytes(dtype, bytes), true) = (self.stored(0..self.rows), tokens <= FEW) {
            return self.forward_few(dtype, bytes, x, y, scale);
        }
        self.panels(|rows, panel| {
            let c = ViewMut::new(&mut y[rows.start..], tokens, rows.len(), self.rows);
            matmul(c, false, scale, View::dense(x, tokens, self.cols), View::dense(panel, rows.len(), self.cols).t());
        });
    }

    /// The product for a few tokens, as in decoding: each row is widened once, in cache, and used at once.
    fn forward_few(&self, dtype: Dtype, bytes: &[u8], x: &[f32], y: &mut [f32], scale: f32) {
        const STEP: usize = 64;
        let tokens = x.len() / self.cols;
        let row_bytes = dtype.row_bytes(self.cols).unwrap_or(0);
        // Tasks own whole output features, so the result is turned around at the end.
        let mut turned = Matrix::scratch(self.rows, tokens);
        pool::for_each_chunk(turned.data_mut(), STEP * tokens, |i, piece| {
            let start = i * STEP * row_bytes;
            let bytes = &bytes[start..start + piece.len() / tokens * row_bytes];
            dot_stored(dtype, bytes, &mut vec![0.0; self.cols], x, piece);
            if scale != 1.0 {
                rows::scale(piece, scale);
            }
        });
        for (token, y) in y.chunks_mut(self.rows).enumerate() {
            y.iter_mut().zip(turned.data()[token..].iter().step_by(tokens)).for_each(|(y, x)| *y = *x);
        }
    }

    /// `dx = scale · dy·W`, or `dx += …` with `add`.
    pub fn backward(&self, dy: &[f32], dx: &mut [f32], scale: f32, add: bool) {
        let tokens = dy.len() / self.rows;
        self.panels(|rows, panel| {
            let c = ViewMut::dense(dx, tokens, self.cols);
            let dy = View::new(&dy[rows.start..], tokens, rows.len(), self.rows);
            matmul(c, add || rows.start > 0, scale, dy, View::dense(panel, rows.len(), self.cols));
        });
    }

    /// Rows of the weight, as of an embedding table: `(ids, in)`.
    ///
    /// # Panics
    /// When an id is not below the number of rows.
    #[must_use]
    pub fn gather(&self, ids: &[u32]) -> Matrix {
        let mut out = Matrix::scratch(ids.len(), self.cols);
        for (row, &id) in ids.iter().enumerate() {
            self.stored(id as usize..id as usize + 1).widen(out.row_mut(row));
        }
        out
    }
}
