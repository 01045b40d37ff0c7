//! Writing of GGUF files.

use std::{borrow::Cow, io, path::Path};

use crate::{Error, atomic};

/// The alignment of tensors in files that don't name another, in bytes.
pub(crate) const ALIGNMENT: usize = 32;

/// ggml's type numbers of metadata values.
mod kind {
    pub(super) const U32: u32 = 4;
    pub(super) const F32: u32 = 6;
    pub(super) const TEXT: u32 = 8;
}

/// A tensor to be written.
pub(crate) struct Planned<'a> {
    pub(crate) name: Cow<'a, str>,
    /// Rows first, as Hugging Face has it (ggml's order is the opposite).
    pub(crate) shape: Vec<usize>,
    /// ggml's number of its type.
    pub(crate) kind: u32,
    /// Length of its data.
    pub(crate) bytes: usize,
}

/// A metadata entry with a text.
pub(crate) fn text(key: &str, value: &str) -> Vec<u8> {
    entry(key, kind::TEXT, prefixed(value))
}

/// A metadata entry with a whole number.
pub(crate) fn u32(key: &str, value: u32) -> Vec<u8> {
    entry(key, kind::U32, value.to_le_bytes().to_vec())
}

/// A metadata entry with a number.
pub(crate) fn f32(key: &str, value: f32) -> Vec<u8> {
    entry(key, kind::F32, value.to_le_bytes().to_vec())
}

fn entry(key: &str, kind: u32, value: Vec<u8>) -> Vec<u8> {
    [prefixed(key), kind.to_le_bytes().to_vec(), value].concat()
}

/// A text after its length.
fn prefixed(text: &str) -> Vec<u8> {
    [&(text.len() as u64).to_le_bytes(), text.as_bytes()].concat()
}

/// Writes a file of metadata entries (as [`text`] and the others make them) and tensors. `data` returns the bytes of each
/// tensor in order, and only those of one are held in memory.
///
/// # Errors
/// If the write or `data` fails.
///
/// # Panics
/// If a tensor has other than the planned number of bytes.
pub(crate) fn write<'d, E: From<Error>>(
    path: &Path,
    alignment: usize,
    entries: &[Cow<'_, [u8]>],
    tensors: &[Planned<'_>],
    mut data: impl FnMut(usize) -> Result<Cow<'d, [u8]>, E>,
) -> Result<(), E> {
    let header = header(alignment, entries, tensors);
    atomic::file(path, |out| {
        let mut write = |bytes: &[u8]| -> io::Result<()> {
            out.write_all(bytes)?;
            out.write_all(&vec![0; bytes.len().next_multiple_of(alignment) - bytes.len()])
        };
        if let Err(e) = write(&header) {
            return Ok(Err(e));
        }
        for (index, tensor) in tensors.iter().enumerate() {
            let bytes = data(index)?;
            assert_eq!(bytes.len(), tensor.bytes, "bytes of `{}`", tensor.name);
            if let Err(e) = write(&bytes) {
                return Ok(Err(e));
            }
        }
        Ok::<io::Result<()>, E>(Ok(()))
    })
}

fn header(alignment: usize, entries: &[Cow<'_, [u8]>], tensors: &[Planned<'_>]) -> Vec<u8> {
    let mut header = b"GGUF".to_vec();
    header.extend(3u32.to_le_bytes());
    header.extend((tensors.len() as u64).to_le_bytes());
    header.extend((entries.len() as u64).to_le_bytes());
    entries.iter().for_each(|entry| header.extend_from_slice(entry));
    let mut offset = 0;
    for tensor in tensors {
        header.extend(prefixed(&tensor.name));
        header.extend((tensor.shape.len() as u32).to_le_bytes());
        header.extend(tensor.shape.iter().rev().flat_map(|dim| (*dim as u64).to_le_bytes()));
        header.extend(tensor.kind.to_le_bytes());
        header.extend((offset as u64).to_le_bytes());
        offset += tensor.bytes.next_multiple_of(alignment);
    }
    header
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::gguf::reader::Gguf;

    /// A value of any type as stored, with its type number.
    fn value() -> impl Strategy<Value = (u32, Vec<u8>)> {
        let width = |kind: u32| match kind {
            0 | 1 | 7 => 1,
            2 | 3 => 2,
            4..=6 => 4,
            _ => 8,
        };
        let kinds = || prop::sample::select(vec![0u32, 1, 2, 3, 4, 5, 6, 7, 10, 11, 12]);
        // A boolean is 0 or 1.
        let number = move |kind: u32| prop::collection::vec(if kind == 7 { 0..=1u8 } else { 0..=u8::MAX }, width(kind));
        let texts = prop::collection::vec(".{0,8}", 0..5).prop_map(|texts| {
            let stored: Vec<u8> = texts.iter().flat_map(|text| prefixed(text)).collect();
            (9, [&kind::TEXT.to_le_bytes()[..], &(texts.len() as u64).to_le_bytes(), &stored].concat())
        });
        let numbers = (kinds(), 0..5usize).prop_flat_map(move |(kind, count)| {
            prop::collection::vec(number(kind), count).prop_map(move |list| {
                let head = [&kind.to_le_bytes()[..], &(list.len() as u64).to_le_bytes()].concat();
                (9, [head, list.concat()].concat())
            })
        });
        prop_oneof![
            kinds().prop_flat_map(move |kind| number(kind).prop_map(move |bytes| (kind, bytes))),
            ".{0,20}".prop_map(|text| (kind::TEXT, prefixed(&text))),
            texts,
            numbers,
        ]
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            values in prop::collection::vec(value(), 0..12),
            sizes in prop::collection::vec((1..4usize, 1..70usize), 0..5),
            alignment in prop::sample::select(vec![8usize, 32, 64]),
        ) {
            let mut entries: Vec<Vec<u8>> =
                values.into_iter().enumerate().map(|(i, (kind, value))| entry(&format!("key.{i}"), kind, value)).collect();
            entries.push(u32("general.alignment", alignment as u32));
            let planned: Vec<Planned<'_>> = sizes
                .iter()
                .enumerate()
                .map(|(i, &(rows, cols))| Planned {
                    name: format!("tensor.{i}").into(),
                    shape: vec![rows, cols],
                    kind: 1,
                    bytes: 2 * rows * cols,
                })
                .collect();
            let data = |index: usize| vec![index as u8 + 1; planned[index].bytes];
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("written.gguf");
            let borrowed: Vec<Cow<'_, [u8]>> = entries.iter().map(|entry| Cow::Borrowed(entry.as_slice())).collect();
            write(&path, alignment, &borrowed, &planned, |index| Ok::<_, Error>(data(index).into())).unwrap();

            let file = std::fs::read(&path).unwrap();
            let read = Gguf::parse(&file).unwrap();
            prop_assert_eq!(read.alignment, alignment);
            prop_assert_eq!(read.entries.iter().map(|(_, stored)| stored.to_vec()).collect::<Vec<_>>(), entries);
            prop_assert_eq!(read.metadata.len(), read.entries.len());
            prop_assert_eq!(read.tensors.len(), planned.len());
            for (index, (found, planned)) in read.tensors.iter().zip(&planned).enumerate() {
                prop_assert_eq!(found.name, planned.name.as_ref());
                prop_assert_eq!((&found.shape, found.kind), (&planned.shape, planned.kind));
                prop_assert_eq!(&file[found.range.clone()], data(index));
            }
        }
    }
}
