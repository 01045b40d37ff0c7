//! Matrix products of strided views with the `gemm` crate's kernels, split over the thread pool.

use gemm_common::Parallelism;

use crate::pool::{self, SendPtr};

/// A read-only matrix inside a slice.
#[derive(Clone, Copy)]
pub struct View<'a> {
    data: &'a [f32],
    rows: usize,
    cols: usize,
    row_stride: usize,
    col_stride: usize,
}

impl<'a> View<'a> {
    /// A `(rows, cols)` matrix whose element `(i, j)` is `data[i * row_stride + j]`.
    ///
    /// # Panics
    /// When the last element lies outside `data`.
    #[must_use]
    pub fn new(data: &'a [f32], rows: usize, cols: usize, row_stride: usize) -> Self {
        assert!(rows == 0 || cols == 0 || (rows - 1) * row_stride + cols <= data.len(), "view outside its slice");
        Self { data, rows, cols, row_stride, col_stride: 1 }
    }

    /// A `(rows, cols)` matrix stored row by row without gaps.
    #[must_use]
    pub fn dense(data: &'a [f32], rows: usize, cols: usize) -> Self {
        Self::new(data, rows, cols, cols)
    }

    /// The transposed view; no data is moved.
    #[must_use]
    pub fn t(self) -> Self {
        Self {
            rows: self.cols,
            cols: self.rows,
            row_stride: self.col_stride,
            col_stride: self.row_stride,
            data: self.data,
        }
    }
}

/// A writable matrix inside a slice.
pub struct ViewMut<'a> {
    data: &'a mut [f32],
    rows: usize,
    cols: usize,
    row_stride: usize,
}

impl<'a> ViewMut<'a> {
    /// See [`View::new`].
    ///
    /// # Panics
    /// When the last element lies outside `data`, or rows overlap.
    #[must_use]
    pub fn new(data: &'a mut [f32], rows: usize, cols: usize, row_stride: usize) -> Self {
        assert!(rows == 0 || cols == 0 || (rows - 1) * row_stride + cols <= data.len(), "view outside its slice");
        assert!(rows < 2 || row_stride >= cols, "rows overlap");
        Self { data, rows, cols, row_stride }
    }

    /// See [`View::dense`].
    #[must_use]
    pub fn dense(data: &'a mut [f32], rows: usize, cols: usize) -> Self {
        Self::new(data, rows, cols, cols)
    }
}

/// `c = scale · a·b`, or `c += scale · a·b` with `add`. Shapes `(m, n) = (m, k)·(k, n)`.
///
/// # Panics
/// When the shapes don't match.
pub fn matmul(c: ViewMut<'_>, add: bool, scale: f32, a: View<'_>, b: View<'_>) {
    assert!(c.rows == a.rows && c.cols == b.cols && a.cols == b.rows, "shapes don't match");
    let work = c.rows * c.cols * a.cols;
    let parts = if work < 1 << 16 || pool::inside() { 1 } else { pool::threads() * 2 };
    let by_cols = c.cols >= c.rows || c.cols >= 256;
    let len = if by_cols { c.cols } else { c.rows };
    let step = len.div_ceil(parts).next_multiple_of(if by_cols { 16 } else { 8 });
    let out = SendPtr(c.data.as_mut_ptr());
    let (rows, cols, stride) = (c.rows, c.cols, c.row_stride);
    pool::for_each(len.div_ceil(step), |part| {
        let begin = part * step;
        let size = step.min(len - begin);
        let (i, j, m, n) = if by_cols { (0, begin, rows, size) } else { (begin, 0, size, cols) };
        // SAFETY: the block `(i.., j..)` of size `(m, n)` lies inside `c`, whose bounds `ViewMut::new` checked; blocks of
        // different parts are disjoint; `a` and `b` were checked by `View::new`.
        unsafe {
            let c = out.get().add(i * stride + j);
            // Pointers past the slice are only formed for empty inner dimensions, which read nothing.
            let lhs = a.data.as_ptr().wrapping_add(i * a.row_stride);
            let rhs = b.data.as_ptr().wrapping_add(j * b.col_stride);
            raw_gemm(
                (m, n, a.cols),
                (c, stride),
                add,
                scale,
                (lhs, a.row_stride, a.col_stride),
                (rhs, b.row_stride, b.col_stride),
            );
        }
    });
}

/// One thread's `c = scale · a·b` (`+=` with `add`) for `(m, n, k)`; `c` is (pointer, row stride), `a` and `b` are
/// (pointer, row stride, column stride).
///
/// # Safety
/// The pointers must be valid for the shapes and strides, and no other thread may use `c`'s block during the call.
pub(crate) unsafe fn raw_gemm(
    (m, n, k): (usize, usize, usize),
    (c, c_rs): (*mut f32, usize),
    add: bool,
    scale: f32,
    (a, a_rs, a_cs): (*const f32, usize, usize),
    (b, b_rs, b_cs): (*const f32, usize, usize),
) {
    if m == 0 || n == 0 {
        return;
    }
    let gemm = gemm_f32::gemm::f32::get_gemm_fn();
    let [c_rs, a_rs, a_cs, b_rs, b_cs] = [c_rs, a_rs, a_cs, b_rs, b_cs].map(|stride| stride as isize);
    // SAFETY: the caller guarantees the pointers.
    unsafe {
        gemm(
            m,
            n,
            k,
            c,
            1,
            c_rs,
            add,
            a,
            a_cs,
            a_rs,
            b,
            b_cs,
            b_rs,
            1.0,
            scale,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn numbers(n: usize, seed: u32) -> Vec<f32> {
        (0..n as u32)
            .map(|i| ((i.wrapping_mul(2_654_435_761).wrapping_add(seed * 97) >> 16) % 200) as f32 / 100.0 - 1.0)
            .collect()
    }

    #[test]
    fn matmul_equals_the_triple_loop() {
        for (m, n, k) in [(1, 1, 1), (3, 5, 7), (33, 65, 17), (130, 40, 64), (40, 300, 64), (2, 3, 0)] {
            let (a, b) = (numbers(m * k, 1), numbers(n * k, 2));
            let mut c = numbers(m * n, 3);
            let want: Vec<f32> = (0..m * n)
                .map(|x| c[x] + 0.5 * (0..k).map(|p| a[x / n * k + p] * b[x % n * k + p]).sum::<f32>())
                .collect();
            matmul(ViewMut::dense(&mut c, m, n), true, 0.5, View::dense(&a, m, k), View::dense(&b, n, k).t());
            assert!(c.iter().zip(&want).all(|(x, y)| (x - y).abs() < 1e-4), "{m} {n} {k}");
        }
    }
}
