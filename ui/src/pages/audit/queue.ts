import { useInfiniteQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { api, reply, where } from "../../api/client";
import type { ListedExample, ReviewState, Schemas } from "../../api/types";
import { partsOf, type Parts } from "../../lib/filter";
import type { Entry } from "../../lib/outbox";

/** An order of the server's lists, or its choice of at most 20 messages whose audit helps most. */
export type QueueOrder = Schemas["OrderName"] | "helpful";

export const ORDERS: { value: QueueOrder; label: string }[] = [
  { value: "imported", label: "As imported" },
  { value: "newest", label: "Newest first" },
  { value: "oldest", label: "Oldest first" },
  { value: "uncertain", label: "Lowest confidence first" },
  { value: "disagreeing", label: "Largest disagreement first" },
  { value: "helpful", label: "Most helpful 20" },
];

/** The filter and order of the queue, from the URL. */
export interface Filter {
  task: string;
  state: ReviewState | "all";
  parts: Parts;
  order: QueueOrder;
}

/** A message of the queue; the reason if it was chosen as one of the most helpful. */
export type Queued = ListedExample & { why?: string };

/**
 * The filter as the address says it. Who asks for somebody's decisions means those, and not what waits. The most helpful are
 * chosen among all that waits, and not narrowed.
 */
export function filterOf(task: string, address: Record<string, string | undefined>): Filter {
  const parts = partsOf(address);
  const state = (parts.state ?? (parts.by ? "all" : "pending")) as Filter["state"];
  const asked = ORDERS.find(({ value }) => value === address.order)?.value ?? "imported";
  const isNarrowed = state !== "pending" || Object.keys(parts).some((part) => part !== "state");
  return { task, state, parts, order: asked === "helpful" && isNarrowed ? "imported" : asked };
}

/** What narrows the list apart from the state, as the server wants it. */
export function narrowed({ parts }: Filter) {
  const { field, source, by, search, min, max } = parts;
  const share = (text: string | undefined) => (text === undefined ? undefined : Number(text));
  return { field, source, by, search, min_confidence: share(min), max_confidence: share(max) };
}

/** Pages one after another, each message once: decisions of others shift pages by some places. */
export function flat(pages: { examples: Queued[] }[] | undefined): Queued[] {
  const seen = new Set<string>();
  return (pages ?? []).flatMap((page) => page.examples).filter((one) => !seen.has(one.id) && seen.add(one.id));
}

type Listed = Pick<ListedExample, "task" | "id" | "review">;

/** A message's state, including the decisions of the person at this browser that are not sent yet. */
export function stateOf({ task, id, review }: Listed, waiting: Entry[], by: string): ReviewState {
  const isIt = (one: Entry) => one.id === id && one.task === task && one.by === by;
  const entry = waiting.findLast((one) => isIt(one) && !one.conflict && !one.refused);
  if (!entry || entry.deed.action === "edit") return review.state;
  return AFTER[entry.deed.action];
}
const AFTER = { approve: "approved", reject: "rejected", undo: "pending" } as const;

/**
 * Where the next message without a decision is: after `from`, else from the start, else -1. Those that others have open
 * come last.
 */
export function nextOpen(states: ReviewState[], from: number, taken: (at: number) => boolean = () => false): number {
  const open = states.flatMap((state, i) => (state === "pending" && i !== from ? [i] : []));
  const inOrder = [...open.filter((i) => i > from), ...open.filter((i) => i < from)];
  return inOrder.find((i) => !taken(i)) ?? inOrder[0] ?? -1;
}

/** Whether a message belongs to the filter as far as its state goes. */
export function belongs(state: ReviewState, filter: Filter["state"]): boolean {
  return filter === "all" || filter === state;
}

const PAGE = 50;

/** The messages of a filter, page by page. They keep their places while one works: a queue that reorders itself loses people. */
export function useQueue(filter: Filter | null) {
  const query = useInfiniteQuery({
    queryKey: ["queue", filter],
    enabled: filter !== null,
    initialPageParam: 0,
    queryFn: ({ pageParam, signal }) => load(filter!, pageParam, signal),
    getNextPageParam: (last, pages) => {
      if (filter?.order === "helpful" || last.examples.length < PAGE) return undefined;
      // Messages decided meanwhile have left the server's list, so the positions of the others have changed.
      return flat(pages).filter((one) => belongs(one.review.state, filter!.state)).length;
    },
    staleTime: Infinity,
    gcTime: 0,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  });
  const list = useMemo(() => flat(query.data?.pages), [query.data]);
  return { list, total: query.data?.pages[0]?.total ?? 0, query };
}

async function load(
  filter: Filter,
  offset: number,
  signal: AbortSignal,
): Promise<{ examples: Queued[]; total: number }> {
  const { task, order } = filter;
  if (order === "helpful") {
    const { examples } = await reply(api.GET("/api/v1/tasks/{task}/helpful", { ...where({ task }), signal }));
    return { examples, total: examples.length };
  }
  const state = filter.state === "all" ? undefined : filter.state;
  const query = { task, state, ...narrowed(filter), order, limit: PAGE, offset };
  return reply(api.GET("/api/v1/examples", { params: { query }, signal }));
}
