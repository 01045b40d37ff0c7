//! The families of decoder-only models, described in one table.

/// A family of decoder-only models whose blocks do the same computation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Llama 2, 3, SmolLM2, TinyLlama: the basic form (Touvron et al. 2023, arXiv:2307.09288; Dubey et al. 2024,
    /// arXiv:2407.21783).
    Llama,
    /// Mistral 7B and Ministral: Llama with a sliding window in some versions (Jiang et al. 2023, arXiv:2310.06825).
    Mistral,
    /// Qwen 2 and 2.5: biases of q, k and v (Yang et al. 2024, arXiv:2407.10671).
    Qwen2,
    /// Qwen 3, dense: norms of q and k (Yang et al. 2025, arXiv:2505.09388).
    Qwen3,
    /// Gemma 2: every other layer has a window, norms on both sides, capped scores and logits (arXiv:2408.00118).
    Gemma2,
    /// Gemma 3, text: five layers with a window to one without, norms of q and k (arXiv:2503.19786).
    Gemma3,
    /// Phi-3 and Phi-4-mini: q, k and v are one weight, as are gate and up (Abdin et al. 2024, arXiv:2404.14219).
    Phi3,
    /// SmolLM3: every fourth layer has no rotary positions (Hugging Face 2025; Yang et al. 2025, arXiv:2501.18795).
    SmolLm3,
    /// OLMo 2: norms after attention and MLP only, and over the whole q and k (OLMo team 2024, arXiv:2501.00656).
    Olmo2,
    /// Granite 3, dense: factors on embedding, residuals, scores and logits (IBM 2024).
    Granite,
}

/// Where a block normalizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Norms {
    /// The inputs of attention and MLP.
    Before,
    /// The outputs of attention and MLP, before they are added.
    After,
    /// Both.
    Around,
}

/// Normalization of queries and keys before the rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QkNorm {
    /// None.
    None,
    /// Each head separately; all heads of a layer share the weight.
    Head,
    /// All heads together.
    Whole,
}

/// The structure of a family's blocks. What differs between its models is in [`DecoderConfig`](super::DecoderConfig).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Form {
    /// `model_type` of Hugging Face's `config.json`.
    pub model_type: &'static str,
    /// `general.architecture` of a GGUF file.
    pub gguf: &'static str,
    /// Name for people.
    pub name: &'static str,
    /// Whether q, k and v have biases.
    pub qkv_bias: bool,
    /// Norms of queries and keys.
    pub qk_norm: QkNorm,
    /// Norms of the block.
    pub norms: Norms,
    /// Whether q, k and v are rows of one weight, and gate and up of another.
    pub fused: bool,
    /// Whether the MLP's gate is GELU (by its tanh approximation) instead of SiLU.
    pub gelu: bool,
    /// What Hugging Face's implementation adds to the weights of all norms.
    pub norm_offset: f32,
    /// Whether Hugging Face scales a soft prompt like the embeddings.
    pub scales_prompt: bool,
    /// Default of `tie_word_embeddings`: whether the output head is the token embedding.
    pub tie: bool,
    /// Whether llama.cpp interleaves the halves of the heads of q and k.
    pub interleaved: bool,
}

const PLAIN: Form = Form {
    model_type: "llama",
    gguf: "llama",
    name: "Llama",
    qkv_bias: false,
    qk_norm: QkNorm::None,
    norms: Norms::Before,
    fused: false,
    gelu: false,
    norm_offset: 0.0,
    scales_prompt: false,
    tie: false,
    interleaved: false,
};

/// Every family with its form.
#[rustfmt::skip]
const FAMILIES: [(Family, Form); 10] = {
    use {Norms::{After, Around}, QkNorm::{Head, Whole}};
    let gemma = Form { norms: Around, gelu: true, norm_offset: 1.0, tie: true, ..PLAIN };
    [
        (Family::Llama,   Form { interleaved: true, ..PLAIN }),
        (Family::Mistral, Form { model_type: "mistral", gguf: "llama", name: "Mistral", interleaved: true, ..PLAIN }),
        (Family::Qwen2,   Form { model_type: "qwen2", gguf: "qwen2", name: "Qwen 2", qkv_bias: true, ..PLAIN }),
        (Family::Qwen3,   Form { model_type: "qwen3", gguf: "qwen3", name: "Qwen 3", qk_norm: Head, ..PLAIN }),
        (Family::Gemma2,  Form { model_type: "gemma2", gguf: "gemma2", name: "Gemma 2", ..gemma }),
        (Family::Gemma3,  Form { model_type: "gemma3_text", gguf: "gemma3", name: "Gemma 3", qk_norm: Head, ..gemma }),
        (Family::Phi3,    Form { model_type: "phi3", gguf: "phi3", name: "Phi-3", fused: true, ..PLAIN }),
        (Family::SmolLm3, Form { model_type: "smollm3", gguf: "smollm3", name: "SmolLM3", tie: true, interleaved: true, ..PLAIN }),
        (Family::Olmo2,   Form { model_type: "olmo2", gguf: "olmo2", name: "OLMo 2", norms: After, qk_norm: Whole, ..PLAIN }),
        (Family::Granite, Form { model_type: "granite", gguf: "granite", name: "Granite", scales_prompt: true, interleaved: true, ..PLAIN }),
    ]
};

/// The values of `model_type` that are supported, for messages.
pub(crate) const MODEL_TYPES: &str = "`llama`, `mistral`, `qwen2`, `qwen3`, `gemma2`, `gemma3_text`, `phi3`, `smollm3`, \
                                      `olmo2`, `granite` (all dense), and `t5`";

/// The values of `general.architecture` that are supported, for messages.
pub(crate) const ARCHITECTURES: &str = "dense models of the architectures `llama`, `qwen2`, `qwen3`, `gemma2`, `gemma3`, \
                                        `phi3`, `smollm3`, `olmo2` and `granite`";

impl Family {
    /// The structure that its models share.
    #[must_use]
    pub fn form(self) -> &'static Form {
        let own = FAMILIES.iter().find(|(family, _)| *family == self);
        own.map_or(&PLAIN, |(_, form)| form)
    }

    /// The family of a `model_type`.
    pub(crate) fn of_model_type(name: &str) -> Option<Self> {
        FAMILIES.iter().find(|(_, form)| form.model_type == name).map(|(family, _)| *family)
    }

    /// The family of a `general.architecture`.
    pub(crate) fn of_architecture(name: &str) -> Option<Self> {
        FAMILIES.iter().find(|(_, form)| form.gguf == name).map(|(family, _)| *family)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_family_is_found_by_its_names() {
        for (family, form) in FAMILIES {
            assert_eq!(Family::of_model_type(form.model_type), Some(family));
            assert_eq!(*family.form(), form);
            assert!(MODEL_TYPES.contains(&format!("`{}`", form.model_type)), "{}", form.name);
            assert!(ARCHITECTURES.contains(&format!("`{}`", form.gguf)), "{}", form.name);
        }
    }
}
