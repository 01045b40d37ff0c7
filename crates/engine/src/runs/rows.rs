//! The rows that a training was trained on.

use graft_core::TrainSpec;
use graft_nn::{Prompter, TokenView};
use graft_train::{Row, RowVariant};

use super::Runs;
use crate::{Error, Result, files::apart};

/// An example as a training learned it in an epoch.
#[derive(Clone, Debug)]
pub struct TrainedRow {
    /// The example's id.
    pub id: String,
    /// Its text as it was approved.
    pub input: String,
    /// The text that was trained.
    pub trained: String,
    /// Whether a variant stood for it: another text or another answer.
    pub is_variant: bool,
    /// Variants that take turns; 0 where the example itself is learned in every epoch.
    pub variants: usize,
    /// Examples that the training learned from.
    pub rows: usize,
    /// The tokens, and which of them carry loss.
    pub tokens: Vec<TokenView>,
}

impl Runs<'_> {
    /// An example of a training's directory, by its place, as it is learned in an epoch (from 0). A variant that is longer
    /// than the run's limits is shown all the same; the example itself is learned in its place.
    ///
    /// # Errors
    /// There is no such run or place; its directory or base is not on this machine.
    pub async fn trained_row(self, run: &str, place: usize, epoch: usize) -> Result<TrainedRow> {
        let found = self.get(run).await?;
        let path = self.engine.home.run_dir(&found).data("train");
        let spec: TrainSpec = serde_json::from_value(found.spec)
            .map_err(|_| Error::Unsupported(format!("show the rows of run `{run}`: it is no training")))?;
        let (_, files) = self.engine.bases().open(&spec.base).await?;
        let run = run.to_owned();
        apart("read the rows of the run", move || {
            let text = std::fs::read_to_string(&path).map_err(|source| Error::Io { doing: "read", path, source })?;
            let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
            let missing = || Error::Unsupported(format!("show row {place} of run `{run}`: it has {}", lines.len()));
            let row: Row = serde_json::from_str(lines.get(place).ok_or_else(missing)?)
                .map_err(|_| Error::Unsupported(format!("read row {place} of run `{run}`: it is damaged")))?;
            let itself = RowVariant { input: row.input.clone(), answer: row.answer.clone() };
            let at = epoch.checked_rem(row.variants.len());
            let trained = at.and_then(|at| row.variants.get(at)).unwrap_or(&itself);
            let prompter = Prompter::new(&files, files.config.has_encoder(), &spec.task)?;
            Ok(TrainedRow {
                is_variant: *trained != itself,
                tokens: prompter.view(&prompter.sequence(&trained.input, &trained.answer)?),
                trained: trained.input.clone(),
                id: row.id,
                input: row.input,
                variants: row.variants.len(),
                rows: lines.len(),
            })
        })
        .await
    }
}
