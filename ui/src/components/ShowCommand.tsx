import { useState } from "react";
import { copy } from "../lib/clipboard";
import { Button } from "./Button";
import css from "./command.module.css";
import { Icon } from "./Icon";

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

/** Copies a text and confirms it. */
export function CopyButton({
  text,
  label,
  children,
}: {
  text: string | (() => string);
  label?: string;
  children?: string;
}) {
  const [said, setSaid] = useState<string | null>(null);
  const run = async () => {
    const done = await copy(typeof text === "function" ? text() : text);
    setSaid(done ? "Copied" : "Select it and copy by hand");
    setTimeout(() => setSaid(null), 2_000);
  };
  return (
    <Button small icon="copy" aria-label={children ? undefined : label} title={label} onClick={() => void run()}>
      {children ? (said ?? children) : said ? <span role="status">{said}</span> : undefined}
    </Button>
  );
}
