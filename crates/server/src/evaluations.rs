//! Versions that are being measured in the background, each once at a time.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

use graft_engine::Engine;
use graft_store::Version;

/// The versions that are being measured.
#[derive(Clone, Debug, Default)]
pub struct Evaluations(Arc<Mutex<HashSet<(String, String)>>>);

impl Evaluations {
    /// Begins to measure a version, unless that is under way; says whether it began.
    pub fn begin(&self, engine: Engine, version: Version) -> bool {
        let key = (version.task.clone(), version.name.clone());
        if !self.all().insert(key.clone()) {
            return false;
        }
        let under_way = self.clone();
        let handle = tokio::runtime::Handle::current();
        // Answering is computing: it must not hold up the threads that serve.
        tokio::task::spawn_blocking(move || {
            let measured = handle.block_on(engine.evaluate(&version, false, &mut |_, _, _| {}));
            if let Err(error) = measured {
                tracing::error!(task = key.0, version = key.1, error = ?error, "an evaluation failed");
            }
            under_way.all().remove(&key);
        });
        true
    }

    fn all(&self) -> std::sync::MutexGuard<'_, HashSet<(String, String)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
