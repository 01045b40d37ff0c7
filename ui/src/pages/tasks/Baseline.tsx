import { useQuery } from "@tanstack/react-query";
import { api, ifMatch, reply, where, type Tagged } from "../../api/client";
import { read } from "../../api/queries";
import type { Schemas } from "../../api/types";
import { Button } from "../../components/Button";
import { Card, Notice } from "../../components/bits";
import { Failure } from "../../components/Failure";
import { Check, Input, Pick, TextArea, useFields } from "../../components/form";
import layout from "../../components/layout.module.css";
import { SaveForm } from "../../components/SaveForm";
import { DataTable } from "../../components/Table";
import { commands } from "../../lib/commands";
import { clip, count, percent } from "../../lib/format";
import { isObject, same, shown, type Json, type JsonObject } from "../../lib/json";
import { useSettled } from "../../lib/useDebounced";
import { drafted, stored, type RuleDraft, type RulesDraft } from "./rules";
import css from "./tasks.module.css";

type Definition = Schemas["TaskDefinition"];
type Trial = Schemas["BaselineTrial"];
type Kind = "none" | "rules" | "built-in" | "command" | "endpoint";

const KINDS: Record<Kind, string> = {
  none: "None",
  rules: "Rules: regular expressions",
  "built-in": "A parser of Graft",
  command: "A command on the server's machine",
  endpoint: "An HTTP endpoint",
};
const ABOUT: Record<Kind, string> = {
  none: "Something that answers without a model: versions are compared with it.",
  rules: "The first rule that matches gives the answer. Tried on the newest approved examples while you type.",
  "built-in": "It is part of Graft.",
  command: "Reads the text on stdin and writes the answer. Only administrators may choose it.",
  endpoint: "Gets the text with POST and replies with the answer. Only administrators may choose it.",
};
const EMPTY: RuleDraft = { pattern: "", to: "", set: "" };

/** What answers a task without a model: edited, and tried on approved examples. */
export function Baseline({ body: { definition: saved }, etag }: Tagged<Schemas["TaskDetail"]>) {
  const before = (saved.baseline ?? null) as JsonObject | null;
  const first: Kind = before ? (before.kind as Kind) : "none";
  const start = () => ({ kind: first, prefill: saved.prefill ?? true, rules: draftOf(saved), ...outsideOf(before) });
  const { values, change, text, pick, check } = useFields(start);
  const { kind, prefill, rules } = values;
  const form = saved.form === "labels" ? "labels" : "fields";
  const baseline = made(values, before, form);
  const dirty = !same(baseline as Json, before as Json) || prefill !== (saved.prefill ?? true);
  const ready = kind !== "rules" || rules.rules.some((rule) => rule.pattern !== "");
  const tried = useSettled(baseline, 500);
  const isLive = kind === "rules" || kind === "built-in";
  // What runs on the server's machine is tried by the button only, never while it is typed.
  const settled = tried?.kind === kind ? tried : null;
  const subject = isLive ? settled : baseline;
  const trial = useQuery(
    read(
      ["tasks", "baseline", saved.name, kind, etag, subject],
      () => {
        const body = { baseline: subject as unknown as Schemas["BaselineDefinition"] };
        return reply(api.POST("/api/v1/tasks/{task}/baseline/try", { ...where({ task: saved.name }), body }));
      },
      {
        enabled: isLive && subject !== null && ready,
        retry: false,
        placeholderData: (old, last) => (isLive && last?.queryKey[3] === kind ? old : undefined),
      },
    ),
  );
  const done = baseline && ready && !trial.isError ? trial.data : undefined;
  const path = { task: saved.name };
  const body = { ...saved, baseline: baseline as unknown as Definition["baseline"], prefill };
  const isText = saved.form === "text" || saved.form === "dialogue";
  const kinds = (Object.keys(KINDS) as Kind[]).filter(
    (one) => (one !== "built-in" || first === "built-in") && (one !== "rules" || !isText),
  );
  return (
    <Card title="Baseline" flush>
      <SaveForm
        className={css.form}
        save={() => api.PUT("/api/v1/tasks/{task}", { params: { path, header: ifMatch(etag) }, body })}
        said="New versions are compared with it."
        dirty={dirty}
        ready={ready}
        onDiscard={() => change(start())}
        list="tasks"
        command={commands.putting(`/api/v1/tasks/${saved.name}`, body)}
      >
        <Pick
          label="What answers without a model"
          hint={ABOUT[kind]}
          options={kinds.map((one) => ({ value: one, label: KINDS[one] }))}
          {...pick("kind")}
        />
        {kind === "rules" && <Rules task={saved} draft={rules} trial={done} onChange={(to) => change({ rules: to })} />}
        {kind === "command" && (
          <TextArea
            label="Command"
            hint="The program and its arguments, one per line; no shell reads them."
            className={css.code}
            rows={3}
            spellCheck={false}
            {...text("command")}
          />
        )}
        {kind === "endpoint" && (
          <Input
            label="Address"
            hint="It gets the task's name and the text as JSON with POST, and replies with the answer."
            {...text("url")}
          />
        )}
        {(kind === "command" || kind === "endpoint") && (
          <div className={layout.row}>
            <Input label="Seconds for an answer" inputMode="numeric" {...text("seconds")} />
            <Button disabled={!baseline} busy={trial.isFetching && "Trying …"} onClick={() => void trial.refetch()}>
              Try it
            </Button>
          </div>
        )}
        {kind !== "none" && (
          <div>
            <Check label="Audit proposes its answers" {...check("prefill")} />
          </div>
        )}
        {baseline && ready && trial.isError && <Failure error={trial.error} />}
        {done && <Result trial={done} />}
      </SaveForm>
    </Card>
  );
}

