/** Keys that are printed on buttons. One letter works where no field has the focus; `mod+k` everywhere. */

export interface Press {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  shiftKey: boolean;
}

/** The name a press goes by: `a`, `?`, `space`, `escape`, `mod+k`, `alt+arrowup`. */
export function name(press: Press): string {
  const key = press.key === " " ? "space" : press.key.toLowerCase();
  const mod = press.ctrlKey || press.metaKey ? "mod+" : "";
  return `${mod}${press.altKey ? "alt+" : ""}${key}`;
}

/** Inputs that no letter belongs to. */
const LETTERLESS = ["range", "radio", "checkbox", "file"];

/** Whether a press belongs to what has the focus. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement && LETTERLESS.includes(target.type)) return false;
  return target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName);
}

/** Space and Enter press the button that has the focus, whatever else they would do. */
export function isPressing(press: Press, target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement) || !["space", "enter"].includes(name(press))) return false;
  return ["BUTTON", "A", "SUMMARY", "INPUT"].includes(target.tagName) || target.getAttribute("role") === "option";
}

/** A key as it is printed: `⌘K`, `Space`, `?`. */
export function printed(key: string, mac: boolean): string {
  const words: Record<string, string> = { space: "Space", escape: "Esc", enter: "↵", arrowup: "↑", arrowdown: "↓" };
  return key
    .split("+")
    .map((part) => {
      if (part === "mod") return mac ? "⌘" : "Ctrl";
      if (part === "alt") return mac ? "⌥" : "Alt";
      return words[part] ?? (part.length === 1 ? part.toUpperCase() : part);
    })
    .join(mac ? "" : " ");
}

/** A key as `aria-keyshortcuts` wants it. */
export function ariaKeys(key: string): string {
  return key.replace("mod+", "Control+").replace("enter", "Enter").replace("space", "Space");
}
