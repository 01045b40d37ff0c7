//! The GGUF container: <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>. Only lists of names are copied, and
//! every length is checked against the remaining bytes before use.

use std::{collections::BTreeMap, ops::Range};

use graft_kernels::Dtype;

use super::writer::ALIGNMENT;

/// Maximum number of entries: more than any real file has, and few enough to keep in memory.
const MOST_ENTRIES: u64 = 1 << 16;
const MOST_DIMS: u32 = 4;

/// A file's metadata and tensor list.
pub(crate) struct Gguf<'a> {
    pub(crate) metadata: BTreeMap<&'a str, Value<'a>>,
    /// Each metadata entry as stored (key, type and value), in the file's order.
    pub(crate) entries: Vec<(&'a str, &'a [u8])>,
    /// Alignment of the tensors, in bytes.
    pub(crate) alignment: usize,
    pub(crate) tensors: Vec<Listed<'a>>,
}

/// A tensor; `range` counts from the start of the file and has the length that type and shape require.
pub(crate) struct Listed<'a> {
    pub(crate) name: &'a str,
    pub(crate) dtype: Result<Dtype, String>,
    /// ggml's number of the type.
    pub(crate) kind: u32,
    /// Rows first, as Hugging Face has it (ggml's order is the opposite).
    pub(crate) shape: Vec<usize>,
    pub(crate) range: Range<usize>,
}

/// A metadata value; integers of all widths are one variant.
#[derive(Debug)]
pub(crate) enum Value<'a> {
    Int(i128),
    Float(f64),
    Bool(bool),
    Text(&'a str),
    Texts(Vec<&'a str>),
    Numbers(Numbers<'a>),
}

/// An array of numbers or booleans, as stored.
#[derive(Debug)]
pub(crate) struct Numbers<'a> {
    kind: u32,
    bytes: &'a [u8],
}

impl<'a> Numbers<'a> {
    pub(crate) fn iter(&self) -> impl Iterator<Item = Value<'a>> {
        let kind = self.kind;
        self.bytes.chunks_exact(width(kind).unwrap_or(1)).filter_map(move |bytes| scalar(kind, bytes))
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len() / width(self.kind).unwrap_or(1)
    }
}

impl Value<'_> {
    pub(crate) fn as_int<T: TryFrom<i128>>(&self) -> Option<T> {
        match self {
            Self::Int(n) => T::try_from(*n).ok(),
            _ => None,
        }
    }

    pub(crate) fn as_float(&self) -> Option<f64> {
        match self {
            Self::Float(x) => Some(*x).filter(|x| x.is_finite()),
            Self::Int(n) => Some(*n as f64),
            _ => None,
        }
    }

    /// A short form for error messages.
    pub(crate) fn brief(&self) -> String {
        match self {
            Self::Int(n) => n.to_string(),
            Self::Float(x) => x.to_string(),
            Self::Bool(b) => b.to_string(),
            Self::Text(text) => text.chars().take(60).collect(),
            Self::Texts(list) => format!("a list of {} texts", list.len()),
            Self::Numbers(list) => format!("a list of {} numbers", list.len()),
        }
    }
}

/// Bytes of a number of this kind.
fn width(kind: u32) -> Option<usize> {
    match kind {
        0 | 1 | 7 => Some(1),
        2 | 3 => Some(2),
        4..=6 => Some(4),
        10..=12 => Some(8),
        _ => None,
    }
}

fn scalar<'a>(kind: u32, bytes: &[u8]) -> Option<Value<'a>> {
    let mut wide = [0; 8];
    wide.get_mut(..bytes.len())?.copy_from_slice(bytes);
    let unsigned = u64::from_le_bytes(wide);
    Some(match kind {
        0 | 2 | 4 | 10 => Value::Int(unsigned.into()),
        1 => Value::Int((unsigned as u8).cast_signed().into()),
        3 => Value::Int((unsigned as u16).cast_signed().into()),
        5 => Value::Int((unsigned as u32).cast_signed().into()),
        11 => Value::Int(unsigned.cast_signed().into()),
        6 => Value::Float(f32::from_bits(unsigned as u32).into()),
        12 => Value::Float(f64::from_bits(unsigned)),
        7 if unsigned <= 1 => Value::Bool(unsigned == 1),
        _ => return None,
    })
}

