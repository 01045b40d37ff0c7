//! Matrices with recycled memory. Every training step needs the same few hundred buffers; allocating them each time
//! (page faults, zeroing) would cost about as much as some of the arithmetic.

use std::{cell::RefCell, collections::BTreeMap};

use graft_kernels::{pool, rows};

/// Row-major `f32` matrix. Dropping it returns the memory to this thread's pool.
#[derive(Debug)]
pub struct Matrix {
    rows: usize,
    cols: usize,
    data: Vec<f32>,
}

#[derive(Default)]
struct Pool {
    free: BTreeMap<usize, Vec<Vec<f32>>>,
    free_bytes: usize,
    live: usize,
    peak: usize,
}

impl Pool {
    /// The smallest free buffer of at least `size` numbers of which at most a third would be unused.
    fn take(&mut self, size: usize) -> Option<Vec<f32>> {
        let (_, buffers) = self.free.range_mut(size..=size + size / 2).find(|(_, buffers)| !buffers.is_empty())?;
        let buffer = buffers.pop()?;
        self.free_bytes -= buffer.len() * 4;
        Some(buffer)
    }
}

/// Recycled memory is kept up to the peak of live memory plus this many bytes; the rest is freed.
const SPARE: usize = 96 << 20;

impl Pool {
    /// Frees recycled buffers, smallest first, until `bytes` more fit into the limit.
    fn make_room(&mut self, bytes: usize) {
        let limit = self.peak.max(self.live + bytes) + SPARE;
        while self.live + self.free_bytes + bytes > limit
            && let Some(mut smallest) = self.free.first_entry()
        {
            self.free_bytes -= 4 * smallest.get_mut().pop().map_or(0, |buffer| buffer.len());
            if smallest.get().is_empty() {
                smallest.remove();
            }
        }
    }
}

thread_local! {
    static POOL: RefCell<Pool> = RefCell::default();
}

/// Memory of this thread's matrices, now and at its peak.
pub mod memory {
    use super::POOL;

    /// Bytes of live matrices.
    #[must_use]
    pub fn live() -> usize {
        POOL.with_borrow(|pool| pool.live)
    }

    /// The most bytes of live matrices since [`reset_peak`].
    #[must_use]
    pub fn peak() -> usize {
        POOL.with_borrow(|pool| pool.peak)
    }

    /// Starts a new measurement of the peak.
    pub fn reset_peak() {
        POOL.with_borrow_mut(|pool| pool.peak = pool.live);
    }

    /// Frees the recycled memory.
    pub fn trim() {
        POOL.with_borrow_mut(|pool| {
            pool.free.clear();
            pool.free_bytes = 0;
        });
    }
}

/// Rounds a size up so that batches of slightly different length share buffers: to 64 rows, or, for fewer rows, to
/// one of eight sizes per power of two.
fn class(rows: usize, cols: usize) -> usize {
    if rows >= 64 {
        return rows.next_multiple_of(64) * cols;
    }
    let step = ((rows * cols).next_power_of_two() / 16).max(64);
    (rows * cols).next_multiple_of(step)
}

impl Matrix {
    /// A matrix with arbitrary (but initialized) contents.
    #[must_use]
    pub fn scratch(rows: usize, cols: usize) -> Self {
        let size = class(rows, cols);
        let recycled = POOL.with_borrow_mut(|pool| {
            let found = pool.take(size);
            if found.is_none() {
                pool.make_room(4 * size);
            }
            found
        });
        let data = recycled.unwrap_or_else(|| vec![0.0; size]);
        POOL.with_borrow_mut(|pool| {
            pool.live += data.len() * 4;
            pool.peak = pool.peak.max(pool.live);
        });
        Self { rows, cols, data }
    }

    /// A matrix of zeros.
    #[must_use]
    pub fn zeros(rows: usize, cols: usize) -> Self {
        let mut matrix = Self::scratch(rows, cols);
        matrix.data_mut().fill(0.0);
        matrix
    }

    /// A copy of `data`, row by row.
    ///
    /// # Panics
    /// If the length of `data` is not `rows · cols`.
    #[must_use]
    pub fn from_slice(rows: usize, cols: usize, data: &[f32]) -> Self {
        let mut matrix = Self::scratch(rows, cols);
        matrix.data_mut().copy_from_slice(data);
        matrix
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    #[must_use]
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// All numbers, row by row.
    #[must_use]
    pub fn data(&self) -> &[f32] {
        &self.data[..self.rows * self.cols]
    }

    /// All numbers, row by row.
    pub fn data_mut(&mut self) -> &mut [f32] {
        &mut self.data[..self.rows * self.cols]
    }

    /// Adds another matrix of the same shape, on all threads.
    pub(crate) fn add(&mut self, other: &Self) {
        const CHUNK: usize = 1 << 14;
        pool::for_each_chunk(self.data_mut(), CHUNK, |i, piece| {
            rows::add_assign(piece, &other.data()[i * CHUNK..]);
        });
    }

    /// The same numbers with rows and columns exchanged.
    pub(crate) fn transposed(&self) -> Self {
        let mut turned = Self::scratch(self.cols, self.rows);
        for (row, numbers) in self.data().chunks_exact(self.cols.max(1)).enumerate() {
            let column = turned.data_mut()[row.min(self.rows)..].iter_mut().step_by(self.rows.max(1));
            column.zip(numbers).for_each(|(to, from)| *to = *from);
        }
        turned
    }

    /// One row.
    #[must_use]
    pub fn row(&self, row: usize) -> &[f32] {
        &self.data[row * self.cols..(row + 1) * self.cols]
    }

    /// One row.
    pub fn row_mut(&mut self, row: usize) -> &mut [f32] {
        &mut self.data[row * self.cols..(row + 1) * self.cols]
    }
}

impl Clone for Matrix {
    fn clone(&self) -> Self {
        Self::from_slice(self.rows, self.cols, self.data())
    }
}

impl Drop for Matrix {
    fn drop(&mut self) {
        let data = std::mem::take(&mut self.data);
        // The pool is gone only while its thread ends.
        let _ = POOL.try_with(|pool| {
            let mut pool = pool.borrow_mut();
            let bytes = data.len() * 4;
            pool.live = pool.live.saturating_sub(bytes);
            if pool.live + pool.free_bytes + bytes <= pool.peak + SPARE {
                pool.free_bytes += bytes;
                pool.free.entry(data.len()).or_default().push(data);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recycled_buffers_are_freed_for_larger_ones() {
        let fill = |rows: usize| drop((0..40).map(|_| Matrix::scratch(rows, 10_000)).collect::<Vec<_>>());
        fill(128);
        fill(448);
        POOL.with_borrow(|pool| {
            assert_eq!(pool.live, 0);
            assert!(pool.free_bytes >= pool.peak && pool.free_bytes <= pool.peak + SPARE, "{}", pool.free_bytes);
            assert_eq!(pool.free_bytes, pool.free.values().flatten().map(|buffer| 4 * buffer.len()).sum::<usize>());
        });
        // A slightly smaller matrix uses one of the large recycled buffers.
        let before = POOL.with_borrow(|pool| pool.free_bytes);
        drop(Matrix::scratch(384, 10_000));
        assert_eq!(POOL.with_borrow(|pool| pool.free_bytes), before);
    }
}
