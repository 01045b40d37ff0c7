use std::collections::BTreeMap;

use graft_core::Digest;
use serde::{Deserialize, Serialize};

/// Name of the object that lists a folder's files.
pub(crate) const LIST: &str = "graft-files.json";

/// The list of a folder's files.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileList {
    pub(crate) files: BTreeMap<String, About>,
}

/// Size and digest of a file.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct About {
    /// In bytes.
    pub(crate) size: u64,
    pub(crate) digest: Digest,
}

impl FileList {
    pub(crate) fn of(files: &[(String, Vec<u8>)]) -> Self {
        let about = |bytes: &[u8]| About { size: bytes.len() as u64, digest: Digest::of(bytes) };
        Self { files: files.iter().map(|(name, bytes)| (name.clone(), about(bytes))).collect() }
    }

    /// Parses a list and rejects names that would leave the folder.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, String> {
        let list: Self = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        let is_plain = |name: &str| {
            !name.is_empty() && !name.starts_with('.') && name != LIST && !name.contains(['/', '\\', '\0'])
        };
        match list.files.keys().find(|name| !is_plain(name)) {
            Some(name) => Err(format!("`{}` is not a file name", name.escape_default())),
            None => Ok(list),
        }
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        graft_core::json::pretty(self).into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_list_rejects_paths_outside_the_folder() {
        let list = FileList::of(&[("adapter_config.json".into(), b"{}".to_vec())]);
        assert_eq!(FileList::read(&list.to_bytes()).unwrap(), list);
        for name in ["../x", "a/b", "", ".graft-x", "a\\b", LIST] {
            let bad = FileList::of(&[(name.into(), Vec::new())]);
            assert!(FileList::read(&bad.to_bytes()).is_err(), "{name}");
        }
    }
}
