/** Keys that are printed on buttons. One letter works where no field has the focus; `mod+k` everywhere. */

interface Press {
  key: string;
  /** Where the key is, as on an American keyboard. */
  code: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  shiftKey: boolean;
}

/** The name of a key press: `a`, `?`, `space`, `escape`, `mod+k`, `alt+arrowup`. */
export function name(press: Press): string {
  const key = press.key === " " ? "space" : letter(press).toLowerCase();
  const mod = press.ctrlKey || press.metaKey ? "mod+" : "";
  return `${mod}${press.altKey ? "alt+" : ""}${key}`;
}

/** The key by its place where its letter isn't Latin (Russian, Greek), and digits where they need Shift (French). */
function letter({ key, code, shiftKey }: Press): string {
  if (!shiftKey && /^Digit\d$/.test(code)) return code.slice(-1);
  return /^Key[A-Z]$/.test(code) && key.length === 1 && !/[a-z]/i.test(key) ? code.slice(-1) : key;
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
