use std::{
    fs::{self, File},
    io::Read,
    path::{Component, Path, PathBuf},
};

use zip::ZipArchive;

use crate::{Error, encoding, import::cannot_read, sheet::MAX_ENTRIES};

/// How much an export may unpack to, in bytes.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    /// One file.
    pub(super) file: u64,
    /// All files.
    pub(super) total: u64,
}

pub(super) const LIMITS: Limits = Limits { file: 64 << 20, total: 1 << 30 };

/// Most folders around a day's file: of a wrapper, `teams`, a workspace, a channel.
const MAX_DEPTH: usize = 6;

/// The forms of a Slack export.
pub(super) enum Export {
    /// One file a channel and day.
    Days(Days),
    /// A spreadsheet.
    Sheet,
    /// Slackdump's database.
    Database(PathBuf),
}

/// A file within an export, and its index in the archive.
type Entry = (PathBuf, usize);

/// The files of an export that matter.
pub(super) struct Days {
    root: PathBuf,
    archive: Option<ZipArchive<File>>,
    days: Vec<Entry>,
    users: Vec<Entry>,
    lists: Vec<(Entry, Conversations)>,
    /// What may still be unpacked.
    limits: Limits,
    /// Links in a folder; they could point anywhere and are never followed.
    pub(super) skipped_links: Vec<String>,
    /// Files that no export needs.
    pub(super) others: Vec<String>,
}

/// What a list of conversations lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Conversations {
    /// Channels, public or private.
    Channels,
    /// Direct messages between two or more people.
    Direct,
}

/// A list of conversations.
pub(super) struct List {
    pub(super) bytes: Vec<u8>,
    pub(super) kind: Conversations,
    /// Whose they are, in the export of an organisation.
    pub(super) workspace: Option<String>,
}

/// A day's file, or all messages of a conversation.
pub(super) struct Day {
    /// Its place within the export.
    pub(super) place: String,
    /// The folder that names the channel; with its workspace in the export of an organisation.
    pub(super) channel: String,
    /// Whether the user named this channel's folder or file, rather than the whole export.
    pub(super) is_named: bool,
    pub(super) bytes: Vec<u8>,
}

/// Lists an export without reading its messages.
pub(super) fn open(path: &Path, limits: Limits) -> Result<Export, Error> {
    let meta = fs::metadata(path).map_err(|source| cannot_read(path, source))?;
    let mut days = Days {
        root: path.into(),
        archive: None,
        days: Vec::new(),
        users: Vec::new(),
        lists: Vec::new(),
        limits,
        skipped_links: Vec::new(),
        others: Vec::new(),
    };
    if meta.is_dir() {
        let database = path.join("slackdump.sqlite");
        if database.is_file() {
            return Ok(Export::Database(database));
        }
        days.list_folder(path, 0)?;
        if days.days.iter().any(|(inside, _)| inside.components().count() == 1) {
            days.take_users_beside(Path::new(".."));
        }
    } else if starts_as(path, b"SQLite format 3\0") {
        return Ok(Export::Database(path.into()));
    } else if is_json(path) {
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
        return Err(unsafe_entry(path, "*", "is one of more than 200000 entries"));
    }
    Ok(archive)
}

/// Whether a file's first bytes, after blanks, are these.
fn starts_as(path: &Path, magic: &[u8]) -> bool {
    let mut start = Vec::new();
    let read = File::open(path).and_then(|file| file.take(64).read_to_end(&mut start));
    read.is_ok() && start.trim_ascii_start().starts_with(magic)
}

/// Whether a file begins as a list of messages, or as Slack's API and Slackdump write a conversation.
fn is_json(path: &Path) -> bool {
    let mut start = Vec::new();
    let read = File::open(path).and_then(|file| file.take(4096).read_to_end(&mut start));
    let text = read.ok().and_then(|_| encoding::decode(start).ok()).map(|text| text.text).unwrap_or_default();
    let text = text.trim_start();
    text.starts_with('[') || text.starts_with('{') && (text.contains("\"messages\"") || text.contains("\"ts\""))
}

/// Whether a zip file or folder may contain messages; also true if it cannot be read, which is reported when it is opened.
pub(crate) fn may_be_export(path: &Path) -> bool {
    if path.is_dir() {
        return !matches!(open(path, LIMITS), Err(Error::NotAnExport(_)));
    }
    let names = File::open(path).ok().and_then(|file| ZipArchive::new(file).ok());
    names.is_none_or(|archive| {
        archive.file_names().any(|name| name.is_ok_and(|name| name.to_lowercase().ends_with(".json")))
    })
}

fn unsafe_entry(path: &Path, entry: &str, reason: &'static str) -> Error {
    Error::UnsafeEntry { path: path.into(), entry: entry.chars().take(200).collect(), reason }
}

impl Days {
    /// One day's file, taken out of an export.
    fn take_day(&mut self, path: &Path) {
        self.root = path.parent().unwrap_or(Path::new("")).to_owned();
        self.days.extend(path.file_name().map(|name| (name.into(), 0)));
        self.take_users_beside(Path::new(""));
        self.take_users_beside(Path::new(".."));
    }

    /// The users of an export where only one of its channels was named.
    fn take_users_beside(&mut self, folder: &Path) {
        let beside = ["users.json", "org_users.json"].map(|name| folder.join(name));
        self.users.extend(beside.into_iter().filter(|users| self.root.join(users).is_file()).map(|users| (users, 0)));
    }

