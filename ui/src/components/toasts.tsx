import { useSyncExternalStore } from "react";
import { told } from "../api/client";
import { Button } from "./Button";
import css from "./toasts.module.css";

interface Toast {
  id: number;
  tone: "plain" | "bad";
  title: string;
  detail?: string;
  action?: { label: string; run: () => void };
}

let toasts: Toast[] = [];
let next = 1;
const listeners = new Set<() => void>();

function publish(list: Toast[]): void {
  toasts = list;
  listeners.forEach((listener) => listener());
}

const drop = (id: number) => publish(toasts.filter((toast) => toast.id !== id));

/** Says that something happened; errors stay until they are closed. */
export function say(title: string, more: Partial<Omit<Toast, "id" | "title">> = {}): void {
  const toast: Toast = { id: next++, tone: "plain", title, ...more };
  publish([...toasts.slice(-3), toast]);
  if (toast.tone !== "bad") setTimeout(() => drop(toast.id), toast.action ? 8_000 : 4_000);
}

export function sayError(error: unknown): void {
  const { title, detail, hint } = told(error);
  say(title, { tone: "bad", detail: [detail, hint].filter(Boolean).join(" ") });
}

export function Toasts() {
  const list = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => toasts,
  );
  return (
    <div className={css.toasts} role="status" aria-live="polite">
      {list.map((toast) => (
        <div key={toast.id} className={`${css.toast} ${toast.tone === "bad" ? css.bad : ""}`}>
          <div>
            <strong>{toast.title}</strong>
            {toast.detail && <p>{toast.detail}</p>}
          </div>
          {toast.action && (
            <Button small onClick={() => (toast.action?.run(), drop(toast.id))}>
              {toast.action.label}
            </Button>
          )}
          <Button look="quiet" small icon="cross" aria-label="Close" onClick={() => drop(toast.id)} />
        </div>
      ))}
    </div>
  );
}
