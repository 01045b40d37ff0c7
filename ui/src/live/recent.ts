import { useMemo } from "react";
import type { Example, ReviewState } from "../api/types";
import type { Saw } from "../lib/outbox";
import { KeptStore, useStore } from "../lib/store";
import { useMe } from "./session";

/** A decision made in this browser, sent or not. */
export interface Decided {
  /** Key of its outbox entry. */
  key: string;
  by: string;
  task: string;
  id: string;
  title: string;
  state: ReviewState;
  reason?: string;
  /** The example with this decision: what is undone, also after a reload. */
  result: Saw;
  at: number;
}

/** As many as somebody decides in a long day, and no more characters than leave room for decisions that wait. */
const KEPT = 1_000;
const CHARACTERS = 1_000_000;

/** The last decisions, newest first; kept over a reload. */
export class Recent extends KeptStore<Decided[]> {
  add(decided: Decided): void {
    const isAnother = ({ by, task, id }: Decided) => by !== decided.by || task !== decided.task || id !== decided.id;
    this.change((list) => within([decided, ...list.filter(isAnother)].slice(0, KEPT)));
  }

  /** The server has it. */
  settle(key: string, { revision, output, review }: Example): void {
    const result = { revision, output, review };
    this.change((list) => list.map((one) => (one.key === key ? { ...one, result } : one)));
  }

  /** Takes a decision back out of the list. */
  drop(decided: Decided): void {
    this.change((list) => list.filter((one) => one.key !== decided.key));
  }
}

function within(list: Decided[]): Decided[] {
  let left = CHARACTERS;
  return list.filter((one, at) => (left -= JSON.stringify(one).length) > 0 || at === 0);
}

export const recent = new Recent("graft.recent", []);

/** The decisions of the current user. */
export function useRecent(): Decided[] {
  const list = useStore(recent);
  const by = useMe();
  return useMemo(() => list.filter((one) => one.by === by), [list, by]);
}
