import { Kbd } from "../components/Kbd";
import { Modal } from "../components/Modal";
import { useAllActions } from "./actions";
import css from "./shell.module.css";

/** Every key that works here. */
export function KeysOverlay({ open, onOpenChange }: { open: boolean; onOpenChange: (open: boolean) => void }) {
  const actions = useAllActions().filter((action) => action.key);
  const groups = [...new Set(actions.map((action) => action.group))];
  return (
    <Modal open={open} onOpenChange={onOpenChange} title="Keys" about="They work while no input field has the focus.">
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
