//! Logistic regression with an L2 penalty over sparse rows, by L-BFGS (Liu and Nocedal 1989).
//!
//! Minimizes `½‖W‖² + Σᵢ costᵢ · lossᵢ(xᵢW + b)`, with one column of weights for two classes, otherwise one column per
//! class. The minimum, like every iterate, is a linear combination of the rows: `W = XᵀA` with one coefficient per row
//! and column. The solver therefore stores `A` and the scores `XXᵀA`, never `W`: there are far fewer rows than n-grams,
//! a line search needs no product with `X`, and an iteration needs one.

use crate::features::Row;

/// Number of (step, gradient difference) pairs that L-BFGS stores.
const MEMORY: usize = 10;
/// Most iterations.
const ITERATIONS: usize = 500;
/// The norm of the gradient, per unit of cost, at which the solver stops. (scikit-learn applies this limit to the
/// largest element.)
const TOLERANCE: f64 = 1e-4;

/// The objective to minimize.
pub(crate) struct Problem<'r> {
    /// The weights of each text's n-grams.
    pub(crate) rows: &'r [Row],
    /// Number of n-grams.
    pub(crate) features: usize,
    /// The class of each row.
    pub(crate) classes: &'r [usize],
    /// Number of columns of weights: see [`columns`].
    pub(crate) columns: usize,
    /// The factor of each row's loss.
    pub(crate) costs: Vec<f64>,
}

/// Number of columns of weights for this number of classes.
pub(crate) fn columns(classes: usize) -> usize {
    if classes == 2 { 1 } else { classes }
}

/// Turns the scores of a row into the probability of each class; returns the log of the sum of exponentials.
pub(crate) fn probabilities(scores: &[f64], out: &mut [f64]) -> f64 {
    if let [score] = *scores {
        let p = 1.0 / (1.0 + (-score).exp());
        (out[0], out[1]) = (1.0 - p, p);
        return score.max(0.0) + (-score.abs()).exp().ln_1p();
    }
    let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    out.iter_mut().zip(scores).for_each(|(p, score)| *p = (score - most).exp());
    let sum: f64 = out.iter().sum();
    out.iter_mut().for_each(|p| *p /= sum);
    most + sum.ln()
}

/// A point or direction: coefficients of the rows (row by row), the scores of each row that follow from them, and
/// intercepts.
#[derive(Clone, Debug)]
pub(crate) struct Point {
    pub(crate) coefficients: Vec<f64>,
    scores: Vec<f64>,
    pub(crate) intercepts: Vec<f64>,
}

impl Point {
    pub(crate) fn zero(rows: usize, columns: usize) -> Self {
        Self {
            coefficients: vec![0.0; rows * columns],
            scores: vec![0.0; rows * columns],
            intercepts: vec![0.0; columns],
        }
    }

    /// Adds a multiple of another point.
    fn add(&mut self, factor: f64, other: &Self) {
        let pairs = [
            (&mut self.coefficients, &other.coefficients),
            (&mut self.scores, &other.scores),
            (&mut self.intercepts, &other.intercepts),
        ];
        for (ours, theirs) in pairs {
            ours.iter_mut().zip(theirs).for_each(|(ours, theirs)| *ours += factor * theirs);
        }
    }

    fn scale(&mut self, factor: f64) {
        let all = [&mut self.coefficients, &mut self.scores, &mut self.intercepts];
        all.into_iter().flatten().for_each(|x| *x *= factor);
    }

    /// The inner product of the weights, without the intercepts.
    fn weights_dot(&self, other: &Self) -> f64 {
        dot(&self.coefficients, &other.scores)
    }

