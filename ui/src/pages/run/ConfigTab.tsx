import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { address, api, reply } from "../../api/client";
import { runsQuery } from "../../api/queries";
import type { Event, Run, RunDetail } from "../../api/types";
import { Card, Empty } from "../../components/bits";
import { CopyButton } from "../../components/CopyButton";
import { Facts } from "../../components/Facts";
import { Listed } from "../../components/Listed";
import layout from "../../components/layout.module.css";
import { Cell, Table } from "../../components/Table";
import { bytes, exact, number } from "../../lib/format";
import { prepared } from "../../lib/events";
import { leaves, shown } from "../../lib/json";
import css from "./run.module.css";
import { TrainedRows } from "./TrainedRows";

/** All that went in, and every file that came out. */
export function ConfigTab({ detail, events }: { detail: RunDetail; events: Event[] }) {
  const { run } = detail;
  const artifacts = useQuery({
    queryKey: ["run", run.id, "artifacts"],
    queryFn: () => reply(api.GET("/api/v1/runs/{id}/artifacts", { params: { path: { id: run.id } } })),
  });
  const files = artifacts.data?.artifacts;
  const facts = prepared(events);
  const settings = leaves(run.spec).filter(([path]) => !path.startsWith("task.answer"));
  const data: [string, ReactNode][] = [
    ["Dataset", <code>{run.dataset}</code>],
    ["Training examples", number(run.train_samples ?? facts?.train)],
    ["Held-out examples", number(run.eval_samples ?? facts?.eval)],
    ["Skipped, too long", number(facts?.too_long)],
    ["Tokens per epoch", number(facts?.tokens)],
    ["Tokens in the loss", number(facts?.supervised)],
    ["Attempts", number(detail.attempts)],
    ["Directory", <code>{run.dir}</code>],
    ["Started", run.started_at ? exact(run.started_at) : "–"],
    ["Ended", run.finished_at ? exact(run.finished_at) : "–"],
  ];
  const notes = events.filter((event) => event.event === "note" || event.event === "resumed");
  return (
    <div className={layout.two}>
      <div className={layout.stack}>
        <Card title="Data">
          <Facts rows={data} />
        </Card>
        {run.kind === "train" && run.started_at && <TrainedRows run={run.id} />}
        <Card title="Files" flush>
          <Listed query={artifacts} empty={files?.length === 0 && <Empty title="No files yet" />}>
            <Table label="Files" columns={["Path", { title: "Size", right: true }, "SHA-256"]}>
              {files?.map((file) => (
                <tr key={file.path}>
                  <Cell>
                    <a href={address("/api/v1/runs/{id}/artifacts/{path}", { id: run.id, path: file.path })} download>
                      {file.path}
                    </a>
                  </Cell>
                  <Cell right nowrap>
                    {bytes(file.size)}
                  </Cell>
                  <Cell title={file.digest ?? undefined}>
                    <code>{file.digest?.slice(0, 12) ?? "–"}</code>
                  </Cell>
                </tr>
              ))}
            </Table>
          </Listed>
        </Card>
        {notes.length > 0 && (
          <Card title="Notes">
            <ul className={css.notes}>
              {notes.map((event) => (
                <li key={event.seq}>
                  {event.event === "note"
                    ? event.text
                    : event.event === "resumed"
                      ? `Resumed from step ${event.step}.`
                      : ""}
                </li>
              ))}
            </ul>
          </Card>
        )}
      </div>
      <Card
        title="Settings"
        side={
          <>
            <Against run={run} />
            <CopyButton text={JSON.stringify(run.spec, null, 2)}>Copy as JSON</CopyButton>
          </>
        }
      >
        <Facts rows={settings.map(([path, value]) => [path, shown(value) || "–"])} mono />
      </Card>
    </div>
  );
}

/** Differences from the previous training, in settings and metrics. */
function Against({ run }: { run: Run }) {
  const wanted = run.kind === "train";
  const { data } = useQuery({ ...runsQuery({ task: run.task, limit: 50, offset: 0 }), enabled: wanted });
  const before = data?.runs.find((one) => one.kind === "train" && one.created_at < run.created_at);
  if (!wanted || !before) return null;
  return (
    <Link to="/runs/compare" search={{ task: run.task, ids: `${before.id},${run.id}` }}>
      Compare with the previous training
    </Link>
  );
}
