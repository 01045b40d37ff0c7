use graft_core::Review;
use graft_predict::Codec;
use graft_store::{Recording, Upstream};
use graft_tasks::{
    Approval, Import,
    cards::{Form, Task},
    tabular,
};
use serde_json::Value;

use super::Upstreams;
use crate::{Result, now};

/// What became of an answer of an upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Recorded {
    /// It is an example now.
    Added,
    /// Its text was one already.
    Known,
    /// It doesn't have the task's form.
    Unfit,
}

impl Upstreams<'_> {
    /// Makes an answer of the upstream an example: approved if the owner says so and it is an answer that the task can be
    /// trained on, otherwise pending.
    pub(super) async fn record(self, task: &Task, upstream: &Upstream, input: &str, answer: &str) -> Result<Recorded> {
        let by = format!("upstream {}", upstream.model);
        let approval = Approval { by: by.clone(), at: now(), doubtful: false };
        let pair = (input, bare(task, answer));
        let Ok(mut example) = tabular::import_answer("upstream", &upstream.model, pair, task, &approval) else {
            return Ok(Recorded::Unfit);
        };
        if self.engine.store.has_input(&task.name, &example.input).await? {
            return Ok(Recorded::Known);
        }
        let output = example.output.as_ref();
        if upstream.record != Recording::Approved || !self.can_train_on(task, output.unwrap_or(&Value::Null)).await? {
            example.review = Review::Pending;
        }
        example.source.at = Some(now());
        let import = Import { examples: vec![example], ..Import::default() };
        self.engine.as_user(by).examples().take_in(import, &mut |_| {}).await?;
        Ok(Recorded::Added)
    }

    /// Whether an answer is one that the task has already, or that its schema describes: a service may invent labels.
    async fn can_train_on(self, task: &Task, answer: &Value) -> Result<bool> {
        if answer.as_str().is_some_and(|label| task.labels.iter().any(|known| known == label)) {
            return Ok(true);
        }
        let labels = self.engine.examples().labels_of(task).await?;
        let Ok(card) = task.card(&labels) else { return Ok(false) };
        Ok(Codec::new(&card.answer)?.encode(answer).is_ok())
    }
}

/// An answer without the Markdown fence that models like to put around JSON.
pub(super) fn bare<'a>(task: &Task, answer: &'a str) -> &'a str {
    let fenced = answer.trim().strip_prefix("```").and_then(|rest| rest.strip_suffix("```"));
    match fenced {
        Some(inner) if task.form == Form::Fields => inner.strip_prefix("json").unwrap_or(inner).trim(),
        _ => answer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fences_around_json_are_removed() {
        let (fields, text) = (Task::blank("a", Form::Fields), Task::blank("b", Form::Text));
        assert_eq!(bare(&fields, "```json\n{\"a\": 1}\n```\n"), "{\"a\": 1}");
        assert_eq!(bare(&fields, "```\n{}\n```"), "{}");
        assert_eq!(bare(&fields, "{}"), "{}");
        assert_eq!(bare(&text, "```sh\nls\n```"), "```sh\nls\n```");
    }
}
