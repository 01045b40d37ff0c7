import { Store } from "../lib/store";

/** Milliseconds after which a page without live events asks again. */
export const POLL = 10_000;

/** How changes reach this page: they are sent to it, or it asks for them, or not at all. */
export const link = new Store<"connecting" | "live" | "polling" | "away">("connecting");
