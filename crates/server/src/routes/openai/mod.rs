//! `/v1`: the part of OpenAI's API that Graft supports.

mod proxy;
mod refusal;
mod reply;

use std::collections::BTreeMap;

use axum::{extract::State, http::HeaderMap, response::Response};
use futures_util::{StreamExt as _, stream};
use graft_engine::serving::{Adjustments, AnswerOptions, Format, Heard, Piece, Prompt, Sampling, ServedModel};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use refusal::Refusal;
pub(crate) use refusal::{OpenAiError, in_form};
use reply::{Frame, Shape, likeliest, pieces, reply};

use crate::{
    extract::{At, Body, Client, Raw, Recorded, Reply},
    problem::{Kind, Problem},
    state::AppState,
};

/// Most tokens of an answer, and those where the request doesn't say.
const MOST_TOKENS: usize = 8192;
const TOKENS: usize = 512;
/// Maximum number of most likely tokens returned for each position.
const MOST_TOP: usize = 20;

/// Largest `best_of`: each candidate takes a place in the batch.
const MOST_CANDIDATES: usize = 8;

/// A conversation to continue. Unsupported parameters are refused by name.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ChatRequest {
    /// `task`, `task:version`, or a base model.
    model: String,
    /// The conversation; tasks take one message of the user.
    messages: Vec<Message>,
    /// `text`, `json_object` or `json_schema`.
    response_format: Option<ResponseFormat>,
    /// Whether the reply has each token's probability.
    logprobs: Option<bool>,
    /// Number of most likely tokens to return for each position, at most 20.
    top_logprobs: Option<usize>,
    /// Newer name of `max_tokens`.
    max_completion_tokens: Option<usize>,
    #[serde(flatten)]
    common: Common,
}

/// Who is asked.
#[derive(Deserialize)]
struct Named {
    model: String,
}

/// A text to continue.
#[derive(Debug, Deserialize, ToSchema)]
pub struct CompletionRequest {
    /// `task`, `task:version`, or a base model.
    model: String,
    /// The text; a task's input.
    #[schema(value_type = String)]
    prompt: OneOrMany,
    /// Each token's probability and those of so many likelier ones.
    logprobs: Option<usize>,
    /// Whether the reply starts with the prompt. Not together with `logprobs`.
    echo: Option<bool>,
    /// Write so many answers, 8 at most, and return the one with the largest mean log-probability of its tokens. Not together
    /// with `stream`.
    best_of: Option<usize>,
    #[serde(flatten)]
    common: Common,
}

/// What both take.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct Common {
    /// Maximum tokens of the answer.
    max_tokens: Option<usize>,
    /// 0 selects the most likely token each time.
    temperature: Option<f32>,
    /// Sample from the most likely tokens with this total probability.
    top_p: Option<f32>,
    /// Same seed, same answer.
    seed: Option<i64>,
    /// Subtracted from a token's logit each time that it occurs in the answer, from -2 to 2.
    frequency_penalty: Option<f32>,
    /// Subtracted once from the logits of tokens that occur in the answer, from -2 to 2.
    presence_penalty: Option<f32>,
    /// Added to the logits of tokens, by their id in the tokenizer of the base model: numbers from -100 to 100.
    #[schema(value_type = Option<BTreeMap<String, f32>>)]
    logit_bias: Option<Value>,
    /// Texts before which the answer ends.
    #[schema(value_type = Option<Vec<String>>)]
    stop: Option<OneOrMany>,
    /// Answers; only 1.
    n: Option<usize>,
    /// Tell the answer as it is written.
    #[serde(default)]
    stream: Option<bool>,
    /// `include_usage` tells the tokens at the end of a stream.
    stream_options: Option<StreamOptions>,
    /// Everything else.
    #[serde(flatten)]
    #[schema(ignore)]
    others: Map<String, Value>,
}

