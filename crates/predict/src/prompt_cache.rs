//! The KV cache of instructions, stored in files between processes (llama.cpp calls it a prompt cache).

use std::{
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

use graft_core::Digest;
use graft_formats::atomic;
use graft_nn::Adapter;

/// Limit of all files together in bytes; the oldest are deleted first.
const LIMIT: u64 = 256 << 20;
/// Changes whenever the same tokens would give other numbers.
const FORMAT: &[u8] = b"graft prompt cache 1";

/// A folder with keys and values of instructions: for each, the result of
/// [`Session::numbers_of`](graft_nn::Session::numbers_of), (tokens, keys and values of all layers) in f32. Reading them
/// is much faster than computing them, which would take most of the time of a command's first answer.
///
/// A file is named by a digest of everything it was computed from, so it is never used for another model, adapter or
/// instruction. It starts with the digest of its content. Errors of reading or writing are ignored: the instruction is
/// computed then.
#[derive(Clone, Debug)]
pub struct PromptCache {
    folder: PathBuf,
    base: Digest,
}

impl PromptCache {
    /// Uses this folder, which is created on the first write, for the base model with this digest.
    #[must_use]
    pub fn new(folder: PathBuf, base: Digest) -> Self {
        Self { folder, base }
    }

    /// The stored numbers of an instruction, if they exist and are undamaged.
    pub(crate) fn read(&self, adapter: Option<&Adapter>, tokens: &[u32]) -> Option<Vec<f32>> {
        let bytes = fs::read(self.path(adapter, tokens)).ok()?;
        let (digest, content) = bytes.split_at_checked(Digest::LEN)?;
        let whole = Digest::of(content).as_str().as_bytes() == digest;
        whole.then(|| content.as_chunks::<4>().0.iter().map(|number| f32::from_le_bytes(*number)).collect())
    }

    /// Stores the numbers of an instruction.
    pub(crate) fn write(&self, adapter: Option<&Adapter>, tokens: &[u32], numbers: &[f32]) {
        let content: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        if content.len() as u64 > LIMIT || fs::create_dir_all(&self.folder).is_err() {
            return;
        }
        self.make_room(content.len() as u64);
        let bytes = [Digest::of(&content).as_str().as_bytes(), &content].concat();
        let _: Result<(), graft_formats::Error> = atomic::bytes(&self.path(adapter, tokens), &bytes);
    }

    fn path(&self, adapter: Option<&Adapter>, tokens: &[u32]) -> PathBuf {
        let adapter = adapter.map(Adapter::digest);
        let tokens: Vec<u8> = tokens.iter().flat_map(|token| token.to_le_bytes()).collect();
        let of = adapter.as_ref().map_or("", Digest::as_str);
        let name = Digest::of_parts([FORMAT, self.base.as_str().as_bytes(), of.as_bytes(), &tokens]);
        self.folder.join(name.as_str())
    }

    /// Deletes the oldest files until there is room for `new` bytes.
    fn make_room(&self, new: u64) {
        let mut files: Vec<_> =
            fs::read_dir(&self.folder).into_iter().flatten().flatten().filter_map(of_file).collect();
        files.sort();
        let mut total: u64 = new + files.iter().map(|(_, size, _)| size).sum::<u64>();
        for (_, size, path) in files {
            if total <= LIMIT {
                return;
            }
            if fs::remove_file(Path::new(&path)).is_ok() {
                total -= size;
            }
        }
    }
}

/// Modification time, size and path of a file.
fn of_file(entry: fs::DirEntry) -> Option<(SystemTime, u64, PathBuf)> {
    let about = entry.metadata().ok().filter(fs::Metadata::is_file)?;
    Some((about.modified().ok()?, about.len(), entry.path()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompt_cache_returns_only_matching_undamaged_entries() {
        let folder = tempfile::tempdir().unwrap();
        let cache = |base: &[u8]| PromptCache::new(folder.path().join("new"), Digest::of(base));
        let (adapter, numbers) = (Adapter::soft_prompt(1, 2, &[1.0, 2.0]), [1.5, -2.0, 0.0]);
        cache(b"base").write(Some(&adapter), &[1, 2], &numbers);
        assert_eq!(cache(b"base").read(Some(&adapter), &[1, 2]).as_deref(), Some(&numbers[..]));
        assert_eq!(cache(b"base").read(None, &[1, 2]), None);
        assert_eq!(cache(b"base").read(Some(&adapter), &[1, 3]), None);
        assert_eq!(cache(b"other").read(Some(&adapter), &[1, 2]), None);
        let other = Adapter::soft_prompt(1, 2, &[1.0, 2.5]);
        assert_eq!(cache(b"base").read(Some(&other), &[1, 2]), None);

        let path = cache(b"base").path(Some(&adapter), &[1, 2]);
        let mut bytes = fs::read(&path).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(&path, &bytes).unwrap();
        assert_eq!(cache(b"base").read(Some(&adapter), &[1, 2]), None, "one bit is wrong");
    }

    #[test]
    fn oldest_prompt_cache_files_are_deleted_first() {
        let folder = tempfile::tempdir().unwrap();
        let cache = PromptCache::new(folder.path().to_owned(), Digest::of(b"base"));
        for token in 0..3 {
            cache.write(None, &[token], &[0.0]);
            let file = fs::File::options().append(true).open(cache.path(None, &[token])).unwrap();
            file.set_len(LIMIT / 2).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(u64::from(token))).unwrap();
        }
        let there: Vec<bool> = (0..3).map(|token| cache.path(None, &[token]).exists()).collect();
        assert_eq!(there, [false, true, true]);
    }
}
