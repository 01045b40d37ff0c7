import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useState } from "react";
import { exampleQuery } from "../../api/queries";
import type { Example, ListedExample, ReviewState, TaskInfo } from "../../api/types";
import { useOutbox } from "../../live/decisions";
import { POLL, link } from "../../live/connection";
import { others, usePresence, useSeatsKnown } from "../../live/presence";
import { useMe } from "../../live/session";
import { useStore } from "../../lib/store";
import { useUrl } from "../../shell/url";
import { filterOf, nextOpen, stateOf, useQueue, type Filter, type Queued } from "./queue";
import type { Decided } from "../../live/recent";
import { undo } from "./useDecide";

const AHEAD = 5;
const SAID = { approve: "Approved", reject: "Rejected" };

export type Audit = ReturnType<typeof useAudit>;

/** The position in the queue, and navigation. */
export function useAudit(task: TaskInfo | undefined) {
  const [search, setUrl] = useUrl();
  const wanted = task && JSON.stringify(filterOf(task.name, search));
  const filter = useMemo(() => (wanted ? (JSON.parse(wanted) as Filter) : null), [wanted]);
  const queue = useQueue(filter);
  const [id, setId] = useState(search.id);
  const { list, seeking: isLinkRead } = useWithLinked(queue.list, task, id);
  const states = useStates(list);
  const seats = useStore(others);
  const here = (example: ListedExample) => seats.find((seat) => seat.task === example.task && seat.id === example.id);
  const taken = (at: number) => list[at] !== undefined && here(list[at]) !== undefined;
  const start = useStart(wanted, queue.query.isSuccess, () => {
    const open = filter?.state === "pending" ? nextOpen(states, -1, taken) : 0;
    return list[Math.max(0, open)]?.id;
  });
  const index = Math.max(
    0,
    list.findIndex((one) => one.id === (id ?? start)),
  );

  const go = useCallback((example: ListedExample | undefined) => example && setId(example.id), []);
  const step = (by: number) => go(list[Math.max(0, Math.min(list.length - 1, index + by))]);
  const [said, setSaid] = useState("");
  /** After a decision, which is told with the next message. */
  const next = (decision: keyof typeof SAID) => {
    setSaid(SAID[decision]);
    const open = filter?.state === "pending" ? nextOpen(states, index, taken) : index + 1;
    go(list[open] ?? list[index + 1]);
  };
  const takeBack = (decided: Decided) => {
    undo(decided);
    setSaid("Undone");
    setId(decided.id);
  };
  const seeking = isLinkRead || (id === undefined && start === undefined && list.length > 0);
  // While the requested message is loading, no other is shown: a key press would decide on it.
  const current = seeking ? undefined : list[index];
  usePresence(current?.task, current?.id);
  useAddress(current?.id, search.id, setUrl);
  usePrefetch(list, index, states);
  const other = current && here(current)?.by;
  return {
    ...queue,
    list,
    states,
    at: index,
    current,
    other,
    said,
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
  const by = useMe();
  return useMemo(() => list.map((one) => stateOf(one, waiting, by)), [list, waiting, by]);
}

/** Where a list begins for this person, chosen once it is read and known who has what open. */
function useStart(list: string | undefined, isRead: boolean, choose: () => string | undefined): string | undefined {
  const isKnown = useSeatsKnown();
  const [start, setStart] = useState<{ list?: string; id?: string }>({});
  const isOpen = start.list !== list || start.id === undefined;
  const id = list !== undefined && isRead && isKnown && isOpen ? choose() : undefined;
  if (id !== undefined) setStart({ list, id });
  return start.list === list ? start.id : undefined;
}

/** A message that a link or the rail names comes first, should the queue not have it; it stays while one goes on. */
function useWithLinked(list: Queued[], task: TaskInfo | undefined, id: string | undefined) {
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

/**
 * Reads the next messages, and the next undecided ones. Without live events they are read again and again: the queue is
 * marked with what others decided before one gets there.
 */
function usePrefetch(list: ListedExample[], at: number, states: ReviewState[]): void {
  const client = useQueryClient();
  const isLive = useStore(link) === "live";
  useEffect(() => {
    const open = list.filter((_, i) => i > at && states[i] === "pending").slice(0, AHEAD);
    const ahead = new Set([...list.slice(at + 1, at + 1 + AHEAD), ...open]);
    const age = isLive ? {} : { staleTime: POLL / 2 };
    const read = () =>
      document.hidden ||
      ahead.forEach((one) => void client.prefetchQuery({ ...exampleQuery(one.task, one.id), ...age }));
    read();
    if (isLive) return;
    const timer = setInterval(read, POLL / 2);
    return () => clearInterval(timer);
  }, [client, list, at, states, isLive]);
}
