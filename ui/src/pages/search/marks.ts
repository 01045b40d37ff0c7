import type { CSSProperties } from "react";
import type { StudyView, Trial } from "../../api/types";

const rank = (view: StudyView, chosen: number[], { number }: Trial) =>
  chosen.includes(number) ? 2 : number === view.best ? 1 : 0;

/** The trials that can be drawn, those that are marked last, so that they lie above the others. */
export function inOrder(view: StudyView, chosen: number[], drawn: (trial: Trial) => boolean): Trial[] {
  return view.trials.filter(drawn).sort((a, b) => rank(view, chosen, a) - rank(view, chosen, b));
}

/** The colour of a trial in every plot: its own where it is chosen, green for the best, grey otherwise. */
export function colorOf(view: StudyView, chosen: number[], trial: Trial): CSSProperties {
  const place = chosen.indexOf(trial.number);
  if (place >= 0) return { color: `var(--series-${place + 2})`, opacity: 1 };
  return trial.number === view.best ? { color: "var(--series-1)", opacity: 1 } : { color: "var(--ink-3)" };
}
