//! Downloads what a model needs from the Hub into the Hugging Face cache.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    Error, HubId, Progress, Settings, Stop,
    cache::RepoCache,
    client::{Checksum, Client, FileInfo},
    download::{Download, checksum, retry},
    hub::{Check, Refusal},
    local,
    select::{self, Weights},
};

/// Options of a download.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manner {
    pub(crate) patience: Duration,
    /// Whether to verify the checksums of existing files.
    pub(crate) suspicious: bool,
}

/// A finished download.
#[derive(Debug)]
pub(crate) struct Fetched {
    /// The same model, with its commit and file.
    pub(crate) id: HubId,
    /// New links and blobs.
    pub(crate) placed: Vec<PathBuf>,
}

struct Fetch<'a> {
    client: Client,
    cache: RepoCache,
    id: &'a HubId,
    commit: String,
    check: Option<Check>,
    suspicious: bool,
    pause: Duration,
    stop: &'a Stop,
    placed: Vec<PathBuf>,
}

/// Downloads a model, small files first: a snapshot that has weights is complete.
pub(crate) fn fetch(
    settings: &Settings,
    check: Option<Check>,
    id: &HubId,
    manner: Manner,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Fetched, Error> {
    let client = Client::new(settings, manner.patience)?;
    let listing = client.list(id)?;
    let weights = choose(id, &listing.names)?;
    let mut fetch = Fetch {
        client,
        cache: RepoCache::new(&settings.cache, &id.repo),
        id,
        commit: listing.commit,
        check,
        suspicious: manner.suspicious,
        pause: settings.retry_pause,
        stop: &settings.stop,
        placed: Vec::new(),
    };
    let has = |file: &&str| listing.names.iter().any(|name| name == file);
    let (present, absent): (Vec<_>, Vec<_>) = select::OPTIONAL.into_iter().partition(has);
    let file = match weights {
        Weights::Gguf(file) => {
            for part in select::gguf_parts(&file) {
                fetch.file(&part, progress)?;
            }
            Some(file)
        }
        weights => {
            fetch.folder(&weights, &present, progress)?;
            None
        }
    };
    fetch.cache.remember(id.revision(), &fetch.commit, &absent)?;
    let id = HubId { repo: id.repo.clone(), revision: Some(fetch.commit), file };
    Ok(Fetched { id, placed: fetch.placed })
}

fn choose(id: &HubId, names: &[String]) -> Result<Weights, Error> {
    match &id.file {
        Some(file) if names.contains(file) => Ok(Weights::Gguf(file.clone())),
        Some(file) => Err(Error::NoSuchFile { repo: id.repo.clone(), file: file.clone() }),
        None => select::weights(&id.repo, names),
    }
}

impl Fetch<'_> {
    fn folder(
        &mut self,
        weights: &Weights,
        optional: &[&str],
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<(), Error> {
        for file in select::REQUIRED.iter().chain(optional) {
            self.file(file, progress)?;
        }
        if let Some(check) = self.check {
            let place = self.id.repo.clone();
            let refused = |Refusal { source, hint }| Error::Refused { place, source, hint };
            check(&self.cache.snapshot(&self.commit)).map_err(refused)?;
        }
        if *weights == Weights::Single {
            return self.file(select::SINGLE, progress);
        }
        self.file(select::INDEX, progress)?;
        for shard in local::read_index(&self.cache.snapshot(&self.commit).join(select::INDEX))? {
            self.file(&shard, progress)?;
        }
        Ok(())
    }

    fn file(&mut self, file: &str, progress: &mut dyn FnMut(Progress<'_>)) -> Result<(), Error> {
        let info = retry(self.pause, || self.client.head(self.id, &self.commit, file))?;
        let etag = info.checksum.as_str();
        let _lock = self.cache.lock(etag)?;
        if self.is_whole(&self.cache.snapshot(&self.commit).join(file), &info)? {
            return Ok(());
        }
        let blob = self.cache.blob(etag);
        if !self.is_whole(&blob, &info)? {
            let incomplete = blob.with_file_name(format!("{etag}.incomplete"));
            let (client, pause, stop) = (&self.client, self.pause, self.stop);
            let download = Download { client, name: file, info: &info, incomplete: &incomplete, pause, stop };
            download.save(&blob, progress)?;
            self.placed.push(blob);
        }
        self.placed.push(self.cache.link(&self.commit, file, etag)?);
        Ok(())
    }

    fn is_whole(&self, path: &Path, info: &FileInfo) -> Result<bool, Error> {
        if fs::metadata(path).map_or(true, |found| found.len() != info.bytes) {
            return Ok(false);
        }
        let proof = |kind: &Checksum| Ok(checksum(path, kind)? == kind.as_str());
        if self.suspicious { proof(&info.checksum) } else { Ok(true) }
    }
}
