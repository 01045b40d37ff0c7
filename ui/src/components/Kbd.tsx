import { printed } from "../lib/keys";
import css from "./button.module.css";

const mac = typeof navigator !== "undefined" && /Mac|iPhone|iPad/.test(navigator.userAgent);

/** A key, as it is printed on a button. */
export function Kbd({ children }: { children: string }) {
  return (
    <kbd className={css.kbd} aria-hidden>
      {printed(children, mac)}
    </kbd>
  );
}
