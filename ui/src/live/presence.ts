import { useQuery } from "@tanstack/react-query";
import { useEffect, useSyncExternalStore } from "react";
import { presence } from "../api/calls";
import { sessionQuery } from "../api/queries";
import type { Seat, Seats } from "../api/types";

/** How often a page says that it still has its message open; the server forgets it after 25 seconds. */
const AGAIN = 10_000;
/** Who runs through messages has none of them open. */
const STAYS = 300;

const page = crypto.randomUUID?.() ?? String(Math.random());
let sitting = false;
let others: Seat[] = [];
const listeners = new Set<() => void>();

/** Takes over who is where, as the server says it. */
export function seated({ seats }: Seats): void {
  const next = seats.filter((seat) => seat.page !== page);
  if (JSON.stringify(next) === JSON.stringify(others)) return;
  others = next;
  listeners.forEach((listener) => listener());
}

/** Messages that other pages have open. */
export function useOthers(): Seat[] {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => others,
  );
}

/** Tells the others which message is open here, for as long as it is and this page is in sight. */
export function usePresence(task: string | undefined, id: string | undefined): void {
  const { data: session } = useQuery(sessionQuery);
  const counts = session !== undefined && session.role !== "viewer";
  useEffect(() => {
    if (!counts) return;
    if (task === undefined || id === undefined) return leave();
    const here = () => document.visibilityState === "visible" && sit({ task, id });
    const first = setTimeout(here, STAYS);
    const timer = setInterval(here, AGAIN);
    document.addEventListener("visibilitychange", here);
    addEventListener("pagehide", leave);
    return () => {
      clearTimeout(first);
      clearInterval(timer);
      document.removeEventListener("visibilitychange", here);
      removeEventListener("pagehide", leave);
    };
  }, [counts, task, id]);
  useEffect(() => (counts ? leave : undefined), [counts]);
}

const leave = () => sit(null);

/** Without it two people may do the same work, but nothing gets lost; so a failure is no news. */
function sit(at: { task: string; id: string } | null): void {
  if (!at && !sitting) return;
  sitting = at !== null;
  void presence.sit(page, at).then(seated, () => {});
}
