//! Checks every operation's gradient against central differences of its value.

use std::rc::Rc;

use graft_ops::{
    Activation, AttentionLayer, AttentionRange, Bf16, Cpu, Device as _, Dropout, Dtype, Head, Heads, Lora, Matrix,
    ParamSet, Rope, Tape, Target, Tensor, Weight,
};

fn numbers(n: usize, seed: f32) -> Vec<f32> {
    (0..n).map(|i| (i as f32 * 1.37 + seed).sin()).collect()
}

/// Numbers without a period, whose products don't cancel.
fn uneven(n: usize, seed: f32) -> Vec<f32> {
    numbers(n, seed).into_iter().map(|x| (x * 43_758.547).fract() - 0.2).collect()
}

fn weight(rows: usize, cols: usize, seed: f32) -> Weight {
    Weight::dense(rows, cols, numbers(rows * cols, seed))
}

/// One parameter named `x` with `rows × cols` numbers.
fn input(rows: usize, cols: usize) -> ParamSet {
    let mut params = ParamSet::default();
    params.push("x".into(), rows, cols, &numbers(rows * cols, 0.3));
    params
}

/// Checks the gradient of `Σ dy · f(params)` with respect to every parameter. `f` builds its output on the tape from a
/// tensor with the first parameter.
fn check(mut params: ParamSet, f: impl for<'a> Fn(&mut Tape<'a>, &'a ParamSet, Tensor) -> Tensor) {
    let value = |params: &ParamSet, tape_kind: bool| -> (f64, Vec<f32>) {
        let mut tape = if tape_kind { Tape::new() } else { Tape::frozen() };
        let first = params.get(0);
        let x = tape.place(Matrix::zeros(first.rows, first.cols), first, Rc::new([0]));
        let y = f(&mut tape, params, x);
        let dy = numbers(y.value().data().len(), 2.2);
        let total = y.value().data().iter().zip(&dy).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
        let mut grads = vec![0.0; params.data().len()];
        let gradient = Matrix::from_slice(y.value().rows(), y.value().cols(), &dy);
        tape.backward(&y, gradient, &mut grads);
        (total, grads)
    };
    let (_, grads) = value(&params, true);
    assert!(grads.iter().any(|g| g.abs() > 1e-3), "no gradient reaches the parameters");
    for (i, got) in grads.iter().enumerate() {
        let mut at = |d: f32| {
            let before = params.data()[i];
            params.data_mut()[i] = before + d;
            let total = value(&params, false).0;
            params.data_mut()[i] = before;
            total
        };
        let want = ((at(1e-2) - at(-1e-2)) / 2e-2) as f32;
        assert!((got - want).abs() < 4e-3 * (1.0 + want.abs()), "parameter {i}: {got} is not {want}");
    }
}

#[test]
fn linear_with_lora_and_dropout() {
    let (w, packed) = (weight(5, 4, 1.0), half_precision(&weight(5, 4, 1.0)));
    for (weight, dropout) in [(&w, None), (&packed, None), (&w, Some(Dropout { rate: 0.4, seed: 9 }))] {
        let mut params = input(6, 4);
        params.push("a".into(), 3, 4, &numbers(12, 0.5));
        params.push("b".into(), 5, 3, &numbers(15, 0.8));
        check_with(params, weight, dropout);
    }
}

fn check_with(params: ParamSet, weight: &Weight, dropout: Option<Dropout>) {
    // The weight must outlive every tape.
    let weight: &'static Weight = Box::leak(Box::new(weight.clone()));
    check(params, move |tape, params, x| {
        let lora = Lora { a: params.get(1), b: params.get(2), scale: 0.7, dropout };
        tape.linear(&x, weight, Some(lora))
    });
}

/// The same numbers stored in 16 bits.
fn half_precision(w: &Weight) -> Weight {
    let mut data = vec![0.0; w.rows() * w.cols()];
    w.dequantize(0..w.rows(), &mut data);
    let bytes: Vec<u8> = data.iter().flat_map(|x| ((x.to_bits() >> 16) as u16).to_le_bytes()).collect();
    Weight::packed(w.rows(), w.cols(), Dtype::BF16, std::sync::Arc::new(bytes))
}

#[test]
fn frozen_layer_propagates_the_gradient() {
    let w: &'static Weight = Box::leak(Box::new(weight(5, 4, 1.0)));
    check(input(3, 4), |tape, _, x| tape.linear(&x, w, None));
}

