import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, reply } from "../../api/client";
import type { Schemas } from "../../api/types";
import { Button } from "../../components/Button";
import { Failure } from "../../components/Failure";
import { Input, Pick } from "../../components/form";
import layout from "../../components/layout.module.css";
import { Modal } from "../../components/Modal";
import { ShowCommand } from "../../components/ShowCommand";
import { say } from "../../components/toasts";
import { commands } from "../../lib/commands";
import css from "./tasks.module.css";

type Settings = Schemas["Upstream"];

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
export function UpstreamDialog({ name, old, onClose }: { name: string; old: Settings | null; onClose: () => void }) {
  const client = useQueryClient();
  const [texts, setTexts] = useState<Record<string, string>>({
    url: old?.url ?? "",
    model: old?.model ?? "",
    key_env: old?.key_env ?? "",
    ...Object.fromEntries(NUMBERS.map(({ key }) => [key, String(old?.[key] ?? DEFAULTS[key] ?? "")])),
  });
  const [record, setRecord] = useState(old?.record ?? "pending");
  const params = { path: { task: name } };
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
    return client.invalidateQueries({ queryKey: ["tasks", "upstream", name] });
  };
  const save = useMutation({
    mutationFn: () => reply(api.PUT("/api/v1/tasks/{task}/upstream", { params, body })),
    onSuccess: () => done("The upstream is saved"),
  });
  const remove = useMutation({
    mutationFn: () => reply(api.DELETE("/api/v1/tasks/{task}/upstream", { params })),
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
      onOpenChange={(open) => !open && onClose()}
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

const DEFAULTS: Record<string, number> & { compare_share: number; timeout_seconds: number } = {
  compare_share: 0.05,
  timeout_seconds: 120,
};
