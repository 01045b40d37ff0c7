use std::{
    collections::BTreeMap,
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

use graft_kernels::{Dtype, Map};

use crate::Error;

/// The bytes of one tensor as stored; clones share them.
#[derive(Clone)]
pub struct TensorBytes {
    /// Storage type of its rows.
    pub dtype: Dtype,
    /// Number of rows; 1 for a vector.
    pub rows: usize,
    /// Number of values in a row.
    pub cols: usize,
    storage: Storage,
}

#[derive(Clone)]
enum Storage {
    Mapped(Arc<Map>, Range<usize>),
    Owned(Arc<[u8]>, Range<usize>),
}

impl TensorBytes {
    /// All rows, one after the other, without gaps.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match &self.storage {
            Storage::Mapped(map, range) => &map[range.clone()],
            Storage::Owned(bytes, range) => &bytes[range.clone()],
        }
    }

    /// Some of its rows.
    ///
    /// # Panics
    /// If it has fewer rows.
    #[must_use]
    pub fn part(&self, rows: Range<usize>) -> Self {
        assert!(rows.start <= rows.end && rows.end <= self.rows, "rows {rows:?} of {}", self.rows);
        let size = self.bytes().len() / self.rows.max(1);
        let within = |all: &Range<usize>| all.start + rows.start * size..all.start + rows.end * size;
        let storage = match &self.storage {
            Storage::Mapped(map, range) => Storage::Mapped(map.clone(), within(range)),
            Storage::Owned(bytes, range) => Storage::Owned(bytes.clone(), within(range)),
        };
        Self { rows: rows.len(), storage, ..*self }
    }

    /// All values, dequantized to f32.
    #[must_use]
    pub fn to_f32(&self) -> Vec<f32> {
        let mut out = vec![0.0; self.rows * self.cols];
        graft_kernels::dequantize(self.dtype, self.bytes(), &mut out);
        out
    }
}

/// The order of a matrix's rows in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RowOrder {
    /// As in Hugging Face.
    Plain,
    /// Each head's two halves interleaved, for ggml's rotary embedding.
    Interleaved {
        /// Number of heads in the matrix.
        heads: usize,
    },
}

impl RowOrder {
    /// The Hugging Face row that is stored at `row` of `rows`.
    pub(crate) fn plain_row(self, row: usize, rows: usize) -> usize {
        match self {
            Self::Plain => row,
            Self::Interleaved { heads } => {
                let dim = rows / heads;
                let (head, within) = (row / dim, row % dim);
                head * dim + within % 2 * (dim / 2) + within / 2
            }
        }
    }
}

/// A tensor of a file. Its range lies within the map and has the length that type and shape require.
pub(crate) struct Entry {
    pub(crate) map: Arc<Map>,
    pub(crate) range: Range<usize>,
    /// The type, or the name of an unsupported one.
    pub(crate) dtype: Result<Dtype, String>,
    pub(crate) shape: Vec<usize>,
    pub(crate) order: RowOrder,
}

/// A model's weights by their Hugging Face names, from any kind of file.
pub struct Tensors {
    source: PathBuf,
    entries: BTreeMap<String, Entry>,
}

impl Tensors {
    pub(crate) fn new(source: &Path) -> Self {
        Self { source: source.to_owned(), entries: BTreeMap::new() }
    }

    /// Adds a tensor; names are unique.
    pub(crate) fn insert(&mut self, name: String, entry: Entry) -> Result<(), Error> {
        if self.entries.contains_key(&name) {
            return Err(self.bad(&name, "it is stored twice".into()));
        }
        self.entries.insert(name, entry);
        Ok(())
    }

    /// Makes `name`, if it does not exist, an alias of the first of `others` that does.
    pub(crate) fn alias(&mut self, name: &str, others: &[&str]) {
        if !self.contains(name)
            && let Some(entry) = others.iter().find_map(|other| self.entries.remove(*other))
        {
            self.entries.insert(name.to_owned(), entry);
        }
    }

    /// Whether a tensor of this name is stored.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.entries.contains_key(name)
    }

    /// Names and shapes, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[usize])> {
        self.entries.iter().map(|(name, entry)| (name.as_str(), entry.shape.as_slice()))
    }

    /// The storage type of a tensor, if it is stored in a supported one.
    #[must_use]
    pub fn dtype(&self, name: &str) -> Option<Dtype> {
        self.entries.get(name)?.dtype.as_ref().ok().copied()
    }

    /// The tensor `name`, which must be a vector or a matrix of exactly this shape (rows first).
    ///
    /// # Errors
    /// If it is missing or has another shape or an unsupported type.
    pub fn get(&self, name: &str, shape: &[usize]) -> Result<TensorBytes, Error> {
        let Some(entry) = self.entries.get(name) else {
            return Err(Error::NoTensor { path: self.source.clone(), name: name.to_owned() });
        };
        if entry.shape != shape {
            return Err(self.bad(name, format!("its shape is {:?}, not {shape:?}", entry.shape)));
        }
        let (rows, cols) = match *shape {
            [cols] => (1, cols),
            [rows, cols] => (rows, cols),
            _ => return Err(self.bad(name, format!("it has {} dimensions", shape.len()))),
        };
        let dtype = match &entry.dtype {
            Ok(dtype) => *dtype,
            Err(other) => return Err(self.bad(name, format!("its type is {other}"))),
        };
        let stored =
            TensorBytes { dtype, rows, cols, storage: Storage::Mapped(entry.map.clone(), entry.range.clone()) };
        self.in_plain_order(name, stored, entry.order)
    }

    /// Reorders whole rows; quantized blocks stay unchanged.
    fn in_plain_order(&self, name: &str, stored: TensorBytes, order: RowOrder) -> Result<TensorBytes, Error> {
        let RowOrder::Interleaved { heads } = order else {
            return Ok(stored);
        };
        if heads == 0 || !stored.rows.is_multiple_of(2 * heads) {
            return Err(self.bad(name, format!("{} rows can't be divided into {heads} heads", stored.rows)));
        }
        let from = stored.bytes();
        let row_bytes = from.len() / stored.rows.max(1);
        let mut plain = vec![0; from.len()];
        for (row, bytes) in from.chunks_exact(row_bytes.max(1)).enumerate() {
            let to = order.plain_row(row, stored.rows) * row_bytes;
            plain[to..to + row_bytes].copy_from_slice(bytes);
        }
        let all = 0..plain.len();
        Ok(TensorBytes { storage: Storage::Owned(plain.into(), all), ..stored })
    }

    fn bad(&self, name: &str, what: String) -> Error {
        Error::BadTensor { path: self.source.clone(), name: name.to_owned(), what }
    }
}
