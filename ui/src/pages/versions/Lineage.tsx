import { Link } from "@tanstack/react-router";
import type { Version } from "../../api/types";
import { Card, Facts } from "../../components/bits";
import { clip, exact, label } from "../../lib/format";
import { ancestors } from "../../lib/lineage";
import css from "./versions.module.css";

/** Generations that are drawn. */
const MOST = 5;
const BOX = { width: 118, height: 44 };
const GAP = { x: 24, y: 24 };
const SHORT = 14;
const x = (column: number) => column * (BOX.width + GAP.x);
const y = (row: number) => row * (BOX.height + GAP.y);
const hash = (digest: string) => <code title={digest}>{digest.slice(0, 12)}</code>;

/** The lineage of a version: dataset, run, version, and the version it started from. */
export function Lineage({ version, versions }: { version: Version; versions: Version[] }) {
  const line = ancestors(versions, version, MOST);
  return (
    <Card title="Lineage">
      <div className={css.lineage}>
        <Graph line={line} />
        <Facts
          rows={[
            [
              "Base model",
              version.base && version.base_digest ? (
                <>
                  {version.base} {hash(version.base_digest)}
                </>
              ) : (
                "None: it answers without a language model"
              ),
            ],
            ["Prompt and form", hash(version.card_digest)],
            [version.method === "adapter" ? "Adapter" : "Contestant", hash(version.adapter_digest)],
            ["Created", `${exact(version.created_at)} by ${version.created_by}`],
          ]}
        />
      </div>
    </Card>
  );
}

/** One row a generation, the newest on top; arrows point to what was made. */
function Graph({ line }: { line: Version[] }) {
  const [newest] = line;
  const size = { width: x(2) + BOX.width + 2, height: y(line.length - 1) + BOX.height + 2 };
  return (
    <div className={css.graph} tabIndex={0} role="region" aria-label={`Lineage of ${newest?.name}`}>
      <svg {...size} viewBox={`-1 -1 ${size.width} ${size.height}`} role="group">
        {line.map((one, row) => (
          <g key={one.name}>
            <Box column={0} row={row} kind="Dataset" name={one.dataset ? one.dataset.slice(0, 12) : "Unknown"} />
            <Arrow column={0} row={row} />
            <Box
              column={1}
              row={row}
              kind="Run"
              name={one.run ?? (one.method === "adapter" ? "Imported" : label(one.method))}
              to={one.run && { run: one.run }}
            />
            <Arrow column={1} row={row} />
            <Box
              column={2}
              row={row}
              kind="Version"
              name={one.name}
              to={{ version: one.name, task: one.task }}
              here={row === 0}
            />
            {row > 0 && <path d={`M ${x(2) + BOX.width / 2} ${y(row)} v ${-GAP.y + 3}`} markerEnd="url(#made)" />}
          </g>
        ))}
        <defs>
          <marker id="made" viewBox="0 0 6 6" refX="5" refY="3" markerWidth="6" markerHeight="6" orient="auto">
            <path d="M0 0 6 3 0 6z" />
          </marker>
        </defs>
      </svg>
    </div>
  );
}

function Arrow({ column, row }: { column: number; row: number }) {
  return <path d={`M ${x(column) + BOX.width} ${y(row) + BOX.height / 2} h ${GAP.x - 3}`} markerEnd="url(#made)" />;
}

interface BoxProps {
  column: number;
  row: number;
  kind: string;
  name: string;
  to?: { run: string } | { version: string; task: string } | "" | null;
  here?: boolean;
}

function Box({ column, row, kind, name, to, here }: BoxProps) {
  const box = (
    <g transform={`translate(${x(column)} ${y(row)})`} data-here={here || undefined}>
      <title>{`${kind} ${name}`}</title>
      <rect {...BOX} rx={7} />
      <text x={10} y={17} className={css.kind}>
        {`${kind} `}
      </text>
      <text x={10} y={34}>
        {clip(name, SHORT)}
      </text>
    </g>
  );
  if (!to) return box;
  return "run" in to ? (
    <Link to="/runs/$id" params={{ id: to.run }}>
      {box}
    </Link>
  ) : (
    <Link to="/versions" search={to}>
      {box}
    </Link>
  );
}
