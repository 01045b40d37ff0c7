import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { suspectsQuery } from "../../api/queries";
import type { Schemas, TaskInfo } from "../../api/types";
import { Button } from "../../components/Button";
import { Failure, Words } from "../../components/Failure";
import { Pill, Skeleton } from "../../components/bits";
import { clip, count, number } from "../../lib/format";
import { shown, type Json } from "../../lib/json";
import { useOutbox } from "../../live/decisions";
import { ActionButton, actionsIn, useActions } from "../../shell/actions";
import css from "./audit.module.css";
import type { Audit } from "./useAudit";
import { decide } from "./useDecide";

const action = actionsIn("Suspects");

type Suspect = Schemas["Suspect"];
type Fix = Schemas["Fix"];

const TITLES: Record<Suspect["kind"], string> = {
  "empty-label": "A label that says nothing",
  "label-spelling": "A label in two spellings",
  "same-text": "The same text, different answers",
  "near-duplicate": "Nearly the same text, different answers",
  disagreement: "A confident model disagrees",
  "parser-unchanged": "Held out, approved as the parser proposed it",
};

/** Approved examples that contradict each other or a model: one at a time, one key a fix. */
export function Suspects({ task, audit }: { task: TaskInfo; audit: Audit }) {
  const { data, error, isError, refetch } = useQuery(suspectsQuery(task.name));
  // Decided suspects are removed at once, before the server has confirmed it.
  const [done, setDone] = useState<ReadonlySet<string>>(new Set());
  const waiting = useOutbox();
  const [at, setAt] = useState(0);
  const open = (data?.suspects ?? []).filter((one) => !done.has(key(one)));
  const place = Math.min(at, open.length - 1);
  const current = open[place];
  const fix = (suspect: Suspect, chosen: Fix) => {
    if (done.has(key(suspect))) return;
    setDone(new Set([...done, key(suspect)]));
    for (const decision of chosen.decisions) {
      const one = suspect.examples.find((example) => example.id === decision.id);
      if (one) decide({ example: one, seen: one.seen }, deed(decision));
    }
  };
  const step = (by: number) => setAt(Math.max(0, Math.min(open.length - 1, place + by)));
  useActions([
    action("suspect-next", "Next suspect", "j", () => step(1), { repeats: true }),
    action("suspect-previous", "Previous suspect", "k", () => step(-1), { repeats: true }),
    action("suspect-close", "Close the suspects", "escape", () => audit.setUrl({ suspects: undefined })),
  ]);
  if (isError) return <Failure error={error} retry={() => void refetch()} />;
  if (!data) return <Skeleton lines={6} height={320} />;
  if (!current)
    return (
      <section className={css.suspects} aria-label="Suspects" tabIndex={-1} data-focus>
        <h2>Nothing suspect</h2>
        <p className="muted">
          {waiting.length > 0
            ? "Your decisions are being saved."
            : `Of ${count(data.examples, "approved example")} none contradicts another example or a confident model.`}
        </p>
        <Button onClick={() => (setDone(new Set()), void refetch())}>Look again</Button>
      </section>
    );
  const keys = keysOf(current.fixes);
  return (
    <section className={css.suspects} aria-label="Suspects" tabIndex={-1} data-focus>
      <header>
        <strong className="num">
          Suspect {place + 1} / {open.length}
        </strong>
        <Pill tone="warn">{TITLES[current.kind]}</Pill>
        <span className={css.moves}>
          <Button
            look="quiet"
            icon="left"
            aria-label="Previous suspect"
            disabled={place === 0}
            onClick={() => step(-1)}
          />
          <Button
            look="quiet"
            icon="right"
            aria-label="Next suspect"
            disabled={place === open.length - 1}
            onClick={() => step(1)}
          />
        </span>
      </header>
      <p role="status">
        <Words>{current.reason}</Words>
      </p>
      <ul>
        {current.examples.map((one) => (
          <li key={one.id}>
            <button
              type="button"
              onClick={() => (audit.setUrl({ suspects: undefined, state: "all" }), audit.open(one.id))}
            >
              {clip(one.input.replace(/\s+/g, " "), 240)}
            </button>
            <code>{shown(one.output)}</code>
            {one.held_out && <Pill>held out</Pill>}
          </li>
        ))}
      </ul>
      {current.count > current.examples.length && (
        <p className="muted">
          {number(current.count)} in all. A fix is for the {number(current.examples.length)} that are listed; the others
          come afterwards.
        </p>
      )}
      <footer key={key(current)}>
        {current.fixes.map((one, i) => (
          <ActionButton
            key={one.title}
            action={action(`fix-${i}`, one.title, keys[i] ?? "", () => fix(current, one))}
            look={i === 0 ? "main" : one.action === "reject" ? "danger" : undefined}
          >
            <Words>{one.title}</Words>
          </ActionButton>
        ))}
      </footer>
      <p className="muted">
        Each fix is stored as a decision on each example; you can undo it under “Last decisions”. Examples that you keep
        are not listed again until they change.
      </p>
    </section>
  );
}

/** Opens the list of suspects and shows their number. */
export function SuspectsButton({ task, audit }: { task: TaskInfo; audit: Audit }) {
  const { data } = useQuery({ ...suspectsQuery(task.name), enabled: task.counts.approved > 1 });
  const isOpen = audit.search.suspects === "first";
  const all = data?.counts.reduce((sum, one) => sum + one.count, 0) ?? 0;
  const run = () => audit.setUrl({ suspects: isOpen ? undefined : "first" });
  return (
    <ActionButton small action={{ ...{ id: "suspects", label: "Suspect first", group: "Audit", key: "f" }, run }}>
      Suspect first{all > 0 && <small className="num"> {number(all)}</small>}
    </ActionButton>
  );
}

/** A suspect without the state of its examples: after a decision it is another one, or gone. */
const key = (one: Suspect) => `${one.kind} ${one.examples.map(({ id, seen }) => `${id}:${seen}`).join(" ")}`;

/** One key per fix: digits for the answers to keep, letters for the rest. */
function keysOf(fixes: Pick<Fix, "action">[]): string[] {
  let kept = 0;
  return fixes.map(({ action }) => {
    if (action === "keep") return `${(kept += 1)}`;
    return { change: "m", "keep-all": "b", reject: "x" }[action];
  });
}

function deed({ action, output, reason }: Fix["decisions"][number]): Parameters<typeof decide>[1] {
  if (action === "reject") return { action, reason: reason ?? "" };
  return output === undefined ? { action: "approve" } : { action: "approve", output: output as Json };
}
