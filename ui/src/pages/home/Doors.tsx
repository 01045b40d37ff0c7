import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { TaskInfo } from "../../api/types";
import { Button } from "../../components/Button";
import { Card } from "../../components/bits";
import { ImportDialog } from "../audit/ImportDialog";
import css from "./home.module.css";

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
      <ImportDialog open={importing} onOpenChange={setImporting} task={task} />
    </Card>
  );
}