/// What changes answers elsewhere and is not done here, with the values that ask for nothing.
fn not_done() -> [(&'static str, Value); 15] {
    [
        ("tools", json!([])),
        ("tool_choice", json!("none")),
        ("parallel_tool_calls", json!(false)),
        ("functions", json!([])),
        ("function_call", json!("none")),
        ("echo", json!(false)),
        ("suffix", json!("")),
        ("best_of", json!(1)),
        ("modalities", json!(["text"])),
        ("audio", Value::Null),
        ("prediction", Value::Null),
        ("web_search_options", Value::Null),
        ("repetition_penalty", json!(1)),
        ("top_k", json!(-1)),
        ("min_p", json!(0)),
    ]
}

/// What changes no answer: it is taken, and ignored.
const WITHOUT_EFFECT: [&str; 9] = [
    "metadata",
    "prompt_cache_key",
    "prompt_cache_retention",
    "reasoning_effort",
    "safety_identifier",
    "service_tier",
    "store",
    "user",
    "verbosity",
];

/// Options of a stream.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct StreamOptions {
    /// The tokens, at its end.
    #[serde(default)]
    include_usage: bool,
}

impl ChatRequest {
    /// How the answer is to be written.
    fn options(&self) -> Result<AnswerOptions, Refusal> {
        let log_probs = self.logprobs.unwrap_or(false);
        if !log_probs && self.top_logprobs.is_some_and(|top| top > 0) {
            return Err(Refusal::bad("top_logprobs", "top_logprobs needs logprobs to be true"));
        }
        self.common.options(self.max_completion_tokens, log_probs.then(|| self.top_logprobs.unwrap_or(0)))
    }
}

impl CompletionRequest {
    /// How many answers are written to choose from.
    fn candidates(&self) -> Result<usize, Refusal> {
        match self.best_of.unwrap_or(1) {
            1 => Ok(1),
            _ if self.common.stream.unwrap_or(false) => {
                Err(Refusal::bad("best_of", "best_of can't be streamed: leave out stream, or best_of"))
            }
            candidates @ 2..=MOST_CANDIDATES => Ok(candidates),
            _ => Err(Refusal::bad("best_of", format!("best_of must be from 1 to {MOST_CANDIDATES}"))),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

/// One message of a conversation.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Message {
    /// `system` (or `developer`), `user` or `assistant`.
    role: String,
    /// The words.
    content: Option<Content>,
}

/// Words, whole or in parts.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum Content {
    /// Whole.
    Text(String),
    /// In parts, which are read as one.
    Parts(Vec<Part>),
}

/// A part of what was said.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Part {
    /// `text`.
    #[serde(rename = "type")]
    kind: String,
    /// The words.
    text: Option<String>,
}

/// The form of an answer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ResponseFormat {
    /// Any text, or the task's own form.
    Text,
    /// Any JSON object, or the task's own.
    JsonObject,
    /// JSON that follows a schema.
    JsonSchema {
        /// The schema.
        json_schema: NamedSchema,
    },
}

/// A JSON Schema; its name is not looked at.
#[derive(Debug, Deserialize, ToSchema)]
pub struct NamedSchema {
    /// The schema.
    #[schema(value_type = Object)]
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

impl From<ServedModel> for OneModel {
    fn from(model: ServedModel) -> Self {
        Self { id: model.id, object: "model", created: model.created / 1000, owned_by: "graft" }
    }
}

impl Common {
    fn options(&self, max_tokens: Option<usize>, top: Option<usize>) -> Result<AnswerOptions, Refusal> {
        let max_tokens = max_tokens.or(self.max_tokens).unwrap_or(TOKENS);
        if !(1..=MOST_TOKENS).contains(&max_tokens) {
            return Err(Refusal::bad("max_tokens", format!("max_tokens must be from 1 to {MOST_TOKENS}")));
        }
        if self.n.is_some_and(|n| n != 1) {
            return Err(Refusal::bad("n", "n must be 1"));
        }
        let asks = |(name, nothing): &(&str, Value)| {
            let same = |asked: &Value| asked == nothing || asked.is_number() && asked.as_f64() == nothing.as_f64();
            self.others.get(*name).is_some_and(|asked| !asked.is_null() && !same(asked))
        };
        if let Some((name, _)) = not_done().into_iter().find(asks) {
            return Err(Refusal::bad(name, format!("{name} is not supported here; leave it out")));
        }
        let is_known =
            |name: &str| WITHOUT_EFFECT.contains(&name) || not_done().iter().any(|(known, _)| *known == name);
        if let Some((name, _)) = self.others.iter().find(|(name, value)| !value.is_null() && !is_known(name)) {
            return Err(Refusal::bad(name.clone(), format!("{name} is unknown here; leave it out")));
        }
        if top.is_some_and(|top| top > MOST_TOP) {
            return Err(Refusal::bad("top_logprobs", format!("at most {MOST_TOP} top logprobs are supported")));
        }
        let stop = match &self.stop {
            None => Vec::new(),
            Some(OneOrMany::One(stop)) => vec![stop.clone()],
            Some(OneOrMany::Many(stops)) => stops.clone(),
        };
        if stop.len() > 4 || stop.iter().any(|stop| stop.is_empty() || stop.len() > 1000) {
            return Err(Refusal::bad("stop", "stop must be at most 4 texts of 1 to 1000 bytes"));
        }
        Ok(AnswerOptions {
            max_tokens: Some(max_tokens),
            sampling: self.sampling()?,
            adjustments: self.adjustments()?,
            stop,
            top,
            ..AnswerOptions::default()
        })
    }

