use std::{
    fs::{self, File},
    io::Read,
    path::{Component, Path, PathBuf},
};

use zip::ZipArchive;

use crate::{Error, import::cannot_read};

/// How much an export may unpack to, in bytes.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    /// One file.
    pub(super) file: u64,
    /// All files.
    pub(super) total: u64,
}

pub(super) const LIMITS: Limits = Limits { file: 64 << 20, total: 1 << 30 };

/// Most files and folders of an export.
const MAX_ENTRIES: usize = 200_000;

/// The two forms of a Slack export.
pub(super) enum Export {
    /// One file a channel and day.
    Days(Days),
    /// A spreadsheet.
    Sheet,
}

/// The files of an export that matter.
pub(super) struct Days {
    root: PathBuf,
    archive: Option<ZipArchive<File>>,
    /// Paths within the export, and the index in the archive.
    days: Vec<(PathBuf, usize)>,
    users: Option<(PathBuf, usize)>,
    /// What may still be unpacked.
    limits: Limits,
    /// Links in a folder; they could point anywhere and are never followed.
    pub(super) skipped_links: Vec<String>,
}

/// Lists an export without reading its messages.
pub(super) fn open(path: &Path, limits: Limits) -> Result<Export, Error> {
    let meta = fs::metadata(path).map_err(|source| cannot_read(path, source))?;
    let mut days =
        Days { root: path.into(), archive: None, days: Vec::new(), users: None, limits, skipped_links: Vec::new() };
    if meta.is_dir() {
        days.list_folder(path, 0)?;
    } else if starts_as(path, b"[") {
        days.take_day(path);
    } else {
        let mut archive = open_zip(path)?;
        if archive.index_for_name("xl/workbook.xml").is_some() {
            return Ok(Export::Sheet);
        }
        days.list_archive(&mut archive)?;
        days.archive = Some(archive);
    }
    if days.days.is_empty() {
        return Err(Error::NotAnExport(path.into()));
    }
    days.days.sort();
    Ok(Export::Days(days))
}

/// Opens a zip file; one that is no zip is no export.
pub(super) fn open_zip(path: &Path) -> Result<ZipArchive<File>, Error> {
    let file = File::open(path).map_err(|source| cannot_read(path, source))?;
    let archive = ZipArchive::new(file).map_err(|source| match source {
        zip::result::ZipError::InvalidArchive(_) if !starts_as(path, b"PK") => Error::NotAnExport(path.into()),
        source => Error::Archive { path: path.into(), source },
    })?;
    if archive.len() > MAX_ENTRIES {
        return Err(unsafe_entry(path, "*", "is one of more than 200000"));
    }
    Ok(archive)
}

/// Whether a file's first bytes, after blanks, are these.
fn starts_as(path: &Path, magic: &[u8]) -> bool {
    let mut start = Vec::new();
    let read = File::open(path).and_then(|file| file.take(64).read_to_end(&mut start));
    read.is_ok() && start.trim_ascii_start().starts_with(magic)
}

fn unsafe_entry(path: &Path, entry: &str, reason: &'static str) -> Error {
    Error::UnsafeEntry { path: path.into(), entry: entry.chars().take(200).collect(), reason }
}

impl Days {
    /// One day's file, taken out of an export; the export's users are known where it still lies in it.
    fn take_day(&mut self, path: &Path) {
        let folder = path.parent().unwrap_or(Path::new(""));
        self.root = folder.to_owned();
        self.days.extend(path.file_name().map(|name| (name.into(), 0)));
        let beside = ["../users.json", "users.json"].map(PathBuf::from);
        self.users = beside.into_iter().find(|users| folder.join(users).is_file()).map(|users| (users, 0));
    }

