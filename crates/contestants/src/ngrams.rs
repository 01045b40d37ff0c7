//! Predicts labels by logistic regression on n-grams.

use std::{num::NonZero, thread};

use crate::{
    features::{Counts, Idf, Row, Vocabulary},
    logistic::{self, Point, Problem},
};

/// Costs of a misclassified training example, from the most to the least regularized model; cross-validation chooses
/// one.
const COSTS: [f64; 3] = [1.0, 10.0, 100.0];
/// The cost used by [`likely`] and [`unseen`], where probabilities are only compared with each other.
const USUAL_COST: f64 = 10.0;
/// Most folds of the cross-validation.
const FOLDS: usize = 5;

/// A fitted model with its examples.
#[derive(Clone, Debug)]
pub(crate) struct NGrams {
    fitted: Fitted,
    model: Linear,
}

/// What decides a label.
#[derive(Clone, Debug)]
pub(crate) struct Linear {
    /// Sorted.
    pub(crate) labels: Vec<String>,
    pub(crate) vocabulary: Vocabulary,
    pub(crate) idf: Idf,
    /// One number per n-gram and column.
    pub(crate) weights: Vec<f64>,
    /// One per column.
    pub(crate) intercepts: Vec<f64>,
}

impl Linear {
    /// The probability of each label, in their order.
    pub(crate) fn probabilities(&self, text: &str) -> Vec<f64> {
        let row = self.idf.row(&self.vocabulary.counts(text));
        let mut scores = self.intercepts.clone();
        logistic::score(&row, &self.weights, &mut scores);
        let mut chances = vec![0.0; self.labels.len()];
        logistic::probabilities(&scores, &mut chances);
        chances
    }
}

/// The stored part of a model; the rest is computed from it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fitted {
    /// Texts with their labels.
    pub(crate) examples: Vec<(String, String)>,
    /// One per text and column, text by text: the weights are the sum of the texts' rows, each times its coefficient.
    pub(crate) coefficients: Vec<f32>,
    /// One per column.
    pub(crate) intercepts: Vec<f32>,
}

impl Fitted {
    /// The labels, sorted.
    fn labels(&self) -> Vec<String> {
        labels(&self.examples)
    }
}

fn labels(examples: &[(String, String)]) -> Vec<String> {
    let mut labels: Vec<String> = examples.iter().map(|(_, label)| label.clone()).collect();
    labels.sort_unstable();
    labels.dedup();
    labels
}

impl NGrams {
    /// Fits a model to texts and labels; `None` if there are fewer than two labels.
    pub(crate) fn fit(examples: Vec<(String, String)>) -> Option<Self> {
        Self::fit_at(examples, None)
    }

    fn fit_at(examples: Vec<(String, String)>, cost: Option<f64>) -> Option<Self> {
        let labels = labels(&examples);
        if labels.len() < 2 {
            return None;
        }
        let classes: Vec<usize> = examples.iter().filter_map(|(_, label)| labels.binary_search(label).ok()).collect();
        let mut vocabulary = Vocabulary::default();
        let counts: Vec<Counts> = examples.iter().map(|(text, _)| vocabulary.learn(text)).collect();
        let texts = Texts { counts: &counts, ids: vocabulary.len(), classes: &classes, labels: labels.len() };
        let everything: Vec<usize> = (0..examples.len()).collect();
        let (point, _) = texts.solve(&everything, cost.unwrap_or_else(|| texts.best_cost()));
        let rounded = |numbers: &[f64]| numbers.iter().map(|x| *x as f32).collect();
        let (coefficients, intercepts) = (rounded(&point.coefficients), rounded(&point.intercepts));
        Self::new(Fitted { examples, coefficients, intercepts })
    }

    /// The model of a stored part; `None` if that is inconsistent.
    pub(crate) fn new(fitted: Fitted) -> Option<Self> {
        let labels = fitted.labels();
        let columns = logistic::columns(labels.len());
        let numbers = fitted.coefficients.iter().chain(&fitted.intercepts);
        let consistent = labels.len() >= 2
            && fitted.coefficients.len() == fitted.examples.len() * columns
            && fitted.intercepts.len() == columns
            && numbers.into_iter().all(|x| x.is_finite());
        if !consistent {
            return None;
        }
        let mut vocabulary = Vocabulary::default();
        let counts: Vec<Counts> = fitted.examples.iter().map(|(text, _)| vocabulary.learn(text)).collect();
        let idf = Idf::fit(counts.iter(), vocabulary.len());
        let rows: Vec<Row> = counts.iter().map(|counts| idf.row(counts)).collect();
        let mut weights = vec![0.0; vocabulary.len() * columns];
        let coefficients: Vec<f64> = fitted.coefficients.iter().copied().map(f64::from).collect();
        logistic::combine(&rows, &coefficients, &mut weights);
        let intercepts = fitted.intercepts.iter().copied().map(f64::from).collect();
        Some(Self { fitted, model: Linear { labels, vocabulary, idf, weights, intercepts } })
    }

