use graft_core::Example;
use graft_nn::{Prompter, TokenView};
use graft_predict::Codec;
use graft_tasks::cards;
use serde_json::Value;

use crate::{Engine, Error, Result, now};

impl Engine {
    /// One example; without a task, the only task that has the id.
    ///
    /// # Errors
    /// [`Error::WhichExample`], or there is none.
    pub async fn example(&self, id: &str, task: Option<&str>) -> Result<Example> {
        if let Some(task) = task {
            return Ok(self.store.example(task, id).await?);
        }
        let mut found = Vec::new();
        for task in self.store.example_counts().await?.into_keys() {
            match self.store.example(&task, id).await {
                Ok(example) => found.push(example),
                Err(graft_store::Error::NoExample { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let count = found.len();
        found.pop().filter(|_| count == 1).ok_or_else(|| Error::WhichExample { id: id.to_owned(), count })
    }

    /// Gives an example another output, as text or JSON, and approves it.
    ///
    /// # Errors
    /// [`Error::BadOutput`] for one that doesn't follow the task's form.
    pub async fn edit(&self, example: &Example, output: &str) -> Result<Example> {
        let task = cards::task(&example.task)?;
        let bad = |reason| Error::BadOutput { task: example.task.clone(), reason };
        let output = cards::accept(task, &Value::from(output.trim())).map_err(bad)?;
        Ok(self.store.edit(&example.task, &example.id, &output, &self.by, now()).await?)
    }

    /// The tokens that an example becomes for a base model, and which of them carry loss.
    ///
    /// # Errors
    /// The example has no output; the base is missing.
    pub async fn mask(&self, example: &Example, base: &str) -> Result<Vec<TokenView>> {
        let output = example.output.clone();
        let output = output.ok_or_else(|| graft_store::Error::NoOutput { id: example.id.clone() })?;
        let labels: Vec<String> = self.labels(&example.task).await?;
        let card = cards::card(&example.task, &labels)?;
        let answer = Codec::new(&card.answer)?.encode(&output);
        let answer = answer.map_err(|source| Error::BadExample { id: example.id.clone(), source })?;
        let (_, files) = self.base(base).await?;
        let prompter = Prompter::new(&files, files.config.has_encoder(), &card)?;
        Ok(prompter.view(&prompter.sequence(&example.input, &answer)?))
    }
}
