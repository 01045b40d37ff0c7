import { api, Away, Problem, reply } from "../api/client";
import { exampleQuery, queries, readExample, sessionQuery } from "../api/queries";
import type { Example } from "../api/types";
import { Outbox, refusal, type Entry, type Reply, type Server } from "../lib/outbox";
import { useStore } from "../lib/store";
import { mark } from "./queueCache";
import { recent } from "./recent";
import { TAB } from "./session";

const RETRY = 3_000;
/** Milliseconds that an answer to who is logged in holds. */
const KNOWN = 1_000;

const server: Server = {
  async who() {
    const session = await queries.fetchQuery({ ...sessionQuery, staleTime: KNOWN, retry: false }).catch(() => null);
    return !session || (session.auth_required && !session.user) ? null : (session.user ?? "");
  },
  async look({ task, id }) {
    const detail = await readExample(task, id).catch(() => null);
    return detail && { example: detail.example, seen: detail.history.at(-1)?.seq ?? 0 };
  },
  send,
};

async function send({ key, by, task, id, saw: { revision }, seen, deed }: Entry): Promise<Reply> {
  const { action, ...rest } = deed;
  try {
    const { example } = await reply(
      api.POST(`/api/v1/examples/{task}/{id}/${action}`, {
        params: { path: { task, id } },
        // A session that began a moment ago is refused what another person decided.
        body: { revision, seen, by: by || undefined, ...rest },
        // One idempotency key is never used for two bodies.
        headers: { "Idempotency-Key": `${key}.${revision}.${seen}` },
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
  recent.settle(entry.key, example);
  mark(new Map([[`${entry.task}/${entry.id}`, example]]));
  const { queryKey } = exampleQuery(entry.task, entry.id);
  queries.setQueryData(queryKey, (old) => (old ? { ...old, example } : old));
  for (const old of [["tasks"], queryKey]) void queries.invalidateQueries({ queryKey: old });
}

/** Every decision made in this browser that the server doesn't have yet. */
export const outbox = new Outbox(server, TAB, settled);

addEventListener("storage", () => [outbox, recent].forEach((kept) => kept.reload()));
addEventListener("beforeunload", (event) => !outbox.isKept && outbox.read().length > 0 && event.preventDefault());
setInterval(() => void outbox.flush(), RETRY);

export const useOutbox = (): Entry[] => useStore(outbox);
