import type { ReactNode } from "react";
import type { Schemas } from "../../api/types";
import { Notice } from "../../components/bits";
import { Button } from "../../components/Button";
import { RunLink } from "../../components/links";
import { DataTable } from "../../components/Table";
import { Words } from "../../components/Failure";
import { count, number } from "../../lib/format";
import css from "./prompt.module.css";

/** A table of texts that can be submitted together: its rows, and what is wrong with others. */
export function Batch({ batch, onLine }: { batch: Schemas["PromptBatch"]; onLine: (line: number) => void }) {
  const { prompts, problems, runs } = batch;
  return (
    <div className={css.batch}>
      <p>
        A table of texts: {count(prompts.length, "text")} for {count(runs.length, "run")}, one for each task and base
        model. Each row has its own model type, priority and base model; the choices beside do not apply.
      </p>
      {problems.length > 0 && (
        <ul className={css.problems} aria-label="Rows with a problem">
          {problems.map(({ line, reason }) => (
            <OnLine key={line} line={line} onLine={onLine}>
              {reason}
            </OnLine>
          ))}
        </ul>
      )}
      {prompts.some((prompt) => prompt.hints.length > 0) && (
        <ul className={css.problems} aria-label="Hints">
          {prompts.flatMap(({ line, hints }) =>
            hints.map(({ kind, text }) => (
              <OnLine key={`${line} ${kind} ${text}`} line={line} onLine={onLine}>
                <Words>{text}</Words>
              </OnLine>
            )),
          )}
        </ul>
      )}
      {prompts.length > 0 && (
        <DataTable
          label="Texts"
          rows={prompts}
          by={({ line }) => line}
          columns={[
            { title: "Line", right: true, cell: ({ line }) => number(line) },
            { title: "Task", tip: ({ model_type }) => model_type, cell: ({ task }) => task },
            {
              title: "Examples",
              right: true,
              nowrap: true,
              cell: ({ examples, pending }) =>
                `${number(examples)}${pending > 0 ? ` (${number(pending)} pending)` : ""}`,
            },
            {
              title: "Base model",
              cell: ({ base, priority }) => `${base}${priority === "normal" ? "" : `, ${priority} priority`}`,
            },
          ]}
        />
      )}
    </div>
  );
}

function OnLine(props: { line: number; onLine: (line: number) => void; children: ReactNode }) {
  const { line, onLine, children } = props;
  return (
    <li>
      <Button small look="quiet" onClick={() => onLine(line)}>
        Line {line}
      </Button>
      {children}
    </li>
  );
}

/** What became of a table of texts. */
export function BatchOutcome({ batch }: { batch: Schemas["PromptBatch"] }) {
  const { prompts, problems, runs } = batch;
  return (
    <Notice tone={runs.every((run) => run.run) ? "good" : "warn"} title={`${count(prompts.length, "text")} submitted.`}>
      <ul className={css.problems}>
        {runs.map(({ task, base, run, note }) => (
          <li key={`${task} ${base}`}>
            {task}: {run ? <RunLink {...{ id: run, task }}>Watch {run}</RunLink> : note}
          </li>
        ))}
        {problems.length > 0 && <li>{count(problems.length, "row")} with a problem not submitted.</li>}
      </ul>
    </Notice>
  );
}
