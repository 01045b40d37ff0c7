import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { admin } from "../../api/calls";
import type { Change } from "../../api/types";
import { Card, Empty } from "../../components/bits";
import { Pick } from "../../components/form";
import { Listed } from "../../components/Listed";
import { Cell, Table } from "../../components/Table";
import { TimeAgo } from "../../components/TimeAgo";
import { differences } from "../../lib/diff";
import { clip, label } from "../../lib/format";
import { last } from "../../lib/cursor";
import { shown } from "../../lib/json";

const KINDS = ["", "example", "run", "version", "setting", "dataset", "base"].map((value) => ({
  value,
  label: value === "" ? "Everything" : label(value),
}));

/** Who changed what, newest first; nothing is ever taken out of it. */
export function Changes() {
  const [kind, setKind] = useState("");
  const query = useQuery({
    queryKey: ["changes", kind],
    queryFn: () => newest(kind || undefined),
  });
  const list = [...(query.data?.changes ?? [])].sort((a, b) => b.seq - a.seq).slice(0, SHOWN);
  return (
    <Card
      title="What changed"
      flush
      side={<Pick aria-label="Kind" options={KINDS} value={kind} small onChange={(e) => setKind(e.target.value)} />}
    >
      <Listed
        query={query}
        lines={6}
        height={260}
        empty={list.length === 0 && <Empty title="Nothing has changed yet" />}
      >
        <Table stack label="Changes" columns={["When", "Who", "What", "From → to"]}>
          {list.map((change) => (
            <tr key={change.seq}>
              <Cell nowrap>
                <TimeAgo at={change.at} />
              </Cell>
              <Cell>{change.by}</Cell>
              <Cell full>
                {change.action} {change.kind} <strong>{clip(change.subject, 60)}</strong>
                {change.task && <span className="muted"> · {change.task}</span>}
              </Cell>
              <Cell full>{summary(change)}</Cell>
            </tr>
          ))}
        </Table>
      </Listed>
    </Card>
  );
}

const SHOWN = 100;

/** The trail is read from its beginning; so its end is looked for first. */
async function newest(kind: string | undefined) {
  const end = await last(async (after) => (await admin.changes({ after, limit: 1 })).changes.length > 0);
  const recent = await admin.changes({ kind, after: kind ? 0 : Math.max(0, end - SHOWN), limit: 500 });
  if (!kind || recent.changes.length < 500) return recent;
  return admin.changes({ kind, after: Math.max(0, end - 500), limit: 500 });
}

function summary(change: Change): string {
  const found = differences(change.before ?? undefined, change.after ?? undefined)
    // When is said already.
    .filter((d) => !/(^|[._])at$/.test(d.path))
    .slice(0, 3);
  const value = (json: Parameters<typeof shown>[0]) => clip(shown(json), 60) || "–";
  return found.map((d) => `${d.path ? `${d.path}: ` : ""}${value(d.left)} → ${value(d.right)}`).join("; ") || "–";
}