    pub(crate) fn fitted(&self) -> &Fitted {
        &self.fitted
    }

    /// The model without its examples.
    pub(crate) fn into_model(self) -> Linear {
        self.model
    }

    /// The most likely label and its probability.
    pub(crate) fn answer(&self, text: &str) -> (&str, f64) {
        let chances = self.model.probabilities(text);
        let best = likeliest(&chances);
        (&self.model.labels[best], chances[best])
    }
}

/// The prediction for a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Likely {
    /// The most likely label.
    pub label: String,
    /// Its probability.
    pub probability: f64,
}

/// The most likely label of each text, predicted by a model fitted once to these examples without a search for its best
/// cost; empty if they have fewer than two labels.
#[must_use]
pub fn likely(examples: Vec<(String, String)>, texts: &[&str]) -> Vec<Likely> {
    let Some(model) = NGrams::fit_at(examples, Some(USUAL_COST)) else { return Vec::new() };
    let said = |text: &&str| {
        let (label, probability) = model.answer(text);
        Likely { label: label.to_owned(), probability }
    };
    texts.iter().map(said).collect()
}

/// The prediction for a text by a model that was not fitted to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Unseen {
    /// The most likely label.
    pub label: String,
    /// Its probability.
    pub probability: f64,
    /// The mean probability of this label over the texts that have it.
    pub usual: f64,
}

/// The most likely label of each text, predicted by a model fitted to the other folds; empty if there are fewer than
/// two labels. Adjacent texts with the same label are in one fold.
#[must_use]
pub fn unseen(examples: &[(&str, &str)]) -> Vec<Unseen> {
    let mut labels: Vec<&str> = examples.iter().map(|(_, label)| *label).collect();
    labels.sort_unstable();
    labels.dedup();
    if labels.len() < 2 {
        return Vec::new();
    }
    let classes: Vec<usize> = examples.iter().filter_map(|(_, label)| labels.binary_search(label).ok()).collect();
    let mut vocabulary = Vocabulary::default();
    let counts: Vec<Counts> = examples.iter().map(|(text, _)| vocabulary.learn(text)).collect();
    let texts = Texts { counts: &counts, ids: vocabulary.len(), classes: &classes, labels: labels.len() };
    let (fold_of, folds) = texts.folds();
    let mut chances: Vec<(usize, Vec<f64>)> = thread::scope(|scope| {
        let work: Vec<_> = (0..folds)
            .map(|fold| {
                scope.spawn({
                    let (texts, fold_of) = (&texts, &fold_of);
                    move || texts.left_out(fold_of, fold, USUAL_COST)
                })
            })
            .collect();
        work.into_iter().filter_map(|one| one.join().ok()).flatten().collect()
    });
    chances.sort_unstable_by_key(|(i, _)| *i);
    let mut usual = vec![(0.0, 0.0); labels.len()];
    for (i, chances) in &chances {
        let (sum, count) = &mut usual[classes[*i]];
        *sum += chances[classes[*i]];
        *count += 1.0;
    }
    let said = |(_, chances): &(usize, Vec<f64>)| {
        let best = likeliest(chances);
        Unseen { label: labels[best].to_owned(), probability: chances[best], usual: usual[best].0 / usual[best].1 }
    };
    chances.iter().map(said).collect()
}

/// The index of the largest value; the first on ties.
fn likeliest(chances: &[f64]) -> usize {
    (0..chances.len()).fold(0, |best, k| if chances[k] > chances[best] { k } else { best })
}

/// Training texts.
struct Texts<'c> {
    counts: &'c [Counts],
    ids: usize,
    classes: &'c [usize],
    labels: usize,
}