#[test]
fn norm_gates_and_sums() {
    let norm: &'static Vec<f32> = Box::leak(Box::new(numbers(6, 1.7)));
    check(input(4, 6), |tape, _, x| tape.rms_norm(&x, norm, 1e-5));
    // Norm of each head of a row.
    check(input(4, 12), |tape, _, x| tape.rms_norm(&x, norm, 1e-5));
    check(input(4, 6), |tape, _, x| tape.scale(x, -1.7));
    let up: &'static Weight = Box::leak(Box::new(weight(6, 6, 0.2)));
    for activation in [Activation::Silu, Activation::GeluTanh, Activation::Relu] {
        check(input(4, 6), move |tape, _, x| {
            let other = tape.linear(&x, up, None);
            tape.gated(activation, x, other)
        });
    }
    check(input(4, 6), |tape, _, x| {
        let y = tape.relu(x.clone());
        tape.add(&x, y)
    });
}

#[test]
fn rotary_attention_with_a_shared_prefix() {
    rotary_attention(&[1.0, 0.1], None, None);
}

#[test]
fn partly_rotary_attention_with_a_window_and_capped_scores() {
    rotary_attention(&[1.0], Some(3), Some(0.8));
}

fn rotary_attention(frequencies: &[f32], window: Option<usize>, cap: Option<f32>) {
    let positions: [u32; 7] = [0, 1, 2, 3, 2, 3, 4];
    let rope = Rc::new(Rope::new(frequencies, &positions).stretched(1.2));
    let own = |range: std::ops::Range<usize>, prefix| AttentionRange {
        queries: range.clone(),
        prefix,
        keys: range,
        causal: true,
    };
    let ranges: Rc<[AttentionRange]> = Rc::new([own(0..2, 0..0), own(2..4, 0..2), own(4..7, 0..2)]);
    let w: [&'static Weight; 3] =
        [weight(8, 6, 0.4), weight(4, 6, 0.9), weight(4, 6, 1.9)].map(|w| &*Box::leak(Box::new(w)));
    check(input(7, 6), move |tape, _, x| {
        let [q, k, v] = w.map(|w| tape.linear(&x, w, None));
        let (q, k) = (tape.rope(q, &rope, 2), tape.rope(k, &rope, 1));
        let heads = Heads { heads: 2, kv_heads: 1, dim: 4, scale: 0.5 };
        let ranges = Rc::clone(&ranges);
        tape.attention(&q, &k, &v, AttentionLayer { heads, ranges, bias: None, window, cap })
    });
}

#[test]
fn selected_and_placed_rows() {
    check(input(3, 4), |tape, params, x| {
        let placed = tape.place(Matrix::zeros(8, 4), params.get(0), Rc::new([1, 5]));
        let again = tape.select(&placed, Rc::new([6, 1, 1]));
        tape.add(&x, again)
    });
}

#[test]
fn recomputed_block_has_the_same_gradient() {
    let w: &'static Weight = Box::leak(Box::new(weight(4, 4, 1.0)));
    let mut params = input(3, 4);
    params.push("a".into(), 2, 4, &numbers(8, 0.5));
    params.push("b".into(), 4, 2, &numbers(8, 0.8));
    check(params, move |tape, params, x| {
        let block = move |tape: &mut Tape<'_>, x: &Tensor| {
            let y = tape.linear(x, w, None);
            tape.add(x, y)
        };
        let lora = Lora { a: params.get(1), b: params.get(2), scale: 1.0, dropout: None };
        let x = tape.recomputed(&x, move |tape, x| tape.linear(x, w, Some(lora)));
        tape.recomputed(&x, block)
    });
}

#[test]
fn cross_entropy_gives_log_probabilities_and_their_gradient() {
    let weight = &weight(300, 6, 0.6);
    check_cross_entropy(&Head { weight, scale: 0.8, cap: None });
    check_cross_entropy(&Head { weight, scale: 0.8, cap: Some(0.9) });
}

