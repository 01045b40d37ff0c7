import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback } from "react";

type Search = Record<string, string | undefined>;

/** The view's state in the address, and a way to change a part of it. */
export function useUrl(): [Search, (change: Search, options?: { push?: boolean }) => void] {
  const search = useSearch({ strict: false }) as Search;
  const navigate = useNavigate();
  const change = useCallback(
    (part: Search, { push = false } = {}) => {
      const next = (old: Search): Search => ({ ...old, ...part });
      void navigate({ to: ".", search: next, replace: !push, resetScroll: false });
    },
    [navigate],
  );
  return [search, change];
}
