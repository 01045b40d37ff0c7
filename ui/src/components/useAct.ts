import { useMutation, type QueryKey } from "@tanstack/react-query";
import { reread } from "../api/queries";
import { say, sayError } from "./toasts";

interface Options<T, V> {
  /** What it makes old, by the first parts of the keys; everything if absent. */
  old?: QueryKey[];
  /** The message when it is done. */
  said?: string;
  done?: (result: T, value: V) => void;
}

/** A change on the server: says its outcome, and reads again what it makes old. */
export function useAct<T, V = void>(run: (value: V) => Promise<T>, { old = [], said, done }: Options<T, V> = {}) {
  return useMutation({
    mutationFn: run,
    onSuccess: (result, value) => {
      if (said) say(said);
      done?.(result, value);
    },
    onError: sayError,
    onSettled: () => reread(...old),
  });
}
