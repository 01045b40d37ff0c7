use std::ops::Range;

use graft_ops::{AttentionLayer, Cpu, Device, Matrix, Sparse, Tape, Tensor, attend};

/// Where an attention layer's keys and values come from.
pub(crate) trait Attend<D: Device> {
    /// Attention of layer `index` for new queries, keys and values.
    fn attend(
        &mut self,
        tape: &mut Tape<'_, D>,
        index: usize,
        qkv: [&Tensor<D>; 3],
        layer: AttentionLayer<D>,
    ) -> Tensor<D>;
}

/// The new rows alone, as in training.
pub(crate) struct NewRows;

impl<D: Device> Attend<D> for NewRows {
    fn attend(
        &mut self,
        tape: &mut Tape<'_, D>,
        _: usize,
        [q, k, v]: [&Tensor<D>; 3],
        layer: AttentionLayer<D>,
    ) -> Tensor<D> {
        tape.attention(q, k, v, layer)
    }
}

/// A cache, whose row `rows[i]` receives the keys and values of row `i`.
pub(crate) struct Cached<'c> {
    pub(crate) cache: &'c mut Cache,
    pub(crate) rows: &'c [usize],
}

impl Attend<Cpu> for Cached<'_> {
    fn attend(&mut self, _: &mut Tape<'_>, index: usize, [q, k, v]: [&Tensor; 3], layer: AttentionLayer) -> Tensor {
        self.cache.store(index, self.rows, k.value(), v.value());
        let (keys, values) = self.cache.layer(index);
        Tensor::constant(attend(q.value(), keys, values, &layer))
    }
}

/// The KV cache: keys and values of earlier tokens for each attention layer. [`FreeRows`] assigns rows to sequences.
#[derive(Debug)]
pub struct Cache {
    /// Keys and values `(rows, width)`.
    layers: Vec<[Sparse; 2]>,
    width: usize,
}

impl Cache {
    /// Space for `rows` tokens in `layers` layers of keys and values that are `width` numbers wide. The operating system
    /// commits the memory when a row is first written.
    #[must_use]
    pub fn new(layers: usize, rows: usize, width: usize) -> Self {
        let layers = (0..layers).map(|_| [(); 2].map(|()| Sparse::zeros(rows * width))).collect();
        Self { layers, width }
    }

    /// Writes row `i` of `k` and `v` to row `rows[i]` of a layer.
    pub(crate) fn store(&mut self, layer: usize, rows: &[usize], k: &Matrix, v: &Matrix) {
        for (to, from) in self.layers[layer].iter_mut().zip([k, v]) {
            for (index, row) in rows.iter().enumerate() {
                to[row * self.width..(row + 1) * self.width].copy_from_slice(from.row(index));
            }
        }
    }

    /// Contents of some rows: layer after layer, keys before values.
    pub(crate) fn numbers(&self, rows: Range<usize>) -> Vec<f32> {
        let at = rows.start * self.width..rows.end * self.width;
        self.layers.iter().flatten().flat_map(|of| &of[at.clone()]).copied().collect()
    }

    /// Fills rows with what [`numbers`](Self::numbers) returned.
    pub(crate) fn fill(&mut self, rows: Range<usize>, numbers: &[f32]) {
        let at = rows.start * self.width..rows.end * self.width;
        for (of, own) in self.layers.iter_mut().flatten().zip(numbers.chunks(at.len().max(1))) {
            of[at.clone()].copy_from_slice(own);
        }
    }

    /// Keys and values of a layer.
    pub(crate) fn layer(&self, layer: usize) -> (&[f32], &[f32]) {
        let [keys, values] = &self.layers[layer];
        (keys, values)
    }
}

/// The free rows of a cache: allocated first-fit, merged with their neighbours when freed.
#[derive(Clone, Debug)]
pub(crate) struct FreeRows {
    /// Sorted; adjacent ranges are always merged.
    free: Vec<Range<usize>>,
}

impl FreeRows {
    pub(crate) fn new(rows: usize) -> Self {
        Self { free: std::iter::once(0..rows).filter(|all| !all.is_empty()).collect() }
    }

    /// Allocates `count` consecutive rows, or returns `None`.
    pub(crate) fn take(&mut self, count: usize) -> Option<Range<usize>> {
        if count == 0 {
            return Some(0..0);
        }
        let place = self.free.iter().position(|free| free.len() >= count)?;
        let free = &mut self.free[place];
        let taken = free.start..free.start + count;
        free.start = taken.end;
        if free.start == free.end {
            self.free.remove(place);
        }
        Some(taken)
    }

    /// Frees rows that [`take`](Self::take) allocated.
    pub(crate) fn give(&mut self, rows: Range<usize>) {
        if rows.is_empty() {
            return;
        }
        let place = self.free.partition_point(|free| free.start < rows.start);
        self.free.insert(place, rows);
        if place + 1 < self.free.len() && self.free[place].end == self.free[place + 1].start {
            self.free[place].end = self.free.remove(place + 1).end;
        }
        if place > 0 && self.free[place - 1].end == self.free[place].start {
            self.free[place - 1].end = self.free.remove(place).end;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn freed_rows_are_merged() {
        let mut rows = FreeRows::new(10);
        let (a, b, c) = (rows.take(3).unwrap(), rows.take(4).unwrap(), rows.take(3).unwrap());
        assert_eq!((a.clone(), b.clone(), c.clone(), rows.take(1)), (0..3, 3..7, 7..10, None));
        rows.give(a);
        rows.give(c);
        assert_eq!(rows.take(4), None);
        rows.give(b);
        assert_eq!(rows.take(10), Some(0..10));
        assert_eq!(rows.take(0), Some(0..0));
    }
}
