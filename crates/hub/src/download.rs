//! Downloads one file into the cache: continues an interrupted download, verifies the checksum, then renames.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::Path,
    thread,
    time::Duration,
};

use sha1::{Digest as _, Sha1};
use sha2::Sha256;
use ureq::http::{Response, StatusCode, header};

use crate::{
    Error, Progress, Stop,
    client::{Checksum, Client, FileInfo, bad_answer, unreachable},
    files,
};

/// Consecutive attempts without any progress before giving up.
const FRUITLESS_ATTEMPTS: u32 = 3;

/// A download with its options.
pub(crate) struct Download<'a> {
    pub(crate) client: &'a Client,
    pub(crate) name: &'a str,
    pub(crate) info: &'a FileInfo,
    /// The part downloaded so far.
    pub(crate) incomplete: &'a Path,
    pub(crate) pause: Duration,
    pub(crate) stop: &'a Stop,
}

impl Download<'_> {
    /// Downloads the whole file to `target`.
    pub(crate) fn save(&self, target: &Path, progress: &mut dyn FnMut(Progress<'_>)) -> Result<(), Error> {
        files::make_parent(self.incomplete)?;
        let mut actual = String::new();
        for _ in 0..2 {
            self.transfer(progress)?;
            actual = checksum(self.incomplete, &self.info.checksum)?;
            if actual == self.info.checksum.as_str() {
                return files::publish(self.incomplete, target);
            }
            files::delete(self.incomplete)?;
        }
        Err(Error::Checksum { file: self.name.into(), expected: self.info.checksum.as_str().into(), actual })
    }

    /// Downloads until the file is complete.
    fn transfer(&self, progress: &mut dyn FnMut(Progress<'_>)) -> Result<(), Error> {
        let mut fruitless = 0;
        let open = File::options().create(true).append(true).open(self.incomplete);
        let mut file = open.map_err(Error::io("write", self.incomplete))?;
        loop {
            let length = file.metadata().map_err(Error::io("read", self.incomplete))?.len();
            let start = if length > self.info.bytes { self.restart(&file)? } else { length };
            progress(Progress { file: self.name, done_bytes: start, total_bytes: self.info.bytes });
            self.stop.check(self.name)?;
            if start == self.info.bytes {
                return Ok(());
            }
            let Err(error) = self.attempt(&mut file, start, progress) else { continue };
            let grown = file.metadata().is_ok_and(|now| now.len() > start);
            fruitless = if grown { 0 } else { fruitless + 1 };
            if !error.is_transient() || fruitless >= FRUITLESS_ATTEMPTS {
                return Err(error);
            }
            thread::sleep(self.pause * (fruitless + 1));
        }
    }

    /// Appends the body of one response.
    fn attempt(&self, file: &mut File, start: u64, progress: &mut dyn FnMut(Progress<'_>)) -> Result<(), Error> {
        let url = &self.info.url;
        let mut response = self.client.open(url, start)?;
        let mut done = match response.status() {
            StatusCode::PARTIAL_CONTENT if range_start(&response) == Some(start) => start,
            StatusCode::OK if start == 0 => 0,
            StatusCode::OK => self.restart(file)?,
            _ if start > 0 => return self.restart(file).map(drop),
            _ => return Err(bad_answer(url, "it sends another part than was asked for")),
        };
        let mut body = response.body_mut().with_config().limit(u64::MAX).reader().take(self.info.bytes - done);
        let mut buffer = vec![0; 256 << 10];
        loop {
            let count = match body.read(&mut buffer) {
                Ok(0) if done < self.info.bytes => return Err(unreachable(url, ended_early())),
                Ok(0) => return Ok(()),
                Ok(count) => count,
                Err(error) => return Err(unreachable(url, error.into())),
            };
            file.write_all(&buffer[..count]).map_err(Error::io("write", self.incomplete))?;
            done += count as u64;
            progress(Progress { file: self.name, done_bytes: done, total_bytes: self.info.bytes });
            self.stop.check(self.name)?;
        }
    }

    fn restart(&self, file: &File) -> Result<u64, Error> {
        file.set_len(0).map_err(Error::io("write", self.incomplete))?;
        Ok(0)
    }
}

/// Retries transient failures of the network or the service.
pub(crate) fn retry<T>(pause: Duration, mut ask: impl FnMut() -> Result<T, Error>) -> Result<T, Error> {
    for attempt in 1..FRUITLESS_ATTEMPTS {
        match ask() {
            Err(error) if error.is_transient() => thread::sleep(pause * attempt),
            answer => return answer,
        }
    }
    ask()
}

fn ended_early() -> ureq::Error {
    ureq::Error::Io(io::Error::new(io::ErrorKind::UnexpectedEof, "the connection closed before the end of the file"))
}

/// First byte of a `Content-Range: bytes FIRST-LAST/TOTAL`.
fn range_start<T>(response: &Response<T>) -> Option<u64> {
    let range = response.headers().get(header::CONTENT_RANGE)?.to_str().ok()?;
    range.strip_prefix("bytes ")?.split_once('-')?.0.parse().ok()
}

/// Checksum of a file on disk, of the kind expected.
pub(crate) fn checksum(path: &Path, kind: &Checksum) -> Result<String, Error> {
    let length = fs::metadata(path).map_err(Error::io("read", path))?.len();
    let mut file = File::open(path).map_err(Error::io("read", path))?;
    let digest = match kind {
        Checksum::Sha256(_) => {
            let mut hash = Sha256::new();
            io::copy(&mut file, &mut hash).map(|_| hex(&hash.finalize()))
        }
        Checksum::GitBlob(_) => {
            let mut hash = Sha1::new_with_prefix(format!("blob {length}\0"));
            io::copy(&mut file, &mut hash).map(|_| hex(&hash.finalize()))
        }
    };
    digest.map_err(Error::io("read", path))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_match_git_and_sha256sum() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "hello\n").unwrap();
        let git = checksum(file.path(), &Checksum::GitBlob(String::new())).unwrap();
        assert_eq!(git, "ce013625030ba8dba906f756967f9e9ca394464a"); // git hash-object
        let sha = checksum(file.path(), &Checksum::Sha256(String::new())).unwrap();
        assert_eq!(sha, "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"); // sha256sum
    }
}
