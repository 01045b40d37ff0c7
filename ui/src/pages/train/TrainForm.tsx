import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useDeferredValue, useMemo, useState } from "react";
import { api, Problem, reply } from "../../api/client";
import { versionsQuery } from "../../api/queries";
import type { Preflight, Schemas, TaskInfo } from "../../api/types";
import { BaseInput } from "../../components/BaseInput";
import { Card, Notice } from "../../components/bits";
import { Failure } from "../../components/Failure";
import { Check, Input, Pick, Segmented } from "../../components/form";
import layout from "../../components/layout.module.css";
import { ShowCommand } from "../../components/ShowCommand";
import { count, number, percent, roughly } from "../../lib/format";
import { useDebounced } from "../../lib/useDebounced";
import { METHODS, newRun, START, type Draft } from "../../lib/train";
import { ActionButton } from "../../shell/ActionButton";
import { useUrl } from "../../shell/url";
import { Advanced } from "./Advanced";
import { MachinePick } from "./MachinePick";
import { MaskView } from "./MaskView";
import { PreflightCard } from "./PreflightCard";
import { titleOf } from "../../lib/scores";
import { Presets } from "./Presets";
import css from "./train.module.css";

/** The form to start a training, with its estimate. */
export function TrainForm({ task }: { task: TaskInfo }) {
  const [search] = useUrl();
  const [draft, setDraft] = useState<Draft>({ ...START, from: search.from ?? "" });
  const navigate = useNavigate();
  const client = useQueryClient();
  const spec = useMemo(() => newRun(task.name, draft), [task.name, draft]);
  const settled = useDeferredValue(useDebounced(spec, 350));
  const preflight = useQuery({
    queryKey: ["preflight", settled, task.counts.approved, task.run?.id],
    queryFn: () => reply(api.POST("/api/v1/runs/preflight", { body: settled })),
    placeholderData: (old) => old,
    retry: false,
  });
  const start = useMutation({
    mutationFn: () => reply(api.POST("/api/v1/runs", { body: spec })),
    onSuccess: ({ run }) => {
      void client.invalidateQueries({ queryKey: ["tasks"] });
      void client.invalidateQueries({ queryKey: ["runs"] });
      void navigate({ to: "/runs/$id", params: { id: run.id } });
    },
  });
  const change = (part: Partial<Draft>) => setDraft((old) => ({ ...old, ...part }));
  const blocked = task.run != null || preflight.data?.ok === false || preflight.isError;
  const begin = () => !blocked && start.mutate();
  const go = { id: "start", label: "Start training", group: "Train", key: "s", disabled: blocked, run: begin };
  const versions = useQuery(versionsQuery(task.name)).data?.versions ?? [];
  const adapters = versions.filter((one) => one.method === "adapter");
  const starts = [
    { value: "", label: "A new adapter" },
    ...adapters.map(({ name, stage }) => ({ value: name, label: `${name} (${stage})` })),
  ];
  const wrong = (field: string) =>
    preflight.data?.problems
      .filter((problem) => problem.level === "error" && problem.field === field)
      .map((problem) => `Can't ${problem.what}`)[0];
  return (
    <div className={layout.main}>
      <Card title="New training" side={<span className="num">{number(task.counts.approved)} approved examples</span>}>
        <form
          className={css.form}
          onSubmit={(event) => {
            event.preventDefault();
            begin();
          }}
        >
          <div className={layout.fields}>
            {(adapters.length > 0 || draft.from) && (
              <Pick
                label="Start from"
                error={wrong("init_from")}
                hint={<StartHint from={draft.from} learned={preflight.data?.warm_start} />}
                options={starts}
                value={draft.from}
                onPick={(from) => change({ from })}
              />
            )}
            {!draft.from && (
              <BaseInput
                error={wrong("base")}
                hint="Name, Hugging Face Hub ID or path. Its weights stay frozen."
                value={draft.base}
                onText={(to) => change({ base: to, decoderOnly: false })}
              />
            )}
            <Input
              label="Held out (percent)"
              error={wrong("eval_share")}
              hint="Used for evaluation only. Default: 20"
              inputMode="decimal"
              placeholder="20"
              value={draft.evalShare}
              onText={(to) => change({ evalShare: to })}
            />
            <MachinePick value={draft.on} error={wrong("on")} onPick={(on) => change({ on })} />
          </div>
          {!draft.from && (
            <div className={css.choices}>
              <Choice label="Adapter type">
                <Segmented
                  label="Adapter type"
                  value={draft.method}
                  options={METHODS}
                  onChange={(method) => change({ method })}
                />
              </Choice>
            </div>
          )}
          <Presets draft={draft} preflight={preflight.data} onChange={(effort) => change({ effort })} />
          {draft.method === "lora" && !draft.from && (draft.decoderOnly || preflight.data?.decoder_only) && (
            <Check
              label={<DecoderOnly estimate={preflight.data} chosen={draft.decoderOnly} />}
              checked={draft.decoderOnly}
              onChange={(e) => change({ decoderOnly: e.target.checked })}
            />
          )}
          <Check
            label="Activate the new version if it is not worse than the active one"
            checked={draft.activate}
            onChange={(e) => change({ activate: e.target.checked })}
          />
          <MaskView task={task} base={draft.base || "smollm2-135m"} />
          <Advanced draft={draft} change={change} wrong={wrong} />
          {preflight.data && <ShowCommand command={preflight.data.command} />}
          {start.isError && <StartFailed error={start.error} />}
          <div className={css.go}>
            <ActionButton
              action={go}
              look="main"
              type="submit"
              onClick={undefined}
              busy={start.isPending && "Starting …"}
            >
              Start training
            </ActionButton>
            {task.run && (
              <span>
                <Link to="/runs/$id" params={{ id: task.run.id }}>
                  {task.run.id}
                </Link>{" "}
                is {task.run.state}. Only one training runs at a time.
              </span>
            )}
          </div>
        </form>
      </Card>
      <PreflightCard query={preflight} />
    </div>
  );
}

