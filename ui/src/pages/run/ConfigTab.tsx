import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState, type ReactNode } from "react";
import { address, api, reply, where } from "../../api/client";
import { read, runsQuery } from "../../api/queries";
import type { Event, Run, RunDetail } from "../../api/types";
import { Card, Empty, Facts, Pill } from "../../components/bits";
import { CopyButton } from "../../components/ShowCommand";
import { Failure } from "../../components/Failure";
import layout from "../../components/layout.module.css";
import { Stepper } from "../../components/Stepper";
import { QueryTable } from "../../components/Table";
import { Tokens } from "../../components/Tokens";
import { newest } from "../../lib/events";
import { bytes, exact, number } from "../../lib/format";
import { leaves, shown } from "../../lib/json";
import css from "./run.module.css";

/** All that went in, and every file that came out. */
export function ConfigTab({ detail, events }: { detail: RunDetail; events: Event[] }) {
  const { run } = detail;
  const { id } = run;
  const files = useQuery(
    read(["run", id, "artifacts"], () => reply(api.GET("/api/v1/runs/{id}/artifacts", where({ id })))),
  );
  const facts = newest(events, "prepared");
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
  const notes = events.flatMap((event) => {
    if (event.event === "note") return [{ seq: event.seq, text: event.text }];
    return event.event === "resumed" ? [{ seq: event.seq, text: `Resumed from step ${event.step}.` }] : [];
  });
  return (
    <div className={layout.two}>
      <div className={layout.stack}>
        <Card title="Data">
          <Facts rows={data} />
        </Card>
        {run.kind === "train" && run.started_at && <TrainedRows run={run.id} />}
        <Card title="Files" flush>
          <QueryTable
            query={files}
            label="Files"
            rows={({ artifacts }) => artifacts}
            by={({ path }) => path}
            empty={<Empty title="No files yet" />}
            columns={[
              {
                title: "Path",
                cell: ({ path }) => (
                  <a href={address("/api/v1/runs/{id}/artifacts/{path}", { id, path })} download>
                    {path}
                  </a>
                ),
              },
              { title: "Size", right: true, nowrap: true, cell: ({ size }) => bytes(size) },
              {
                title: "SHA-256",
                tip: ({ digest }) => digest,
                cell: (file) => <code>{file.digest?.slice(0, 12) ?? "–"}</code>,
              },
            ]}
          />
        </Card>
        {notes.length > 0 && (
          <Card title="Notes">
            <ul className={css.notes}>
              {notes.map(({ seq, text }) => (
                <li key={seq}>{text}</li>
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

/** The training rows: in each epoch a variant may replace an example. */
function TrainedRows({ run }: { run: string }) {
  const [place, setPlace] = useState(0);
  const [epoch, setEpoch] = useState(0);
  const params = { path: { id: run }, query: { place, epoch } };
  const { data, error } = useQuery(
    read(["run", run, "row", place, epoch], () => reply(api.GET("/api/v1/runs/{id}/row", { params })), {
      placeholderData: (old) => old,
      staleTime: Infinity,
      retry: false,
    }),
  );
  const learned = data?.tokens.filter((token) => token.loss).length ?? 0;
  return (
    <Card
      title="Training data"
      side={data && (data.is_variant ? <Pill tone="warn">Variant</Pill> : <Pill>As approved</Pill>)}
    >
      {error && <Failure error={error} />}
      {data && (
        <div className={css.row}>
          <div>
            <Stepper noun="Example" suffix=" example" at={place} of={data.rows} onStep={setPlace} />
            {data.variants > 0 && (
              <Stepper noun="Epoch" suffix=" epoch" at={epoch} of={data.variants} onStep={setEpoch} />
            )}
          </div>
          {data.is_variant && (
            <p className="muted">
              Approved was: <q>{data.input}</q>
            </p>
          )}
          <Tokens tokens={data.tokens} testId="trained" />
          <small className="muted">
            {number(learned)} of {number(data.tokens.length)} tokens count in the loss.
          </small>
        </div>
      )}
    </Card>
  );
}
