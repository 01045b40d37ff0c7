import { useInfiniteQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { api, reply, where } from "../../api/client";
import { belongs, flat, narrowed, type Filter, type Queued } from "./queue";

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
