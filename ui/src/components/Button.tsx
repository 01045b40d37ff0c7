import type { ButtonHTMLAttributes, Ref } from "react";
import { ariaKeys, printed } from "../lib/keys";
import css from "./button.module.css";
import { Icon, type IconName } from "./Icon";

interface Props extends ButtonHTMLAttributes<HTMLButtonElement> {
  look?: "main" | "plain" | "quiet" | "danger";
  small?: boolean;
  icon?: IconName;
  /** Printed on the button; `useActions` makes it work. */
  shortcut?: string;
  /** In progress: shown as text, and the button is disabled. */
  busy?: string | false;
  ref?: Ref<HTMLButtonElement>;
}

export function Button({ look = "plain", small, icon, shortcut, busy, children, className, ...rest }: Props) {
  const classes = [css.button, css[look], small && css.small, !children && css.bare, className];
  return (
    <button
      type="button"
      {...rest}
      className={classes.filter(Boolean).join(" ")}
      disabled={rest.disabled || !!busy}
      aria-keyshortcuts={shortcut && ariaKeys(shortcut)}
    >
      {icon && <Icon name={icon} size={small ? 14 : 16} />}
      {busy || children}
      {shortcut && <Kbd>{shortcut}</Kbd>}
    </button>
  );
}

const mac = typeof navigator !== "undefined" && /Mac|iPhone|iPad/.test(navigator.userAgent);

/** A key, as it is printed on a button. */
export function Kbd({ children }: { children: string }) {
  return (
    <kbd className={css.kbd} aria-hidden>
      {printed(children, mac)}
    </kbd>
  );
}
