import { useId, useMemo, useState, type KeyboardEvent } from "react";
import { Input } from "../components/form";
import { Kbd } from "../components/Button";
import { Modal } from "../components/Modal";
import { rank } from "../lib/search";
import { useAllActions, type Action } from "./actions";
import css from "./shell.module.css";

/** Everything that can be done here, by its name. */
export function CommandMenu({ open, close }: { open: boolean; close: () => void }) {
  return (
    <Modal open={open} close={close} title="Command menu">
      <Commands close={close} />
    </Modal>
  );
}

function Commands({ close }: { close: () => void }) {
  const all = useAllActions();
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const list = useId();
  const found = useMemo(() => {
    const offered = all.filter((action) => action.id !== "commands" && !action.disabled);
    return rank(text, offered, (action) => `${action.label} ${action.group}`);
  }, [all, text]);
  const run = (action: Action | undefined) => {
    if (!action) return;
    close();
    // After the dialog gave the focus back.
    setTimeout(action.run, 0);
  };
  const onKeyDown = (press: KeyboardEvent) => {
    const moves: Record<string, number> = { ArrowDown: 1, ArrowUp: -1 };
    const move = moves[press.key];
    if (move) setAt((at + move + found.length) % Math.max(1, found.length));
    else if (press.key === "Enter") run(found[at]);
    else return;
    press.preventDefault();
  };
  return (
    <>
      <Input
        autoFocus
        role="combobox"
        aria-label="Search commands"
        aria-expanded
        aria-controls={list}
        aria-activedescendant={found[at] ? `${list}-${at}` : undefined}
        placeholder="Search commands …"
        value={text}
        onText={(to) => {
          setText(to);
          setAt(0);
        }}
        onKeyDown={onKeyDown}
      />
      <div className={css.list} role="listbox" id={list} aria-label="Commands">
        {found.map((action, i) => (
          <div
            key={action.id}
            id={`${list}-${i}`}
            role="option"
            aria-selected={i === at}
            className={css.command}
            onMouseMove={() => setAt(i)}
            onClick={() => run(action)}
          >
            <span>
              {action.label}
              <small>{action.group}</small>
            </span>
            {action.key && <Kbd>{action.key}</Kbd>}
          </div>
        ))}
        {found.length === 0 && <p className="muted">No command matches.</p>}
      </div>
    </>
  );
}

/** Every key that works here. */
export function KeysOverlay({ open, close }: { open: boolean; close: () => void }) {
  const actions = useAllActions().filter((action) => action.key);
  const groups = [...new Set(actions.map((action) => action.group))];
  return (
    <Modal open={open} close={close} title="Keys" about="They work while no input field has the focus.">
      <div className={css.keys}>
        {groups.map((group) => (
          <section key={group}>
            <h3>{group}</h3>
            <ul>
              {actions
                .filter((action) => action.group === group)
                .map((action) => (
                  <li key={action.id}>
                    {action.label} <Kbd>{action.key ?? ""}</Kbd>
                  </li>
                ))}
            </ul>
          </section>
        ))}
      </div>
    </Modal>
  );
}
