//! `/v1`: what programs made for OpenAI's API may ask.

use std::convert::Infallible;

use axum::{
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::{Stream, stream};
use graft_engine::serving::{Answering, End, Format, Heard, Piece, Prompt, Sampling, TokenInfo, Wish};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::infer::problem;
use crate::{
    extract::{Body, Reply},
    problem::Problem,
    state::AppState,
};

/// Most tokens of an answer, and those where the request doesn't say.
const MOST_TOKENS: usize = 8192;
const TOKENS: usize = 512;
/// Likelier tokens that are told for each, at most.
const MOST_TOP: usize = 20;

/// A conversation to go on with. What is not known here is not looked at.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ChatRequest {
    /// `task`, `task:version`, or a base model.
    model: String,
    /// The conversation; tasks take one message of the user.
    #[schema(value_type = Vec<Object>)]
    messages: Vec<Message>,
    /// `text`, `json_object` or `json_schema`.
    #[schema(value_type = Option<Object>)]
    response_format: Option<ResponseFormat>,
    /// Whether each token's probability is told.
    logprobs: Option<bool>,
    /// So many likelier tokens for each, 20 at most.
    top_logprobs: Option<usize>,
    /// Newer name of `max_tokens`.
    max_completion_tokens: Option<usize>,
    #[serde(flatten)]
    common: Common,
}

/// A text to go on with.
#[derive(Debug, Deserialize, ToSchema)]
pub struct CompletionRequest {
    /// `task`, `task:version`, or a base model.
    model: String,
    /// The text; a task's input.
    #[schema(value_type = String)]
    prompt: OneOrMany,
    /// Each token's probability and those of so many likelier ones.
    logprobs: Option<usize>,
    #[serde(flatten)]
    common: Common,
}

/// What both take.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct Common {
    /// Most tokens of the answer.
    max_tokens: Option<usize>,
    /// 0 takes the likeliest token each time.
    temperature: Option<f32>,
    /// Among the likeliest tokens that together have this probability.
    top_p: Option<f32>,
    /// Same seed, same answer.
    seed: Option<i64>,
    /// Texts before which the answer ends.
    #[schema(value_type = Option<Vec<String>>)]
    stop: Option<OneOrMany>,
    /// Answers; only 1.
    n: Option<usize>,
    /// Tell the answer as it is written.
    #[serde(default)]
    stream: Option<bool>,
    /// `include_usage` tells the tokens at the end of a stream.
    #[schema(value_type = Option<Object>)]
    stream_options: Option<StreamOptions>,
}

#[derive(Debug, Default, Deserialize)]
struct StreamOptions {
    #[serde(default)]
    include_usage: bool,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

#[derive(Debug, Deserialize)]
struct Message {
    role: String,
    content: Option<Content>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Parts(Vec<Part>),
}

#[derive(Debug, Deserialize)]
struct Part {
    #[serde(rename = "type")]
    kind: String,
    text: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum ResponseFormat {
    Text,
    JsonObject,
    JsonSchema { json_schema: NamedSchema },
}

#[derive(Debug, Deserialize)]
struct NamedSchema {
    schema: Value,
}

/// The models there are.
#[derive(Debug, Serialize, ToSchema)]
pub struct ModelList {
    /// `list`.
    object: &'static str,
    /// Tasks, their versions, base models.
    data: Vec<OneModel>,
}

/// One model.
#[derive(Debug, Serialize, ToSchema)]
pub struct OneModel {
    /// Its name.
    id: String,
    /// `model`.
    object: &'static str,
    /// Seconds since 1970.
    created: i64,
    /// `graft`.
    owned_by: &'static str,
}

/// An error as OpenAI's clients expect it.
struct Refusal {
    status: StatusCode,
    message: String,
    code: Option<&'static str>,
    param: Option<&'static str>,
    wait: Option<u64>,
}

impl Refusal {
    fn bad(param: &'static str, message: impl Into<String>) -> Self {
        let (status, message) = (StatusCode::BAD_REQUEST, message.into());
        Self { status, message, code: None, param: Some(param), wait: None }
    }

