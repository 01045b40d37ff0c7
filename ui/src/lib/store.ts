import { useSyncExternalStore } from "react";

/** A value outside of components that they follow. */
export class Store<T> {
  private listeners = new Set<() => void>();
  constructor(private value: T) {}

  read = (): T => this.value;

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  set(value: T): void {
    if (value === this.value) return;
    this.value = value;
    this.listeners.forEach((listener) => listener());
  }
}

export function useStore<T>({ subscribe, read }: Pick<Store<T>, "subscribe" | "read">): T {
  return useSyncExternalStore(subscribe, read);
}

/** What this browser keeps under a name. */
export function kept<T>(name: string, otherwise: T): T {
  try {
    return (JSON.parse(localStorage.getItem(name) ?? "null") as T | null) ?? otherwise;
  } catch {
    return otherwise;
  }
}

/** Keeps it over a reload, as far as there is room. */
export function keep(name: string, value: unknown): void {
  try {
    localStorage.setItem(name, JSON.stringify(value));
  } catch {
    // It stays in memory.
  }
}
