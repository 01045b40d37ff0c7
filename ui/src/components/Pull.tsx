import { useState } from "react";
import { api, reply } from "../api/client";
import type { Schemas } from "../api/types";
import { bytes, sentence } from "../lib/format";
import { Pill, Progress } from "./bits";
import { Button } from "./Button";
import { Confirm } from "./Confirm";
import { RunLink } from "./links";
import css from "./pull.module.css";
import { useAct } from "./useAct";

/** A base model that is here, or can be downloaded. */
type Base = Schemas["BaseState"];

/** Downloads a missing base model, or stops that. Terms are accepted first. */
export function PullButton({ base }: { base: Base }) {
  const { name, present, pull } = base;
  const running = pull?.state === "running";
  const verb = running ? "Cancel" : pull ? "Continue" : "Download";
  const [asking, setAsking] = useState(false);
  const send = () =>
    running
      ? reply(api.POST("/api/v1/bases/cancel", { body: { name } }))
      : reply(api.POST("/api/v1/bases", { body: { name, terms_accepted: asking } }));
  const act = useAct(() => send().finally(() => setAsking(false)), { old: [["bases"]] });
  // A run's download ends with the run.
  if (running ? pull.run : present) return null;
  return (
    <>
      <Button
        small
        disabled={act.isPending}
        aria-label={`${verb} ${name}`}
        onClick={() => (base.terms && !running ? setAsking(true) : act.mutate())}
      >
        {verb}
      </Button>
      <Confirm
        open={asking}
        title={`Terms of ${name}`}
        yes="Accept and download"
        busy={act.isPending && "Asking …"}
        onYes={() => act.mutate()}
        onNo={() => setAsking(false)}
      >
        <p>
          This model is given only to people who accept{" "}
          <a href={base.terms ?? undefined} target="_blank" rel="noreferrer">
            its terms
          </a>
          . Read them first.
        </p>
      </Confirm>
    </>
  );
}

/** Whether a base model is here, and how far its download is. */
export function PullState({ base: { present, terms, pull } }: { base: Base }) {
  if (pull?.state === "running") {
    const { done_bytes: done, total_bytes: total, file } = pull;
    return (
      <div className={css.pull}>
        <Progress value={total > 0 ? (done / total) * 100 : null} label={`Download of ${file ?? "the model"}`} />
        <span className="num">{file ? `${file}: ${bytes(done)} of ${bytes(total)}` : "Asking for the files …"}</span>
        {pull.run && (
          <span>
            For run <RunLink id={pull.run} />, where it can be cancelled
          </span>
        )}
      </div>
    );
  }
  if (present) return <Pill tone="good">✓ Here</Pill>;
  if (pull?.state === "cancelled") return <Pill tone="warn">Cancelled</Pill>;
  if (pull?.problem)
    return (
      <div className={css.pull}>
        <Pill tone="bad">Failed</Pill>
        <span>
          {sentence(pull.problem.detail)}. {pull.problem.hint && !terms && `${sentence(pull.problem.hint)}.`}
        </span>
      </div>
    );
  return <Pill>Not downloaded</Pill>;
}
