import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { api, reply } from "../../api/client";
import { runsQuery } from "../../api/queries";
import type { Run, TaskInfo } from "../../api/types";
import { Card, Empty } from "../../components/bits";
import { Confirm } from "../../components/Confirm";
import { Pick } from "../../components/form";
import { Listed } from "../../components/Listed";
import { Menu } from "../../components/Menu";
import { ShowCommand } from "../../components/ShowCommand";
import { say, sayError } from "../../components/toasts";
import { commands } from "../../lib/commands";
import { count, label } from "../../lib/format";
import { useUrl } from "../../shell/url";
import { ErrorModal } from "./ErrorModal";
import { HistoryRow } from "./HistoryRow";
import { ManyRuns, type ManyAction } from "./ManyRuns";
import { RunTable } from "./RunTable";
import { PAGE } from "./runs";

const ALL = { value: "", label: "All states" } as const;
const STATES = [
  ALL,
  ...(["running", "queued", "succeeded", "failed", "cancelled"] as const).map((state) => ({
    value: state,
    label: label(state),
  })),
];

/** Every training and every measurement there was, newest first. */
export function History({ task }: { task: TaskInfo }) {
  const [search, setUrl] = useUrl();
  const state = STATES.find((one) => one.value === search.state)?.value ?? "";
  const wanted = { task: task.name, state: state || undefined };
  const query = useQuery(runsQuery({ ...wanted, limit: PAGE, offset: 0 }));
  const [chosen, setChosen] = useState<string[]>([]);
  const [failed, setFailed] = useState<Run | null>(null);
  const [clearing, setClearing] = useState(false);
  const [many, setMany] = useState<ManyAction | null>(null);
  const list = query.data?.runs ?? [];
  const total = query.data?.total ?? 0;
  const toggle = (id: string) =>
    setChosen((old) => (old.includes(id) ? old.filter((one) => one !== id) : [...old, id]));
  return (
    <Card
      id="history"
      title="History"
      flush
      side={
        <>
          {chosen.length >= 2 && (
            <Link to="/runs/compare" search={{ ids: chosen.join(",") }}>
              Compare {chosen.length} runs
            </Link>
          )}
          {chosen.length === 1 && <span>Select another run to compare</span>}
          <Pick
            aria-label="State"
            options={STATES}
            value={state}
            small
            onPick={(to) => setUrl({ state: to || undefined })}
          />
          {total > 0 && <span className="num">{count(total, "run")}</span>}
          {total > 0 && (
            <Menu
              label="Actions for all runs shown"
              items={[
                { label: "Cancel all active runs …", run: () => setMany("cancel") },
                { label: "Restart all failed runs …", run: () => setMany("retry") },
                { label: "Delete old runs …", danger: true, run: () => setClearing(true) },
              ]}
            />
          )}
        </>
      }
    >
      <Listed query={query} lines={4} height={160} empty={list.length === 0 && <NoRuns state={state} />}>
        <RunTable
          key={state}
          wanted={wanted}
          total={total}
          first={list}
          row={(run, place) => (
            <HistoryRow
              key={run.id}
              run={run}
              place={place}
              chosen={chosen.includes(run.id)}
              onChoose={() => toggle(run.id)}
              onError={() => setFailed(run)}
            />
          )}
        />
      </Listed>
      {failed && <ErrorModal run={failed} close={() => setFailed(null)} />}
      {many && <ManyRuns action={many} task={task.name} state={wanted.state} close={() => setMany(null)} />}
      <ClearOld open={clearing} close={() => setClearing(false)} />
    </Card>
  );
}

function NoRuns({ state }: { state: string }) {
  return (
    <Empty title={state ? `No run is ${state}` : "No training yet"}>
      Trainings appear here, with their results and full errors.
    </Empty>
  );
}

function ClearOld({ open, close }: { open: boolean; close: () => void }) {
  const client = useQueryClient();
  const [before] = useState(() => Date.now() - 30 * 86_400_000);
  const clear = useMutation({
    mutationFn: () => reply(api.DELETE("/api/v1/runs", { params: { query: { finished_before: before } } })),
    onSuccess: ({ deleted }) => {
      say(deleted === 0 ? "No run is older than 30 days" : `${count(deleted, "run")} deleted`);
      void client.invalidateQueries({ queryKey: ["runs"] });
      close();
    },
    onError: sayError,
  });
  return (
    <Confirm
      open={open}
      title="Delete old runs"
      yes="Delete them"
      danger
      busy={clear.isPending && "Deleting …"}
      onYes={() => clear.mutate()}
      onNo={close}
    >
      <p>Deletes runs that ended more than 30 days ago, with their logs and checkpoints. Their versions are kept.</p>
      <ShowCommand command={commands.deleting(`/api/v1/runs?finished_before=${before}`)} />
    </Confirm>
  );
}
