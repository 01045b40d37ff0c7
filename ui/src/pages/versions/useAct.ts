import { useMutation, useQueryClient } from "@tanstack/react-query";
import { say, sayError } from "../../components/toasts";

/** Does something to how a task's versions are rolled out or learn, says so, and reads anew what that changes. */
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
