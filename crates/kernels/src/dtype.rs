/// Storage type of a tensor.
///
/// The quantized types are ggml's: a row is a run of blocks, each with its own scales.
/// <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dtype {
    /// IEEE 754 single precision.
    F32,
    /// IEEE 754 half precision.
    F16,
    /// The upper half of an `F32`.
    BF16,
    /// 4 bits and a scale for 32 values.
    Q4_0,
    /// 4 bits, a scale and a minimum for 32 values.
    Q4_1,
    /// 8 bits and a scale for 32 values.
    Q8_0,
    /// 4 bits; 256 values in eight sub-blocks with 6-bit scales and minima.
    Q4K,
    /// 5 bits; otherwise as `Q4K`.
    Q5K,
    /// 6 bits; 256 values in sixteen sub-blocks with 8-bit scales.
    Q6K,
    /// 5 bits and a scale for 32 values.
    Q5_0,
    /// 5 bits, a scale and a minimum for 32 values.
    Q5_1,
    /// 2 bits; 256 values in sixteen sub-blocks with 4-bit scales and minima.
    Q2K,
    /// 3 bits; 256 values in sixteen sub-blocks with 6-bit scales.
    Q3K,
    /// 4-bit indices into a table of sixteen uneven steps, and a scale, for 32 values.
    Iq4Nl,
    /// The same steps; 256 values in eight sub-blocks with 6-bit scales.
    Iq4Xs,
    /// 4-bit floats with a power-of-two scale for 32 values (OCP Microscaling).
    Mxfp4,
}

impl Dtype {
    /// Values in one block; 1 for the plain types.
    #[must_use]
    pub const fn block_len(self) -> usize {
        match self {
            Self::F32 | Self::F16 | Self::BF16 => 1,
            Self::Q4_0 | Self::Q4_1 | Self::Q5_0 | Self::Q5_1 | Self::Q8_0 | Self::Iq4Nl | Self::Mxfp4 => 32,
            Self::Q2K | Self::Q3K | Self::Q4K | Self::Q5K | Self::Q6K | Self::Iq4Xs => 256,
        }
    }

    /// Bytes of one block.
    #[must_use]
    pub const fn block_bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 | Self::BF16 => 2,
            Self::Q4_0 => 2 + 16,
            Self::Q4_1 => 4 + 16,
            Self::Q8_0 => 2 + 32,
            Self::Q4K => 4 + 12 + 128,
            Self::Q5K => 4 + 12 + 32 + 128,
            Self::Q6K => 128 + 64 + 16 + 2,
            Self::Q5_0 => 2 + 4 + 16,
            Self::Q5_1 => 4 + 4 + 16,
            Self::Q2K => 16 + 64 + 4,
            Self::Q3K => 32 + 64 + 12 + 2,
            Self::Iq4Nl => 2 + 16,
            Self::Iq4Xs => 2 + 2 + 4 + 128,
            Self::Mxfp4 => 1 + 16,
        }
    }

    /// Bytes of a row of `cols` values; `None` if it is not a whole number of blocks or overflows.
    #[must_use]
    pub const fn row_bytes(self, cols: usize) -> Option<usize> {
        if !cols.is_multiple_of(self.block_len()) {
            return None;
        }
        (cols / self.block_len()).checked_mul(self.block_bytes())
    }
}
