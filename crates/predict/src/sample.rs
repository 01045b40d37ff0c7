use crate::{Sampling, TokenMask};

/// Draws an allowed token; `position` tells the draws of one seed apart.
pub(crate) fn sample(mask: &TokenMask, logits: &[f32], how: Sampling, position: u64) -> Option<u32> {
    let best = mask.argmax(logits)?;
    let top = logits[best as usize];
    let temperature = how.temperature.max(1e-3);
    let mut likely: Vec<(f32, u32)> =
        mask.iter().map(|t| (((logits[t as usize] - top) / temperature).exp(), t)).filter(|(p, _)| *p > 1e-6).collect();
    likely.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let total: f32 = likely.iter().map(|(p, _)| p).sum();
    let mut kept = 0.0;
    let size = likely.iter().position(|(p, _)| {
        kept += p / total;
        kept >= how.top_p
    });
    likely.truncate(size.map_or(likely.len(), |last| last + 1));
    let mass: f32 = likely.iter().map(|(p, _)| p).sum();
    let mut point = unit(how.seed, position) * mass;
    likely
        .iter()
        .find_map(|&(p, token)| {
            point -= p;
            (point <= 0.0).then_some(token)
        })
        .or(Some(best))
}

/// The likeliest allowed tokens, from the likeliest down.
pub(crate) fn likeliest(mask: &TokenMask, logits: &[f32], count: usize) -> Vec<u32> {
    let mut tokens: Vec<u32> = mask.iter().filter(|&token| (token as usize) < logits.len()).collect();
    let by_logit = |a: &u32, b: &u32| logits[*b as usize].total_cmp(&logits[*a as usize]).then(a.cmp(b));
    if count < tokens.len() {
        tokens.select_nth_unstable_by(count, by_logit);
        tokens.truncate(count);
    }
    tokens.sort_by(by_logit);
    tokens
}

/// Uniform in `[0, 1)`, a function of seed and position (SplitMix64).
fn unit(seed: u64, position: u64) -> f32 {
    let mut z = seed.wrapping_add(position.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 40) as f32 / (1_u64 << 24) as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use llguidance::toktrie::SimpleVob;

    #[test]
    fn the_likeliest_come_first_and_only_if_allowed() {
        let mut allowed = SimpleVob::alloc(6);
        [0, 1, 3, 5].iter().for_each(|&token| allowed.allow_token(token));
        let mask = TokenMask(allowed);
        let logits = [1.0, 4.0, 9.0, 3.0, 8.0, 4.0];
        assert_eq!(likeliest(&mask, &logits, 3), [1, 5, 3]);
        assert_eq!(likeliest(&mask, &logits, 9), [1, 5, 3, 0]);
        let how = Sampling { temperature: 1.0, top_p: 0.4, seed: 7 };
        let drawn: std::collections::BTreeSet<u32> =
            (0..200).filter_map(|position| sample(&mask, &logits, how, position)).collect();
        assert_eq!(drawn.into_iter().collect::<Vec<_>>(), [1]);
    }
}
