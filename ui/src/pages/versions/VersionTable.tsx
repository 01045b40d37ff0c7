import type { Scores, Version } from "../../api/types";
import { Card, Interval, Pill, TimeAgo } from "../../components/bits";
import { DataTable } from "../../components/Table";
import { Verdict } from "../../components/pills";
import { label } from "../../lib/format";
import { evaluationOf, headline, metricOf, titleOf } from "../../lib/scores";
import css from "./versions.module.css";
import { VersionActions } from "./VersionActions";

const TONE = { active: "good", canary: "warn", shadow: "plain", archived: "plain" } as const;

interface Props {
  versions: Version[];
  active: Version | undefined;
  shown: string;
  onShow: (name: string) => void;
}

/** The versions of a task, newest first, compared with the contestants and the active version. */
export function VersionTable({ versions, active, shown, onShow }: Props) {
  const metric = headline(versions.map(evaluationOf).find(Boolean)?.adapter)?.name;
  const mine = (version: Version) => headline(evaluationOf(version)?.adapter);
  const against = (version: Version, scores: Scores | null | undefined) => {
    const own = mine(version);
    return <Verdict mine={own} other={own && metricOf(scores, own.name)} n={evaluationOf(version)?.adapter.n ?? 0} />;
  };
  return (
    <Card flush>
      <DataTable
        label="Versions"
        stack
        rows={versions}
        by={({ name }) => name}
        about={({ name }) => ({ "data-here": name === shown || undefined, className: css.row })}
        columns={[
          {
            title: "Version",
            label: null,
            full: true,
            cell: (version) => <Name version={version} here={version.name === shown} onShow={onShow} />,
          },
          { title: "Stage", cell: stageOf },
          {
            title: metric ? titleOf(metric) : "Score",
            cell: (version) =>
              mine(version) ? <Interval metric={mine(version)} /> : <span className="muted">Not evaluated</span>,
          },
          {
            title: "vs. best contestant",
            cell: (version) => against(version, evaluationOf(version)?.baseline?.scores),
          },
          active && {
            title: `vs. ${active.name}`,
            label: "vs. active",
            cell: (version) => against(version, version.name === active.name ? null : evaluationOf(active)?.adapter),
          },
          { title: "Created", cell: createdOf },
          {
            title: "More",
            hidden: true,
            corner: true,
            cell: (version) => <VersionActions version={version} active={active?.name ?? null} />,
          },
        ]}
      />
    </Card>
  );
}

function Name({ version, here, onShow }: { version: Version; here: boolean; onShow: Props["onShow"] }) {
  const { name, base, method, parent } = version;
  return (
    <>
      <button type="button" className={css.name} aria-pressed={here} onClick={() => onShow(name)}>
        {name}
      </button>
      <div className={css.sub}>
        {base ?? label(method)}
        {parent ? ` · from ${parent}` : ""}
      </div>
    </>
  );
}

const stageOf = ({ stage }: Version) => (
  <Pill tone={TONE[stage]} dot={stage === "active" ? "still" : undefined}>
    {label(stage)}
  </Pill>
);

const createdOf = ({ created_at, created_by }: Version) => (
  <>
    <TimeAgo at={created_at} />
    <div className={css.sub}>{created_by}</div>
  </>
);
