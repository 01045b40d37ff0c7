import { useEffect } from "react";

/** Moves the focus to the next element: an open dialog, the shown message, or the page. */
export function focusNext(): void {
  const next = ["[role=dialog]", "[data-focus]", "#main"].map((one) => document.querySelector<HTMLElement>(one));
  next.find(Boolean)?.focus({ preventScroll: true });
}

/** Where what had the focus is gone, or another page came, the focus goes on; it is never on nothing. */
export function useFocusKept(pathname: string): void {
  useEffect(() => {
    const look = () => document.activeElement === document.body && focusNext();
    const observer = new MutationObserver(look);
    observer.observe(document.body, { childList: true, subtree: true });
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    if (!document.activeElement?.closest("main, [role=dialog]")) focusNext();
  }, [pathname]);
}
