use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use graft_core::{Digest, json};
use graft_ops::Adam;
use serde::{Deserialize, Serialize};

use crate::{Error, RunDir, run_dir::read_json};

/// The state needed to resume a training exactly. The order of the data and the dropout masks are functions of the
/// step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Progress {
    /// Steps taken.
    pub(crate) step: u64,
    /// Loss of the last step.
    pub(crate) loss: f64,
    /// Lowest held-out loss so far and the step it was measured at.
    pub(crate) best: Option<(f64, u64)>,
    /// Number of measurements since then.
    pub(crate) stale: u32,
    /// Loss of the first step.
    pub(crate) first_loss: Option<f64>,
    /// Seconds spent training so far.
    pub(crate) seconds: f64,
    /// Tokens trained on so far.
    pub(crate) tokens: u64,
    /// Tokens computed so far: a prefix that the examples of a micro-batch share is computed once.
    #[serde(default)]
    pub(crate) computed: u64,
    /// Tokens of a micro-batch on a GPU, as its memory allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) micro_batch: Option<usize>,
    /// How the CPU rounds the inputs of products, from [`graft_ops::Bf16::name`]; absent for f32.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) products: Option<String>,
    /// Ranks that the gradients of the first batches decided, by module; the others have the spec's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ranks: Option<BTreeMap<String, usize>>,
    /// When the first process started.
    pub(crate) started_at: i64,
}

impl Progress {
    /// Records the held-out loss of the current step; returns whether it is the best so far. NaN never is: JSON can't
    /// express it, so the checkpoint would be unreadable.
    pub(crate) fn measured(&mut self, loss: f64) -> bool {
        let best = loss.is_finite() && self.best.is_none_or(|(lowest, _)| loss < lowest);
        if best {
            (self.best, self.stale) = (Some((loss, self.step)), 0);
        } else {
            self.stale += 1;
        }
        best
    }
}

#[derive(Serialize, Deserialize)]
struct Header {
    progress: Progress,
    optimizer_steps: u64,
    params: usize,
    state_digest: Digest,
    /// Digest of everything that determines the result ([`graft_core::TrainSpec::digest`]). Older checkpoints have
    /// none: their digest included paths and threads, and the spec next to them never changes.
    #[serde(default)]
    settings_digest: Option<Digest>,
}

/// The numbers of a checkpoint.
pub(crate) struct State {
    pub(crate) params: Vec<f32>,
    pub(crate) m: Vec<f32>,
    pub(crate) v: Vec<f32>,
    /// Weights of the best measurement, if kept.
    pub(crate) best: Vec<f32>,
}

const KEPT: usize = 2;

/// Writes `checkpoints/step-N` atomically, and removes all but the newest two.
pub(crate) fn save(
    dir: &RunDir,
    settings: &Digest,
    progress: &Progress,
    adam: &Adam,
    params: &[f32],
    best: &[f32],
) -> Result<(), Error> {
    let parts = [params, &adam.m, &adam.v, best];
    let mut state = Vec::with_capacity(4 * parts.iter().map(|part| part.len()).sum::<usize>());
    for number in parts.into_iter().flatten() {
        state.extend_from_slice(&number.to_le_bytes());
    }
    let header = Header {
        progress: progress.clone(),
        optimizer_steps: adam.steps,
        params: params.len(),
        state_digest: Digest::of(&state),
        settings_digest: Some(settings.clone()),
    };
    let header = json::pretty(&header);
    let folder = dir.checkpoints().join(format!("step-{}", progress.step));
    graft_formats::atomic::folder(&folder, &[("progress.json", header.as_bytes()), ("state.bin", &state)])
        .map_err(Error::Publish)?;
    for old in list(dir).into_iter().rev().skip(KEPT) {
        // A checkpoint that can't be removed only takes disk space.
        let _ = fs::remove_dir_all(old.1);
    }
    Ok(())
}

/// A checkpoint, if it is complete and undamaged.
fn whole(folder: &Path) -> Option<(Header, Vec<u8>)> {
    let header = read_json::<Header>(&folder.join("progress.json")).ok()?;
    let bytes = fs::read(folder.join("state.bin")).ok()?;
    (Digest::of(&bytes) == header.state_digest).then_some((header, bytes))
}

/// The progress in the newest undamaged checkpoint, if there is one.
pub(crate) fn progress(dir: &RunDir) -> Option<Progress> {
    list(dir).into_iter().rev().find_map(|(_, folder)| whole(&folder)).map(|(header, _)| header.progress)
}

/// The newest undamaged checkpoint.
pub(crate) fn newest(
    dir: &RunDir,
    settings: &Digest,
    adam: &mut Adam,
    len: usize,
) -> Result<Option<(Progress, State)>, Error> {
    for (_, folder) in list(dir).into_iter().rev() {
        let Some((header, bytes)) = whole(&folder) else { continue };
        let misfit = |what: &str| Err(Error::Checkpoint { path: folder.clone(), what: what.to_owned() });
        if header.settings_digest.is_some_and(|made_with| made_with != *settings) {
            return misfit("it was made with other settings");
        }
        let numbers: Vec<f32> = bytes.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
        if header.params != len || numbers.len() < 3 * len {
            return misfit("it contains another adapter");
        }
        let piece = |i: usize| numbers[i * len..(i + 1) * len].to_vec();
        let state = State { params: piece(0), m: piece(1), v: piece(2), best: numbers[3 * len..].to_vec() };
        adam.steps = header.optimizer_steps;
        (adam.m, adam.v) = (state.m.clone(), state.v.clone());
        return Ok(Some((header.progress, state)));
    }
    Ok(None)
}

/// Checkpoints by step, oldest first.
fn list(dir: &RunDir) -> Vec<(u64, PathBuf)> {
    let entries = fs::read_dir(dir.checkpoints()).into_iter().flatten().flatten();
    let step = |path: &Path| path.file_name()?.to_str()?.strip_prefix("step-")?.parse().ok();
    let mut found: Vec<(u64, PathBuf)> = entries.filter_map(|e| Some((step(&e.path())?, e.path()))).collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nan_held_out_loss_is_not_the_best_and_keeps_checkpoints_readable() {
        let start =
            r#"{"step":1,"loss":2.0,"best":null,"stale":0,"first_loss":2.0,"seconds":0,"tokens":0,"started_at":0}"#;
        let mut progress: Progress = serde_json::from_str(start).unwrap();
        assert!(!progress.measured(f64::NAN));
        assert_eq!((progress.best, progress.stale), (None, 1));
        assert_eq!(serde_json::from_str::<Progress>(&json::line(&progress)).unwrap(), progress);
        assert!(progress.measured(1.5) && !progress.measured(f64::NAN) && progress.measured(1.0));
        assert_eq!((progress.best, progress.stale), (Some((1.0, 1)), 0));
    }
}