/** The effect of the choice: which examples are trained on. */
function StartHint({ from, learned }: { from: string; learned: Preflight["warm_start"] }) {
  if (!from) return <>A version trains only on new and corrected examples, in about a minute.</>;
  if (learned?.version !== from) return <>Its base model and adapter type are kept.</>;
  if (learned.new === 0) return <>Nothing is new since {from}: all its examples are learned again.</>;
  return (
    <>
      Learns {count(learned.new, "new or corrected example")} and {number(learned.replayed)} older ones again. The base
      model and adapter type are those of {from}.
    </>
  );
}

/** The fast way to train a T5 base, with what it would save. */
function DecoderOnly({ estimate: found, chosen }: { estimate: Preflight | undefined; chosen: boolean }) {
  const { estimate, decoder_only: other } = found ?? {};
  const saves = estimate && other ? ` (≈ ${roughly(other.seconds)} instead of ${roughly(estimate.seconds)})` : "";
  // Once chosen, the estimate is for this method.
  const [fast, whole] = chosen ? [estimate?.quality, null] : [other?.quality, estimate?.quality];
  return (
    <>
      Fast{saves}: only the decoder is trained, and the output of the encoder is cached.{" "}
      {fast
        ? `On your held-out examples: ${quality(fast)}${whole ? `; full adapter: ${quality(whole)}` : ""}.`
        : "Not evaluated on your messages yet. Its score appears here after the first training."}
    </>
  );
}

/** A version's deciding number, as in “exact 93 % (v3)”. */
function quality({ version, metric }: Schemas["Quality"]) {
  return `${titleOf(metric.name)} ${percent(metric.value)} (${version})`;
}

function Choice({ label, children }: { label: string; children: React.ReactNode }) {
  return (
    <div className={css.choice}>
      <span aria-hidden>{label}</span>
      {children}
    </div>
  );
}

function StartFailed({ error }: { error: unknown }) {
  const other =
    error instanceof Problem && error.status === 409 && typeof error.body.run === "string" ? error.body.run : null;
  if (!other) return <Failure error={error} />;
  return (
    <Notice tone="warn" title="A training is already running.">
      <Link to="/runs/$id" params={{ id: other }}>
        Watch {other}
      </Link>
    </Notice>
  );
}
