use std::rc::Rc;

use graft_ops::{AttentionRange, Target};

/// One training or scoring sequence.
///
/// For decoder-only models `source` is empty and `tokens` is prompt and answer; for encoder–decoder models `tokens` is
/// the answer alone. Every token of `tokens` from `supervised_from` on has loss.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sequence {
    /// The encoder's input.
    pub source: Vec<u32>,
    /// Input and targets of the decoder.
    pub tokens: Vec<u32>,
    /// First token with loss; at least 1 for decoder-only models, because it needs a token before it.
    pub supervised_from: usize,
}

impl Sequence {
    /// Number of tokens with loss.
    #[must_use]
    pub fn supervised(&self) -> usize {
        self.tokens.len() - self.supervised_from
    }
}

/// A micro-batch: sequences whose loss and gradients are computed together. A step's gradient is the sum over its
/// micro-batches.
#[derive(Clone, Debug)]
pub struct MicroBatch<'s> {
    /// The sequences.
    pub sequences: &'s [&'s Sequence],
    /// Number of leading tokens that are the same in all sequences (and in all micro-batches of the run).
    pub shared: usize,
    /// Weight of each supervised token's loss.
    pub weight: f32,
}

/// A micro-batch packed into rows, one per token and without padding, for a decoder-only model.
#[derive(Debug)]
pub struct PackedRows {
    /// Token of each row; 0 for a virtual token, whose embedding the soft prompt supplies.
    pub tokens: Vec<u32>,
    /// Position of each row in its sequence, virtual tokens included.
    pub positions: Vec<u32>,
    /// The attention mask: which rows each row attends to.
    pub ranges: Rc<[AttentionRange]>,
    /// Rows whose output predicts a supervised token.
    pub rows: Rc<[usize]>,
    /// The supervised tokens, in the order of `rows`.
    pub targets: Vec<Target>,
}

impl PackedRows {
    /// Packs rows as `[virtual tokens][shared prefix][rest of sequence 0][rest of sequence 1]…`. The first two parts
    /// are computed once and all sequences attend to them; the rests don't attend to each other.
    #[must_use]
    pub fn causal(batch: &MicroBatch<'_>, virtual_tokens: usize) -> Self {
        let shortest = batch.sequences.iter().map(|s| s.tokens.len()).min().unwrap_or(0);
        // Every sequence keeps at least one row of its own.
        let shared = batch.shared.min(shortest.saturating_sub(1));
        let head = virtual_tokens + shared;
        let mut packed = Self {
            tokens: vec![0; virtual_tokens],
            positions: (0..head as u32).collect(),
            ranges: Rc::new([]),
            rows: Rc::new([]),
            targets: Vec::new(),
        };
        packed.tokens.extend(batch.sequences.first().map_or(&[][..], |s| &s.tokens[..shared]));
        let (mut ranges, mut rows) = (Vec::new(), Vec::new());
        if head > 0 {
            ranges.push(AttentionRange { queries: 0..head, prefix: 0..0, keys: 0..head, causal: true });
        }
        for sequence in batch.sequences {
            let start = packed.tokens.len();
            let rest = &sequence.tokens[shared..];
            packed.tokens.extend(rest);
            packed.positions.extend((0..rest.len()).map(|i| (head + i) as u32));
            let own = start..start + rest.len();
            ranges.push(AttentionRange { queries: own.clone(), prefix: 0..head, keys: own, causal: true });
            for index in sequence.supervised_from..sequence.tokens.len() {
                // The row before a token predicts it; that may be the last row of the shared prefix.
                let before = index - 1;
                rows.push(if before < shared { virtual_tokens + before } else { start + before - shared });
                packed.targets.push(Target { token: sequence.tokens[index], weight: batch.weight });
            }
        }
        (packed.ranges, packed.rows) = (ranges.into(), rows.into());
        packed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_prefix_is_packed_once() {
        let sequence =
            |tail: &[u32]| Sequence { source: vec![], tokens: [&[7, 8, 9], tail].concat(), supervised_from: 4 };
        let (a, b) = (sequence(&[1, 2]), sequence(&[3, 4, 5]));
        let packed = PackedRows::causal(&MicroBatch { sequences: &[&a, &b], shared: 3, weight: 1.0 }, 2);
        assert_eq!(packed.tokens, [0, 0, 7, 8, 9, 1, 2, 3, 4, 5]);
        assert_eq!(packed.positions, [0, 1, 2, 3, 4, 5, 6, 5, 6, 7]);
        assert_eq!(*packed.rows, [5, 7, 8]);
        assert_eq!(packed.targets.iter().map(|t| t.token).collect::<Vec<_>>(), [2, 4, 5]);
        assert_eq!(packed.ranges[2], AttentionRange { queries: 7..10, prefix: 0..5, keys: 7..10, causal: true });
    }
}
