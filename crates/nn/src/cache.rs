use std::ops::Range;

use graft_ops::{AttentionLayer, Device, Inference, Tape, Tensor};

/// Provides an attention layer with keys and values.
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

/// Only the new rows, as in training.
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

/// A KV cache, whose row `rows[i]` receives the keys and values of row `i`. [`FreeRows`] assigns rows to sequences.
pub(crate) struct Cached<'c, D: Inference> {
    pub(crate) cache: &'c mut D::Cache,
    pub(crate) rows: &'c D::Indices,
}

impl<D: Inference> Attend<D> for Cached<'_, D> {
    fn attend(
        &mut self,
        tape: &mut Tape<'_, D>,
        index: usize,
        [q, k, v]: [&Tensor<D>; 3],
        layer: AttentionLayer<D>,
    ) -> Tensor<D> {
        let device = tape.device();
        device.store(self.cache, index, self.rows, k.value(), v.value());
        Tensor::constant(device.attend(q.value(), self.cache, index, &layer))
    }
}

/// The free rows of a cache: allocated first-fit, and merged with their neighbours when freed.
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