    /// The inner product of weights and intercepts.
    fn dot(&self, other: &Self) -> f64 {
        self.weights_dot(other) + dot(&self.intercepts, &other.intercepts)
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

impl Problem<'_> {
    /// The minimum, starting from `start`.
    pub(crate) fn solve(&self, start: Point) -> Point {
        let enough = TOLERANCE * self.costs.iter().sum::<f64>();
        let mut scratch = vec![0.0; self.features * self.columns];
        let mut at = start;
        let mut gradient = self.gradient(&at, &mut scratch);
        let mut memory: Vec<(Point, Point, f64)> = Vec::new();
        for _ in 0..ITERATIONS {
            if gradient.dot(&gradient).max(0.0).sqrt() <= enough {
                break;
            }
            let direction = direction(&gradient, &memory);
            let Some(step) = self.search(&at, &gradient, &direction) else { break };
            at.add(step, &direction);
            let before = std::mem::replace(&mut gradient, self.gradient(&at, &mut scratch));
            let mut moved = direction;
            moved.scale(step);
            let mut turned = gradient.clone();
            turned.add(-1.0, &before);
            let curvature = moved.dot(&turned);
            if curvature > 1e-12 * turned.dot(&turned) {
                if memory.len() == MEMORY {
                    memory.remove(0);
                }
                memory.push((moved, turned, curvature));
            }
        }
        at
    }

    /// The gradient at a point. Its weights are `W + Xᵀr` with the residuals `r`.
    fn gradient(&self, at: &Point, scratch: &mut [f64]) -> Point {
        let residuals = self.residuals(at, None).0;
        let mut intercepts = vec![0.0; self.columns];
        for row in residuals.chunks_exact(self.columns) {
            intercepts.iter_mut().zip(row).for_each(|(sum, r)| *sum += r);
        }
        let scores = self.scores(&residuals, scratch);
        let mut gradient = Point { coefficients: residuals, scores, intercepts };
        gradient.coefficients.iter_mut().zip(&at.coefficients).for_each(|(r, a)| *r += a);
        gradient.scores.iter_mut().zip(&at.scores).for_each(|(r, s)| *r += s);
        gradient
    }

    /// The derivative of each row's loss with respect to its scores, and the sum of the losses; at a point, or at a
    /// step along a direction from it.
    fn residuals(&self, at: &Point, along: Option<(f64, &Point)>) -> (Vec<f64>, f64) {
        let columns = self.columns;
        let mut residuals = vec![0.0; at.scores.len()];
        let mut loss = 0.0;
        let mut scores = vec![0.0; columns];
        let mut chances = vec![0.0; columns.max(2)];
        for (i, out) in residuals.chunks_exact_mut(columns).enumerate() {
            for (k, score) in scores.iter_mut().enumerate() {
                *score = at.scores[i * columns + k] + at.intercepts[k];
                if let Some((step, direction)) = along {
                    *score += step * (direction.scores[i * columns + k] + direction.intercepts[k]);
                }
            }
            let log_sum = probabilities(&scores, &mut chances);
            let class = self.classes[i];
            let own = if columns == 1 { class as f64 * scores[0] } else { scores[class] };
            loss += self.costs[i] * (log_sum - own);
            let first = chances.len() - columns;
            for (k, r) in out.iter_mut().enumerate() {
                let wanted = f64::from(u8::from(class == first + k));
                *r = self.costs[i] * (chances[first + k] - wanted);
            }
        }
        (residuals, loss)
    }

    /// The scores of each row with the weights `XᵀV`.
    fn scores(&self, coefficients: &[f64], weights: &mut [f64]) -> Vec<f64> {
        weights.fill(0.0);
        combine(self.rows, coefficients, weights);
        let mut scores = vec![0.0; coefficients.len()];
        for (row, out) in self.rows.iter().zip(scores.chunks_exact_mut(self.columns)) {
            score(row, weights, out);
        }
        scores
    }

    /// Line search: the step at which the slope, which increases with the step, is a tenth of the initial one.
    fn search(&self, at: &Point, gradient: &Point, direction: &Point) -> Option<f64> {
        let start = gradient.dot(direction);
        if start.is_nan() || start >= 0.0 {
            return None;
        }
        let (across, length) = (at.weights_dot(direction), direction.weights_dot(direction));
        let slope = |step: f64| {
            let residuals = self.residuals(at, Some((step, direction))).0;
            let rows = residuals.chunks_exact(self.columns).zip(direction.scores.chunks_exact(self.columns));
            let of_row = |(r, d): (&[f64], &[f64])| {
                r.iter().zip(d).zip(&direction.intercepts).map(|((r, d), b)| r * (d + b)).sum::<f64>()
            };
            across + step * length + rows.map(of_row).sum::<f64>()
        };
        let (mut low, mut at_low, mut high) = (0.0, start, None::<(f64, f64)>);
        let mut step = 1.0;
        for _ in 0..30 {
            let here = slope(step);
            if here.abs() <= 0.1 * -start {
                return Some(step);
            }
            if here < 0.0 {
                (low, at_low) = (step, here);
            } else {
                high = Some((step, here));
            }
            step = match high {
                None => step * 4.0,
                // The zero of the line through both slopes, but not at either end.
                Some((high, at_high)) => {
                    let share = (at_low / (at_low - at_high)).clamp(0.1, 0.9);
                    low + share * (high - low)
                }
            };
        }
        (low > 0.0).then_some(low)
    }
}

/// The L-BFGS direction: the gradient, corrected by the curvature of the last steps.
fn direction(gradient: &Point, memory: &[(Point, Point, f64)]) -> Point {
    let mut direction = gradient.clone();
    let mut shares = Vec::with_capacity(memory.len());
    for (moved, turned, curvature) in memory.iter().rev() {
        let share = moved.dot(&direction) / curvature;
        direction.add(-share, turned);
        shares.push(share);
    }
    if let Some((_, turned, curvature)) = memory.last() {
        direction.scale(curvature / turned.dot(turned));
    }
    for ((moved, turned, curvature), share) in memory.iter().zip(shares.iter().rev()) {
        direction.add(share - turned.dot(&direction) / curvature, moved);
    }
    direction.scale(-1.0);
    direction
}

/// Adds `XᵀV` to the weights (feature by feature, one number per column).
pub(crate) fn combine(rows: &[Row], coefficients: &[f64], weights: &mut [f64]) {
    let Some(columns) = coefficients.len().checked_div(rows.len()) else { return };
    for (row, own) in rows.iter().zip(coefficients.chunks_exact(columns)) {
        for &(id, x) in row {
            let weights = &mut weights[id as usize * columns..][..columns];
            weights.iter_mut().zip(own).for_each(|(w, v)| *w += f64::from(x) * v);
        }
    }
}

/// Adds a row's scores with these weights to `out`.
pub(crate) fn score(row: &Row, weights: &[f64], out: &mut [f64]) {
    let columns = out.len();
    for &(id, x) in row {
        let weights = &weights[id as usize * columns..][..columns];
        out.iter_mut().zip(weights).for_each(|(score, w)| *score += f64::from(x) * w);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Thirty rows with a few of eight n-grams each, in `classes` classes.
    fn problem(rows: &mut Vec<Row>, wanted: &mut Vec<usize>, classes: usize) -> (usize, Vec<f64>) {
        let mut state = 7_u32;
        let mut next = move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state >> 16
        };
        for i in 0..30 {
            rows.push((0..8).filter(|_| next() % 3 == 0).map(|id| (id, (id as f32 + 1.0) / 4.0)).collect());
            wanted.push((i + (next() % 5 / 4) as usize) % classes);
        }
        (8, (0..30).map(|i| 1.0 + f64::from(i % 3)).collect())
    }

    /// The objective, from weights: `½‖W‖² + Σ cost · loss`.
    fn objective(problem: &Problem<'_>, at: &Point) -> f64 {
        let mut weights = vec![0.0; problem.features * problem.columns];
        combine(problem.rows, &at.coefficients, &mut weights);
        let mut sum = 0.5 * dot(&weights, &weights);
        for (i, row) in problem.rows.iter().enumerate() {
            let mut scores = at.intercepts.clone();
            score(row, &weights, &mut scores);
            let mut chances = vec![0.0; problem.columns.max(2)];
            probabilities(&scores, &mut chances);
            sum -= problem.costs[i] * chances[problem.classes[i]].ln();
        }
        sum
    }

    #[test]
    fn gradient_matches_the_objective() {
        for classes in [2, 3] {
            let (mut rows, mut wanted) = (Vec::new(), Vec::new());
            let (features, costs) = problem(&mut rows, &mut wanted, classes);
            let columns = columns(classes);
            let problem = Problem { rows: &rows, features, classes: &wanted, columns, costs };
            let mut scratch = vec![0.0; features * columns];
            let point = |seed: usize| {
                let number = |i: usize| ((i * 37 + seed * 11) % 19) as f64 / 19.0 - 0.5;
                let coefficients: Vec<f64> = (0..30 * columns).map(number).collect();
                let scores = problem.scores(&coefficients, &mut vec![0.0; features * columns]);
                Point { coefficients, scores, intercepts: (0..columns).map(|k| number(k + 5)).collect() }
            };
            let (at, direction) = (point(1), point(2));
            let slope = problem.gradient(&at, &mut scratch).dot(&direction);
            let value = |step: f64| {
                let mut moved = at.clone();
                moved.add(step, &direction);
                objective(&problem, &moved)
            };
            let numeric = (value(1e-5) - value(-1e-5)) / 2e-5;
            assert!((slope - numeric).abs() < 1e-5 * numeric.abs().max(1.0), "{classes}: {slope} {numeric}");
        }
    }

    #[test]
    fn solution_is_a_local_minimum() {
        for classes in [2, 3, 4] {
            let (mut rows, mut wanted) = (Vec::new(), Vec::new());
            let (features, costs) = problem(&mut rows, &mut wanted, classes);
            let columns = columns(classes);
            let problem = Problem { rows: &rows, features, classes: &wanted, columns, costs };
            let at = problem.solve(Point::zero(30, columns));
            let least = objective(&problem, &at);
            assert!(least < objective(&problem, &Point::zero(30, columns)));
            for i in 0..30 * columns {
                for step in [-0.05, 0.05] {
                    let mut moved = at.clone();
                    moved.coefficients[i] += step;
                    assert!(objective(&problem, &moved) >= least - 1e-4, "{classes} {i}");
                }
            }
            for k in 0..columns {
                let mut moved = at.clone();
                moved.intercepts[k] += 0.05;
                assert!(objective(&problem, &moved) >= least - 1e-4);
            }
        }
    }
}
