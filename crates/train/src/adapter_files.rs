use std::{collections::BTreeMap, path::Path};

use graft_contestants::LabelNGrams;
use graft_core::{AdapterSpec, AnswerForm, BaseRef, Digest, TaskCard, TrainSpec, json};
use graft_nn::{Adapter, Model};
use serde::{Deserialize, Serialize};

use crate::{Error, Row, run_dir::read_json};

/// What an adapter belongs to. The card is stored with the weights, and an adapter is never used with anything else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AdapterCard {
    /// Prompt and answer form.
    pub task: TaskCard,
    /// The base model, with the digest of its weights, tokenizer and chat template.
    pub base: BaseRef,
    /// Kind and shape.
    pub adapter: AdapterSpec,
    /// Added to the logarithm of each label's probability, by its name; see [`label_bias`].
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub label_bias: BTreeMap<String, f64>,
    /// N-grams that take part in the choice of a label; absent if there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n_grams: Option<NGramsCard>,
    /// The dataset it was trained on; unknown for imported adapters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset: Option<Digest>,
    /// Version of Graft that trained or imported it.
    pub graft: String,
}

/// N-grams beside an adapter: the logarithms of their probabilities are added to the adapter's, by a weight. They are in the file
/// [`LabelNGrams::FILE`] of the adapter's folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NGramsCard {
    /// Their weight.
    pub weight: f64,
    /// Digest of the file.
    pub digest: Digest,
}

/// The n-grams of an adapter for labels, fitted to its training examples, with the content of their file. `None` if the spec
/// wants none, or the examples have fewer than two labels.
pub(crate) fn n_grams(spec: &TrainSpec, train: &[Row]) -> Option<(NGramsCard, Vec<u8>)> {
    let weight = spec.optim.n_grams;
    if weight == 0.0 || !matches!(spec.task.answer, AnswerForm::Label { .. }) {
        return None;
    }
    let labelled = train.iter().filter_map(|row| Some((row.input.clone(), row.output.as_str()?.to_owned())));
    let file = LabelNGrams::fit(labelled.collect())?.to_bytes();
    Some((NGramsCard { weight, digest: Digest::of(&file) }, file))
}

/// A label is seldom if the most frequent one has so many times its examples. Smaller differences may be chance.
const SELDOM: f64 = 1.5;

/// Biases that make up for the frequencies of labels among few examples: a model that has seen a label seldom gives it too
/// little probability on other inputs, even if it knows each example by heart. The bias of a label is the negative logarithm of
/// its frequency times [`balance`](graft_core::OptimSpec::balance), and 0 for the most frequent one (post-hoc logit adjustment,
/// Menon et al. 2021, <https://arxiv.org/abs/2007.07314>). Each label counts one example more than it has, since small counts
/// are uncertain. Empty without labels or correction, and if all labels are about as frequent.
#[must_use]
pub fn label_bias(spec: &TrainSpec, train: &[Row]) -> BTreeMap<String, f64> {
    let AnswerForm::Label { labels } = &spec.task.answer else { return BTreeMap::new() };
    if spec.optim.balance == 0.0 {
        return BTreeMap::new();
    }
    let count = |label: &String| train.iter().filter(|row| row.output.as_str() == Some(label)).count();
    let counts: Vec<f64> = labels.iter().map(|label| (count(label) + 1) as f64).collect();
    let most = counts.iter().copied().fold(1.0, f64::max);
    let bias = |count: f64| if most < SELDOM * count { 0.0 } else { spec.optim.balance * (most / count).ln() };
    if counts.iter().all(|count| bias(*count) == 0.0) {
        return BTreeMap::new();
    }
    labels.iter().zip(counts).map(|(label, count)| (label.clone(), bias(count))).collect()
}

/// Writes an adapter in PEFT's format with its card and n-grams, atomically. Returns the weights' digest.
pub(crate) fn save_adapter(
    folder: &Path,
    adapter: &Adapter,
    model: &Model,
    card: &AdapterCard,
    n_grams: Option<&[u8]>,
) -> Result<Digest, Error> {
    let files = adapter.to_peft(&card.adapter, model, &card.base.name);
    let card = card.text();
    let mut beside = vec![(AdapterCard::FILE, card.as_bytes())];
    beside.extend(n_grams.map(|file| (LabelNGrams::FILE, file)));
    graft_formats::peft::write(folder, &files, &beside).map_err(Error::Publish)?;
    Ok(weights_digest(adapter))
}

/// The digest of an adapter's weights.
#[must_use]
pub fn weights_digest(adapter: &Adapter) -> Digest {
    Digest::of(&adapter.weight_bytes())
}

/// Reads an adapter trained by Graft and its card.
///
/// # Errors
/// If a file is damaged or the weights don't fit `model`.
pub fn load_adapter(folder: &Path, model: &Model) -> Result<(Adapter, AdapterCard), Error> {
    let card = AdapterCard::read(folder)?;
    Ok((Adapter::open(folder, model).map_err(Error::Model)?, card))
}

impl AdapterCard {
    /// Name of its file, next to PEFT's.
    pub const FILE: &str = "graft.json";

    /// The content of its file.
    #[must_use]
    pub fn text(&self) -> String {
        json::pretty(self)
    }

    /// Reads the card of an adapter folder.
    ///
    /// # Errors
    /// If it is missing or damaged.
    pub fn read(folder: &Path) -> Result<Self, Error> {
        read_json(&folder.join(Self::FILE))
    }
}

#[cfg(test)]
mod tests {
    use graft_core::{EvalSpec, Limits, LoraSpec, OptimSpec, Ranks, Targets};

    use super::*;

    #[test]
    fn seldom_labels_become_more_likely() {
        let labels = ["ham", "spam", "other"].map(str::to_owned).to_vec();
        let lora = LoraSpec {
            rank: 4,
            alpha: 8.0,
            dropout: 0.0,
            rslora: false,
            targets: Targets::AllLinear,
            ranks: Ranks::Equal,
        };
        let spec = |answer: AnswerForm, balance: f64| TrainSpec {
            run: "r".into(),
            graft: "0".into(),
            base: BaseRef { name: "b".into(), digest: Digest::of(b"b") },
            task: TaskCard { name: "t".into(), instruction: String::new(), answer },
            dataset: Digest::of(b"d"),
            adapter: AdapterSpec::Lora(lora.clone()),
            optim: OptimSpec { balance, ..OptimSpec::default() },
            eval: EvalSpec::default(),
            limits: Limits::default(),
            init_from: None,
        };
        let row = |place: usize| {
            let answer = if place < 7 { "ham" } else { "spam" }.to_owned();
            Row {
                id: place.to_string(),
                input: "x".into(),
                output: answer.clone().into(),
                answer,
                variants: Vec::new(),
            }
        };
        let rows: Vec<Row> = (0..10).map(row).collect();
        let form = AnswerForm::Label { labels };
        let found = label_bias(&spec(form.clone(), 2.0), &rows);
        let expected = [("ham", 0.0), ("other", 2.0 * 8_f64.ln()), ("spam", 2.0 * 2_f64.ln())];
        assert_eq!(found, expected.map(|(label, bias)| (label.to_owned(), bias)).into());
        let two = AnswerForm::Label { labels: ["ham", "spam"].map(str::to_owned).to_vec() };
        assert!(label_bias(&spec(two, 2.0), &rows[4..]).is_empty(), "three of each");
        assert!(
            label_bias(&spec(form, 0.0), &rows).is_empty()
                && label_bias(&spec(AnswerForm::Text, 2.0), &rows).is_empty()
        );
    }
}
