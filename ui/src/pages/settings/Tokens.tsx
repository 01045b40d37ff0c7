import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { admin } from "../../api/calls";
import type { Role } from "../../api/types";
import { Button } from "../../components/Button";
import { Card, Empty, Notice, Pill, Skeleton } from "../../components/bits";
import { CopyButton } from "../../components/CopyButton";
import { Failure } from "../../components/Failure";
import { Field, Input, Pick } from "../../components/form";
import layout from "../../components/layout.module.css";
import { Cell, Table } from "../../components/Table";
import { TimeAgo } from "../../components/TimeAgo";
import { say, sayError } from "../../components/toasts";
import { ROLES } from "./Users";

/** What programs log in with; each is shown once. */
export function Tokens() {
  const client = useQueryClient();
  const query = useQuery({ queryKey: ["tokens"], queryFn: admin.tokens, retry: false });
  const [label, setLabel] = useState("");
  const [role, setRole] = useState<Role>("viewer");
  const again = () => void client.invalidateQueries({ queryKey: ["tokens"] });
  const make = useMutation({
    mutationFn: () => admin.addToken({ label: label.trim(), role }),
    onSuccess: () => (setLabel(""), again()),
  });
  const remove = (id: string, name: string) =>
    void admin.removeToken(id).then(() => (say(`“${name}” no longer works`), again()), sayError);
  const tokens = query.data?.tokens ?? [];
  return (
    <Card title="Tokens for programs" flush>
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
      {query.isSuccess && tokens.length === 0 && (
        <Empty title="No tokens">A program sends one as “Authorization: Bearer …”.</Empty>
      )}
      {tokens.length > 0 && (
        <Table
          label="Tokens"
          columns={[
            { title: "For" },
            { title: "Role" },
            { title: "Last used" },
            { title: <span className="sr">Remove</span> },
          ]}
        >
          {tokens.map((token) => (
            <tr key={token.id}>
              <th scope="row">{token.label}</th>
              <Cell>
                <Pill>{token.role}</Pill>
              </Cell>
              <Cell>{token.used_at ? <TimeAgo at={token.used_at} /> : "Never"}</Cell>
              <Cell right>
                <Button
                  small
                  look="quiet"
                  icon="cross"
                  aria-label={`Remove the token for ${token.label}`}
                  onClick={() => remove(token.id, token.label)}
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
          make.mutate();
        }}
      >
        <div className={layout.fields}>
          <Field label="What it is for">
            {(field) => <Input {...field} value={label} onChange={(e) => setLabel(e.target.value)} />}
          </Field>
          <Field label="Role">
            {(field) => (
              <Pick {...field} options={ROLES} value={role} onChange={(e) => setRole(e.target.value as Role)} />
            )}
          </Field>
        </div>
        {make.error && <Failure error={make.error} />}
        {make.data && (
          <Notice tone="good" title="Copy it now; it is not shown again.">
            <span className={layout.row}>
              <code>{make.data.secret}</code> <CopyButton text={make.data.secret}>Copy</CopyButton>
            </span>
          </Notice>
        )}
        <div>
          <Button type="submit" icon="plus" disabled={label.trim() === ""} busy={make.isPending && "Making …"}>
            Make a token
          </Button>
        </div>
      </form>
    </Card>
  );
}
