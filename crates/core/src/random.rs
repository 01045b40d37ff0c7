use rand::{SeedableRng as _, rngs::ChaCha8Rng};

/// What random numbers are for. Each purpose has streams of its own, so that one more draw here changes nothing there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The order of the examples, by epoch.
    Order,
    /// Variants of examples, by epoch and example.
    Variants,
    /// The seed of a dropout mask, by step and micro-batch.
    Dropout,
    /// Where a LoRA adapter starts, by layer.
    Lora,
    /// Where a soft prompt starts.
    Prompt,
    /// Examples that are drawn again for an interval.
    Bootstrap,
    /// A token of an answer, by position.
    Sampling,
}

/// The stream of a purpose at a place, such as a step. It follows from its arguments alone: nothing needs to be kept to
/// go on after a crash, and threads may ask in any order.
#[must_use]
pub fn random(seed: u64, purpose: Purpose, place: [u64; 2]) -> ChaCha8Rng {
    let mut key = [0; 32];
    for (bytes, part) in key.chunks_exact_mut(8).zip([seed, purpose as u64, place[0], place[1]]) {
        bytes.copy_from_slice(&part.to_le_bytes());
    }
    ChaCha8Rng::from_seed(key)
}

#[cfg(test)]
mod tests {
    use rand::Rng as _;

    use super::*;

    #[test]
    fn a_stream_follows_from_its_place_and_stays_the_same_over_versions() {
        let first = |seed, purpose, place| random(seed, purpose, place).next_u64();
        let (order, variants) = (Purpose::Order, Purpose::Variants);
        assert_eq!(first(1, order, [2, 3]), first(1, order, [2, 3]));
        for other in
            [first(2, order, [2, 3]), first(1, variants, [2, 3]), first(1, order, [3, 2]), first(1, order, [2, 4])]
        {
            assert_ne!(first(1, order, [2, 3]), other);
        }
        // ChaCha8 with a key of zeros (Strombergson's test vectors, TC1 with a 256-bit key).
        assert_eq!(first(0, order, [0, 0]).to_le_bytes(), [0x3e, 0x00, 0xef, 0x2f, 0x89, 0x5f, 0x40, 0xd6]);
    }
}
