import { useQuery } from "@tanstack/react-query";
import { Fragment } from "react";
import { readLog } from "../../api/queries";
import type { Run, RunFailure } from "../../api/types";
import { Card } from "../../components/bits";
import { CopyButton } from "../../components/CopyButton";
import { diagnostics } from "../../lib/diagnostics";
import { tail } from "../../lib/logs";
import { Words } from "../../components/Words";
import css from "./run.module.css";

/** The failure of a run: what, where, why, and what to do. */
export function FailureCard({ run, failure }: { run: Run; failure: RunFailure | null }) {
  const log = useQuery({
    queryKey: ["run", run.id, "stderr-tail"],
    queryFn: async () => {
      const { size } = await readLog(run.id, "stderr", 0);
      return (await readLog(run.id, "stderr", Math.max(0, size - 16_384))).text;
    },
  });
  const causes = failure?.causes.join("\n") || (failure ? "" : (run.error ?? "The trainer wrote no message."));
  const outputs = failure ? [["stderr", failure.stderr] as const, ["stdout", failure.stdout] as const] : [];
  return (
    <Card
      title={
        <span className={css.failed}>
          ✕ <Words>{failure?.what ?? "the run failed"}</Words>
        </span>
      }
      side={<CopyButton text={() => diagnostics(run, failure, tail(log.data ?? "", 40))}>Copy diagnostics</CopyButton>}
    >
      <dl className={css.failure}>
        <dt>Where</dt>
        <dd>
          {failure?.where ?? "Unknown"}
          {run.exit_code != null && <> · exit code {run.exit_code}</>}
        </dd>
        {failure?.hint && <dt>What to do</dt>}
        {failure?.hint && (
          <dd>
            <strong>
              <Words>{failure.hint}</Words>
            </strong>
          </dd>
        )}
        {causes && <dt>Why</dt>}
        {causes && (
          <dd>
            <pre tabIndex={0}>{causes}</pre>
          </dd>
        )}
        {outputs
          .filter(([, text]) => text)
          .map(([name, text]) => (
            <Fragment key={name}>
              <dt>{name}</dt>
              <dd>
                <pre tabIndex={0}>{text}</pre>
              </dd>
            </Fragment>
          ))}
      </dl>
    </Card>
  );
}
