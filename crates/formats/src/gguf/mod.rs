//! GGUF files.
use crate::{Error, ModelFiles};
use std::path::Path;
pub(crate) fn open(path: &Path) -> Result<ModelFiles, Error> {
    Err(Error::NotAModel(path.to_owned()))
}
