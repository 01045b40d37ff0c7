import { useQueries } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useRef, useState } from "react";
import { api, where } from "../../api/client";
import { runsQuery } from "../../api/queries";
import type { Run, RunState } from "../../api/types";
import { Progress, TimeAgo } from "../../components/bits";
import { Confirm } from "../../components/Confirm";
import { RunLink, VersionLink } from "../../components/links";
import { Menu } from "../../components/Menu";
import { offered, useRunAction } from "../../components/runActions";
import { RunPill } from "../../components/pills";
import { Cell, Table } from "../../components/Table";
import { useAct } from "../../components/useAct";
import { commands } from "../../lib/commands";
import { clip, duration, number, percent, significant } from "../../lib/format";
import { isActive, secondsOf } from "../../lib/runs";
import css from "./train.module.css";
import { useCost } from "./useCost";

/** Runs that are read at once. */
export const PAGE = 50;
const COLUMNS = [
  { title: "Choose", hidden: true },
  "Run",
  "Kind",
  "Status",
  ...["Samples", "Loss", "Duration"].map((title) => ({ title, right: true })),
  "Version",
  "Error",
  { title: "More", hidden: true },
];
/** A row's usual height; what a row truly has is measured. */
const HEIGHT = 62;

/** What a row of the table needs of its place. */
interface Place {
  ref: (row: HTMLElement | null) => void;
  "data-index": number;
  "aria-rowindex": number;
}

interface Props {
  /** Which runs. */
  wanted: { task: string; state?: RunState };
  total: number;
  /** The first page of them. */
  first: Run[];
  chosen: string[];
  onChoose: (id: string) => void;
  onError: (run: Run) => void;
}

/** However many runs there are, only those in sight are read and in the document. */
export function RunTable({ wanted, total, first, chosen, onChoose, onError }: Props) {
  const scroller = useRef<HTMLDivElement>(null);
  const long = total > PAGE;
  const rows = useVirtualizer({
    count: total,
    enabled: long,
    getScrollElement: () => scroller.current,
    estimateSize: () => HEIGHT,
    overscan: 6,
  });
  const shown = rows.getVirtualItems();
  // The first page is here already.
  const pages = [...new Set(shown.map(({ index }) => Math.floor(index / PAGE)))].filter((page) => page > 0);
  const read = useQueries({
    queries: pages.map((page) => ({
      ...runsQuery({ ...wanted, limit: PAGE, offset: page * PAGE }),
      // Runs of another page would be wrong here.
      placeholderData: undefined,
    })),
  });
  const runAt = (at: number): Run | undefined => {
    const page = pages.indexOf(Math.floor(at / PAGE));
    return (page < 0 ? first : (read[page]?.data?.runs ?? []))[at % PAGE];
  };
  const at = (index: number) => {
    const place = { ref: rows.measureElement, "data-index": index, "aria-rowindex": index + 2 };
    const run = runAt(index);
    if (!run) return <Unread key={`unread-${index}`} place={place} />;
    const choose = () => onChoose(run.id);
    return <Row key={run.id} {...{ run, place, onError }} chosen={chosen.includes(run.id)} onChoose={choose} />;
  };
  return (
    <Table label="Training history" columns={COLUMNS} stack tall={long ? scroller : undefined} rows={total + 1}>
      {long ? (
        <>
          <Gap height={shown[0]?.start ?? 0} />
          {shown.map((item) => at(item.index))}
          <Gap height={rows.getTotalSize() - (shown.at(-1)?.end ?? 0)} />
        </>
      ) : (
        first.map((_, index) => at(index))
      )}
    </Table>
  );
}

/** The height of the rows that aren't in the document. */
function Gap({ height }: { height: number }) {
  return height > 0 ? (
    <tr aria-hidden>
      <td colSpan={COLUMNS.length} style={{ height, padding: 0, border: 0 }} />
    </tr>
  ) : null;
}

