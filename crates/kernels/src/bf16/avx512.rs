//! Blocks of tiles with `vdpbf16ps` of AVX-512.

use std::{
    arch::x86_64::{
        __m512bh, __m512i, _mm512_dpbf16_ps, _mm512_load_si512, _mm512_loadu_ps, _mm512_set1_epi32, _mm512_setzero_ps,
        _mm512_storeu_ps,
    },
    mem::transmute,
};

use super::{SIDE, Segment};

/// Rows whose sums are kept in registers at once.
const ROWS: usize = 8;

/// Whether the processor has these instructions, and those for packing.
pub(super) fn found() -> bool {
    use std::arch::is_x86_feature_detected as has;
    has!("avx512f") && has!("avx512bw") && has!("avx512bf16")
}

/// `out = Σ rows·columns` (`+=` with `add`) for one or two by one or two tiles.
///
/// # Safety
/// As [`Blocks::compute`](super::Blocks).
pub(super) unsafe fn block(segments: &[Segment], (tall, wide): (bool, bool), out: *mut f32, stride: usize, add: bool) {
    for group in 0..1 + usize::from(tall) {
        for first in (0..SIDE).step_by(ROWS) {
            // SAFETY: guaranteed by the caller.
            unsafe {
                let out = out.add((group * SIDE + first) * stride);
                match wide {
                    true => rows::<2>(segments, group, first, out, stride, add),
                    false => rows::<1>(segments, group, first, out, stride, add),
                }
            }
        }
    }
}

/// [`ROWS`] rows of a group from `first` on, by `S` tiles of columns.
///
/// # Safety
/// As [`block`].
#[target_feature(enable = "avx512f,avx512bf16")]
unsafe fn rows<const S: usize>(
    segments: &[Segment],
    group: usize,
    first: usize,
    out: *mut f32,
    stride: usize,
    add: bool,
) {
    let mut sums = [[_mm512_setzero_ps(); S]; ROWS];
    // SAFETY: the caller guarantees the pointers; tiles consist of 64-byte lines with 64-byte alignment.
    unsafe {
        if add {
            for (row, sums) in sums.iter_mut().enumerate() {
                for (s, sum) in sums.iter_mut().enumerate() {
                    *sum = _mm512_loadu_ps(out.add(row * stride + s * SIDE));
                }
            }
        }
        for segment in segments {
            for tile in 0..segment.tiles {
                let rows: &[[u32; SIDE]; SIDE] = &(*segment.rows[group].add(tile)).0;
                #[expect(clippy::needless_range_loop, reason = "a column of the rows, beside a line of the columns")]
                for pair in 0..SIDE {
                    let cols: [_; S] = std::array::from_fn(|s| {
                        let line = (*segment.cols[s].add(tile)).0[pair].as_ptr();
                        transmute::<__m512i, __m512bh>(_mm512_load_si512(line.cast()))
                    });
                    for (row, sums) in sums.iter_mut().enumerate() {
                        let both =
                            transmute::<__m512i, __m512bh>(_mm512_set1_epi32(rows[first + row][pair].cast_signed()));
                        for (sum, col) in sums.iter_mut().zip(cols) {
                            *sum = _mm512_dpbf16_ps(*sum, both, col);
                        }
                    }
                }
            }
        }
        for (row, sums) in sums.into_iter().enumerate() {
            for (s, sum) in sums.into_iter().enumerate() {
                _mm512_storeu_ps(out.add(row * stride + s * SIDE), sum);
            }
        }
    }
}
