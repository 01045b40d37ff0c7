import type { MouseEvent } from "react";

/** Of a double click only the first one counts: the second one would hit what has come to its place. */
export const single =
  (run: () => void) =>
  ({ detail }: Pick<MouseEvent, "detail">): void => {
    if (detail < 2) run();
  };
