//! Templates: those that Graft comes with, and those that people saved.

use std::collections::BTreeMap;

use graft_store::{ExampleFilter, Order, ReviewFilter};
use graft_tasks::{
    Error as TaskError,
    cards::Task,
    templates::{Template, TemplateFile, templates},
    understand::{Understood, render},
};
use serde_json::json;

use super::{NewTask, Tasks};
use crate::{Error, Result, now};

impl Tasks<'_> {
    /// The templates in the order they are shown: first those that Graft comes with.
    ///
    /// # Errors
    /// What the store says.
    pub async fn templates(self) -> Result<Vec<Template>> {
        let mut all = templates().to_vec();
        for stored in self.engine.store.templates().await? {
            let damaged = |cause| graft_store::Error::Damaged(Box::new(cause));
            let file: TemplateFile = serde_json::from_value(stored.file).map_err(damaged)?;
            all.push(Template { name: stored.name, saved_by: Some(stored.saved_by), file });
        }
        Ok(all)
    }

    /// A template.
    ///
    /// # Errors
    /// [`TaskError::UnknownTemplate`]; what the store says.
    pub async fn template(self, name: &str) -> Result<Template> {
        let mut all = self.templates().await?;
        match all.iter().position(|one| one.name == name) {
            Some(place) => Ok(all.swap_remove(place)),
            None => {
                let known = all.into_iter().map(|one| one.name).collect();
                Err(TaskError::UnknownTemplate { name: name.to_owned(), known }.into())
            }
        }
    }

    /// A template with its variables filled in.
    ///
    /// # Errors
    /// As [`template`](Self::template) and [`TemplateFile::filled`].
    pub async fn fill_template(self, name: &str, values: &BTreeMap<String, String>) -> Result<Template> {
        let found = self.template(name).await?;
        let file = found.file.filled(name, values)?;
        Ok(Template { file, ..found })
    }

    /// What makes a task of a template, with the template's examples as approved ones.
    ///
    /// # Errors
    /// As [`fill_template`](Self::fill_template).
    pub async fn new_of_template(
        self,
        template: &str,
        values: &BTreeMap<String, String>,
        name: &str,
    ) -> Result<NewTask> {
        let file = self.fill_template(template, values).await?.file;
        Ok(NewTask { definition: file.task(name), text: file.examples, pending: false })
    }

    /// Saves a template, in place of an older one that somebody saved under this name.
    ///
    /// # Errors
    /// [`TaskError::BadTemplate`], also for the name of one that Graft comes with.
    pub async fn save_template(self, name: &str, file: TemplateFile) -> Result<Template> {
        refuse_built_in(name)?;
        let file = file.checked(name)?;
        self.engine.store.set_template(name, Some(&json!(file)), &self.engine.by, now()).await?;
        Ok(Template { name: name.to_owned(), saved_by: Some(self.engine.by.clone()), file })
    }

    /// The template that a task with its newest approved examples would be. Nothing is stored.
    ///
    /// # Errors
    /// The task is unknown; what the store says.
    pub async fn as_template(self, task: &str, examples: u32) -> Result<TemplateFile> {
        let task = self.get(task).await?.definition;
        let filter = ExampleFilter {
            task: Some(task.name.clone()),
            review: Some(ReviewFilter::Approved),
            order: Order::Newest,
            limit: Some(examples),
            ..ExampleFilter::default()
        };
        let found = self.engine.store.examples(&filter).await?;
        let understood = found.into_iter().enumerate().map(|(line, example)| Understood {
            line: line + 1,
            input: example.input,
            output: example.output,
        });
        let examples = render(&understood.collect::<Vec<_>>());
        let title = task.shown();
        let Task { form, instruction, schema, guidelines, .. } = task;
        let (about, variables) = Default::default();
        Ok(TemplateFile { title, about, instruction, form, schema, guidelines, examples, variables })
    }

    /// Deletes a template that somebody saved.
    ///
    /// # Errors
    /// [`TaskError::BadTemplate`] for one that Graft comes with; there is no such template.
    pub async fn delete_template(self, name: &str) -> Result<()> {
        refuse_built_in(name)?;
        Ok(self.engine.store.set_template(name, None, &self.engine.by, now()).await?)
    }
}

fn refuse_built_in(name: &str) -> Result<()> {
    if templates().iter().all(|one| one.name != name) {
        return Ok(());
    }
    let (template, field) = (name.to_owned(), "name".to_owned());
    Err(Error::Tasks(TaskError::BadTemplate { template, field, reason: "Graft comes with it; choose another".into() }))
}