/// The remaining bytes.
struct Cursor<'a> {
    rest: &'a [u8],
    wrong: &'static str,
}

type Parsed<T> = Result<T, String>;

impl<'a> Cursor<'a> {
    fn take(&mut self, n: u64) -> Parsed<&'a [u8]> {
        let n = usize::try_from(n).ok().filter(|n| *n <= self.rest.len());
        let n = n.ok_or_else(|| format!("{} run past the end of the file", self.wrong))?;
        let (taken, rest) = self.rest.split_at(n);
        self.rest = rest;
        Ok(taken)
    }

    fn u32(&mut self) -> Parsed<u32> {
        self.take(4).map(|b| b.iter().rev().fold(0, |n, byte| n << 8 | u32::from(*byte)))
    }

    fn u64(&mut self) -> Parsed<u64> {
        self.take(8).map(|b| b.iter().rev().fold(0, |n, byte| n << 8 | u64::from(*byte)))
    }

    fn text(&mut self) -> Parsed<&'a str> {
        let length = self.u64()?;
        std::str::from_utf8(self.take(length)?).map_err(|_| format!("{} hold a text that is not UTF-8", self.wrong))
    }

    fn value(&mut self) -> Parsed<Value<'a>> {
        match self.u32()? {
            8 => self.text().map(Value::Text),
            9 => self.array(),
            kind => {
                let width = width(kind).ok_or_else(|| format!("{} have an unknown type {kind}", self.wrong))?;
                let bytes = self.take(width as u64)?;
                scalar(kind, bytes).ok_or_else(|| format!("{} hold a bad boolean", self.wrong))
            }
        }
    }

    fn array(&mut self) -> Parsed<Value<'a>> {
        let (kind, count) = (self.u32()?, self.u64()?);
        if kind == 8 {
            // Each text takes at least the 8 bytes of its length, so a false count fails before memory is allocated.
            if count > self.rest.len() as u64 / 8 {
                return Err(format!("{} claim {count} texts", self.wrong));
            }
            return (0..count).map(|_| self.text()).collect::<Parsed<_>>().map(Value::Texts);
        }
        let width = width(kind).ok_or_else(|| format!("{} hold an array of unknown type {kind}", self.wrong))?;
        let bytes = self.take(count.saturating_mul(width as u64))?;
        Ok(Value::Numbers(Numbers { kind, bytes }))
    }
}

impl<'a> Gguf<'a> {
    /// Reads everything but the weights.
    pub(crate) fn parse(file: &'a [u8]) -> Parsed<Self> {
        let mut cursor = Cursor { rest: file, wrong: "its first bytes" };
        if cursor.take(4)? != b"GGUF" {
            return Err("it doesn't start with `GGUF`".into());
        }
        let version = cursor.u32()?;
        if !(2..=3).contains(&version) {
            return Err(format!("its GGUF version {version} is not 2 or 3 (little-endian)"));
        }
        let (tensors, entries) = (cursor.u64()?, cursor.u64()?);
        if tensors > MOST_ENTRIES || entries > MOST_ENTRIES {
            return Err(format!("it claims {tensors} tensors and {entries} metadata entries"));
        }
        cursor.wrong = "its metadata";
        let (mut metadata, mut stored) = (BTreeMap::new(), Vec::new());
        for _ in 0..entries {
            let before = cursor.rest;
            let (key, value) = (cursor.text()?, cursor.value()?);
            stored.push((key, &before[..before.len() - cursor.rest.len()]));
            if metadata.insert(key, value).is_some() {
                return Err(format!("metadata `{}` is stored twice", Value::Text(key).brief()));
            }
        }
        let alignment = metadata.get("general.alignment").map_or(Some(ALIGNMENT), Value::as_int::<usize>);
        let alignment = alignment.filter(|a| a.is_power_of_two() && *a <= 1 << 16).ok_or("its alignment is invalid")?;
        cursor.wrong = "its tensor descriptions";
        let described: Vec<_> = (0..tensors).map(|_| Described::read(&mut cursor)).collect::<Parsed<_>>()?;
        let start = (file.len() - cursor.rest.len()).next_multiple_of(alignment);
        let placed = described.into_iter().map(|d| d.place(start, alignment, file.len()));
        let tensors: Vec<Listed<'a>> = placed.collect::<Parsed<_>>()?;
        refuse_overlaps(&tensors)?;
        Ok(Self { metadata, entries: stored, alignment, tensors })
    }
}

