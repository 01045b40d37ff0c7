import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { runs } from "../../api/calls";
import { runsQuery } from "../../api/queries";
import type { Run, TaskInfo } from "../../api/types";
import { Button } from "../../components/Button";
import { Card, Empty } from "../../components/bits";
import { Confirm } from "../../components/Confirm";
import { Pick } from "../../components/form";
import { Listed } from "../../components/Listed";
import css from "../../components/listed.module.css";
import { ShowCommand } from "../../components/ShowCommand";
import { Table } from "../../components/Table";
import { say, sayError } from "../../components/toasts";
import { commands } from "../../lib/commands";
import { label } from "../../lib/format";
import { useUrl } from "../../shell/url";
import { ErrorModal } from "./ErrorModal";
import { HistoryRow } from "./HistoryRow";

const PAGE = 20;
const STATES = ["", "running", "queued", "succeeded", "failed", "cancelled"].map((value) => ({
  value,
  label: value === "" ? "All states" : label(value),
}));
const COLUMNS = [
  { hidden: "Choose" },
  "Run",
  "Kind",
  "Status",
  ...["Samples", "Loss", "Duration"].map((title) => ({ title, right: true })),
  "Version",
  "Error",
  { hidden: "More" },
];

/** Every training and every measurement there was, newest first. */
export function History({ task }: { task: TaskInfo }) {
  const [search, setUrl] = useUrl();
  const page = Math.max(1, Number(search.page ?? 1));
  const state = search.state ?? "";
  const query = useQuery(
    runsQuery({ task: task.name, state: state || undefined, limit: PAGE, offset: (page - 1) * PAGE }),
  );
  const [chosen, setChosen] = useState<string[]>([]);
  const [failed, setFailed] = useState<Run | null>(null);
  const [clearing, setClearing] = useState(false);
  const list = query.data?.runs ?? [];
  const pages = Math.max(1, Math.ceil((query.data?.total ?? 0) / PAGE));
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
            <Link to="/runs/compare" search={{ ids: chosen.join(",") } as never}>
              Compare {chosen.length} runs
            </Link>
          )}
          {chosen.length === 1 && <span>Choose another to compare</span>}
          <Pick
            aria-label="State"
            options={STATES}
            value={state}
            small
            onChange={(e) => setUrl({ state: e.target.value || undefined, page: undefined })}
          />
          {list.length > 0 && (
            <Button small look="quiet" onClick={() => setClearing(true)}>
              Clear old
            </Button>
          )}
        </>
      }
    >
      <Listed query={query} lines={4} height={160} empty={list.length === 0 && <NoRuns state={state} />}>
        <Table label="Training history" columns={COLUMNS} stack>
          {list.map((run) => (
            <HistoryRow
              key={run.id}
              run={run}
              chosen={chosen.includes(run.id)}
              onChoose={() => toggle(run.id)}
              onError={() => setFailed(run)}
            />
          ))}
        </Table>
      </Listed>
      {pages > 1 && (
        <div className={css.pages}>
          <Button small disabled={page <= 1} onClick={() => setUrl({ page: String(page - 1) })}>
            Newer
          </Button>
          <span className="num">
            {page} of {pages}
          </span>
          <Button small disabled={page >= pages} onClick={() => setUrl({ page: String(page + 1) })}>
            Older
          </Button>
        </div>
      )}
      {failed && <ErrorModal run={failed} close={() => setFailed(null)} />}
      <ClearOld open={clearing} close={() => setClearing(false)} />
    </Card>
  );
}

function NoRuns({ state }: { state: string }) {
  return (
    <Empty title={state ? `No run is ${state}` : "No training yet"}>
      What you start above appears here, with every outcome and its whole error.
    </Empty>
  );
}

function ClearOld({ open, close }: { open: boolean; close: () => void }) {
  const client = useQueryClient();
  const [before] = useState(() => Date.now() - 30 * 86_400_000);
  const clear = useMutation({
    mutationFn: () => runs.clear(before),
    onSuccess: ({ deleted }) => {
      say(deleted === 0 ? "No run is older than 30 days" : `${deleted} ${deleted === 1 ? "run" : "runs"} deleted`);
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
      <p>
        Runs that ended more than 30 days ago, with their logs and checkpoints. Versions that were made of them stay.
      </p>
      <ShowCommand command={commands.deleting(`/api/v1/runs?finished_before=${before}`)} />
    </Confirm>
  );
}
