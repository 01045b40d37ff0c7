//! Copies of a GGUF model in which some matrices have other values.

use std::{borrow::Cow, collections::BTreeSet, path::Path};

use graft_kernels::{Dtype, quantize};

use crate::{
    Error,
    gguf::{self, Listed, Meta, writer},
    tensors::RowOrder,
};

/// What differs in the copy.
#[derive(Clone, Copy, Debug)]
pub struct Changes<'a> {
    /// `general.name`.
    pub name: &'a str,
    /// Hugging Face names of the matrices with other values.
    pub matrices: &'a BTreeSet<String>,
    /// Their type: `F32`, `F16` or `Q8_0`. Rows that aren't whole blocks are stored as `F16`.
    pub dtype: Dtype,
}

/// Copies a model (of several parts, into one file): metadata and other tensors byte for byte. `values` returns the new
/// values of a matrix, with rows in Hugging Face's order.
///
/// # Errors
/// If the model can't be read or lacks a matrix, if a value is too large for the type, or if the write or `values` fails.
///
/// # Panics
/// If the number of values does not match the shape.
pub fn write<E: From<Error>>(
    from: &Path,
    to: &Path,
    changes: Changes<'_>,
    mut values: impl FnMut(&str) -> Result<Vec<f32>, E>,
) -> Result<(), E> {
    let paths = gguf::part_paths(from);
    let maps = gguf::maps(&paths)?;
    let meta = Meta::parse(&paths, &maps)?;
    let config = gguf::config(&meta)?;
    let mut tensors = Vec::new();
    for (map, listed) in meta.tensors() {
        let name = gguf::hugging_face_name(listed.name, &config).filter(|(name, _)| changes.matrices.contains(name));
        if let (None, Err(kind)) = (&name, &listed.dtype) {
            let what = format!("its type is {kind}");
            return Err(Error::BadTensor { path: from.to_owned(), name: listed.name.to_owned(), what }.into());
        }
        tensors.push((
            &map[listed.range.clone()],
            listed,
            name.map(|(name, order)| Change::of(listed, name, order, changes)),
        ));
    }
    let found: BTreeSet<&str> =
        tensors.iter().filter_map(|(.., change)| Some(change.as_ref()?.name.as_str())).collect();
    if let Some(name) = changes.matrices.iter().find(|name| !found.contains(name.as_str())) {
        return Err(Error::NoTensor { path: from.to_owned(), name: name.clone() }.into());
    }
    let planned: Vec<writer::Planned<'_>> = tensors
        .iter()
        .map(|(bytes, listed, change)| writer::Planned {
            name: listed.name.into(),
            shape: listed.shape.clone(),
            kind: change.as_ref().map_or(listed.kind, |change| type_number(change.dtype)),
            bytes: change.as_ref().map_or(bytes.len(), |change| change.bytes(listed)),
        })
        .collect();
    let entries = entries(&meta, changes.name, file_type(&planned, changes.dtype));
    writer::write(to, meta.alignment(), &entries, &planned, |index| {
        let (bytes, listed, change) = &tensors[index];
        let Some(change) = change else { return Ok(Cow::Borrowed(*bytes)) };
        let stored = change.stored(listed, &values(&change.name)?);
        let too_large = || {
            let what = format!("a value is too large for {:?}", change.dtype);
            Error::BadTensor { path: to.to_owned(), name: change.name.clone(), what }
        };
        Ok(Cow::Owned(stored.ok_or_else(too_large)?))
    })
}

/// A matrix with other values.
struct Change {
    /// Hugging Face's.
    name: String,
    order: RowOrder,
    dtype: Dtype,
}

impl Change {
    fn of(listed: &Listed<'_>, name: String, order: RowOrder, changes: Changes<'_>) -> Self {
        let cols = listed.shape.last().copied().unwrap_or_default();
        let dtype = if changes.dtype.row_bytes(cols).is_some() { changes.dtype } else { Dtype::F16 };
        Self { name, order, dtype }
    }

    fn bytes(&self, listed: &Listed<'_>) -> usize {
        listed.shape.iter().product::<usize>() / self.dtype.block_len() * self.dtype.block_bytes()
    }

    /// The values as the file has them; `None` if one is too large for the type.
    fn stored(&self, listed: &Listed<'_>, values: &[f32]) -> Option<Vec<u8>> {
        assert_eq!(values.len(), listed.shape.iter().product::<usize>(), "values of `{}`", self.name);
        let cols = listed.shape.last().copied().unwrap_or(1).max(1);
        let rows = values.len() / cols;
        let mut stored = Vec::with_capacity(self.bytes(listed));
        for row in 0..rows {
            let from = self.order.plain_row(row, rows) * cols;
            stored.extend(quantize(self.dtype, &values[from..from + cols])?);
        }
        Some(stored)
    }
}

/// ggml's number of a type that is written.
fn type_number(dtype: Dtype) -> u32 {
    match dtype {
        Dtype::F16 => 1,
        Dtype::Q8_0 => 8,
        _ => 0,
    }
}

