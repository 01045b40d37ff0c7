//! Transfers files as archives whose last entry marks them as complete; results are copied either completely or not at all.
//! Received archives are untrusted input.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, BufRead as _, BufReader, Read, Write},
    path::{Component, Path, PathBuf},
};

use sha2::{Digest as _, Sha256};

/// The last entry of a whole archive.
const WHOLE: &str = ".whole";
/// Where results wait in the run directory until they are all there.
const COLLECTED: &str = ".collected";
/// The file that says that a run has succeeded: it comes last.
const RESULT: &str = "training_run.json";
/// Longest list of digests, in bytes.
const LIST: u64 = 1 << 20;

/// Writes files of a folder, or one file, as an archive.
pub(super) fn send(root: &Path, files: &[PathBuf], out: &mut dyn Write) -> io::Result<()> {
    let mut archive = tar::Builder::new(out);
    archive.mode(tar::HeaderMode::Deterministic);
    for path in files {
        let name = path.strip_prefix(root).unwrap_or(path);
        // Base models in caches are links to files.
        archive.append_file(name, &mut File::open(path)?)?;
    }
    archive.append_data(&mut plain_header(0), WHOLE, io::empty())?;
    archive.into_inner()?.flush()
}

fn plain_header(size: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_size(size);
    header.set_mode(0o600);
    header
}

/// The files of a base model: one file, or a folder of them.
pub(super) fn of_base(path: &Path) -> io::Result<(PathBuf, Vec<PathBuf>)> {
    if path.is_file() {
        let root = path.parent().unwrap_or(Path::new(".")).to_owned();
        return Ok((root, vec![path.to_owned()]));
    }
    let mut files: Vec<PathBuf> = fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    files.retain(|file| file.is_file() && !is_hidden(file));
    files.sort();
    Ok((path.to_owned(), files))
}

