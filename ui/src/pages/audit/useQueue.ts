import { useInfiniteQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { api, reply } from "../../api/client";
import { flat, narrowed, type Filter } from "./queue";
import { recent } from "./recent";

const PAGE = 50;

/** The messages of a filter, page by page. They keep their places while one works: a queue that reorders itself loses people. */
export function useQueue(filter: Filter | null) {
  const query = useInfiniteQuery({
    queryKey: ["queue", filter],
    enabled: filter !== null,
    initialPageParam: 0,
    queryFn: ({ pageParam, signal }) => load(filter!, pageParam, signal),
    getNextPageParam: (last, pages) => {
      if (last.examples.length === 0) return undefined;
      const loaded = flat(pages);
      // What was decided here has left the server's list, so its places have moved up.
      const gone = loaded.filter((one) => recent.hasLeft(one, filter!.state)).length;
      return loaded.length - gone < last.total - gone ? loaded.length - gone : undefined;
    },
    staleTime: Infinity,
    gcTime: 0,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  });
  const list = useMemo(() => flat(query.data?.pages), [query.data]);
  return { list, total: query.data?.pages[0]?.total ?? 0, query };
}

function load(filter: Filter, offset: number, signal: AbortSignal) {
  const { task, order } = filter;
  const state = filter.state === "all" ? undefined : filter.state;
  const query = { task, state, ...narrowed(filter), order, limit: PAGE, offset };
  return reply(api.GET("/api/v1/examples", { params: { query }, signal }));
}
