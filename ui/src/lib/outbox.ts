import type { Example } from "../api/types";
import { same, type Json } from "./json";

/** What people decide on a message. */
export type Deed =
  /** Without an output, the stored one is right. */
  | { action: "approve"; output?: Json }
  | { action: "edit"; output: Json }
  | { action: "reject"; reason: string }
  | { action: "undo" };

/** A decision that the server doesn't have yet. */
export interface Entry {
  /** Sent as the idempotency key, so that a reply that got lost does no harm. */
  key: string;
  task: string;
  id: string;
  /** What the person saw. */
  revision: number;
  deed: Deed;
  /** Milliseconds since the epoch. */
  at: number;
  /** The beginning of the message, to name it. */
  title: string;
  /** Someone else was faster: the example as it is now. */
  conflict?: Example;
  /** The server refused it: why. */
  refused?: string;
}

/** What became of sending an entry. */
export type Reply =
  | { kind: "done"; example: Example }
  | { kind: "conflict"; current: Example }
  | { kind: "refused"; why: string }
  | { kind: "away" };

/** A server that restarts, whose disk is full, that met a bug or wants a new login will take it later. */
const LATER = [401, 408, 429, 500, 502, 503, 504, 507];

/** What an answer that is an error means for a decision. */
export function refusal(status: number, current: Example | undefined, why: string): Reply {
  if (status === 409) return current ? { kind: "conflict", current } : { kind: "away" }; // It is being answered.
  return LATER.includes(status) ? { kind: "away" } : { kind: "refused", why };
}

/** Decisions in the order they were made, kept where a reload doesn't reach them. */
export class Outbox {
  private listeners = new Set<() => void>();
  private entries: Entry[];
  private busy = false;
  private stored = true;
  /** The revision each example got from a decision sent from here: later ones build on it. */
  private revisions = new Map<string, number>();
  private inFlight: string | null = null;
  away = false;

  constructor(
    private readonly send: (entry: Entry) => Promise<Reply>,
    private readonly storage: Pick<Storage, "getItem" | "setItem">,
    private readonly settled: (entry: Entry, example: Example) => void = () => {},
    private readonly name = "graft.outbox",
  ) {
    this.entries = this.read();
  }

  /** Everything not yet settled, oldest first; a new array whenever it changes. */
  list = (): Entry[] => this.entries;

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Another tab changed what is stored. */
  reload = (): void => {
    this.entries = this.read();
    this.notify();
  };

  add(entry: Entry): void {
    this.change((entries) => [...entries, entry]);
    void this.flush();
  }

  /** Takes an unsent decision back; false when it is too late for that. */
  withdraw(key: string): boolean {
    if (this.inFlight === key || !this.entries.some((entry) => entry.key === key)) return false;
    this.change((entries) => entries.filter((entry) => entry.key !== key));
    return true;
  }

  /** After a conflict: drop the own decision, or decide again on what is there now. */
  resolve(key: string, keep: "mine" | "theirs"): void {
    this.revisions.delete(id(this.entries.find((entry) => entry.key === key)));
    this.change((entries) =>
      entries.flatMap((entry): Entry[] => {
        if (entry.key !== key) return [entry];
        if (keep === "theirs") return [];
        const { conflict, refused: _, ...rest } = entry;
        return [{ ...rest, key: `${entry.key}+`, revision: conflict?.revision ?? entry.revision }];
      }),
    );
    void this.flush();
  }

  /** Sends what waits, in order. What a conflict or a refusal holds back holds back only later decisions on the same example. */
  async flush(): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    try {
      for (let entry = this.next(); entry; entry = this.next()) if (!(await this.deliver(entry))) break;
    } finally {
      this.busy = false;
    }
  }

  private next(): Entry | undefined {
    const held = new Set(this.entries.filter((entry) => entry.conflict ?? entry.refused).map(id));
    return this.entries.find((entry) => !held.has(id(entry)));
  }

  private async deliver(entry: Entry): Promise<boolean> {
    this.inFlight = entry.key;
    const revision = Math.max(this.revisions.get(id(entry)) ?? 0, entry.revision);
    const reply = await this.send({ ...entry, revision });
    this.inFlight = null;
    this.away = reply.kind === "away";
    if (reply.kind === "away") {
      this.notify();
      return false;
    }
    if (reply.kind === "done") this.settle(entry, reply.example);
    else if (reply.kind === "conflict" && agrees(entry.deed, reply.current)) this.settle(entry, reply.current);
    else {
      const held = reply.kind === "conflict" ? { conflict: reply.current } : { refused: reply.why };
      this.change((entries) => entries.map((other) => (other.key === entry.key ? { ...other, ...held } : other)));
    }
    return true;
  }

  private settle(entry: Entry, example: Example): void {
    this.revisions.set(id(entry), example.revision);
    this.change((entries) => entries.filter((other) => other.key !== entry.key));
    this.settled(entry, example);
  }

  private change(update: (entries: Entry[]) => Entry[]): void {
    // Read again first: another tab keeps its decisions in the same place.
    this.entries = update(this.stored ? this.read() : this.entries);
    try {
      this.storage.setItem(this.name, JSON.stringify(this.entries));
    } catch {
      // Full or forbidden: decisions still go out from memory.
      this.stored = false;
    }
    this.notify();
  }

  private notify(): void {
    this.listeners.forEach((listener) => listener());
  }

  private read(): Entry[] {
    try {
      const stored: unknown = JSON.parse(this.storage.getItem(this.name) ?? "[]");
      return Array.isArray(stored) ? (stored as Entry[]) : [];
    } catch {
      return [];
    }
  }
}

function id(entry: Entry | undefined): string {
  return `${entry?.task}/${entry?.id}`;
}

/** Whether what is there now is what the decision wanted. */
function agrees(deed: Deed, current: Example): boolean {
  if (deed.action === "reject") return current.review.state === "rejected";
  if (deed.action === "undo") return current.review.state === "pending";
  const wanted = deed.action === "approve" ? "approved" : current.review.state;
  return current.review.state === wanted && (deed.output === undefined || same(current.output, deed.output));
}
