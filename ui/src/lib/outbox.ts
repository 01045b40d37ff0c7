import type { Example } from "../api/types";
import { same, type Json } from "./json";
import { KeptStore } from "./store";

/** A decision on a message. */
export type Deed =
  /** Without an output, the stored one is right. */
  | { action: "approve"; output?: Json }
  | { action: "edit"; output: Json }
  | { action: "reject"; reason: string }
  | { action: "undo" };

/** A message as far as a decision rests on it. */
export type Saw = Pick<Example, "revision" | "output" | "review">;

/** A decision that the server doesn't have yet. */
export interface Entry {
  /** Its own; part of the idempotency key, so that a reply that got lost does no harm. */
  key: string;
  /** Who decided; empty where no login is needed. It is sent only while this person is logged in. */
  by: string;
  /** The tab it was made in. */
  tab: string;
  task: string;
  id: string;
  /** The message as the person saw it. */
  saw: Saw;
  /** The `seq` of the newest change that they saw; absent until it is known. */
  seen?: number;
  deed: Deed;
  /** It was sent, from whichever tab: the server may have it although it did not answer. */
  tried?: boolean;
  /** Milliseconds since the epoch. */
  at: number;
  /** The beginning of the message, to name it. */
  title: string;
  /** Someone else was faster: the example as it is now. */
  conflict?: Example;
  /** The server refused it: why. */
  refused?: string;
}

/** The result of sending an entry. */
export type Reply =
  | { kind: "done"; example: Example }
  | { kind: "conflict"; current: Example }
  | { kind: "refused"; why: string }
  | { kind: "away" };

/** The server, as far as decisions need it; what is `null` can't be told now. */
export interface Server {
  who: () => Promise<string | null>;
  look: (entry: Entry) => Promise<{ example: Example; seen: number } | null>;
  send: (entry: Entry) => Promise<Reply>;
}

/** A server that restarts, whose disk is full, that met a bug or wants a new login will take it later. */
const LATER = [401, 408, 429, 500, 502, 503, 504, 507];
/** Milliseconds after which any tab of the same person sends a decision whose own tab did not. */
const HANDED_OVER = 5_000;

/** The meaning of an error response for a decision. */
export function refusal(status: number, current: Example | undefined, why: string): Reply {
  if (status === 409) return current ? { kind: "conflict", current } : { kind: "away" }; // It is being answered.
  return LATER.includes(status) ? { kind: "away" } : { kind: "refused", why };
}

/** Decisions in the order they were made, kept where a reload doesn't reach them. */
export class Outbox extends KeptStore<Entry[]> {
  private busy = false;
  /** The state of each example after the last decision sent from here. */
  private results = new Map<string, Saw>();
  away = false;

  constructor(
    private readonly server: Server,
    readonly tab: string,
    private readonly settled: (entry: Entry, example: Example) => void = () => {},
  ) {
    super("graft.outbox", []);
  }

  /** Whether an example is as a decision from here left it. */
  isOwn(example: Example): boolean {
    const result = this.results.get(id(example));
    return result !== undefined && unchanged(result, example);
  }

  add(entry: Omit<Entry, "tab">): void {
    this.change((entries) => [...entries, { ...entry, tab: this.tab }]);
    void this.flush();
  }

  /** Takes an unsent decision back; false when it is too late for that. */
  withdraw(key: string): boolean {
    let withdrawn = false;
    this.change((entries) =>
      entries.filter((one) => {
        const isIt = one.key === key && one.tab === this.tab && !one.tried;
        withdrawn ||= isIt;
        return !isIt;
      }),
    );
    return withdrawn;
  }

  /** After a conflict: drop the own decision, or decide again on what is there now. */
  resolve(key: string, keep: "mine" | "theirs"): void {
    this.change((entries) =>
      entries.flatMap((entry): Entry[] => {
        if (entry.key !== key) return [entry];
        if (keep === "theirs") return [];
        const { conflict, refused: _, seen: __, tried: ___, ...rest } = entry;
        return [{ ...rest, key: `${key}+`, deed: standing(entry), saw: conflict ?? entry.saw, tab: this.tab }];
      }),
    );
    void this.flush();
  }

