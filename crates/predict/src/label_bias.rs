//! Biases of labels.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{Candidates, Codec, Result, Walk};

/// What is added to the logarithm of each label's probability before one is chosen.
///
/// Labels are decoded token by token. A token gets the bias of the labels that it leads to: of one label all of it, of several
/// the logarithm of the mean of their factors, less what the tokens before it got.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelBias {
    /// Wire text and factor of each label.
    labels: Vec<(Vec<u8>, f64)>,
}

impl LabelBias {
    /// The biases of labels by their names; `None` if they change nothing.
    ///
    /// # Errors
    /// [`Error::Wire`](crate::Error::Wire) if a name is no answer of the task.
    pub fn new(biases: &BTreeMap<String, f64>, codec: &Codec) -> Result<Option<Self>> {
        if biases.values().all(|bias| *bias == 0.0) {
            return Ok(None);
        }
        let one =
            |(label, bias): (&String, &f64)| Ok((codec.encode(&Value::from(label.as_str()))?.into_bytes(), bias.exp()));
        Ok(Some(Self { labels: biases.iter().map(one).collect::<Result<_>>()? }))
    }

    /// The logarithm of the mean factor of the labels that a text begins, or is; 0 if there are none.
    fn of(&self, wire: &[u8], is_whole: bool) -> f64 {
        let fits = |label: &[u8]| if is_whole { label == wire } else { label.starts_with(wire) };
        let factors = self.labels.iter().filter(|(label, _)| fits(label)).map(|(_, factor)| *factor);
        let (sum, count) = factors.fold((0.0, 0_u32), |(sum, count), factor| (sum + factor, count + 1));
        if count == 0 { 0.0 } else { (sum / f64::from(count)).ln() }
    }

    /// The candidates for the next token of an answer with their biases.
    pub(crate) fn apply(&self, candidates: &Candidates, walk: &Walk) -> Candidates {
        let before = self.of(walk.wire(), false);
        candidates.raised(|token| {
            let after = match walk.wire_with(token) {
                Some(wire) => self.of(&wire, false),
                None => self.of(walk.wire(), true),
            };
            (after - before) as f32
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use graft_core::AnswerForm;

    #[test]
    fn token_has_the_bias_of_the_labels_that_it_leads_to() {
        let labels = ["ham", "spam", "spammer"].map(str::to_owned).to_vec();
        let codec = Codec::new(&AnswerForm::Label { labels }).unwrap();
        let biases = [("ham".to_owned(), 0.0), ("spam".to_owned(), 2.0), ("spammer".to_owned(), 1.0)].into();
        let bias = LabelBias::new(&biases, &codec).unwrap().unwrap();
        let near = |a: f64, b: f64| (a - b).abs() < 1e-9;
        assert!(
            near(bias.of(b"h", false), 0.0) && near(bias.of(b"spamm", false), 1.0) && near(bias.of(b"spam", true), 2.0)
        );
        assert!(near(bias.of(b"sp", false), ((2.0_f64.exp() + 1.0_f64.exp()) / 2.0).ln()));
        assert!(near(bias.of(b"eggs", false), 0.0));
        let none = [("ham".to_owned(), 0.0), ("spam".to_owned(), 0.0)].into();
        assert_eq!(LabelBias::new(&none, &codec).unwrap(), None);
        assert!(LabelBias::new(&[("eggs".to_owned(), 1.0)].into(), &codec).is_err());
    }
}
