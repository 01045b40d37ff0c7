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

/** A value that outlives a reload; all tabs of this browser keep it in one place. */
export class KeptStore<T> extends Store<T> {
  private stored = true;
  constructor(
    private readonly name: string,
    private readonly blank: T,
  ) {
    super(blank);
    this.reload();
  }

  /** Whether a reload of the page leaves it. */
  get isKept(): boolean {
    return this.stored;
  }

  /** Loads a value written by another tab. */
  reload = (): void => {
    if (this.stored) this.set(this.kept());
  };

  change(update: (value: T) => T): void {
    // Read again first: another tab may have written.
    const next = update(this.stored ? this.kept() : this.read());
    try {
      if (this.stored) localStorage.setItem(this.name, JSON.stringify(next));
    } catch {
      // Storage is full or forbidden: from now on the value exists only on this page, and others keep theirs.
      this.stored = false;
    }
    this.set(next);
  }

  private kept(): T {
    try {
      return (JSON.parse(localStorage.getItem(this.name) ?? "null") as T | null) ?? this.blank;
    } catch {
      return this.blank;
    }
  }
}
