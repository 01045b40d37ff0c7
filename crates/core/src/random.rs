use rand::{SeedableRng as _, rngs::ChaCha8Rng};

/// The purpose of random numbers. Each has its own streams, so that an additional draw for one does not change the
/// others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The order of the examples, by epoch.
    Order,
    /// Variants of examples, by epoch and example.
    Variants,
    /// The seed of a dropout mask, by step and micro-batch.
    Dropout,
    /// Initial weights of a LoRA adapter, by layer.
    Lora,
    /// Initial rows of a soft prompt.
    Prompt,
    /// Bootstrap samples for confidence intervals.
    Bootstrap,
    /// Sampling of a token, by position.
    Sampling,
}

/// The random stream of a purpose at a position, such as a step. It depends on its arguments alone, so no state must be
/// saved to resume after a crash, and threads may ask in any order.
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
    fn random_streams_depend_on_their_arguments_only() {
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
