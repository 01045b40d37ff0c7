use graft_core::{Example, TaskCard};
use serde_json::{Value, json};

use super::Versions;
use crate::{Error, Result, examples::USUAL_SPLIT};

/// The form of exported examples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
pub enum DatasetForm {
    /// Chats, as most trainers read them: `{"messages": [{"role": "system", …}, {"role": "user", …}, {"role": "assistant", …}]}`
    /// with the task's instruction, the input and the answer.
    #[default]
    Messages,
    /// Graft's own examples with id, source and revision.
    Examples,
}

/// The training data of a task as JSON lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportedDataset {
    /// The dataset's digest.
    pub digest: String,
    /// Examples that are learned: their number, and one per line.
    pub train: (usize, String),
    /// Examples that are held out, alike.
    pub eval: (usize, String),
}

impl Versions<'_> {
    /// The data that a version was trained on, or what a training of the task would learn and hold out now. Nothing is
    /// stored.
    ///
    /// # Errors
    /// There is no approved example or no such version; the version was not trained here.
    pub async fn dataset(self, task: &str, version: Option<&str>, form: DatasetForm) -> Result<ExportedDataset> {
        let examples = self.engine.examples();
        let (card, dataset) = match version {
            None => {
                let prepared = examples.prepare(task, USUAL_SPLIT, None).await?;
                (prepared.card, prepared.dataset)
            }
            Some(name) => {
                let chosen = self.adapter(task, Some(name)).await?;
                let Some(digest) = chosen.version.and_then(|version| version.dataset) else {
                    return Err(Error::Unsupported(format!(
                        "export the data of version `{name}`: it was not trained here"
                    )));
                };
                let card = match chosen.card {
                    Some(card) => card.task,
                    None => self.engine.tasks().definition(task).await?.card(&examples.labels(task).await?)?,
                };
                (card, examples.dataset(task, &digest).await?)
            }
        };
        let lines = |examples: &[Example]| {
            (examples.len(), examples.iter().map(|example| format!("{}\n", line(&card, example, form))).collect())
        };
        Ok(ExportedDataset {
            digest: dataset.digest.to_string(),
            train: lines(&dataset.train),
            eval: lines(&dataset.eval),
        })
    }
}

fn line(card: &TaskCard, example: &Example, form: DatasetForm) -> Value {
    if form == DatasetForm::Examples {
        return json!(example);
    }
    let answer = match &example.output {
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => String::new(),
    };
    let said = [("system", &card.instruction), ("user", &example.input), ("assistant", &answer)];
    let said = said.into_iter().filter(|(_, content)| !content.is_empty());
    json!({"messages": said.map(|(role, content)| json!({"role": role, "content": content})).collect::<Vec<_>>()})
}