    /// Walks `export/`, `export/channel/` and the folders around them.
    fn list_folder(&mut self, folder: &Path, depth: usize) -> Result<(), Error> {
        let entries = fs::read_dir(folder).map_err(|source| cannot_read(folder, source))?;
        for entry in entries {
            let entry = entry.map_err(|source| Error::Read { path: folder.into(), source })?;
            let kind = entry.file_type().map_err(|source| Error::Read { path: entry.path(), source })?;
            if kind.is_symlink() {
                self.skipped_links.push(entry.path().display().to_string());
            } else if kind.is_dir() && depth < MAX_DEPTH {
                self.list_folder(&entry.path(), depth + 1)?;
            } else {
                let inside = entry.path().strip_prefix(&self.root).map_or_else(|_| entry.path(), Path::to_path_buf);
                match kind.is_file() {
                    true => self.note(inside, 0),
                    false => self.others.push(inside.display().to_string()),
                }
            }
            if self.days.len() + self.skipped_links.len() + self.others.len() > MAX_ENTRIES {
                return Err(unsafe_entry(&self.root, "*", "is one of more than 200000 entries"));
            }
        }
        Ok(())
    }

    fn list_archive(&mut self, archive: &mut ZipArchive<File>) -> Result<(), Error> {
        for index in 0..archive.len() {
            let entry =
                archive.by_index_raw(index).map_err(|source| Error::Archive { path: self.root.clone(), source })?;
            let shown = String::from_utf8_lossy(entry.name_raw()).into_owned();
            // Some programs of Windows write its separators.
            let windows = shown.contains('\\').then(|| PathBuf::from(shown.replace('\\', "/")));
            let Some(inside) = windows
                .or(entry.enclosed_name())
                .filter(|name| is_plain(name) && !shown.starts_with('/') && !shown.contains(".."))
            else {
                return Err(unsafe_entry(&self.root, &shown, "points outside the archive"));
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
        let aside =
            |part: Component<'_>| matches!(part.as_os_str().to_str(), Some("attachments" | "__uploads" | "__MACOSX"));
        if inside.components().any(aside) {
            return self.others.push(inside.display().to_string());
        }
        match inside.file_name().and_then(|name| name.to_str()) {
            Some("users.json" | "org_users.json") => self.users.push((inside, index)),
            Some("channels.json" | "groups.json") => self.lists.push(((inside, index), Conversations::Channels)),
            Some("dms.json" | "mpims.json") => self.lists.push(((inside, index), Conversations::Direct)),
            Some(name) if is_day(name) || is_dump(name) => self.days.push((inside, index)),
            _ => self.others.push(inside.display().to_string()),
        }
    }

    /// The contents of each `users.json`.
    pub(super) fn users(&mut self) -> Result<Vec<Vec<u8>>, Error> {
        std::mem::take(&mut self.users).into_iter().map(|(inside, index)| self.bytes(&inside, index)).collect()
    }

    /// The lists of conversations.
    pub(super) fn lists(&mut self) -> Result<Vec<List>, Error> {
        let lists = std::mem::take(&mut self.lists).into_iter();
        let read = |((inside, index), kind): (Entry, _)| {
            let workspace = match folders(&inside).as_slice() {
                [.., teams, workspace] if teams == "teams" => Some(workspace.clone()),
                _ => None,
            };
            Ok(List { bytes: self.bytes(&inside, index)?, kind, workspace })
        };
        lists.map(read).collect()
    }

    /// Hands over each file of messages.
    pub(super) fn each(&mut self, mut take: impl FnMut(Day)) -> Result<(), Error> {
        for (inside, index) in std::mem::take(&mut self.days) {
            let bytes = self.bytes(&inside, index)?;
            let folders = folders(&inside);
            let is_named = folders.is_empty() && self.archive.is_none();
            let channel = match folders.as_slice() {
                [.., teams, workspace, channel] if teams == "teams" => format!("{workspace}/{channel}"),
                [.., channel] => channel.clone(),
                [] if is_named => self.root.file_name().unwrap_or_default().to_string_lossy().into_owned(),
                [] => self.root.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
            };
            take(Day { place: inside.display().to_string(), channel, is_named, bytes });
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

/// The folders around a file.
fn folders(inside: &Path) -> Vec<String> {
    let parts = inside.parent().into_iter().flat_map(Path::components);
    parts.map(|part| part.as_os_str().to_string_lossy().into_owned()).collect()
}

/// `YYYY-MM-DD.json`, or a copy of it such as `YYYY-MM-DD (1).json`.
fn is_day(name: &str) -> bool {
    let is_date =
        |day: &str| day.bytes().enumerate().all(|(i, b)| if i == 4 || i == 7 { b == b'-' } else { b.is_ascii_digit() });
    name.ends_with(".json") && name.get(..10).is_some_and(is_date)
}

/// `C0123ABCD.json`: a conversation as Slackdump dumps it.
fn is_dump(name: &str) -> bool {
    let id = name.strip_suffix(".json").and_then(|name| name.split('-').next()).unwrap_or_default();
    let known = id.starts_with(['C', 'D', 'G']) && id.len() >= 9;
    known && id.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}
