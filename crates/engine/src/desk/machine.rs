use crate::{Engine, doctor::free_bytes};

impl Engine {
    /// Bytes free on the disk that holds this home, where the system tells.
    #[must_use]
    pub fn disk_free(&self) -> Option<u64> {
        free_bytes(self.home.path())
    }

    /// Bytes of memory that programs could still take, where the system tells.
    #[must_use]
    pub fn memory_available(&self) -> Option<u64> {
        graft_train::available_memory()
    }
}
