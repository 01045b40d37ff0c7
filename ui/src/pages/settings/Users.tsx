import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { admin } from "../../api/calls";
import type { Role } from "../../api/types";
import { AddForm } from "../../components/AddForm";
import { Card, Empty, Pill } from "../../components/bits";
import { Field, Input, Pick } from "../../components/form";
import { Listed } from "../../components/Listed";
import { Remove } from "../../components/Remove";
import { Cell, Table } from "../../components/Table";
import { TimeAgo } from "../../components/TimeAgo";
import { say } from "../../components/toasts";
import { commands } from "../../lib/commands";

export const ROLES: { value: Role; label: string }[] = [
  { value: "viewer", label: "Viewer: looks" },
  { value: "auditor", label: "Auditor: decides on messages" },
  { value: "trainer", label: "Trainer: imports, trains, activates" },
  { value: "admin", label: "Admin: everything" },
];
const BLANK = { name: "", password: "", role: "auditor" as Role };
/** Characters of the shortest password. */
const SHORTEST = 10;

/** People who may log in. */
export function Users() {
  const client = useQueryClient();
  const query = useQuery({ queryKey: ["users"], queryFn: admin.users, retry: false });
  const [draft, setDraft] = useState(BLANK);
  // Whoever is alone must be able to let others in.
  const first = query.data?.users.length === 0;
  const role = first ? "admin" : draft.role;
  const change = (part: Partial<typeof BLANK>) => setDraft((old) => ({ ...old, ...part }));
  const add = useMutation({
    mutationFn: () => admin.addUser({ ...draft, role, name: draft.name.trim() }),
    onSuccess: () => {
      say(`${draft.name.trim()} may log in now`);
      setDraft(BLANK);
      void client.invalidateQueries({ queryKey: ["users"] });
    },
  });
  const users = query.data?.users ?? [];
  const empty = users.length === 0 && (
    <Empty title="Nobody yet">Add the first person below; until then no login is asked on this machine.</Empty>
  );
  return (
    <Card title="People" flush>
      <Listed query={query} empty={empty}>
        <Table label="People" columns={["Name", "Role", "Since", { hidden: "Remove" }]}>
          {users.map((user) => (
            <tr key={user.name}>
              <th scope="row">{user.name}</th>
              <Cell>
                <Pill>{user.role}</Pill>
              </Cell>
              <Cell>
                <TimeAgo at={user.created_at} />
              </Cell>
              <Cell right>
                <Remove
                  label={`Remove ${user.name}`}
                  run={() => admin.removeUser(user.name)}
                  list="users"
                  said={`${user.name} is removed, and logged out`}
                >
                  {user.name} is logged out everywhere at once. What {user.name} decided stays.
                </Remove>
              </Cell>
            </tr>
          ))}
        </Table>
      </Listed>
      <AddForm
        add={add}
        button="Add a person"
        busy="Adding …"
        command={commands.addingUser(draft.name.trim(), role)}
        ready={draft.name.trim() !== "" && draft.password.length >= SHORTEST}
      >
        <Field label="Name">
          {(field) => <Input {...field} value={draft.name} onChange={(e) => change({ name: e.target.value })} />}
        </Field>
        <Field label="Password" hint={`${SHORTEST} characters at least`}>
          {(field) => (
            <Input
              {...field}
              type="password"
              autoComplete="new-password"
              value={draft.password}
              onChange={(e) => change({ password: e.target.value })}
            />
          )}
        </Field>
        <Field
          label="Role"
          hint={first ? "The first person manages the others; from then on everybody logs in" : undefined}
        >
          {(field) => (
            <Pick
              {...field}
              options={first ? ROLES.filter(({ value }) => value === "admin") : ROLES}
              value={role}
              onChange={(e) => change({ role: e.target.value as Role })}
            />
          )}
        </Field>
      </AddForm>
    </Card>
  );
}
