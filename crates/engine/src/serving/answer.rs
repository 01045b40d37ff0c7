//! An answer in the one shape that commands, the API, evaluations, suggestions and the Ask AI fallback use.

use std::{collections::BTreeMap, time::Instant};

use graft_contestants::Error as ContestantError;
use graft_core::Digest;
use graft_predict::{Completion, Confidence, InputSpan};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{
    Serving,
    deployment::{Body, Deployment},
    rules,
};
use crate::{Error, Result};

/// An answer with all details.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Answer {
    /// The task.
    pub task: String,
    /// The version that answered; absent for an adapter's folder and for a bare base model.
    #[schema(required = true)]
    pub version: Option<String>,
    /// Digest of base, adapter, prompt, calibration and version.
    #[serde(rename = "generation")]
    #[schema(value_type = String)]
    pub deployment: Digest,
    /// The answer in the task's form, with computed fields.
    pub answer: Value,
    /// Probability that the whole answer is correct; calibrated if the version was evaluated.
    pub confidence: f64,
    /// The same for each field, by path.
    pub fields: BTreeMap<String, f64>,
    /// Position of each grounded field's value in the input, in characters, by path.
    pub spans: BTreeMap<String, InputSpan>,
    /// Whether the model ended the answer itself.
    pub valid: bool,
    /// Seconds from the request to the answer.
    pub seconds: f64,
    /// Tokens of the prompt.
    pub prompt_tokens: usize,
    /// Tokens of the answer.
    pub answer_tokens: usize,
    /// Mean natural logarithm of the probabilities of its tokens.
    #[serde(skip)]
    pub log_prob: f64,
    /// The answer without what is computed from it: what people correct, and what is scored.
    #[serde(skip)]
    pub written: Value,
    /// The model's own probabilities, which calibrations are fitted to.
    #[serde(skip)]
    pub raw: Confidence,
}

impl Answer {
    /// As a text: one as it is, anything else as JSON.
    pub(crate) fn said(&self) -> String {
        self.answer.as_str().map_or_else(|| self.answer.to_string(), str::to_owned)
    }

    /// Answers to many inputs, each with the reason where the input itself gets none: it leaves no room for an answer in the
    /// model's context, no rule fits it, or a program or a service failed on it.
    ///
    /// # Errors
    /// Any other reason why there is none; the program or the service failed on all inputs.
    pub fn each(answers: Vec<Result<Self>>) -> Result<Vec<std::result::Result<Self, String>>> {
        let failed = |answer: &Result<Self>| {
            matches!(answer, Err(Error::Contestant(ContestantError::Outside { .. } | ContestantError::NotAsked)))
        };
        let all_failed = answers.iter().all(failed);
        let one = |answer: Result<Self>| match answer {
            Err(Error::Predict(graft_predict::Error::Model(graft_nn::Error::TooLong { .. }))) => {
                Ok(Err("the input leaves no room for an answer in the model's context".to_owned()))
            }
            Err(Error::Contestant(error @ ContestantError::NoAnswer { .. })) => Ok(Err(format!("failed to {error}"))),
            Err(Error::Contestant(error @ (ContestantError::Outside { .. } | ContestantError::NotAsked)))
                if !all_failed =>
            {
                Ok(Err(format!("failed to {error}")))
            }
            other => other.map(Ok),
        };
        answers.into_iter().map(one).collect()
    }

    /// How many inputs were asked, from the first: a program or a service that fails too often is not asked the rest.
    pub(crate) fn asked(answers: &[Result<Self>]) -> usize {
        let is_asked = |answer: &&Result<Self>| !matches!(answer, Err(Error::Contestant(ContestantError::NotAsked)));
        answers.iter().take_while(is_asked).count()
    }
}

impl Serving {
    /// What an adapter completed, with the lists of the task's rules where they agree with it on the rest.
    pub(super) fn beside_rules(&self, deployment: &Deployment, input: &str, done: Completion) -> Completion {
        // Tables with an error (for example during an edit) must not prevent an answer.
        let parser = self.engine().tasks().read_baseline(&deployment.definition).ok().flatten();
        // A program or a service must not delay it.
        let parser = parser.filter(|parser| !parser.is_outside());
        let Body::Model(on) = &deployment.body else { return done };
        let codec = on.template.guide().codec();
        let task = (&deployment.card, &deployment.definition.scoring);
        rules::with_rules(parser.as_ref(), task, codec, input, done)
    }

    /// The answer that a deployment's model completed.
    pub(super) fn answer_of(&self, deployment: &Deployment, done: Completion, since: Instant) -> Answer {
        let calibrated = deployment.calibrated(&done.confidence);
        let answer = match self.engine().home.tables() {
            Ok(tables) => deployment.definition.finish(done.answer.clone(), &tables),
            // Tables with an error (for example during an edit) must not prevent an answer.
            Err(_) => done.answer.clone(),
        };
        Answer {
            task: deployment.task.clone(),
            version: deployment.version.clone(),
            deployment: deployment.digest.clone(),
            answer,
            confidence: calibrated.answer,
            fields: calibrated.fields,
            spans: done.spans,
            valid: done.valid,
            seconds: since.elapsed().as_secs_f64(),
            prompt_tokens: done.prompt_tokens,
            answer_tokens: done.answer_tokens,
            log_prob: done.log_prob,
            written: done.answer,
            raw: done.confidence,
        }
    }
}
