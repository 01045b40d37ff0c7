use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use crate::{BuiltIn, Error, Origin};

/// The value of `--base`, parsed without access to the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    /// A built-in name; `name@hub` and `name@pypi` require a source.
    BuiltIn {
        /// Which model.
        model: BuiltIn,
        /// The only source allowed, if one is.
        origin: Option<Origin>,
    },
    /// A single word: the name of a model registered with [`crate::Hub::add`].
    Added(String),
    /// `org/name`, `org/name@revision`, `org/name:file.gguf` or `org/name@revision:file.gguf`.
    Hub(HubId),
    /// Starts with `/`, `./` or `../`, ends with `.gguf`, or has more than two parts.
    Path(PathBuf),
}

/// A model on the Hugging Face Hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubId {
    /// `org/name`.
    pub repo: String,
    /// Branch, tag or commit; `main` if none.
    pub revision: Option<String>,
    /// The one GGUF file wanted, as a path within the repository.
    pub file: Option<String>,
}

impl Reference {
    /// The same reference with a required source (`--source`).
    ///
    /// # Errors
    /// Only built-in names have a choice of sources.
    pub fn with_origin(self, origin: Origin) -> Result<Self, Error> {
        match self {
            Self::BuiltIn { model, .. } => Ok(Self::BuiltIn { model, origin: Some(origin) }),
            other => Err(bad(&other.to_string(), "only built-in names have a choice of sources")),
        }
    }
}

impl HubId {
    /// The revision to request.
    #[must_use]
    pub fn revision(&self) -> &str {
        self.revision.as_deref().unwrap_or("main")
    }
}

impl FromStr for Reference {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if text.is_empty() || text.chars().any(char::is_control) {
            return Err(bad(text, "it is empty or has control characters"));
        }
        if is_path(text) {
            return Ok(Self::Path(text.into()));
        }
        if text.contains('/') {
            return HubId::from_str(text).map(Self::Hub);
        }
        let (name, origin) = match text.split_once('@') {
            Some((name, origin)) => (name, Some(origin.parse()?)),
            None => (text, None),
        };
        match BuiltIn::ALL.into_iter().find(|model| model.name() == name) {
            Some(model) => Ok(Self::BuiltIn { model, origin }),
            None if origin.is_some() => Err(bad(text, "only built-in names have a choice of sources")),
            None if is_name(name) => Ok(Self::Added(name.into())),
            None => Err(bad(text, "a name is letters, digits, `.`, `_` and `-`")),
        }
    }
}

impl FromStr for HubId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let (head, file) = match text.split_once(':') {
            Some((head, file)) => (head, Some(file)),
            None => (text, None),
        };
        let (repo, revision) = match head.split_once('@') {
            Some((repo, revision)) => (repo, Some(revision)),
            None => (head, None),
        };
        if !is_repo(repo) {
            return Err(bad(text, "a Hub id is `org/name`, of letters, digits, `.`, `_` and `-`"));
        }
        if !revision.is_none_or(is_revision) {
            return Err(bad(text, "the revision after `@` is not a branch, tag or commit"));
        }
        if !file.is_none_or(|file| is_gguf(file) && is_inside(file)) {
            return Err(bad(text, "the file after `:` must be a `.gguf` file of the repository"));
        }
        Ok(Self { repo: repo.into(), revision: revision.map(Into::into), file: file.map(Into::into) })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn { model, origin: None } => f.write_str(model.name()),
            Self::BuiltIn { model, origin: Some(origin) } => write!(f, "{}@{origin}", model.name()),
            Self::Added(name) => f.write_str(name),
            Self::Hub(id) => id.fmt(f),
            Self::Path(path) => path.display().fmt(f),
        }
    }
}

impl fmt::Display for HubId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.repo)?;
        if let Some(revision) = &self.revision {
            write!(f, "@{revision}")?;
        }
        if let Some(file) = &self.file {
            write!(f, ":{file}")?;
        }
        Ok(())
    }
}

fn bad(text: &str, reason: &'static str) -> Error {
    Error::BadReference { text: text.into(), reason }
}

fn is_path(text: &str) -> bool {
    let marked = text == "." || text == ".." || text.starts_with("./") || text.starts_with("../");
    let plain = !text.contains(['@', ':']);
    marked || Path::new(text).is_absolute() || plain && (is_gguf(text) || text.split('/').count() > 2)
}

/// Whether a text is a valid name of a registered model: a word that is safe as part of a file name.
pub(crate) fn is_name(text: &str) -> bool {
    text.len() <= 96 && text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.chars().all(is_word)
}

