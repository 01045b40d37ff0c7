// Greedy answers of llama.cpp to prompts given as tokens: npm i node-llama-cpp, then
// node llama_cpp_answers.mjs MODEL.gguf PROMPTS.jsonl [LORA.gguf]
import { readFileSync } from "node:fs";
import { getLlama } from "node-llama-cpp";

const MOST = 128;
const [path, prompts, lora] = process.argv.slice(2);
const llama = await getLlama({ gpu: false, build: "never", logLevel: "warn" });
const model = await llama.loadModel({ modelPath: path });
const settings = { contextSize: 2048, threads: llama.cpuMathCores, batchSize: 512 };
const context = await model.createContext({ ...settings, ...(lora ? { lora } : {}) });
const sequence = context.getSequence();
for (const line of readFileSync(prompts, "utf8").split("\n").filter(Boolean)) {
  await sequence.clearHistory();
  const answer = [];
  for await (const token of sequence.evaluate(JSON.parse(line).prompt, { temperature: 0 })) {
    if (model.isEogToken(token)) break;
    answer.push(token);
    if (answer.length === MOST) break;
  }
  console.log(JSON.stringify({ answer }));
}
process.exit(0);
