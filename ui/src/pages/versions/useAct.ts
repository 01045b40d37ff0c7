import { useMutation, useQueryClient } from "@tanstack/react-query";
import { say, sayError } from "../../components/toasts";

/** Executes an action on roll-outs or continuous learning, confirms it, and refetches what it changes. */
export function useAct(task: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ run }: { run: () => Promise<unknown>; said: string }) => run(),
    onSuccess: (_, { said }) => say(said),
    onError: sayError,
    onSettled: () => {
      for (const queryKey of [["live", task], ["rollout", task], ["versions", task], ["tasks"]])
        void client.invalidateQueries({ queryKey });
    },
  });
}
