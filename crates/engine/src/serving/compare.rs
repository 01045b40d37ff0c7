//! Several answers to one input, side by side.

use std::{collections::BTreeMap, time::Instant};

use graft_core::Digest;
use graft_tasks::cards;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{Answer, AnswerOptions, Answering, Asker, Format, Prompt, Serving};
use crate::{Error, Result};

/// One contestant's answer.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = ContestantAnswer)]
pub struct Contestant {
    /// `baseline`, `base`, or a version's name.
    pub name: String,
    /// What it answered, with what is computed from it.
    pub answer: Value,
    /// How sure it is; the baseline doesn't say.
    #[schema(required = true)]
    pub confidence: Option<f64>,
    /// The same for each field.
    #[schema(required = true)]
    pub fields: Option<BTreeMap<String, f64>>,
    /// Seconds it took, with the others beside it.
    pub seconds: f64,
    /// Digest of everything that decided it; the baseline has none.
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
    /// Answers of the baseline (`baseline`), of the bare base model (`base`) and of versions to one input.
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
            "baseline" => return self.baseline(task, input).map(Entered::Done),
            "base" => self.deploy_bare(self.engine().versions().adapter(task, None).await?).await?,
            version => self.version(task, version).await?,
        };
        let answering = self.ask(&deployment, Asker::ForVersion, &prompt, &Format::Own, options).await?;
        Ok(Entered::Writing(name.to_owned(), Box::new(answering)))
    }

    fn baseline(&self, task: &str, input: &str) -> Result<Contestant> {
        let (clock, tables) = (Instant::now(), self.engine().home.tables()?);
        let Some(parser) = cards::parser(task, &tables) else {
            return Err(Error::Unsupported(format!("answer task `{task}` without a model: it has no baseline")));
        };
        let answer = cards::finish(task, parser.extract(input), &tables);
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
    fn differing_paths_are_the_deepest() {
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
