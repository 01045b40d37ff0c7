/** A few made-up messages for a task, so that all can be tried before there is data of one's own; read when wanted. */
const FILES = import.meta.glob<string>("../samples/*.jsonl", { query: "?raw", import: "default" });
const fileOf = (task: string) => FILES[`../samples/${task}.jsonl`];

export const hasSample = (task: string) => fileOf(task) !== undefined;

/** As a file of JSON lines; most messages have an answer, some wait for one. */
export async function sample(task: string): Promise<File> {
  return new File([(await fileOf(task)?.()) ?? ""], "sample.jsonl", { type: "application/jsonl" });
}