function Unread({ place }: { place: Place }) {
  return (
    <tr {...place}>
      <td colSpan={COLUMNS.length} style={{ height: HEIGHT }}>
        <span className="muted">Reading …</span>
      </td>
    </tr>
  );
}

const SHOWN = 160;
const KIND = { train: "Training", evaluate: "Evaluation" } as const;

interface RowProps {
  run: Run;
  place: Place;
  chosen: boolean;
  onChoose: () => void;
  onError: (run: Run) => void;
}

/** One training or measurement of the history. */
function Row({ run, chosen, onChoose, onError, place }: RowProps) {
  const seconds = secondsOf(run);
  const progress = isActive(run.state) ? run.progress : null;
  return (
    <tr {...place}>
      <Cell corner>
        <input type="checkbox" aria-label={`Choose ${run.id} to compare`} checked={chosen} onChange={onChoose} />
      </Cell>
      <Cell full>
        <RunLink id={run.id} className={css.run} />
        <div className={css.sub}>
          <TimeAgo at={run.created_at} /> · {run.created_by} · {run.method} · {run.base}
        </div>
      </Cell>
      <Cell label="Kind">{KIND[run.kind]}</Cell>
      <Cell>
        <RunPill state={run.state} />
        {progress && (
          <div className={css.progress}>
            <Progress value={progress.percent} label={`Run ${run.id}`} />
            <span className="num">
              {percent(progress.percent / 100)}
              {progress.eta_s != null && ` · ${duration(progress.eta_s)} left`}
            </span>
          </div>
        )}
      </Cell>
      <Cell label="Samples" right>
        {number(run.kind === "evaluate" ? run.eval_samples : run.train_samples)}
      </Cell>
      <Cell label="Loss" right>
        {significant(progress?.loss ?? run.final_loss)}
      </Cell>
      <Cell label="Duration" right nowrap>
        {duration(seconds)}
        {seconds !== null && <Cost seconds={seconds} />}
      </Cell>
      <Cell label="Version">{run.version ? <VersionLink task={run.task} version={run.version} /> : "–"}</Cell>
      <Cell full label={run.error ? (run.state === "cancelled" ? "Why" : "Error") : undefined}>
        {run.error && (
          <div className={css.error} data-state={run.state}>
            <span>{clip(run.error, SHOWN)}</span>
            <button type="button" onClick={() => onError(run)}>
              Show full error
            </button>
          </div>
        )}
      </Cell>
      <Cell corner>
        <RunMenu run={run} />
      </Cell>
    </tr>
  );
}

/** The cost so far, if the machine is rented by the hour. */
function Cost({ seconds }: { seconds: number }) {
  const cost = useCost()(seconds);
  return cost && <div className={css.sub}>{cost}</div>;
}

function RunMenu({ run }: { run: Run }) {
  const { id } = run;
  const navigate = useNavigate();
  const act = useRunAction(run);
  const [asking, setAsking] = useState(false);
  const remove = useAct(() => api.DELETE("/api/v1/runs/{id}", where({ id })).finally(() => setAsking(false)), {
    said: `${id} is deleted`,
    old: [["runs"]],
  });
  return (
    <>
      <Menu
        label={`More about ${id}`}
        items={[
          ...offered(run).map(({ action, label }) => ({ label, run: () => act.mutate(action) })),
          { label: "Logs", run: () => void navigate({ to: "/runs/$id", params: { id }, search: { tab: "logs" } }) },
          !isActive(run.state) && { label: "Delete", danger: true, run: () => setAsking(true) },
        ]}
      />
      <Confirm
        open={asking}
        title={`Delete ${id}?`}
        yes="Delete it"
        danger
        command={commands.deletingRun(id)}
        onYes={() => remove.mutate()}
        onNo={() => setAsking(false)}
      >
        <p>Its logs and checkpoints are deleted as well. Its version is kept.</p>
      </Confirm>
    </>
  );
}
