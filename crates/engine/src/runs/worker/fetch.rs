//! Brings the base model of a run to this machine, before its trainer starts.

use graft_core::{Phase, TrainSpec};
use graft_hub::Stop;
use graft_store::{Findings, Run, RunUpdate};
use tokio::sync::watch;
use tracing::Level;

use super::supervise::{Break, GLANCE, Supervisor};
use crate::{Error, now, runs::Progress};

type Outcome<T> = std::result::Result<T, Break>;

/// The run as it can be trained here: its base model is downloaded if it is missing, and its spec names the model's digest.
pub(super) async fn base(supervisor: &Supervisor, run: &Run) -> Outcome<Run> {
    let damaged = |source| Error::BadSpec { run: run.id.clone(), source };
    let mut spec: TrainSpec = serde_json::from_value(run.spec.clone()).map_err(damaged)?;
    let bases = supervisor.engine.bases();
    let is_absent = bases.is_absent(&spec.base.name).await;
    // The same files may be here under another name.
    if is_absent && !(spec.base.is_seen() && bases.locate(&spec.base).await.is_ok()) {
        download(supervisor, run, &spec.base.name).await?;
    }
    if spec.base.is_seen() {
        return Ok(run.clone());
    }
    spec.base = bases.find(&spec.base.name).await?.0;
    let (store, by) = (&supervisor.engine.store, &supervisor.engine.by);
    Ok(store.settle_base(&supervisor.lease, &spec, by, now()).await?)
}

/// Downloads a base model and stores how far it is with the run. What an earlier attempt downloaded is continued.
async fn download(supervisor: &Supervisor, run: &Run, name: &str) -> Outcome<()> {
    (supervisor.say)(Level::INFO, &format!("run {}: downloads base model {name}", run.id));
    supervisor.spans.phase(Phase::Download.name());
    let (store, by) = (&supervisor.engine.store, &supervisor.engine.by);
    let known = store.followed(&run.id).await?.unwrap_or_default();
    let mut progress = Progress::kept(known.progress.as_ref());
    let update = RunUpdate { phase: Some(Phase::Download.name()), ..RunUpdate::default() };
    let (tell, mut heard) = watch::channel((None, 0, 0));
    let stop = Stop::default();
    let download = supervisor.engine.bases().pull_until(name, false, stop.clone(), move |file| {
        tell.send_replace((Some(file.file.to_owned()), file.done_bytes, file.total_bytes));
    });
    let mut download = std::pin::pin!(download);
    let show = async {
        loop {
            supervisor.go_on()?;
            let (file, done, of) = heard.borrow_and_update().clone();
            progress.downloads(file.as_deref(), done, of);
            let kept = Findings { cursor: known.cursor, progress: Some(progress.keep()), ..Findings::default() };
            store.take_findings(&supervisor.lease, &kept, &update, by, now()).await?;
            tokio::time::sleep(GLANCE).await;
        }
    };
    let outcome = tokio::select! {
        downloaded = &mut download => downloaded.map(drop).map_err(Break::from),
        stopped = show => stopped,
    };
    if outcome.is_err() {
        stop.ask();
    }
    outcome
}
