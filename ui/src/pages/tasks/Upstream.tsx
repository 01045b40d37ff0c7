import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, reply, where } from "../../api/client";
import { reread, upstreamQuery } from "../../api/queries";
import type { Schemas } from "../../api/types";
import { Button } from "../../components/Button";
import { Card, Figure, Figures } from "../../components/bits";
import { Failure } from "../../components/Failure";
import { Input, Pick } from "../../components/form";
import layout from "../../components/layout.module.css";
import { Modal } from "../../components/Modal";
import { ShowCommand } from "../../components/ShowCommand";
import { say } from "../../components/toasts";
import { commands } from "../../lib/commands";
import { number, percent } from "../../lib/format";
import css from "./tasks.module.css";

type Settings = Schemas["Upstream"];

const RECORDED: Record<Schemas["Recording"], string> = {
  off: "Its answers are not recorded.",
  pending: "Its answers become pending examples.",
  approved: "Its answers become approved examples.",
};

/** The service that answers until Graft does, and who answered. */
export function Upstream({ name }: { name: string }) {
  const { data } = useQuery(upstreamQuery(name));
  const [editing, setEditing] = useState(false);
  if (!data) return null;
  const { upstream, total } = data;
  const above = upstream?.answer_above;
  const dialog = editing && <UpstreamDialog name={name} old={upstream} onClose={() => setEditing(false)} />;
  const edit = (label: string) => (
    <Button small onClick={() => setEditing(true)}>
      {label}
    </Button>
  );
  if (!upstream)
    return (
      <Card title="Upstream" side={edit("Set an upstream")}>
        <p className={css.why}>
          Another service with OpenAI's API can answer requests for this task until a version is sure enough; its
          answers become examples.
        </p>
        {dialog}
      </Card>
    );
  return (
    <Card title="Upstream" side={edit("Change")}>
      {dialog}
      <div className={layout.stack}>
        <p className={css.why}>
          Requests for this task are passed on to <code>{upstream.model}</code> at <code>{upstream.url}</code>
          {above == null ? "" : ` unless Graft is at least ${percent(above)} sure`}.{" "}
          {RECORDED[upstream.record ?? "pending"]}
        </p>
        <Figures>
          <Figure
            label="Answered by Graft"
            value={number(total.graft)}
            sub={data.share == null ? undefined : percent(data.share, 1)}
          />
          <Figure label="By the upstream" value={number(total.upstream)} />
          <Figure label="By nobody" value={number(total.failed)} />
          <Figure label="Agreement" value={percent(data.agreement, 1)} sub={`${number(total.compared)} compared`} />
          <Figure label="Upstream tokens" value={number(total.prompt_tokens + total.answer_tokens)} />
          {data.cost != null && (
            <Figure
              label="Cost"
              value={number(data.cost, 2)}
              title="At today's prices; saved is what Graft answered alone, at the mean cost of the other requests"
              sub={data.saved == null ? undefined : `${number(data.saved, 2)} saved`}
            />
          )}
          <Figure label="Recorded" value={number(total.recorded)} sub={`${number(total.unfit)} in another form`} />
        </Figures>
      </div>
    </Card>
  );
}

const DEFAULTS: Record<string, number> & { compare_share: number; timeout_seconds: number } = {
  compare_share: 0.05,
  timeout_seconds: 120,
};
const RECORDINGS = [
  { value: "off", label: "Nothing" },
  { value: "pending", label: "Pending examples" },
  { value: "approved", label: "Approved examples" },
] as const;
/** Settings that are numbers or nothing. */
const NUMBERS = [
  { key: "answer_above", label: "Graft answers from a confidence of", hint: "From 0 to 1; empty: never." },
  { key: "compare_share", label: "Compared share", hint: "Of Graft's answers, from 0 to 1." },
  { key: "timeout_seconds", label: "Timeout in seconds", hint: "Until its answer must begin." },
  { key: "input_price", label: "Price of prompts", hint: "Of a million tokens; empty: unknown." },
  { key: "output_price", label: "Price of answers", hint: "Of a million tokens; empty: unknown." },
] as const;

/** Sets or removes the upstream of a task. */
function UpstreamDialog({ name, old, onClose }: { name: string; old: Settings | null; onClose: () => void }) {
  const [texts, setTexts] = useState<Record<string, string>>({
    url: old?.url ?? "",
    model: old?.model ?? "",
    key_env: old?.key_env ?? "",
    ...Object.fromEntries(NUMBERS.map(({ key }) => [key, String(old?.[key] ?? DEFAULTS[key] ?? "")])),
  });
  const [record, setRecord] = useState(old?.record ?? "pending");
  const at = where({ task: name });
  const number = (key: string) => (texts[key]?.trim() ? Number(texts[key]) : null);
  const wrong = NUMBERS.filter(({ key }) => Number.isNaN(number(key))).map(({ key }) => key);
  const body: Settings = {
    url: texts.url ?? "",
    model: texts.model ?? "",
    key_env: texts.key_env?.trim() || null,
    record,
    answer_above: number("answer_above"),
    compare_share: number("compare_share") ?? DEFAULTS.compare_share,
    timeout_seconds: number("timeout_seconds") ?? DEFAULTS.timeout_seconds,
    input_price: number("input_price"),
    output_price: number("output_price"),
  };
  const done = (text: string) => {
    say(text);
    onClose();
    reread(["tasks", "upstream", name]);
  };
  const save = useMutation({
    mutationFn: () => reply(api.PUT("/api/v1/tasks/{task}/upstream", { ...at, body })),
    onSuccess: () => done("The upstream is saved"),
  });
  const remove = useMutation({
    mutationFn: () => reply(api.DELETE("/api/v1/tasks/{task}/upstream", at)),
    onSuccess: () => done("The upstream is removed"),
  });
  const field = (key: string) => ({
    value: texts[key] ?? "",
    onText: (to: string) => setTexts({ ...texts, [key]: to }),
  });
  const failure = save.error ?? remove.error;
  return (
    <Modal
      open
      close={onClose}
      title="Upstream"
      about="A service with OpenAI's API that answers requests for this task at /v1/chat/completions until Graft does."
      foot={
        <>
          {old && (
            <Button look="danger" busy={remove.isPending && "Removing …"} onClick={() => remove.mutate()}>
              Remove
            </Button>
          )}
          <Button onClick={onClose}>Back</Button>
          <Button
            look="main"
            disabled={!texts.url?.trim() || !texts.model?.trim() || wrong.length > 0}
            busy={save.isPending && "Saving …"}
            onClick={() => save.mutate()}
          >
            Save
          </Button>
        </>
      }
    >
      <div className={css.stack}>
        <Input label="Address" placeholder="https://api.openai.com/v1" {...field("url")} />
        <div className={layout.fields}>
          <Input label="Model" {...field("model")} />
          <Input
            label="Variable with the key"
            hint="An environment variable of the server; the key itself is not stored."
            {...field("key_env")}
          />
          <Pick label="Its answers become" options={RECORDINGS} value={record} onPick={setRecord} />
          {NUMBERS.map(({ key, label, hint }) => (
            <Input
              key={key}
              label={label}
              hint={hint}
              inputMode="decimal"
              error={wrong.includes(key) ? "Write a number, with a point for decimals." : undefined}
              {...field(key)}
            />
          ))}
        </div>
        {failure && <Failure error={failure} />}
        <ShowCommand command={commands.settingUpstream(name, body)} />
      </div>
    </Modal>
  );
}
