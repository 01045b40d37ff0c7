use graft_ops::Matrix;

/// Keys and values of tokens already read, for each attention layer of a model; rows are handed out to sequences.
#[derive(Debug)]
pub struct Cache {
    layers: Vec<(Matrix, Matrix)>,
}

impl Cache {
    /// Room for `rows` tokens in `layers` layers of keys and values that are `width` numbers wide.
    #[must_use]
    pub fn new(layers: usize, rows: usize, width: usize) -> Self {
        Self { layers: (0..layers).map(|_| (Matrix::zeros(rows, width), Matrix::zeros(rows, width))).collect() }
    }

    /// Writes row `i` of `k` and `v` to row `rows[i]` of a layer.
    pub(crate) fn store(&mut self, layer: usize, rows: &[usize], k: &Matrix, v: &Matrix) {
        let (keys, values) = &mut self.layers[layer];
        for (from, &to) in rows.iter().enumerate() {
            keys.row_mut(to).copy_from_slice(k.row(from));
            values.row_mut(to).copy_from_slice(v.row(from));
        }
    }

    /// Copies the first `rows` rows of another cache of the same model.
    pub(crate) fn copy_rows(&mut self, from: &Self, rows: usize) {
        for ((keys, values), (from_keys, from_values)) in self.layers.iter_mut().zip(&from.layers) {
            let size = rows * keys.cols();
            keys.data_mut()[..size].copy_from_slice(&from_keys.data()[..size]);
            values.data_mut()[..size].copy_from_slice(&from_values.data()[..size]);
        }
    }

    /// Keys and values of a layer.
    pub(crate) fn layer(&self, layer: usize) -> (&Matrix, &Matrix) {
        let (keys, values) = &self.layers[layer];
        (keys, values)
    }
}
