//! Several answers to one input.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use graft_contestants::{Kind, Said};
use graft_core::Digest;
use graft_store::Method;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{Answer, AnswerOptions, Answering, Asker, Format, Prompt, Serving, apart};
use crate::{Chosen, Error, Result, evaluations::Ground};

/// Contestants that are kept in memory; to fit one takes seconds.
const FITTED: usize = 8;

/// One contestant's answer.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = ContestantAnswer)]
pub struct Contestant {
    /// `baseline`, `base`, a version's name, or a contestant's kind (`rules`, `n-grams`, `nearest`, `most-frequent`).
    pub name: String,
    /// Its answer, with computed fields.
    pub answer: Value,
    /// Its confidence; the baseline has none, and a contestant that is not a version is not calibrated.
    #[schema(required = true)]
    pub confidence: Option<f64>,
    /// The same for each field.
    #[schema(required = true)]
    pub fields: Option<BTreeMap<String, f64>>,
    /// Seconds it took, with the others beside it.
    pub seconds: f64,
    /// Digest of everything that determined it; only versions and the base model have one.
    #[serde(rename = "generation")]
    #[schema(value_type = Option<String>, required = true)]
    pub deployment: Option<Digest>,
}

/// Answers side by side.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = Compared)]
pub struct Contest {
    /// In the order that was asked for.
    pub answers: Vec<Contestant>,
    /// Paths of the fields that are not the same in all answers, like `items[0].name`.
    pub differing: Vec<String>,
}

enum Entered {
    Done(Contestant),
    Writing(String, Box<Answering>),
}

impl Serving {
    /// Answers of the baseline (`baseline`), of the bare base model (`base`), of versions and of contestants (by their kind)
    /// to one input. A version of that name goes before a contestant.
    ///
    /// # Errors
    /// A version that isn't there or fails; a task without a baseline.
    pub async fn compare(
        &self,
        task: &str,
        input: &str,
        contestants: &[String],
        options: &AnswerOptions,
    ) -> Result<Contest> {
        let mut entered = Vec::with_capacity(contestants.len());
        for name in contestants {
            entered.push(self.enter(task, input, name, options).await?);
        }
        let mut answers = Vec::with_capacity(entered.len());
        for one in entered {
            answers.push(match one {
                Entered::Done(contestant) => contestant,
                Entered::Writing(name, answering) => contestant(name, answering.whole().await?),
            });
        }
        let mut differing = Vec::new();
        let values: Vec<&Value> = answers.iter().map(|contestant| &contestant.answer).collect();
        paths("", &values, &mut differing);
        Ok(Contest { answers, differing })
    }

    async fn enter(&self, task: &str, input: &str, name: &str, options: &AnswerOptions) -> Result<Entered> {
        let prompt = Prompt::Input(input.to_owned());
        let deployment = match name {
            "baseline" => return self.baseline(task, input).await.map(Entered::Done),
            "base" => self.deploy_bare(&self.with_base(task).await?).await?,
            name => match (self.version(task, name).await, name.parse()) {
                (Err(Error::Store(graft_store::Error::NoVersion { .. })), Ok(kind)) => {
                    return self.contestant(task, kind, input).await.map(Entered::Done);
                }
                (found, _) => found?,
            },
        };
        let answering = self.ask(&deployment, Asker::ForVersion, &prompt, &Format::Own, options).await?;
        Ok(Entered::Writing(name.to_owned(), Box::new(answering)))
    }

    /// The active version, or the newest one if that needs no base model.
    async fn with_base(&self, task: &str) -> Result<Chosen> {
        let versions = self.engine().versions();
        let active = versions.adapter(task, None).await?;
        if active.contestant().is_none() {
            return Ok(active);
        }
        let all = self.engine().store.versions(Some(task)).await?;
        match all.iter().rfind(|version| version.method == Method::Adapter) {
            Some(newest) => versions.adapter(task, Some(&newest.name)).await,
            None => Ok(active),
        }
    }

    async fn contestant(&self, task: &str, kind: Kind, input: &str) -> Result<Contestant> {
        let clock = Instant::now();
        let said = self.contestant_says(task, kind, input).await?;
        let task = self.engine().tasks().definition(task).await?;
        let home = self.engine().home.clone();
        let answer = apart(move || Ok(task.finish(said.answer, &home.tables()?))).await?;
        let (confidence, fields, deployment) = (Some(said.confidence), None, None);
        let seconds = clock.elapsed().as_secs_f64();
        Ok(Contestant { name: kind.name().into(), answer, confidence, fields, seconds, deployment })
    }

