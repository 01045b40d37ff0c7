//! Creates a task together with the text of its first examples.

use graft_core::Review;
use graft_tasks::{Import, cards::Task};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{TaskDetail, Tasks};
use crate::{Result, examples::READY, files::apart};

/// A task to be made with examples.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTask {
    /// What the task is.
    pub definition: Task,
    /// Its first examples, in any form that people paste. A JSON Schema, or answers without texts, bring none.
    #[serde(default)]
    pub text: String,
    /// Whether people decide on every example; otherwise those with an answer are approved.
    #[serde(default)]
    pub pending: bool,
}

/// A task that was made with examples.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MadeTask {
    /// The task.
    pub task: TaskDetail,
    /// Examples that are stored.
    pub examples: usize,
    /// Of these, such that people must decide on them.
    pub pending: usize,
    /// Whether they are enough to train.
    pub ready: bool,
    /// Examples of the text that can't be stored, most often because they don't fit the definition.
    pub refused: usize,
    /// The first of them.
    pub problems: Vec<graft_tasks::Problem>,
    /// What was decided about the text, a sentence each.
    pub notes: Vec<String>,
}

impl Tasks<'_> {
    /// Makes a task with the examples of a text.
    ///
    /// # Errors
    /// As [`create`](Self::create); no example of the text fits the definition.
    pub async fn create_with(self, new: NewTask) -> Result<MadeTask> {
        let (task, import) = self.planned_with(new).await?;
        let task = self.create(task.definition).await?;
        let made = MadeTask::new(task, &import);
        self.engine.examples().take_in(import, &mut |_| {}).await?;
        Ok(made)
    }

    /// What [`create_with`](Self::create_with) would make; nothing is stored.
    ///
    /// # Errors
    /// As [`create_with`](Self::create_with).
    pub async fn try_create_with(self, new: NewTask) -> Result<MadeTask> {
        let (task, import) = self.planned_with(new).await?;
        Ok(MadeTask::new(task, &import))
    }

    async fn planned_with(self, new: NewTask) -> Result<(TaskDetail, Import)> {
        let task = self.try_create(new.definition).await?;
        if new.text.trim().is_empty() {
            return Ok((task, Import::default()));
        }
        let (definition, approval) = (task.definition.clone(), self.engine.examples().approval(false));
        let read = move || match graft_tasks::tabular::import_lines(&new.text, "the text", &definition, &approval) {
            // Answers alone and schemas bring a definition, not examples.
            Err(graft_tasks::Error::UnknownForm) => Ok(Import::default()),
            read => Ok(read?),
        };
        let mut import = apart("read the text", read).await?;
        if new.pending {
            import.examples.iter_mut().for_each(|example| example.review = Review::Pending);
        }
        Ok((task, import))
    }
}

impl MadeTask {
    fn new(task: TaskDetail, import: &Import) -> Self {
        let (examples, pending) =
            (import.examples.len(), import.examples.iter().filter(|e| e.review == Review::Pending).count());
        Self {
            task,
            examples,
            pending,
            ready: examples - pending >= READY,
            refused: import.count("bad row"),
            problems: import.problems.clone(),
            notes: import.notes.clone(),
        }
    }
}
