//! Replies in OpenAI's format, complete or as a stream.

use std::{convert::Infallible, pin::pin};

use axum::response::{
    IntoResponse, Response,
    sse::{Event, KeepAlive, Sse},
};
use futures_util::{Stream, StreamExt as _, stream};
use graft_core::Digest;
use graft_engine::serving::{Answer, AnswerError, Answering, End, Heard, Piece, TokenInfo};
use serde_json::{Map, Value, json};

use super::{Common, random_seed, refusal::Refusal};
use crate::{extract::Reply, live::unheld};

/// The two kinds of reply, which differ in shape only.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Chat,
    Completion,
}

/// What stays the same in all chunks of a reply.
#[derive(Clone)]
pub(super) struct Frame {
    shape: Shape,
    id: String,
    model: String,
    created: i64,
    /// Names what answers.
    deployment: String,
    log_probs: bool,
}

impl Frame {
    pub(super) fn new(shape: Shape, model: String, deployment: &Digest, log_probs: bool) -> Self {
        let prefix = if shape == Shape::Chat { "chatcmpl" } else { "cmpl" };
        let id = format!("{prefix}-{:016x}", random_seed());
        let deployment = deployment.to_string();
        Self { shape, id, model, created: graft_engine::now() / 1000, deployment, log_probs }
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
            "system_fingerprint": format!("graft-{}", &self.deployment[..12]), "choices": choices,
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

/// What comes of an answer, as it is written.
pub(super) fn pieces(answering: Answering) -> impl Stream<Item = graft_engine::Result<Heard>> + Send {
    stream::unfold(answering, |mut answering| async move { Some((answering.next().await?, answering)) })
}

/// The answer whose tokens have the largest mean log-probability; its tokens are those of all answers, which were all computed.
pub(super) async fn likeliest(candidates: Vec<Answering>) -> Result<[Heard; 2], Refusal> {
    let (mut best, mut tokens) = (None, 0);
    for candidate in candidates {
        let (piece, end, answer) = whole(pieces(candidate)).await?;
        tokens += answer.answer_tokens;
        let is_better = |(_, _, best): &(Piece, End, Box<Answer>)| best.log_prob < answer.log_prob;
        if best.as_ref().is_none_or(is_better) {
            best = Some((piece, end, answer));
        }
    }
    let (piece, end, mut answer) = best.ok_or_else(interrupted)?;
    answer.answer_tokens = tokens;
    Ok([Heard::Piece(piece), Heard::End { end, rest: Piece::default(), answer }])
}

fn interrupted() -> Refusal {
    Refusal::from(graft_engine::Error::Predict(AnswerError::Interrupted))
}

/// Waits for the whole answer.
async fn whole(pieces: impl Stream<Item = graft_engine::Result<Heard>>) -> Result<(Piece, End, Box<Answer>), Refusal> {
    let (mut all, mut pieces) = (Piece::default(), pin!(pieces));
    while let Some(heard) = pieces.next().await {
        match heard? {
            Heard::Piece(piece) => {
                all.text += &piece.text;
                all.tokens.extend(piece.tokens);
            }
            Heard::End { end, rest, answer } => {
                all.text += &rest.text;
                all.tokens.extend(rest.tokens);
                return Ok((all, end, answer));
            }
        }
    }
    Err(interrupted())
}

/// Tells the answer as it is written.
fn streamed(
    frame: Frame,
    pieces: impl Stream<Item = graft_engine::Result<Heard>> + Send,
    with_usage: bool,
) -> impl Stream<Item = Result<Event, Infallible>> {
    let mut first = Vec::new();
    if frame.shape == Shape::Chat {
        let choice = json!({"index": 0, "delta": {"role": "assistant", "content": ""}, "logprobs": null,
            "finish_reason": null});
        first.push(frame.whole(true, json!([choice])).to_string());
    }
    let rest = stream::unfold(Some((frame, Box::pin(pieces))), move |state| async move {
        let (frame, mut pieces) = state?;
        let (told, more) = match pieces.next().await? {
            Ok(Heard::Piece(piece)) => (vec![frame.chunk(&piece, None).to_string()], true),
            Ok(Heard::End { end, rest, answer }) => {
                let mut told = Vec::new();
                if !rest.text.is_empty() || !rest.tokens.is_empty() {
                    told.push(frame.chunk(&rest, None).to_string());
                }
                told.push(frame.chunk(&Piece::default(), Some(end)).to_string());
                if with_usage {
                    let mut last = frame.whole(true, json!([]));
                    last["usage"] = usage(answer.prompt_tokens, answer.answer_tokens);
                    told.push(last.to_string());
                }
                told.push("[DONE]".to_owned());
                (told, false)
            }
            Err(error) => {
                let said = graft_core::json::line(&Refusal::from(error).body());
                (vec![said, "[DONE]".to_owned()], false)
            }
        };
        Some((told, more.then_some((frame, pieces))))
    });
    let events = stream::iter([first]).chain(rest);
    events
        .flat_map(|told| stream::iter(told.into_iter().map(|text| Ok(Event::default().data(text))).collect::<Vec<_>>()))
}

pub(super) async fn reply(
    frame: Frame,
    pieces: impl Stream<Item = graft_engine::Result<Heard>> + Send + 'static,
    common: &Common,
) -> Result<Response, Refusal> {
    if !common.stream.unwrap_or(false) {
        let (all, end, answer) = whole(pieces).await?;
        let usage = usage(answer.prompt_tokens, answer.answer_tokens);
        return Ok(Reply(frame.complete(&all, end, usage)).into_response());
    }
    let with_usage = common.stream_options.as_ref().is_some_and(|options| options.include_usage);
    let events = streamed(frame, pieces, with_usage);
    Ok((unheld(), Sse::new(events).keep_alive(KeepAlive::default())).into_response())
}
