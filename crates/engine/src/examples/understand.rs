use graft_core::{AnswerForm, TaskCard};
use graft_nn::{Prompter, TokenView};
use graft_predict::Codec;
use graft_store::{ExampleFilter, Order};
use graft_tasks::{
    tabular::Columns,
    understand::{KnownTask, Understanding, understand_for},
};
use serde_json::Value;

use super::Examples;
use crate::{Error, Result};

/// Most rows of each list that people are shown.
const SHOWN: usize = 500;
/// Most examples of a task, the newest, that a text is compared with while people type.
const COMPARED: u32 = 5000;

impl Examples<'_> {
    /// What a text for this task is compared with: its labels, and its 5,000 newest examples.
    ///
    /// # Errors
    /// The task is unknown; store errors.
    pub async fn known_task(self, task: &str) -> Result<KnownTask> {
        let task = self.engine.tasks().definition(task).await?;
        let used = self.labels_of(&task).await?;
        let (order, limit) = (Order::Newest, Some(COMPARED));
        let filter = ExampleFilter { task: Some(task.name), order, limit, ..ExampleFilter::default() };
        Ok(KnownTask { labels: task.labels, used, examples: self.engine.store.examples(&filter).await? })
    }

    /// What a pasted text for this task says, and what its answers could be. Nothing is stored. A schema that answers
    /// can't be held to is a problem of its line.
    #[must_use]
    pub fn understand(self, text: &str, columns: &Columns, task: &KnownTask) -> Understanding {
        let mut found = understand_for(text, columns, task);
        if let Some(Err(error)) =
            found.schema.as_ref().map(|schema| Codec::new(&AnswerForm::Json { schema: schema.clone() }))
        {
            found.notes.push(format!("The schema can't be used as it is: {error}."));
        }
        found.cut(SHOWN);
        found
    }

    /// The tokens that an input and its answer become under a card that need not be stored, and which of them carry loss.
    ///
    /// # Errors
    /// The answer doesn't follow the card's form; the base is missing.
    pub async fn mask_of(self, card: &TaskCard, input: &str, output: &Value, base: &str) -> Result<Vec<TokenView>> {
        let answer = Codec::new(&card.answer)?.encode(output);
        let answer = answer.map_err(|source| Error::BadExample { id: card.name.clone(), source })?;
        let (_, files) = self.engine.bases().find(base).await?;
        let prompter = Prompter::new(&files, files.config.has_encoder(), card)?;
        Ok(prompter.view(&prompter.sequence(input, &answer)?))
    }
}
