use std::{
    fs::File,
    io,
    ops::{Deref, DerefMut},
};

/// A read-only view of a file's bytes.
pub type Map = memmap2::Mmap;

/// Maps a whole file into memory, read-only.
///
/// Model files are replaced by renaming and never rewritten in place, so the bytes don't change. (If another program
/// truncates a mapped file, this process is killed by SIGBUS.)
///
/// # Errors
/// If the operating system refuses.
pub fn map_file(file: &File) -> io::Result<Map> {
    #[expect(unsafe_code, reason = "mapping is only safe if the file is not rewritten in place, see above")]
    // SAFETY: the map is read-only, outlives no pointer into it, and its bytes are read as plain `u8` only.
    unsafe {
        memmap2::MmapOptions::new().map(file)
    }
}

/// A file's bytes as f32, if they are aligned and the machine is little-endian like the file.
#[must_use]
pub fn floats(bytes: &[u8]) -> Option<&[f32]> {
    // SAFETY: every four bytes are an `f32`, and the middle part is aligned.
    let (before, numbers, after) = unsafe { bytes.align_to::<f32>() };
    (cfg!(target_endian = "little") && before.is_empty() && after.is_empty()).then_some(numbers)
}

/// A zeroed buffer whose memory is committed page by page as it is written. An allocator may use pages of 2 MB, most of
/// which a sparsely filled KV cache would waste.
#[derive(Debug)]
pub struct Sparse(Pages);

#[derive(Debug)]
enum Pages {
    Map(memmap2::MmapMut),
    /// On systems without anonymous maps.
    Plain(Vec<f32>),
}

impl Sparse {
    /// A buffer of `len` zeros.
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
            // SAFETY: a page is aligned for numbers, and any bytes are valid numbers.
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
