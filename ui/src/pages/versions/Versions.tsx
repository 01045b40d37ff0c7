import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { versionsQuery } from "../../api/queries";
import type { Version } from "../../api/types";
import { Card, Empty, PageHead, Skeleton } from "../../components/bits";
import { PageFailure } from "../../components/Failure";
import layout from "../../components/layout.module.css";
import { Tabs } from "../../components/Tabs";
import { useTask } from "../../shell/useTask";
import { useUrl } from "../../shell/url";
import { AgentsCard } from "./AgentsCard";
import { Batches } from "./Batches";
import { LiveCard } from "./LiveCard";
import { Playground } from "./Playground";
import { Rollback } from "./Rollback";
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
