use std::{error::Error as StdError, path::Path, process::ExitCode as Status};

use graft_core::ExitCode;
use graft_engine::Error;
use serde_json::{Value, json};

use crate::output;

/// Why a command failed, as it is shown.
#[derive(Debug)]
pub(crate) struct Failure {
    /// What failed, then each cause, none twice.
    chain: Vec<String>,
    hint: Option<String>,
    code: ExitCode,
}

/// A result of a command.
pub(crate) type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    /// A command line that makes no sense, or asks for something that isn't there to be asked for.
    pub(crate) fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { chain: vec![message.into()], hint: Some(hint.into()), code: ExitCode::Usage }
    }

    /// The same with a file's own name instead of the place where it was read.
    pub(crate) fn renamed(mut self, place: &Path, name: &Path) -> Self {
        let (place, name) = (place.display().to_string(), name.display().to_string());
        self.chain.iter_mut().for_each(|said| *said = said.replace(&place, &name));
        self
    }

    /// The exit code.
    pub(crate) fn code(&self) -> ExitCode {
        self.code
    }

    /// What failed, then its causes.
    pub(crate) fn chain(&self) -> &[String] {
        &self.chain
    }

    /// What the user can do.
    pub(crate) fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// For machines.
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "message": self.chain[0],
            "causes": self.chain[1..],
            "hint": self.hint,
            "exit_code": self.code as u8,
        })
    }

    /// Says it on stderr, and to machines on stdout.
    pub(crate) fn print(&self, json: bool) -> Status {
        if json {
            output::print(&format!("{:#}", json!({"error": self.to_json()})));
        }
        self.say();
        Status::from(self.code as u8)
    }

    /// Says it on stderr.
    pub(crate) fn say(&self) {
        output::complain(&format!("error: failed to {}", self.chain[0]));
        for cause in &self.chain[1..] {
            output::complain(&format!("  caused by: {}", cause.replace('\n', "\n    ")));
        }
        if let Some(hint) = &self.hint {
            output::complain(&format!("hint: {hint}"));
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::of(&error, error.hint(), error.exit_code())
    }
}

impl From<graft_agent::Error> for Failure {
    fn from(error: graft_agent::Error) -> Self {
        Self::of(&error, error.hint(), error.exit_code())
    }
}

impl From<graft_server::Error> for Failure {
    fn from(error: graft_server::Error) -> Self {
        Self::of(&error, error.hint(), error.exit_code())
    }
}

impl Failure {
    /// An error with its causes, none said twice.
    fn of(error: &dyn StdError, hint: Option<String>, code: ExitCode) -> Self {
        let mut chain = vec![error.to_string()];
        let mut source = error.source();
        while let Some(cause) = source {
            let text = cause.to_string();
            if !chain.iter().any(|said| said.contains(&text)) {
                chain.push(text);
            }
            source = cause.source();
        }
        Self { chain, hint, code }
    }
}

macro_rules! through_the_engine {
    ($($error:ty),*) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Error::from(error).into()
            }
        })*
    };
}

through_the_engine!(
    graft_core::Error,
    graft_formats::Error,
    graft_hub::Error,
    graft_nn::Error,
    graft_engine::records::Error,
    graft_tasks::Error,
    graft_train::Error
);