    /// Walks `export/`, `export/channel/` and one folder around them.
    fn list_folder(&mut self, folder: &Path, depth: usize) -> Result<(), Error> {
        let entries = fs::read_dir(folder).map_err(|source| cannot_read(folder, source))?;
        for entry in entries {
            let entry = entry.map_err(|source| Error::Read { path: folder.into(), source })?;
            let kind = entry.file_type().map_err(|source| Error::Read { path: entry.path(), source })?;
            if kind.is_symlink() {
                self.skipped_links.push(entry.path().display().to_string());
            } else if kind.is_dir() && depth < 2 {
                self.list_folder(&entry.path(), depth + 1)?;
            } else if kind.is_file() {
                let inside = entry.path().strip_prefix(&self.root).map_or_else(|_| entry.path(), Path::to_path_buf);
                self.note(inside, 0);
            }
            if self.days.len() + self.skipped_links.len() > MAX_ENTRIES {
                return Err(unsafe_entry(&self.root, "*", "is one of more than 200000"));
            }
        }
        Ok(())
    }

    fn list_archive(&mut self, archive: &mut ZipArchive<File>) -> Result<(), Error> {
        for index in 0..archive.len() {
            let entry =
                archive.by_index_raw(index).map_err(|source| Error::Archive { path: self.root.clone(), source })?;
            let shown = String::from_utf8_lossy(entry.name_raw()).into_owned();
            let Some(inside) =
                entry.enclosed_name().filter(|name| is_plain(name) && !shown.starts_with('/') && !shown.contains(".."))
            else {
                return Err(unsafe_entry(&self.root, &shown, "points outside of the archive"));
            };
            if entry.is_symlink() {
                return Err(unsafe_entry(&self.root, &shown, "is a symbolic link"));
            }
            if !entry.is_dir() {
                self.note(inside, index);
            }
        }
        Ok(())
    }

    fn note(&mut self, inside: PathBuf, index: usize) {
        match inside.file_name().and_then(|name| name.to_str()) {
            Some("users.json") => self.users = self.users.take().or(Some((inside, index))),
            Some(name) if is_day(name) => self.days.push((inside, index)),
            _ => {}
        }
    }

    /// The contents of `users.json`, where there is one.
    pub(super) fn users(&mut self) -> Result<Option<Vec<u8>>, Error> {
        self.users.clone().map(|(inside, index)| self.bytes(&inside, index)).transpose()
    }

    /// Hands over each file: its place, its channel, its bytes.
    pub(super) fn each(&mut self, mut take: impl FnMut(&str, &str, &[u8])) -> Result<(), Error> {
        for (inside, index) in std::mem::take(&mut self.days) {
            let bytes = self.bytes(&inside, index)?;
            let folder = inside.parent().and_then(Path::file_name).or(self.root.file_stem());
            let channel = folder.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            take(&inside.display().to_string(), &channel, &bytes);
        }
        Ok(())
    }

    /// Reads one file, however large its header says it is, up to the limits.
    fn bytes(&mut self, inside: &Path, index: usize) -> Result<Vec<u8>, Error> {
        let place = inside.display().to_string();
        let limit = self.limits.file.min(self.limits.total);
        let mut bytes = Vec::new();
        let read = match &mut self.archive {
            Some(archive) => {
                let entry = archive.by_index(index);
                let entry = entry.map_err(|source| Error::Archive { path: self.root.clone(), source })?;
                entry.take(limit + 1).read_to_end(&mut bytes)
            }
            None => File::open(self.root.join(inside)).and_then(|file| file.take(limit + 1).read_to_end(&mut bytes)),
        };
        read.map_err(|source| Error::Read { path: self.root.join(inside), source })?;
        match bytes.len() as u64 {
            size if size > limit => Err(Error::TooLarge { place, limit: limit >> 20 }),
            size => {
                self.limits.total -= size;
                Ok(bytes)
            }
        }
    }
}

fn is_plain(name: &Path) -> bool {
    name.components().all(|part| matches!(part, Component::Normal(_)))
}

/// `YYYY-MM-DD.json`.
fn is_day(name: &str) -> bool {
    name.strip_suffix(".json").is_some_and(|day| {
        day.len() == 10
            && day.bytes().enumerate().all(|(i, b)| if i == 4 || i == 7 { b == b'-' } else { b.is_ascii_digit() })
    })
}
