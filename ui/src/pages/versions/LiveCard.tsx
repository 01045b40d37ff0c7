import { useQuery } from "@tanstack/react-query";
import { api, reply, where } from "../../api/client";
import { liveQuery } from "../../api/queries";
import type { LiveSnapshot, LiveStatus, Version } from "../../api/types";
import { Card, Figure, Figures, Pill, TimeAgo } from "../../components/bits";
import { ActButton, AskFirst } from "../../components/Confirm";
import { RunLink, VersionLink } from "../../components/links";
import { Loaded } from "../../components/Failure";
import { DataTable } from "../../components/Table";
import { commands } from "../../lib/commands";
import { bytes, label, number, percent } from "../../lib/format";
import { oldWith } from "./RolloutCard";
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
  const query = useQuery(liveQuery(task));
  const { data } = query;
  if (!data?.live && active?.method !== "adapter") return null;
  const state = data?.live?.state;
  return (
    <Card
      id="live"
      title="Continuous learning"
      side={
        data && (
          <Pill
            tone={!state ? "plain" : state === "running" ? "good" : "warn"}
            dot={state === "running" ? "live" : undefined}
          >
            {state ? label(state) : "Off"}
          </Pill>
        )
      }
    >
      <Loaded query={query} lines={0}>
        {(status) => (
          <div className={css.rollout}>
            {status.live ? <On status={status} live={status.live} /> : <Off task={task} active={active} />}
          </div>
        )}
      </Loaded>
    </Card>
  );
}

function Off({ task, active }: { task: string; active: Version | undefined }) {
  return (
    <div className={css.start}>
      <p>
        By default, new approvals are used in the next training. With continuous learning, a worker trains snapshots
        from new approvals and edits, checks each for forgetting, and rolls it out beside the active version. No
        snapshot becomes active automatically.
      </p>
      <ActButton
        run={() => reply(api.POST("/api/v1/tasks/{task}/live", { ...where({ task }), body: {} }))}
        said="New approvals are used for training from now on"
        old={oldWith(task)}
        busy="Starting …"
      >
        Learn continuously from {active?.name}
      </ActButton>
    </div>
  );
}

function On({ status, live }: { status: LiveStatus; live: NonNullable<LiveStatus["live"]> }) {
  const { windows, snapshots } = status;
  const { task, head, state, settings } = live;
  const old = oldWith(task);
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
          <ActButton
            run={() => reply(api.POST("/api/v1/tasks/{task}/live/pause", where({ task })))}
            said="Paused; approvals are kept"
            old={old}
          >
            Pause
          </ActButton>
        ) : (
          <ActButton
            look="main"
            run={() => reply(api.POST("/api/v1/tasks/{task}/live/resume", where({ task })))}
            said="Continuous learning is resumed"
            old={old}
          >
            Resume
          </ActButton>
        )}
        {snapshots.some((one) => one.version === head) && (
          <AskFirst
            button={{ children: "Rewind …" }}
            title={`Go back to the version before ${head}?`}
            yes="Rewind"
            busy="Working …"
            run={() => reply(api.POST("/api/v1/tasks/{task}/live/rewind", { ...where({ task }), body: {} }))}
            said="The next snapshot starts from the one before"
            old={old}
            command={commands.rewindingLive(task)}
          >
            <p>
              {head} is archived, unless it is active. Its windows are not learned again; correct wrong answers in Audit
              first.
            </p>
          </AskFirst>
        )}
      </div>
      {snapshots.length > 0 && (
        <DataTable
          label="Snapshots"
          stack
          rows={snapshots.slice(0, 10)}
          by={({ seq }) => seq}
          columns={[
            { title: "Snapshot", cell: nameOf },
            { title: "State", cell: stateOf },
            { title: "Windows", cell: ({ first, last }) => `${number(first)}–${number(last)}` },
            { title: "Learned", cell: learnedOf },
            { title: "Frozen: before", cell: ({ before }) => percent(before, 1) },
            { title: "After", cell: ({ after }) => percent(after, 1) },
            { title: "Size", cell: (one) => bytes(one.bytes) },
            { title: "Made", cell: ({ created_at }) => <TimeAgo at={created_at} /> },
          ]}
        />
      )}
    </>
  );
}

const nameOf = ({ task, version, run, seq, parent }: LiveSnapshot) => (
  <>
    {version ? <VersionLink task={task} version={version} /> : run ? <RunLink id={run} /> : `Snapshot ${seq}`}{" "}
    <small className={css.quiet}>from {parent}</small>
  </>
);

const learnedOf = ({ learned }: LiveSnapshot) =>
  learned ? (
    <>
      {number(learned.new)} new, {number(learned.replayed)} older
      {learned.corrected > 0 && <small className={css.quiet}> ({number(learned.corrected)} corrected by people)</small>}
    </>
  ) : (
    "–"
  );

const stateOf = ({ state, why }: LiveSnapshot) => (
  <>
    <Pill tone={TONES[state]}>{label(state)}</Pill>
    {why && <small className={css.quiet}> {why}</small>}
  </>
);
