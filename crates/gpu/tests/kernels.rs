//! Compares every kernel with its CPU version.
#![expect(clippy::unwrap_used, reason = "tests may panic")]

mod emulator;

use std::rc::Rc;

use emulator::gpus;
use graft_gpu::{Element, Gpu};
use graft_ops::{
    Activation, AdaptedWeight, AttentionLayer, AttentionRange, Cpu, Device, Dropout, Dtype, Head, Heads, Inference,
    LayerGradients, Lora, LoraRows, Matrix, ParamSet, Rope, Shaped, Target, Weight,
};

/// Pseudo-random numbers between −1 and 1.
fn numbers(count: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

fn matrix(rows: usize, cols: usize, seed: u32) -> Matrix {
    Matrix::from_slice(rows, cols, &numbers(rows * cols, seed))
}

/// Checks that `‖got − want‖ / ‖want‖` is at most `bound`; NaN never passes.
fn near(what: &str, got: &[f32], want: &[f32], bound: f64) {
    assert_eq!(got.len(), want.len(), "{what}");
    let norm = |numbers: &mut dyn Iterator<Item = f64>| numbers.map(|x| x * x).sum::<f64>().sqrt();
    let error = norm(&mut got.iter().zip(want).map(|(a, b)| f64::from(*a) - f64::from(*b)));
    let relative = error / norm(&mut want.iter().map(|x| f64::from(*x))).max(1e-30);
    println!("{what:<40} {relative:.1e}");
    assert!(relative <= bound, "{what}: the error is {relative:.1e}");
}

/// Runs a test for each element type and device, with the tolerance for products of that type.
fn on_each(test: impl Fn(&Gpu, f64)) {
    for (element, bound) in [(Element::F32, 2e-6), (Element::Bf16, 6e-3)] {
        for gpu in gpus(element) {
            test(&gpu, bound);
            gpu.status().unwrap();
        }
    }
}

#[test]
fn element_wise_operations() {
    for gpu in gpus(Element::F32) {
        let (x, y, dy) = (matrix(5, 36, 1), matrix(5, 36, 2), matrix(5, 36, 3));
        let up = |m: &Matrix| gpu.matrix(m.clone());
        for activation in [Activation::Silu, Activation::GeluTanh, Activation::Relu] {
            let name = format!("{activation:?}");
            near(
                &name,
                &gpu.gated(activation, &up(&x), &up(&y)).download(),
                Cpu::F32.gated(activation, &x, &y).data(),
                2e-6,
            );
            let (mut gate, mut other) = (x.clone(), y.clone());
            Cpu::F32.gated_backward(activation, &dy, &mut gate, &mut other);
            let (mut on_gpu, mut other_on_gpu) = (up(&x), up(&y));
            gpu.gated_backward(activation, &up(&dy), &mut on_gpu, &mut other_on_gpu);
            near(&name, &on_gpu.download(), gate.data(), 2e-6);
            near(&name, &other_on_gpu.download(), other.data(), 2e-6);
        }
        let (mut sum, mut on_gpu) = (x.clone(), up(&x));
        Cpu::F32.add(&mut sum, &y);
        gpu.add(&mut on_gpu, &up(&y));
        near("add", &on_gpu.download(), sum.data(), 0.0);
        Cpu::F32.relu(&mut sum);
        gpu.relu(&mut on_gpu);
        near("relu", &on_gpu.download(), sum.data(), 0.0);
        let (mut back, mut back_on_gpu) = (dy.clone(), up(&dy));
        Cpu::F32.relu_backward(&mut back, &sum);
        gpu.relu_backward(&mut back_on_gpu, &on_gpu);
        near("relu backward", &back_on_gpu.download(), back.data(), 0.0);
        near("copy", &gpu.copy(&on_gpu).download(), sum.data(), 0.0);
        near("zeros", &gpu.zeros(3, 7).download(), &[0.0; 21], 0.0);
    }
}

#[test]
fn row_operations() {
    for gpu in gpus(Element::F32) {
        let up = |m: &Matrix| gpu.matrix(m.clone());
        let (x, dy) = (matrix(6, 520, 4), matrix(6, 520, 5));
        let (mut dx, mut dx_on_gpu) = (matrix(6, 520, 7), up(&matrix(6, 520, 7)));
        // Of whole rows, and of heads of 40 numbers.
        for weight in [numbers(520, 6), numbers(40, 6)] {
            let (y, rstd) = Cpu::F32.rms_norm(&x, &weight, 1e-5);
            let on_gpu = gpu.vector(&weight);
            let (y_on_gpu, rstd_on_gpu) = gpu.rms_norm(&up(&x), &on_gpu, 1e-5);
            near("rms norm", &y_on_gpu.download(), y.data(), 1e-6);
            Cpu::F32.rms_norm_backward(&mut dx, &dy, &x, &weight, &rstd);
            gpu.rms_norm_backward(&mut dx_on_gpu, &up(&dy), &up(&x), &on_gpu, &rstd_on_gpu);
            near("rms norm backward", &dx_on_gpu.download(), dx.data(), 2e-6);
        }
        Cpu::F32.scale(&mut dx, 0.3);
        gpu.scale(&mut dx_on_gpu, 0.3);
        near("scale", &dx_on_gpu.download(), dx.data(), 2e-6);

        // All of heads of 8 numbers, and half of heads of 16.
        for width in [24, 48] {
            let rope = Rope::new(&[1.0, 0.3, 0.01, 0.001], &[0, 1, 5, 900, 2, 3]);
            let (mut turned, mut turned_on_gpu) = (matrix(6, width, 8), up(&matrix(6, width, 8)));
            Cpu::F32.rotate(&mut turned, &rope, 3, -1.0);
            gpu.rotate(&mut turned_on_gpu, &gpu.angles(rope), 3, -1.0);
            near("rope", &turned_on_gpu.download(), turned.data(), 1e-6);
        }

        // A row may be selected twice.
        let indices: Rc<[usize]> = Rc::new([4, 0, 4, 2]);
        let there = gpu.indices(Rc::clone(&indices));
        near("select", &gpu.select(&up(&x), &there).download(), Cpu::F32.select(&x, &indices).data(), 0.0);
        let part = matrix(4, 520, 9);
        Cpu::F32.select_backward(&mut dx, &part, &indices);
        gpu.select_backward(&mut dx_on_gpu, &up(&part), &there);
        near("select backward", &dx_on_gpu.download(), dx.data(), 2e-6);

        let mut params = ParamSet::default();
        params.push("before".into(), 1, 3, &numbers(3, 10));
        params.push("prompt".into(), 4, 520, &numbers(4 * 520, 11));
        let (places, there): (Rc<[usize]>, _) = (Rc::new([0, 3]), gpu.indices(Rc::new([0, 3])));
        let params_on_gpu = gpu.params(&params);
        let prompt = Cpu::rows(Cpu::param(&params, 1), 0..2);
        let prompt_on_gpu = Gpu::rows(Gpu::param(&params_on_gpu, 1), 0..2);
        let mut placed = up(&x);
        gpu.place(&mut placed, &prompt_on_gpu, &there);
        let mut want = x.clone();
        Cpu::F32.place(&mut want, &prompt, &places);
        near("place", &placed.download(), want.data(), 0.0);
        let mut grads = numbers(params.data().len(), 12);
        let mut grads_on_gpu = gpu.numbers(&grads);
        Cpu::F32.place_backward(&mut grads, &dy, &prompt, &places);
        gpu.place_backward(&mut grads_on_gpu, &up(&dy), &prompt_on_gpu, &there);
        near("place backward", &gpu.read(&grads_on_gpu), &grads, 1e-6);
    }
}

/// Bytes of a stored weight, with scales of ordinary magnitude.
fn stored(dtype: Dtype, rows: usize, cols: usize) -> Vec<u8> {
    let size = rows * dtype.row_bytes(cols).unwrap();
    let mut bytes: Vec<u8> = (0..size).map(|i| (i * 37 % 251) as u8).collect();
    for block in bytes.chunks_mut(dtype.block_bytes()) {
        match dtype {
            Dtype::F32 => block.copy_from_slice(&(f32::from(block[0]) / 128.0 - 1.0).to_le_bytes()),
            Dtype::BF16 => block[1] = 0x3f,
            Dtype::F16 => block[1] = 0x38 | block[1] & 0x83,
            Dtype::Q6K => block[208..].copy_from_slice(&[0x00, 0x20]),
            _ => block[..2].copy_from_slice(&[0x00, 0x2c]),
        }
        if matches!(dtype, Dtype::Q4_1 | Dtype::Q4K | Dtype::Q5K) {
            block[2..4].copy_from_slice(&[0x00, 0xa8]);
        }
    }
    bytes
}

const DTYPES: [Dtype; 9] =
    [Dtype::F32, Dtype::F16, Dtype::BF16, Dtype::Q4_0, Dtype::Q4_1, Dtype::Q8_0, Dtype::Q4K, Dtype::Q5K, Dtype::Q6K];

#[test]
fn stored_weights() {
    on_each(|gpu, bound| {
        for dtype in DTYPES {
            let weight = Weight::packed(6, 512, dtype, std::sync::Arc::new(stored(dtype, 6, 512)));
            let there = gpu.weight(&weight);
            let ids = [5, 0, 3, 3];
            near(&format!("gather {dtype:?}"), &gpu.gather(&there, &ids).download(), weight.gather(&ids).data(), 1e-6);
            let x = matrix(3, 512, 20);
            let (want, _) = Cpu::F32.linear(&x, &weight, None);
            let (got, _) = gpu.linear(&gpu.matrix(x), &there, None);
            near(&format!("product {dtype:?}"), &got.download(), want.data(), bound);
        }
    });
}

#[test]
fn linear_layers_with_lora() {
    on_each(|gpu, bound| {
        // A rank that fits next to the weight and one that does not; with and without dropout.
        for (rank, dropout) in [(4, None), (4, Some(Dropout { rate: 0.3, seed: 0x1234_5678_9abc })), (70, None)] {
            let (tokens, inputs, outputs) = (9, 40, 24);
            let weight = Weight::dense(outputs, inputs, numbers(outputs * inputs, 30));
            let mut params = ParamSet::default();
            params.push("first".into(), 1, 5, &numbers(5, 31));
            params.push("a".into(), rank, inputs, &numbers(rank * inputs, 32));
            params.push("b".into(), outputs, rank, &numbers(outputs * rank, 33));
            let (x, dy) = (Rc::new(matrix(tokens, inputs, 34)), matrix(tokens, outputs, 35));
            let lora = Lora { a: Cpu::param(&params, 1), b: Cpu::param(&params, 2), scale: 0.7, dropout };
            let (y, low) = Cpu::F32.linear(&x, &weight, Some(&lora));
            let mut grads = numbers(params.data().len(), 36);
            let kept = Cpu::F32.keep(&x, dropout.is_some());
            let low = low.unwrap();
            let of = LayerGradients { lora: &lora, kept: &kept, low: &low, grads: &mut grads };
            let dx = Cpu::F32.linear_backward(&dy, &weight, Some(Some(matrix(tokens, inputs, 37))), Some(of)).unwrap();

            let (there, params) = (gpu.weight(&weight), gpu.params(&params));
            let lora = Lora { a: Gpu::param(&params, 1), b: Gpu::param(&params, 2), scale: 0.7, dropout };
            let x = Rc::new(gpu.matrix((*x).clone()));
            let (y_there, low) = gpu.linear(&x, &there, Some(&lora));
            near(&format!("linear, rank {rank}"), &y_there.download(), y.data(), bound);
            let mut grads_there = gpu.numbers(&numbers(grads.len(), 36));
            let (kept, low, dy) = (gpu.keep(&x, dropout.is_some()), low.unwrap(), gpu.matrix(dy));
            let of = LayerGradients { lora: &lora, kept: &kept, low: &low, grads: &mut grads_there };
            let start = gpu.matrix(matrix(tokens, inputs, 37));
            let dx_there = gpu.linear_backward(&dy, &there, Some(Some(start)), Some(of)).unwrap();
            near(&format!("linear dx, rank {rank}"), &dx_there.download(), dx.data(), bound);
            near(&format!("linear gradients, rank {rank}"), &gpu.read(&grads_there), &grads, bound);
        }
    });
}

/// Whether there is a position bias; the window; the cap of the scores.
type Extras = (bool, Option<usize>, Option<f32>);
const PLAIN: Extras = (false, None, None);
const BIASED: Extras = (true, None, None);

fn check_attention(
    gpu: &Gpu,
    heads: Heads,
    ranges: &Rc<[AttentionRange]>,
    rows: usize,
    (bias, window, cap): Extras,
    bound: f64,
) {
    let (width, kv_width) = (heads.heads * heads.dim, heads.kv_heads * heads.dim);
    let inputs = [matrix(rows, width, 40), matrix(rows, kv_width, 41), matrix(rows, kv_width, 42)];
    let dout = matrix(rows, width, 43);
    let table = numbers(heads.heads * (2 * rows - 1), 44);
    let bias_here = bias.then(|| (Rc::new(table.clone()), rows));
    let layer = AttentionLayer { heads, ranges: Rc::clone(ranges), bias: bias_here, window, cap };
    let [q, k, v] = &inputs;
    let (out, lse) = Cpu::F32.attention(q, k, v, &layer);
    let gradients = Cpu::F32.attention_backward([q, k, v], &out, &lse, &dout, &layer);

    let layer = AttentionLayer {
        heads,
        ranges: gpu.ranges(Rc::clone(ranges)),
        bias: bias.then(|| (Rc::new(gpu.vector(&table)), rows)),
        window,
        cap,
    };
    let [q, k, v] = &inputs.map(|input| gpu.matrix(input));
    let (out_there, lse_there) = gpu.attention(q, k, v, &layer);
    let name = format!("attention of {} × {}, window {window:?}, cap {cap:?}", heads.heads, heads.dim);
    near(&name, &out_there.download(), out.data(), bound);
    near(&format!("{name}: lse"), &lse_there.download(), lse.data(), bound);
    let there = gpu.attention_backward([q, k, v], &out_there, &lse_there, &gpu.matrix(dout), &layer);
    for ((name_of, got), want) in ["dq", "dk", "dv"].iter().zip(&there).zip(&gradients) {
        near(&format!("{name}: {name_of}"), &got.download(), want.data(), bound);
    }
}

#[test]
fn attention_with_ranges_groups_and_a_shared_prefix() {
    let range = |queries: std::ops::Range<usize>, prefix: std::ops::Range<usize>, causal| AttentionRange {
        keys: queries.clone(),
        queries,
        prefix,
        causal,
    };
    // Sequences of different lengths share a prefix of more than a tile; and many queries, so that it is split into
    // parts.
    let mut short: Vec<AttentionRange> = vec![range(0..70, 0..0, true)];
    short.extend([70..71, 71..140, 140..205].map(|queries| range(queries, 0..70, true)));
    let mut long: Vec<AttentionRange> = vec![range(0..20, 0..0, true)];
    long.extend([20..420, 420..820, 820..830].map(|queries| range(queries, 0..20, true)));
    let (short, long): (Rc<[AttentionRange]>, Rc<[AttentionRange]>) = (short.into(), long.into());
    let both: Rc<[AttentionRange]> = Rc::new([range(0..33, 0..0, false), range(33..70, 0..0, false)]);
    on_each(|gpu, bound| {
        let bound = bound * 2.0;
        let heads = |heads, kv_heads, dim| Heads { heads, kv_heads, dim, scale: 1.0 / (dim as f32).sqrt() };
        check_attention(gpu, heads(4, 2, 8), &short, 205, PLAIN, bound);
        check_attention(gpu, heads(2, 1, 64), &short, 205, PLAIN, bound);
        check_attention(gpu, heads(2, 2, 64), &both, 70, BIASED, bound);
        check_attention(gpu, heads(2, 1, 128), &short, 205, PLAIN, bound);
        check_attention(gpu, heads(1, 1, 64), &long, 830, PLAIN, bound);
        check_attention(gpu, heads(2, 2, 16), &both, 70, BIASED, bound);
        // Windows shorter and longer than a tile, ending inside the prefix or after it.
        for window in [5, 100] {
            check_attention(gpu, heads(4, 2, 8), &short, 205, (false, Some(window), Some(0.5)), bound);
            check_attention(gpu, heads(2, 1, 64), &short, 205, (false, Some(window), None), bound);
        }
        check_attention(gpu, heads(1, 1, 128), &long, 830, (false, Some(30), Some(0.5)), bound);
    });
}

/// Rows are stored out of order; single and multiple queries attend to a shared prefix and to their own keys.
fn check_cache(gpu: &Gpu, heads: Heads, (bias, window, cap): Extras, bound: f64) {
    let (width, kv_width, rows) = (heads.heads * heads.dim, heads.kv_heads * heads.dim, 220);
    let (k, v) = (matrix(rows, kv_width, 71), matrix(rows, kv_width, 72));
    let to: Rc<[usize]> = (0..rows).map(|row| 5 + row * 7 % rows).collect();
    let (mut cache, mut there) = (Cpu::F32.cache(2, rows + 10, kv_width), gpu.cache(2, rows + 10, kv_width));
    let places = gpu.indices(Rc::clone(&to));
    let (k_there, v_there) = (gpu.matrix(k.clone()), gpu.matrix(v.clone()));
    for layer in 0..2 {
        let (a, b) = if layer == 0 { (&k, &v) } else { (&v, &k) };
        let (a_there, b_there) = if layer == 0 { (&k_there, &v_there) } else { (&v_there, &k_there) };
        Cpu::F32.store(&mut cache, layer, &to, a, b);
        gpu.store(&mut there, layer, &places, a_there, b_there);
    }
    near("cache", &gpu.cached(&there, 30..60), &Cpu::F32.cached(&cache, 30..60), 0.0);
    let kept = numbers(2 * 2 * 3 * kv_width, 73);
    Cpu::F32.fill(&mut cache, 40..43, &kept);
    gpu.fill(&mut there, 40..43, &kept);
    near("filled cache", &gpu.cached(&there, 39..44), &Cpu::F32.cached(&cache, 39..44), 0.0);

    let range = |queries, keys, causal| AttentionRange { queries, prefix: 5..75, keys, causal };
    let ranges: Rc<[AttentionRange]> = Rc::new([
        range(0..1, 75..76, true),
        range(1..2, 80..140, true),
        range(2..72, 140..215, true),
        range(72..75, 75..78, true),
        AttentionRange { queries: 75..76, prefix: 0..0, keys: 100..101, causal: true },
        range(76..78, 90..95, false),
    ]);
    let (q, table, reach) = (matrix(78, width, 74), numbers(heads.heads * 399, 75), 200);
    let bias_here = bias.then(|| (Rc::new(table.clone()), reach));
    let layer = AttentionLayer { heads, ranges: Rc::clone(&ranges), bias: bias_here, window, cap };
    let want = Cpu::F32.attend(&q, &cache, 1, &layer);
    let bias = bias.then(|| (Rc::new(gpu.vector(&table)), reach));
    let layer = AttentionLayer { heads, ranges: gpu.ranges(ranges), bias, window, cap };
    let got = gpu.attend(&gpu.matrix(q), &there, 1, &layer).download();
    let name = format!("attention over a cache of {} × {}", heads.heads, heads.dim);
    near(&name, &got, want.data(), bound);
    // The rows of short ranges are computed in f32, whatever the element type.
    near(&name, &got[..2 * width], &want.data()[..2 * width], 2e-6);
}

#[test]
fn attention_over_a_cache() {
    on_each(|gpu, bound| {
        let heads = |heads, kv_heads, dim| Heads { heads, kv_heads, dim, scale: 1.0 / (dim as f32).sqrt() };
        let bound = bound * 2.0;
        check_cache(gpu, heads(4, 2, 8), PLAIN, bound);
        check_cache(gpu, heads(3, 1, 64), PLAIN, bound);
        check_cache(gpu, heads(3, 1, 64), (false, Some(20), Some(0.5)), bound);
        check_cache(gpu, heads(2, 1, 16), (false, Some(20), Some(0.5)), bound);
        check_cache(gpu, heads(12, 2, 64), PLAIN, bound);
        check_cache(gpu, heads(2, 2, 64), BIASED, bound);
        check_cache(gpu, heads(4, 1, 128), PLAIN, bound);
    });
}

#[test]
fn linear_layers_with_several_adapters() {
    on_each(|gpu, bound| {
        let (tokens, inputs, outputs) = (11, 40, [24, 16]);
        let weights = outputs.map(|out| Weight::dense(out, inputs, numbers(out * inputs, 80 + out as u32)));
        let mut params = ParamSet::default();
        for (adapter, rank) in [(0, 4), (1, 70)] {
            for out in outputs {
                params.push(format!("{adapter}.a"), rank, inputs, &numbers(rank * inputs, 90 + out as u32));
                params.push(format!("{adapter}.b"), out, rank, &numbers(rank * out, 95 + out as u32));
            }
        }
        // Rows 0 to 3 have the first adapter, 7 to 10 the second, the others none.
        let x = matrix(tokens, inputs, 89);
        fn layers<'a, D: Device>(weights: [&'a D::Weight; 2], params: &'a D::Params) -> [AdaptedWeight<'a, D>; 2] {
            let mut index = 0..;
            weights.map(|weight| {
                let layer = index.next().unwrap_or(0);
                let of = |(rows, adapter): (std::ops::Range<usize>, usize)| {
                    let first = 4 * adapter + 2 * layer;
                    let (a, b) = (D::param(params, first), D::param(params, first + 1));
                    LoraRows { rows, lora: Lora { a, b, scale: 0.7, dropout: None } }
                };
                (weight, [(0..4, 0), (7..11, 1)].map(of).into())
            })
        }
        let want = Cpu::F32.linears(&x, &layers::<Cpu>(weights.each_ref(), &params));
        let (there, mut params_there) = (weights.each_ref().map(|weight| gpu.weight(weight)), gpu.params(&params));
        let x_there = gpu.matrix(x.clone());
        let got = gpu.linears(&x_there, &layers::<Gpu>(there.each_ref(), &params_there));
        for (got, want) in got.iter().zip(&want) {
            near("linear layers with several adapters", &got.download(), want.data(), bound);
        }
        // After the parameters change, the operands change too.
        let other = numbers(params.data().len(), 99);
        params.data_mut().copy_from_slice(&other);
        gpu.write_params(&mut params_there, &other);
        let [want, _] = Cpu::F32.linears(&x, &layers::<Cpu>(weights.each_ref(), &params));
        let [got, _] = gpu.linears(&x_there, &layers::<Gpu>(there.each_ref(), &params_there));
        near("after they changed", &got.download(), want.data(), bound);
    });
}

