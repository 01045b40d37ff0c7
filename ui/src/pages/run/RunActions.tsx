import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { Run } from "../../api/types";
import { Button } from "../../components/Button";
import { Confirm } from "../../components/Confirm";
import { offered, useRunAction } from "../../components/runActions";
import { ShowCommand } from "../../components/ShowCommand";
import { commands } from "../../lib/commands";

const LOOKS = { cancel: "danger", resume: "main", retry: "plain" } as const;

/** The actions of a run. */
export function RunActions({ run }: { run: Run }) {
  const [asking, setAsking] = useState(false);
  const trains = run.kind === "train";
  const act = useRunAction(run);
  const busy = act.isPending && "Working …";
  return (
    <>
      {offered(run).map(({ action, label }) => (
        <Button
          key={action}
          look={LOOKS[action]}
          busy={busy}
          onClick={() => (action === "cancel" ? setAsking(true) : act.mutate(action))}
        >
          {label}
        </Button>
      ))}
      <Link to="/train" hash="history">
        All runs
      </Link>
      <Confirm
        open={asking}
        title={trains ? "Stop this training?" : "Stop this evaluation?"}
        yes="Stop it"
        danger
        busy={busy}
        onYes={() => act.mutate("cancel", { onSuccess: () => setAsking(false) })}
        onNo={() => setAsking(false)}
      >
        <p>
          {trains
            ? "Its last checkpoint is kept, and it can be resumed from there."
            : "The version keeps its current metrics."}
        </p>
        <ShowCommand command={commands.cancellingRun(run.id)} />
      </Confirm>
    </>
  );
}
