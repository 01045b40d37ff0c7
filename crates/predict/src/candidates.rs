use std::{borrow::Cow, collections::HashMap};

use graft_core::{Purpose, random};
use graft_kernels::rows;
use graft_nn::Best;
use rand::RngExt as _;

use crate::{Adjustments, Sampling, TokenMask};

/// Tokens that are allowed next, with their logits.
#[derive(Clone, Debug)]
pub struct Candidates {
    /// Token ids in ascending order. `None` means the whole vocabulary, with minus infinity for tokens that are not
    /// allowed.
    ids: Option<Vec<u32>>,
    logits: Vec<f32>,
    /// Log-sum-exp over all candidates, if `logits` holds only some of them.
    log_sum: Option<f64>,
}

impl Candidates {
    /// Candidates from some tokens in ascending order, and their logits.
    ///
    /// # Panics
    /// If the lengths differ.
    #[must_use]
    pub fn few(ids: Vec<u32>, logits: Vec<f32>) -> Self {
        assert_eq!(ids.len(), logits.len(), "each token has a logit");
        Self { ids: Some(ids), logits, log_sum: None }
    }

    /// Applies a mask to the logits of the whole vocabulary.
    #[must_use]
    pub fn masked(mask: &TokenMask, logits: &[f32]) -> Self {
        let mut logits = logits.to_vec();
        mask.apply(&mut logits);
        Self { ids: None, logits, log_sum: None }
    }

    /// Only the most likely token, for requests that need no other.
    #[must_use]
    pub fn likeliest_of_all(best: Best) -> Self {
        let (ids, logits) = best.token.map(|token| (token, best.log_prob)).into_iter().unzip();
        Self { ids: Some(ids), logits, log_sum: Some(0.0) }
    }

