//! Checks a model on this machine: required files exist, and their sizes and headers look complete.

use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
};

use crate::{
    Error, files,
    reference::is_gguf,
    select::{self, Weights},
};

/// The index of a model with a thousand shards takes about a megabyte.
const INDEX_LIMIT: u64 = 64 << 20;
const LFS_POINTER: &[u8] = b"version https://git-lfs";

/// A model on this machine.
#[derive(Debug)]
pub(crate) struct Local {
    /// Folder or GGUF file.
    pub(crate) path: PathBuf,
    pub(crate) files: Vec<PathBuf>,
}

/// Inspects a folder or a GGUF file.
pub(crate) fn inspect(path: &Path) -> Result<Local, Error> {
    let kind = fs::metadata(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => Error::PathMissing { path: path.into() },
        _ => Error::io("read", path)(error),
    })?;
    if kind.is_dir() {
        return inspect_folder(path);
    }
    if !is_gguf(&path.to_string_lossy()) {
        let reason = "a model is a folder or a `.gguf` file; for safetensors give the folder".into();
        return Err(Error::Damaged { path: path.into(), reason });
    }
    inspect_gguf(path)
}

fn inspect_folder(folder: &Path) -> Result<Local, Error> {
    let place = folder.display().to_string();
    let weights = match select::weights(&place, &names(folder)?)? {
        Weights::Gguf(file) => return inspect_gguf(&folder.join(file)),
        Weights::Single => vec![select::SINGLE.to_owned()],
        Weights::Sharded => local_shards(folder)?,
    };
    for file in &weights {
        check_safetensors(&folder.join(file))?;
    }
    let mut files: Vec<PathBuf> = select::REQUIRED.iter().map(|file| folder.join(file)).collect();
    for file in &files {
        check_json(file)?;
    }
    files.extend(select::OPTIONAL.iter().map(|file| folder.join(file)).filter(|file| file.exists()));
    files.extend(Some(folder.join(select::INDEX)).filter(|index| index.exists()));
    files.extend(weights.into_iter().map(|file| folder.join(file)));
    Ok(Local { path: folder.into(), files })
}

fn inspect_gguf(path: &Path) -> Result<Local, Error> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let files: Vec<PathBuf> = select::gguf_parts(&name).iter().map(|part| path.with_file_name(part)).collect();
    for file in &files {
        if !file.exists() {
            let (place, file) = (path.display().to_string(), file.file_name().unwrap_or_default());
            return Err(Error::Incomplete { place, file: file.to_string_lossy().into_owned() });
        }
        let start = start_of(file)?;
        if !start.starts_with(b"GGUF") || start.len() < 24 {
            return Err(damaged(file, &start, "it is not a GGUF file"));
        }
    }
    Ok(Local { path: path.into(), files })
}

/// The shards an index names, which must all be there.
fn local_shards(folder: &Path) -> Result<Vec<String>, Error> {
    let path = folder.join(select::INDEX);
    let shards = read_index(&path)?;
    match shards.iter().find(|shard| !folder.join(shard).exists()) {
        Some(missing) => Err(Error::Incomplete { place: folder.display().to_string(), file: missing.clone() }),
        None => Ok(shards),
    }
}

/// Reads and checks a safetensors index.
pub(crate) fn read_index(path: &Path) -> Result<Vec<String>, Error> {
    let mut bytes = Vec::new();
    files::open(path)
        .and_then(|file| file.take(INDEX_LIMIT).read_to_end(&mut bytes))
        .map_err(Error::io("read", path))?;
    select::shards(&bytes).map_err(|reason| Error::Damaged { path: path.into(), reason })
}

/// The header must end within the file; an 8-byte little-endian length comes first.
fn check_safetensors(path: &Path) -> Result<(), Error> {
    let start = start_of(path)?;
    let size = fs::metadata(path).map_err(Error::io("read", path))?.len();
    let header = start.first_chunk::<8>().map(|bytes| u64::from_le_bytes(*bytes));
    match header {
        Some(header) if header.checked_add(8).is_some_and(|end| end <= size) && start.get(8) == Some(&b'{') => Ok(()),
        _ => Err(damaged(path, &start, "it is not a complete safetensors file")),
    }
}

fn check_json(path: &Path) -> Result<(), Error> {
    let start = start_of(path)?;
    let opened = start.trim_ascii_start().starts_with(b"{");
    if opened { Ok(()) } else { Err(damaged(path, &start, "it is not a JSON object")) }
}

fn damaged(path: &Path, start: &[u8], reason: &str) -> Error {
    if start.starts_with(LFS_POINTER) {
        return Error::LfsPointer { path: path.into() };
    }
    Error::Damaged { path: path.into(), reason: reason.into() }
}

fn start_of(path: &Path) -> Result<Vec<u8>, Error> {
    let mut start = Vec::new();
    files::open(path).and_then(|file| file.take(64).read_to_end(&mut start)).map_err(Error::io("read", path))?;
    Ok(start)
}

fn names(folder: &Path) -> Result<Vec<String>, Error> {
    let entries = fs::read_dir(folder).map_err(Error::io("read", folder))?;
    // A snapshot's link without its blob does not count.
    let mut names: Vec<String> = entries
        .flatten()
        .filter(|entry| entry.path().is_file())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    Ok(names)
}
