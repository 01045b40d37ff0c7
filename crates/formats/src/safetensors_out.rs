//! Writing of safetensors files.

use std::{collections::BTreeMap, io, path::Path};

use graft_kernels::{Dtype, quantize};
use serde_json::{Map, json};

use crate::{Error, TensorBytes, atomic, peft::Values};

/// A tensor to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorSpec {
    /// Unique in its file.
    pub name: String,
    /// `F32`, `F16` or `BF16`.
    pub dtype: Dtype,
    /// Any number of dimensions.
    pub shape: Vec<usize>,
}

/// What a tensor holds.
pub enum Data {
    /// Bytes of the tensor's type.
    Stored(TensorBytes),
    /// Values, which are rounded to the tensor's type.
    Values(Vec<f32>),
}

/// Writes tensors, one at a time: `data` returns each in order, and only one is held in memory.
///
/// # Errors
/// If a value is too large for its type, or if the write or `data` fails.
///
/// # Panics
/// If the amount of data does not match the shape.
pub fn write<E: From<Error>>(
    path: &Path,
    specs: &[TensorSpec],
    mut data: impl FnMut(&TensorSpec) -> Result<Data, E>,
) -> Result<(), E> {
    let header = header(specs);
    atomic::file(path, |out| {
        let mut write = |bytes: &[u8]| out.write_all(bytes);
        let start = write(&(header.len() as u64).to_le_bytes()).and_then(|()| write(&header));
        if start.is_err() {
            return Ok(start);
        }
        for spec in specs {
            let written = match data(spec)? {
                Data::Stored(stored) => {
                    assert_eq!(stored.bytes().len(), spec.bytes(), "bytes of `{}`", spec.name);
                    write(stored.bytes())
                }
                Data::Values(values) => {
                    assert_eq!(values.len(), spec.shape.iter().product::<usize>(), "values of `{}`", spec.name);
                    let too_large = || {
                        let what = format!("a value is too large for {:?}", spec.dtype);
                        Error::BadTensor { path: path.to_owned(), name: spec.name.clone(), what }
                    };
                    write(&quantize(spec.dtype, &values).ok_or_else(too_large)?)
                }
            };
            if written.is_err() {
                return Ok(written);
            }
        }
        Ok::<io::Result<()>, E>(Ok(()))
    })
}

impl TensorSpec {
    fn bytes(&self) -> usize {
        self.dtype.block_bytes() * self.shape.iter().product::<usize>()
    }
}

/// A whole file in memory, for adapters.
pub(crate) fn to_bytes(tensors: &BTreeMap<String, Values>) -> Vec<u8> {
    let spec = |(name, (shape, _)): (&String, &Values)| TensorSpec {
        name: name.clone(),
        dtype: Dtype::F32,
        shape: shape.clone(),
    };
    let specs: Vec<TensorSpec> = tensors.iter().map(spec).collect();
    let header = header(&specs);
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header);
    for (_, values) in tensors.values() {
        file.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    }
    file
}

/// The header, padded with spaces so that the data is aligned to 8 bytes.
fn header(specs: &[TensorSpec]) -> Vec<u8> {
    let mut map = Map::new();
    map.insert("__metadata__".into(), json!({ "format": "pt" }));
    let mut at = 0;
    for spec in specs {
        let (end, dtype) = (at + spec.bytes(), format!("{:?}", spec.dtype));
        map.insert(spec.name.clone(), json!({ "dtype": dtype, "shape": spec.shape, "data_offsets": [at, end] }));
        at = end;
    }
    let mut header = serde_json::Value::Object(map).to_string().into_bytes();
    header.resize(header.len().next_multiple_of(8), b' ');
    header
}
