import { useMutation, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useDeferredValue, useMemo, useState } from "react";
import { api, Problem, reply } from "../../api/client";
import { machinesQuery, quotesQuery, read, reread, versionsQuery } from "../../api/queries";
import type { Preflight, Schemas, TaskInfo } from "../../api/types";
import { BaseInput } from "../../components/BaseInput";
import { Card, Notice } from "../../components/bits";
import { Failure } from "../../components/Failure";
import { Check, Form, Input, Pick, Segmented, useFields } from "../../components/form";
import layout from "../../components/layout.module.css";
import { RunLink } from "../../components/links";
import { ShowCommand } from "../../components/ShowCommand";
import { Stepper } from "../../components/Stepper";
import { count, dollars, number, percent, roughly } from "../../lib/format";
import { titleOf } from "../../lib/scores";
import { METHODS, newRun, settingsOf, START, type Draft } from "../../lib/train";
import { useDebounced } from "../../lib/useDebounced";
import { ActionButton } from "../../shell/actions";
import { useUrl } from "../../shell/url";
import { TokenMask } from "../audit/TokenMask";
import { PreflightCard } from "./PreflightCard";
import { Presets } from "./Presets";
import { SettingFields } from "./SettingFields";
import css from "./train.module.css";

/** The form to start a training, with its estimate. */
export function TrainForm({ task }: { task: TaskInfo }) {
  const [search] = useUrl();
  const { values: draft, change, text, pick, check } = useFields<Draft>({ ...START, from: search.from ?? "" });
  const navigate = useNavigate();
  const spec = useMemo(() => newRun(task.name, draft), [task.name, draft]);
  const settled = useDeferredValue(useDebounced(spec, 350));
  const preflight = useQuery(
    read(
      ["preflight", settled, task.counts.approved, task.run?.id],
      () => reply(api.POST("/api/v1/runs/preflight", { body: settled })),
      { placeholderData: (old) => old, retry: false },
    ),
  );
  const start = useMutation({
    mutationFn: () => reply(api.POST("/api/v1/runs", { body: spec })),
    onSuccess: ({ run }) => {
      reread(["tasks"], ["runs"]);
      void navigate({ to: "/runs/$id", params: { id: run.id } });
    },
  });
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
        <Form className={css.form} onSubmit={begin}>
          <div className={layout.fields}>
            {(adapters.length > 0 || draft.from) && (
              <Pick
                label="Start from"
                error={wrong("init_from")}
                hint={<StartHint from={draft.from} learned={preflight.data?.warm_start} />}
                options={starts}
                {...pick("from")}
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
              {...text("evalShare")}
            />
            <MachinePick error={wrong("on")} {...pick("on")} />
          </div>
          {!draft.from && (
            <div className={css.choices}>
              <div className={css.choice}>
                <span aria-hidden>Adapter type</span>
                <Segmented label="Adapter type" options={METHODS} {...pick("method")} />
              </div>
            </div>
          )}
          <Presets draft={draft} preflight={preflight.data} onChange={(effort) => change({ effort })} />
          {draft.method === "lora" && !draft.from && (draft.decoderOnly || preflight.data?.decoder_only) && (
            <Check
              label={<DecoderOnly estimate={preflight.data} chosen={draft.decoderOnly} />}
              {...check("decoderOnly")}
            />
          )}
          <Check label="Activate the new version if it is not worse than the active one" {...check("activate")} />
          <MaskView task={task} base={draft.base || "smollm2-135m"} />
          <Advanced draft={draft} change={change} wrong={wrong} />
          {preflight.data && <ShowCommand command={preflight.data.command} />}
          {start.isError && <StartFailed error={start.error} />}
          <div className={css.go}>
            <ActionButton action={go} look="main" type="submit" busy={start.isPending && "Starting …"} />
            {task.run && (
              <span>
                <RunLink id={task.run.id} /> is {task.run.state}. Only one training runs at a time.
              </span>
            )}
          </div>
        </Form>
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

function StartFailed({ error }: { error: unknown }) {
  const other =
    error instanceof Problem && error.status === 409 && typeof error.body.run === "string" ? error.body.run : null;
  if (!other) return <Failure error={error} />;
  return (
    <Notice tone="warn" title="A training is already running.">
      <RunLink id={other}>Watch {other}</RunLink>
    </Notice>
  );
}

interface Props {
  draft: Draft;
  change: (part: Partial<Draft>) => void;
  wrong: (field: string) => string | undefined;
}

const PRIORITIES = [
  { value: "low", label: "Low: after all others" },
  { value: "normal", label: "Normal" },
  { value: "high", label: "High: before all others" },
];

/** Settings that the recipe knows better than most people; empty means the recipe's. */
function Advanced({ draft, change, wrong }: Props) {
  const used =
    settingsOf(draft.method).filter((setting) => draft.settings[setting.name]).length +
    (draft.priority === START.priority ? 0 : 1);
  return (
    <details className={css.advanced}>
      <summary>Advanced{used > 0 ? ` · ${used} set` : ""}</summary>
      <div className={layout.fields}>
        <SettingFields
          values={draft.settings}
          method={draft.method}
          onChange={(settings) => change({ settings })}
          wrong={wrong}
        />
        <Pick
          label="Priority"
          hint="Position in the queue"
          options={PRIORITIES}
          value={draft.priority}
          onPick={(to) => change({ priority: to as Draft["priority"] })}
        />
      </div>
    </details>
  );
}

/** What starts the trainings of a cluster. */
const titles = { slurm: "Slurm", ray: "Ray" };

/** Where to train, where there is a choice: the server's own machine, another one, or a rented one. */
function MachinePick({ value, error, onPick }: { value: string; error?: string; onPick: (to: string) => void }) {
  const { machines = [], providers = [], service } = useQuery(machinesQuery).data ?? {};
  const rented = providers.filter((one) => one.ready).map((one) => one.name);
  if (machines.length + rented.length === 0 && !service) return null;
  return (
    <Pick
      label="Train on"
      error={error}
      hint={
        rented.includes(value) ? (
          <Price provider={value} />
        ) : (
          "A training on another machine uses no CPU or memory of this one."
        )
      }
      options={[
        { value: "", label: "This machine" },
        ...machines.map(({ name, destination, launcher }) => ({
          value: name,
          label: `${name} (${launcher.kind === "ssh" ? destination : `${titles[launcher.kind]} at ${destination}`})`,
        })),
        ...rented.map((name) => ({ value: name, label: `${name} (rented for this run)` })),
        ...(service ? [{ value: "cerebros", label: `cerebros (training service at ${service})` }] : []),
      ]}
      value={value}
      onPick={onPick}
    />
  );
}

/** The price of the machine that would be rented now. */
function Price({ provider }: { provider: string }) {
  const { data, error } = useQuery(quotesQuery(provider));
  if (error) return <>{error.message}</>;
  const quote = data?.quotes[0];
  if (!quote) return <>Looking for a machine …</>;
  const { kind, region, cents_per_hour } = quote.offer;
  return (
    <>
      {kind} in {region} at {dollars(cents_per_hour)} per hour, given back after {quote.minutes} minutes at the latest:{" "}
      {dollars(quote.most_cents)} at most.
    </>
  );
}

/** Any approved example as the base would read it: which of its tokens are learned. */
function MaskView({ task, base }: { task: TaskInfo; base: string }) {
  const [at, setAt] = useState(0);
  const query = { task: task.name, state: "approved", limit: 1, offset: at } as const;
  const { data } = useQuery(
    read(
      ["approved", task.name, at, task.counts.approved],
      () => reply(api.GET("/api/v1/examples", { params: { query } })),
      { enabled: task.counts.approved > 0, placeholderData: (old) => old },
    ),
  );
  const example = data?.examples[0];
  if (!example) return null;
  return (
    <TokenMask key={base} example={example} base={base} title="Training tokens of an example">
      <div className={css.examples}>
        <Stepper noun="Example" at={at} of={data.total} onStep={setAt} />
      </div>
    </TokenMask>
  );
}
