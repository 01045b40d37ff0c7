import { Link } from "@tanstack/react-router";
import type { Schemas } from "../../api/types";
import { Notice } from "../../components/bits";
import { Button } from "../../components/Button";
import { Cell, Table } from "../../components/Table";
import { Words } from "../../components/Words";
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
            <li key={line}>
              <Button small look="quiet" onClick={() => onLine(line)}>
                Line {line}
              </Button>
              {reason}
            </li>
          ))}
        </ul>
      )}
      {prompts.some((prompt) => prompt.hints.length > 0) && (
        <ul className={css.problems} aria-label="Hints">
          {prompts.flatMap(({ line, hints }) =>
            hints.map(({ kind, text }) => (
              <li key={`${line} ${kind} ${text}`}>
                <Button small look="quiet" onClick={() => onLine(line)}>
                  Line {line}
                </Button>
                <Words>{text}</Words>
              </li>
            )),
          )}
        </ul>
      )}
      {prompts.length > 0 && (
        <Table
          label="Texts"
          columns={[{ title: "Line", right: true }, "Task", { title: "Examples", right: true }, "Base model"]}
        >
          {prompts.map((prompt) => (
            <tr key={prompt.line}>
              <Cell right>{number(prompt.line)}</Cell>
              <Cell title={prompt.model_type}>{prompt.task}</Cell>
              <Cell right nowrap>
                {number(prompt.examples)}
                {prompt.pending > 0 && ` (${number(prompt.pending)} pending)`}
              </Cell>
              <Cell>
                {prompt.base}
                {prompt.priority !== "normal" && `, ${prompt.priority} priority`}
              </Cell>
            </tr>
          ))}
        </Table>
      )}
    </div>
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
            {task}:{" "}
            {run ? (
              <Link to="/runs/$id" params={{ id: run }} search={{ task }}>
                Watch {run}
              </Link>
            ) : (
              note
            )}
          </li>
        ))}
        {problems.length > 0 && <li>{count(problems.length, "row")} with a problem not submitted.</li>}
      </ul>
    </Notice>
  );
}
