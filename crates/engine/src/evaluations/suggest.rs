//! Suggested answers for pending examples, so that people can review the least confident first.

use std::collections::BTreeMap;

use graft_contestants::Parser;
use graft_core::Example;
use graft_store::{RolloutPair, Suggestion};
use graft_tasks::score;
use serde_json::Value;

use super::Evaluations;
use crate::{
    Result, Serving, now,
    serving::{Answer, AnswerOptions, Deployment, agreement},
};

/// Examples that are answered together, and kept before the next are.
const BATCH: usize = 24;

impl Evaluations<'_> {
    /// A task whose active version, or the one that is rolled out beside it, hasn't answered every pending example, if there
    /// is one that isn't to be skipped.
    pub(crate) async fn task_to_suggest(self, skip: impl Fn(&str) -> bool) -> Result<Option<String>> {
        for (task, counts) in self.engine.store.example_counts().await? {
            if counts.pending == 0 || skip(&task) {
                continue;
            }
            let Some(active) = self.engine.store.active_version(&task).await? else { continue };
            if !self.engine.store.without_suggestion(&task, &active.name, 1).await?.is_empty() {
                return Ok(Some(task));
            }
            if let Some(rollout) = self.engine.store.rollout(&task).await?
                && !self.engine.store.rollout_pending(&rollout, 1).await?.is_empty()
            {
                return Ok(Some(task));
            }
        }
        Ok(None)
    }

    /// Lets the active version answer pending examples that it hasn't answered yet, the newest first; returns how many.
    /// What was answered is kept from time to time, and a version that is no longer active stops.
    ///
    /// # Errors
    /// No version is active; it can't be loaded.
    pub async fn suggest(self, task: &str, limit: u32) -> Result<usize> {
        let chosen = self.engine.versions().adapter(task, None).await?;
        let version = chosen.version.as_ref().map(|version| version.name.clone()).unwrap_or_default();
        let serving = Serving::once(self.engine.clone(), None);
        let mut made = 0;
        while made < limit as usize {
            let wanted = BATCH.min(limit as usize - made) as u32;
            let examples = self.engine.store.without_suggestion(task, &version, wanted).await?;
            let active = self.engine.store.active_version(task).await?;
            if examples.is_empty() || active.is_some_and(|active| active.name != version) {
                break;
            }
            let deployment = serving.deploy(chosen.clone()).await?;
            let inputs: Vec<String> = examples.iter().map(|example| example.input.clone()).collect();
            let answers = serving.answer_all(&deployment, &inputs, &AnswerOptions::default(), |_| {}).await?;
            let asked = &examples[..Answer::asked(&answers)];
            let suggested = self.suggested(&version, &deployment, asked, Answer::each(answers)?).await?;
            self.engine.store.put_suggestions(&suggested).await?;
            made += asked.len();
        }
        Ok(made)
    }

    /// Lets the version that is being rolled out answer pending examples that the active one has answered; returns how many.
    /// Nobody sees these answers: they are compared when people have decided.
    ///
    /// # Errors
    /// It can't be loaded.
    pub async fn suggest_beside(self, task: &str, limit: u32) -> Result<usize> {
        let Some(rollout) = self.engine.store.rollout(task).await? else { return Ok(0) };
        let chosen = self.engine.versions().adapter(task, Some(&rollout.version)).await?;
        let serving = Serving::once(self.engine.clone(), None);
        let mut made = 0;
        while made < limit as usize {
            let wanted = BATCH.min(limit as usize - made) as u32;
            let pending = self.engine.store.rollout_pending(&rollout, wanted).await?;
            if pending.is_empty() || self.engine.store.rollout(task).await?.is_none_or(|now| now.id != rollout.id) {
                break;
            }
            let deployment = serving.deploy(chosen.clone()).await?;
            let (inputs, active): (Vec<String>, Vec<Value>) = pending.into_iter().unzip();
            let options = AnswerOptions::default();
            let answers = serving.answer_all(&deployment, &inputs, &options, |_| {}).await?;
            let mut pairs = Vec::with_capacity(inputs.len());
            let asked = Answer::asked(&answers);
            for ((input, active), answer) in inputs.into_iter().zip(active).zip(Answer::each(answers)?).take(asked) {
                let answer = answer.ok().filter(|answer| answer.valid);
                let candidate = answer.map_or(Value::Null, |answer| answer.written);
                let agreement = agreement(&deployment, &active, &candidate);
                pairs.push(RolloutPair { input, served: String::new(), active, candidate, agreement, at: now() });
            }
            made += pairs.len();
            self.engine.store.add_rollout_answers(rollout.id, &pairs, 0, 0).await?;
        }
        Ok(made)
    }

    async fn suggested(
        self,
        version: &str,
        by: &Deployment,
        examples: &[Example],
        answers: Vec<std::result::Result<Answer, String>>,
    ) -> Result<Vec<Suggestion>> {
        let (task, rules) = (by.task(), &by.definition().scoring);
        // A program or a service is asked once somebody looks at the example.
        let baseline = self.engine.tasks().baseline(by.definition()).await?.filter(|baseline| !baseline.is_outside());
        let suggestion = |(example, answer): (&Example, std::result::Result<Answer, String>)| {
            // What else is said of it: by the baseline, or by what came with the example.
            let read = |rules: &Parser| rules.answer(&example.input).ok();
            let other = baseline.as_ref().and_then(read).or_else(|| example.output.clone());
            let (answer, confidence, fields) = answer.ok().map_or((Value::Null, 0.0, BTreeMap::new()), |answer| {
                (answer.written, answer.confidence, answer.fields)
            });
            let disagrees = other.is_some_and(|other| score::diff(by.card(), rules, &other, &answer).score < 1.0);
            Suggestion {
                task: task.to_owned(),
                example: example.id.clone(),
                revision: example.revision,
                version: version.to_owned(),
                answer,
                confidence,
                fields,
                disagrees,
                made_at: now(),
            }
        };
        Ok(examples.iter().zip(answers).map(suggestion).collect())
    }
}
