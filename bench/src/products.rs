//! Speed of the f32 product: for large matrices (the reference for everything else), and in the shapes of training.

use anyhow::Context as _;
use graft_kernels::{Bf16, Dtype, Frozen, LowRank, View, ViewMut, matmul};
use graft_ops::{Cpu, Device as _, Head, Matrix, Target, Weight};
use serde_json::json;

use crate::timing::{mean_cpu, median, numbers};

/// Shapes `(name, tokens, in, out)` of SmolLM2-135M and of flan-t5-small.
const SHAPES: [(&str, usize, usize, usize); 9] = [
    ("large square", 1536, 1536, 1536),
    ("SmolLM2 q, o", 512, 576, 576),
    ("SmolLM2 k, v", 512, 576, 192),
    ("SmolLM2 gate, up", 512, 576, 1536),
    ("SmolLM2 down", 512, 1536, 576),
    ("T5 q, 64 tokens", 64, 512, 384),
    ("T5 wi, 64 tokens", 64, 512, 1024),
    ("T5 wi, 512 tokens", 512, 512, 1024),
    ("T5 wo, 512 tokens", 512, 1024, 512),
];

/// Prints GFLOP/s of forward and backward products, of LoRA's small ones, and of the output head with the loss.
pub(crate) fn run() {
    weights(&SHAPES);
    low_rank();
    heads();
}

/// Prints GFLOP/s of the large product only.
pub(crate) fn large() {
    weights(&SHAPES[..1]);
}

fn weights(shapes: &[(&str, usize, usize, usize)]) {
    for &(name, tokens, inputs, outputs) in shapes {
        let weight = Weight::dense(outputs, inputs, numbers(inputs * outputs, 1));
        let (x, dy) = (numbers(tokens * inputs, 2), numbers(tokens * outputs, 3));
        let (mut y, mut dx) = (vec![0.0; tokens * outputs], vec![0.0; tokens * inputs]);
        let work = 2e-9 * (tokens * inputs * outputs) as f64;
        let forward = work / median(0.3, || weight.forward(&x, &mut y, 1.0, &[]));
        let backward = work / median(0.3, || weight.backward(&dy, &mut dx, 1.0, false, &[]));
        println!("{}", json!({"product": name, "forward_gflops": forward, "backward_gflops": backward}));
    }
}

/// Prints GFLOP per CPU second of bf16 products with quantized weights and a LoRA term, for `tokens` tokens.
pub(crate) fn rounded(tokens: usize) -> anyhow::Result<()> {
    const RANK: usize = 16;
    let ways = [("f32", None)].into_iter().chain(Bf16::all().iter().map(|way| (way.name(), Some(*way))));
    for (name, way) in ways {
        for (inputs, outputs) in [(576, 576), (576, 192), (576, 1536), (1536, 576)] {
            let size = Dtype::Q4_1.row_bytes(inputs).context("whole blocks")?;
            // Small scales, so that sums stay finite.
            let bytes: Vec<u8> =
                (0..size * outputs).map(|i| if i % 2 == 1 { 0x20 } else { (i * 37 % 251) as u8 }).collect();
            let weight = Frozen::stored(outputs, inputs, Dtype::Q4_1, &bytes).rounded(way);
            let (x, dy, h) = (numbers(tokens * inputs, 2), numbers(tokens * outputs, 3), numbers(tokens * RANK, 4));
            let (a, b) = (numbers(RANK * inputs, 5), numbers(RANK * outputs, 6));
            let low = |factor| [LowRank { tokens: 0..tokens, input: &h, factor, rank: RANK, scale: 1.0 }];
            let (mut y, mut dx) = (vec![0.0; tokens * outputs], vec![0.0; tokens * inputs]);
            let work = 2e-9 * (tokens * inputs * outputs) as f64;
            let forward = work / mean_cpu(1.0, || weight.forward(&x, &mut y, 1.0, &low(&b)));
            let backward = work / mean_cpu(1.0, || weight.backward(&dy, &mut dx, 1.0, false, &low(&a)));
            println!(
                "{}",
                json!({"product": format!("Q4_1 ({outputs}, {inputs}), {tokens} tokens"), "in": name,
                       "forward_gflop_a_cpu_s": forward, "backward_gflop_a_cpu_s": backward})
            );
        }
    }
    Ok(())
}

fn low_rank() {
    for (name, tokens, inputs, rank) in [("LoRA down, rank 16", 512, 576, 16), ("LoRA down, rank 48", 512, 576, 48)] {
        let (x, a, b) = (numbers(tokens * inputs, 1), numbers(rank * inputs, 2), numbers(inputs * rank, 3));
        let (mut h, mut y) = (vec![0.0; tokens * rank], vec![0.0; tokens * inputs]);
        let work = 2e-9 * (tokens * inputs * rank) as f64;
        let (x, a, b) = (View::dense(&x, tokens, inputs), View::dense(&a, rank, inputs), View::dense(&b, inputs, rank));
        let down = work / median(0.2, || matmul(ViewMut::dense(&mut h, tokens, rank), false, 1.0, x, a.t()));
        let low = View::dense(&h, tokens, rank);
        let up = work / median(0.2, || matmul(ViewMut::dense(&mut y, tokens, inputs), true, 1.0, low, b.t()));
        println!("{}", json!({"product": name, "forward_gflops": down, "backward_gflops": up}));
    }
}

fn heads() {
    for (name, rows, hidden, vocab) in [
        ("head and loss of SmolLM2", 240, 576, 49152),
        ("head and loss of T5", 512, 512, 32128),
        ("the same, 64 rows", 64, 512, 32128),
    ] {
        let weight = Weight::dense(vocab, hidden, numbers(vocab * hidden, 1));
        let head = Head { weight: &weight, scale: 1.0, cap: None };
        let h = Matrix::from_slice(rows, hidden, &numbers(rows * hidden, 2));
        let targets: Vec<Target> = (0..rows as u32).map(|token| Target { token, weight: 1.0 }).collect();
        let work = 2e-9 * (rows * hidden * vocab) as f64;
        let forward = work / median(0.5, || drop(Cpu::F32.cross_entropy(&h, &head, &targets, false)));
        let both = 2.0 * work / median(0.5, || drop(Cpu::F32.cross_entropy(&h, &head, &targets, true)));
        println!("{}", json!({"product": name, "forward_gflops": forward, "both_gflops": both}));
    }
}
