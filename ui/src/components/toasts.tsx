import { told } from "../api/client";
import { Store, useStore } from "../lib/store";
import { Button } from "./Button";
import css from "./toasts.module.css";

interface Toast {
  id: number;
  tone: "plain" | "bad";
  title: string;
  detail?: string;
}

const toasts = new Store<Toast[]>([]);
let next = 1;

const drop = (id: number) => toasts.set(toasts.read().filter((toast) => toast.id !== id));

/** Short messages; errors stay until they are closed. */
export function say(title: string, more: Partial<Omit<Toast, "id" | "title">> = {}): void {
  const toast: Toast = { id: next++, tone: "plain", title, ...more };
  toasts.set([...toasts.read().slice(-3), toast]);
  if (toast.tone !== "bad") setTimeout(() => drop(toast.id), 4_000);
}

export function sayError(error: unknown): void {
  const { title, detail, hint } = told(error);
  say(title, { tone: "bad", detail: [detail, hint].filter(Boolean).join(" ") });
}

export function Toasts() {
  const list = useStore(toasts);
  return (
    <div className={css.toasts} role="status" aria-live="polite">
      {list.map((toast) => (
        <div key={toast.id} className={`${css.toast} ${toast.tone === "bad" ? css.bad : ""}`}>
          <div>
            <strong>{toast.title}</strong>
            {toast.detail && <p>{toast.detail}</p>}
          </div>
          <Button look="quiet" small icon="cross" aria-label="Close" onClick={() => drop(toast.id)} />
        </div>
      ))}
    </div>
  );
}
