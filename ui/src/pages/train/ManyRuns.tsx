import { useMutation, useQuery } from "@tanstack/react-query";
import { api, reply } from "../../api/client";
import { read, reread } from "../../api/queries";
import type { RunState, Schemas } from "../../api/types";
import { Confirm } from "../../components/Confirm";
import { say } from "../../components/toasts";
import { commands } from "../../lib/commands";
import { count } from "../../lib/format";

export type ManyAction = Schemas["BulkRunAction"];

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
export function ManyRuns(props: { action: ManyAction; task: string; state?: RunState; close: () => void }) {
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
