import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { address, api, reply } from "../../api/client";
import { allTasksQuery } from "../../api/queries";
import type { Schemas } from "../../api/types";
import { Button } from "../../components/Button";
import { Card, PageHead, Pill } from "../../components/bits";
import { Failure } from "../../components/Failure";
import { Check, Input } from "../../components/form";
import layout from "../../components/layout.module.css";
import { Listed } from "../../components/Listed";
import { Menu, type Item } from "../../components/Menu";
import { Modal } from "../../components/Modal";
import { FORMS } from "../../components/paste/Understood";
import { Cell, Table } from "../../components/Table";
import { say, sayError } from "../../components/toasts";
import { number } from "../../lib/format";
import { ActionButton } from "../../shell/ActionButton";
import css from "./tasks.module.css";
import { slug } from "./words";

type Listed = Schemas["TaskOverview"];
type Naming = { task: Listed; deed: "clone" | "rename" };

const ORIGINS: Record<Schemas["TaskOrigin"], string> = {
  own: "Own",
  changed: "Built in, changed",
  "built-in": "Built in",
};
/** Longest file of a task. */
const MAX_FILE = 4 << 20;

/** All tasks of this home, with their actions. */
export function Tasks() {
  const query = useQuery(allTasksQuery);
  const client = useQueryClient();
  const navigate = useNavigate();
  const [archived, setArchived] = useState(false);
  const [naming, setNaming] = useState<Naming | null>(null);
  const all = query.data ?? [];
  const shown = all.filter((task) => archived || !task.archived);
  const hidden = all.filter((task) => task.archived).length;
  const fresh = {
    id: "new-task",
    label: "New task",
    group: "Tasks",
    key: "n",
    run: () => void navigate({ to: "/tasks/new" }),
  };
  const read = async (file: File | undefined) => {
    if (!file) return;
    try {
      if (file.size > MAX_FILE) throw new Error("A task's file has at most 4 MiB.");
      const text = await file.text();
      const made = await reply(api.POST("/api/v1/tasks/import", { body: { text } }));
      void client.invalidateQueries();
      say(`${made.definition.name} is made`);
    } catch (error) {
      sayError(error);
    }
  };
  return (
    <div className={layout.stack}>
      <PageHead title="Tasks" about="What an answer is, and how examples are judged. Each task has its own versions.">
        <label className={`${css.file} ${css.import}`}>
          Import a task
          <input
            type="file"
            className="sr"
            accept=".toml,.json"
            onChange={(event) => {
              void read(event.target.files?.[0]);
              event.target.value = "";
            }}
          />
        </label>
        <ActionButton action={fresh} look="main" icon="plus">
          New task
        </ActionButton>
      </PageHead>
      <Card
        flush
        title={`${number(shown.length)} tasks`}
        side={
          hidden > 0 && (
            <Check
              label={`Show archived (${number(hidden)})`}
              checked={archived}
              onChange={(event) => setArchived(event.target.checked)}
            />
          )
        }
      >
        <Listed query={query} lines={6} height={280}>
          <Table
            stack
            label="Tasks"
            columns={["Task", "Answers", "Approved", "To be audited", "Active version", "Made by", { hidden: "More" }]}
          >
            {shown.map((task) => (
              <Row key={task.name} task={task} onName={(deed) => setNaming({ task, deed })} />
            ))}
          </Table>
        </Listed>
      </Card>
      {naming && <NameDialog {...naming} onClose={() => setNaming(null)} />}
    </div>
  );
}

function Row({ task, onName }: { task: Listed; onName: (deed: Naming["deed"]) => void }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const { name } = task;
  const archive = useMutation({
    mutationFn: async () => {
      const params = { path: { task: name } };
      if (task.archived) await reply(api.POST("/api/v1/tasks/{task}/restore", { params }));
      else await reply(api.DELETE("/api/v1/tasks/{task}", { params }));
    },
    onSuccess: () => {
      void client.invalidateQueries();
      const detail = "It is not listed and not trained any more; its versions still answer.";
      say(`${task.title} is ${task.archived ? "listed again" : "archived"}`, task.archived ? {} : { detail });
    },
    onError: sayError,
  });
  const items: Item[] = [
    ...(task.archived
      ? []
      : [{ label: "Use this task", run: () => void navigate({ to: "/", search: { task: name } }) }]),
    { label: "Edit", run: () => void navigate({ to: "/tasks/$name", params: { name } }) },
    { label: "Clone …", run: () => onName("clone") },
    ...(task.origin === "own" ? [{ label: "Rename …", run: () => onName("rename") }] : []),
    { label: "Export", run: () => location.assign(address("/api/v1/tasks/{task}/export", { task: name })) },
    { label: task.archived ? "Take back" : "Archive", run: () => archive.mutate() },
  ];
  return (
    <tr>
      <th scope="row">
        <span className={css.name}>
          <Link to="/tasks/$name" params={{ name }}>
            {task.title}
          </Link>
          <code>{name}</code>
        </span>
      </th>
      <Cell label="Answers">
        {FORMS[task.kind]}
        {task.archived && (
          <>
            {" "}
            <Pill>Archived</Pill>
          </>
        )}
      </Cell>
      <Cell label="Approved">
        <span className="num">{number(task.counts.approved)}</span>
      </Cell>
      <Cell label="To be audited">
        <span className="num">{number(task.counts.pending)}</span>
      </Cell>
      <Cell label="Active version">
        {task.active ? (
          <Link to="/versions" search={{ task: name, version: task.active.name }}>
            {task.active.name}
          </Link>
        ) : (
          "–"
        )}
      </Cell>
      <Cell label="Made by">{ORIGINS[task.origin]}</Cell>
      <Cell right corner>
        <Menu label={`More for ${task.title}`} items={items} />
      </Cell>
    </tr>
  );
}

/** Asks for the name of a copy, or for another name. */
function NameDialog({ task, deed, onClose }: Naming & { onClose: () => void }) {
  const client = useQueryClient();
  const [name, setName] = useState(deed === "clone" ? `${task.name}-2` : task.name);
  const { mutate, error, isPending } = useMutation({
    mutationFn: async () => {
      const params = { path: { task: task.name } };
      if (deed === "clone") await reply(api.POST("/api/v1/tasks/{task}/clone", { params, body: { name } }));
      else await reply(api.POST("/api/v1/tasks/{task}/rename", { params, body: { name } }));
    },
    onSuccess: () => {
      void client.invalidateQueries();
      say(deed === "clone" ? `${name} is made` : `${task.name} is now ${name}`);
      onClose();
    },
  });
  const about =
    deed === "clone"
      ? "The new task has the same definition, and no examples or versions yet."
      : "Its examples, datasets, runs, versions and schedules are renamed too. Programs that use the task must use the new name.";
  const yes = deed === "clone" ? "Clone" : "Rename";
  return (
    <Modal
      open
      onOpenChange={(open) => !open && onClose()}
      title={`${yes} ${task.title}`}
      about={about}
      foot={
        <>
          <Button onClick={onClose}>Back</Button>
          <Button
            look="main"
            disabled={name === "" || name === task.name}
            busy={isPending && "Saving …"}
            onClick={() => mutate()}
          >
            {yes}
          </Button>
        </>
      }
    >
      <div className={css.stack}>
        <Input
          label="Name"
          hint="Lowercase letters, digits and hyphens."
          value={name}
          onText={(to) => setName(slug(to, true))}
        />
        {error && <Failure error={error} />}
      </div>
    </Modal>
  );
}
