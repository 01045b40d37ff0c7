//! Evaluates a version in a separate process: as the last step of a training, or as a run of its own.

use graft_store::{Run, RunKind, Version};

use super::{
    follow,
    supervise::{Break, Supervisor},
};
use crate::{
    Error,
    runs::{EvaluationRequest, evaluation},
};

type Outcome = std::result::Result<(), Break>;

/// Carries a run that only measures.
pub(super) async fn carry(supervisor: &Supervisor, run: &Run) -> Outcome {
    let request = serde_json::from_value(run.request.clone().unwrap_or_default());
    let request: EvaluationRequest = request.map_err(|source| Error::BadSpec { run: run.id.clone(), source })?;
    let measured = supervisor.engine.store.version(&request.task, &request.version).await?;
    version(supervisor, run, &measured, request.score_base).await
}

/// Scores a version on its held-out examples, and keeps the numbers with it: those that a process has left in the run's
/// directory already, or those of the process that is at it, or of a new one.
pub(super) async fn version(supervisor: &Supervisor, run: &Run, version: &Version, with_base: bool) -> Outcome {
    let dir = supervisor.engine.home.run_dir(run);
    if evaluation::result(&dir)?.is_none() {
        let mut args = ["eval-dir", "--task", &version.task, "--version", &version.name].map(str::to_owned).to_vec();
        if !with_base {
            args.push("--skip-base".to_owned());
        }
        // A training's own device; a measurement has none, and takes what the worker has.
        let own = run.spec["limits"]["device"].as_str();
        args.extend(["--device".to_owned(), own.map_or_else(|| supervisor.engine.device.to_string(), str::to_owned)]);
        follow::run(supervisor, &*supervisor.exec, run, RunKind::Evaluate, args, None).await?;
    } else {
        follow::finish(supervisor, run).await?;
    }
    supervisor.go_on()?;
    let Some(measured) = evaluation::result(&dir)? else { return Err(Error::NoResult { run: run.id.clone() }.into()) };
    // A worker that was killed after it had written them left only its run's end to write.
    let is_kept = crate::Evaluation::of(version).is_some_and(|kept| kept.at == measured.evaluation.at);
    if !is_kept {
        supervisor.engine.evaluations().keep_evaluation(version, &measured, Some(&supervisor.lease)).await?;
    }
    Ok(())
}
