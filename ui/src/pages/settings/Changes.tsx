import { useInfiniteQuery } from "@tanstack/react-query";
import { api, reply } from "../../api/client";
import type { Change } from "../../api/types";
import { Button } from "../../components/Button";
import { Card, Empty } from "../../components/bits";
import { Pick } from "../../components/form";
import listed from "../../components/listed.module.css";
import { Listed } from "../../components/Listed";
import { Cell, Table } from "../../components/Table";
import { TimeAgo } from "../../components/TimeAgo";
import { differences } from "../../lib/diff";
import { clip, label } from "../../lib/format";
import { shown } from "../../lib/json";
import { useUrl } from "../../shell/url";

type Kind = Change["kind"];
const KINDS: Kind[] = ["example", "run", "version", "setting", "dataset", "base"];
const PICKS = [{ value: "", label: "Everything" }, ...KINDS.map((value) => ({ value, label: label(value) }))];

const PAGE = 100;

/** The audit trail, newest first; entries are never removed. */
export function Changes() {
  const [search, setUrl] = useUrl();
  const kind = KINDS.find((one) => one === search.kind);
  const query = useInfiniteQuery({
    queryKey: ["changes", kind],
    initialPageParam: undefined as number | undefined,
    queryFn: ({ pageParam: before }) => {
      const query = { kind, before, limit: PAGE, order: "newest" } as const;
      return reply(api.GET("/api/v1/changes", { params: { query } }));
    },
    getNextPageParam: ({ changes, next }) => (changes.length < PAGE ? undefined : next),
  });
  const list = query.data?.pages.flatMap((page) => page.changes) ?? [];
  return (
    <Card
      title="Changes"
      flush
      side={<Pick aria-label="Kind" options={PICKS} value={kind ?? ""} small onPick={(to) => setUrl({ kind: to })} />}
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
      {query.hasNextPage && (
        <div className={listed.pages}>
          <Button small busy={query.isFetchingNextPage && "Loading …"} onClick={() => void query.fetchNextPage()}>
            Older changes
          </Button>
        </div>
      )}
    </Card>
  );
}

function summary(change: Change): string {
  const found = differences(change.before ?? undefined, change.after ?? undefined)
    // The time is already shown.
    .filter((d) => !/(^|[._])at$/.test(d.path))
    .slice(0, 3);
  const value = (json: Parameters<typeof shown>[0]) => clip(shown(json), 60) || "–";
  return found.map((d) => `${d.path ? `${d.path}: ` : ""}${value(d.left)} → ${value(d.right)}`).join("; ") || "–";
}
