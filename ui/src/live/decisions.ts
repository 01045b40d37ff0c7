import { useSyncExternalStore } from "react";
import { examples } from "../api/calls";
import { queries } from "../api/client";
import { Away, Problem } from "../api/http";
import { exampleQuery } from "../api/queries";
import type { Example } from "../api/types";
import { Outbox, refusal, type Entry, type Known, type Reply } from "../lib/outbox";

const RETRY = 3_000;

async function send(entry: Entry): Promise<Reply> {
  const { action, ...rest } = entry.deed;
  try {
    const { example } = await examples.decide(
      entry.task,
      entry.id,
      action,
      { revision: entry.revision, ...rest },
      entry.key,
    );
    return { kind: "done", example };
  } catch (error) {
    if (error instanceof Problem) return refusal(error.status, error.body.current as Known | undefined, why(error));
    if (error instanceof Away) return { kind: "away" };
    return { kind: "refused", why: String(error) };
  }
}

function why(problem: Problem): string {
  return [problem.detail || problem.title, problem.hint].filter(Boolean).join(" ");
}

function settled(entry: Entry, example: Known): void {
  const { queryKey } = exampleQuery(entry.task, entry.id);
  queries.setQueryData(queryKey, (old) => (old ? { ...old, example: example as Example } : old));
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
