//! The digest that identifies a model: SHA-256 over everything that determines what it computes.

use std::{
    collections::BTreeMap,
    fs::{self, File, Metadata},
    io::{self, Read as _},
    path::{Path, PathBuf},
    time::SystemTime,
};

use graft_core::Digest;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{Error, atomic, gguf, hf, json};

/// A file that changed more recently than this may change again without a new timestamp.
const SETTLED_NS: i64 = 2_000_000_000;

/// Caches the digests of unchanged files, so that gigabytes need not be read at every start.
#[derive(Clone, Debug)]
pub struct DigestCache(Option<PathBuf>);

impl DigestCache {
    /// Stores the digests in this file, which need not exist. If it can't be read or written, digests are computed
    /// again.
    #[must_use]
    pub fn open(path: &Path) -> Self {
        Self(Some(path.to_owned()))
    }

    /// A cache that stores nothing.
    #[must_use]
    pub fn none() -> Self {
        Self(None)
    }

    fn load(&self) -> BTreeMap<PathBuf, Remembered> {
        let bytes = self.0.as_deref().and_then(|path| json::read_small(path).ok());
        bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
    }

    fn save(&self, entries: &BTreeMap<PathBuf, Remembered>) {
        if let (Some(path), Ok(text)) = (&self.0, serde_json::to_vec_pretty(entries)) {
            // If the cache can't be written, digests are computed again.
            let _: Result<(), Error> = atomic::file(path, |out| Ok(out.write_all(&text)));
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Remembered {
    #[serde(flatten)]
    state: FileState,
    digest: Digest,
}

/// State of a file that changes whenever its content may have changed.
#[derive(PartialEq, Serialize, Deserialize)]
struct FileState {
    size: u64,
    modified_ns: i64,
    inode: u64,
    changed_ns: i64,
}

impl FileState {
    fn of(about: &Metadata) -> io::Result<Self> {
        #[cfg(unix)]
        let (inode, changed_ns) = {
            use std::os::unix::fs::MetadataExt as _;
            (about.ino(), about.ctime().saturating_mul(1_000_000_000).saturating_add(about.ctime_nsec()))
        };
        #[cfg(not(unix))]
        let (inode, changed_ns) = (0, 0);
        Ok(Self { size: about.len(), modified_ns: nanoseconds(about.modified()?), inode, changed_ns })
    }

    /// Whether the last change is old enough that any later change has a different timestamp.
    fn is_settled(&self) -> bool {
        let latest = self.modified_ns.max(self.changed_ns);
        latest < nanoseconds(SystemTime::now()).saturating_sub(SETTLED_NS)
    }
}

/// Nanoseconds since 1970.
fn nanoseconds(time: SystemTime) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

/// The digest of a model's folder or GGUF file: weights, config, tokenizer and chat template, but not its path.
///
/// # Errors
/// If a file is missing or can't be read.
pub fn digest_of(path: &Path, cache: &DigestCache) -> Result<Digest, Error> {
    let failed = |source| Error::Read { path: path.to_owned(), source };
    let files = if fs::metadata(path).map_err(failed)?.is_dir() { parts(path)? } else { gguf::part_paths(path) };
    let mut entries = cache.load();
    let mut changed = false;
    let mut listing = Vec::new();
    for file in &files {
        let digest = file_digest(file, &mut entries, &mut changed)?;
        let name =
            if files.len() == 1 { "gguf".into() } else { file.file_name().unwrap_or_default().to_string_lossy() };
        listing.push(format!("{name} {digest}"));
    }
    if changed {
        cache.save(&entries);
    }
    Ok(Digest::of_parts(listing.iter().map(String::as_bytes)))
}

/// The files of a folder that determine what its model computes, in a fixed order.
fn parts(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut files = vec![folder.join(hf::CONFIG), folder.join(hf::TOKENIZER)];
    files.extend(hf::OPTIONAL.iter().map(|name| folder.join(name)).filter(|path| path.exists()));
    files.extend(hf::weight_files(folder)?);
    Ok(files)
}

fn file_digest(path: &Path, entries: &mut BTreeMap<PathBuf, Remembered>, changed: &mut bool) -> Result<Digest, Error> {
    let failed = |source| Error::Read { path: path.to_owned(), source };
    let key = fs::canonicalize(path).map_err(failed)?;
    let mut file = json::open_regular(&key).map_err(failed)?;
    let before = FileState::of(&file.metadata().map_err(failed)?).map_err(failed)?;
    if let Some(known) = entries.get(&key).filter(|known| known.state == before) {
        return Ok(known.digest.clone());
    }
    let digest = hash(&mut file).map_err(failed)?;
    let after = FileState::of(&file.metadata().map_err(failed)?).map_err(failed)?;
    if before == after && after.is_settled() {
        entries.insert(key, Remembered { state: after, digest: digest.clone() });
        *changed = true;
    }
    Ok(digest)
}

fn hash(file: &mut File) -> io::Result<Digest> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(Digest::from_bytes(&hash.finalize())),
            n => hash.update(&buffer[..n]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cached_digest_of_an_unchanged_file_is_used() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.gguf");
        fs::write(&path, "weights").unwrap();
        let cache = DigestCache::open(&folder.path().join("cache.json"));
        assert_ne!(digest_of(&path, &cache).unwrap(), Digest::of(b""));
        assert!(cache.load().is_empty(), "a file this fresh may still change unseen");

        // A wrong cached digest shows that it is the one returned.
        let (key, remembered) = (fs::canonicalize(&path).unwrap(), Digest::of(b"remembered"));
        let state = FileState::of(&fs::metadata(&path).unwrap()).unwrap();
        cache.save(&BTreeMap::from([(key, Remembered { state, digest: remembered.clone() })]));
        let expected = Digest::of_parts([format!("gguf {remembered}").as_bytes()]);
        assert_eq!(digest_of(&path, &cache).unwrap(), expected);

        fs::write(&path, "other weights").unwrap();
        assert_ne!(digest_of(&path, &cache).unwrap(), expected);
    }
}
