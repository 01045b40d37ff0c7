import type { Version } from "../../api/types";
import { Card, Pill } from "../../components/bits";
import { Interval } from "../../components/Interval";
import { Cell, Table } from "../../components/Table";
import { TimeAgo } from "../../components/TimeAgo";
import { Verdict } from "../../components/VerdictPill";
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
  const columns = [
    "Version",
    "Stage",
    metric ? titleOf(metric) : "Score",
    "vs. best contestant",
    ...(active ? [`vs. ${active.name}`] : []),
    "Created",
    { hidden: "More" },
  ];
  return (
    <Card flush>
      <Table label="Versions" stack columns={columns}>
        {versions.map((version) => (
          <Row
            key={version.name}
            version={version}
            active={active}
            here={version.name === shown}
            onShow={() => onShow(version.name)}
          />
        ))}
      </Table>
    </Card>
  );
}

function Row({
  version,
  active,
  here,
  onShow,
}: {
  version: Version;
  active: Version | undefined;
  here: boolean;
  onShow: () => void;
}) {
  const evaluation = evaluationOf(version);
  const mine = headline(evaluation?.adapter);
  const rival = mine && metricOf(evaluation?.baseline?.scores, mine.name);
  const other = mine && version.name !== active?.name ? metricOf(evaluationOf(active)?.adapter, mine.name) : undefined;
  const n = evaluation?.adapter.n ?? 0;
  return (
    <tr data-here={here || undefined} className={css.row}>
      <Cell full>
        <button type="button" className={css.name} aria-pressed={here} onClick={onShow}>
          {version.name}
        </button>
        <div className={css.sub}>
          {version.base ?? label(version.method)}
          {version.parent ? ` · from ${version.parent}` : ""}
        </div>
      </Cell>
      <Cell label="Stage">
        <Pill tone={TONE[version.stage]} dot={version.stage === "active" ? "still" : undefined}>
          {label(version.stage)}
        </Pill>
      </Cell>
      <Cell label={mine ? titleOf(mine.name) : "Score"}>
        {mine ? <Interval metric={mine} /> : <span className="muted">Not evaluated</span>}
      </Cell>
      <Cell label="vs. best contestant">
        <Verdict mine={mine} other={rival} n={n} />
      </Cell>
      {active && (
        <Cell label="vs. active">
          <Verdict mine={mine} other={other} n={n} />
        </Cell>
      )}
      <Cell label="Created">
        <TimeAgo at={version.created_at} />
        <div className={css.sub}>{version.created_by}</div>
      </Cell>
      <Cell corner>
        <VersionActions version={version} active={active?.name ?? null} />
      </Cell>
    </tr>
  );
}
