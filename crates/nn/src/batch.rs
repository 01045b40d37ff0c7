use std::rc::Rc;

use graft_ops::{Span, Target};

/// One training or scoring sequence.
///
/// For decoder-only models `source` is empty and `tokens` is prompt and answer; for encoder–decoder models `tokens` is
/// the answer alone. Every token of `tokens` from `supervised_from` on carries loss.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sequence {
    /// The encoder's input.
    pub source: Vec<u32>,
    /// What the decoder reads and writes.
    pub tokens: Vec<u32>,
    /// First token that carries loss; at least 1 for decoder-only models (something must come before it).
    pub supervised_from: usize,
}

impl Sequence {
    /// Tokens that carry loss.
    #[must_use]
    pub fn supervised(&self) -> usize {
        self.tokens.len() - self.supervised_from
    }
}

/// Sequences computed together.
#[derive(Clone, Debug)]
pub struct Batch<'s> {
    /// The sequences.
    pub sequences: &'s [&'s Sequence],
    /// Leading tokens that are the same in all of them (and in every other batch of the run).
    pub shared: usize,
    /// Weight of each supervised token's loss.
    pub weight: f32,
}

/// A batch laid out in rows for a decoder-only model.
#[derive(Debug)]
pub struct Pass {
    /// Token of each row; 0 where a virtual token stands.
    pub tokens: Vec<u32>,
    /// Position of each row in its sequence, virtual tokens included.
    pub positions: Vec<u32>,
    /// Who sees whom.
    pub spans: Rc<[Span]>,
    /// Rows whose output predicts a supervised token.
    pub rows: Rc<[usize]>,
    /// These tokens, in the order of `rows`.
    pub targets: Vec<Target>,
}

impl Pass {
    /// Lays out `[virtual tokens][shared prefix][rest of each sequence]`; the first two are computed once and seen by
    /// all, the rests don't see each other.
    #[must_use]
    pub fn causal(batch: &Batch<'_>, virtual_tokens: usize) -> Self {
        let shortest = batch.sequences.iter().map(|s| s.tokens.len()).min().unwrap_or(0);
        let shared = batch.shared.min(shortest.saturating_sub(1));
        let head = virtual_tokens + shared;
        let mut pass = Self {
            tokens: vec![0; virtual_tokens],
            positions: (0..head as u32).collect(),
            spans: Rc::new([]),
            rows: Rc::new([]),
            targets: Vec::new(),
        };
        pass.tokens.extend(batch.sequences.first().map_or(&[][..], |s| &s.tokens[..shared]));
        let (mut spans, mut rows) = (Vec::new(), Vec::new());
        if head > 0 {
            spans.push(Span { queries: 0..head, prefix: 0..0, keys: 0..head, causal: true });
        }
        for sequence in batch.sequences {
            let start = pass.tokens.len();
            let rest = &sequence.tokens[shared..];
            pass.tokens.extend(rest);
            pass.positions.extend((0..rest.len()).map(|i| (head + i) as u32));
            let own = start..start + rest.len();
            spans.push(Span { queries: own.clone(), prefix: 0..head, keys: own, causal: true });
            for index in sequence.supervised_from..sequence.tokens.len() {
                // The row before the token predicts it.
                let before = index - 1;
                rows.push(if before < shared { virtual_tokens + before } else { start + before - shared });
                pass.targets.push(Target { token: sequence.tokens[index], weight: batch.weight });
            }
        }
        (pass.spans, pass.rows) = (spans.into(), rows.into());
        pass
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shared_prefix_is_laid_out_once() {
        let sequence =
            |tail: &[u32]| Sequence { source: vec![], tokens: [&[7, 8, 9], tail].concat(), supervised_from: 4 };
        let (a, b) = (sequence(&[1, 2]), sequence(&[3, 4, 5]));
        let pass = Pass::causal(&Batch { sequences: &[&a, &b], shared: 3, weight: 1.0 }, 2);
        assert_eq!(pass.tokens, [0, 0, 7, 8, 9, 1, 2, 3, 4, 5]);
        assert_eq!(pass.positions, [0, 1, 2, 3, 4, 5, 6, 5, 6, 7]);
        assert_eq!(*pass.rows, [5, 7, 8]);
        assert_eq!(pass.targets.iter().map(|t| t.token).collect::<Vec<_>>(), [2, 4, 5]);
        assert_eq!(pass.spans[2], Span { queries: 7..10, prefix: 0..5, keys: 7..10, causal: true });
    }
}
