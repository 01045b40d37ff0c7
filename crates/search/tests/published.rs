//! Tests the sampler on functions with known minima (Dixon and Szegő 1978), compared with random search.

use std::collections::BTreeMap;

use graft_search::{
    Domain, Observation, Parameter, Point, Sampler, can_win, default_point, importance, keeps_going, pareto,
};
use rand::{RngExt as _, SeedableRng as _, rngs::ChaCha8Rng};

fn real(name: &str, low: f64, high: f64) -> Parameter {
    let domain = Domain::Real { low, high, log: false };
    Parameter { name: name.into(), domain, default: low + 0.9 * (high - low), only_if: None }
}

/// Minimum 0.397887.
fn branin(p: &Point) -> f64 {
    let (x, y) = (p["x"], p["y"]);
    let pi = std::f64::consts::PI;
    (y - 5.1 / (4.0 * pi * pi) * x * x + 5.0 / pi * x - 6.0).powi(2) + 10.0 * (1.0 - 1.0 / (8.0 * pi)) * x.cos() + 10.0
}

/// Minimum -3.32237.
fn hartmann6(p: &Point) -> f64 {
    const A: [[f64; 6]; 4] = [
        [10.0, 3.0, 17.0, 3.5, 1.7, 8.0],
        [0.05, 10.0, 17.0, 0.1, 8.0, 14.0],
        [3.0, 3.5, 1.7, 10.0, 17.0, 8.0],
        [17.0, 8.0, 0.05, 10.0, 0.1, 14.0],
    ];
    const P: [[f64; 6]; 4] = [
        [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886],
        [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
        [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650],
        [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
    ];
    const ALPHA: [f64; 4] = [1.0, 1.2, 3.0, 3.2];
    let x: Vec<f64> = (0..6).map(|i| p[&format!("x{i}")]).collect();
    let term = |i: usize| ALPHA[i] * (-(0..6).map(|j| A[i][j] * (x[j] - P[i][j]).powi(2)).sum::<f64>()).exp();
    -(0..4).map(term).sum::<f64>()
}

/// A space, and a function from points to losses.
type Problem = (Vec<Parameter>, fn(&Point) -> f64);

fn spaces() -> [Problem; 2] {
    let branin_space = vec![real("x", -5.0, 10.0), real("y", 0.0, 15.0)];
    [(branin_space, branin), ((0..6).map(|i| real(&format!("x{i}"), 0.0, 1.0)).collect(), hartmann6)]
}

fn study(space: &[Parameter], seed: u64, trials: u64, f: fn(&Point) -> f64, learns: bool) -> Vec<Observation> {
    let sampler = if learns { Sampler::new(space.to_vec(), seed) } else { Sampler::random(space.to_vec(), seed) };
    let mut seen: Vec<Observation> = Vec::new();
    for number in 0..trials {
        let point = sampler.ask(number, &seen);
        let loss = f(&point);
        seen.push(Observation { point, loss });
    }
    seen
}

fn best(seen: &[Observation]) -> f64 {
    seen.iter().map(|one| one.loss).fold(f64::INFINITY, f64::min)
}

#[test]
fn sampler_beats_random_search_on_published_functions() {
    for (which, (space, f)) in spaces().into_iter().enumerate() {
        let seeds = 30;
        let of = |learns| (0..seeds).map(|seed| best(&study(&space, seed, 60, f, learns))).collect::<Vec<f64>>();
        let (tpe, chance) = (of(true), of(false));
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let wins = tpe.iter().zip(&chance).filter(|(ours, theirs)| ours < theirs).count();
        assert!(mean(&tpe) < mean(&chance), "{which}: {} and {}", mean(&tpe), mean(&chance));
        // Sign test: the probability of 20 or more wins of 30 by chance is 5 %.
        assert!(wins >= 20, "{which}: {wins} of {seeds}");
    }
}

/// Ten settings with defaults that are the best values of about six, and the value that is best for each.
fn recipe(seed: u64) -> (Vec<Parameter>, Vec<(f64, f64)>) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut space = Vec::new();
    let mut best = Vec::new();
    for at in 0..10 {
        let domain = match at {
            0 => Domain::Real { low: 0.2, high: 5.0, log: true },
            _ => Domain::Choice { of: (0..2 + at % 3).map(|value| value.to_string()).collect() },
        };
        let (default, other) = match &domain {
            Domain::Real { .. } => (1.0, (5.0_f64.ln() * (2.0 * random.random::<f64>() - 1.0)).exp()),
            Domain::Choice { of } => (0.0, (random.random::<f64>() * of.len() as f64).floor()),
        };
        let weight = (3.0 * random.random::<f64>()).exp() / 10.0;
        best.push((if random.random_bool(0.6) { default } else { other }, weight));
        space.push(Parameter { name: format!("p{at}"), domain, default, only_if: None });
    }
    (space, best)
}

#[test]
fn few_trials_near_good_defaults_beat_random_search() {
    let ends = |seed: u64, learns: bool| -> f64 {
        let (space, goal) = recipe(seed);
        let sampler = if learns { Sampler::new(space.clone(), seed) } else { Sampler::random(space.clone(), seed) };
        let mut seen: Vec<Observation> = Vec::new();
        for number in 0..12 {
            let point = sampler.ask(number, &seen);
            assert!(seen.iter().all(|one| one.point != point), "trial {number} repeats another");
            let off = |(parameter, (best, weight)): (&Parameter, &(f64, f64))| match parameter.domain {
                Domain::Real { .. } => weight * (point[&parameter.name] / best).ln().abs(),
                Domain::Choice { .. } => weight * f64::from(u8::from(point[&parameter.name] != *best)),
            };
            let loss = space.iter().zip(&goal).map(off).sum();
            seen.push(Observation { point, loss });
        }
        best(&seen) / seen[0].loss.max(1e-9)
    };
    let pairs: Vec<(f64, f64)> = (0..40).map(|seed| (ends(seed, true), ends(seed, false))).collect();
    let count = |is: fn(&(f64, f64)) -> bool| pairs.iter().filter(|pair| is(pair)).count();
    let (wins, losses) = (count(|(ours, chance)| ours < chance), count(|(ours, chance)| ours > chance));
    // The rest are ties, in which nobody found anything better than the defaults.
    assert!(wins >= 20 && 4 * losses <= wins, "{wins} wins, {losses} losses");
}

#[test]
fn same_seed_and_results_give_the_same_trials() {
    let (space, f) = spaces()[0].clone();
    let whole = study(&space, 7, 30, f, true);
    assert_eq!(whole, study(&space, 7, 30, f, true));
    assert_ne!(whole[5], study(&space, 8, 30, f, true)[5]);
    // After an interruption, it continues from the results alone.
    let sampler = Sampler::new(space, 7);
    for number in 0..30 {
        assert_eq!(sampler.ask(number as u64, &whole[..number]), whole[number].point);
    }
    assert_eq!(whole[0].point, sampler.default_point());
}

#[test]
fn given_points_come_after_the_defaults_and_before_chance() {
    let (space, _) = spaces()[0].clone();
    let plain = Sampler::new(space.clone(), 7);
    let start = default_point(&space, &[(space[0].name.clone(), 0.5)].into());
    assert_ne!(start, plain.default_point());
    let sampler = plain.clone().starting_with(vec![start.clone()]);
    let first: Vec<Point> = (0..4).map(|number| sampler.ask(number, &[])).collect();
    assert_eq!(first, [plain.default_point(), start, plain.ask(2, &[]), plain.ask(3, &[])]);
    assert_eq!(sampler.undecided_trials(), plain.undecided_trials() + 1);
}

#[test]
fn sampler_obeys_conditions_and_learns_choices() {
    let choice = |name: &str, of: &[&str], only_if: Option<(String, f64)>| Parameter {
        name: name.into(),
        domain: Domain::Choice { of: of.iter().map(|name| (*name).to_owned()).collect() },
        default: 0.0,
        only_if,
    };
    let rate = Domain::Real { low: 0.01, high: 100.0, log: true };
    let space = vec![
        choice("method", &["a", "b"], None),
        choice("shape", &["p", "q", "r"], Some(("method".into(), 1.0))),
        Parameter { name: "rate".into(), domain: rate, default: 1.0, only_if: None },
    ];
    let f = |p: &Point| {
        assert_eq!(p.contains_key("shape"), p["method"] == 1.0);
        assert!((0.01..=100.0).contains(&p["rate"]) && p["method"].fract() == 0.0);
        (1.0 - p["method"]) + p.get("shape").copied().unwrap_or(2.0) + 0.01 * p["rate"].ln().abs()
    };
    let seen = study(&space, 3, 60, f, true);
    let late: Vec<&Observation> = seen[40..].iter().collect();
    assert!(late.iter().filter(|one| one.point["method"] == 1.0).count() > late.len() * 2 / 3);
    let importance: BTreeMap<String, f64> = importance(&space, &seen).into_iter().collect();
    assert!(importance["method"] + importance["shape"] > 10.0 * importance["rate"], "{importance:?}");
    assert!((importance.values().sum::<f64>() - 1.0).abs() < 1e-9);
}

#[test]
fn trial_that_cannot_win_stops_and_one_that_can_rarely_does() {
    // Power laws `c + a·t^-b`, the form that learning curves have (Domhan et al. 2015, Table 1), with noise.
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let (mut winners, mut stopped_winners, mut losers, mut stopped_losers) = (0, 0, 0, 0);
    for _ in 0..2000 {
        let mut curve = || {
            let mut within = |low: f64, high: f64| low + (high - low) * random.random::<f64>();
            let (floor, gain, power) = (within(0.3, 1.0), within(0.2, 0.6), within(0.4, 0.9));
            let at = |share: f64| floor + gain * (20.0 * share).powf(-power);
            (at(0.5) * within(0.98, 1.02), at(1.0) * within(0.98, 1.02))
        };
        let earlier: Vec<(f64, f64)> = (0..8).map(|_| curve()).collect();
        let best = earlier.iter().map(|(_, end)| *end).fold(f64::INFINITY, f64::min);
        let (now, end) = curve();
        let stops = u32::from(!can_win(now, best, &earlier));
        if end < best {
            (winners, stopped_winners) = (winners + 1, stopped_winners + stops);
        } else {
            (losers, stopped_losers) = (losers + 1, stopped_losers + stops);
        }
    }
    assert!(winners > 150 && 20 * stopped_winners <= winners, "{stopped_winners} of {winners} winners stopped");
    assert!(10 * stopped_losers > 6 * losers, "only {stopped_losers} of {losers} others stopped");
    // Too few trials, and losses that have no logarithm, decide nothing.
    assert!(can_win(9.0, 1.0, &[(2.0, 1.0); 3]) && !can_win(9.0, 1.0, &[(2.0, 1.0); 4]));
    assert!(can_win(9.0, 0.0, &[(2.0, 1.0); 4]) && can_win(9.0, 1.0, &[(2.0, 0.0); 4]));
}

#[test]
fn worse_half_stops_at_a_rung() {
    assert!(keeps_going(9.0, &[1.0]));
    assert!(!keeps_going(f64::NAN, &[]) && !keeps_going(f64::INFINITY, &[]));
    assert!(keeps_going(1.5, &[1.0, 2.0]) && !keeps_going(3.0, &[1.0, 2.0]));
    assert!(!keeps_going(2.5, &[1.0, 2.0, 3.0]));
    assert!(keeps_going(0.5, &[1.0, 2.0, 3.0]));
}

#[test]
fn pareto_front_has_no_dominated_points() {
    assert_eq!(pareto(&[[1.0, 3.0], [2.0, 2.0], [3.0, 3.0], [3.0, 1.0], [f64::INFINITY, 0.0]]), [0, 1, 3]);
    assert_eq!(pareto(&[[1.0, 1.0, 2.0], [1.0, 2.0, 1.0], [2.0, 2.0, 2.0]]), [0, 1]);
    assert!(pareto::<2>(&[]).is_empty());
}