/// `general.file_type`, llama.cpp's number of the type that most values have, if that is the new one.
fn file_type(planned: &[writer::Planned<'_>], dtype: Dtype) -> Option<u32> {
    let matrices = planned.iter().filter(|tensor| tensor.shape.len() > 1);
    let values = |tensor: &&writer::Planned<'_>| tensor.shape.iter().product::<usize>();
    let (new, kept): (Vec<_>, Vec<_>) = matrices.partition(|tensor| tensor.kind == type_number(dtype));
    let most = new.iter().map(values).sum::<usize>() > kept.iter().map(values).sum();
    most.then_some(match dtype {
        Dtype::F16 => 1,
        Dtype::Q8_0 => 7,
        _ => 0,
    })
}

/// The metadata entries of the copy, in the order of the original.
fn entries<'a>(meta: &Meta<'a>, name: &str, file_type: Option<u32>) -> Vec<Cow<'a, [u8]>> {
    /// ggml's `GGML_QNT_VERSION`.
    const QUANTIZATION: u32 = 2;
    let (named, typed, quantized) = ("general.name", "general.file_type", "general.quantization_version");
    let mut own = vec![(named, writer::text(named, name))];
    own.extend(file_type.map(|number| (typed, writer::u32(typed, number))));
    if meta.get(quantized).is_none() {
        own.push((quantized, writer::u32(quantized, QUANTIZATION)));
    }
    // The copy is one file.
    let kept = meta.entries().iter().filter(|(key, _)| !key.starts_with("split."));
    let mut entries: Vec<Cow<'a, [u8]>> = kept
        .map(|(key, stored)| match own.iter().position(|(own, _)| own == key) {
            Some(place) => Cow::Owned(own.swap_remove(place).1),
            None => Cow::Borrowed(*stored),
        })
        .collect();
    entries.extend(own.into_iter().map(|(_, stored)| Cow::Owned(stored)));
    entries
}

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeMap,
        path::{Path, PathBuf},
    };

    use super::*;
    use crate::ModelFiles;

    fn data(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
    }

    /// The stored entries of a model, by their keys.
    fn entries_of(path: &Path) -> BTreeMap<String, Vec<u8>> {
        let paths = gguf::part_paths(path);
        let maps = gguf::maps(&paths).unwrap();
        let meta = Meta::parse(&paths, &maps).unwrap();
        meta.entries().iter().map(|(key, stored)| ((*key).to_owned(), stored.to_vec())).collect()
    }

    fn bytes(files: &ModelFiles, name: &str, shape: &[usize]) -> Vec<u8> {
        files.tensor(name, shape).unwrap().bytes().to_vec()
    }

    #[test]
    fn copy_differs_in_the_changed_matrices_only() {
        for (from, dtype) in [("tiny-gpt2.gguf", Dtype::F32), ("tiny-split-00002-of-00002.gguf", Dtype::Q8_0)] {
            let files = crate::open(&data(from)).unwrap();
            let changed = "model.layers.0.self_attn.q_proj.weight";
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("copy.gguf");
            let changes = Changes { name: "a copy", matrices: &[changed.to_owned()].into(), dtype };
            // Each row holds its number in Hugging Face's order.
            let values = |_: &str| Ok::<_, Error>((0..64).flat_map(|row| [row as f32; 64]).collect());
            write(&data(from), &path, changes, values).unwrap();

            let copy = crate::open(&path).unwrap();
            assert_eq!(copy.config, files.config);
            for (name, shape) in files.tensors.iter().filter(|(name, _)| *name != changed) {
                assert_eq!(bytes(&copy, name, shape), bytes(&files, name, shape), "{name}");
            }
            let stored = copy.tensor(changed, &[64, 64]).unwrap();
            assert_eq!(stored.dtype, dtype);
            let rows = stored.to_f32();
            assert!(rows.chunks(64).enumerate().all(|(row, values)| (values[7] - row as f32).abs() < 0.03), "{rows:?}");

            let (before, mut after) = (entries_of(&data(from)), entries_of(&path));
            assert_eq!(after.remove("general.name"), Some(writer::text("general.name", "a copy")));
            assert!(after.remove("general.quantization_version").is_some());
            for (key, stored) in
                before.iter().filter(|(key, _)| !key.starts_with("split.") && !key.starts_with("general."))
            {
                assert_eq!(after.get(key), Some(stored), "{key}");
            }
            assert!(!after.keys().any(|key| key.starts_with("split.")));
        }
    }

    #[test]
    fn file_type_follows_most_of_the_values() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("copy.gguf");
        let files = crate::open(&data("tiny-gpt2.gguf")).unwrap();
        let all: BTreeSet<String> =
            files.tensors.iter().filter(|(_, shape)| shape.len() == 2).map(|(name, _)| name.to_owned()).collect();
        let one = [String::from("model.layers.0.self_attn.k_proj.weight")].into();
        let file_type = |matrices: &BTreeSet<String>| {
            let changes = Changes { name: "a copy", matrices, dtype: Dtype::F16 };
            let shapes: BTreeMap<&str, &[usize]> = files.tensors.iter().collect();
            let values = |name: &str| Ok::<_, Error>(files.tensor(name, shapes[name])?.to_f32());
            write(&data("tiny-gpt2.gguf"), &path, changes, values).unwrap();
            entries_of(&path).remove("general.file_type")
        };
        assert_eq!(file_type(&all), Some(writer::u32("general.file_type", 1)));
        assert_eq!(file_type(&one), entries_of(&data("tiny-gpt2.gguf")).remove("general.file_type"));
    }

    #[test]
    fn missing_matrices_and_large_values_are_errors() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("copy.gguf");
        let copy = |name: &str, value: f32| {
            let changes = Changes { name: "a copy", matrices: &[name.to_owned()].into(), dtype: Dtype::F16 };
            write(&data("tiny-gpt2.gguf"), &path, changes, |_| Ok::<_, Error>(vec![value; 64 * 64]))
        };
        assert!(matches!(copy("model.layers.9.self_attn.q_proj.weight", 1.0), Err(Error::NoTensor { .. })));
        assert!(matches!(copy("model.layers.0.self_attn.q_proj.weight", 1e5), Err(Error::BadTensor { .. })));
        assert!(!path.exists(), "nothing is left");
    }
}
