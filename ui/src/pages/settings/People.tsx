import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, reply, where } from "../../api/client";
import { read, sessionQuery } from "../../api/queries";
import type { Role, Schemas } from "../../api/types";
import { AddForm } from "../../components/AddForm";
import { Card, Empty, Notice, Pill, TimeAgo } from "../../components/bits";
import { CopyButton } from "../../components/ShowCommand";
import { Input, Pick, useFields } from "../../components/form";
import layout from "../../components/layout.module.css";
import { Remove } from "../../components/Confirm";
import { QueryTable } from "../../components/Table";
import { say } from "../../components/toasts";
import { commands } from "../../lib/commands";
import { useTask } from "../../shell/useTask";

/** Users with passwords and tokens for programs, with their roles. */
export function People() {
  return (
    <div className={layout.two}>
      <Users />
      <Tokens />
    </div>
  );
}

const ROLES: { value: Role; label: string }[] = [
  { value: "viewer", label: "Viewer: read only" },
  { value: "auditor", label: "Auditor: reviews messages" },
  { value: "trainer", label: "Trainer: imports, trains, activates" },
  { value: "admin", label: "Admin: full access" },
];
const BLANK = { name: "", password: "", role: "auditor" as Role };
/** Characters of the shortest password. */
const SHORTEST = 10;

/** Users who may log in. */
function Users() {
  const query = useQuery(read(["users"], () => reply(api.GET("/api/v1/users")), { retry: false }));
  const { values: draft, change, text, pick } = useFields(BLANK);
  // The first user must be an administrator, to be able to add others.
  const first = query.data?.users.length === 0;
  const role = first ? "admin" : draft.role;
  const name = draft.name.trim();
  return (
    <Card title="People" flush>
      <QueryTable
        query={query}
        label="People"
        rows={({ users }) => users}
        by={({ name }) => name}
        empty={
          <Empty title="Nobody yet">Add the first person below. Until then, no login is needed on this machine.</Empty>
        }
        columns={[
          { title: "Name", head: true, cell: ({ name }) => name },
          { title: "Role", cell: ({ role }) => <Pill>{role}</Pill> },
          { title: "Since", cell: ({ created_at }) => <TimeAgo at={created_at} /> },
          { title: "Remove", hidden: true, right: true, cell: ({ name }) => <Removal name={name} /> },
        ]}
      />
      <AddForm
        add={() => reply(api.POST("/api/v1/users", { body: { ...draft, name, role } }))}
        onAdded={() => (say(`${name} may log in now`), change(BLANK))}
        list="users"
        button="Add a person"
        command={commands.addingUser(name, role)}
        ready={name !== "" && draft.password.length >= SHORTEST}
      >
        <Input label="Name" {...text("name")} />
        <Input
          label="Password"
          hint={`${SHORTEST} characters or more`}
          type="password"
          autoComplete="new-password"
          {...text("password")}
        />
        <Pick
          label="Role"
          hint={first ? "The first person is the administrator. From then on, everybody must log in." : undefined}
          options={first ? ROLES.filter(({ value }) => value === "admin") : ROLES}
          {...pick("role")}
          value={role}
        />
      </AddForm>
    </Card>
  );
}

function Removal({ name }: { name: string }) {
  return (
    <Remove
      label={`Remove ${name}`}
      run={() => api.DELETE("/api/v1/users/{name}", where({ name }))}
      list="users"
      said={`${name} is removed, and logged out`}
    >
      {name} is logged out everywhere at once. What {name} decided stays.
    </Remove>
  );
}

const TOKEN_ROLES = [{ value: "agent" as Role, label: "Agent: holds versions elsewhere" }, ...ROLES];

/** API tokens for programs; each is shown only once. */
export function Tokens() {
  const query = useQuery(read(["tokens"], () => reply(api.GET("/api/v1/tokens")), { retry: false }));
  // The first token makes logins mandatory, so an administrator must be able to log in.
  const open = useQuery(sessionQuery).data?.auth_required === false;
  const [label, setLabel] = useState("");
  const [role, setRole] = useState<Role>("viewer");
  const [secret, setSecret] = useState<string | null>(null);
  return (
    <Card title="Tokens for programs" flush>
      <QueryTable
        query={query}
        label="Tokens"
        rows={({ tokens }) => tokens}
        by={({ id }) => id}
        empty={<Empty title="No tokens">A program sends one as “Authorization: Bearer …”.</Empty>}
        columns={[
          { title: "For", head: true, cell: ({ label }) => label },
          { title: "Role", cell: ({ task, role }) => <Pill>{task ? `review of ${task}` : role}</Pill> },
          { title: "Last used", cell: ({ used_at }) => (used_at ? <TimeAgo at={used_at} /> : "Never") },
          { title: "Remove", hidden: true, right: true, cell: removal },
        ]}
      />
      {secret !== null && <Secret title="Copy it now. It is not shown again." text={secret} />}
      <AddForm
        add={() => reply(api.POST("/api/v1/tokens", { body: { label: label.trim(), role } }))}
        onAdded={(made) => (setLabel(""), setSecret(made.secret))}
        list="tokens"
        button="Create a token"
        command={commands.addingToken(label.trim(), role)}
        ready={label.trim() !== "" && !open}
      >
        <Input
          label="Description"
          hint={open ? "Add a person first: as soon as a token exists, everybody must log in" : undefined}
          value={label}
          onText={setLabel}
        />
        <Pick label="Role" options={TOKEN_ROLES} value={role} onPick={setRole} />
      </AddForm>
      <ReviewLink closed={open} />
    </Card>
  );
}

function removal({ id, label }: Schemas["TokenView"]) {
  return (
    <Remove
      label={`Remove the token for ${label}`}
      run={() => api.DELETE("/api/v1/tokens/{id}", where({ id }))}
      list="tokens"
      said={`“${label}” no longer works`}
    >
      Requests with this token are refused from now on. This can't be undone.
    </Remove>
  );
}

/** What is shown once, to be copied. */
function Secret({ title, text }: { title: string; text: string }) {
  return (
    <Notice tone="good" title={title}>
      <span className={layout.row}>
        <code>{text}</code> <CopyButton text={text}>Copy</CopyButton>
      </span>
    </Notice>
  );
}

/** A link with which one person reviews the examples of one task, and reaches nothing else. */
function ReviewLink({ closed }: { closed: boolean }) {
  const { tasks } = useTask();
  const [person, setPerson] = useState("");
  const [task, setTask] = useState("");
  const [link, setLink] = useState<string | null>(null);
  const chosen = task || (tasks[0]?.name ?? "");
  const body = { person: person.trim(), task: chosen };
  return (
    <>
      {link !== null && <Secret title="Send this link. It is not shown again, and ends after 14 days." text={link} />}
      <AddForm
        add={() => reply(api.POST("/api/v1/tokens/links", { body }))}
        onAdded={(made) => (setPerson(""), setLink(location.origin + made.path))}
        list="tokens"
        button="Create a review link"
        command={commands.addingLink(body.task, body.person)}
        ready={body.person !== "" && chosen !== "" && !closed}
      >
        <Input label="Review link for" hint="A person's name" value={person} onText={setPerson} />
        <Pick
          label="Task"
          value={chosen}
          options={tasks.map((one) => ({ value: one.name, label: one.title }))}
          onPick={setTask}
        />
      </AddForm>
    </>
  );
}
