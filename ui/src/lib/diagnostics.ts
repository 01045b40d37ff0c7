import type { Run, RunFailure } from "../api/types";
import { duration, exact } from "./format";

/** Everything somebody else needs to understand a failed run, as text. */
export function diagnostics(run: Run, failure?: RunFailure | null, log = ""): string {
  const facts: [string, unknown][] = [
    ["run", run.id],
    ["task", run.task],
    ["state", run.state],
    ["method", run.method],
    ["base", run.base],
    ["dataset", run.dataset],
    ["samples", `${run.train_samples ?? "?"} train, ${run.eval_samples ?? "?"} held out`],
    ["exit code", run.exit_code ?? "none"],
    ["created", exact(run.created_at)],
    ["started", run.started_at ? exact(run.started_at) : "never"],
    ["ended", run.finished_at ? exact(run.finished_at) : "not yet"],
    ["duration", run.started_at && run.finished_at ? duration((run.finished_at - run.started_at) / 1000) : "–"],
    ["directory", run.dir],
    ...(failure
      ? ([
          ["what", failure.what],
          ["where", failure.where],
          ["hint", failure.hint ?? "none"],
        ] as [string, unknown][])
      : []),
  ];
  const lines = facts.map(([name, value]) => `${name}: ${String(value)}`);
  const why = failure?.why ?? run.error ?? "";
  return [
    ...lines,
    "",
    "error:",
    why,
    ...(log ? ["", "last lines of stderr:", log] : []),
    "",
    "spec:",
    JSON.stringify(run.spec, null, 2),
  ].join("\n");
}
