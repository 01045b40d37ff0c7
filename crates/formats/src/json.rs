//! Small JSON files with many optional fields: typed access with errors that name file and field.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use serde_json::{Map, Value};

use crate::Error;

/// Maximum size of a config file; a larger one is damaged or malicious.
const MOST_BYTES: u64 = 8 << 20;

/// Opens a regular file for reading. Opening a pipe could block forever.
pub(crate) fn open_regular(path: &Path) -> io::Result<File> {
    if fs::metadata(path)?.is_file() {
        return File::open(path);
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"))
}

/// Reads a file that must be small.
pub(crate) fn read_small(path: &Path) -> Result<Vec<u8>, Error> {
    read_limited(path, MOST_BYTES)
}

/// Reads a file of at most `most` bytes.
pub(crate) fn read_limited(path: &Path, most: u64) -> Result<Vec<u8>, Error> {
    let failed = |source| Error::Read { path: path.to_owned(), source };
    let file = open_regular(path).map_err(failed)?;
    let size = file.metadata().map_err(failed)?.len();
    // The file may grow meanwhile, so reading is limited too.
    let mut bytes = Vec::with_capacity(size.min(most) as usize + 1);
    file.take(most + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > most {
        return Err(Error::Damaged { path: path.to_owned(), what: format!("it is larger than {most} bytes") });
    }
    Ok(bytes)
}

/// Like [`read_small`], but `None` if the file does not exist.
pub(crate) fn read_small_if_any(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    match read_small(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(Error::Read { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
    }
}

/// A JSON object of a file.
pub(crate) struct Fields {
    pub(crate) path: PathBuf,
    pub(crate) map: Map<String, Value>,
}

impl Fields {
    pub(crate) fn parse(path: &Path, bytes: &[u8]) -> Result<Self, Error> {
        let map = serde_json::from_slice(bytes).map_err(|source| Error::Json { path: path.to_owned(), source })?;
        Ok(Self { path: path.to_owned(), map })
    }

    /// An empty object, for a file that may be missing.
    pub(crate) fn none(path: &Path) -> Self {
        Self { path: path.to_owned(), map: Map::new() }
    }

    /// The field, unless it is missing or null.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.map.get(name).filter(|value| !value.is_null())
    }

    pub(crate) fn damaged(&self, what: String) -> Error {
        Error::Damaged { path: self.path.clone(), what }
    }

    fn typed<'a, T>(
        &'a self,
        name: &str,
        what: &str,
        read: impl Fn(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        let Some(value) = self.get(name) else { return Ok(None) };
        read(value).map(Some).ok_or_else(|| self.damaged(format!("`{name}` is {}, not {what}", brief(value))))
    }

    pub(crate) fn str(&self, name: &str) -> Result<Option<&str>, Error> {
        self.typed(name, "a text", Value::as_str)
    }

    pub(crate) fn bool(&self, name: &str) -> Result<Option<bool>, Error> {
        self.typed(name, "true or false", Value::as_bool)
    }

    pub(crate) fn float(&self, name: &str) -> Result<Option<f64>, Error> {
        self.typed(name, "a finite number", |v| v.as_f64().filter(|x| x.is_finite()))
    }

    /// A count from 1 to `most`.
    pub(crate) fn count(&self, name: &str, most: usize) -> Result<Option<usize>, Error> {
        let within = |v: &Value| v.as_u64().and_then(|n| usize::try_from(n).ok()).filter(|n| (1..=most).contains(n));
        self.typed(name, &format!("a whole number from 1 to {most}"), within)
    }

    /// A number of at least 0.
    pub(crate) fn whole(&self, name: &str) -> Result<Option<usize>, Error> {
        self.typed(name, "a whole number", |v| v.as_u64().and_then(|n| usize::try_from(n).ok()))
    }

    /// A list of finite numbers; empty if missing.
    pub(crate) fn floats(&self, name: &str) -> Result<Vec<f64>, Error> {
        let list = |v: &Value| v.as_array()?.iter().map(|x| x.as_f64().filter(|x| x.is_finite())).collect();
        Ok(self.typed(name, "a list of numbers", list)?.unwrap_or_default())
    }

    /// A list of texts; empty if missing.
    pub(crate) fn texts(&self, name: &str) -> Result<Vec<&str>, Error> {
        let list = |v: &'_ Value| -> Option<()> { v.as_array()?.iter().all(Value::is_string).then_some(()) };
        self.typed(name, "a list of texts", list)?;
        let all = self.get(name).and_then(Value::as_array);
        Ok(all.into_iter().flatten().filter_map(Value::as_str).collect())
    }

    /// Whether the field exists, even as null.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.map.contains_key(name)
    }

    pub(crate) fn need<T>(&self, name: &str, value: Option<T>) -> Result<T, Error> {
        value.ok_or_else(|| self.damaged(format!("`{name}` is missing")))
    }

    /// A number or a list of numbers.
    pub(crate) fn ids(&self, name: &str) -> Result<Vec<u32>, Error> {
        let id = |v: &Value| v.as_u64().and_then(|n| u32::try_from(n).ok());
        let ids = |v: &Value| match v {
            Value::Array(list) => list.iter().map(id).collect(),
            one => id(one).map(|id| vec![id]),
        };
        Ok(self.typed(name, "a token id or a list of them", ids)?.unwrap_or_default())
    }

    /// An object inside this one.
    pub(crate) fn object(&self, name: &str) -> Result<Option<Self>, Error> {
        let map = self.typed(name, "an object", Value::as_object)?;
        Ok(map.map(|map| Self { path: self.path.clone(), map: map.clone() }))
    }

    /// Refuses a model that needs an unsupported feature: the field must be missing, null or `value`.
    pub(crate) fn only(&self, name: &str, value: impl Into<Value>, supported: &'static str) -> Result<(), Error> {
        match self.get(name) {
            Some(found) if *found != value.into() => Err(self.unsupported(name, &brief(found), supported)),
            _ => Ok(()),
        }
    }

    pub(crate) fn unsupported(&self, field: &str, value: &str, supported: &'static str) -> Error {
        Error::UnsupportedModel { path: self.path.clone(), field: field.into(), value: value.into(), supported }
    }
}

/// A value for an error message, shortened.
pub(crate) fn brief(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    if text.chars().count() <= 60 { text } else { text.chars().take(60).chain("…".chars()).collect() }
}
