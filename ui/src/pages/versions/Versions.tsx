import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { api, reply, where } from "../../api/client";
import { versionsQuery } from "../../api/queries";
import type { Version } from "../../api/types";
import { Card, Empty, Facts, PageHead, Skeleton } from "../../components/bits";
import { Confirm } from "../../components/Confirm";
import { PageFailure } from "../../components/Failure";
import layout from "../../components/layout.module.css";
import { Tabs } from "../../components/Tabs";
import { say } from "../../components/toasts";
import { useAct } from "../../components/useAct";
import { commands } from "../../lib/commands";
import { percent } from "../../lib/format";
import { evaluationOf, headline, titleOf } from "../../lib/scores";
import { ActionButton } from "../../shell/actions";
import { useUrl } from "../../shell/url";
import { useTask } from "../../shell/useTask";
import { AgentsCard } from "./AgentsCard";
import { Batches } from "./Batches";
import { LiveCard } from "./LiveCard";
import { Playground } from "./Playground";
import { VersionDetail } from "./VersionDetail";
import { VersionTable } from "./VersionTable";

/** Every version of a task: which one answers, how good each is, and a place to try them. */
export function Versions() {
  const { task } = useTask();
  const [search, setUrl] = useUrl();
  const query = useQuery({ ...versionsQuery(task?.name ?? ""), enabled: !!task });
  if (query.error && !query.data)
    return <PageFailure title="Versions" error={query.error} retry={() => void query.refetch()} />;
  if (!task || !query.data) return <Skeleton lines={8} height={480} />;
  const list = newestFirst(query.data.versions);
  const active = list.find((version) => version.stage === "active");
  const shown = list.find((version) => version.name === search.version) ?? active ?? list[0];
  const head = (
    <PageHead
      title="Versions"
      about={`${task.title}: ${active ? `${active.name} is active.` : task.has_baseline ? "no version is active; the baseline answers." : "no version is active."}`}
    >
      {active && <Rollback task={task.name} active={active} versions={list} />}
    </PageHead>
  );
  const playground = <Playground task={task} versions={list} />;
  if (!shown)
    return (
      <div className={layout.stack}>
        {head}
        <Card>
          <Empty title="No versions yet" action={<Link to="/train">Train an adapter</Link>}>
            Each successful training becomes a version.
          </Empty>
        </Card>
        {playground}
      </div>
    );
  const tabs = [
    {
      value: "numbers",
      label: `${shown.name} metrics`,
      content: <VersionDetail task={task} version={shown} versions={list} />,
    },
    { value: "playground", label: "Playground", content: playground },
    { value: "files", label: "Files", content: <Batches task={task} versions={list} active={active} /> },
  ];
  return (
    <div className={layout.stack}>
      {head}
      <VersionTable
        versions={list}
        active={active}
        shown={shown.name}
        onShow={(name) => setUrl({ version: name, tab: "numbers" }, { push: true })}
      />
      <Tabs
        label="About versions"
        value={tabs.some((tab) => tab.value === search.tab) ? (search.tab ?? "") : "numbers"}
        onChange={(tab) => setUrl({ tab })}
        tabs={tabs}
      />
      <LiveCard task={task.name} active={active} />
      <AgentsCard task={task.name} />
    </div>
  );
}

const newestFirst = (list: Version[]) => [...list].sort((a, b) => b.created_at - a.created_at);

/** The version before becomes active again, in one step. */
function Rollback({ task, active, versions }: { task: string; active: Version; versions: Version[] }) {
  const [asking, setAsking] = useState(false);
  const roll = useAct(
    () => {
      const body = { expected: active.name };
      return reply(api.POST("/api/v1/tasks/{task}/rollback", { ...where({ task }), body }));
    },
    {
      done: ({ version }) => {
        say(`${version.name} is active again`);
        setAsking(false);
      },
    },
  );
  const name = useQuery(versionsQuery(task)).data?.before;
  const before = versions.find((version) => version.name === name);
  const ask = {
    ...{ id: "rollback", label: "Roll back", group: "Versions" },
    ...{ disabled: !before, run: () => setAsking(true) },
  };
  return (
    <>
      <ActionButton action={ask} icon="undo" title={before ? undefined : "There is no previous version"} />
      <Confirm
        open={asking}
        title={`Roll back to ${before?.name ?? "the previous version"}?`}
        yes="Roll back"
        busy={roll.isPending && "Rolling back …"}
        command={commands.rollingBack(task)}
        onYes={() => roll.mutate()}
        onNo={() => setAsking(false)}
      >
        {before && <Effect task={task} active={active} before={before} />}
      </Confirm>
    </>
  );
}

/** The exact effect. */
function Effect({ task, active, before }: { task: string; active: Version; before: Version }) {
  const [now, then] = [scored(active), scored(before)];
  return (
    <>
      <p>
        {before.name} answers every request for {task} from now on. {active.name} stops answering, is kept, and can be
        activated again.
      </p>
      <Facts
        rows={[
          ["Now", `${active.name}${now}`],
          ["Then", `${before.name}${then}`],
          [
            "Base model",
            before.base === active.base ? `${base(active)}, as now` : `${base(before)} instead of ${base(active)}`,
          ],
          ["Messages, decisions and runs", "Stay as they are"],
        ]}
      />
    </>
  );
}

/** Its base model, if it needs one. */
const base = (version: Version) => version.base ?? "none";

/** The score of a version, if it was evaluated. */
function scored(version: Version): string {
  const metric = headline(evaluationOf(version)?.adapter);
  return metric
    ? ` · ${titleOf(metric.name)} ${percent(metric.value)} (${percent(metric.low)} to ${percent(metric.high)})`
    : " · not evaluated";
}
