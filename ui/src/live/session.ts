import { useQuery } from "@tanstack/react-query";
import { queries, sessionQuery } from "../api/queries";

/** The person who is logged in, as this page knows it; empty where no login is needed. */
export const me = (): string => queries.getQueryData(sessionQuery.queryKey)?.user ?? "";
export const useMe = (): string => useQuery(sessionQuery).data?.user ?? "";

/** Names this page among all that are open. */
export const TAB = crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;

const STORED = "graft.session";

/** Somebody logged in or out here: other tabs of this browser ask again who they are. */
export function sessionChanged(): void {
  localStorage.setItem(STORED, `${Date.now()}-${Math.random()}`);
}

addEventListener("storage", ({ key }) => {
  if (key === STORED) void queries.resetQueries();
});