    fn kind(&self) -> &'static str {
        match self.status.as_u16() {
            401 => "authentication_error",
            403 => "permission_error",
            429 => "rate_limit_error",
            400..=499 => "invalid_request_error",
            _ => "server_error",
        }
    }

    fn json(&self) -> Value {
        json!({"error": {"message": self.message, "type": self.kind(), "param": self.param, "code": self.code}})
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        let status = match problem.status {
            // OpenAI's API knows no other code for a request that can't be done.
            422 => StatusCode::BAD_REQUEST,
            other => StatusCode::from_u16(other).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        };
        let code = match status.as_u16() {
            404 => Some("model_not_found"),
            429 => Some("rate_limit_exceeded"),
            _ => None,
        };
        let message = match problem.hint {
            Some(hint) => format!("{} ({hint})", problem.detail),
            None => problem.detail,
        };
        let wait = problem.extras.get("retry_after").and_then(Value::as_u64);
        Self { status, message, code, param: code.filter(|_| status == 404).map(|_| "model"), wait }
    }
}

impl From<graft_engine::Error> for Refusal {
    fn from(error: graft_engine::Error) -> Self {
        problem(error).into()
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = (self.status, Reply(self.json())).into_response();
        if let Some(wait) = self.wait {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait));
        }
        response
    }
}

impl Common {
    fn wish(&self, max_tokens: Option<usize>, top: Option<usize>) -> Result<Wish, Refusal> {
        let max_tokens = max_tokens.or(self.max_tokens).unwrap_or(TOKENS);
        if !(1..=MOST_TOKENS).contains(&max_tokens) {
            return Err(Refusal::bad("max_tokens", format!("max_tokens must be from 1 to {MOST_TOKENS}")));
        }
        if self.n.is_some_and(|n| n != 1) {
            return Err(Refusal::bad("n", "n must be 1"));
        }
        if top.is_some_and(|top| top > MOST_TOP) {
            return Err(Refusal::bad("top_logprobs", format!("at most {MOST_TOP} top logprobs are told")));
        }
        let stop = match &self.stop {
            None => Vec::new(),
            Some(OneOrMany::One(stop)) => vec![stop.clone()],
            Some(OneOrMany::Many(stops)) => stops.clone(),
        };
        if stop.len() > 4 || stop.iter().any(|stop| stop.is_empty() || stop.len() > 1000) {
            return Err(Refusal::bad("stop", "stop must be at most 4 texts of 1 to 1000 bytes"));
        }
        Ok(Wish { max_tokens: Some(max_tokens), sampling: self.sampling()?, stop, top, ..Wish::default() })
    }

    /// Greedy unless a temperature or a nucleus is given: answers that can be repeated are the better default here.
    fn sampling(&self) -> Result<Option<Sampling>, Refusal> {
        if self.temperature.is_some_and(|t| !(0.0..=2.0).contains(&t)) {
            return Err(Refusal::bad("temperature", "temperature must be from 0 to 2"));
        }
        if self.top_p.is_some_and(|p| !(p > 0.0 && p <= 1.0)) {
            return Err(Refusal::bad("top_p", "top_p must be above 0 and at most 1"));
        }
        let random = self.temperature.map_or(self.top_p.is_some_and(|p| p < 1.0), |t| t > 0.0);
        Ok(random.then(|| Sampling {
            temperature: self.temperature.unwrap_or(1.0),
            top_p: self.top_p.unwrap_or(1.0),
            seed: self.seed.map_or_else(random_seed, i64::cast_unsigned),
        }))
    }
}

fn random_seed() -> u64 {
    let mut bytes = [0; 8];
    // Without a source of random numbers, answers just repeat.
    let _ = getrandom::fill(&mut bytes);
    u64::from_le_bytes(bytes)
}

/// The two kinds of reply, which differ in shape only.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Chat,
    Completion,
}

