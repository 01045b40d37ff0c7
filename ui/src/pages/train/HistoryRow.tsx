import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { api } from "../../api/client";
import { rentQuery } from "../../api/queries";
import type { Run } from "../../api/types";
import { Confirm } from "../../components/Confirm";
import { Progress } from "../../components/bits";
import { Menu, type Item } from "../../components/Menu";
import { RunPill } from "../../components/RunPill";
import { isActive } from "../../lib/runs";
import { offered, useRunAction } from "../../components/runActions";
import { ShowCommand } from "../../components/ShowCommand";
import { Cell } from "../../components/Table";
import { TimeAgo } from "../../components/TimeAgo";
import { say, sayError } from "../../components/toasts";
import { commands } from "../../lib/commands";
import { clip, duration, number, percent, roughMoney, significant } from "../../lib/format";
import type { Place } from "./RunTable";
import css from "./train.module.css";

const SHOWN = 160;
const KIND = { train: "Training", evaluate: "Evaluation" } as const;

/** One training or measurement of the history. */
export function HistoryRow({
  run,
  chosen,
  onChoose,
  onError,
  place,
}: {
  run: Run;
  place: Place;
  chosen: boolean;
  onChoose: () => void;
  onError: () => void;
}) {
  const ended = run.finished_at ?? (isActive(run.state) ? Date.now() : null);
  const seconds = run.started_at && ended ? (ended - run.started_at) / 1000 : null;
  const progress = isActive(run.state) ? run.progress : null;
  return (
    <tr {...place}>
      <Cell corner>
        <input type="checkbox" aria-label={`Choose ${run.id} to compare`} checked={chosen} onChange={onChoose} />
      </Cell>
      <Cell full>
        <Link to="/runs/$id" params={{ id: run.id }} className={css.run}>
          {run.id}
        </Link>
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
      <Cell label="Version">
        {run.version ? (
          <Link to="/versions" search={{ task: run.task, version: run.version }}>
            {run.version}
          </Link>
        ) : (
          "–"
        )}
      </Cell>
      <Cell full label={run.error ? (run.state === "cancelled" ? "Why" : "Error") : undefined}>
        {run.error && (
          <div className={css.error} data-state={run.state}>
            <span>{clip(run.error, SHOWN)}</span>
            <button type="button" onClick={onError}>
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
  const rent = useQuery(rentQuery).data?.body;
  if (!rent || rent.price_per_hour === 0) return null;
  return <div className={css.sub}>{roughMoney((rent.price_per_hour * seconds) / 3600, rent.currency)}</div>;
}

function RunMenu({ run }: { run: Run }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const act = useRunAction(run);
  const [asking, setAsking] = useState(false);
  const remove = async () => {
    const params = { path: { id: run.id } };
    await api.DELETE("/api/v1/runs/{id}", { params }).then(() => say(`${run.id} is deleted`), sayError);
    setAsking(false);
    void client.invalidateQueries({ queryKey: ["runs"] });
  };
  const logs = () => void navigate({ to: "/runs/$id", params: { id: run.id }, search: { tab: "logs" } });
  const items: Item[] = [
    ...offered(run).map(({ action, label }) => ({ label, run: () => act.mutate(action) })),
    { label: "Logs", run: logs },
    ...(isActive(run.state) ? [] : [{ label: "Delete", danger: true, run: () => setAsking(true) }]),
  ];
  return (
    <>
      <Menu label={`More about ${run.id}`} items={items} />
      <Confirm
        open={asking}
        title={`Delete ${run.id}?`}
        yes="Delete it"
        danger
        onYes={() => void remove()}
        onNo={() => setAsking(false)}
      >
        <p>Its logs and checkpoints are deleted as well. Its version is kept.</p>
        <ShowCommand command={commands.deletingRun(run.id)} />
      </Confirm>
    </>
  );
}
