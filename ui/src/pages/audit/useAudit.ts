import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useState } from "react";
import { exampleQuery } from "../../api/queries";
import type { Example, ListedExample, ReviewState, TaskInfo } from "../../api/types";
import { useOutbox } from "../../live/decisions";
import { others, usePresence } from "../../live/presence";
import { useStore } from "../../lib/store";
import { useUrl } from "../../shell/url";
import { filterOf, nextOpen, stateOf, type Filter } from "./queue";
import { useRecent, type Decided } from "./recent";
import { undo } from "./useDecide";
import { useQueue } from "./useQueue";

const AHEAD = 5;

export type Audit = ReturnType<typeof useAudit>;

/** Where one is in the queue, and how one moves through it. */
export function useAudit(task: TaskInfo | undefined) {
  const [search, setUrl] = useUrl();
  const said = task && JSON.stringify(filterOf(task.name, search));
  const filter = useMemo(() => (said ? (JSON.parse(said) as Filter) : null), [said]);
  const queue = useQueue(filter);
  const [id, setId] = useState(search.id);
  const { list, seeking } = useWithLinked(queue.list, task, id);
  const found = list.findIndex((one) => one.id === id);
  const at = found >= 0 ? found : 0;
  const states = useStates(list);
  const firstOpen = states.indexOf("pending");
  const start = id === undefined && filter?.state === "pending" && firstOpen > 0 ? firstOpen : at;
  const index = found >= 0 ? found : start;

  const seats = useStore(others);
  const here = (example: ListedExample) => seats.find((seat) => seat.task === example.task && seat.id === example.id);

  const go = useCallback((example: ListedExample | undefined) => example && setId(example.id), []);
  const step = (by: number) => go(list[Math.max(0, Math.min(list.length - 1, index + by))]);
  const next = () => {
    const taken = (at: number) => list[at] !== undefined && here(list[at]) !== undefined;
    const open = filter?.state === "pending" ? nextOpen(states, index, taken) : index + 1;
    go(list[open] ?? list[index + 1]);
  };
  const takeBack = (decided: Decided) => {
    undo(
      decided,
      list.find((one) => one.id === decided.id),
    );
    setId(decided.id);
  };
  // While what was asked for is being read, nothing else takes its place: a key would decide on it.
  const current = seeking ? undefined : list[index];
  usePresence(current?.task, current?.id);
  useAddress(current?.id, search.id, setUrl);
  usePrefetch(list, index);
  const other = current && here(current)?.by;
  return {
    ...queue,
    list,
    states,
    at: index,
    current,
    other,
    filter,
    seeking,
    go,
    open: setId,
    takeBack,
    step,
    next,
    setUrl,
    search,
  };
}

function useStates(list: ListedExample[]): ReviewState[] {
  const waiting = useOutbox();
  const decided = useRecent();
  return useMemo(() => {
    const here = new Map(decided.map((one) => [one.id, one.state]));
    return list.map((one) => {
      const state = stateOf(one, waiting);
      return state === "pending" ? (here.get(one.id) ?? state) : state;
    });
  }, [list, waiting, decided]);
}

/** A message that a link or the rail names comes first, should the queue not have it; it stays while one goes on. */
function useWithLinked(list: ListedExample[], task: TaskInfo | undefined, id: string | undefined) {
  const [linked, setLinked] = useState(id);
  const listed = list.some((one) => one.id === id);
  const wanted = id === undefined || !listed ? id : linked;
  useEffect(() => setLinked(wanted), [wanted]);
  const missing = !!task && !!wanted && !list.some((one) => one.id === wanted);
  const { data, isPending } = useQuery({ ...exampleQuery(task?.name ?? "", wanted ?? ""), enabled: missing });
  const example: Example | undefined = missing ? data?.example : undefined;
  const all = useMemo(() => (example ? [example, ...list] : list), [example, list]);
  return { list: all, seeking: missing && isPending && wanted === id };
}

/** The address follows a moment later: moving through messages must not wait for it. */
function useAddress(
  current: string | undefined,
  shown: string | undefined,
  setUrl: (change: { id?: string }) => void,
): void {
  useEffect(() => {
    if (!current || current === shown) return;
    const timer = setTimeout(() => setUrl({ id: current }), 350);
    return () => clearTimeout(timer);
  }, [current, shown, setUrl]);
}

function usePrefetch(list: ListedExample[], at: number): void {
  const client = useQueryClient();
  useEffect(() => {
    list.slice(at + 1, at + 1 + AHEAD).forEach((one) => void client.prefetchQuery(exampleQuery(one.task, one.id)));
  }, [client, list, at]);
}
