import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { TaskInfo } from "../../api/types";
import { Card } from "../../components/bits";
import { Button } from "../../components/Button";
import { Icon } from "../../components/Icon";
import { count } from "../../lib/format";
import { ImportDialog } from "../audit/ImportDialog";
import css from "./home.module.css";

/** The steps to the first adapter, with the next one highlighted. */
export function Guide({ task }: { task: TaskInfo }) {
  const [importing, setImporting] = useState(false);
  const { counts, needed, ready, run } = task;
  const all = counts.pending + counts.approved + counts.rejected;
  const steps = [
    {
      title: "Import messages",
      done: all > 0,
      text: all > 0 ? `${count(all, "message")} are here.` : "A Slack export, a table, a database, or pasted text.",
      action: (
        <Button look="main" icon="upload" onClick={() => setImporting(true)}>
          Import
        </Button>
      ),
    },
    {
      title: `Audit at least ${needed}`,
      done: ready,
      text: `${counts.approved} approved. Check the answer to each message: correct, approve or reject it.`,
      action: <Link to="/audit">Audit messages</Link>,
    },
    {
      title: "Train an adapter",
      done: false,
      text: run ? "A training is running." : "The page estimates the time before it starts.",
      action: <Link to="/train">{run ? "Watch it" : "Train"}</Link>,
    },
    {
      title: "Compare and activate",
      done: false,
      text: "Compare it with the contestants, then activate the best.",
      action: <Link to="/versions">Versions</Link>,
    },
  ];
  const next = steps.findIndex((step) => !step.done);
  return (
    <Card title={`First adapter for ${task.title}`}>
      <ol className={css.guide}>
        {steps.map((step, i) => (
          <li key={step.title} data-done={step.done || undefined} data-next={i === next || undefined}>
            <span className={css.step}>{step.done ? <Icon name="check" size={14} /> : i + 1}</span>
            <div>
              <h3>
                {step.title}
                {step.done && <span className="sr"> (done)</span>}
              </h3>
              <p>{step.text}</p>
              {i === next && step.action}
            </div>
          </li>
        ))}
      </ol>
      <ImportDialog open={importing} close={() => setImporting(false)} task={task} />
    </Card>
  );
}

/** Three ways to start, shown on an empty home. */
export function Doors({ task }: { task: TaskInfo }) {
  const [importing, setImporting] = useState(false);
  return (
    <Card title="Begin">
      <ul className={css.doors}>
        <li>
          <h3>Try a template</h3>
          <p>Spam, ticket priority, invoice fields: a ready-made task with a dozen examples.</p>
          <Link to="/tasks/new" search={{ template: "spam" }}>
            Choose a template
          </Link>
        </li>
        <li>
          <h3>Paste your text</h3>
          <p>Lines with labels, texts with JSON answers, dialogues or CSV become a task of your own.</p>
          <Link to="/tasks/new">Paste examples</Link>
        </li>
        <li>
          <h3>Import a file</h3>
          <p>A Slack export, a table or spreadsheet, JSON lines, or a database.</p>
          <Button small icon="upload" onClick={() => setImporting(true)}>
            Choose what to import
          </Button>
        </li>
      </ul>
      <ImportDialog open={importing} close={() => setImporting(false)} task={task} />
    </Card>
  );
}
