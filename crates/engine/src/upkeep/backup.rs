//! Writes everything that cannot be recreated to one archive while the service runs, and restores it.

use std::{
    fs::{self, File},
    io::{self, BufRead as _, BufReader, BufWriter, Read, Seek, Write},
    path::{Path, PathBuf},
};

use graft_core::{Timestamp, json};
use graft_formats::faults::{self, Op};
use graft_store::{Stage, Table};
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;
use zip::{ZipArchive, ZipWriter, write::SimpleFileOptions};

use super::Upkeep;
use crate::{Error, Result, instance::INSTANCE, now};

/// What an archive says about itself; written last, so an archive without it is not whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backup {
    /// Form of the archive.
    pub format: u32,
    /// Version of Graft that made it.
    pub graft: String,
    /// When.
    pub created_at: Timestamp,
    /// Rows of all tables.
    pub rows: u64,
    /// Files of the home.
    pub files: u64,
}

/// What was put back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Restored {
    /// What the archive says about itself.
    #[serde(flatten)]
    pub backup: Backup,
    /// URL of the place for adapters, where it belongs to the database that this one is a copy of: nothing was
    /// published there, nor ever will be.
    pub not_published: Option<String>,
}

const FORMAT: u32 = 1;
const ABOUT: &str = "graft-backup.json";
/// What is kept of a home, beside its database. Base models can be had again, and name themselves by digest.
const FOLDERS: [&str; 2] = ["runs", "adapters"];
const FILES: [&str; 3] = ["tables.toml", "speeds.json", INSTANCE];
/// Longest line of a table.
const LONGEST_LINE: u64 = 256 << 20;

