import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { runs } from "../../api/calls";
import type { Run } from "../../api/types";
import { Button } from "../../components/Button";
import { Confirm } from "../../components/Confirm";
import { isActive } from "../../components/RunPill";
import { ShowCommand } from "../../components/ShowCommand";
import { say, sayError } from "../../components/toasts";
import { commands } from "../../lib/commands";

/** What can be done with a run now. Nothing here is done before the server has said yes. */
export function RunActions({ run }: { run: Run }) {
  const [asking, setAsking] = useState(false);
  const trains = run.kind === "train";
  const stopped = run.state === "failed" || run.state === "cancelled";
  const client = useQueryClient();
  const navigate = useNavigate();
  const act = useMutation({
    mutationFn: (action: "cancel" | "retry" | "resume") => runs.act(run.id, action),
    onSuccess: ({ run: next }, action) => {
      setAsking(false);
      if (action === "cancel")
        say("Stopping", { detail: trains ? "It ends after this step; the last checkpoint is kept." : undefined });
      if (next.id !== run.id) void navigate({ to: "/runs/$id", params: { id: next.id } });
    },
    onError: sayError,
    onSettled: () => void client.invalidateQueries(),
  });
  const busy = act.isPending && "Working …";
  return (
    <>
      {isActive(run.state) && (
        <Button look="danger" onClick={() => setAsking(true)}>
          Cancel
        </Button>
      )}
      {trains && stopped && (
        <Button look="main" busy={busy} onClick={() => act.mutate("resume")}>
          Resume
        </Button>
      )}
      {(trains ? !isActive(run.state) : stopped) && (
        <Button busy={busy} onClick={() => act.mutate("retry")}>
          {trains ? "Train again" : "Measure again"}
        </Button>
      )}
      <Link to="/train" hash="history">
        All runs
      </Link>
      <Confirm
        open={asking}
        title={trains ? "Stop this training?" : "Stop this measurement?"}
        yes="Stop it"
        danger
        busy={busy}
        onYes={() => act.mutate("cancel")}
        onNo={() => setAsking(false)}
      >
        <p>
          {trains
            ? "What was learned up to its last checkpoint is kept, and it can be resumed from there."
            : "The version keeps the numbers it has."}
        </p>
        <ShowCommand command={commands.cancellingRun(run.id)} />
      </Confirm>
    </>
  );
}
