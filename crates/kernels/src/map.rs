use std::{fs::File, io};

/// A read-only view of a file's bytes.
pub type Map = memmap2::Mmap;

/// Maps a whole file into memory, read-only.
///
/// Model files are replaced by renaming, never rewritten in place, so the bytes stay what they were. (A file that
/// another program truncates while it is mapped ends this process with SIGBUS.)
///
/// # Errors
/// What the operating system answers.
pub fn map_file(file: &File) -> io::Result<Map> {
    #[expect(unsafe_code, reason = "mapping is only safe if nobody rewrites the file, see above")]
    // SAFETY: the map is read-only, outlives no pointer into it, and its bytes are read as plain `u8` only.
    unsafe {
        memmap2::MmapOptions::new().map(file)
    }
}

/// Bytes of numbers as they lie in a file, if they are aligned as numbers in memory are.
#[must_use]
pub fn floats(bytes: &[u8]) -> Option<&[f32]> {
    // SAFETY: every four bytes are an `f32`, and the middle part is aligned.
    let (before, numbers, after) = unsafe { bytes.align_to::<f32>() };
    (cfg!(target_endian = "little") && before.is_empty() && after.is_empty()).then_some(numbers)
}
