//! The evaluation of a version as a run of the queue.

use std::path::Path;

use graft_core::{Event, EventKind, Failure, Phase, json};
use graft_store::{NewEvaluation, Run, Version};
use graft_train::{EventLog, RunDir};
use serde::{Deserialize, Serialize};

use super::{MAX_ATTEMPTS, Runs, request::quoted};
use crate::{Error, Result, now, versions::Measured};

/// A requested evaluation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvaluationRequest {
    /// Name of the task.
    pub task: String,
    /// The version.
    pub version: String,
    /// Also evaluate the bare base model, which doubles the time.
    #[serde(default)]
    pub score_base: bool,
}

impl EvaluationRequest {
    /// The command that does the same in the foreground.
    #[must_use]
    pub fn command(&self) -> String {
        let Self { task, version, score_base } = self;
        let base = if *score_base { "" } else { " --skip-base" };
        format!("graft eval --task {} --version {}{base}", quoted(task), quoted(version))
    }
}

/// The result of a measurement in its run's directory, written last and whole.
const RESULT: &str = "evaluation.json";

impl Runs<'_> {
    /// Queues the measurement of a version; it is durable when this returns. A version that is being measured already
    /// isn't measured twice: that run is returned, and `false`.
    ///
    /// # Errors
    /// [`Error::BadVersion`] where its files or its held-out examples are missing; there is none.
    pub async fn submit_evaluation(self, request: &EvaluationRequest) -> Result<(Run, bool)> {
        let version = self.engine.store.version(&request.task, &request.version).await?;
        let dataset = self.engine.evaluations().dataset_of(&version).await?;
        let chosen = self.engine.versions().adapter(&request.task, Some(&request.version)).await?;
        let id = self.free_id(&format!("{}-eval", request.task)).await?;
        let body = json::value(request);
        let new = NewEvaluation {
            id: &id,
            version: &version,
            adapter: chosen.card.as_ref().map(|card| &card.adapter),
            dataset: &dataset,
            dir: &format!("runs/{id}"),
            request: &body,
            max_attempts: MAX_ATTEMPTS,
        };
        Ok(self.engine.store.submit_evaluation(new, &self.engine.by, now()).await?)
    }

    /// Measures a version for a run, whose directory gets the events and, at the end, `evaluation.json`.
    ///
    /// # Errors
    /// The version cannot be loaded or has no dataset; the model fails; the disk refuses.
    pub async fn evaluate_in(
        self,
        dir: &RunDir,
        version: &Version,
        with_base: bool,
        tell: &mut dyn FnMut(&Event),
    ) -> Result<Measured> {
        let mut log = EventLog::open(dir)?;
        tell(&log.append(EventKind::Phase { phase: Phase::Evaluate })?);
        let mut said = Answers::new(1 + usize::from(with_base));
        let mut heard = Ok(());
        let mut hear = |what: &str, done, of| {
            if let (Ok(()), Some(kind)) = (&heard, said.take(what, done, of)) {
                heard = log.append(kind).map(|event| tell(&event));
            }
        };
        let measured = self.engine.evaluations().measure(version, with_base, &mut hear).await;
        let outcome = heard.map_err(Error::from).and(measured).and_then(|measured| {
            graft_formats::atomic::bytes(&dir.path().join(RESULT), json::pretty(&measured).as_bytes())?;
            Ok(measured)
        });
        if let Err(error) = &outcome {
            let failure = Failure { phase: Some(Phase::Evaluate), ..error.failure() };
            // The caller reports the error itself.
            let _ = log.append(EventKind::Failed(failure)).map(|event| tell(&event));
        }
        outcome
    }
}

/// What was measured in a run's directory, if they were.
///
/// # Errors
/// The file is damaged.
pub(crate) fn result(dir: &RunDir) -> Result<Option<Measured>> {
    let path = dir.path().join(RESULT);
    let text = match std::fs::read_to_string(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        read => read.map_err(|source| Error::Io { doing: "read", path: path.clone(), source })?,
    };
    serde_json::from_str(&text).map(Some).map_err(|source| Error::BadResult { path, source })
}

/// Removes the scores, so that they are measured again.
pub(crate) fn forget(dir: &Path) -> Result<()> {
    let path = dir.join(RESULT);
    match std::fs::remove_file(&path) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::Io { doing: "remove", path, source })
        }
        _ => Ok(()),
    }
}

/// Counts the answers of several passes over the same examples.
struct Answers {
    passes: usize,
    /// What the pass under way answers.
    what: String,
    /// Answers of the passes before it.
    before: usize,
    told: usize,
}

impl Answers {
    fn new(passes: usize) -> Self {
        Self { passes, what: String::new(), before: 0, told: 0 }
    }

    /// The event of a count, unless it was told.
    fn take(&mut self, what: &str, done: usize, of: usize) -> Option<EventKind> {
        if self.what != what {
            self.before += if self.what.is_empty() { 0 } else { of };
            what.clone_into(&mut self.what);
        }
        let done = self.before + done;
        (done > self.told).then(|| {
            self.told = done;
            EventKind::Answered { done, of: of * self.passes }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn second_evaluation_pass_continues_the_count() {
        let mut said = Answers::new(2);
        let told: Vec<_> = [("adapter", 1), ("adapter", 1), ("adapter", 2), ("base", 0), ("base", 2)]
            .into_iter()
            .filter_map(|(what, done)| said.take(what, done, 2))
            .collect();
        let of = 4;
        assert_eq!(told, [1, 2, 4].map(|done| EventKind::Answered { done, of }));
    }
}