/// A tensor description as stored.
struct Described<'a> {
    name: &'a str,
    shape: Vec<usize>,
    kind: u32,
    offset: u64,
}

impl<'a> Described<'a> {
    fn read(cursor: &mut Cursor<'a>) -> Parsed<Self> {
        let (name, dims) = (cursor.text()?, cursor.u32()?);
        if dims == 0 || dims > MOST_DIMS {
            return Err(format!("tensor `{name}` has {dims} dimensions"));
        }
        let mut shape = Vec::with_capacity(dims as usize);
        for _ in 0..dims {
            shape.push(usize::try_from(cursor.u64()?).map_err(|e| e.to_string())?);
        }
        shape.reverse();
        Ok(Self { name, shape, kind: cursor.u32()?, offset: cursor.u64()? })
    }

    fn place(self, data: usize, alignment: usize, file: usize) -> Parsed<Listed<'a>> {
        let Self { name, shape, kind, offset } = self;
        let dtype = dtype(kind);
        let Ok(known) = dtype else {
            return Ok(Listed { name, dtype, kind, shape, range: 0..0 });
        };
        let cols = shape.last().copied().unwrap_or_default();
        let rows = shape.iter().rev().skip(1).try_fold(1usize, |n, dim| n.checked_mul(*dim));
        let size = known.row_bytes(cols).zip(rows).and_then(|(row, rows)| row.checked_mul(rows));
        let start =
            usize::try_from(offset).ok().filter(|o| o.is_multiple_of(alignment)).and_then(|o| o.checked_add(data));
        let end = start.zip(size).and_then(|(start, size)| start.checked_add(size));
        match (start, end) {
            (Some(start), Some(end)) if end <= file && start < end => {
                Ok(Listed { name, dtype, kind, shape, range: start..end })
            }
            _ => Err(format!("tensor `{name}` of shape {shape:?} doesn't lie within the file")),
        }
    }
}

fn refuse_overlaps(tensors: &[Listed<'_>]) -> Parsed<()> {
    let mut ranges: Vec<(usize, usize)> =
        tensors.iter().filter(|t| t.dtype.is_ok()).map(|t| (t.range.start, t.range.end)).collect();
    ranges.sort_unstable();
    match ranges.windows(2).any(|pair| pair[1].0 < pair[0].1) {
        true => Err("two of its tensors overlap".into()),
        false => Ok(()),
    }
}

/// ggml's type numbers.
fn dtype(kind: u32) -> Result<Dtype, String> {
    Ok(match kind {
        0 => Dtype::F32,
        1 => Dtype::F16,
        2 => Dtype::Q4_0,
        3 => Dtype::Q4_1,
        8 => Dtype::Q8_0,
        12 => Dtype::Q4K,
        13 => Dtype::Q5K,
        14 => Dtype::Q6K,
        30 => Dtype::BF16,
        6 => Dtype::Q5_0,
        7 => Dtype::Q5_1,
        10 => Dtype::Q2K,
        11 => Dtype::Q3K,
        20 => Dtype::Iq4Nl,
        23 => Dtype::Iq4Xs,
        39 => Dtype::Mxfp4,
        16..=22 | 29 => return Err("one of the IQ types".into()),
        other => return Err(format!("ggml type {other}")),
    })
}
