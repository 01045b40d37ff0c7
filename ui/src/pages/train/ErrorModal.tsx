import type { Run } from "../../api/types";
import { CopyButton } from "../../components/CopyButton";
import { Facts } from "../../components/Facts";
import { Modal } from "../../components/Modal";
import { diagnostics, facts } from "../../lib/diagnostics";
import { label } from "../../lib/format";
import css from "./train.module.css";

/** The whole error of a run, its facts, and a way to hand them on. */
export function ErrorModal({ run, close }: { run: Run; close: () => void }) {
  return (
    <Modal
      open
      wide
      onOpenChange={close}
      title="Full error"
      foot={
        <>
          <CopyButton text={run.error ?? ""}>Copy the error</CopyButton>
          <CopyButton text={() => diagnostics(run)}>Copy diagnostics</CopyButton>
        </>
      }
    >
      <Facts rows={facts(run).map(([name, value]) => [label(name), value])} />
      <pre className={css.whole} tabIndex={0}>
        {run.error}
      </pre>
    </Modal>
  );
}
