// What OpenAI's own npm client makes of a running server: `node openai_client.mjs URL`, with NODE_PATH's `openai`.
import assert from "node:assert/strict";
import { createRequire } from "node:module";

const require = createRequire(process.argv[3] + "/package.json");
const { default: OpenAI, NotFoundError } = require("openai");

const client = new OpenAI({ baseURL: process.argv[2], apiKey: "unused", maxRetries: 0 });
const model = "text-classification";
const messages = [{ role: "user", content: "yes yes yes yes yes yes 7" }];

const names = [];
for await (const one of client.models.list()) names.push(one.id);
assert(names.includes(model) && names.includes("tiny"), String(names));
assert.equal((await client.models.retrieve(`${model}:toy`)).id, `${model}:toy`);
await assert.rejects(client.models.retrieve("nobody"), NotFoundError);

const answer = await client.chat.completions.create({ model, messages });
assert.equal(answer.choices[0].message.content, "good");
let said = "";
for await (const chunk of await client.chat.completions.create({ model, messages, stream: true }))
  said += chunk.choices[0]?.delta?.content ?? "";
assert.equal(said, "good");

// A client that goes away in the middle harms nobody.
const stream = await client.completions.create({ model: "tiny", prompt: "yes", max_tokens: 400, stream: true });
for await (const _ of stream) break;
await assert.rejects(client.chat.completions.create({ model: "nobody", messages }), NotFoundError);
console.log("ok");
