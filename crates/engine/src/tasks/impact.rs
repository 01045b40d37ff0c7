//! The effect of a changed task definition on examples and versions.

use graft_store::{ExampleFilter, Stage};
use graft_tasks::cards::Task;
use serde::Serialize;
use utoipa::ToSchema;

use super::Tasks;
use crate::{Result, files::apart};

/// Examples that are listed with what is wrong with them.
const LISTED: usize = 20;

/// What becomes of a task's examples and versions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct TaskImpact {
    /// Whether answers have another form: labels, schema, or kind.
    pub form_changed: bool,
    /// Whether new versions have another prompt or form of answers than earlier ones.
    pub card_changed: bool,
    /// Examples that have an answer; counted if the form changes.
    pub examples: usize,
    /// Those whose answers fit as they are.
    pub fitting: usize,
    /// Those that fit once fields that are gone are left out and new ones are null.
    pub reshaped: usize,
    /// Those that don't fit: they stay as they are, and trainings leave them out.
    pub unfit: usize,
    /// The first of them.
    pub unfit_examples: Vec<UnfitExample>,
    /// Versions, which keep the revision they were trained with.
    pub versions: usize,
    /// The version that answers.
    pub active: Option<String>,
    /// The same in sentences.
    pub notes: Vec<String>,
}

/// An example that doesn't fit a task's form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct UnfitExample {
    /// Its id.
    pub id: String,
    /// Its text.
    pub input: String,
    /// What is wrong with its answer.
    pub reason: String,
}

impl Tasks<'_> {
    /// What a change means.
    pub(super) async fn impact(self, before: &Task, after: &Task) -> Result<TaskImpact> {
        let form = |task: &Task| (task.form, task.schema.clone(), task.labels.clone(), task.closed);
        let card = |task: &Task| (task.instruction.clone(), task.grounded.clone());
        let form_changed = form(before) != form(after);
        let mut impact = TaskImpact {
            form_changed,
            card_changed: form_changed || card(before) != card(after),
            ..TaskImpact::default()
        };
        if form_changed {
            let filter = ExampleFilter { task: Some(after.name.clone()), ..ExampleFilter::default() };
            let examples = self.engine.store.examples(&filter).await?;
            let after = after.clone();
            impact = apart("check the examples", move || {
                for example in &examples {
                    let Some(output) = &example.output else { continue };
                    impact.examples += 1;
                    match after.accept(output) {
                        Ok(shaped) if shaped == *output => impact.fitting += 1,
                        Ok(_) => impact.reshaped += 1,
                        Err(reason) => {
                            impact.unfit += 1;
                            let (id, input) = (example.id.clone(), example.input.clone());
                            if impact.unfit_examples.len() < LISTED {
                                impact.unfit_examples.push(UnfitExample { id, input, reason });
                            }
                        }
                    }
                }
                Ok(impact)
            })
            .await?;
        }
        let versions = self.engine.store.versions(Some(&before.name)).await?;
        impact.versions = versions.len();
        let active = versions.into_iter().find(|version| version.stage == Stage::Active);
        impact.active = active.map(|version| version.name);
        impact.notes = impact.told();
        Ok(impact)
    }
}

impl TaskImpact {
    fn told(&self) -> Vec<String> {
        let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
        let mut notes = Vec::new();
        if self.form_changed && self.examples > 0 {
            let what = count(self.examples, "answered example");
            notes.push(format!("Fit as they are: {} of {what}.", self.fitting));
        }
        if self.reshaped > 0 {
            let what = count(self.reshaped, "example");
            notes.push(format!("Used after removing deleted fields and setting new ones to null: {what}."));
        }
        if self.unfit > 0 {
            let what = count(self.unfit, "example");
            notes.push(format!("Kept, but not trained on until somebody edits the answer: {what}."));
        }
        if self.card_changed && self.versions > 0 {
            let what = count(self.versions, "version");
            let active = self.active.as_ref().map(|name| format!(", of which {name} is active")).unwrap_or_default();
            notes.push(format!("Continue to answer as trained until there is a new version: {what}{active}."));
        }
        notes
    }
}
