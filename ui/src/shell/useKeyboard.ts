import { useEffect } from "react";
import { isPressing, isTyping, name } from "../lib/keys";
import { actionFor } from "./actions";

/** The page's only key listener. Open dialogs and menus keep their keys to themselves. */
export function useKeyboard(): void {
  useEffect(() => {
    const listen = (press: KeyboardEvent) => {
      if (press.defaultPrevented || press.isComposing) return;
      const action = actionFor(name(press));
      if (!action) return;
      const inLayer =
        press.target instanceof Element && press.target.closest("[role=dialog], [role=menu], [role=listbox]");
      if (!action.always && (inLayer || isTyping(press.target) || isPressing(press, press.target))) return;
      press.preventDefault();
      // A held key acts once.
      if (!press.repeat || action.repeats) action.run();
    };
    document.addEventListener("keydown", listen);
    return () => document.removeEventListener("keydown", listen);
  }, []);
}