#[test]
fn most_likely_allowed_tokens() {
    on_each(|gpu, bound| {
        let (h, head) = (matrix(6, 24, 100), Weight::dense(1000, 24, numbers(1000 * 24, 101)));
        let there = gpu.weight(&head);
        for cap in [Some(0.4), None] {
            let want = Cpu::F32.logits(&h, &Head { weight: &head, scale: 0.5, cap });
            let got = gpu.logits(&gpu.matrix(h.clone()), &Head { weight: &there, scale: 0.5, cap });
            near("logits", &got.download(), want.data(), bound);
        }
        let want = Cpu::F32.logits(&h, &Head { weight: &head, scale: 0.5, cap: None });
        let mut logits = want;
        // The first one on ties; a token that is not allowed may have a larger logit.
        logits.row_mut(0)[3] = 9.0;
        logits.row_mut(0)[700] = 9.0;
        logits.row_mut(1)[5] = 100.0;
        logits.row_mut(4).fill(f32::NEG_INFINITY);
        logits.row_mut(5)[2] = f32::NAN;
        let all = vec![u32::MAX; 32];
        let some: Vec<u32> = (0..20).map(|i| 0x5a5a_5a5a_u32.rotate_left(i) & !(1 << 5)).collect();
        let masks: [&[u32]; 6] = [&all, &some, &[1 << 7], &[], &all, &[4]];
        let (want, got) = (Cpu::F32.best(&logits, &masks), gpu.best(&gpu.matrix(logits), &masks));
        let tokens = |all: &[graft_ops::Best]| all.iter().map(|best| best.token).collect::<Vec<_>>();
        assert_eq!(tokens(&got)[..5], tokens(&want)[..5]);
        assert_eq!(tokens(&got)[2..5], [Some(7), None, None]);
        assert_eq!(tokens(&got)[0], Some(3));
        for (got, want) in got.iter().zip(&want).take(3) {
            assert!((got.log_prob - want.log_prob).abs() < 1e-5, "{got:?} is not {want:?}");
        }
        assert!(got[5].token.is_none() || got[5].log_prob.is_nan(), "a logit that is no number was chosen");
    });
}