impl Upkeep<'_> {
    /// Writes database, runs, adapters (those of a bucket, too) and tables into one archive, which is there whole or not at all. The database is
    /// read as it is at one moment; every adapter that it names is in the archive.
    ///
    /// # Errors
    /// The disk or the database refuses.
    pub async fn backup(self, target: &Path) -> Result<Backup> {
        self.engine.versions().bring_all().await?;
        let failed = |source| Error::Io { doing: "write", path: target.to_owned(), source };
        let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        faults::pass(Op::Write, target).map_err(failed)?;
        // Private from the beginning: hashes of passwords are in it.
        let temporary = tempfile::Builder::new().prefix(".graft-").tempfile_in(folder).map_err(failed)?;
        let mut archive = Archive { zip: ZipWriter::new(BufWriter::new(temporary)), path: target.to_owned() };
        let (mut rows, mut index) = (0, 0);
        self.engine
            .store
            .dump(&mut |table| {
                rows += table.rows.len() as u64;
                index += 1;
                archive.table(index, &table)
            })
            .await?;
        let mut files = 0;
        for name in FILES {
            files += archive.tree(&self.engine.home.path().join(name), name)?;
        }
        for name in FOLDERS {
            files += archive.tree(&self.engine.home.path().join(name), name)?;
        }
        let graft = env!("CARGO_PKG_VERSION").to_owned();
        let about = Backup { format: FORMAT, graft, created_at: now(), rows, files };
        let temporary = archive.end(&about)?;
        faults::pass(Op::Sync, target).and_then(|()| temporary.as_file().sync_all()).map_err(failed)?;
        faults::pass(Op::Change, target).map_err(failed)?;
        temporary.persist(target).map_err(|error| failed(error.error))?;
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
        Ok(about)
    }

    /// Puts back what [`backup`](Self::backup) wrote, into an empty home and an empty database of either kind. It is a
    /// copy, to which a bucket of the first doesn't belong, unless it is to `take_over` from what is gone. In a bucket of
    /// its own, adapters are published again.
    ///
    /// # Errors
    /// [`Error::BadBackup`]; [`Error::HomeNotEmpty`]; the database holds something.
    pub async fn restore(self, source: &Path, take_over: bool) -> Result<Restored> {
        let bad = |what: String| Error::BadBackup { path: source.to_owned(), what };
        let file = File::open(source).map_err(|cause| bad(cause.to_string()))?;
        let mut zip = ZipArchive::new(BufReader::new(file)).map_err(|cause| bad(cause.to_string()))?;
        let about = about(&mut zip).map_err(bad)?;
        self.refuse_overwriting().await?;
        let failed = |cause| Error::Io { doing: "write", path: self.engine.home.path().to_owned(), source: cause };
        faults::pass(Op::Write, self.engine.home.path()).map_err(failed)?;
        let staging = tempfile::Builder::new().prefix(".graft-").tempdir_in(self.engine.home.path()).map_err(failed)?;
        let mut tables = Vec::new();
        for index in 0..zip.len() {
            let mut entry = zip.by_index(index).map_err(|cause| bad(cause.to_string()))?;
            let name = entry.name().map_err(|cause| bad(cause.to_string()))?.into_owned();
            if name == ABOUT || entry.is_dir() {
                continue;
            }
            if let Some(table) = name.strip_prefix("database/") {
                tables.push(read_table(table, &mut entry).map_err(|what| bad(format!("`{name}`: {what}")))?);
                continue;
            }
            let path = entry.enclosed_name().filter(|_| !entry.is_symlink()).and_then(|path| kept(&path));
            let Some(path) = path else {
                return Err(bad(format!("`{}` is not a valid file path", name.escape_default())));
            };
            let to = staging.path().join(path);
            fs::create_dir_all(to.parent().unwrap_or(staging.path())).map_err(failed)?;
            let mut out = faults::pass(Op::Write, &to).and_then(|()| File::create(&to)).map_err(failed)?;
            let copied = io::copy(&mut entry, &mut out).and_then(|_| out.sync_all());
            copied.map_err(|cause| if is_of_disk(&cause) { failed(cause) } else { bad(cause.to_string()) })?;
        }
        if !take_over {
            self.rename(staging.path(), &mut tables)?;
        }
        self.put_in_place(staging.path(), &tables).await?;
        Ok(Restored { not_published: self.show_restored(take_over).await?, backup: about })
    }

    /// Gives what is about to be restored a word of its own: with that of the first it would own the first's bucket, and
    /// sweep out of it what is newer than the backup.
    fn rename(self, staging: &Path, tables: &mut [Table]) -> Result<()> {
        let word = self.engine.new_instance();
        let rows = tables.iter_mut().filter(|table| table.name == "settings").flat_map(|table| &mut table.rows);
        for row in rows.filter(|row| row.get("name").is_some_and(|name| name == INSTANCE)) {
            row.insert("value".to_owned(), json::value(&json::line(&word)));
        }
        let file = staging.join(INSTANCE);
        if file.exists() {
            graft_formats::atomic::bytes(&file, word.as_bytes())?;
        }
        Ok(())
    }

    /// Lets others see what was restored: the bucket, and whoever reads the folder of Ask AI's active version. Returns
    /// the bucket that isn't this database's.
    async fn show_restored(self, take_over: bool) -> Result<Option<String>> {
        // A folder elsewhere is read by those who use the first, too.
        let shown = self.engine.home.resolve(&self.engine.versions().ask_ai_settings().await?.soft_prompt_model_dir);
        let may_show = take_over || shown.starts_with(self.engine.home.path());
        let mut other = None;
        for version in self.engine.store.versions(None).await? {
            if other.is_none() && self.engine.home.resolve(&version.adapter_dir).is_dir() {
                match self.engine.versions().publish(&version.adapter_dir).await {
                    Err(Error::OtherPlace { place }) if !take_over => other = Some(place),
                    published => published?,
                }
            }
            if version.stage == Stage::Active && may_show {
                self.engine.versions().show_active(&version).await?;
            }
        }
        Ok(other)
    }

    async fn refuse_overwriting(self) -> Result<()> {
        if !self.engine.store.is_empty().await? {
            return Err(graft_store::Error::NotEmpty.into());
        }
        for name in FOLDERS.iter().chain(&FILES) {
            let path = self.engine.home.path().join(name);
            let empty = fs::read_dir(&path).map_or(!path.exists(), |mut entries| entries.next().is_none());
            if !empty {
                let (home, found) = (self.engine.home.path().to_owned(), (*name).to_owned());
                return Err(Error::HomeNotEmpty { home, found });
            }
        }
        Ok(())
    }

    /// Files first, then the database, all at once: rows never come without their files.
    async fn put_in_place(self, staging: &Path, tables: &[Table]) -> Result<()> {
        let mut moved: Vec<PathBuf> = Vec::new();
        let home = self.engine.home.path();
        let mut place = || -> io::Result<()> {
            for name in FOLDERS.iter().chain(&FILES) {
                let (from, to) = (staging.join(name), home.join(name));
                if from.exists() {
                    // An empty folder may be there.
                    let _ = fs::remove_dir(&to);
                    faults::pass(Op::Change, &to)?;
                    fs::rename(&from, &to)?;
                    moved.push(to);
                }
            }
            File::open(home)?.sync_all()
        };
        let placed = place().map_err(|source| Error::Io { doing: "fill", path: home.to_owned(), source });
        let restored = match placed {
            Ok(()) => self.engine.store.restore(tables).await.map_err(Error::from),
            Err(error) => Err(error),
        };
        if restored.is_err() {
            for path in moved {
                let _ = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            }
        }
        restored
    }
}

/// Whether the disk refused, rather than that the archive is damaged.
fn is_of_disk(error: &io::Error) -> bool {
    use io::ErrorKind as K;
    matches!(
        error.kind(),
        K::StorageFull | K::QuotaExceeded | K::FileTooLarge | K::ReadOnlyFilesystem | K::PermissionDenied
    )
}

