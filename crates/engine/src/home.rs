use std::{
    env, fs,
    path::{Path, PathBuf},
};

use graft_formats::DigestCache;
use graft_hub::{Hub, Refusal, Settings};
use graft_store::Run;
use graft_tasks::pounds::Tables;
use graft_train::RunDir;

use crate::{Error, Result};

/// The name of the file of weights, food classes and places, and of the setting that notes its changes.
pub(crate) const TABLES: &str = "tables.toml";

/// `GRAFT_HOME`: the folder of all state.
#[derive(Clone, Debug)]
pub struct Home(PathBuf);

impl Home {
    /// `GRAFT_HOME`, or the platform's folder for an application's data. Nothing is made yet.
    ///
    /// # Errors
    /// [`Error::NoHome`] where neither can be told.
    pub fn locate() -> Result<Self> {
        let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let platform = || {
            let home = env::home_dir();
            if cfg!(target_os = "macos") {
                home.map(|home| home.join("Library/Application Support/graft"))
            } else if cfg!(windows) {
                set("LOCALAPPDATA").map(|data| data.join("graft"))
            } else {
                let data = set("XDG_DATA_HOME").or_else(|| home.map(|home| home.join(".local/share")));
                data.map(|data| data.join("graft"))
            }
        };
        let home = set("GRAFT_HOME").or_else(platform).ok_or(Error::NoHome)?;
        let failed = |source| Error::Io { doing: "find", path: home.clone(), source };
        Ok(Self(std::path::absolute(&home).map_err(failed)?))
    }

    /// This folder. Nothing is made yet.
    ///
    /// # Errors
    /// The current folder can't be told, for a relative path.
    pub fn at(path: &Path) -> Result<Self> {
        let failed = |source| Error::Io { doing: "find", path: path.to_owned(), source };
        Ok(Self(std::path::absolute(path).map_err(failed)?))
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// `runs/<id>`.
    #[must_use]
    pub fn run(&self, id: &str) -> PathBuf {
        self.0.join("runs").join(id)
    }

    /// The directory of a run, which is in this folder unless a person named another.
    #[must_use]
    pub fn run_dir(&self, run: &Run) -> RunDir {
        RunDir::new(self.resolve(&run.dir))
    }

    /// A stored path, which is relative to this folder or absolute.
    #[must_use]
    pub fn resolve(&self, stored: &str) -> PathBuf {
        self.0.join(stored)
    }

    /// Digests of model files, so that they aren't read again at every start.
    #[must_use]
    pub fn digests(&self) -> DigestCache {
        if self.0.is_dir() { DigestCache::open(&self.0.join("digests.json")) } else { DigestCache::none() }
    }

    /// What models computed of instructions; it may be deleted at any time.
    pub(crate) fn prompts(&self) -> PathBuf {
        self.0.join("cache/prompts")
    }

    /// Base models on this machine and on the Hub.
    ///
    /// # Errors
    /// An environment variable of the Hub that can't be used.
    pub fn hub(&self) -> Result<Hub> {
        let check = |folder: &Path| {
            let refused = |error: graft_formats::Error| Refusal { hint: error.hint(), source: Box::new(error) };
            graft_formats::check_config(folder).map_err(refused)
        };
        Ok(Hub::new(Settings::from_env(&self.0)?).checking(check))
    }

    /// Weights, food classes and places that people edit: `tables.toml` in this folder over the built-in ones.
    ///
    /// # Errors
    /// The file is not in the form of the built-in tables.
    pub fn tables(&self) -> Result<Tables> {
        let path = self.tables_file();
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Tables::from_toml(&text)?),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Tables::builtin()),
            Err(source) => Err(Error::Io { doing: "read", path, source }),
        }
    }

    /// The file of the tables, which is there if people changed some.
    pub(crate) fn tables_file(&self) -> PathBuf {
        self.0.join(TABLES)
    }

    /// Names this machine and this folder: processes of one place see each other's locks.
    pub(crate) fn place(&self) -> String {
        let path = self.0.canonicalize().unwrap_or_else(|_| self.0.clone());
        let digest = graft_core::Digest::of(path.to_string_lossy().as_bytes());
        format!("{}:{}", host(), digest.short())
    }
}

/// Where state is stored besides a home, and the limits for rented machines.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// A path or a Postgres URL; `graft.db` in the home without one.
    pub database: Option<String>,
    /// A bucket or folder (`s3://bucket/prefix`), where adapters are published so that other machines find them.
    pub artifacts: Option<String>,
    /// What may be rented, by the names of variables: those of [`RENTAL_SETTINGS`](crate::RENTAL_SETTINGS).
    pub rentals: Vec<(&'static str, String)>,
}

impl Places {
    /// `GRAFT_DATABASE`, `GRAFT_ARTIFACTS` and those of [`RENTAL_SETTINGS`](crate::RENTAL_SETTINGS).
    #[must_use]
    pub fn from_env() -> Self {
        let given = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
        let rentals = crate::RENTAL_SETTINGS.iter().filter_map(|(name, _)| Some((*name, given(name)?))).collect();
        Self { database: given("GRAFT_DATABASE"), artifacts: given("GRAFT_ARTIFACTS"), rentals }
    }
}

/// The name of this machine.
#[cfg(unix)]
#[must_use]
pub fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// The name of this machine.
#[cfg(not(unix))]
#[must_use]
pub fn host() -> String {
    env::var("COMPUTERNAME").unwrap_or_else(|_| "localhost".to_owned())
}
