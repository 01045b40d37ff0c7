import type { ExampleDetail } from "../../api/types";
import { TimeAgo } from "../../components/TimeAgo";
import css from "./audit.module.css";

/** The changes of a message with their authors. */
export function History({ detail }: { detail: ExampleDetail | undefined }) {
  const changes = detail?.history ?? [];
  return (
    <details className={css.history}>
      <summary>
        History{changes.length > 0 && <span className="num"> · {changes.length}</span>} · revision{" "}
        {detail?.example.revision ?? "…"}
      </summary>
      <ol>
        {changes.map((change) => (
          <li key={change.seq}>
            <strong>{change.by}</strong> {VERB[change.action] ?? change.action} <TimeAgo at={change.at} />
          </li>
        ))}
      </ol>
    </details>
  );
}
const VERB: Record<string, string> = {
  import: "imported it",
  approve: "approved it",
  reject: "rejected it",
  edit: "edited it",
  add: "added it",
};
