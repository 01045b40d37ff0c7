//! `/infer`, `/compare`, `/ask-ai/suggest`: answers of versions.

use std::{collections::BTreeMap, time::Duration};

use axum::{
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue},
    response::{IntoResponse, Response},
};
use graft_engine::{
    Error,
    serving::{AnswerError, Answered, Primary, Wish},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    extract::{Body, Reply},
    problem::{Kind, Problem},
    state::AppState,
};

/// Names exactly what answered.
const GENERATION: HeaderName = HeaderName::from_static("graft-generation");
/// Inputs of one batch.
const MOST_INPUTS: usize = 1000;
/// Contestants of one comparison.
const MOST_CONTESTANTS: usize = 8;
/// Longest answer, in tokens.
const MOST_TOKENS: usize = 8192;

/// A question for a version.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Infer {
    /// The task.
    task: String,
    /// The version; the active one where it is absent.
    version: Option<String>,
    /// The input.
    input: String,
    /// Most tokens of the answer.
    #[schema(minimum = 1, maximum = 8192)]
    max_tokens: Option<usize>,
    /// Give up after so many milliseconds.
    #[schema(minimum = 1)]
    deadline_ms: Option<u64>,
}

/// Many questions for a version.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InferBatch {
    /// The task.
    task: String,
    /// The version; the active one where it is absent.
    version: Option<String>,
    /// The inputs, 1,000 at most.
    inputs: Vec<String>,
    /// Most tokens of one answer.
    #[schema(minimum = 1, maximum = 8192)]
    max_tokens: Option<usize>,
}

/// Who answers beside whom.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Compare {
    /// The task.
    task: String,
    /// The input.
    input: String,
    /// `baseline`, `base` and names of versions, 8 at most.
    contestants: Vec<String>,
}

/// An answer.
#[derive(Debug, Serialize, ToSchema)]
pub struct Answer {
    /// The task.
    task: String,
    /// The version that answered.
    version: Option<String>,
    /// Digest of everything that decided the answer.
    generation: String,
    /// The answer in the task's form, with what is computed from it.
    answer: Value,
    /// Probability that all of it is right, calibrated where the version was evaluated.
    confidence: f64,
    /// The same for each field, by path.
    fields: BTreeMap<String, f64>,
    /// Whether the model ended the answer itself.
    valid: bool,
    /// Seconds from the request to the answer.
    seconds: f64,
    /// Tokens of the prompt.
    prompt_tokens: usize,
    /// Tokens of the answer.
    answer_tokens: usize,
}

/// An answer, or why there is none.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum AnswerOrProblem {
    /// The answer.
    Answer(Box<Answer>),
    /// Why there is none.
    Problem {
        /// What went wrong with this input.
        problem: Box<Problem>,
    },
}

/// The answers, in the order of the inputs.
#[derive(Debug, Serialize, ToSchema)]
pub struct Answers {
    /// One for each input.
    answers: Vec<AnswerOrProblem>,
}

/// Answers side by side.
#[derive(Debug, Serialize, ToSchema)]
pub struct Compared {
    /// In the order of the contestants.
    answers: Vec<ContestantAnswer>,
    /// Paths that are not the same in all answers, like `items[0].name`.
    differing: Vec<String>,
}

/// A contestant's answer.
#[derive(Debug, Serialize, ToSchema)]
pub struct ContestantAnswer {
    /// The contestant.
    name: String,
    /// Its answer.
    answer: Value,
    /// How sure it is; the baseline doesn't say.
    confidence: Option<f64>,
    /// The same for each field.
    fields: Option<BTreeMap<String, f64>>,
    /// Seconds it took.
    seconds: f64,
}

/// A question of the Ask AI service with the suggestions it has.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Suggest {
    /// The question.
    query: String,
    /// The service's own suggestions: objects with `description` and `confidence`; other fields are kept.
    #[serde(default)]
    #[schema(value_type = Vec<Object>)]
    suggestions: Vec<Primary>,
}

/// The suggestions after the fallback.
#[derive(Debug, Serialize, ToSchema)]
pub struct SuggestReply {
    /// The service's as they came; the adapter's before them if it was injected, with `source: "soft_prompt"`.
    #[schema(value_type = Vec<Object>)]
    suggestions: Vec<Value>,
    /// `disabled`, `not-needed`, `injected` or `too-unsure`.
    verdict: Value,
    /// The adapter's confidence, if it was asked.
    confidence: Option<f64>,
    /// Whether that confidence is calibrated.
    calibrated: bool,
    /// What it was measured against.
    threshold: f64,
}

impl From<Answered> for Answer {
    fn from(a: Answered) -> Self {
        Self {
            task: a.task,
            version: a.version,
            generation: a.generation.to_string(),
            answer: a.answer,
            confidence: a.confidence,
            fields: a.fields,
            valid: a.valid,
            seconds: a.seconds,
            prompt_tokens: a.prompt_tokens,
            answer_tokens: a.answer_tokens,
        }
    }
}