    /// Penalties and biases, which apply to greedy decoding too.
    fn adjustments(&self) -> Result<Adjustments, Refusal> {
        let penalty = |name: &'static str, asked: Option<f32>| match asked.unwrap_or(0.0) {
            penalty if (-2.0..=2.0).contains(&penalty) => Ok(penalty),
            _ => Err(Refusal::bad(name, format!("{name} must be from -2 to 2"))),
        };
        Ok(Adjustments {
            frequency_penalty: penalty("frequency_penalty", self.frequency_penalty)?,
            presence_penalty: penalty("presence_penalty", self.presence_penalty)?,
            bias: bias_of(self.logit_bias.as_ref())?,
        })
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

/// The biases by token; `null` and an empty object ask for none.
fn bias_of(asked: Option<&Value>) -> Result<BTreeMap<u32, f32>, Refusal> {
    let bad = |what: String| Refusal::bad("logit_bias", format!("logit_bias {what}"));
    let biases = match asked {
        None | Some(Value::Null) => return Ok(BTreeMap::new()),
        Some(Value::Object(biases)) => biases,
        Some(_) => return Err(bad("must be an object of token ids and numbers".to_owned())),
    };
    let one = |(key, bias): (&String, &Value)| {
        let token = key.parse().map_err(|_| bad(format!("has the key `{key}`, which is no token id")))?;
        let bias = bias.as_f64().filter(|bias| (-100.0..=100.0).contains(bias));
        let bias = bias.ok_or_else(|| bad(format!("of token `{key}` must be a number from -100 to 100")))?;
        Ok((token, bias as f32))
    };
    biases.iter().map(one).collect()
}

fn random_seed() -> u64 {
    let mut bytes = [0; 8];
    // Without a source of random numbers, answers just repeat.
    let _ = getrandom::fill(&mut bytes);
    u64::from_le_bytes(bytes)
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
                    return Err(Refusal::bad("messages", "only text is supported, no images or audio"));
                }
                parts.into_iter().filter_map(|part| part.text).collect()
            }
        };
        // A newer name of the same role.
        let role = if role == "developer" { "system".to_owned() } else { role };
        if !matches!(role.as_str(), "system" | "user" | "assistant") {
            return Err(Refusal::bad("messages", format!("messages of role `{role}` are not supported")));
        }
        said.push((role, text));
    }
    if said.is_empty() {
        return Err(Refusal::bad("messages", "messages must not be empty"));
    }
    Ok(said)
}

/// Continues a conversation. With `stream`, chunks are sent as server-sent events, with `[DONE]` at the end. If the task has an
/// upstream, `x-graft-answered-by` says who answered: a version, or `upstream`.
#[utoipa::path(post, path = "/chat/completions", tag = "openai", extensions(("x-role" = json!("auditor"))),
    request_body = ChatRequest, responses(
        (status = 200, content((Object = "application/json"), (String = "text/event-stream"))),
        (status = 400, body = OpenAiError), (status = 404, body = OpenAiError), (status = 429, body = OpenAiError)))]
async fn chat_completions(
    State(state): State<AppState>,
    client: Result<Client, Problem>,
    headers: HeaderMap,
    body: Result<Raw, Problem>,
) -> Result<Response, Refusal> {
    let (body, Client(client)) = (body?, client?);
    let Named { model } = body.parse()?;
    if let Some(upstream) = state.proxy.upstream(&model).await? {
        return proxy::answer(&state, client, &headers, (model, upstream), &body).await;
    }
    let asked: ChatRequest = body.parse()?;
    let options = AnswerOptions { client, untraced: !Recorded::of(&headers).0, ..asked.options()? };
    let prompt = Prompt::Messages(messages_of(asked.messages)?);
    let format = format_of(asked.response_format);
    let answering = state.serving.begin_model(&asked.model, prompt, &format, &options).await?;
    let log_probs = asked.logprobs.unwrap_or(false);
    let frame = Frame::new(Shape::Chat, asked.model, answering.deployment().digest(), log_probs);
    reply(frame, pieces(answering), &asked.common).await
}

