import type { Run } from "../../api/types";
import { CopyButton } from "../../components/CopyButton";
import { Facts } from "../../components/Facts";
import { Modal } from "../../components/Modal";
import { diagnostics } from "../../lib/diagnostics";
import { duration, exact, number } from "../../lib/format";
import css from "./train.module.css";

/** The whole error of a run, its facts, and a way to hand them on. */
export function ErrorModal({ run, close }: { run: Run; close: () => void }) {
  const seconds = run.started_at && run.finished_at ? (run.finished_at - run.started_at) / 1000 : null;
  const facts: [string, string][] = [
    ["Run", run.id],
    ["Status", `${run.state}${run.exit_code == null ? "" : `, exit code ${run.exit_code}`}`],
    ["Base model", run.base],
    ["Samples", `${number(run.train_samples)} to learn from, ${number(run.eval_samples)} held out`],
    ["Started", run.started_at ? exact(run.started_at) : "Never"],
    ["Duration", duration(seconds)],
    ["Directory", run.dir],
  ];
  return (
    <Modal
      open
      wide
      onOpenChange={close}
      title="The whole error"
      foot={
        <>
          <CopyButton text={run.error ?? ""}>Copy the error</CopyButton>
          <CopyButton text={() => diagnostics(run)}>Copy diagnostics</CopyButton>
        </>
      }
    >
      <Facts rows={facts} />
      <pre className={css.whole} tabIndex={0}>
        {run.error}
      </pre>
    </Modal>
  );
}
