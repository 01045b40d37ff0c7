import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { api, reply } from "../api/client";
import { read, sessionQuery } from "../api/queries";
import type { Schemas, Seat } from "../api/types";
import { Store } from "../lib/store";

/** How often a page says that it still has its message open; the server forgets it after 25 seconds. */
const AGAIN = 10_000;
/** Who runs through messages has none of them open. */
const STAYS = 300;

const page = crypto.randomUUID?.() ?? String(Math.random());
let sitting = false;
/** Messages that other pages have open. */
export const others = new Store<Seat[]>([]);

/** Stores the presence that the server sent. */
export function seated({ seats }: Schemas["Seats"]): void {
  const next = seats.filter((seat) => seat.page !== page);
  if (JSON.stringify(next) !== JSON.stringify(others.read())) others.set(next);
}

/** Whether others see which message is open here: not that of somebody who only looks. */
function useSeat() {
  const { data, isError } = useQuery(sessionQuery);
  return { counts: data !== undefined && data.role !== "viewer", isKnown: data !== undefined, isError };
}

/** Tells the others which message is open here, for as long as it is and this page is in sight. */
export function usePresence(task: string | undefined, id: string | undefined): void {
  const { counts } = useSeat();
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

/** Whether it is known which messages others have open; asked when the first page with messages opens. */
export function useSeatsKnown(): boolean {
  const { counts, isKnown, isError } = useSeat();
  const ask = () => reply(api.PUT("/api/v1/presence", { body: { page } })).then((seats) => (seated(seats), seats));
  const { isFetched } = useQuery(read(["presence"], ask, { enabled: counts, staleTime: Infinity, retry: false }));
  return isFetched || isError || (isKnown && !counts);
}

/** A failure is ignored: without presence two people may review the same message, but nothing is lost. */
function sit(at: { task: string; id: string } | null): void {
  if (!at && !sitting) return;
  sitting = at !== null;
  // It is sent even if the page is closed meanwhile.
  void reply(api.PUT("/api/v1/presence", { body: { page, at }, keepalive: true })).then(seated, () => {});
}