/// An archive that is being written.
struct Archive {
    zip: ZipWriter<BufWriter<NamedTempFile>>,
    path: PathBuf,
}

impl Archive {
    fn failed(&self, error: impl Into<zip::result::ZipError>) -> Error {
        let source = match error.into() {
            zip::result::ZipError::Io(source) => source,
            other => io::Error::other(other),
        };
        Error::Io { doing: "write", path: self.path.clone(), source }
    }

    fn begin(&mut self, name: &str) -> Result<()> {
        let options = SimpleFileOptions::default().large_file(true).unix_permissions(0o600);
        self.zip.start_file(name, options).map_err(|error| self.failed(error))
    }

    fn table(&mut self, index: usize, table: &Table) -> Result<()> {
        self.begin(&format!("database/{index:02}-{}.jsonl", table.name))?;
        for row in &table.rows {
            let line = json::line(row) + "\n";
            self.zip.write_all(line.as_bytes()).map_err(|error| self.failed(error))?;
        }
        Ok(())
    }

    /// Adds a file or a folder, if it is there; what goes away meanwhile, as old checkpoints do, is left out.
    fn tree(&mut self, path: &Path, name: &str) -> Result<u64> {
        let failed = |source| Error::Io { doing: "read", path: path.to_owned(), source };
        let about = match fs::symlink_metadata(path) {
            Ok(about) => about,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
            Err(source) => return Err(failed(source)),
        };
        if about.is_dir() {
            let mut files = 0;
            let mut entries: Vec<PathBuf> = match fs::read_dir(path) {
                Ok(entries) => entries.flatten().map(|entry| entry.path()).collect(),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
                Err(source) => return Err(failed(source)),
            };
            entries.sort();
            for entry in entries {
                let last = entry.file_name().unwrap_or_default().to_string_lossy().into_owned();
                if !last.starts_with(".graft-") && last != "lock" && last != "stop" {
                    files += self.tree(&entry, &format!("{name}/{last}"))?;
                }
            }
            return Ok(files);
        }
        if !about.is_file() {
            return Ok(0);
        }
        let mut file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
            Err(source) => return Err(failed(source)),
        };
        self.begin(name)?;
        faults::pass(Op::Write, &self.path).map_err(|error| self.failed(error))?;
        io::copy(&mut file, &mut self.zip).map_err(|error| self.failed(error))?;
        Ok(1)
    }

    fn end(mut self, about: &Backup) -> Result<NamedTempFile> {
        self.begin(ABOUT)?;
        self.zip.write_all(json::pretty(about).as_bytes()).map_err(|error| self.failed(error))?;
        let path = self.path;
        let failed = |source| Error::Io { doing: "write", path: path.clone(), source };
        let writer = self.zip.finish().map_err(|error| failed(io::Error::other(error)))?;
        writer.into_inner().map_err(|error| failed(error.into_error()))
    }
}

fn about<R: Read + Seek>(zip: &mut ZipArchive<R>) -> std::result::Result<Backup, String> {
    let mut text = String::new();
    let entry = zip.by_name(ABOUT).map_err(|_| format!("it has no `{ABOUT}`, so it is not a complete backup"))?;
    entry.take(64 << 10).read_to_string(&mut text).map_err(|cause| cause.to_string())?;
    let about: Backup = serde_json::from_str(&text).map_err(|cause| format!("`{ABOUT}`: {cause}"))?;
    if about.format == FORMAT {
        Ok(about)
    } else {
        Err(format!("its format is {}, this version of Graft reads {FORMAT}", about.format))
    }
}

/// `01-examples.jsonl`.
fn read_table(name: &str, entry: &mut impl Read) -> std::result::Result<Table, String> {
    let table = name.strip_suffix(".jsonl").and_then(|name| Some(name.split_once('-')?.1));
    let table = table.ok_or("no table has this name")?.to_owned();
    let (mut rows, mut reader) = (Vec::new(), BufReader::new(entry));
    let mut line = String::new();
    loop {
        line.clear();
        let size = reader.by_ref().take(LONGEST_LINE).read_line(&mut line).map_err(|cause| cause.to_string())?;
        if size == 0 {
            return Ok(Table { name: table, rows });
        }
        rows.push(serde_json::from_str(&line).map_err(|cause| format!("line {}: {cause}", rows.len() + 1))?);
    }
}

/// The path itself, if it is one that a backup holds.
fn kept(path: &Path) -> Option<PathBuf> {
    let first = path.components().next()?.as_os_str().to_str()?;
    let whole = FILES.contains(&first) && path.components().count() == 1;
    (whole || FOLDERS.contains(&first)).then(|| path.to_owned())
}
