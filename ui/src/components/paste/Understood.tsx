import type { Schemas, Understanding } from "../../api/types";
import { count, number } from "../../lib/format";
import { shown } from "../../lib/json";
import { Pill } from "../bits";
import { Words } from "../Failure";
import css from "./paste.module.css";

/** The ways to write examples, as people name them. */
const LAYOUTS: Record<Schemas["Layout"], string> = {
  "label-lines": "Lines with labels",
  blocks: "Task, input, expected",
  dialogue: "Dialogue",
  table: "Table",
  json: "JSON",
  "text-and-json": "Texts with JSON answers",
  answers: "JSON answers without texts",
  schema: "JSON Schema",
  lines: "Lines without answers",
};
export const FORMS: Record<Schemas["AnswerKind"], string> = {
  labels: "Labels",
  fields: "Fields",
  text: "Text",
  dialogue: "Dialogue",
};
/** Hints that say that something is wrong, not only that it could be better. */
const GRAVE: Schemas["HintKind"][] = ["contradiction", "spelling", "other-labels", "one-label", "missing-label"];
/** Lines that are listed. */
const LISTED = 200;
/** Labels that are shown. */
const LABELS = 12;

interface Props {
  found: Understanding;
  /** Scrolls to a line of the text. */
  onLine: (line: number) => void;
}

/** The examples found in a text, line by line. */
export function Understood({ found, onLine }: Props) {
  const { counts, form, layout, labels } = found;
  return (
    <div className={css.found} aria-live="polite">
      <p className={css.summary}>
        <Pill tone={counts.answered > 0 ? "good" : "plain"}>{count(counts.examples, "example")}</Pill>
        <Pill>{LAYOUTS[layout]}</Pill>
        {form && <Pill>{FORMS[form]}</Pill>}
        {counts.problems > 0 && <Pill tone="bad">{count(counts.problems, "problem")}</Pill>}
      </p>
      <p className={css.evidence}>{[...found.evidence, ...found.notes].join(" ")}</p>
      {form === "labels" && (
        <ul className={css.labels} aria-label="Labels">
          {labels.slice(0, LABELS).map((one) => (
            <li key={one.label}>
              {one.label} <span className="num">{number(one.count)}</span>
            </li>
          ))}
          {counts.labels > LABELS && <li className="num">{number(counts.labels - LABELS)} more</li>}
        </ul>
      )}
      {found.hints.length > 0 && (
        <ul className={css.hints} aria-label="Hints">
          {found.hints.map((hint) => (
            <li key={hint.kind + hint.text} data-grave={GRAVE.includes(hint.kind) || undefined}>
              <Words>{hint.text}</Words>
              {hint.lines.slice(0, 8).map((line) => (
                <LineLink key={line} line={line} onLine={onLine} />
              ))}
            </li>
          ))}
        </ul>
      )}
      <Lines found={found} onLine={onLine} />
    </div>
  );
}

/** Every line with its example or its problem. */
function Lines({ found, onLine }: Props) {
  const rows = [
    ...found.examples.map((example, i) => ({ ...example, key: `e${i}`, reason: "" })),
    ...found.problems.map((problem, i) => ({ ...problem, key: `p${i}`, input: "", output: undefined })),
  ].sort((a, b) => a.line - b.line);
  if (rows.length === 0) return null;
  const all = found.counts.examples + found.counts.problems;
  return (
    <>
      <ol className={css.lines} aria-label="Lines" tabIndex={0}>
        {rows.slice(0, LISTED).map((row) => (
          <li
            key={row.key}
            data-state={row.reason ? "bad" : row.output === undefined || row.output === null ? "open" : "good"}
          >
            <LineLink line={row.line} onLine={onLine} />
            <span aria-hidden className={css.sign}>
              {row.reason ? "✕" : row.output === undefined || row.output === null ? "○" : "✓"}
            </span>
            {row.reason ? (
              <span className={css.reason}>{row.reason}</span>
            ) : (
              <span className={css.pair}>
                <span>{row.input}</span>
                <span>{shown(row.output) || "No answer"}</span>
              </span>
            )}
          </li>
        ))}
      </ol>
      {all > Math.min(rows.length, LISTED) && (
        <p className={css.evidence}>
          {number(Math.min(rows.length, LISTED))} of {number(all)} lines are shown.
        </p>
      )}
    </>
  );
}

function LineLink({ line, onLine }: { line: number; onLine: (line: number) => void }) {
  return (
    <button type="button" className={css.line} aria-label={`Line ${line}`} onClick={() => onLine(line)}>
      {line}
    </button>
  );
}
