import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Skeleton } from "./bits";
import css from "./listed.module.css";
import { Failure } from "./Failure";

interface Props {
  query: Pick<UseQueryResult, "isPending" | "data" | "error" | "refetch">;
  /** Shown if the list is empty. */
  empty?: ReactNode;
  lines?: number;
  height?: number;
  children: ReactNode;
}

/** A list in a card that is being read, could not be read, is empty, or is there. */
export function Listed({ query, empty, lines = 3, height, children }: Props) {
  if (query.isPending)
    return (
      <div className={css.pad}>
        <Skeleton lines={lines} height={height} />
      </div>
    );
  // Loaded data is more useful than the error of a failed refresh.
  if (query.error && query.data === undefined)
    return (
      <div className={css.pad}>
        <Failure error={query.error} retry={() => void query.refetch()} />
      </div>
    );
  return empty || children;
}
