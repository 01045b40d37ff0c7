use graft_core::ExitCode;

/// What can go wrong with a provider of machines.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No variable holds a key of any provider.
    #[error("find rented machines: none of {variables} is set")]
    NoKeys {
        /// Variables that may hold a key.
        variables: String,
    },
    /// No variable holds a key.
    #[error("rent a machine of {provider}: {variables} is not set")]
    NoKey {
        /// The provider.
        provider: &'static str,
        /// Variables that may hold a key.
        variables: String,
        /// Where keys are made.
        page: &'static str,
    },
    /// What is given as a key can't be one, or the provider refuses it.
    #[error("rent a machine of {provider}: the API key is refused")]
    BadKey {
        /// The provider.
        provider: &'static str,
        /// Where keys are made.
        page: &'static str,
    },
    /// No allowed type is available in an allowed region.
    #[error("rent a machine of {provider}: {what} is available now{}", answer(said.as_deref()))]
    NoCapacity {
        /// The provider.
        provider: &'static str,
        /// What was looked for.
        what: String,
        /// What the provider said, where it may have another reason.
        said: Option<String>,
    },
    /// The provider refuses a request for a reason of its own; nothing was done.
    #[error("{doing} at {provider}: {said}")]
    Refused {
        /// The provider.
        provider: &'static str,
        /// What was asked for.
        doing: &'static str,
        /// What it said.
        said: String,
    },
    /// Too many requests were sent; nothing was done.
    #[error("{doing} at {provider}: too many requests per minute")]
    TooMany {
        /// The provider.
        provider: &'static str,
        /// What was asked for.
        doing: &'static str,
    },
    /// There was no answer, none that can be understood, or the server failed. It may have done what it was asked for.
    #[error("{doing} at {provider}: {said}")]
    NoAnswer {
        /// The provider.
        provider: &'static str,
        /// What was asked for.
        doing: &'static str,
        /// What went wrong.
        said: String,
    },
    /// It would cost more than is allowed.
    #[error("stay within the limits of rented machines: {0}")]
    Limit(String),
    /// A machine didn't become usable in time.
    #[error("use the rented machine `{name}`: {what}")]
    NotReady {
        /// Its name.
        name: String,
        /// What it didn't do.
        what: String,
    },
    /// A setting that can't be used.
    #[error("use `{value}` for {variable}")]
    BadSetting {
        /// The variable.
        variable: &'static str,
        /// What was given.
        value: String,
        /// What is accepted.
        hint: &'static str,
    },
}

fn answer(said: Option<&str>) -> String {
    said.map(|said| format!(" (its response: {said})")).unwrap_or_default()
}

impl Error {
    /// Whether the provider may have done what it was asked for all the same.
    #[must_use]
    pub fn is_in_doubt(&self) -> bool {
        matches!(self, Self::NoAnswer { .. })
    }

    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoKeys { .. } => "set the keys of the providers at which machines were rented".into(),
            Self::NoKey { page, variables, .. } => {
                format!("make a key at {page} and set {variables}; the key stays on this machine")
            }
            Self::BadKey { page, .. } => format!("make a new key at {page}"),
            Self::NoCapacity { .. } => {
                "allow more types with GRAFT_RENT_TYPES or more regions with GRAFT_RENT_REGIONS, or try again later"
                    .into()
            }
            Self::NoAnswer { .. } | Self::TooMany { .. } | Self::NotReady { .. } => {
                "try again in a minute; `graft machines list` shows what is rented".into()
            }
            Self::Limit(_) => {
                "raise GRAFT_RENT_RUN_LIMIT, GRAFT_RENT_MONTH_LIMIT or GRAFT_RENT_MINUTES, or allow a cheaper type"
                    .into()
            }
            Self::BadSetting { hint, .. } => (*hint).to_owned(),
            Self::Refused { .. } => return None,
        })
    }

    /// The public exit code.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::NoKeys { .. }
            | Self::NoKey { .. }
            | Self::BadKey { .. }
            | Self::Limit(_)
            | Self::BadSetting { .. } => ExitCode::Usage,
            Self::NoCapacity { .. }
            | Self::Refused { .. }
            | Self::TooMany { .. }
            | Self::NoAnswer { .. }
            | Self::NotReady { .. } => ExitCode::Network,
        }
    }
}