    /// What a contestant that learned from the same examples as the task's versions says of an input.
    ///
    /// # Errors
    /// The kind can't answer the task; there are no examples.
    pub async fn contestant_says(&self, task: &str, kind: Kind, input: &str) -> Result<Said> {
        let evaluations = self.engine().evaluations();
        let Ground { task, card, dataset, .. } = evaluations.ground(task, None).await?;
        let key = (card.digest(), dataset.digest.clone(), kind);
        let known = self.state().fitted.get(&key).map(Arc::clone);
        // Rules change without the examples, and learn nothing.
        let known = known.filter(|_| kind != Kind::Rules);
        let fitted = match known {
            Some(fitted) => fitted,
            None => {
                let fitted = Arc::new(evaluations.fit(kind, &task, &card, dataset).await?);
                let mut state = self.state();
                if state.fitted.len() >= FITTED {
                    state.fitted.clear();
                }
                state.fitted.insert(key, Arc::clone(&fitted));
                fitted
            }
        };
        let input = input.to_owned();
        apart(move || Ok(fitted.answer(&input)?)).await
    }

    async fn baseline(&self, task: &str, input: &str) -> Result<Contestant> {
        let clock = Instant::now();
        let definition = self.engine().tasks().definition(task).await?;
        let (engine, asked) = (self.engine().clone(), input.to_owned());
        let answer = apart(move || {
            let parser = engine.tasks().read_baseline(&definition)?;
            let answer = parser.map(|parser| parser.answer(&asked)).transpose()?;
            answer.map(|answer| Ok(definition.finish(answer, &engine.home.tables()?))).transpose()
        });
        let answer = answer
            .await?
            .ok_or_else(|| Error::Unsupported(format!("answer task `{task}` without a model: it has no baseline")))?;
        let (confidence, fields, deployment) = (None, None, None);
        let seconds = clock.elapsed().as_secs_f64();
        Ok(Contestant { name: "baseline".into(), answer, confidence, fields, seconds, deployment })
    }
}

fn contestant(name: String, answer: Answer) -> Contestant {
    Contestant {
        name,
        answer: answer.answer,
        confidence: Some(answer.confidence),
        fields: Some(answer.fields),
        seconds: answer.seconds,
        deployment: Some(answer.deployment),
    }
}

/// Paths at which the values are not all the same.
fn paths(path: &str, values: &[&Value], found: &mut Vec<String>) {
    if values.windows(2).all(|two| two[0] == two[1]) {
        return;
    }
    if values.iter().all(|value| value.is_object()) {
        let mut keys: Vec<&String> = values.iter().filter_map(|v| v.as_object()).flat_map(|o| o.keys()).collect();
        let mut seen = std::collections::BTreeSet::new();
        keys.retain(|key| seen.insert(*key));
        for key in keys {
            let inner: Vec<&Value> = values.iter().map(|value| value.get(key).unwrap_or(&Value::Null)).collect();
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            paths(&path, &inner, found);
        }
    } else if values.iter().all(|value| value.is_array()) {
        let longest = values.iter().filter_map(|value| value.as_array()).map(Vec::len).max().unwrap_or(0);
        for index in 0..longest {
            let inner: Vec<&Value> = values.iter().map(|value| value.get(index).unwrap_or(&Value::Null)).collect();
            paths(&format!("{path}[{index}]"), &inner, found);
        }
    } else {
        found.push(path.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn difference_lists_deepest_paths() {
        let a = json!({"to": "shelter", "items": [{"name": "kale", "quantity": 2}], "from": null});
        let b = json!({"to": "shelter", "items": [{"name": "kale", "quantity": 3}, {"name": "figs"}], "from": "Aldi"});
        let mut found = Vec::new();
        paths("", &[&a, &b, &a], &mut found);
        assert_eq!(found, ["items[0].quantity", "items[1]", "from"]);
        found.clear();
        paths("", &[&json!("ham"), &json!("spam")], &mut found);
        assert_eq!(found, [""]);
    }
}
