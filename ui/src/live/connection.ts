import { useSyncExternalStore } from "react";

export type Link = "connecting" | "live" | "away";

let state: Link = "connecting";
const listeners = new Set<() => void>();

export function setLink(next: Link): void {
  if (next === state) return;
  state = next;
  listeners.forEach((listener) => listener());
}

/** Whether changes reach this page. */
export function useLink(): Link {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => state,
  );
}
