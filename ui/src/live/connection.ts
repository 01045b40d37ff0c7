import { Store } from "../lib/store";

/** Whether changes reach this page. */
export const link = new Store<"connecting" | "live" | "away">("connecting");
