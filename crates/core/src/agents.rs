//! What a server and the agents that hold its versions say to each other over HTTP: docs/agents.md.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use crate::Digest;

/// The form of version bundles that this program writes, and the newest it reads.
pub const BUNDLE_FORMAT: u32 = 1;

/// What an agent says of itself when it connects, and at least once a minute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AgentHello)]
pub struct Hello {
    /// Which wave it belongs to: new versions go to wave 1 first.
    #[serde(default = "first_wave")]
    #[schema(minimum = 1, maximum = 100, default = 1)]
    pub wave: u32,
    /// The version of its program.
    pub graft: String,
    /// The newest form of bundles that it reads.
    #[schema(minimum = 1)]
    pub format: u32,
    /// Digest of the bundle that it answers with.
    #[serde(default)]
    pub holds: Option<Digest>,
}

fn first_wave() -> u32 {
    1
}

/// The version that an agent is to hold, as the event `version` tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = AgentNotice)]
pub struct Notice {
    /// Name of the version.
    pub version: String,
    /// SHA-256 of its bundle.
    pub digest: Digest,
    /// Goes into the proof that the agent has the bundle.
    pub nonce: String,
    /// Counts how often the agent was told of this version, from 1.
    pub attempt: u32,
}

/// What became of a notice: `proof`, or the problem.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AgentReport)]
pub struct Report {
    /// The notice's nonce. What is said of an earlier notice is of no account.
    pub nonce: String,
    /// SHA-256 of the bundle that the agent was told of.
    pub digest: Digest,
    /// The agent answers with it: SHA-256 of the notice's nonce followed by the bundle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<Digest>,
    /// Why it doesn't.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// Plain SHA-256 of a bundle, as `sha256sum` prints it.
#[must_use]
pub fn bundle_digest(bundle: &[u8]) -> Digest {
    proof("", bundle)
}

/// Shows that whoever was told the nonce has the bundle: SHA-256 of the nonce followed by it.
#[must_use]
pub fn proof(nonce: &str, bundle: &[u8]) -> Digest {
    Digest::from_bytes(&Sha256::new().chain_update(nonce).chain_update(bundle).finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_is_what_sha256sum_says() {
        // printf abc | sha256sum
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(bundle_digest(b"abc").as_str(), abc);
        assert_eq!(proof("a", b"bc").as_str(), abc);
    }
}