/// What stays the same in all chunks of a reply.
#[derive(Clone)]
struct Frame {
    shape: Shape,
    id: String,
    model: String,
    created: i64,
    generation: String,
    log_probs: bool,
}

impl Frame {
    fn new(shape: Shape, model: String, answering: &Answering, log_probs: bool) -> Self {
        let prefix = if shape == Shape::Chat { "chatcmpl" } else { "cmpl" };
        let id = format!("{prefix}-{:016x}", random_seed());
        let generation = answering.generation().to_string();
        Self { shape, id, model, created: graft_engine::now() / 1000, generation, log_probs }
    }

    fn object(&self, stream: bool) -> &'static str {
        match (self.shape, stream) {
            (Shape::Chat, true) => "chat.completion.chunk",
            (Shape::Chat, false) => "chat.completion",
            (Shape::Completion, _) => "text_completion",
        }
    }

    fn whole(&self, stream: bool, choices: Value) -> Value {
        json!({
            "id": self.id, "object": self.object(stream), "created": self.created, "model": self.model,
            "system_fingerprint": format!("graft-{}", &self.generation[..12]), "choices": choices,
        })
    }

    fn log_probs(&self, tokens: &[TokenInfo]) -> Value {
        if !self.log_probs {
            return Value::Null;
        }
        match self.shape {
            Shape::Chat => json!({"content": tokens.iter().map(chat_token).collect::<Vec<_>>(), "refusal": null}),
            Shape::Completion => completion_tokens(tokens),
        }
    }

    fn chunk(&self, piece: &Piece, end: Option<End>) -> Value {
        let reason = end.map(finish_reason);
        let log_probs = self.log_probs(&piece.tokens);
        let choice = match self.shape {
            Shape::Chat if piece.text.is_empty() && end.is_some() => {
                json!({"index": 0, "delta": {}, "logprobs": log_probs, "finish_reason": reason})
            }
            Shape::Chat => {
                json!({"index": 0, "delta": {"content": piece.text}, "logprobs": log_probs, "finish_reason": reason})
            }
            Shape::Completion => {
                json!({"index": 0, "text": piece.text, "logprobs": log_probs, "finish_reason": reason})
            }
        };
        self.whole(true, json!([choice]))
    }

    fn complete(&self, piece: &Piece, end: End, usage: Value) -> Value {
        let (reason, log_probs) = (finish_reason(end), self.log_probs(&piece.tokens));
        let choice = match self.shape {
            Shape::Chat => json!({
                "index": 0, "message": {"role": "assistant", "content": piece.text, "refusal": null},
                "logprobs": log_probs, "finish_reason": reason,
            }),
            Shape::Completion => {
                json!({"index": 0, "text": piece.text, "logprobs": log_probs, "finish_reason": reason})
            }
        };
        let mut reply = self.whole(false, json!([choice]));
        reply["usage"] = usage;
        reply
    }
}

fn finish_reason(end: End) -> &'static str {
    match end {
        End::Whole | End::Stop => "stop",
        End::Length => "length",
    }
}

fn usage(prompt: usize, answer: usize) -> Value {
    json!({"prompt_tokens": prompt, "completion_tokens": answer, "total_tokens": prompt + answer})
}

fn chat_token(token: &TokenInfo) -> Value {
    let told = |bytes: &[u8], log_prob: f64| json!({"token": String::from_utf8_lossy(bytes), "logprob": log_prob.max(-9999.0), "bytes": bytes});
    let mut whole = told(&token.bytes, token.log_prob);
    whole["top_logprobs"] = token.top.iter().map(|(bytes, log_prob)| told(bytes, *log_prob)).collect();
    whole
}