function draftOf(task: Definition): RulesDraft {
  const before = task.baseline as unknown;
  if (isObject(before) && before.kind === "rules") return drafted(before);
  const first = task.labels?.[0] ?? "";
  const to = task.form === "labels" ? (task.labels?.[1] ?? first) : "";
  return { rules: [{ ...EMPTY, to }], otherwise: task.form === "labels" ? first : "", aliases: "", units: "" };
}

function outsideOf(before: JsonObject | null) {
  const command = Array.isArray(before?.command) ? before.command.map(shown).join("\n") : "";
  return { command, url: shown(before?.url), seconds: shown(before?.timeout_seconds ?? 10) };
}

type Values = { kind: Kind; rules: RulesDraft } & ReturnType<typeof outsideOf>;

/** The baseline as it is stored. */
function made(values: Values, before: JsonObject | null, form: "labels" | "fields"): JsonObject | null {
  const { kind, rules, command, url, seconds } = values;
  const timeout_seconds = Number(seconds) || 10;
  switch (kind) {
    case "none":
      return null;
    case "rules":
      return stored(rules, form);
    case "built-in":
      return before;
    case "command":
      return { kind, command: command.split("\n").filter((part) => part !== ""), timeout_seconds };
    case "endpoint":
      return { kind, url: url.trim(), timeout_seconds };
  }
}

interface RulesProps {
  task: Definition;
  draft: RulesDraft;
  trial: Trial | undefined;
  onChange: (draft: RulesDraft) => void;
}

