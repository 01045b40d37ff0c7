import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { api, reply } from "../../api/client";
import { liveQuery } from "../../api/queries";
import type { LiveSnapshot, LiveStatus, Version } from "../../api/types";
import { Card, Figure, Figures, Pill } from "../../components/bits";
import { Button } from "../../components/Button";
import { Confirm } from "../../components/Confirm";
import { Failure } from "../../components/Failure";
import { ShowCommand } from "../../components/ShowCommand";
import { Cell, Table } from "../../components/Table";
import { TimeAgo } from "../../components/TimeAgo";
import { commands } from "../../lib/commands";
import { bytes, label, number, percent } from "../../lib/format";
import { useAct } from "./useAct";
import css from "./rollout.module.css";

const TONES: Record<LiveSnapshot["state"], "plain" | "good" | "bad" | "warn"> = {
  training: "plain",
  accepted: "good",
  refused: "warn",
  failed: "bad",
  rewound: "plain",
};
const DAY = 86_400_000;

/** Continuous learning: windows, snapshots, and the forgetting of each. */
export function LiveCard({ task, active }: { task: string; active: Version | undefined }) {
  const { data, error, refetch } = useQuery(liveQuery(task));
  const live = data?.live;
  if (!live && active?.method !== "adapter") return null;
  return (
    <Card
      id="live"
      title="Continuous learning"
      side={
        data && (
          <Pill
            tone={!live ? "plain" : live.state === "running" ? "good" : "warn"}
            dot={live?.state === "running" ? "live" : undefined}
          >
            {live ? label(live.state) : "Off"}
          </Pill>
        )
      }
    >
      {error && !data ? (
        <Failure error={error} retry={() => void refetch()} />
      ) : (
        data && <div className={css.rollout}>{live ? <On status={data} /> : <Off task={task} active={active} />}</div>
      )}
    </Card>
  );
}

function Off({ task, active }: { task: string; active: Version | undefined }) {
  const act = useAct(task);
  const start = () =>
    act.mutate({
      run: () => reply(api.POST("/api/v1/tasks/{task}/live", { params: { path: { task } }, body: {} })),
      said: "New approvals are used for training from now on",
    });
  return (
    <div className={css.start}>
      <p>
        By default, new approvals are used in the next training. With continuous learning, a worker trains snapshots
        from new approvals and edits, checks each for forgetting, and rolls it out beside the active version. No
        snapshot becomes active automatically.
      </p>
      <Button onClick={start} busy={act.isPending && "Starting …"}>
        Learn continuously from {active?.name}
      </Button>
    </div>
  );
}

function On({ status }: { status: LiveStatus }) {
  const { live, windows, snapshots } = status;
  const act = useAct(live?.task ?? "");
  const [asking, setAsking] = useState(false);
  if (!live) return null;
  const { task, head, state, settings } = live;
  const params = { path: { task } };
  const last = snapshots.find((one) => one.before != null && one.after != null);
  const forgot = last ? (last.before ?? 0) - (last.after ?? 0) : null;
  const today = snapshots.filter((one) => one.state === "accepted" && one.created_at > Date.now() - DAY).length;
  return (
    <>
      <Figures>
        <Figure
          label="Waiting windows"
          value={number(windows.waiting + windows.buffered)}
          sub={`${number(settings.windows ?? 0)} make a snapshot`}
        />
        <Figure label="Windows in all" value={number(windows.all)} sub={`${number(windows.late)} came late`} />
        <Figure label="Snapshots, last 24 hours" value={number(today)} />
        <Figure
          label="Forgotten by the newest"
          value={forgot === null ? "–" : percent(Math.max(0, forgot), 1)}
          sub={`${percent(settings.forgetting, 1)} at most, of the frozen examples`}
        />
        <Figure label="Next starts from" value={head} />
      </Figures>
      <p>{status.next}</p>
      <div className={css.actions}>
        {state === "running" ? (
          <Button
            onClick={() =>
              act.mutate({
                run: () => reply(api.POST("/api/v1/tasks/{task}/live/pause", { params })),
                said: "Paused; approvals are kept",
              })
            }
          >
            Pause
          </Button>
        ) : (
          <Button
            look="main"
            onClick={() =>
              act.mutate({
                run: () => reply(api.POST("/api/v1/tasks/{task}/live/resume", { params })),
                said: "Continuous learning is resumed",
              })
            }
          >
            Resume
          </Button>
        )}
        {snapshots.some((one) => one.version === head) && <Button onClick={() => setAsking(true)}>Rewind …</Button>}
      </div>
      {snapshots.length > 0 && <Snapshots snapshots={snapshots} />}
      <Confirm
        open={asking}
        title={`Go back to the version before ${head}?`}
        yes="Rewind"
        onYes={() => {
          setAsking(false);
          act.mutate({
            run: () => reply(api.POST("/api/v1/tasks/{task}/live/rewind", { params, body: {} })),
            said: "The next snapshot starts from the one before",
          });
        }}
        onNo={() => setAsking(false)}
      >
        <p>
          {head} is archived, unless it is active. Its windows are not learned again; correct wrong answers in Audit
          first.
        </p>
        <ShowCommand command={commands.rewindingLive(task)} />
      </Confirm>
    </>
  );
}

function Snapshots({ snapshots }: { snapshots: LiveSnapshot[] }) {
  return (
    <Table
      label="Snapshots"
      stack
      columns={["Snapshot", "State", "Windows", "Frozen: before", "After", "Size", "Made"]}
    >
      {snapshots.slice(0, 10).map((one) => (
        <tr key={one.seq}>
          <Cell label="Snapshot">
            {one.version ? (
              <Link to="/versions" search={{ task: one.task, version: one.version }}>
                {one.version}
              </Link>
            ) : one.run ? (
              <Link to="/runs/$id" params={{ id: one.run }}>
                {one.run}
              </Link>
            ) : (
              `Snapshot ${one.seq}`
            )}{" "}
            <small className={css.quiet}>from {one.parent}</small>
          </Cell>
          <Cell label="State">
            <Pill tone={TONES[one.state]}>{label(one.state)}</Pill>
            {one.why && <small className={css.quiet}> {one.why}</small>}
          </Cell>
          <Cell label="Windows">
            {number(one.first)}–{number(one.last)}
          </Cell>
          <Cell label="Frozen: before">{percent(one.before, 1)}</Cell>
          <Cell label="After">{percent(one.after, 1)}</Cell>
          <Cell label="Size">{one.bytes == null ? "–" : bytes(one.bytes)}</Cell>
          <Cell label="Made">
            <TimeAgo at={one.created_at} />
          </Cell>
        </tr>
      ))}
    </Table>
  );
}
