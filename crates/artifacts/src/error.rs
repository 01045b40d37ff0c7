use std::{fmt::Display, path::PathBuf};

use graft_core::ExitCode;
use object_store::Error as StoreError;

/// Errors of artifact storage.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The URL does not name a store, or an object in it.
    #[error("use `{0}` as a place of artifacts")]
    Address(String),
    /// A remote endpoint without TLS.
    #[error("send artifacts to `{0}` without TLS")]
    Plain(String),
    /// The settings in the environment can't be used.
    #[error("open `{place}`")]
    Open {
        /// URL of the store or of its server.
        place: String,
        /// The cause.
        #[source]
        cause: ErrorText,
    },
    /// The shared credentials file has no keys under this profile.
    #[error("find the keys of profile `{profile}` in `{}`", .path.display())]
    Profile {
        /// Value of `AWS_PROFILE`.
        profile: String,
        /// Path of the shared credentials file.
        path: PathBuf,
    },
    /// The bucket can't be reached, or refuses the request.
    #[error("{doing} `{object}`")]
    Transfer {
        /// The operation, as in "failed to …".
        doing: &'static str,
        /// URL of the object.
        object: String,
        /// Whether the bucket refused the credentials (instead of being unreachable).
        refused: bool,
        /// The cause.
        #[source]
        cause: ErrorText,
    },
    /// The folder does not exist or is incomplete.
    #[error("find `{folder}` in `{place}`")]
    Missing {
        /// URL of the store.
        place: String,
        /// The folder.
        folder: String,
    },
    /// An object differs from what was published.
    #[error("trust `{object}`: {what}")]
    Damaged {
        /// URL of the object.
        object: String,
        /// What is wrong with it.
        what: String,
    },
}

/// The error text of the library, the bucket or the network.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ErrorText(String);

impl Error {
    pub(crate) fn open(place: &str, why: &(impl Display + ?Sized)) -> Self {
        Self::Open { place: place.to_owned(), cause: ErrorText(why.to_string()) }
    }

    pub(crate) fn transfer(doing: &'static str, object: String, error: &StoreError) -> Self {
        let said = error.to_string();
        // `object_store` has no error variant for a refused list request, so its text is searched.
        let refused = matches!(error, StoreError::PermissionDenied { .. } | StoreError::Unauthenticated { .. })
            || ["401 Unauthorized", "403 Forbidden"].iter().any(|status| said.contains(status));
        Self::Transfer { doing, object, refused, cause: ErrorText(said) }
    }

    /// What the user can do.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Address(_) => {
                "write s3://bucket/prefix, gs://bucket/prefix, az://container/prefix or file:///folder; endpoint and region go into AWS_ENDPOINT_URL and AWS_REGION"
            }
            Self::Plain(_) => "use https://, or set AWS_ALLOW_HTTP=true for a network that you trust",
            Self::Open { .. } => {
                "check the provider's variables: AWS_REGION, AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY or AWS_PROFILE, and AWS_ENDPOINT_URL (https://host) for a server that isn't Amazon's; GOOGLE_APPLICATION_CREDENTIALS; AZURE_STORAGE_ACCOUNT_NAME with AZURE_STORAGE_ACCOUNT_KEY"
            }
            Self::Profile { .. } => "name another with AWS_PROFILE; only profiles that hold keys themselves are read",
            Self::Transfer { refused: true, .. } => {
                "check the region, the keys (AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or a role), and what they may do in the bucket"
            }
            Self::Transfer { .. } => {
                "check that the server in the message can be reached and that the bucket exists; without AWS_ACCESS_KEY_ID or AWS_PROFILE, the machine's role is used"
            }
            Self::Missing { .. } => "run `graft sweep` on the machine that trained it: it publishes what is missing",
            Self::Damaged { .. } => {
                "remove the folder from the bucket and run `graft sweep` on a machine that has the files"
            }
        };
        Some(hint.to_owned())
    }

    /// The public exit code.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Address(_)
            | Self::Plain(_)
            | Self::Open { .. }
            | Self::Profile { .. }
            | Self::Transfer { refused: true, .. } => ExitCode::Usage,
            Self::Transfer { .. } => ExitCode::Network,
            Self::Missing { .. } | Self::Damaged { .. } => ExitCode::ModelMissing,
        }
    }
}
