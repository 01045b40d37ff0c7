import { QueryCache, QueryClient } from "@tanstack/react-query";
import { Away, Problem } from "./http";

/** Reads are tried again only where that can help: a server that is away comes back, a wrong request stays wrong. */
export const queries = new QueryClient({
  queryCache: new QueryCache({
    // A session that has ended is noticed by whatever asks first; the page then asks for a login.
    onError: (error, query) => {
      if (error instanceof Problem && error.status === 401 && query.queryKey[0] !== "session")
        void queries.invalidateQueries({ queryKey: ["session"] });
    },
  }),
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      retry: (failures, error) => (error instanceof Problem ? error.status >= 502 && failures < 2 : failures < 1),
      retryDelay: (attempt) => Math.min(500 * 2 ** attempt, 5_000),
      networkMode: "always",
    },
    mutations: { networkMode: "always", retry: false },
  },
});

/** What to tell a person about an error. */
export function told(error: unknown): { title: string; detail: string; hint: string | null } {
  if (error instanceof Problem)
    return { title: error.title, detail: error.detail === error.title ? "" : error.detail, hint: error.hint };
  if (error instanceof Away)
    return { title: error.message, detail: "", hint: "This page tries again by itself. Is `graft serve` running?" };
  return { title: "Something went wrong in this page", detail: String(error), hint: "Reload it." };
}
