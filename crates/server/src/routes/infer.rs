//! `/infer`, `/compare`, `/ask-ai/suggest`: answers of versions.

use std::time::Duration;

use axum::{
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue},
    response::{IntoResponse, Response},
};
use graft_engine::{
    Error,
    serving::{Answer, AnswerError, AnswerOptions, Contest, Primary, Suggested},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    extract::{Body, Client, Recorded, Reply},
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
    /// The person or thing that the request is about, such as a customer number: during a roll-out, all requests of one
    /// subject are answered by the same version. Default: each input is its own subject.
    subject: Option<String>,
    /// Maximum tokens of the answer.
    #[schema(minimum = 1, maximum = 8192)]
    max_tokens: Option<usize>,
    /// Time limit in milliseconds.
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
    /// Maximum tokens of one answer.
    #[schema(minimum = 1, maximum = 8192)]
    max_tokens: Option<usize>,
}

/// The contestants to compare.
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

/// An answer or an error.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum AnswerOrProblem {
    /// The answer.
    Answer(Box<Answer>),
    /// Why there is no answer.
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

/// An error of serving as a problem: a full queue says when to come back.
pub(crate) fn problem(error: Error) -> Problem {
    match &error {
        Error::Predict(AnswerError::Full { retry_after, .. }) => {
            let wait = retry_after.as_secs_f64().ceil() as u64;
            let told = Problem::new(Kind::TooManyRequests, format!("failed to {error}")).with("retry_after", wait);
            told.with_hint(format!("try again in {wait} s"))
        }
        Error::Predict(AnswerError::Deadline { retry_after }) => {
            let wait = (retry_after.as_secs_f64().ceil() as u64).max(1);
            Problem::new(Kind::Unavailable, format!("failed to {error}")).with("retry_after", wait)
        }
        // What computes answers has started again already.
        Error::Predict(AnswerError::Interrupted) => {
            Problem::new(Kind::Unavailable, format!("failed to {error}")).with("retry_after", 1)
        }
        _ => error.into(),
    }
}

fn options(max_tokens: Option<usize>, deadline_ms: Option<u64>) -> Result<AnswerOptions, Problem> {
    if max_tokens.is_some_and(|most| !(1..=MOST_TOKENS).contains(&most)) {
        return Err(Problem::field("max_tokens", format!("from 1 to {MOST_TOKENS}")));
    }
    if deadline_ms == Some(0) {
        return Err(Problem::field("deadline_ms", "at least 1"));
    }
    // A day is as good as for ever, and can be added to any time.
    let timeout = deadline_ms.map(|ms| Duration::from_millis(ms.min(86_400_000)));
    Ok(AnswerOptions { max_tokens, timeout, ..AnswerOptions::default() })
}

/// The answer of a version to an input.
#[utoipa::path(post, path = "/infer", tag = "infer", extensions(("x-role" = json!("auditor"))), request_body = Infer,
    responses((status = 200, body = Answer, headers(("Graft-Generation" = String))), (status = 404, body = Problem),
        (status = 422, body = Problem), (status = 429, body = Problem, headers(("Retry-After" = u64)))))]
async fn infer(
    State(state): State<AppState>,
    Client(client): Client,
    Recorded(recorded): Recorded,
    Body(asked): Body<Infer>,
) -> Result<Response, Problem> {
    let subject = asked.subject;
    let options =
        AnswerOptions { client, subject, untraced: !recorded, ..options(asked.max_tokens, asked.deadline_ms)? };
    let answer = state.serving.answer(&asked.task, asked.version.as_deref(), &asked.input, &options).await;
    let answer = answer.map_err(problem)?;
    let mut headers = HeaderMap::new();
    if let Ok(name) = HeaderValue::from_str(answer.deployment.as_str()) {
        headers.insert(GENERATION, name);
    }
    Ok((headers, Reply(answer)).into_response())
}

/// The answers of a version to many inputs; each has its own result.
#[utoipa::path(post, path = "/infer/batch", tag = "infer", extensions(("x-role" = json!("auditor"))),
    request_body = InferBatch, responses((status = 200, body = Answers), (status = 404, body = Problem),
        (status = 422, body = Problem)))]
async fn infer_batch(
    State(state): State<AppState>,
    Client(client): Client,
    Recorded(recorded): Recorded,
    Body(asked): Body<InferBatch>,
) -> Result<Reply<Answers>, Problem> {
    if asked.inputs.len() > MOST_INPUTS {
        return Err(Problem::field("inputs", format!("at most {MOST_INPUTS}")));
    }
    let options = AnswerOptions { client, untraced: !recorded, ..options(asked.max_tokens, None)? };
    let answers = state.serving.answer_many(&asked.task, asked.version.as_deref(), &asked.inputs, &options);
    let answers = answers.await.map_err(problem)?;
    let one = |answer: Result<Answer, Error>| match answer {
        Ok(answer) => AnswerOrProblem::Answer(Box::new(answer)),
        Err(error) => AnswerOrProblem::Problem { problem: Box::new(problem(error)) },
    };
    Ok(Reply(Answers { answers: answers.into_iter().map(one).collect() }))
}

/// Answers of the baseline, the bare base model and versions, side by side.
#[utoipa::path(post, path = "/compare", tag = "infer", extensions(("x-role" = json!("auditor"))), request_body = Compare,
    responses((status = 200, body = Contest), (status = 404, body = Problem), (status = 422, body = Problem),
        (status = 429, body = Problem)))]
async fn compare(
    State(state): State<AppState>,
    Client(client): Client,
    Body(asked): Body<Compare>,
) -> Result<Reply<Contest>, Problem> {
    if asked.contestants.is_empty() || asked.contestants.len() > MOST_CONTESTANTS {
        return Err(Problem::field("contestants", format!("from 1 to {MOST_CONTESTANTS}")));
    }
    let options = AnswerOptions { client, ..AnswerOptions::default() };
    let contest = state.serving.compare(&asked.task, &asked.input, &asked.contestants, &options).await;
    Ok(Reply(contest.map_err(problem)?))
}

/// The Ask AI fallback: adds a suggestion of the adapter if the service's own are missing or weak.
#[utoipa::path(post, path = "/ask-ai/suggest", tag = "infer", extensions(("x-role" = json!("auditor"))),
    request_body = Suggest, responses((status = 200, body = Suggested), (status = 422, body = Problem),
        (status = 429, body = Problem)))]
async fn suggest(
    State(state): State<AppState>,
    Client(client): Client,
    Recorded(recorded): Recorded,
    Body(asked): Body<Suggest>,
) -> Result<Reply<Suggested>, Problem> {
    let options = AnswerOptions { client, untraced: !recorded, ..AnswerOptions::default() };
    Ok(Reply(state.serving.suggest(&asked.query, asked.suggestions, &options).await.map_err(problem)?))
}

pub(crate) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(infer))
        .routes(routes!(infer_batch))
        .routes(routes!(compare))
        .routes(routes!(suggest))
}
