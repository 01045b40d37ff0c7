import { useInfiniteQuery } from "@tanstack/react-query";
import { api, reply } from "../../api/client";
import type { Change } from "../../api/types";
import { Button } from "../../components/Button";
import { Card, Empty, TimeAgo } from "../../components/bits";
import { Pick } from "../../components/form";
import listed from "../../components/listed.module.css";
import { QueryTable } from "../../components/Table";
import { differences, shown } from "../../lib/json";
import { clip, label } from "../../lib/format";
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
  return (
    <Card
      title="Changes"
      flush
      side={<Pick aria-label="Kind" options={PICKS} value={kind ?? ""} small onPick={(to) => setUrl({ kind: to })} />}
    >
      <QueryTable
        query={query}
        lines={6}
        height={260}
        stack
        label="Changes"
        rows={({ pages }) => pages.flatMap((page) => page.changes)}
        by={({ seq }) => seq}
        empty={<Empty title="Nothing has changed yet" />}
        columns={[
          { title: "When", label: null, nowrap: true, cell: ({ at }) => <TimeAgo at={at} /> },
          { title: "Who", label: null, cell: ({ by }) => by },
          { title: "What", label: null, full: true, cell: what },
          { title: "From → to", label: null, full: true, cell: summary },
        ]}
      />
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

function what({ action, kind, subject, task }: Change) {
  return (
    <>
      {action} {kind} <strong>{clip(subject, 60)}</strong>
      {task && <span className="muted"> · {task}</span>}
    </>
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