/// The files of a run directory from which a trainer continues.
pub(super) fn of_run(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default();
            if is_hidden(&path) || name == "lock" || name == "stop" {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
}

/// Bytes of files together.
pub(super) fn size(files: &[PathBuf]) -> io::Result<u64> {
    files.iter().try_fold(0, |sum, path| Ok(sum + fs::metadata(path)?.len()))
}

/// Digest of a file.
pub(super) fn digest(path: &Path) -> io::Result<String> {
    let mut hash = Sha256::new();
    io::copy(&mut File::open(path)?, &mut hash)?;
    Ok(hex(&hash.finalize()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bad(what: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.into())
}

/// Takes what a run made into its directory. Nothing of it changes before everything has arrived with the right digests;
/// the result comes last. Says whether it was there.
pub(super) fn take(dir: &Path, from: &mut dyn Read) -> io::Result<bool> {
    let waiting = dir.join(COLLECTED);
    remove(&waiting)?;
    let mut from = BufReader::new(from);
    let wanted = digests(&mut from)?;
    if wanted.is_empty() {
        return Ok(false);
    }
    fs::create_dir(&waiting)?;
    let arrived = unpack(&waiting, &wanted, &mut from);
    if let Err(error) = arrived {
        remove(&waiting)?;
        return Err(error);
    }
    let mut names: Vec<_> = fs::read_dir(&waiting)?.map(|entry| Ok(entry?.file_name())).collect::<io::Result<_>>()?;
    names.sort_by_key(|name| name == RESULT);
    for name in &names {
        let (fresh, place) = (waiting.join(name), dir.join(name));
        if fresh.is_dir() {
            remove(&place)?;
        }
        fs::rename(fresh, place)?;
    }
    remove(&waiting)?;
    File::open(dir)?.sync_all()?;
    Ok(wanted.contains_key(Path::new(RESULT)))
}

fn remove(path: &Path) -> io::Result<()> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The list before an archive: a digest and a path on each line, up to an empty one. No line: there is nothing.
fn digests(from: &mut impl io::BufRead) -> io::Result<BTreeMap<PathBuf, String>> {
    let mut wanted = BTreeMap::new();
    for line in from.take(LIST).lines() {
        let line = line?;
        if line.is_empty() {
            return Ok(wanted);
        }
        let (digest, path) = line.split_once("  ").ok_or_else(|| bad("the list of files is damaged"))?;
        wanted.insert(inside(Path::new(path))?, digest.to_owned());
    }
    if wanted.is_empty() { Ok(wanted) } else { Err(bad("the list of files is cut off")) }
}

/// A path that stays below where it is unpacked, and that no input of the run has.
fn inside(path: &Path) -> io::Result<PathBuf> {
    let path: PathBuf = path.components().filter(|part| *part != Component::CurDir).collect();
    let plain = path.components().all(|part| matches!(part, Component::Normal(_)));
    let given = path.starts_with("data") || ["spec.json", "lock", "stop"].iter().any(|name| path == Path::new(name));
    if plain && !given && path.components().next().is_some() {
        Ok(path)
    } else {
        Err(bad(format!("`{}` does not belong in a run directory", path.display())))
    }
}

fn unpack(into: &Path, wanted: &BTreeMap<PathBuf, String>, from: &mut dyn Read) -> io::Result<()> {
    let (mut arrived, mut is_whole) = (0, false);
    for entry in tar::Archive::new(from).entries()? {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        let path = inside(&path)?;
        if path == Path::new(WHOLE) {
            is_whole = true;
            continue;
        }
        let digest = wanted.get(&path).ok_or_else(|| bad(format!("`{}` is not in the list", path.display())))?;
        if !entry.header().entry_type().is_file() {
            return Err(bad(format!("`{}` is no file", path.display())));
        }
        let place = into.join(&path);
        if let Some(folder) = place.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut file = File::create_new(&place)?;
        let mut hash = Sha256::new();
        let mut buffer = vec![0; 1 << 16];
        loop {
            let count = entry.read(&mut buffer)?;
            if count == 0 {
                break;
            }
            hash.update(&buffer[..count]);
            file.write_all(&buffer[..count])?;
        }
        file.sync_all()?;
        if hex(&hash.finalize()) != *digest {
            return Err(bad(format!("`{}` arrived damaged", path.display())));
        }
        arrived += 1;
    }
    if is_whole && arrived == wanted.len() { Ok(()) } else { Err(bad("the results arrived incomplete")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a machine sends for these files.
    fn sent(files: &[(&str, &str)], whole: bool) -> Vec<u8> {
        let mut bytes: Vec<u8> = Vec::new();
        for (name, text) in files {
            writeln!(bytes, "{}  ./{name}", hex(&Sha256::digest(text))).unwrap();
        }
        bytes.push(b'\n');
        let mut archive = tar::Builder::new(bytes);
        for (name, text) in files {
            let mut header = plain_header(text.len() as u64);
            // As a hostile sender would: `Builder` refuses such paths.
            header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
            header.set_cksum();
            archive.append(&header, text.as_bytes()).unwrap();
        }
        if whole {
            archive.append_data(&mut plain_header(0), WHOLE, io::empty()).unwrap();
        }
        archive.into_inner().unwrap()
    }

    #[test]
    fn results_are_copied_completely_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let files = [("adapter/a.bin", "weights"), ("events.jsonl", "{}\n"), (RESULT, "{}")];
        let bytes = sent(&files, true);
        // Whatever is missing or changed leaves nothing behind.
        for cut in [10, 200, 700, 1500, bytes.len() - 1600] {
            assert!(take(dir.path(), &mut &bytes[..cut]).is_err(), "{cut}");
            assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "{cut}");
        }
        let mut damaged = bytes.clone();
        let at = damaged.windows(7).position(|window| window == b"weights").unwrap();
        damaged[at] ^= 1;
        assert!(take(dir.path(), &mut damaged.as_slice()).is_err());
        assert!(take(dir.path(), &mut sent(&files, false).as_slice()).is_err());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        // Whole, it replaces what was there.
        fs::create_dir(dir.path().join("adapter")).unwrap();
        fs::write(dir.path().join("adapter/old"), "x").unwrap();
        for _ in 0..2 {
            assert!(take(dir.path(), &mut bytes.as_slice()).unwrap());
        }
        assert_eq!(fs::read_to_string(dir.path().join("adapter/a.bin")).unwrap(), "weights");
        assert!(!dir.path().join("adapter/old").exists() && !dir.path().join(COLLECTED).exists());
        assert!(!take(dir.path(), &mut "\n".as_bytes()).unwrap());
    }

    #[test]
    fn copied_paths_stay_in_the_run_directory() {
        for name in ["../evil", "/etc/evil", "a/../../evil", "spec.json", "data/train.jsonl", "./lock"] {
            assert!(inside(Path::new(name)).is_err(), "{name}");
            let dir = tempfile::tempdir().unwrap();
            assert!(take(dir.path(), &mut sent(&[(name, "x")], true).as_slice()).is_err(), "{name}");
        }
    }

    #[test]
    fn lock_files_are_not_sent() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["spec.json", "lock", "stop", ".probe"] {
            fs::write(dir.path().join(name), "x").unwrap();
        }
        fs::create_dir_all(dir.path().join("data")).unwrap();
        fs::write(dir.path().join("data/train.jsonl"), "x").unwrap();
        let names: Vec<_> = of_run(dir.path()).unwrap();
        let names: Vec<_> = names.iter().map(|path| path.strip_prefix(dir.path()).unwrap().to_str().unwrap()).collect();
        assert_eq!(names, ["data/train.jsonl", "spec.json"]);
    }
}