  /** Sends what waits, in order. What a conflict or a refusal holds back holds back only later decisions on the same example. */
  async flush(): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    try {
      while (await this.deliverNext());
    } finally {
      this.busy = false;
    }
  }

  private async deliverNext(): Promise<boolean> {
    if (this.read().length === 0) return false;
    const who = await this.server.who();
    if (who === null) return this.isAway(true);
    // Also where the clock was set back since.
    const isOurs = (entry: Entry) => entry.tab === this.tab || Math.abs(Date.now() - entry.at) > HANDED_OVER;
    const held = new Set<string>();
    for (const entry of this.read()) {
      if (entry.by !== who || held.has(id(entry))) continue;
      if (!entry.conflict && !entry.refused && isOurs(entry)) return this.deliver(entry);
      held.add(id(entry));
    }
    return false;
  }

  private async deliver(entry: Entry): Promise<boolean> {
    const reply = await this.exchange(entry);
    if (reply === null) return true;
    this.isAway(reply.kind === "away");
    if (reply.kind === "away") return false;
    const result = this.results.get(id(entry));
    if (reply.kind === "done") this.settle(entry, reply.example);
    else if (reply.kind === "refused") this.replace(entry, { refused: reply.why, tried: false });
    else if (agrees(entry, reply.current)) this.settle(entry, reply.current);
    // It conflicts with a decision that was made here a moment before.
    else if (result && unchanged(result, reply.current) && !unchanged(result, entry.saw))
      this.replace(entry, { saw: result, seen: undefined, tried: false });
    else this.replace(entry, { conflict: reply.current, tried: false });
    return true;
  }

  /** What it rests on is looked up where that isn't known, and kept: a repetition says the same. */
  private async exchange(entry: Entry): Promise<Reply | null> {
    if (entry.seen !== undefined) return this.send(entry, entry.seen);
    const found = await this.server.look(entry);
    if (!found) return { kind: "away" };
    if (!unchanged(found.example, entry.saw)) return { kind: "conflict", current: found.example };
    return this.send(entry, found.seen);
  }

  /** Null if it was withdrawn meanwhile. */
  private async send(entry: Entry, seen: number): Promise<Reply | null> {
    this.replace(entry, { seen, tried: true });
    const isThere = this.read().some((one) => one.key === entry.key);
    return isThere ? this.server.send({ ...entry, seen }) : null;
  }

  private settle(entry: Entry, example: Example): void {
    const { revision, output, review } = example;
    const saw = { revision, output, review };
    this.results.set(id(entry), saw);
    // Later decisions on the same example build on this one.
    this.change((entries) =>
      entries
        .filter((other) => other.key !== entry.key)
        .map((other) => (id(other) === id(entry) ? { ...other, saw, seen: undefined } : other)),
    );
    this.settled(entry, example);
  }

  private replace(entry: Entry, part: Partial<Entry>): void {
    this.change((entries) => entries.map((other) => (other.key === entry.key ? { ...other, ...part } : other)));
  }

  private isAway(away: boolean): boolean {
    const changed = away !== this.away;
    this.away = away;
    if (changed) this.set([...this.read()]);
    return !away;
  }
}

const id = (one: { task: string; id: string }): string => `${one.task}/${one.id}`;

export const unchanged = (a: Saw, b: Saw): boolean => a.revision === b.revision && same(a.review, b.review);

/** The answer that a decision approves. */
export const answerOf = ({ deed, saw }: Entry): Json | undefined =>
  "output" in deed && deed.output !== undefined ? deed.output : saw.output;

/** The deed in full, to stand whatever is stored now. */
function standing(entry: Entry): Deed {
  return entry.deed.action === "approve" ? { action: "approve", output: answerOf(entry) } : entry.deed;
}

/** Whether the current state equals the decision. */
function agrees(entry: Entry, current: Example): boolean {
  const { state } = current.review;
  if (entry.deed.action === "reject") return state === "rejected";
  if (entry.deed.action === "undo") return state === "pending";
  return state === "approved" && same(current.output, answerOf(entry));
}
