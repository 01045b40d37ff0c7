import { useNavigate } from "@tanstack/react-router";
import { api, reply, where } from "../api/client";
import type { Run } from "../api/types";
import { isActive } from "../lib/runs";
import { say } from "./toasts";
import { useAct } from "./useAct";

type Action = "cancel" | "resume" | "retry";
const SAID = { cancel: "Stopping", resume: "Queued; it resumes from its last checkpoint", retry: "Queued" };

/** The actions that are possible in the run's state. */
export function offered({ kind, state }: Run): { action: Action; label: string }[] {
  const trains = kind === "train";
  if (isActive(state)) return [{ action: "cancel", label: "Cancel" }];
  const stopped = state === "failed" || state === "cancelled";
  return [
    ...(trains && stopped ? [{ action: "resume", label: "Resume" } as const] : []),
    ...(trains || stopped ? [{ action: "retry", label: trains ? "Train again" : "Evaluate again" } as const] : []),
  ];
}

/** Executes an action; the result is shown only after the server has confirmed it. A restarted run is opened. */
export function useRunAction({ id, kind }: Run) {
  const navigate = useNavigate();
  return useAct((action: Action) => reply(api.POST(`/api/v1/runs/{id}/${action}`, where({ id }))), {
    done: ({ run }, action) => {
      const keeps = action === "cancel" && kind === "train";
      say(SAID[action], { detail: keeps ? "It stops after this step. The last checkpoint is kept." : undefined });
      if (run.id !== id) void navigate({ to: "/runs/$id", params: { id: run.id } });
    },
  });
}
