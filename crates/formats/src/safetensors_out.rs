//! Writing of safetensors files.

use std::{collections::BTreeMap, io, path::Path};

use serde_json::{Map, json};

use crate::{Error, atomic, peft::Values};

/// Name and shape of a tensor to be written as F32.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorSpec {
    /// Unique in its file.
    pub name: String,
    /// Any number of dimensions.
    pub shape: Vec<usize>,
}

/// Writes tensors as F32, one at a time: `values` returns each in order, and only one is held in memory.
///
/// # Errors
/// If the write or `values` fails.
///
/// # Panics
/// If the number of values does not match the shape.
pub fn write<E: From<Error>>(
    path: &Path,
    specs: &[TensorSpec],
    mut values: impl FnMut(&TensorSpec) -> Result<Vec<f32>, E>,
) -> Result<(), E> {
    let header = header(specs);
    atomic::file(path, |out| {
        let mut write = |bytes: &[u8]| out.write_all(bytes);
        let start = write(&(header.len() as u64).to_le_bytes()).and_then(|()| write(&header));
        if start.is_err() {
            return Ok(start);
        }
        for spec in specs {
            let values = values(spec)?;
            assert_eq!(values.len(), spec.shape.iter().product::<usize>(), "values of `{}`", spec.name);
            if let Err(e) = values.iter().try_for_each(|value| write(&value.to_le_bytes())) {
                return Ok(Err(e));
            }
        }
        Ok::<io::Result<()>, E>(Ok(()))
    })
}

/// A whole file in memory, for adapters.
pub(crate) fn to_bytes(tensors: &BTreeMap<String, Values>) -> Vec<u8> {
    let specs: Vec<TensorSpec> =
        tensors.iter().map(|(name, (shape, _))| TensorSpec { name: name.clone(), shape: shape.clone() }).collect();
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
        let end = at + 4 * spec.shape.iter().product::<usize>();
        map.insert(spec.name.clone(), json!({ "dtype": "F32", "shape": spec.shape, "data_offsets": [at, end] }));
        at = end;
    }
    let mut header = serde_json::Value::Object(map).to_string().into_bytes();
    header.resize(header.len().next_multiple_of(8), b' ');
    header
}
