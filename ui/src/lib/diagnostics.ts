import type { Run, RunFailure } from "../api/types";
import { duration, exact, number, significant } from "./format";

/** The settings and the outcome of a run. */
export function facts(run: Run): [name: string, value: string][] {
  const seconds = run.started_at && run.finished_at ? (run.finished_at - run.started_at) / 1000 : null;
  return [
    ["run", run.id],
    ["task", run.task],
    ["state", run.state],
    ["exit code", String(run.exit_code ?? "none")],
    ["method", run.method],
    ["base", run.base],
    ["dataset", run.dataset],
    ["samples", `${number(run.train_samples)} to learn from, ${number(run.eval_samples)} held out`],
    ["created", exact(run.created_at)],
    ["started", run.started_at ? exact(run.started_at) : "never"],
    ["loss", significant(run.final_loss ?? run.progress?.loss)],
    ["finished", run.finished_at ? exact(run.finished_at) : "not yet"],
    ["duration", duration(seconds)],
    ["directory", run.dir],
  ];
}

/** All information about a failed run as text, for other people. */
export function diagnostics(run: Run, failure?: RunFailure | null, log = ""): string {
  const { what, where, hint } = failure ?? {};
  const failed = failure ? [`what: ${what}`, `where: ${where}`, `hint: ${hint ?? "none"}`] : [];
  return [
    ...facts(run).map((fact) => fact.join(": ")),
    ...failed,
    "",
    "error:",
    failure?.why ?? run.error ?? "",
    ...(log ? ["", "last lines of stderr:", log] : []),
    "",
    "spec:",
    JSON.stringify(run.spec, null, 2),
  ].join("\n");
}
