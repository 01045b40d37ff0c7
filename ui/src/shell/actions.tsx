import { useEffect, useRef, type ComponentProps } from "react";
import { Button } from "../components/Button";
import { single } from "../lib/clicks";
import { isPressing, isTyping, name } from "../lib/keys";
import { Store, useStore } from "../lib/store";

/** Something a person can do: by its key, from the command menu, and listed under `?`. */
export interface Action {
  /** Unique among those that are there at the same time. */
  id: string;
  label: string;
  group: string;
  /** As in `lib/keys`; without one it is only in the command menu. */
  key?: string;
  /** Works while a field has the focus, too. */
  always?: boolean;
  disabled?: boolean;
  /** A key that is held, or a second click at once, does it again. */
  repeats?: boolean;
  run: () => void;
}

/** Makes actions of a group. */
export const actionsIn =
  (group: string) =>
  (id: string, label: string, key: string, run: () => void, more: Partial<Action> = {}): Action => ({
    ...{ id, label, group, key, run },
    ...more,
  });

type Slot = { current: Action[] };

let slots: Slot[] = [];
const offered = new Store<Action[]>([]);
const publish = () => offered.set(slots.flatMap((slot) => slot.current));

/** Offers actions while the component is there. The newest component wins where two want the same key. */
export function useActions(actions: Action[]): void {
  const slot = useRef<Action[]>(actions);
  const shape = actions.map((a) => `${a.id}:${a.key}:${a.label}:${a.disabled}`).join();
  useEffect(() => {
    slot.current = actions;
  });
  useEffect(() => {
    slots = [...slots, slot];
    return () => {
      slots = slots.filter((other) => other !== slot);
      publish();
    };
  }, []);
  useEffect(publish, [shape]);
}

/** Every action on offer right now. */
export const useAllActions = (): Action[] => useStore(offered);

/** The action of a key, if there is one. */
function actionFor(key: string): Action | undefined {
  return slots
    .flatMap((slot) => slot.current)
    .filter((action) => action.key === key && !action.disabled)
    .at(-1);
}

/** A button for an action, which its key and the command menu do as well; a form does what submits it. */
export function ActionButton({ action, children, ...look }: { action: Action } & ComponentProps<typeof Button>) {
  useActions([action]);
  const act = action.repeats ? () => action.run() : single(action.run);
  return (
    <Button
      shortcut={action.key}
      disabled={action.disabled}
      onClick={look.type === "submit" ? undefined : act}
      {...look}
    >
      {children ?? (look["aria-label"] ? undefined : action.label)}
    </Button>
  );
}

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
