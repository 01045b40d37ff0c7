"""What OpenAI's own Python client makes of a running server: `openai_client.py URL`."""

import json
import sys

import openai
from openai import OpenAI

client = OpenAI(base_url=sys.argv[1], api_key="unused", max_retries=0)
TASK = "text-classification"
ASK = [{"role": "user", "content": "yes yes yes yes yes yes 7"}]

names = [model.id for model in client.models.list()]
assert {TASK, f"{TASK}:toy", "tiny"} <= set(names), names
assert all(client.models.retrieve(name).id == name for name in names)

# A task answers in its own form, whole and in pieces alike.
for model in (TASK, f"{TASK}:toy"):
    answer = client.chat.completions.create(model=model, messages=ASK, logprobs=True, top_logprobs=2)
    choice = answer.choices[0]
    assert (choice.message.content, choice.finish_reason) == ("good", "stop"), answer
    assert choice.logprobs.content and all(token.logprob <= 0 for token in choice.logprobs.content), answer
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens > 2
options = {"include_usage": True}
chunks = list(client.chat.completions.create(model=TASK, messages=ASK, stream=True, stream_options=options))
said = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
assert said == "good" and chunks[-1].usage.completion_tokens > 0, chunks
assert chunks[0].choices[0].delta.role == "assistant" and chunks[-2].choices[0].finish_reason == "stop", chunks
assert client.completions.create(model=TASK, prompt="no no no no no no 3").choices[0].text == "bad"

# The base model holds conversations, keeps to schemas, and repeats itself with a seed.
schema = {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"], "additionalProperties": False}
form = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema, "strict": True}}
talk = [{"role": "system", "content": "Be brief."}, *ASK, {"role": "assistant", "content": "fine"}, *ASK]
answer = client.chat.completions.create(model="tiny", messages=talk, response_format=form, max_tokens=40)
assert set(json.loads(answer.choices[0].message.content)) == {"ok"}, answer
wild = [
    client.completions.create(model="tiny", prompt="yes", max_tokens=9, temperature=1.5, seed=7, logprobs=2).choices[0]
    for _ in range(2)
]
assert wild[0].text == wild[1].text and wild[0].finish_reason == "length", wild
assert len(wild[0].logprobs.tokens) == len(wild[0].logprobs.token_logprobs) > 0, wild


def refused(kind, **asked):
    try:
        client.chat.completions.create(**{"model": TASK, "messages": ASK, **asked})
    except kind as error:
        return error.body
    raise AssertionError(f"{asked} was not refused")


assert refused(openai.NotFoundError, model="nobody")["code"] == "model_not_found"
assert refused(openai.NotFoundError, model=f"{TASK}:v99")["type"] == "invalid_request_error"
far = {"type": "json_schema", "json_schema": {"name": "far", "schema": {"$ref": "https://example.org/schema"}}}
assert "$ref" in refused(openai.BadRequestError, model="tiny", response_format=far)["message"]
assert refused(openai.BadRequestError, n=2)["param"] == "n"
assert refused(openai.BadRequestError, messages=talk)["message"]
assert refused(openai.BadRequestError, temperature=9)["param"] == "temperature"
print("ok")
