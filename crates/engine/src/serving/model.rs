//! Resolves the model names of OpenAI's API: tasks, versions and base models.

use graft_core::{AnswerForm, Timestamp};

use super::{AnswerOptions, Answering, Format, Prompt, Serving};
use crate::{Error, Result};

/// Something that answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServedModel {
    /// `task`, `task:version`, or a base model's name.
    pub id: String,
    /// When it was made.
    pub created: Timestamp,
}

impl Serving {
    /// Every task with an active version or an upstream, every version, and every base model.
    pub async fn models(&self) -> Result<Vec<ServedModel>> {
        let store = &self.engine().store;
        let versions = store.versions(None).await?;
        let active = versions.iter().filter(|version| version.stage == graft_store::Stage::Active);
        let mut models: Vec<ServedModel> =
            active.map(|v| ServedModel { id: v.task.clone(), created: v.created_at }).collect();
        let each = versions.iter().map(|v| ServedModel { id: format!("{}:{}", v.task, v.name), created: v.created_at });
        models.extend(each);
        for (task, created) in store.tasks_with_upstream().await? {
            if models.iter().all(|model| model.id != task) {
                models.push(ServedModel { id: task, created });
            }
        }
        let bases = store.bases().await?.into_iter();
        models.extend(bases.map(|base| ServedModel { id: base.name, created: base.added_at }));
        Ok(models)
    }

    /// Asks a task, a version of it (`task:version`), or a base model.
    ///
    /// A task whose answers have a form of their own takes one input: a single message of the user. Where its answers
    /// are texts, a conversation begins with the task's instruction.
    ///
    /// # Errors
    /// There is no such model; as [`begin`](Serving::begin).
    pub async fn begin_model(
        &self,
        model: &str,
        prompt: Prompt,
        format: &Format,
        options: &AnswerOptions,
    ) -> Result<Answering> {
        let bases = self.engine().store.bases().await?;
        if bases.iter().any(|base| base.name == model) {
            return self.begin_base(model, &prompt, format, options).await;
        }
        let (task, version) = match model.split_once(':') {
            Some((task, version)) => (task, Some(version)),
            None => (model, None),
        };
        let deployment = self.deployment(task, version).await?;
        let card = &deployment.card;
        let prompt = match prompt {
            Prompt::Text(text) => Prompt::Input(text),
            Prompt::Messages(mut messages) => match messages.as_mut_slice() {
                [(role, content)] if role == "user" => Prompt::Input(std::mem::take(content)),
                _ if !matches!(card.answer, AnswerForm::Text) => {
                    let what = format!(
                        "hold a conversation with task `{task}`: it accepts one \
                         user message, because it was trained with its own instruction"
                    );
                    return Err(Error::Unsupported(what));
                }
                _ => {
                    if messages.first().is_none_or(|(role, _)| role != "system") {
                        messages.insert(0, ("system".to_owned(), card.instruction.clone()));
                    }
                    Prompt::Messages(messages)
                }
            },
            input @ Prompt::Input(_) => input,
        };
        self.begin(task, version, &prompt, format, options).await
    }
}
