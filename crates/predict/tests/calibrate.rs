//! Calibration on synthetic answers with known accuracy.
use graft_predict::{Calibration, Method, Reliability};

/// Points that are correct with probability `truth(raw)`, spread evenly and deterministically.
fn points(n: usize, truth: impl Fn(f64) -> f64) -> Vec<(f64, bool)> {
    let golden = 0.618_033_988_749_895;
    (0..n)
        .map(|i| {
            let raw = (i as f64 + 0.5) / n as f64;
            (raw, (i as f64 * golden).fract() < truth(raw))
        })
        .collect()
}

fn sharper(p: f64, scale: f64) -> f64 {
    1.0 / (1.0 + ((1.0 - p) / p).powf(scale))
}

#[test]
fn overconfidence_is_corrected() {
    for n in [100, 150, 1000] {
        // The model says 0.95 where about 0.7 of its answers are correct.
        let data: Vec<(f64, bool)> = points(n, |p| p).into_iter().map(|(p, ok)| (sharper(p, 3.0), ok)).collect();
        let fit = Calibration::fit(&data);
        assert_ne!(fit.method, Method::Identity);
        assert!(fit.after.ece < 0.5 * fit.before.ece, "{n}: {} to {}", fit.before.ece, fit.after.ece);
        assert!(fit.after.brier < fit.before.brier);
        assert!((fit.apply(sharper(0.7, 3.0)) - 0.7).abs() < 0.1);
    }
}

#[test]
fn step_function_selects_isotonic_regression() {
    let data = points(1000, |p| {
        if p < 0.5 {
            0.1
        } else if p < 0.6 {
            0.9
        } else {
            0.6
        }
    });
    let monotone = points(1000, |p| if p < 0.3 { 0.3 } else { 0.7 });
    assert!(matches!(Calibration::fit(&monotone).method, Method::Isotonic { .. }));
    for data in [data, monotone] {
        let fit = Calibration::fit(&data);
        let mapped: Vec<f64> = (0..=100).map(|i| fit.apply(f64::from(i) / 100.0)).collect();
        assert!(mapped.windows(2).all(|w| w[0] <= w[1]), "never turns the order round");
        assert!(mapped.iter().all(|p| (0.0..=1.0).contains(p)));
    }
}

#[test]
fn correct_answers_alone_do_not_raise_low_confidence() {
    for n in [50, 100, 300] {
        // All correct, with confidences from 0.8 to 1.
        let data: Vec<(f64, bool)> = points(n, |_| 1.0).into_iter().map(|(p, ok)| (0.8 + 0.2 * p, ok)).collect();
        let fit = Calibration::fit(&data);
        assert!(fit.apply(0.95) > 0.95, "{n}: what was right is trusted");
        assert!(fit.apply(0.5) < 0.75, "{n}: 0.5 becomes {}", fit.apply(0.5));
    }
}

#[test]
fn calibrated_confidences_hardly_change() {
    let fit = Calibration::fit(&points(500, |p| p));
    for p in [0.1, 0.5, 0.9] {
        assert!((fit.apply(p) - p).abs() < 0.06, "{p} becomes {}", fit.apply(p));
    }
    assert!(fit.before.ece < 0.05 && fit.after.ece < 0.06);
}

#[test]
fn calibration_error_by_chance_shrinks_with_the_count() {
    // Random numbers: evenly spread points would be correct too regularly.
    let mut state = 1_u64;
    let mut uniform = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    for n in [150, 600, 2400] {
        let mut answer = || {
            let p = uniform();
            (p, uniform() < p)
        };
        let mut table = || Reliability::of(&(0..n).map(|_| answer()).collect::<Vec<(f64, bool)>>());
        let tables: Vec<Reliability> = (0..100).map(|_| table()).collect();
        let mean = |of: fn(&Reliability) -> f64| tables.iter().map(of).sum::<f64>() / tables.len() as f64;
        let (seen, expected) = (mean(|table| table.ece), mean(Reliability::ece_by_chance));
        assert!((seen / expected - 1.0).abs() < 0.15, "{n}: {seen} seen, {expected} expected");
    }
}

#[test]
fn few_points_change_confidences_little() {
    assert_eq!(Calibration::fit(&[]).apply(0.3), 0.3);
    assert_eq!(Calibration::fit(&[(0.9, false)]).apply(0.9), 0.9);
    let always_right: Vec<(f64, bool)> = (0..8).map(|i| (0.5 + 0.02 * f64::from(i), true)).collect();
    let p = Calibration::fit(&always_right).apply(0.55);
    assert!((0.55..0.8).contains(&p), "eight right answers don't make a certainty: {p}");
    let all_right: Vec<(f64, bool)> = (0..300).map(|i| (0.3 + 0.002 * f64::from(i), true)).collect();
    let p = Calibration::fit(&all_right).apply(0.5);
    assert!(p > 0.9 && p < 1.0, "three hundred, as unsure as this one, nearly do: {p}");
}

#[test]
fn extreme_and_invalid_points_are_handled() {
    let mut data = points(60, |p| p);
    data.extend([(0.0, true), (1.0, false), (1e-300, false), (f64::NAN, true), (7.0, true)]);
    let fit = Calibration::fit(&data);
    assert_eq!(fit.before.count, 63);
    for p in [0.0, 1e-300, 1.0, f64::NAN, -1.0, 2.0] {
        assert!((0.0..=1.0).contains(&fit.apply(p)));
    }
    let same = vec![(0.25, true); 10];
    let table = Reliability::of(&same);
    assert_eq!((table.bins.len(), table.ece, table.brier), (1, 0.75, 0.5625));
    assert_eq!((table.above(0.2), table.above(0.5)), (Some((1.0, 1.0)), None));
    let mixed = [(0.9, true), (0.9, true), (0.9, false), (0.2, false)];
    assert_eq!(Reliability::of(&mixed).above(0.5), Some((0.75, 2.0 / 3.0)));
}

#[test]
fn calibration_survives_serialization() {
    let fit = Calibration::fit(&points(400, |p| p * p));
    let back: Calibration = serde_json::from_str(&serde_json::to_string(&fit).unwrap()).unwrap();
    assert_eq!(back, fit);
    assert_eq!(fit.before.bins.len(), 10);
}
