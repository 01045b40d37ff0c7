import { useMutation, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { api, reply } from "../../api/client";
import { read, reread, runsQuery, systemQuery } from "../../api/queries";
import type { Run, RunState, Schemas, TaskInfo } from "../../api/types";
import { Card, Empty, Facts } from "../../components/bits";
import { Confirm } from "../../components/Confirm";
import { CopyButton } from "../../components/ShowCommand";
import { Listed } from "../../components/Failure";
import { Pick } from "../../components/form";
import { Menu } from "../../components/Menu";
import { Modal } from "../../components/Modal";
import { say } from "../../components/toasts";
import { useAct } from "../../components/useAct";
import { commands } from "../../lib/commands";
import { diagnostics, facts } from "../../lib/diagnostics";
import { count, label } from "../../lib/format";
import { useUrl } from "../../shell/url";
import { PAGE, RunTable } from "./RunTable";
import css from "./train.module.css";

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
  const hasMlflow = useQuery(systemQuery).data?.trackers.includes("mlflow");
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
          {chosen.length === 0 && hasMlflow && <Link to="/runs/mlflow">Runs in MLflow</Link>}
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
      <Listed query={query} lines={4} height={160}>
        {({ runs }) =>
          runs.length === 0 ? (
            <Empty title={state ? `No run is ${state}` : "No training yet"}>
              Trainings appear here, with their results and full errors.
            </Empty>
          ) : (
            <RunTable
              key={state}
              wanted={wanted}
              total={total}
              first={runs}
              chosen={chosen}
              onChoose={toggle}
              onError={setFailed}
            />
          )
        }
      </Listed>
      {failed && <ErrorModal run={failed} close={() => setFailed(null)} />}
      {many && <ManyRuns action={many} task={task.name} state={wanted.state} close={() => setMany(null)} />}
      <ClearOld open={clearing} close={() => setClearing(false)} />
    </Card>
  );
}

function ClearOld({ open, close }: { open: boolean; close: () => void }) {
  const [before] = useState(() => Date.now() - 30 * 86_400_000);
  const clear = useAct(() => reply(api.DELETE("/api/v1/runs", { params: { query: { finished_before: before } } })), {
    old: [["runs"]],
    done: ({ deleted }) => {
      say(deleted === 0 ? "No run is older than 30 days" : `${count(deleted, "run")} deleted`);
      close();
    },
  });
  return (
    <Confirm
      open={open}
      title="Delete old runs"
      yes="Delete them"
      danger
      busy={clear.isPending && "Deleting …"}
      command={commands.deleting(`/api/v1/runs?finished_before=${before}`)}
      onYes={() => clear.mutate()}
      onNo={close}
    >
      <p>Deletes runs that ended more than 30 days ago, with their logs and checkpoints. Their versions are kept.</p>
    </Confirm>
  );
}

/** The whole error of a run, its facts, and a way to hand them on. */
function ErrorModal({ run, close }: { run: Run; close: () => void }) {
  return (
    <Modal
      open
      wide
      close={close}
      title="Full error"
      foot={
        <>
          <CopyButton text={run.error ?? ""}>Copy the error</CopyButton>
          <CopyButton text={() => diagnostics(run)}>Copy diagnostics</CopyButton>
        </>
      }
    >
      <Facts rows={facts(run).map(([name, value]) => [label(name), value])} />
      <pre className={css.whole} tabIndex={0}>
        {run.error}
      </pre>
    </Modal>
  );
}

type ManyAction = Schemas["BulkRunAction"];

const WORDS = {
  cancel: {
    title: "Cancel all active runs",
    yes: "Cancel",
    effect: "They stop after the current step. Their last checkpoint is kept.",
    none: "None of these runs is active.",
    done: "asked to stop",
  },
  retry: {
    title: "Restart all failed and cancelled runs",
    yes: "Restart",
    effect: "They start from the beginning; their checkpoints are deleted.",
    none: "None of these runs can be restarted.",
    done: "queued again",
  },
} as const;

/** One action for all runs that the history shows, after saying how many that are. */
function ManyRuns(props: { action: ManyAction; task: string; state?: RunState; close: () => void }) {
  const { action, task, state, close } = props;
  const words = WORDS[action];
  const body = { action, task, state };
  const send = (dry_run: boolean) => reply(api.POST("/api/v1/runs/bulk", { body: { ...body, dry_run } }));
  const told = useQuery(read(["runs", "many", body], () => send(true), { staleTime: 0 }));
  const act = useMutation({
    mutationFn: () => send(false),
    onSuccess: ({ changed, skipped }) => {
      say(`${count(changed.length, "run")} ${words.done}`, { detail: left({ changed, skipped }) });
      reread(["runs"], ["tasks"]);
      close();
    },
  });
  const many = told.data?.changed.length ?? 0;
  return (
    <Confirm
      open
      title={words.title}
      yes={told.data ? `${words.yes} ${count(many, "run")}` : words.yes}
      danger={action === "cancel"}
      disabled={many === 0}
      busy={act.isPending && "Working …"}
      command={commands.posting("/api/v1/runs/bulk", body)}
      error={told.error ?? act.error}
      onYes={() => act.mutate()}
      onNo={close}
    >
      {told.isPending && <p>Counting …</p>}
      {told.data && (
        <p role="status">
          {many === 0 ? words.none : `${count(many, "run")} in the history. ${words.effect}`} {left(told.data)}
        </p>
      )}
    </Confirm>
  );
}

function left({ skipped }: Schemas["BulkRunsResult"]): string | undefined {
  return skipped.length > 0 ? `${count(skipped.length, "run")} not changed: ${skipped[0]?.why}.` : undefined;
}
