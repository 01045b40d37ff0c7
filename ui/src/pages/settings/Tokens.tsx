import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, reply } from "../../api/client";
import { sessionQuery } from "../../api/queries";
import type { Role } from "../../api/types";
import { AddForm } from "../../components/AddForm";
import { Card, Empty, Notice, Pill } from "../../components/bits";
import { CopyButton } from "../../components/CopyButton";
import { Input, Pick } from "../../components/form";
import layout from "../../components/layout.module.css";
import { Listed } from "../../components/Listed";
import { Remove } from "../../components/Remove";
import { Cell, Table } from "../../components/Table";
import { TimeAgo } from "../../components/TimeAgo";
import { commands } from "../../lib/commands";
import { useTask } from "../../shell/useTask";
import { ROLES } from "./Users";

const TOKEN_ROLES = [{ value: "agent" as Role, label: "Agent: holds versions elsewhere" }, ...ROLES];

/** API tokens for programs; each is shown only once. */
export function Tokens() {
  const query = useQuery({ queryKey: ["tokens"], queryFn: () => reply(api.GET("/api/v1/tokens")), retry: false });
  // The first token makes logins mandatory, so an administrator must be able to log in.
  const open = useQuery(sessionQuery).data?.auth_required === false;
  const [label, setLabel] = useState("");
  const [role, setRole] = useState<Role>("viewer");
  const [secret, setSecret] = useState<string | null>(null);
  const tokens = query.data?.tokens ?? [];
  const empty = tokens.length === 0 && (
    <Empty title="No tokens">A program sends one as “Authorization: Bearer …”.</Empty>
  );
  return (
    <Card title="Tokens for programs" flush>
      <Listed query={query} empty={empty}>
        <Table label="Tokens" columns={["For", "Role", "Last used", { hidden: "Remove" }]}>
          {tokens.map((token) => (
            <tr key={token.id}>
              <th scope="row">{token.label}</th>
              <Cell>
                <Pill>{token.task ? `review of ${token.task}` : token.role}</Pill>
              </Cell>
              <Cell>{token.used_at ? <TimeAgo at={token.used_at} /> : "Never"}</Cell>
              <Cell right>
                <Remove
                  label={`Remove the token for ${token.label}`}
                  run={() => api.DELETE("/api/v1/tokens/{id}", { params: { path: { id: token.id } } })}
                  list="tokens"
                  said={`“${token.label}” no longer works`}
                >
                  Requests with this token are refused from now on. This can't be undone.
                </Remove>
              </Cell>
            </tr>
          ))}
        </Table>
      </Listed>
      {secret !== null && (
        <Notice tone="good" title="Copy it now. It is not shown again.">
          <span className={layout.row}>
            <code>{secret}</code> <CopyButton text={secret}>Copy</CopyButton>
          </span>
        </Notice>
      )}
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
      {link !== null && (
        <Notice tone="good" title="Send this link. It is not shown again, and ends after 14 days.">
          <span className={layout.row}>
            <code>{link}</code> <CopyButton text={link}>Copy</CopyButton>
          </span>
        </Notice>
      )}
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
