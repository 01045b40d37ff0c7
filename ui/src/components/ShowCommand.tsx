import { CopyButton } from "./CopyButton";
import { Icon } from "./Icon";
import css from "./command.module.css";

/** The CLI command that does the same as this form. */
export function ShowCommand({ command }: { command: string }) {
  return (
    <details className={css.command}>
      <summary>
        <Icon name="terminal" size={14} /> Show as command
      </summary>
      <div>
        <code>{command}</code>
        <CopyButton text={command} label="Copy the command" />
      </div>
    </details>
  );
}