impl Texts<'_> {
    /// The fold of each text, and the number of folds.
    fn folds(&self) -> (Vec<usize>, usize) {
        let fewest = self.per_class(0..self.classes.len()).into_iter().min().unwrap_or(0);
        let folds = fewest.clamp(2, FOLDS);
        (stratified(self.classes, self.labels, folds), folds)
    }

    /// The cost with the highest cross-validated accuracy; the lowest on ties.
    fn best_cost(&self) -> f64 {
        let (fold_of, folds) = self.folds();
        let workers = thread::available_parallelism().map_or(1, NonZero::get).min(folds);
        // The result does not depend on which thread computes a fold.
        let mut accuracies = vec![[0.0; COSTS.len()]; folds];
        thread::scope(|scope| {
            for part in accuracies.chunks_mut(folds.div_ceil(workers)).enumerate() {
                let (nth, part) = part;
                let fold_of = &fold_of;
                scope.spawn(move || {
                    for (offset, out) in part.iter_mut().enumerate() {
                        *out = self.accuracies(fold_of, nth * folds.div_ceil(workers) + offset);
                    }
                });
            }
        });
        let mean = |k: usize| accuracies.iter().map(|fold| fold[k]).sum::<f64>();
        let best = (0..COSTS.len()).fold(0, |best, k| if mean(k) > mean(best) + 1e-9 { k } else { best });
        COSTS[best]
    }

    /// The accuracy on one fold of models fitted to the others, for each cost.
    fn accuracies(&self, fold_of: &[usize], fold: usize) -> [f64; COSTS.len()] {
        COSTS.map(|cost| {
            let held_out = self.left_out(fold_of, fold, cost);
            let right = held_out.iter().filter(|(i, chances)| likeliest(chances) == self.classes[*i]).count();
            right as f64 / held_out.len().max(1) as f64
        })
    }

    /// The texts of one fold, each with the probability of every label from a model fitted to the others.
    fn left_out(&self, fold_of: &[usize], fold: usize, cost: f64) -> Vec<(usize, Vec<f64>)> {
        let (held_out, kept): (Vec<usize>, Vec<usize>) = (0..fold_of.len()).partition(|&i| fold_of[i] == fold);
        let columns = logistic::columns(self.labels);
        let (point, (idf, rows)) = self.solve(&kept, cost);
        let mut weights = vec![0.0; self.ids * columns];
        logistic::combine(&rows, &point.coefficients, &mut weights);
        let chances = |i: usize| {
            let mut scores = point.intercepts.clone();
            logistic::score(&idf.row(&self.counts[i]), &weights, &mut scores);
            let mut chances = vec![0.0; self.labels];
            logistic::probabilities(&scores, &mut chances);
            (i, chances)
        };
        held_out.into_iter().map(chances).collect()
    }

    /// Fits a model to some of the texts; every label has the same total weight.
    fn solve(&self, of: &[usize], cost: f64) -> (Point, (Idf, Vec<Row>)) {
        let idf = Idf::fit(of.iter().map(|&i| &self.counts[i]), self.ids);
        let rows: Vec<Row> = of.iter().map(|&i| idf.row(&self.counts[i])).collect();
        let classes: Vec<usize> = of.iter().map(|&i| self.classes[i]).collect();
        let per_class = self.per_class(of.iter().copied());
        let present = per_class.iter().filter(|count| **count > 0).count();
        let costs = |class: &usize| cost * of.len() as f64 / (present * per_class[*class]) as f64;
        let costs = classes.iter().map(costs).collect();
        let columns = logistic::columns(self.labels);
        let problem = Problem { rows: &rows, features: self.ids, classes: &classes, columns, costs };
        (problem.solve(Point::zero(rows.len(), columns)), (idf, rows))
    }

    fn per_class(&self, of: impl Iterator<Item = usize>) -> Vec<usize> {
        let mut counts = vec![0; self.labels];
        of.for_each(|i| counts[self.classes[i]] += 1);
        counts
    }
}

/// Assigns texts to folds so that every fold has the same fraction of every class. Within a class, adjacent texts are
/// in one fold.
fn stratified(classes: &[usize], labels: usize, folds: usize) -> Vec<usize> {
    let mut sorted = classes.to_vec();
    sorted.sort_unstable();
    // How many of each class go to each fold: the sorted classes are distributed in turn.
    let mut quota = vec![vec![0; folds]; labels];
    sorted.iter().enumerate().for_each(|(i, class)| quota[*class][i % folds] += 1);
    let mut next = vec![0; labels];
    let fold = |class: &usize| {
        let next = &mut next[*class];
        while quota[*class][*next] == 0 {
            *next += 1;
        }
        quota[*class][*next] -= 1;
        *next
    };
    classes.iter().map(fold).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_are_stratified_by_class() {
        let classes: Vec<usize> = (0..23).map(|i| usize::from(i % 4 == 0)).collect();
        let folds = stratified(&classes, 2, 3);
        for fold in 0..3 {
            for (class, least) in [(0, 5), (1, 2)] {
                let has = (0..23).filter(|&i| folds[i] == fold && classes[i] == class).count();
                assert!((least..=least + 1).contains(&has), "{fold} {class} {has}");
            }
        }
    }
}
