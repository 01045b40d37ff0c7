//! The training that the button of the Ask AI page starts.

use graft_store::Run;
use graft_tasks::{ask_ai::Drafts, cards::Integration};

use super::{RunRequest, Runs};
use crate::Result;

/// Questions that a training reads, the newest; the Ask AI system's own default.
const MAX_SAMPLES: usize = 2000;

/// What the button of the Ask AI system's page trains with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AskAiTraining {
    /// Its database, a path or a Postgres URL: read again before each training. Without it, what was imported before
    /// is trained on.
    pub database: Option<String>,
    /// What becomes of suggestions that are neither approved nor rejected.
    pub drafts: Drafts,
    /// The base model; Graft's own otherwise.
    pub base: Option<String>,
}

impl AskAiTraining {
    fn request(&self, task: String) -> RunRequest {
        let request = RunRequest { activate: true, ..RunRequest::new(task) };
        RunRequest { base: self.base.clone().unwrap_or(request.base), ..request }
    }
}

impl Runs<'_> {
    /// Reads the Ask AI database, if one is known, and queues a training on what is approved. Its version becomes active
    /// and `latest` unless it is worse than the one before. Where the same examples and settings have made a version
    /// already, the same version would come of it: its run is returned, which has ended.
    ///
    /// # Errors
    /// The database can't be read; as [`submit`](Self::submit).
    pub async fn train_ask_ai(self, how: &AskAiTraining) -> Result<Run> {
        let task = self.engine.tasks().with(Integration::AskAi).await?.name;
        if let Some(run) = self.engine.store.active_run(&task).await? {
            return Err(graft_store::Error::RunActive { task: run.task, run: run.id }.into());
        }
        if let Some(database) = &how.database {
            let import = self.engine.examples().read_ask_ai(database, MAX_SAMPLES, how.drafts).await?;
            self.engine.examples().take_in(import, &mut |_| {}).await?;
        }
        let request = how.request(task);
        let preflight = self.preflight(&request).await?;
        if let Some(plan) = preflight.plan.as_ref().filter(|_| preflight.ok)
            && let Some(same) = self.same(plan).await?
        {
            return Ok(same);
        }
        self.submit_checked(&request, preflight, None, None).await
    }
}
