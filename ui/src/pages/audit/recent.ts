import { keep, kept, Store, useStore } from "../../lib/store";
import type { ListedExample, ReviewState } from "../../api/types";
import { belongs, type Filter } from "./queue";

/** A decision made here, sent or not. */
export interface Decided {
  /** Key of its outbox entry. */
  key: string;
  task: string;
  id: string;
  title: string;
  state: ReviewState;
  reason?: string;
  /** The example's revision with this decision: what is undone, also after a reload. */
  revision: number;
  at: number;
}

const STORED = "graft.recent";
const KEPT = 10;

/** The last decisions, newest first; kept over a reload. */
class Recent extends Store<Decided[]> {
  private states = new Map<string, ReviewState>();

  add(decided: Decided): void {
    this.states.set(decided.id, decided.state);
    this.set([decided, ...this.read().filter((one) => one.id !== decided.id)].slice(0, KEPT));
  }

  /** Takes a decision back out of the list. */
  drop(decided: Decided): void {
    this.states.set(decided.id, "pending");
    this.set(this.read().filter((one) => one.key !== decided.key));
  }

  /** Whether a message that was listed no longer is, because of what was decided here. */
  hasLeft(example: ListedExample, filter: Filter["state"]): boolean {
    const state = this.states.get(example.id);
    return state !== undefined && belongs(example.review.state, filter) && !belongs(state, filter);
  }
}

export const recent = new Recent(kept<Decided[]>(STORED, []));
recent.subscribe(() => keep(STORED, recent.read()));

export const useRecent = (): Decided[] => useStore(recent);
