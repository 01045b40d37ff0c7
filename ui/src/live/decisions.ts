import { useSyncExternalStore } from "react";
import { api, Away, Problem, reply } from "../api/client";
import { exampleQuery, queries } from "../api/queries";
import type { Example } from "../api/types";
import { Outbox, refusal, type Entry, type Reply } from "../lib/outbox";

const RETRY = 3_000;

async function send(entry: Entry): Promise<Reply> {
  const { action, ...rest } = entry.deed;
  try {
    const { example } = await reply(
      api.POST(`/api/v1/examples/{task}/{id}/${action}`, {
        params: { path: { task: entry.task, id: entry.id } },
        body: { revision: entry.revision, ...rest },
        headers: { "Idempotency-Key": entry.key },
      }),
    );
    return { kind: "done", example };
  } catch (error) {
    if (error instanceof Problem) return refusal(error.status, error.body.current as Example | undefined, why(error));
    if (error instanceof Away) return { kind: "away" };
    return { kind: "refused", why: String(error) };
  }
}

function why(problem: Problem): string {
  return [problem.message || problem.title, problem.hint].filter(Boolean).join(" ");
}

function settled(entry: Entry, example: Example): void {
  const { queryKey } = exampleQuery(entry.task, entry.id);
  queries.setQueryData(queryKey, (old) => (old ? { ...old, example } : old));
  void queries.invalidateQueries({ queryKey: ["tasks"] });
}

/** Every decision made here that the server doesn't have yet. Should two tabs send one, its key makes it count once. */
export const outbox = new Outbox(send, localStorage, settled);

addEventListener("storage", outbox.reload);
setInterval(() => {
  if (outbox.list().length > 0) void outbox.flush();
}, RETRY);

export function useOutbox(): Entry[] {
  return useSyncExternalStore(outbox.subscribe, outbox.list);
}