fn completion_tokens(tokens: &[TokenInfo]) -> Value {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let top = |token: &TokenInfo| -> Map<String, Value> {
        token.top.iter().map(|(bytes, log_prob)| (text(bytes), json!(log_prob.max(-9999.0)))).collect()
    };
    let offsets = tokens.iter().scan(0, |end, token| {
        let start = *end;
        *end += token.bytes.len();
        Some(start)
    });
    let offsets: Vec<usize> = offsets.collect();
    json!({
        "tokens": tokens.iter().map(|token| text(&token.bytes)).collect::<Vec<_>>(),
        "token_logprobs": tokens.iter().map(|token| token.log_prob.max(-9999.0)).collect::<Vec<_>>(),
        "top_logprobs": tokens.iter().map(top).collect::<Vec<_>>(),
        "text_offset": offsets,
    })
}

/// Waits for the whole answer.
async fn complete(frame: &Frame, mut answering: Answering) -> Result<Value, Refusal> {
    let mut all = Piece::default();
    while let Some(heard) = answering.next().await {
        match heard? {
            Heard::Piece(piece) => {
                all.text += &piece.text;
                all.tokens.extend(piece.tokens);
            }
            Heard::End { end, rest, answered } => {
                all.text += &rest.text;
                all.tokens.extend(rest.tokens);
                return Ok(frame.complete(&all, end, usage(answered.prompt_tokens, answered.answer_tokens)));
            }
        }
    }
    Err(Refusal::from(graft_engine::Error::Predict(graft_engine::serving::AnswerError::Interrupted)))
}

/// Tells the answer as it is written.
fn streamed(frame: Frame, answering: Answering, with_usage: bool) -> impl Stream<Item = Result<Event, Infallible>> {
    let mut first = Vec::new();
    if frame.shape == Shape::Chat {
        let choice = json!({"index": 0, "delta": {"role": "assistant", "content": ""}, "logprobs": null,
            "finish_reason": null});
        first.push(frame.whole(true, json!([choice])).to_string());
    }
    let rest = stream::unfold(Some((frame, answering)), move |state| async move {
        let (frame, mut answering) = state?;
        let (told, more) = match answering.next().await? {
            Ok(Heard::Piece(piece)) => (vec![frame.chunk(&piece, None).to_string()], true),
            Ok(Heard::End { end, rest, answered }) => {
                let mut told = Vec::new();
                if !rest.text.is_empty() || !rest.tokens.is_empty() {
                    told.push(frame.chunk(&rest, None).to_string());
                }
                told.push(frame.chunk(&Piece::default(), Some(end)).to_string());
                if with_usage {
                    let mut last = frame.whole(true, json!([]));
                    last["usage"] = usage(answered.prompt_tokens, answered.answer_tokens);
                    told.push(last.to_string());
                }
                told.push("[DONE]".to_owned());
                (told, false)
            }
            Err(error) => (vec![Refusal::from(error).json().to_string(), "[DONE]".to_owned()], false),
        };
        Some((told, more.then_some((frame, answering))))
    });
    let events = stream::StreamExt::chain(stream::iter([first]), rest);
    stream::StreamExt::flat_map(events, |told| {
        stream::iter(told.into_iter().map(|text| Ok(Event::default().data(text))).collect::<Vec<_>>())
    })
}

async fn reply(frame: Frame, answering: Answering, common: &Common) -> Result<Response, Refusal> {
    if !common.stream.unwrap_or(false) {
        return Ok(Reply(complete(&frame, answering).await?).into_response());
    }
    let with_usage = common.stream_options.as_ref().is_some_and(|options| options.include_usage);
    let events = streamed(frame, answering, with_usage);
    Ok(Sse::new(events).keep_alive(KeepAlive::default()).into_response())
}

fn format_of(asked: Option<ResponseFormat>) -> Format {
    match asked {
        None | Some(ResponseFormat::Text) => Format::Own,
        Some(ResponseFormat::JsonObject) => Format::Object,
        Some(ResponseFormat::JsonSchema { json_schema }) => Format::Schema(json_schema.schema),
    }
}

