//! Headers of safetensors files: <https://huggingface.co/docs/safetensors#format>.

use std::{
    collections::HashMap,
    fmt,
    ops::Range,
    path::{Path, PathBuf},
};

use graft_kernels::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};
use serde::{
    Deserialize,
    de::{Deserializer, Error as _, MapAccess, SeqAccess, Visitor},
};

use crate::Error;

/// Maximum header size of the format.
const MOST_HEADER: u64 = 100_000_000;
/// Maximum number of dimensions.
const MOST_DIMS: usize = 8;

/// A tensor as the header describes it; `range` counts from the start of the file.
pub(crate) struct Listed {
    pub(crate) name: String,
    pub(crate) dtype: Result<Dtype, String>,
    pub(crate) shape: Vec<usize>,
    pub(crate) range: Range<usize>,
}

/// Lists the tensors of a whole safetensors file. Offsets, sizes and types are consistent and inside the file.
pub(crate) fn list(path: &Path, file: &[u8]) -> Result<Vec<Listed>, Error> {
    let damaged = |what: &str| Error::Damaged { path: path.to_owned(), what: what.to_owned() };
    let (length, rest) = file.split_first_chunk::<8>().ok_or_else(|| damaged("it is shorter than 8 bytes"))?;
    let length = u64::from_le_bytes(*length);
    if length > MOST_HEADER || length > rest.len() as u64 {
        return Err(damaged("its header is longer than the file"));
    }
    let (header, data) = rest.split_at(length as usize);
    let header: Header =
        serde_json::from_slice(header).map_err(|source| Error::Json { path: path.to_owned(), source })?;
    let names: Vec<String> = header.tensors.iter().map(|(name, _)| name.clone()).collect();
    let checked = Metadata::new(None, header.tensors).map_err(|e| damaged(&e.to_string()))?;
    if checked.data_len() != data.len() {
        return Err(damaged("its tensors don't fill it exactly"));
    }
    let start = file.len() - data.len();
    let listed = names.into_iter().filter_map(|name| {
        let info = checked.info(&name)?;
        let range = start + info.data_offsets.0..start + info.data_offsets.1;
        Some(Listed { dtype: dtype(info.dtype), shape: info.shape.clone(), range, name })
    });
    Ok(listed.collect())
}

fn dtype(stored: safetensors::Dtype) -> Result<Dtype, String> {
    match stored {
        safetensors::Dtype::F32 => Ok(Dtype::F32),
        safetensors::Dtype::F16 => Ok(Dtype::F16),
        safetensors::Dtype::BF16 => Ok(Dtype::BF16),
        other => Err(format!("{other:?}")),
    }
}

/// Tensors sorted by offset. Unlike the crate's own type, it refuses duplicates and does not buffer the values.
struct Header {
    tensors: Vec<(String, TensorInfo)>,
}

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;
        impl<'de> Visitor<'de> for Names {
            type Value = Header;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of tensors")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Header, M::Error> {
                let mut tensors: Vec<(String, TensorInfo)> = Vec::new();
                while let Some(name) = map.next_key::<String>()? {
                    if name == "__metadata__" {
                        map.next_value::<HashMap<String, String>>()?;
                        continue;
                    }
                    let Described { dtype, shape, data_offsets } = map.next_value()?;
                    tensors.push((name, TensorInfo { dtype, shape: shape.0, data_offsets }));
                }
                tensors.sort_by(|a, b| a.0.cmp(&b.0));
                if let Some(pair) = tensors.windows(2).find(|pair| pair[0].0 == pair[1].0) {
                    return Err(M::Error::custom(format!("tensor `{}` is listed twice", pair[0].0)));
                }
                tensors.sort_by_key(|(_, info)| info.data_offsets);
                Ok(Header { tensors })
            }
        }
        deserializer.deserialize_map(Names)
    }
}

#[derive(Deserialize)]
struct Described {
    dtype: safetensors::Dtype,
    shape: Dims,
    data_offsets: (usize, usize),
}

/// A shape of at most [`MOST_DIMS`] dimensions.
struct Dims(Vec<usize>);

impl<'de> Deserialize<'de> for Dims {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Few;
        impl<'de> Visitor<'de> for Few {
            type Value = Dims;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "at most {MOST_DIMS} dimensions")
            }

            fn visit_seq<S: SeqAccess<'de>>(self, mut seq: S) -> Result<Dims, S::Error> {
                let mut dims = Vec::new();
                while let Some(dim) = seq.next_element()? {
                    if dims.len() == MOST_DIMS {
                        return Err(S::Error::invalid_length(MOST_DIMS + 1, &self));
                    }
                    dims.push(dim);
                }
                Ok(Dims(dims))
            }
        }
        deserializer.deserialize_seq(Few)
    }
}

/// Shard files of a `model.safetensors.index.json`, without repetition, sorted by name.
pub(crate) fn shards(path: &Path, index: &[u8]) -> Result<Vec<PathBuf>, Error> {
    #[derive(Deserialize)]
    struct Index {
        weight_map: HashMap<String, String>,
    }
    let index: Index = serde_json::from_slice(index).map_err(|source| Error::Json { path: path.to_owned(), source })?;
    let mut names: Vec<String> = index.weight_map.into_values().collect();
    names.sort();
    names.dedup();
    let folder = path.parent().unwrap_or(Path::new(""));
    let inside = |name: String| {
        // A name with a path could refer to any file of this machine.
        let plain = Path::new(&name).file_name().is_some_and(|file| file == name.as_str());
        let what = || format!("shard `{name}` is not a file beside it");
        if plain { Ok(folder.join(&name)) } else { Err(Error::Damaged { path: path.to_owned(), what: what() }) }
    };
    names.into_iter().map(inside).collect()
}
