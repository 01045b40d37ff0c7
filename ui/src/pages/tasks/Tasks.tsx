import { useMutation, useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { address, api, reply, where } from "../../api/client";
import { allTasksQuery, reread } from "../../api/queries";
import type { Schemas } from "../../api/types";
import { Card, PageHead, Pill } from "../../components/bits";
import { Confirm } from "../../components/Confirm";
import { Failure } from "../../components/Failure";
import { Check, FileChoice, Input } from "../../components/form";
import layout from "../../components/layout.module.css";
import { VersionLink } from "../../components/links";
import { Menu } from "../../components/Menu";
import { FORMS } from "../../components/paste/Understood";
import { QueryTable } from "../../components/Table";
import { say } from "../../components/toasts";
import { useAct } from "../../components/useAct";
import { number } from "../../lib/format";
import { ActionButton } from "../../shell/actions";
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
  const navigate = useNavigate();
  const [archived, setArchived] = useState(false);
  const [naming, setNaming] = useState<Naming | null>(null);
  const hidden = query.data?.filter((task) => task.archived).length ?? 0;
  const shown = query.data?.filter((task) => archived || !task.archived) ?? [];
  const fresh = {
    id: "new-task",
    label: "New task",
    group: "Tasks",
    key: "n",
    run: () => void navigate({ to: "/tasks/new" }),
  };
  const read = useAct(
    async (file: File) => {
      if (file.size > MAX_FILE) throw new Error("A task's file has at most 4 MiB.");
      return reply(api.POST("/api/v1/tasks/import", { body: { text: await file.text() } }));
    },
    { done: ({ definition }) => say(`${definition.name} is made`) },
  );
  return (
    <div className={layout.stack}>
      <PageHead title="Tasks" about="What an answer is, and how examples are judged. Each task has its own versions.">
        <FileChoice
          className={`${css.file} ${css.import}`}
          label="Import a task"
          accept=".toml,.json"
          onFile={(file) => read.mutate(file)}
        />
        <ActionButton action={fresh} look="main" icon="plus" />
      </PageHead>
      <Card
        flush
        title={`${number(shown.length)} tasks`}
        side={
          hidden > 0 && <Check label={`Show archived (${number(hidden)})`} checked={archived} onCheck={setArchived} />
        }
      >
        <QueryTable
          query={query}
          lines={6}
          height={280}
          stack
          label="Tasks"
          rows={() => shown}
          by={({ name }) => name}
          columns={[
            { title: "Task", head: true, cell: nameOf },
            { title: "Answers", cell: answers },
            { title: "Approved", cell: ({ counts }) => <span className="num">{number(counts.approved)}</span> },
            { title: "To be audited", cell: ({ counts }) => <span className="num">{number(counts.pending)}</span> },
            {
              title: "Active version",
              cell: ({ name, active }) => (active ? <VersionLink task={name} version={active.name} /> : "–"),
            },
            { title: "Made by", cell: ({ origin }) => ORIGINS[origin] },
            {
              title: "More",
              hidden: true,
              right: true,
              corner: true,
              cell: (task) => <More task={task} onName={(deed) => setNaming({ task, deed })} />,
            },
          ]}
        />
      </Card>
      {naming && <NameDialog {...naming} onClose={() => setNaming(null)} />}
    </div>
  );
}

const nameOf = ({ name, title }: Listed) => (
  <span className={css.name}>
    <Link to="/tasks/$name" params={{ name }}>
      {title}
    </Link>
    <code>{name}</code>
  </span>
);

const answers = ({ kind, archived }: Listed) => (
  <>
    {FORMS[kind]}
    {archived && (
      <>
        {" "}
        <Pill>Archived</Pill>
      </>
    )}
  </>
);

function More({ task, onName }: { task: Listed; onName: (deed: Naming["deed"]) => void }) {
  const navigate = useNavigate();
  const { name, title, archived } = task;
  const at = where({ task: name });
  const archive = useAct<unknown>(
    () => (archived ? reply(api.POST("/api/v1/tasks/{task}/restore", at)) : api.DELETE("/api/v1/tasks/{task}", at)),
    {
      done: () => {
        const detail = "It is not listed and not trained any more; its versions still answer.";
        say(`${title} is ${archived ? "listed again" : "archived"}`, archived ? {} : { detail });
      },
    },
  );
  return (
    <Menu
      label={`More for ${title}`}
      items={[
        !archived && { label: "Use this task", run: () => void navigate({ to: "/", search: { task: name } }) },
        { label: "Edit", run: () => void navigate({ to: "/tasks/$name", params: { name } }) },
        { label: "Clone …", run: () => onName("clone") },
        task.origin === "own" && { label: "Rename …", run: () => onName("rename") },
        { label: "Export", run: () => location.assign(address("/api/v1/tasks/{task}/export", { task: name })) },
        { label: archived ? "Take back" : "Archive", run: () => archive.mutate() },
      ]}
    />
  );
}

/** Asks for the name of a copy, or for another name. */
function NameDialog({ task, deed, onClose }: Naming & { onClose: () => void }) {
  const [name, setName] = useState(deed === "clone" ? `${task.name}-2` : task.name);
  const { mutate, error, isPending } = useMutation({
    mutationFn: () => api.POST(`/api/v1/tasks/{task}/${deed}`, { ...where({ task: task.name }), body: { name } }),
    onSuccess: () => {
      reread();
      say(deed === "clone" ? `${name} is made` : `${task.name} is now ${name}`);
      onClose();
    },
  });
  const yes = deed === "clone" ? "Clone" : "Rename";
  return (
    <Confirm
      open
      title={`${yes} ${task.title}`}
      about={
        deed === "clone"
          ? "The new task has the same definition, and no examples or versions yet."
          : "Its examples, datasets, runs, versions and schedules are renamed too. Programs that use the task must use the new name."
      }
      yes={yes}
      disabled={name === "" || name === task.name}
      busy={isPending && "Saving …"}
      onYes={() => mutate()}
      onNo={onClose}
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
    </Confirm>
  );
}