/// The Hub's own rule (huggingface_hub's `validate_repo_id`), without the old one-part ids.
fn is_repo(text: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty() && !part.starts_with(['-', '.']) && !part.ends_with(['-', '.']) && part.chars().all(is_word)
    };
    let parts: Vec<&str> = text.split('/').collect();
    let tidy = !text.contains("--") && !text.contains("..") && !text.ends_with(".git");
    text.len() <= 96 && parts.len() == 2 && parts.into_iter().all(part) && tidy
}

/// What both git's `check-ref-format` and a file name under `refs/` allow.
fn is_revision(text: &str) -> bool {
    let odd = |c: char| c.is_whitespace() || c.is_control() || "~^:?*[\\@%#".contains(c);
    text.len() <= 200 && !text.starts_with('-') && !text.contains(odd) && is_inside(text)
}

/// Whether a path with `/` stays within its folder and has no empty, `.` or `..` part.
pub(crate) fn is_inside(text: &str) -> bool {
    !text.contains('\\') && text.split('/').all(|part| !part.is_empty() && part != "." && part != "..")
}

pub(crate) fn is_gguf(name: &str) -> bool {
    name.len() > 5 && name.get(name.len() - 5..).is_some_and(|end| end.eq_ignore_ascii_case(".gguf"))
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hub(repo: &str, revision: Option<&str>, file: Option<&str>) -> Reference {
        Reference::Hub(HubId { repo: repo.into(), revision: revision.map(Into::into), file: file.map(Into::into) })
    }

    #[test]
    fn forms_of_references_are_distinguished() {
        let smollm = |origin| Reference::BuiltIn { model: BuiltIn::SmolLm2_135m, origin };
        let cases = [
            ("smollm2-135m", smollm(None)),
            ("smollm2-135m@pypi", smollm(Some(Origin::Pypi))),
            ("mine", Reference::Added("mine".into())),
            ("google/flan-t5-small", hub("google/flan-t5-small", None, None)),
            ("a/b@refs/pr/1", hub("a/b", Some("refs/pr/1"), None)),
            ("a/b:sub/m.Q4_1.gguf", hub("a/b", None, Some("sub/m.Q4_1.gguf"))),
            ("a/b@v1.0:m.GGUF", hub("a/b", Some("v1.0"), Some("m.GGUF"))),
            ("./a/b", Reference::Path("./a/b".into())),
            ("models/x.gguf", Reference::Path("models/x.gguf".into())),
            ("x.gguf", Reference::Path("x.gguf".into())),
            ("a/b/c", Reference::Path("a/b/c".into())),
            ("/srv/model@2:x", Reference::Path("/srv/model@2:x".into())),
        ];
        for (text, want) in cases {
            assert_eq!(text.parse::<Reference>().unwrap(), want, "{text}");
            assert_eq!(want.to_string(), text);
        }
    }

    #[test]
    fn references_that_leave_the_cache_or_url_are_refused() {
        for text in [
            "",
            "a/",
            "/../x\n",
            "a/b@",
            "a/b@../../x",
            "a/b@-x",
            "a/b:",
            "a/b:../x.gguf",
            "a/b:x.bin",
            "a/b:/x.gguf",
            "../",
            "a--b/c",
            "a/..",
            ".a/b",
            "a/b.git",
            "~/x",
            "mine@pypi",
            "smollm2-135m@ftp",
            "a b",
            "a/b@x?y",
        ] {
            let path = matches!(text.parse::<Reference>(), Ok(Reference::Path(_)));
            assert!(text.parse::<Reference>().is_err() || path && text.starts_with(".."), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_refused_or_survives_a_round_trip(text in "[a-z/@:._~-]{0,12}(\\.gguf)?|\\PC{0,20}") {
            if let Ok(reference) = text.parse::<Reference>() {
                prop_assert_eq!(reference.to_string(), text);
            }
        }

        #[test]
        fn hub_ids_survive_a_round_trip(
            repo in "[A-Za-z0-9]{1,8}/[A-Za-z0-9][A-Za-z0-9_]{0,12}",
            revision in proptest::option::of("[a-z0-9][a-z0-9._]{0,6}(/[a-z0-9]{1,5}){0,2}x"),
            file in proptest::option::of("([a-z]{1,5}/)?[A-Za-z0-9_-]{1,9}\\.gguf"),
        ) {
            let reference = Reference::Hub(HubId { repo, revision, file });
            prop_assert_eq!(reference.to_string().parse::<Reference>().unwrap(), reference);
        }
    }
}
