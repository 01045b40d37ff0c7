use super::Upkeep;
use crate::files::free_bytes;

impl Upkeep<'_> {
    /// Bytes free on the disk that holds this home, where the system tells.
    #[must_use]
    pub fn disk_free(self) -> Option<u64> {
        free_bytes(self.engine.home.path())
    }

    /// Bytes of memory that programs could still take, where the system tells.
    #[must_use]
    pub fn memory_available(self) -> Option<u64> {
        graft_train::available_memory()
    }
}
