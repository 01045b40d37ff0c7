//! Products for a few tokens, as in decoding: each row of the weight is read once and used for all tokens at once,
//! without packing.

use std::ops::Range;

use super::{Columns, Frozen, LowRank, Numbers};
use crate::{
    pool::{self, SendPtr},
    quantized::{Tail, dot_plain, dot_stored},
};

/// Most tokens for which rows are used without packing; for more tokens, packed tiles are faster.
pub(super) const FEW: usize = 12;
/// Most rows of a task.
const STEP: usize = 64;

/// One of several products with the same input.
pub struct Product<'a> {
    /// The weight.
    pub weight: Frozen<'a>,
    /// `(tokens, rows)`.
    pub y: &'a mut [f32],
    /// Low-rank products to add, as in [`Frozen::forward`].
    pub added: Vec<LowRank<'a>>,
}

/// A product that is split into tasks.
struct Job<'a> {
    weight: &'a Frozen<'a>,
    out: Columns,
    added: &'a [LowRank<'a>],
    /// Scaled inputs of the low-rank products.
    inputs: Vec<Vec<f32>>,
    scale: f32,
    /// Rows of a task.
    step: usize,
}

/// `y = x·Wᵀ + Σ added` for several weights.
///
/// # Panics
/// When the shapes don't match.
pub fn forward_all(x: &[f32], products: &mut [Product<'_>]) {
    let few = |p: &Product<'_>| p.weight.tokens(x.len(), p.weight.cols, p.y.len(), p.weight.rows) <= FEW;
    if products.iter().all(few) {
        let jobs = products.iter_mut().map(|Product { weight, y, added }| Job::new(weight, y, 1.0, added));
        run(x, &jobs.collect::<Vec<_>>());
    } else {
        products.iter_mut().for_each(|Product { weight, y, added }| weight.forward(x, y, 1.0, added));
    }
}

/// All tasks of some products.
fn run(x: &[f32], jobs: &[Job<'_>]) {
    pool::for_each(jobs.iter().map(Job::tasks).sum(), |mut task| {
        for job in jobs {
            match task.checked_sub(job.tasks()) {
                Some(left) => task = left,
                None => return job.run(x, task),
            }
        }
    });
}

impl<'a> Job<'a> {
    fn new(weight: &'a Frozen<'a>, y: &'a mut [f32], scale: f32, added: &'a [LowRank<'a>]) -> Self {
        let out = Columns { out: SendPtr(y.as_mut_ptr()), stride: weight.rows, tokens: y.len() / weight.rows.max(1) };
        let scaled = |low: &LowRank<'_>| low.input.iter().map(|h| low.scale / scale * h).collect();
        let step = weight.rows.div_ceil(2 * pool::threads()).next_multiple_of(8).clamp(8, STEP);
        Self { weight, out, added, inputs: added.iter().map(scaled).collect(), scale, step }
    }

    fn tasks(&self) -> usize {
        self.weight.rows.div_ceil(self.step)
    }

    /// The products of some rows with all tokens; the low-rank terms are part of the same sums.
    fn run(&self, x: &[f32], task: usize) {
        let rows = task * self.step..((task + 1) * self.step).min(self.weight.rows);
        let mut tails: [Option<Tail<'_>>; FEW] = [None; FEW];
        for (low, input) in self.added.iter().zip(&self.inputs) {
            let factor = &low.factor[rows.start * low.rank..rows.end * low.rank];
            let tails = tails[low.tokens.clone()].iter_mut().zip(input.chunks_exact(low.rank.max(1)));
            tails.for_each(|(tail, input)| *tail = Some(Tail { factor, input }));
        }
        let tails = if self.added.is_empty() { &[] } else { &tails[..self.out.tokens] };
        let mut sums = [0.0; STEP * FEW];
        let sums = &mut sums[..rows.len() * self.out.tokens];
        self.weight.dots(rows.clone(), x, tails, sums);
        // SAFETY: no other task of this product has these columns, and each product has its own output.
        unsafe { self.out.put(rows, sums, self.scale) };
    }
}

impl Frozen<'_> {
    /// [`forward`](Self::forward) for up to [`FEW`] tokens.
    pub(super) fn forward_few(&self, x: &[f32], y: &mut [f32], scale: f32, added: &[LowRank<'_>]) {
        run(x, &[Job::new(self, y, scale, added)]);
    }

    /// `scale · W·x` for some rows and one token.
    ///
    /// # Panics
    /// If a row does not exist, or the length of `x` differs from that of a row.
    #[must_use]
    pub fn forward_rows(&self, x: &[f32], rows: &[u32], scale: f32) -> Vec<f32> {
        assert_eq!(x.len(), self.cols, "shapes don't match");
        let dot = |row: usize| {
            let mut sum = [0.0];
            self.dots(row..row + 1, x, &[], &mut sum);
            scale * sum[0]
        };
        rows.iter().map(|&row| dot(row as usize)).collect()
    }

    /// Inner products of some rows with each row of `x`, plus their low-rank tails: `out (rows, tokens)`.
    fn dots(&self, rows: Range<usize>, x: &[f32], tails: &[Option<Tail<'_>>], out: &mut [f32]) {
        match self.rows(rows).numbers {
            Numbers::Plain(numbers) => dot_plain(numbers, self.cols, x, tails, out),
            Numbers::Stored(dtype, bytes) => dot_stored(dtype, bytes, self.cols, x, tails, out),
        }
    }
}

impl Columns {
    /// Writes sums `(columns, tokens)` transposed to columns of all tokens.
    ///
    /// # Safety
    /// No other thread may use these columns during the call.
    unsafe fn put(&self, columns: Range<usize>, sums: &[f32], scale: f32) {
        assert!(columns.end <= self.stride && sums.len() == columns.len() * self.tokens, "outside the result");
        for token in 0..self.tokens {
            // SAFETY: the check above shows that these columns lie inside the output; they belong to the caller.
            let out = unsafe {
                let first = self.out.get().add(token * self.stride + columns.start);
                std::slice::from_raw_parts_mut(first, columns.len())
            };
            let sums = sums[token..].iter().step_by(self.tokens);
            out.iter_mut().zip(sums).for_each(|(out, sum)| *out = scale * sum);
        }
    }
}