#[test]
fn loss_and_its_gradient() {
    on_each(|gpu, bound| {
        let (rows, hidden, vocab) = (7, 24, 300);
        let (h, head) = (matrix(rows, hidden, 50), Weight::dense(vocab, hidden, numbers(vocab * hidden, 51)));
        let targets: Vec<Target> =
            (0..rows).map(|i| Target { token: (i * 41 % vocab) as u32, weight: 0.1 + i as f32 }).collect();
        let there = gpu.weight(&head);
        for cap in [None, Some(0.4)] {
            let (want, gradient) = Cpu::F32.cross_entropy(&h, &Head { weight: &head, scale: 0.5, cap }, &targets, true);
            let on_gpu = Head { weight: &there, scale: 0.5, cap };
            let (got, slope) = gpu.cross_entropy(&gpu.matrix(h.clone()), &on_gpu, &targets, true);
            near("log-probs", &got, &want, bound);
            near("gradient of the loss", &slope.unwrap().download(), gradient.unwrap().data(), bound);
        }
    });
}

#[test]
fn optimiser() {
    for gpu in gpus(Element::F32) {
        let mut params = ParamSet::default();
        params.push("all".into(), 1, 9001, &numbers(9001, 60));
        let mut there = gpu.params(&params);
        let adam = graft_ops::Adam::new(9001, 0.9, 0.999, 1e-8, 0.01);
        let (mut on_cpu, mut on_gpu) = (adam.clone(), adam.upload(&gpu));
        for seed in 61..64 {
            let grads = numbers(9001, seed);
            let want = on_cpu.step(params.data_mut(), &grads, 1e-2, 1.0);
            let got = on_gpu.step_on(&gpu, &mut there, &gpu.numbers(&grads), 1e-2, 1.0);
            assert!((got - want).abs() < 1e-5 * want, "{got} is not {want}");
        }
        let mut numbers = vec![0.0; 9001];
        gpu.read_params(&there, &mut numbers);
        near("adamw", &numbers, params.data(), 1e-6);
        near("first moments", &gpu.read(&on_gpu.m), &on_cpu.m, 1e-6);
        near("second moments", &gpu.read(&on_gpu.v), &on_cpu.v, 1e-6);
    }
}

#[test]
fn out_of_memory_is_reported_once() {
    for gpu in gpus(Element::F32) {
        gpu.set_limit(1 << 20);
        let x = gpu.zeros(64, 64);
        let _ = gpu.zeros(1024, 1024);
        // Later operations do nothing, and the error is reported once.
        let _ = gpu.copy(&x);
        let error = gpu.status().unwrap_err();
        assert!(error.out_of_memory, "{error}");
        gpu.status().unwrap();
        near("after it", &gpu.copy(&x).download(), &[0.0; 64 * 64], 0.0);
        assert_eq!(x.rows(), 64);
    }
}