fn messages_of(messages: Vec<Message>) -> Result<Vec<(String, String)>, Refusal> {
    let mut said = Vec::with_capacity(messages.len());
    for Message { role, content } in messages {
        let text = match content {
            None => String::new(),
            Some(Content::Text(text)) => text,
            Some(Content::Parts(parts)) => {
                if parts.iter().any(|part| part.kind != "text") {
                    return Err(Refusal::bad("messages", "only texts are understood, no images or sounds"));
                }
                parts.into_iter().filter_map(|part| part.text).collect()
            }
        };
        // A newer name of the same role.
        let role = if role == "developer" { "system".to_owned() } else { role };
        if !matches!(role.as_str(), "system" | "user" | "assistant") {
            return Err(Refusal::bad("messages", format!("messages of role `{role}` are not understood")));
        }
        said.push((role, text));
    }
    if said.is_empty() {
        return Err(Refusal::bad("messages", "messages must not be empty"));
    }
    Ok(said)
}

/// A conversation goes on. With `stream`, chunks come as server-sent events, and `[DONE]` at the end.
#[utoipa::path(post, path = "/chat/completions", tag = "openai", extensions(("x-role" = json!("auditor"))),
    request_body = ChatRequest, responses((status = 200, body = Object), (status = 400, body = Object),
        (status = 404, body = Object), (status = 429, body = Object)))]
async fn chat_completions(
    State(state): State<AppState>,
    body: Result<Body<ChatRequest>, Problem>,
) -> Result<Response, Refusal> {
    let Body(asked) = body?;
    let log_probs = asked.logprobs.unwrap_or(false);
    let top = log_probs.then(|| asked.top_logprobs.unwrap_or(0));
    let wish = asked.common.wish(asked.max_completion_tokens, top)?;
    let prompt = Prompt::Messages(messages_of(asked.messages)?);
    let format = format_of(asked.response_format);
    let answering = state.serving.begin_model(&asked.model, prompt, &format, &wish).await?;
    let frame = Frame::new(Shape::Chat, asked.model, &answering, log_probs);
    reply(frame, answering, &asked.common).await
}

/// A text goes on. With `stream`, chunks come as server-sent events, and `[DONE]` at the end.
#[utoipa::path(post, path = "/completions", tag = "openai", extensions(("x-role" = json!("auditor"))),
    request_body = CompletionRequest, responses((status = 200, body = Object), (status = 400, body = Object),
        (status = 404, body = Object), (status = 429, body = Object)))]
async fn completions(
    State(state): State<AppState>,
    body: Result<Body<CompletionRequest>, Problem>,
) -> Result<Response, Refusal> {
    let Body(asked) = body?;
    let wish = asked.common.wish(None, asked.logprobs)?;
    let text = match asked.prompt {
        OneOrMany::One(text) => text,
        OneOrMany::Many(mut texts) if texts.len() == 1 => texts.pop().unwrap_or_default(),
        OneOrMany::Many(_) => return Err(Refusal::bad("prompt", "prompt must be one text")),
    };
    let answering = state.serving.begin_model(&asked.model, Prompt::Text(text), &Format::Own, &wish).await?;
    let frame = Frame::new(Shape::Completion, asked.model, &answering, asked.logprobs.is_some());
    reply(frame, answering, &asked.common).await
}

/// Tasks with an active version, versions as `task:version`, and base models.
#[utoipa::path(get, path = "/models", tag = "openai", extensions(("x-role" = json!("viewer"))),
    responses((status = 200, body = ModelList)))]
async fn list_models(State(state): State<AppState>) -> Result<Reply<ModelList>, Refusal> {
    let models = state.serving.models().await?.into_iter();
    let one = |m: graft_engine::serving::ServedModel| OneModel {
        id: m.id,
        object: "model",
        created: m.created / 1000,
        owned_by: "graft",
    };
    Ok(Reply(ModelList { object: "list", data: models.map(one).collect() }))
}

/// Everything under `/v1`.
pub(crate) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list_models)).routes(routes!(chat_completions)).routes(routes!(completions))
}