function Rules({ task, draft, trial, onChange }: RulesProps) {
  const isLabels = task.form === "labels";
  const targets = isLabels ? (task.labels ?? []) : ["", ...lists(task)];
  const put = (part: Partial<RulesDraft>) => onChange({ ...draft, ...part });
  const change = (at: number, part: Partial<RuleDraft>) =>
    put({ rules: draft.rules.map((rule, i) => (i === at ? { ...rule, ...part } : rule)) });
  const lines = (name: "otherwise" | "aliases" | "units") => ({
    value: draft[name],
    onText: (to: string) => put({ [name]: to }),
  });
  const target = (rule: RuleDraft, at: number) =>
    targets.length > 0 ? (
      <Pick
        small
        aria-label={`${isLabels ? "Label" : "Fills"} of rule ${at + 1}`}
        value={rule.to}
        options={[...new Set([...targets, rule.to])].map((to) => ({ value: to, label: to || "Single fields" }))}
        onPick={(to) => change(at, { to })}
      />
    ) : (
      <Input small aria-label={`Label of rule ${at + 1}`} value={rule.to} onText={(to) => change(at, { to })} />
    );
  // Blank rules are not stored, so a trial does not count them.
  const place = (at: number) => draft.rules.slice(0, at).filter((rule) => rule.pattern !== "").length;
  const right = (rule: RuleDraft, at: number) => {
    const use = rule.pattern === "" ? undefined : trial?.rules[place(at)];
    return <span className="num">{use ? `${use.right} of ${use.used}` : "–"}</span>;
  };
  return (
    <>
      <div className={css.bleed}>
        <DataTable
          label="Rules"
          stack
          rows={draft.rules}
          by={(rule) => draft.rules.indexOf(rule)}
          columns={[
            { title: isLabels ? "Label" : "Fills", cell: target },
            {
              title: "Pattern",
              full: true,
              cell: (rule, at) => (
                <Input
                  small
                  className={css.code}
                  aria-label={`Pattern of rule ${at + 1}`}
                  placeholder={isLabels ? "(?i)free prize" : "total:? (?<total>[0-9.,]+)"}
                  spellCheck={false}
                  value={rule.pattern}
                  onText={(pattern) => change(at, { pattern })}
                />
              ),
            },
            !isLabels && {
              title: "Sets",
              cell: (rule, at) => (
                <Input
                  small
                  aria-label={`Rule ${at + 1} sets`}
                  placeholder="paid = true"
                  value={rule.set}
                  onText={(set) => change(at, { set })}
                />
              ),
            },
            { title: "Right", cell: right },
            {
              title: "Remove",
              hidden: true,
              right: true,
              corner: true,
              cell: (_, at) => (
                <Button
                  small
                  look="quiet"
                  icon="cross"
                  aria-label={`Remove rule ${at + 1}`}
                  disabled={draft.rules.length === 1}
                  onClick={() => put({ rules: draft.rules.toSpliced(at, 1) })}
                />
              ),
            },
          ]}
        />
      </div>
      <div>
        <Button
          small
          onClick={() => put({ rules: [...draft.rules, { ...EMPTY, to: isLabels ? (targets[0] ?? "") : "" }] })}
        >
          Add a rule
        </Button>
      </div>
      {isLabels ? (
        <Input label="Otherwise" hint="The label where no rule matches." {...lines("otherwise")} />
      ) : (
        <div className={layout.fields}>
          <TextArea
            label="Otherwise"
            hint="For fields that no rule gives: field = value, one per line."
            rows={3}
            {...lines("otherwise")}
          />
          <TextArea
            label="Aliases"
            hint="Other ways to write a value, one per line: unit: boxes = box"
            rows={3}
            {...lines("aliases")}
          />
          <TextArea
            label="Units"
            hint="What a number is multiplied by, one per line: weight: g = 0.001"
            rows={3}
            {...lines("units")}
          />
        </div>
      )}
    </>
  );
}

/** The lists of a task with fields. */
function lists(task: Definition): string[] {
  const properties = isObject(task.schema) && isObject(task.schema.properties) ? task.schema.properties : {};
  return Object.entries(properties)
    .filter(([, field]) => isObject(field) && field.items !== undefined)
    .map(([name]) => name);
}

/** The score, and the examples that are answered wrong. */
function Result({ trial }: { trial: Trial }) {
  const text = (answer: unknown) => clip(shown(answer), 200);
  return (
    <section aria-label="Result" aria-live="polite">
      <p>
        <strong>
          Right: {trial.right} of {count(trial.examples, "approved example")} ({percent(trial.right / trial.examples)})
        </strong>
      </p>
      {trial.failure && (
        <Notice tone="warn" title="Not all examples were answered.">
          <p>{trial.failure}</p>
        </Notice>
      )}
      {trial.wrong.length > 0 && (
        <div className={css.bleed}>
          <DataTable
            label="Wrong answers"
            stack
            rows={trial.wrong.slice(0, 10)}
            by={({ id }) => id}
            columns={[
              { title: "Text", full: true, cell: ({ input }) => clip(input, 200) },
              { title: "Approved", cell: ({ wanted }) => text(wanted) },
              { title: "Baseline", cell: ({ reason, answer }) => (reason ? `No answer: ${reason}` : text(answer)) },
            ]}
          />
        </div>
      )}
    </section>
  );
}
