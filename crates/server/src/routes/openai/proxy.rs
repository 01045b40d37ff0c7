//! Requests for tasks that have an upstream.

use std::{convert::Infallible, sync::Arc};

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use futures_util::stream;
use graft_engine::{
    ChatRequest as Passing, PassedBody, PlainRequest, Proxied,
    records::Upstream,
    serving::{AnswerOptions, Heard},
};

use super::{ChatRequest, Common, Frame, MOST_TOKENS, Refusal, Shape, format_of, messages_of, reply};
use crate::{
    extract::{Raw, Recorded},
    live::unheld,
    state::AppState,
};

/// Says who answered: a version, or `upstream`.
const ANSWERED_BY: HeaderName = HeaderName::from_static("x-graft-answered-by");

/// Answers a request for a task, or passes it on.
pub(super) async fn answer(
    state: &AppState,
    client: Arc<str>,
    headers: &HeaderMap,
    (task, upstream): (String, Upstream),
    body: &Raw,
) -> Result<Response, Refusal> {
    // What Graft can't read, the upstream may.
    let (plain, common) = body.parse().ok().and_then(|asked| plain(asked, client)).unzip();
    let Recorded(record) = Recorded::of(headers);
    let asked = Passing { body: String::from_utf8_lossy(&body.0).into_owned(), plain, record };
    let proxied = state.proxy.answer(&task, upstream, asked).await;
    let (by, response) = match proxied {
        Ok(Proxied::Own(answer)) => {
            let version = answer.version.clone().unwrap_or_default();
            let frame = Frame::new(Shape::Chat, task.clone(), &answer.deployment, false);
            let pieces = stream::iter([Ok(Heard::from(*answer))]);
            ("graft", said_by(&version, reply(frame, pieces, &common.unwrap_or_default()).await?))
        }
        Ok(Proxied::Upstream(passed)) => {
            let by = if passed.status < 400 { "upstream" } else { "nobody" };
            let status = StatusCode::from_u16(passed.status).unwrap_or(StatusCode::BAD_GATEWAY);
            let mut response = match passed.body {
                PassedBody::Whole(bytes) => Body::from(bytes).into_response(),
                PassedBody::Stream(pieces) => {
                    let pieces = stream::unfold(pieces, |mut pieces| async move {
                        let bytes = pieces.recv().await?;
                        Some((Ok::<_, Infallible>(Bytes::from(bytes)), pieces))
                    });
                    (unheld(), Body::from_stream(pieces)).into_response()
                }
            };
            *response.status_mut() = status;
            for (name, value) in passed.headers {
                if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                    response.headers_mut().insert(name, value);
                }
            }
            // An error without a type would count as one of this server.
            if !response.headers().contains_key(header::CONTENT_TYPE) {
                response
                    .headers_mut()
                    .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
            }
            (by, said_by("upstream", response))
        }
        Err(error) => {
            state.metrics.upstream(&task, "nobody");
            return Err(error.into());
        }
    };
    state.metrics.upstream(&task, by);
    Ok(response)
}

fn said_by(who: &str, mut response: Response) -> Response {
    if let Ok(who) = HeaderValue::from_str(who) {
        response.headers_mut().insert(ANSWERED_BY, who);
    }
    response
}

/// A request that a task can answer: one message of the user, after any that instruct the model, and nothing that is not done
/// here.
fn plain(mut asked: ChatRequest, client: Arc<str>) -> Option<(PlainRequest, Common)> {
    // A limit above what is done here limits nothing.
    for limit in [&mut asked.max_completion_tokens, &mut asked.common.max_tokens] {
        *limit = limit.map(|most| most.min(MOST_TOKENS));
    }
    let options = asked.options().ok()?;
    // Token ids are those of the upstream's tokenizer, and no calibration is of penalized answers.
    if options.top.is_some() || !options.adjustments.is_none() {
        return None;
    }
    let mut messages = messages_of(asked.messages).ok()?;
    let (role, input) = messages.pop()?;
    if role != "user" || input.trim().is_empty() || messages.iter().any(|(role, _)| role != "system") {
        return None;
    }
    let options = AnswerOptions { client, ..options };
    Some((PlainRequest { input, format: format_of(asked.response_format), options }, asked.common))
}

#[cfg(test)]
mod tests {
    use graft_engine::serving::Format;
    use serde_json::{Value, json};

    use super::*;

    fn plain_of(changes: Value) -> Option<PlainRequest> {
        let mut body = json!({"model": "spam", "messages": [{"role": "user", "content": "WIN!"}]});
        for (name, value) in changes.as_object().unwrap() {
            body[name] = value.clone();
        }
        plain(serde_json::from_value(body).unwrap(), "ada".into()).map(|(plain, _)| plain)
    }

    #[test]
    fn one_text_is_plain() {
        let system =
            |content: &str| json!([{"role": "developer", "content": content}, {"role": "user", "content": "WIN!"}]);
        for changes in [
            json!({}),
            json!({"messages": system("Is it spam?")}),
            json!({"messages": [{"role": "user", "content": [{"type": "text", "text": "WIN!"}]}]}),
            json!({"stream": true, "temperature": 0.7, "max_tokens": 100_000, "tools": [], "tool_choice": "none"}),
            json!({"reasoning_effort": "low", "metadata": {"a": "b"}}),
        ] {
            let plain = plain_of(changes.clone()).unwrap_or_else(|| panic!("{changes}"));
            assert!(plain.input == "WIN!" && plain.format == Format::Own && &*plain.options.client == "ada");
        }
        assert_eq!(plain_of(json!({"response_format": {"type": "json_object"}})).unwrap().format, Format::Object);
    }

    #[test]
    fn tools_images_and_conversations_are_not() {
        let turn = |role: &str, content: Value| json!({"role": role, "content": content});
        for changes in [
            json!({"tools": [{"type": "function", "function": {"name": "a"}}]}),
            json!({"n": 2}),
            json!({"logprobs": true}),
            json!({"logit_bias": {"1": 5}}),
            json!({"frequency_penalty": 0.5}),
            json!({"messages": []}),
            json!({"messages": [turn("user", json!(" "))]}),
            json!({"messages": [turn("system", json!("Is it spam?"))]}),
            json!({"messages": [turn("user", json!("a")), turn("assistant", json!("b")), turn("user", json!("c"))]}),
            json!({"messages": [turn("user", json!("a")), turn("user", json!("b"))]}),
            json!({"messages": [turn("user", json!([{"type": "image_url", "image_url": {"url": "x"}}]))]}),
            json!({"messages": [turn("tool", json!("a"))]}),
        ] {
            assert!(plain_of(changes.clone()).is_none(), "{changes}");
        }
    }
}