/// An error of serving as a problem: a full queue says when to come back.
pub(crate) fn problem(error: Error) -> Problem {
    match &error {
        Error::Predict(AnswerError::Full { retry_after, .. }) => {
            let wait = retry_after.as_secs_f64().ceil() as u64;
            let told = Problem::new(Kind::TooManyRequests, format!("failed to {error}")).with("retry_after", wait);
            told.with_hint(format!("try again in {wait} s"))
        }
        Error::Predict(AnswerError::Deadline | AnswerError::Interrupted) => {
            Problem::new(Kind::Unavailable, format!("failed to {error}"))
        }
        _ => error.into(),
    }
}

fn wish(max_tokens: Option<usize>, deadline_ms: Option<u64>) -> Result<Wish, Problem> {
    if max_tokens.is_some_and(|most| !(1..=MOST_TOKENS).contains(&most)) {
        return Err(Problem::field("max_tokens", format!("from 1 to {MOST_TOKENS}")));
    }
    if deadline_ms == Some(0) {
        return Err(Problem::field("deadline_ms", "at least 1"));
    }
    // A day is as good as for ever, and can be added to any time.
    let patience = deadline_ms.map(|ms| Duration::from_millis(ms.min(86_400_000)));
    Ok(Wish { max_tokens, patience, ..Wish::default() })
}

/// The answer of a version to an input.
#[utoipa::path(post, path = "/infer", tag = "infer", extensions(("x-role" = json!("auditor"))), request_body = Infer,
    responses((status = 200, body = Answer, headers(("Graft-Generation" = String))), (status = 404, body = Problem),
        (status = 422, body = Problem), (status = 429, body = Problem, headers(("Retry-After" = u64)))))]
async fn infer(State(state): State<AppState>, Body(asked): Body<Infer>) -> Result<Response, Problem> {
    let wish = wish(asked.max_tokens, asked.deadline_ms)?;
    let answered = state.serving.answer(&asked.task, asked.version.as_deref(), &asked.input, &wish).await;
    let answered = answered.map_err(problem)?;
    let mut headers = HeaderMap::new();
    if let Ok(name) = HeaderValue::from_str(answered.generation.as_str()) {
        headers.insert(GENERATION, name);
    }
    Ok((headers, Reply(Answer::from(answered))).into_response())
}

/// The answers of a version to many inputs; each has its own result.
#[utoipa::path(post, path = "/infer/batch", tag = "infer", extensions(("x-role" = json!("auditor"))),
    request_body = InferBatch, responses((status = 200, body = Answers), (status = 404, body = Problem),
        (status = 422, body = Problem)))]
async fn infer_batch(State(state): State<AppState>, Body(asked): Body<InferBatch>) -> Result<Reply<Answers>, Problem> {
    if asked.inputs.len() > MOST_INPUTS {
        return Err(Problem::field("inputs", format!("at most {MOST_INPUTS}")));
    }
    let wish = wish(asked.max_tokens, None)?;
    let answers = state.serving.answer_all(&asked.task, asked.version.as_deref(), &asked.inputs, &wish).await;
    let one = |answer: Result<Answered, Error>| match answer {
        Ok(answered) => AnswerOrProblem::Answer(Box::new(answered.into())),
        Err(error) => AnswerOrProblem::Problem { problem: Box::new(problem(error)) },
    };
    Ok(Reply(Answers { answers: answers.map_err(problem)?.into_iter().map(one).collect() }))
}

/// Answers of the baseline, the bare base model and versions, side by side.
#[utoipa::path(post, path = "/compare", tag = "infer", extensions(("x-role" = json!("auditor"))), request_body = Compare,
    responses((status = 200, body = Compared), (status = 404, body = Problem), (status = 422, body = Problem),
        (status = 429, body = Problem)))]
async fn compare(State(state): State<AppState>, Body(asked): Body<Compare>) -> Result<Reply<Compared>, Problem> {
    if asked.contestants.is_empty() || asked.contestants.len() > MOST_CONTESTANTS {
        return Err(Problem::field("contestants", format!("from 1 to {MOST_CONTESTANTS}")));
    }
    let contest = state.serving.compare(&asked.task, &asked.input, &asked.contestants, &Wish::default()).await;
    let contest = contest.map_err(problem)?;
    let answers = contest.answers.into_iter().map(|c| ContestantAnswer {
        name: c.name,
        answer: c.answer,
        confidence: c.confidence,
        fields: c.fields,
        seconds: c.seconds,
    });
    Ok(Reply(Compared { answers: answers.collect(), differing: contest.differing }))
}

/// The Ask AI fallback: adds a suggestion of the adapter where the service's own are missing or weak.
#[utoipa::path(post, path = "/ask-ai/suggest", tag = "infer", extensions(("x-role" = json!("auditor"))),
    request_body = Suggest, responses((status = 200, body = SuggestReply), (status = 422, body = Problem),
        (status = 429, body = Problem)))]
async fn suggest(State(state): State<AppState>, Body(asked): Body<Suggest>) -> Result<Reply<SuggestReply>, Problem> {
    let found = state.serving.suggest(&asked.query, asked.suggestions).await.map_err(problem)?;
    Ok(Reply(SuggestReply {
        suggestions: found.suggestions,
        verdict: serde_json::to_value(found.verdict).unwrap_or_default(),
        confidence: found.confidence,
        calibrated: found.calibrated,
        threshold: found.threshold,
    }))
}

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(infer))
        .routes(routes!(infer_batch))
        .routes(routes!(compare))
        .routes(routes!(suggest))
}
