//! The Hugging Face cache in the layout of Python's `huggingface_hub`, so that both can use each other's files:
//! `models--org--name/{refs/REVISION, blobs/ETAG, snapshots/COMMIT/FILE, .no_exist/COMMIT/FILE}` and `.locks/`.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    path::{Path, PathBuf},
};

use crate::{Error, HubId, files};

/// The cache folder of one repository.
#[derive(Debug)]
pub(crate) struct RepoCache {
    root: PathBuf,
    locks: PathBuf,
}

impl RepoCache {
    pub(crate) fn new(cache: &Path, repo: &str) -> Self {
        let folder = format!("models--{}", repo.replace('/', "--"));
        Self { root: cache.join(&folder), locks: cache.join(".locks").join(folder) }
    }

    /// The snapshot folders of all repositories.
    pub(crate) fn snapshots(cache: &Path) -> Vec<PathBuf> {
        let inside = |folder: PathBuf| fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
        let repositories = inside(cache.to_owned()).map(|repository| repository.join("snapshots"));
        repositories.flat_map(inside).filter(|snapshot| snapshot.is_dir()).collect()
    }

    /// The commit that a revision referred to at the last request.
    pub(crate) fn commit(&self, id: &HubId) -> Option<String> {
        if is_commit(id.revision()) {
            return Some(id.revision().into());
        }
        let text = fs::read_to_string(self.reference(id.revision())).ok()?;
        Some(text.trim().to_owned()).filter(|commit| is_commit(commit))
    }

    pub(crate) fn reference(&self, revision: &str) -> PathBuf {
        self.root.join("refs").join(revision)
    }

    /// Folder with the files of one commit, as links to blobs.
    pub(crate) fn snapshot(&self, commit: &str) -> PathBuf {
        self.root.join("snapshots").join(commit)
    }

    pub(crate) fn blob(&self, etag: &str) -> PathBuf {
        self.root.join("blobs").join(etag)
    }

    /// Marks that a commit is known not to have a file.
    pub(crate) fn absence(&self, commit: &str, file: &str) -> PathBuf {
        self.root.join(".no_exist").join(commit).join(file)
    }

    pub(crate) fn lock(&self, etag: &str) -> Result<File, Error> {
        files::lock(&self.locks.join(format!("{etag}.lock")))
    }

    /// Links a blob into a snapshot, replacing an existing entry; returns the link.
    pub(crate) fn link(&self, commit: &str, file: &str, etag: &str) -> Result<PathBuf, Error> {
        let link = self.snapshot(commit).join(file);
        files::make_parent(&link)?;
        files::delete(&link)?;
        point(&self.blob(etag), &link, file.split('/').count() + 1).map_err(Error::io("create", &link))?;
        Ok(link)
    }

    /// Stores the commit of a revision and which optional files it lacks.
    pub(crate) fn remember(&self, revision: &str, commit: &str, absent: &[&str]) -> Result<(), Error> {
        for file in absent {
            let mark = self.absence(commit, file);
            files::make_parent(&mark)?;
            fs::write(&mark, []).map_err(Error::io("write", &mark))?;
        }
        if is_commit(revision) { Ok(()) } else { files::write(&self.reference(revision), commit.as_bytes()) }
    }

    /// Removes the marks and references of a snapshot whose last file was deleted.
    pub(crate) fn forget(&self, commit: &str) {
        if self.snapshot(commit).exists() {
            return;
        }
        let _ = fs::remove_dir_all(self.root.join(".no_exist").join(commit));
        for reference in walk(&self.root.join("refs")) {
            if fs::read_to_string(&reference).is_ok_and(|text| text.trim() == commit)
                && fs::remove_file(&reference).is_ok()
            {
                files::prune(&reference, &self.root);
            }
        }
        for folder in ["refs", ".no_exist", "blobs", "snapshots", ""] {
            let _ = fs::remove_dir(self.root.join(folder)); // fails, as intended, if the folder is not empty
        }
    }

    /// The blobs that snapshots still use.
    pub(crate) fn used_blobs(&self) -> BTreeSet<PathBuf> {
        walk(&self.root.join("snapshots")).iter().filter_map(|file| file.canonicalize().ok()).collect()
    }
}

/// All files below a folder; folders that can't be read count as empty.
fn walk(folder: &Path) -> Vec<PathBuf> {
    let mut folders = vec![folder.to_path_buf()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if is_folder { &mut folders } else { &mut files }.push(entry.path());
        }
    }
    files
}

#[cfg(unix)]
fn point(blob: &Path, link: &Path, up: usize) -> std::io::Result<()> {
    let mut target: PathBuf = std::iter::repeat_n("..", up).collect();
    target.push("blobs");
    target.push(blob.file_name().unwrap_or_default());
    std::os::unix::fs::symlink(target, link)
}

#[cfg(not(unix))]
fn point(blob: &Path, link: &Path, _up: usize) -> std::io::Result<()> {
    fs::hard_link(blob, link)
}

/// Whether a text is a whole git commit id.
pub(crate) fn is_commit(text: &str) -> bool {
    text.len() == 40 && is_hex(text)
}

pub(crate) fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}
