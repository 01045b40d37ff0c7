import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { admin } from "../../api/calls";
import type { Role } from "../../api/types";
import { Button } from "../../components/Button";
import { Card, Empty, Pill, Skeleton } from "../../components/bits";
import { Failure } from "../../components/Failure";
import { Field, Input, Pick } from "../../components/form";
import layout from "../../components/layout.module.css";
import { Cell, Table } from "../../components/Table";
import { TimeAgo } from "../../components/TimeAgo";
import { say, sayError } from "../../components/toasts";

export const ROLES = [
  { value: "viewer", label: "Viewer: looks" },
  { value: "auditor", label: "Auditor: decides on messages" },
  { value: "trainer", label: "Trainer: imports, trains, activates" },
  { value: "admin", label: "Admin: everything" },
];

/** People who may log in. */
export function Users() {
  const client = useQueryClient();
  const query = useQuery({ queryKey: ["users"], queryFn: admin.users, retry: false });
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [role, setRole] = useState<Role>("auditor");
  const again = () => void client.invalidateQueries({ queryKey: ["users"] });
  const add = useMutation({
    mutationFn: () => admin.addUser({ name: name.trim(), role, password }),
    onSuccess: () => {
      say(`${name} may log in now`);
      setName("");
      setPassword("");
      again();
    },
  });
  const remove = (who: string) =>
    void admin.removeUser(who).then(() => (say(`${who} is removed, and logged out`), again()), sayError);
  const users = query.data?.users ?? [];
  return (
    <Card title="People" flush>
      {query.isPending && (
        <div style={{ padding: "0 20px" }}>
          <Skeleton lines={3} />
        </div>
      )}
      {query.error && (
        <div style={{ padding: 20 }}>
          <Failure error={query.error} />
        </div>
      )}
      {query.isSuccess && users.length === 0 && (
        <Empty title="Nobody yet">Add the first person below; until then no login is asked on this machine.</Empty>
      )}
      {users.length > 0 && (
        <Table
          label="People"
          columns={[
            { title: "Name" },
            { title: "Role" },
            { title: "Since" },
            { title: <span className="sr">Remove</span> },
          ]}
        >
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
                <Button
                  small
                  look="quiet"
                  icon="cross"
                  aria-label={`Remove ${user.name}`}
                  onClick={() => remove(user.name)}
                />
              </Cell>
            </tr>
          ))}
        </Table>
      )}
      <form
        className={layout.tight}
        style={{ padding: 20, borderTop: "1px solid var(--line)" }}
        onSubmit={(event) => {
          event.preventDefault();
          add.mutate();
        }}
      >
        <div className={layout.fields}>
          <Field label="Name">
            {(field) => <Input {...field} autoComplete="off" value={name} onChange={(e) => setName(e.target.value)} />}
          </Field>
          <Field label="Password" hint="10 characters at least">
            {(field) => (
              <Input
                {...field}
                type="password"
                autoComplete="new-password"
                value={password}
                onChange={(e) => setPassword(e.target.value)}
              />
            )}
          </Field>
          <Field label="Role">
            {(field) => (
              <Pick {...field} options={ROLES} value={role} onChange={(e) => setRole(e.target.value as Role)} />
            )}
          </Field>
        </div>
        {add.error && <Failure error={add.error} />}
        <div>
          <Button
            type="submit"
            icon="plus"
            disabled={name.trim() === "" || password.length < 10}
            busy={add.isPending && "Adding …"}
          >
            Add a person
          </Button>
        </div>
      </form>
    </Card>
  );
}
