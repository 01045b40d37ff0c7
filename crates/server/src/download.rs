//! Downloads of files within a folder; links are not followed.

use std::{
    fs::File,
    io::{self, Read as _},
    path::{Component, Path, PathBuf},
    sync::Arc,
};

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use graft_engine::Bundle;
use sha2::{Digest as _, Sha256};
use tokio::io::AsyncReadExt as _;

use crate::{
    problem::{Kind, Problem},
    routes::run_types::Artifact,
};

/// Files up to this size are listed with their digest.
const DIGESTED: u64 = 8 << 20;
/// Files listed of a folder, at most.
const MOST: usize = 2000;
/// Bytes sent at once.
const PART: usize = 64 << 10;

/// The regular files of a folder, by path.
pub(crate) async fn list(folder: &Path) -> Result<Vec<Artifact>, Problem> {
    let folder = folder.to_owned();
    let list = move || {
        let mut found = Vec::new();
        walk(&folder, Path::new(""), &mut found)?;
        found.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(found)
    };
    let listed = tokio::task::spawn_blocking(list).await;
    listed.map_err(|_| Problem::new(Kind::Internal, "the files can't be listed"))?.map_err(|error| gone(&error))
}

fn walk(root: &Path, inside: &Path, found: &mut Vec<Artifact>) -> io::Result<()> {
    let entries = match std::fs::read_dir(root.join(inside)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let (kind, path) = (entry.file_type()?, inside.join(entry.file_name()));
        if kind.is_dir() {
            walk(root, &path, found)?;
        } else if kind.is_file() && found.len() < MOST {
            let size = entry.metadata()?.len();
            let digest = if size <= DIGESTED { sha256(&entry.path()).ok() } else { None };
            found.push(Artifact { path: path.to_string_lossy().into_owned(), size, digest });
        }
    }
    Ok(())
}

fn sha256(path: &Path) -> io::Result<String> {
    let mut hash = Sha256::new();
    let mut file = File::open(path)?.take(DIGESTED + 1);
    let mut part = vec![0; PART];
    loop {
        match file.read(&mut part)? {
            0 => return Ok(graft_core::Digest::from_bytes(&hash.finalize()).to_string()),
            n => hash.update(&part[..n]),
        }
    }
}

/// One file of a folder, streamed.
pub(crate) async fn file(folder: &Path, path: &str) -> Result<Response, Problem> {
    let (folder, inside) = (folder.to_owned(), plain(path)?);
    let opened = tokio::task::spawn_blocking(move || open_beneath(&folder, &inside)).await;
    let file = opened.map_err(|_| Problem::new(Kind::Internal, "the file can't be opened"))?;
    let file = file.map_err(|error| gone(&error))?;
    let mut response = stream_file(file)?.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    // Nothing that a trainer wrote is shown as a page.
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment"));
    Ok(response)
}

/// A path of plain names, none of them `..`, absolute or empty.
fn plain(path: &str) -> Result<PathBuf, Problem> {
    let inside = Path::new(path);
    let all_plain = inside.components().all(|part| matches!(part, Component::Normal(_)));
    if !all_plain || path.is_empty() || path.contains(['\0', '\\']) {
        return Err(Problem::new(Kind::NotFound, "there is no such file"));
    }
    Ok(inside.to_owned())
}

/// Opens a regular file beneath a folder, one directory handle after the other, following no link.
#[cfg(unix)]
fn open_beneath(folder: &Path, inside: &Path) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags, openat};
    let mut at = rustix::fs::open(folder, OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::RDONLY, Mode::empty())?;
    let mut names = inside.components().peekable();
    while let Some(name) = names.next() {
        let kind = if names.peek().is_some() { OFlags::DIRECTORY } else { OFlags::NONBLOCK };
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | kind;
        at = openat(&at, name.as_os_str(), flags, Mode::empty())?;
    }
    regular(File::from(at))
}

#[cfg(not(unix))]
fn open_beneath(folder: &Path, inside: &Path) -> io::Result<File> {
    let (root, path) = (folder.canonicalize()?, folder.join(inside).canonicalize()?);
    if !path.starts_with(&root) {
        return Err(io::ErrorKind::NotFound.into());
    }
    regular(File::open(path)?)
}

fn regular(file: File) -> io::Result<File> {
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::ErrorKind::NotFound.into()) }
}

/// A version's bundle, unless the client has it already. Its `ETag` is its SHA-256.
pub(crate) fn bundle(headers: &HeaderMap, bundle: &Bundle) -> Response {
    let tag = format!("\"{}\"", bundle.digest);
    let known = headers.get(header::IF_NONE_MATCH).and_then(|known| known.to_str().ok()).unwrap_or_default();
    let is_known = known.split(',').any(|one| one.trim() == tag || one.trim() == "*");
    let described = [(header::ETAG, tag), (header::CONTENT_TYPE, "application/zip".to_owned())];
    if is_known {
        return (StatusCode::NOT_MODIFIED, described).into_response();
    }
    (described, Body::from(Bytes::from_owner(Arc::clone(&bundle.bytes)))).into_response()
}

/// A file as a body, a part at a time.
fn stream_file(file: File) -> Result<Response, Problem> {
    let size = file.metadata().map_err(|error| gone(&error))?.len();
    let file = tokio::fs::File::from_std(file);
    let parts = stream::unfold(Some(file), |file| async move {
        let mut file = file?;
        let mut part = vec![0; PART];
        match file.read(&mut part).await {
            Ok(0) => None,
            Ok(n) => {
                part.truncate(n);
                Some((Ok(Bytes::from(part)), Some(file)))
            }
            Err(error) => Some((Err(error), None)),
        }
    });
    let mut response = Body::from_stream(parts).into_response();
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(size));
    Ok(response)
}

fn gone(error: &io::Error) -> Problem {
    tracing::debug!(%error, "a file can't be opened");
    Problem::new(Kind::NotFound, "there is no such file")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_bundle_is_sent_without_a_copy() {
        let bytes: Arc<[u8]> = vec![7; 1000].into();
        let (digest, version) = (graft_core::Digest::of(&bytes), "v1".to_owned());
        let response = bundle(&HeaderMap::new(), &Bundle { version, digest, bytes: Arc::clone(&bytes) });
        let sent = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        assert_eq!((sent.as_ptr(), sent.len()), (bytes.as_ptr(), bytes.len()));
    }
}
