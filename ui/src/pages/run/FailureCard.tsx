import { useQuery } from "@tanstack/react-query";
import { Fragment } from "react";
import { read, readLog } from "../../api/queries";
import type { Run, RunFailure } from "../../api/types";
import { Card } from "../../components/bits";
import { CopyButton } from "../../components/ShowCommand";
import { diagnostics } from "../../lib/diagnostics";
import { tail } from "../../lib/logs";
import { Words } from "../../components/Failure";
import css from "./run.module.css";

/** The failure of a run: what, where, why, and what to do. */
export function FailureCard({ run, failure }: { run: Run; failure: RunFailure | null }) {
  const log = useQuery(
    read(["run", run.id, "stderr-tail"], async () => {
      const { size } = await readLog(run.id, "stderr", 0);
      return (await readLog(run.id, "stderr", Math.max(0, size - 16_384))).text;
    }),
  );
  const causes = failure?.causes.join("\n") || (failure ? "" : (run.error ?? "The trainer wrote no message."));
  const texts = { Why: causes, stderr: failure?.stderr, stdout: failure?.stdout };
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
        {failure?.hint && (
          <>
            <dt>What to do</dt>
            <dd>
              <strong>
                <Words>{failure.hint}</Words>
              </strong>
            </dd>
          </>
        )}
        {Object.entries(texts).map(
          ([name, text]) =>
            text && (
              <Fragment key={name}>
                <dt>{name}</dt>
                <dd>
                  <pre tabIndex={0}>{text}</pre>
                </dd>
              </Fragment>
            ),
        )}
      </dl>
    </Card>
  );
}
