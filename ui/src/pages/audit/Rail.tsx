import type { TaskInfo } from "../../api/types";
import { Button } from "../../components/Button";
import { TimeAgo } from "../../components/bits";
import { single } from "../../lib/clicks";
import { useOutbox } from "../../live/decisions";
import css from "./audit.module.css";
import { useRecent } from "../../live/recent";
import type { Audit } from "./useAudit";

const SIGN = { approved: "✓", rejected: "✕", pending: "·" } as const;

const SHOWN = 10;

/** The last ten decisions: to look at again, or to take back. */
export function Rail({ audit, task }: { audit: Audit; task: TaskInfo }) {
  const decided = useRecent().filter((one) => one.task === task.name);
  const shown = decided.slice(0, SHOWN);
  const waiting = new Set(useOutbox().map((entry) => entry.key));
  return (
    <aside className={css.rail} aria-label="Last decisions">
      <h2>Last decisions</h2>
      {decided.length === 0 && (
        <p className="muted">Your decisions appear here. You can change them until a training uses them.</p>
      )}
      <ol>
        {shown.map((one) => (
          <li key={one.key} data-state={one.state}>
            <button type="button" className={css.railItem} onClick={() => audit.open(one.id)}>
              <span aria-hidden>{SIGN[one.state]}</span>
              <span className={css.railText}>
                <span>{one.title}</span>
                <small>
                  {one.state}
                  {one.reason ? `: ${one.reason}` : ""} · {waiting.has(one.key) ? "saving …" : <TimeAgo at={one.at} />}
                </small>
              </span>
            </button>
            <Button
              look="quiet"
              small
              icon="undo"
              aria-label={`Undo: ${one.title}`}
              onClick={single(() => audit.takeBack(one))}
            />
          </li>
        ))}
      </ol>
    </aside>
  );
}
