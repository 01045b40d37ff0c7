//! What takes part in the choice of a label beside the adapter: biases that make up for few examples, and n-grams.
//!
//! The n-grams' log-probabilities of the labels are added to the adapter's (a product of experts, Hinton 2002). They learned from
//! the same examples in another way, so that each corrects mistakes of the other.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use graft_contestants::LabelNGrams;
use graft_core::{AnswerForm, Digest};
use graft_predict::{Codec, LabelBias};
use graft_train::AdapterCard;

use crate::{Error, Result, versions::Chosen};

/// Least probability of a label: n-grams alone must not rule one out.
const LEAST: f64 = 1e-6;

/// Biases and n-grams of a version.
#[derive(Debug)]
pub(super) struct Labels {
    biases: BTreeMap<String, f64>,
    /// The biases alone.
    fixed: Option<Arc<LabelBias>>,
    n_grams: Option<NGrams>,
}

#[derive(Debug)]
struct NGrams {
    fitted: LabelNGrams,
    weight: f64,
    /// Size of the file.
    bytes: usize,
}

impl Labels {
    /// Those of an adapter's folder.
    ///
    /// # Errors
    /// The n-grams' file is missing, or not that of the card.
    pub(super) fn read(chosen: &Chosen, card: &AdapterCard, codec: &Codec) -> Result<Self> {
        let fixed = LabelBias::new(&card.label_bias, codec)?.map(Arc::new);
        let n_grams = card.n_grams.as_ref().map(|n_grams| {
            let path = chosen.folder.join(LabelNGrams::FILE);
            let file =
                std::fs::read(&path).map_err(|source| Error::Io { doing: "read", path: path.clone(), source })?;
            if Digest::of(&file) != n_grams.digest {
                return Err(other_file(chosen, &path));
            }
            let fitted = LabelNGrams::from_bytes(&file)?;
            Ok(NGrams { fitted, weight: n_grams.weight, bytes: file.len() })
        });
        Ok(Self { biases: card.label_bias.clone(), fixed, n_grams: n_grams.transpose()? })
    }

    /// The biases of the labels for an input.
    pub(super) fn of(&self, input: &str, card: &AnswerForm, codec: &Codec) -> Result<Option<Arc<LabelBias>>> {
        let (Some(n_grams), AnswerForm::Label { labels }) = (&self.n_grams, card) else {
            return Ok(self.fixed.clone());
        };
        let chances: BTreeMap<&str, f64> = n_grams.fitted.chances(input).into_iter().collect();
        // A label without examples is as likely as the least likely one that has some.
        let least = chances.values().copied().fold(1.0, f64::min);
        let bias = |label: &String| {
            let chance = chances.get(label.as_str()).copied().unwrap_or(least).max(LEAST);
            self.biases.get(label).copied().unwrap_or_default() + n_grams.weight * chance.ln()
        };
        let biases = labels.iter().map(|label| (label.clone(), bias(label))).collect();
        Ok(LabelBias::new(&biases, codec)?.map(Arc::new))
    }

    /// Size of the n-grams' file.
    pub(super) fn bytes(&self) -> usize {
        self.n_grams.as_ref().map_or(0, |n_grams| n_grams.bytes)
    }
}

fn other_file(chosen: &Chosen, path: &Path) -> Error {
    match &chosen.version {
        Some(version) => Error::BadVersion {
            task: version.task.clone(),
            version: version.name.clone(),
            what: "its n-grams are not those that were registered".to_owned(),
        },
        None => Error::Unsupported(format!(
            "use the n-grams in `{}`: `{}` names another file",
            path.display(),
            AdapterCard::FILE
        )),
    }
}
