import { useMutation, useQueryClient } from "@tanstack/react-query";
import { settings } from "../../api/calls";
import type { NewTables } from "../../api/types";
import { say } from "../../components/toasts";

/** Saves the tables in either form; everything that rests on them is read again. */
export function useSaveTables(body: () => NewTables, etag: string | null) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => settings.writeTables(body(), etag),
    onSuccess: () => {
      say("Saved", { detail: "Pounds are computed anew from now on." });
      void client.invalidateQueries();
    },
  });
}
