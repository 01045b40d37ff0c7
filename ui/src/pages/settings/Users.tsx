import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, reply } from "../../api/client";
import type { Role } from "../../api/types";
import { AddForm } from "../../components/AddForm";
import { Card, Empty, Pill } from "../../components/bits";
import { Input, Pick } from "../../components/form";
import { Listed } from "../../components/Listed";
import { Remove } from "../../components/Remove";
import { Cell, Table } from "../../components/Table";
import { TimeAgo } from "../../components/TimeAgo";
import { say } from "../../components/toasts";
import { commands } from "../../lib/commands";

export const ROLES: { value: Role; label: string }[] = [
  { value: "viewer", label: "Viewer: read only" },
  { value: "auditor", label: "Auditor: reviews messages" },
  { value: "trainer", label: "Trainer: imports, trains, activates" },
  { value: "admin", label: "Admin: full access" },
];
const BLANK = { name: "", password: "", role: "auditor" as Role };
/** Characters of the shortest password. */
const SHORTEST = 10;

/** Users who may log in. */
export function Users() {
  const query = useQuery({ queryKey: ["users"], queryFn: () => reply(api.GET("/api/v1/users")), retry: false });
  const [draft, setDraft] = useState(BLANK);
  // The first user must be an administrator, to be able to add others.
  const first = query.data?.users.length === 0;
  const role = first ? "admin" : draft.role;
  const change = (part: Partial<typeof BLANK>) => setDraft((old) => ({ ...old, ...part }));
  const name = draft.name.trim();
  const users = query.data?.users ?? [];
  const empty = users.length === 0 && (
    <Empty title="Nobody yet">Add the first person below. Until then, no login is needed on this machine.</Empty>
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
                  run={() => api.DELETE("/api/v1/users/{name}", { params: { path: { name: user.name } } })}
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
        add={() => reply(api.POST("/api/v1/users", { body: { ...draft, name, role } }))}
        onAdded={() => (say(`${name} may log in now`), setDraft(BLANK))}
        list="users"
        button="Add a person"
        command={commands.addingUser(name, role)}
        ready={name !== "" && draft.password.length >= SHORTEST}
      >
        <Input label="Name" value={draft.name} onText={(name) => change({ name })} />
        <Input
          label="Password"
          hint={`${SHORTEST} characters or more`}
          type="password"
          autoComplete="new-password"
          value={draft.password}
          onText={(password) => change({ password })}
        />
        <Pick
          label="Role"
          hint={first ? "The first person is the administrator. From then on, everybody must log in." : undefined}

          options={first ? ROLES.filter(({ value }) => value === "admin") : ROLES}
          value={role}
          onPick={(role) => change({ role })}
        />
      </AddForm>
    </Card>
  );
}
