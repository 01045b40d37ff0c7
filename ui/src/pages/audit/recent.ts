import { useSyncExternalStore } from "react";
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
class Recent {
  private list: Decided[];
  private states = new Map<string, ReviewState>();
  private listeners = new Set<() => void>();

  constructor() {
    try {
      this.list = JSON.parse(localStorage.getItem(STORED) ?? "[]") as Decided[];
    } catch {
      this.list = [];
    }
  }

  read = (): Decided[] => this.list;
  subscribe = (listener: () => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  add(decided: Decided): void {
    this.states.set(decided.id, decided.state);
    this.write([decided, ...this.list.filter((one) => one.id !== decided.id)].slice(0, KEPT));
  }

  /** Takes a decision back out of the list. */
  drop(decided: Decided): void {
    this.states.set(decided.id, "pending");
    this.write(this.list.filter((one) => one.key !== decided.key));
  }

  /** Whether a message that was listed no longer is, because of what was decided here. */
  hasLeft(example: ListedExample, filter: Filter["state"]): boolean {
    const state = this.states.get(example.id);
    return state !== undefined && belongs(example.review.state, filter) && !belongs(state, filter);
  }

  private write(list: Decided[]): void {
    this.list = list;
    localStorage.setItem(STORED, JSON.stringify(list));
    this.listeners.forEach((listener) => listener());
  }
}

export const recent = new Recent();

export function useRecent(): Decided[] {
  return useSyncExternalStore(recent.subscribe, recent.read);
}
