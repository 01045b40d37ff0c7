//! Answers to examples that wait for their audit, so that people may look at the doubtful ones first.

use std::collections::BTreeMap;

use graft_store::Suggestion;
use graft_tasks::{baseline::Baseline, score};
use serde_json::Value;

use crate::{Decoding, Engine, Result, now};

impl Engine {
    /// A task whose active version hasn't answered every pending example, if there is one.
    ///
    /// # Errors
    /// What the store says.
    pub async fn task_to_suggest(&self) -> Result<Option<String>> {
        for (task, counts) in self.store.example_counts().await? {
            if counts.pending == 0 {
                continue;
            }
            let Some(active) = self.store.active_version(&task).await? else { continue };
            if !self.store.without_suggestion(&task, &active.name, 1).await?.is_empty() {
                return Ok(Some(task));
            }
        }
        Ok(None)
    }

    /// Lets the active version answer pending examples that it hasn't answered yet, the newest first; returns how many.
    ///
    /// # Errors
    /// No version is active; it can't be loaded.
    pub async fn suggest(&self, task: &str, limit: u32) -> Result<usize> {
        let chosen = self.adapter(task, None).await?;
        let version = chosen.version.as_ref().map(|version| version.name.clone()).unwrap_or_default();
        let examples = self.store.without_suggestion(task, &version, limit).await?;
        if examples.is_empty() {
            return Ok(0);
        }
        let loaded = self.load(&chosen).await?;
        let baseline = (task == "slack-rescue").then(|| self.home.tables().map(|tables| Baseline::new(&tables)));
        let baseline = baseline.transpose()?;
        let inputs: Vec<&str> = examples.iter().map(|example| example.input.as_str()).collect();
        let answers = loaded.answer(&inputs, Decoding::default(), &mut |_, _, _| {})?;
        let mut suggestions = Vec::new();
        for (example, answer) in examples.iter().zip(answers) {
            // What else is said of it: by the baseline, or by what came with the example.
            let other = baseline.as_ref().map(|regex| regex.extract(&example.input)).or_else(|| example.output.clone());
            let (answer, confidence, fields) = answer.map_or((Value::Null, 0.0, BTreeMap::new()), |answer| {
                (answer.answer, answer.confidence, answer.fields)
            });
            let disagrees = other.is_some_and(|other| score::diff(&loaded.card, &other, &answer).score < 1.0);
            suggestions.push(Suggestion {
                task: task.to_owned(),
                example: example.id.clone(),
                revision: example.revision,
                version: version.clone(),
                answer,
                confidence,
                fields,
                disagrees,
                made_at: now(),
            });
        }
        self.store.put_suggestions(&suggestions).await?;
        Ok(suggestions.len())
    }
}