/// Continues a text. With `stream`, chunks are sent as server-sent events, with `[DONE]` at the end.
#[utoipa::path(post, path = "/completions", tag = "openai", extensions(("x-role" = json!("auditor"))),
    request_body = CompletionRequest, responses(
        (status = 200, content((Object = "application/json"), (String = "text/event-stream"))),
        (status = 400, body = OpenAiError), (status = 404, body = OpenAiError), (status = 429, body = OpenAiError)))]
async fn completions(
    State(state): State<AppState>,
    client: Result<Client, Problem>,
    Recorded(recorded): Recorded,
    body: Result<Body<CompletionRequest>, Problem>,
) -> Result<Response, Refusal> {
    let Body(asked) = body?;
    let options =
        AnswerOptions { client: client?.0, untraced: !recorded, ..asked.common.options(None, asked.logprobs)? };
    let candidates = asked.candidates()?;
    let echo = asked.echo.unwrap_or(false);
    if echo && asked.logprobs.is_some() {
        return Err(Refusal::bad("echo", "echo is not supported together with logprobs; leave one out"));
    }
    let text = match asked.prompt {
        OneOrMany::One(text) => text,
        OneOrMany::Many(mut texts) if texts.len() == 1 => texts.pop().unwrap_or_default(),
        OneOrMany::Many(_) => return Err(Refusal::bad("prompt", "prompt must be one text")),
    };
    let echoed = echo.then(|| Ok(Heard::Piece(Piece { text: text.clone(), tokens: Vec::new() })));
    let prompt = Prompt::Text(text);
    let first = state.serving.begin_model(&asked.model, prompt.clone(), &Format::Own, &options).await?;
    let (model, log_probs) = (asked.model.clone(), asked.logprobs.is_some());
    let frame = Frame::new(Shape::Completion, model, first.deployment().digest(), log_probs);
    // Where nothing is drawn, all candidates are the same.
    let pieces = if candidates == 1 || options.sampling.is_none() || !first.deployment().is_model() {
        pieces(first).boxed()
    } else {
        let mut all = vec![first];
        for stream in 1..candidates as u64 {
            let options = AnswerOptions { stream, ..options.clone() };
            all.push(state.serving.begin_model(&asked.model, prompt.clone(), &Format::Own, &options).await?);
        }
        stream::iter(likeliest(all).await?.map(Ok)).boxed()
    };
    reply(frame, stream::iter(echoed).chain(pieces), &asked.common).await
}

/// Tasks with an active version or an upstream, versions as `task:version`, and base models.
#[utoipa::path(get, path = "/models", tag = "openai", extensions(("x-role" = json!("viewer"))),
    responses((status = 200, body = ModelList)))]
async fn list_models(State(state): State<AppState>) -> Result<Reply<ModelList>, Refusal> {
    let models = state.serving.models().await?;
    Ok(Reply(ModelList { object: "list", data: models.into_iter().map(OneModel::from).collect() }))
}

/// One model by its name.
#[utoipa::path(get, path = "/models/{*model}", tag = "openai", extensions(("x-role" = json!("viewer"))),
    params(("model" = String, Path, description = "`task`, `task:version`, or a base model")),
    responses((status = 200, body = OneModel), (status = 404, body = OpenAiError)))]
async fn one_model(State(state): State<AppState>, At(name): At<String>) -> Result<Reply<OneModel>, Refusal> {
    let found = state.serving.models().await?.into_iter().find(|model| model.id == name);
    found.map(|model| Reply(model.into())).ok_or_else(|| {
        Problem::new(Kind::NotFound, format!("there is no model `{name}`")).with_hint("`/v1/models` lists them").into()
    })
}

/// Everything under `/v1`.
pub(crate) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_models))
        .routes(routes!(one_model))
        .routes(routes!(chat_completions))
        .routes(routes!(completions))
}
