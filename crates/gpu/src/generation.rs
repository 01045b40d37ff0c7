//! Generation with a KV cache, on a GPU.

use std::ops::Range;

use graft_ops::{AdaptedWeight, AttentionLayer, Best, Head, Inference, LoraRows, Shaped as _};

use crate::{
    Gpu,
    device::{Indices, THREADS, padded},
    matrix::Matrix,
    memory::Buffer,
    ranges::Items,
    runtime::{arguments, int},
    weight::Weight,
};

/// Warps of a block that computes one query, and the most heads it handles; as in `kernels/generation.cu`.
const STEP_WARPS: usize = 8;
const STEP_HEADS: usize = 4;

/// Keys and values of earlier tokens, f32.
#[derive(Debug)]
pub struct Cache {
    /// Keys and values `(rows, width)` of each layer.
    layers: Vec<[Buffer; 2]>,
    width: usize,
}

impl Gpu {
    /// Attention over a cache by one kernel, for some of the queries.
    fn attend_by(
        &self,
        (kernel, blocks, threads, shared): (&'static str, (usize, usize), usize, usize),
        (q, [keys, values], out): (&Matrix, &[Buffer; 2], &Matrix),
        layer: &AttentionLayer<Self>,
        items: &Items,
        lse: Option<&Matrix>,
    ) {
        let [a, b, c, d, e, f, g, i] = Self::attention_arguments(layer);
        let (ranges, lse) = (&layer.ranges.ranges, lse.map_or(0, |lse| lse.data().address()));
        // The kernel for single queries does not use the last argument.
        let arguments =
            arguments![q.data(), keys, values, ranges, &items.buffer, a, b, c, d, e, f, g, i, out.data(), lse];
        self.machine.launch_shared(kernel, blocks, threads, shared, arguments);
    }
}

impl Inference for Gpu {
    type Cache = Cache;

    fn cache(&self, layers: usize, rows: usize, width: usize) -> Cache {
        let layers = (0..layers).map(|_| [(); 2].map(|()| self.machine.take(4 * rows * width))).collect();
        Cache { layers, width }
    }

    fn store(&self, cache: &mut Cache, layer: usize, rows: &Indices, k: &Matrix, v: &Matrix) {
        let [keys, values] = &cache.layers[layer];
        let arguments = arguments![k.data(), v.data(), &rows.indices, int(cache.width), keys, values];
        self.machine.launch("store_rows", (rows.count, 1), 256, arguments);
    }

    fn attend(&self, q: &Matrix, cache: &Cache, layer: usize, attention: &AttentionLayer<Self>) -> Matrix {
        let heads = attention.heads;
        let out = self.scratch(q.rows(), q.cols());
        let places = (q, &cache.layers[layer], &out);
        let step = match heads.dim {
            64 => "attend_step_64",
            128 => "attend_step_128",
            _ => {
                let (tiles, lse) = (attention.ranges.query_tiles(), self.scratch(q.rows(), heads.heads));
                let blocks = (64 * tiles.count, heads.heads);
                self.attend_by(("attend", blocks, THREADS, 0), places, attention, tiles, Some(&lse));
                return out;
            }
        };
        let [single, tiles] = attention.ranges.steps();
        let blocks = (single.count, heads.kv_heads * (heads.heads / heads.kv_heads).div_ceil(STEP_HEADS));
        let shared = 4 * STEP_WARPS * STEP_HEADS * (heads.dim + 2);
        self.attend_by((step, blocks, 32 * STEP_WARPS, shared), places, attention, single, None);
        if tiles.count > 0 {
            let lse = self.scratch(q.rows(), heads.heads);
            let how = match self.tiled(attention) {
                Some(kernels) => {
                    let shared = padded(64, heads.dim) + padded(heads.dim, 64);
                    (kernels.forward, (tiles.count, heads.heads), THREADS, shared)
                }
                None => ("attend", (64 * tiles.count, heads.heads), THREADS, 0),
            };
            self.attend_by(how, places, attention, tiles, Some(&lse));
        }
        out
    }

    fn cached(&self, cache: &Cache, rows: Range<usize>) -> Vec<f32> {
        let (first, count) = (rows.start * cache.width, rows.len() * cache.width);
        cache.layers.iter().flatten().flat_map(|of| of.floats_from(first, count)).collect()
    }

    fn fill(&self, cache: &mut Cache, rows: Range<usize>, numbers: &[f32]) {
        let count = rows.len() * cache.width;
        for (of, own) in cache.layers.iter().flatten().zip(numbers.chunks(count.max(1))) {
            let bytes: Vec<u8> = own.iter().flat_map(|number| number.to_le_bytes()).collect();
            of.write(4 * rows.start * cache.width, &bytes);
        }
    }

    fn linears<const N: usize>(&self, x: &Matrix, layers: &[AdaptedWeight<'_, Self>; N]) -> [Matrix; N] {
        let input = x.operand();
        layers.each_ref().map(|(weight, groups)| {
            let (inputs, outputs) = (weight.cols(), weight.rows());
            let (y, w) = (self.scratch(x.rows(), outputs), weight.operand(&self.machine));
            let to = (y.data().address(), outputs);
            self.multiply((x.rows(), outputs, inputs), input.from(0, 0), w.from(0, 0).t(), to, 1.0, 0.0);
            for LoraRows { rows, lora } in groups {
                let (count, rank) = (rows.len(), lora.a.rows);
                let low = self.scratch(count, rank); // x·Aᵀ
                let (a, b) = (lora.a.factor().t(), lora.b.factor().t());
                let to = (low.data().address(), rank);
                self.multiply((count, rank, inputs), input.from(rows.start, 0), a, to, 1.0, 0.0);
                let to = (y.data().at(4 * rows.start * outputs), outputs);
                self.multiply((count, outputs, rank), low.operand().from(0, 0), b, to, lora.scale, 1.0);
            }
            y
        })
    }

    fn logits(&self, h: &Matrix, head: &Head<'_, Weight>) -> Matrix {
        let &Head { weight: head, scale, cap } = head;
        let (mut logits, w) = (self.scratch(h.rows(), head.rows()), head.operand(&self.machine));
        let to = (logits.data().address(), head.rows());
        self.multiply((h.rows(), head.rows(), h.cols()), h.operand().from(0, 0), w.from(0, 0).t(), to, scale, 0.0);
        self.soft_cap(&mut logits, cap);
        logits
    }

    fn best(&self, logits: &Matrix, masks: &[&[u32]]) -> Vec<Best> {
        let words = masks.iter().map(|mask| mask.len()).max().unwrap_or(0);
        let padded =
            masks.iter().flat_map(|mask| mask.iter().copied().chain(std::iter::repeat_n(0, words - mask.len())));
        let (masks_there, best) = (self.machine.upload(&padded.collect::<Vec<_>>()), self.scratch(masks.len(), 2));
        let arguments = arguments![logits.data(), int(logits.cols()), &masks_there, int(words), best.data()];
        self.machine.launch("best_tokens", (masks.len(), 1), 512, arguments);
        let found = best.download();
        let one = |pair: &[f32; 2]| Best { token: (pair[0] >= 0.0).then_some(pair[0] as u32), log_prob: pair[1] };
        found.as_chunks::<2>().0.iter().map(one).collect()
    }
}