fn check_cross_entropy(head: &Head<'_, Weight>) {
    let h = numbers(4 * 6, 0.2);
    let targets: Vec<Target> =
        [5, 0, 299, 5].iter().enumerate().map(|(i, &token)| Target { token, weight: 0.25 + i as f32 }).collect();
    let loss = |h: &[f32]| -> f64 {
        let (log_probs, _) = Cpu::F32.cross_entropy(&Matrix::from_slice(4, 6, h), head, &targets, false);
        log_probs.iter().zip(&targets).map(|(p, t)| -f64::from(*p) * f64::from(t.weight)).sum()
    };
    let (_, gradient) = Cpu::F32.cross_entropy(&Matrix::from_slice(4, 6, &h), head, &targets, true);
    let Some(gradient) = gradient else { panic!("no gradient was given") };
    for i in 0..h.len() {
        let at = |d: f32| {
            let mut moved = h.clone();
            moved[i] += d;
            loss(&moved)
        };
        let want = ((at(1e-2) - at(-1e-2)) / 2e-2) as f32;
        let got = gradient.data()[i];
        assert!((got - want).abs() < 4e-3 * (1.0 + want.abs()), "element {i}: {got} is not {want}");
    }
}

/// Finite differences can't check bf16, because its rounding steps are too large: its gradients are compared with those
/// in f32.
#[test]
fn bf16_gradients_are_close_to_f32() {
    if Bf16::all().is_empty() {
        eprintln!("skipped: this processor has no bf16 products");
    }
    let near = |got: &[f32], want: &[f32], what: &str| {
        let size = |all: &mut dyn Iterator<Item = f32>| all.map(|x| x * x).sum::<f32>().sqrt();
        let error = size(&mut got.iter().zip(want).map(|(a, b)| a - b));
        let of = size(&mut want.iter().copied());
        assert!(error < 0.02 * of, "{what}: off by {error} of {of}");
        assert!(error > 0.0, "{what}: nothing was rounded");
    };
    for &way in Bf16::all() {
        for dropout in [None, Some(Dropout { rate: 0.4, seed: 9 })] {
            let (weight, mut params) = (Weight::dense(70, 45, uneven(70 * 45, 1.0)), ParamSet::default());
            params.push("x".into(), 37, 45, &uneven(37 * 45, 0.3));
            params.push("a".into(), 5, 45, &uneven(5 * 45, 0.5));
            params.push("b".into(), 70, 5, &uneven(70 * 5, 0.8));
            let gradients = |cpu: &Cpu| {
                let mut tape = Tape::on(cpu);
                let x = tape.place(Matrix::zeros(37, 45), params.get(0), Rc::new([0]));
                let lora = Lora { a: params.get(1), b: params.get(2), scale: 0.7, dropout };
                let y = tape.linear(&x, &weight, Some(lora));
                let mut grads = vec![0.0; params.data().len()];
                let value = y.value().data().to_vec();
                tape.backward(&y, Matrix::from_slice(37, 70, &uneven(37 * 70, 2.2)), &mut grads);
                (value, grads)
            };
            let ((y, grads), (exact_y, exact)) = (gradients(&Cpu::Bf16(way)), gradients(&Cpu::F32));
            near(&y, &exact_y, "value");
            for (name, range) in [("x", 0..1665), ("a", 1665..1890), ("b", 1890..2240)] {
                near(&grads[range.clone()], &exact[range], name);
            }
        }
        let (weight, h) =
            (Weight::dense(700, 40, uneven(700 * 40, 0.6)), Matrix::from_slice(33, 40, &uneven(33 * 40, 0.2)));
        let head = Head { weight: &weight, scale: 0.8, cap: None };
        let targets: Vec<Target> = (0..33).map(|i| Target { token: i * 21, weight: 0.25 + i as f32 }).collect();
        let (got, exact) = [Cpu::Bf16(way), Cpu::F32].map(|cpu| cpu.cross_entropy(&h, &head, &targets, true)).into();
        near(&got.0, &exact.0, "log-probabilities");
        near(got.1.unwrap().data(), exact.1.unwrap().data(), "gradient of the loss");
    }
}

#[test]
fn products_of_few_and_of_many_tokens_agree() {
    let w = half_precision(&weight(70, 32, 0.3));
    let x = numbers(40 * 32, 0.9);
    let mut all = vec![0.0; 40 * 70];
    w.forward(&x, &mut all, 1.5, &[]);
    for (row, x) in x.chunks(32).enumerate() {
        let mut one = vec![0.0; 70];
        w.forward(x, &mut one, 1.5, &[]);
        for (a, b) in one.iter().zip(&all[row * 70..]) {
            assert!((a - b).abs() < 1e-4, "{a} is not {b}");
        }
    }
}
