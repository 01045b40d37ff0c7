use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

/// A SHA-256 digest, written as 64 lowercase hexadecimal characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, pattern = "^[0-9a-f]{64}$")]
pub struct Digest(String);

impl Digest {
    /// Length of a digest in characters.
    pub const LEN: usize = 64;

    /// Digest of one byte string.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self::of_parts([bytes])
    }

    /// Digest of several parts. Each is preceded by its length, so different splits of the same bytes give different
    /// digests.
    #[must_use]
    pub fn of_parts<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        Self::from_bytes(&hash.finalize())
    }

    /// Wraps the 32 bytes of a finished SHA-256.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// All 64 characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first 12 characters, for display.
    #[must_use]
    pub fn short(&self) -> &str {
        &self.0[..12]
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Digest {
    type Err = crate::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let whole = text.len() == Self::LEN && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if whole { Ok(Self(text.to_owned())) } else { Err(crate::Error::BadDigest(text.to_owned())) }
    }
}

impl TryFrom<String> for Digest {
    type Error = crate::Error;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn different_splits_into_parts_give_different_digests() {
        assert_ne!(Digest::of_parts([&b"ab"[..], b"c"]), Digest::of_parts([&b"a"[..], b"bc"]));
    }

    #[test]
    fn invalid_digests_are_refused() {
        assert!("xyz".parse::<Digest>().is_err());
        let digest = Digest::of(b"x");
        assert_eq!(digest.as_str().parse::<Digest>().unwrap(), digest);
    }
}
