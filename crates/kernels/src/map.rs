use std::{
    fs::File,
    io,
    ops::{Deref, DerefMut},
};

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

/// Zeros that take memory only where they are written, one page of the system at a time. An allocator may hand out pages
/// of two megabytes, of which a cache that is filled here and there would use little.
#[derive(Debug)]
pub struct Sparse(Pages);

#[derive(Debug)]
enum Pages {
    Map(memmap2::MmapMut),
    /// Where the system maps nothing.
    Plain(Vec<f32>),
}

impl Sparse {
    /// So many zeros.
    #[must_use]
    pub fn zeros(len: usize) -> Self {
        match memmap2::MmapMut::map_anon(len.saturating_mul(size_of::<f32>())) {
            Ok(map) if len > 0 => Self(Pages::Map(map)),
            _ => Self(Pages::Plain(vec![0.0; len])),
        }
    }
}

impl Deref for Sparse {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        match &self.0 {
            // SAFETY: a page begins where a number may, and any bytes are numbers.
            Pages::Map(map) => unsafe { map.align_to().1 },
            Pages::Plain(numbers) => numbers,
        }
    }
}

impl DerefMut for Sparse {
    fn deref_mut(&mut self) -> &mut [f32] {
        match &mut self.0 {
            // SAFETY: as above.
            Pages::Map(map) => unsafe { map.align_to_mut().1 },
            Pages::Plain(numbers) => numbers,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sparse_numbers_are_zero_until_written() {
        let mut sparse = Sparse::zeros(100_000);
        sparse[99_999] = 1.5;
        assert_eq!((sparse.len(), sparse[0], sparse[99_999]), (100_000, 0.0, 1.5));
        assert!(Sparse::zeros(0).is_empty());
    }
}
