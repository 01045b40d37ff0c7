use graft_core::{AnswerForm, TaskCard};
use graft_nn::{Prompter, TokenView};
use graft_predict::Codec;
use graft_tasks::{
    tabular::Columns,
    understand::{Understanding, understand},
};
use serde_json::Value;

use super::Examples;
use crate::{Error, Result};

/// Most rows of each list that people are shown.
const SHOWN: usize = 500;

impl Examples<'_> {
    /// What a pasted text says, and what its answers could be. Nothing is stored. A schema that answers can't be
    /// held to is a problem of its line.
    #[must_use]
    pub fn understand(self, text: &str, columns: &Columns) -> Understanding {
        let mut found = understand(text, columns);
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