    /// Whether no token is allowed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.logits.iter().all(|&logit| logit == f32::NEG_INFINITY)
    }

    /// The token with the largest logit; the first one on ties, as in transformers. `None` if no logit is a number.
    #[must_use]
    pub fn best(&self) -> Option<u32> {
        let largest = rows::max(&self.logits);
        let place = self.logits.iter().position(|&logit| logit == largest && logit > f32::NEG_INFINITY)?;
        Some(self.id(place))
    }

    /// Natural logarithm of a token's probability among the candidates.
    #[must_use]
    pub fn log_prob(&self, token: u32) -> f64 {
        let Some(&logit) = self.place(token).and_then(|place| self.logits.get(place)) else {
            return f64::NEG_INFINITY;
        };
        if logit == f32::NEG_INFINITY {
            return f64::NEG_INFINITY;
        }
        if let Some(log_sum) = self.log_sum {
            return f64::from(logit) - log_sum;
        }
        let largest = rows::max(&self.logits);
        f64::from(logit) - f64::from(largest) - f64::from(rows::sum_exp(&self.logits, largest)).ln()
    }

    /// Samples a token. `position` makes the draws of one seed independent.
    pub(crate) fn sample(&self, how: Sampling, position: u64) -> Option<u32> {
        let best = self.best()?;
        let top = rows::max(&self.logits);
        let temperature = how.temperature.max(1e-3);
        let mut likely: Vec<(f32, u32)> = self
            .iter()
            .map(|(id, logit)| (((logit - top) / temperature).exp(), id))
            .filter(|(p, _)| *p > 1e-6)
            .collect();
        likely.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let total: f32 = likely.iter().map(|(p, _)| p).sum();
        let mut kept = 0.0;
        let size = likely.iter().position(|(p, _)| {
            kept += p / total;
            kept >= how.top_p
        });
        likely.truncate(size.map_or(likely.len(), |last| last + 1));
        let mass: f32 = likely.iter().map(|(p, _)| p).sum();
        let mut point = random(how.seed, Purpose::Sampling, [position, 0]).random::<f32>() * mass;
        let drawn = likely.iter().find_map(|&(p, token)| {
            point -= p;
            (point <= 0.0).then_some(token)
        });
        drawn.or(Some(best))
    }

    /// The same with adjusted logits, after the tokens `written` so far.
    pub(crate) fn adjusted(&self, how: &Adjustments, written: &[u32]) -> Cow<'_, Self> {
        if how.is_none() {
            return Cow::Borrowed(self);
        }
        let mut adjusted = self.clone();
        let mut add = |token: u32, change: f32| {
            if let Some(logit) = self.place(token).and_then(|place| adjusted.logits.get_mut(place)) {
                *logit += change;
            }
        };
        how.bias.iter().for_each(|(&token, &bias)| add(token, bias));
        let mut counts: HashMap<u32, f32> = HashMap::new();
        written.iter().for_each(|&token| *counts.entry(token).or_default() += 1.0);
        for (token, count) in counts {
            add(token, -(count * how.frequency_penalty + how.presence_penalty));
        }
        Cow::Owned(adjusted)
    }

    /// The same with something added to the logit of each allowed token. Not for [`likeliest_of_all`](Self::likeliest_of_all).
    pub(crate) fn raised(&self, by: impl Fn(u32) -> f32) -> Self {
        let logits = self.logits.iter().enumerate();
        let raise = |(place, &logit): (usize, &f32)| {
            if logit == f32::NEG_INFINITY { logit } else { logit + by(self.id(place)) }
        };
        Self { ids: self.ids.clone(), logits: logits.map(raise).collect(), log_sum: None }
    }

    /// The most likely tokens, in descending order.
    pub(crate) fn likeliest(&self, count: usize) -> Vec<u32> {
        let mut tokens: Vec<(u32, f32)> = self.iter().collect();
        let by_logit = |a: &(u32, f32), b: &(u32, f32)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
        if count < tokens.len() {
            tokens.select_nth_unstable_by(count, by_logit);
            tokens.truncate(count);
        }
        tokens.sort_by(by_logit);
        tokens.into_iter().map(|(id, _)| id).collect()
    }

    /// Allowed tokens with their logits.
    fn iter(&self) -> impl Iterator<Item = (u32, f32)> + '_ {
        let all = self.logits.iter().enumerate().map(|(place, &logit)| (self.id(place), logit));
        all.filter(|(_, logit)| *logit != f32::NEG_INFINITY)
    }

    fn id(&self, place: usize) -> u32 {
        self.ids.as_ref().map_or(place as u32, |ids| ids[place])
    }

    fn place(&self, id: u32) -> Option<usize> {
        self.ids.as_ref().map_or(Some(id as usize), |ids| ids.binary_search(&id).ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use llguidance::toktrie::SimpleVob;

    const LOGITS: [f32; 6] = [1.0, 4.0, 9.0, 3.0, 8.0, 4.0];
    const ALLOWED: [u32; 4] = [0, 1, 3, 5];

    fn both_ways() -> [Candidates; 2] {
        let mut mask = SimpleVob::alloc(6);
        ALLOWED.iter().for_each(|&token| mask.allow_token(token));
        let few = Candidates::few(ALLOWED.to_vec(), ALLOWED.map(|id| LOGITS[id as usize]).to_vec());
        [Candidates::masked(&TokenMask(mask), &LOGITS), few]
    }

    #[test]
    fn most_likely_allowed_tokens_come_first() {
        for candidates in both_ways() {
            assert_eq!((candidates.best(), candidates.is_empty()), (Some(1), false));
            assert_eq!(candidates.likeliest(3), [1, 5, 3]);
            assert_eq!(candidates.likeliest(9), [1, 5, 3, 0]);
            let how = Sampling { temperature: 1.0, top_p: 0.4, seed: 7 };
            let drawn: std::collections::BTreeSet<u32> =
                (0..200).filter_map(|position| candidates.sample(how, position)).collect();
            assert_eq!(drawn.into_iter().collect::<Vec<_>>(), [1]);
            let all: f64 = ALLOWED.iter().map(|&token| candidates.log_prob(token).exp()).sum();
            assert!((all - 1.0).abs() < 1e-6, "probabilities add up to {all}");
            assert_eq!(candidates.log_prob(2), f64::NEG_INFINITY);
            assert_eq!(candidates.log_prob(99), f64::NEG_INFINITY);
        }
    }

    #[test]
    fn penalties_and_bias_change_the_choice_and_no_probability() {
        for candidates in both_ways() {
            let chosen = |how: &Adjustments, written: &[u32]| candidates.adjusted(how, written).best();
            let none = Adjustments::default();
            assert!(matches!(candidates.adjusted(&none, &[1, 1]), Cow::Borrowed(_)));
            // Logits of the allowed tokens: 0 has 1, 1 has 4, 3 has 3, 5 has 4.
            let presence = Adjustments { presence_penalty: 1.5, ..Adjustments::default() };
            assert_eq!([chosen(&presence, &[]), chosen(&presence, &[1])], [Some(1), Some(5)]);
            assert_eq!(chosen(&presence, &[1, 1, 1, 1, 5]), Some(3), "a presence counts once");
            assert_eq!(chosen(&presence, &[1, 1, 1, 1, 5, 3]), Some(1));
            let frequency = Adjustments { frequency_penalty: 0.4, ..Adjustments::default() };
            assert_eq!(chosen(&frequency, &[1, 1, 5]), Some(5), "3.2 against 3.6");
            assert_eq!(chosen(&frequency, &[1, 1, 1, 5, 5, 5]), Some(3), "2.8 against 3");
            let wished = Adjustments { frequency_penalty: -2.0, ..Adjustments::default() };
            assert_eq!(chosen(&wished, &[0, 0]), Some(0));
            let bias = |bias: &[(u32, f32)]| Adjustments { bias: bias.iter().copied().collect(), ..none.clone() };
            assert_eq!(chosen(&bias(&[(1, -100.0), (5, -100.0)]), &[]), Some(3));
            assert_eq!(chosen(&bias(&[(0, 100.0)]), &[]), Some(0));
            assert_eq!(chosen(&bias(&[(2, 100.0)]), &[]), Some(1), "what is not allowed stays so");
            let how = Sampling { temperature: 1.0, top_p: 1.0, seed: 7 };
            let forced = candidates.adjusted(&bias(&[(0, 100.0)]), &[]);
            assert!((0..50).all(|position| forced.sample(how, position) == Some(0)));
        }
    }

    #[test]
    fn single_most_likely_token_has_its_probability() {
        let [all, few] = both_ways();
        let best = Best { token: all.best(), log_prob: few.log_prob(1) as f32 };
        let alone = Candidates::likeliest_of_all(best);
        assert_eq!((alone.best(), alone.is_empty()), (Some(1), false));
        assert!((alone.log_prob(1) - all.log_prob(1)).abs() < 1e-6 && all.log_prob(1) < 0.0);
        assert!(Candidates::likeliest_of_all(Best { token: None, log_prob: f32::NAN }).is_empty());
        let broken = Candidates::likeliest_of_all(Best { token: Some(3), log_prob: f32::NAN });
        assert_eq!((broken.best(), broken.is_empty()), (None, false));
    }

    #[test]
    fn non_finite_logits_are_reported() {
        let broken = Candidates::few(vec![3, 4], vec![f32::NAN; 2]);
        assert_eq!((broken.best(), broken.is_empty()), (None, false));
        let partly = Candidates::few(vec![3, 4], vec![f32::NAN, 1.0]);
        assert!(partly.best().is_none_or(|token| !partly.log_prob(token).is_finite()));
    }
}
