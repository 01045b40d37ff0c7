import { useMutation, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { api, reply, where } from "../../api/client";
import { reread, trialQuery, understandQuery } from "../../api/queries";
import type { Schemas } from "../../api/types";
import { Button } from "../../components/Button";
import { Card, Empty, Notice, PageHead } from "../../components/bits";
import { Failure } from "../../components/Failure";
import { Check, Input, Segmented, TextArea, useFields } from "../../components/form";
import layout from "../../components/layout.module.css";
import { PasteBox, type PasteHandle } from "../../components/paste/PasteBox";
import { FORMS, Understood } from "../../components/paste/Understood";
import { TemplatePick, type Template } from "../../components/TemplatePick";
import { say } from "../../components/toasts";
import { count } from "../../lib/format";
import { isObject, type JsonObject } from "../../lib/json";
import { useDebounced, useSettled } from "../../lib/useDebounced";
import { ActionButton } from "../../shell/actions";
import { useUrl } from "../../shell/url";
import { FieldsTable } from "./FieldsTable";
import { PromptPreview } from "./PromptPreview";
import { SchemaText } from "./SchemaText";
import css from "./tasks.module.css";
import { lines, slug } from "./words";

type Kind = Schemas["AnswerKind"];

const PLACEHOLDER = `"Where is my parcel?" -> order
"I want my money back" -> refund

or a text with its answer below it:

Invoice 17 of Acme, 40 EUR
{"number": "17", "vendor": "Acme", "total": 40}`;
const INSTRUCTIONS: Record<Kind, string> = {
  labels: "Classify the text.",
  fields: "Extract the fields from the text; use null for what is not said.",
  text: "Follow the instruction.",
  dialogue: "Write the assistant's next reply.",
};
const REVIEWS = [
  { value: "approved", label: "Approved" },
  { value: "pending", label: "To be audited" },
];
/** Examples that are listed because they don't fit. */
const LISTED = 5;

/** The person's corrections; null if the inferred value is used. */
const UNTOUCHED = {
  title: "",
  name: null as string | null,
  instruction: null as string | null,
  form: null as Kind | null,
  labels: null as string | null,
  closed: false,
  schema: null as JsonObject | null,
  review: "approved",
};

/** Creates a task from pasted text: the inferred task is shown, corrected, and saved with its examples. */
export function NewTask() {
  const [search, setUrl] = useUrl();
  const navigate = useNavigate();
  const box = useRef<PasteHandle>(null);
  const [text, setText] = useState("");
  const { values: own, change, text: typed, pick, check } = useFields(UNTOUCHED);
  const settled = useDebounced(text, 400);
  const corrected = useDebounced(own.labels ?? "", 400);
  const understood = useQuery(understandQuery(settled, { labels: lines(corrected) }));
  const found = settled.trim() === "" ? undefined : understood.data;
  const [template, setTemplate] = useState<Template | null>(null);
  // What the template wrote: a text that people changed is not replaced when they fill in its variables.
  const written = useRef({ name: "", text: "" });
  // The schema inferred last: corrections apply only to the answers from which it was inferred.
  const from = useRef("null");
  const fill = (filled: Template) => {
    const { title, name, instruction, form, schema } = filled;
    const isNew = written.current.name !== name;
    if (isNew) {
      from.current = "null";
      change({ ...UNTOUCHED, title, name, instruction, form, schema: isObject(schema) ? schema : null });
    } else change({ title, instruction });
    const examples = filled.examples?.trim() ?? "";
    if (isNew || text === written.current.text) setText(examples);
    written.current = { name, text: examples };
    setTemplate(filled);
  };
  const inferred = JSON.stringify(found?.schema ?? null);
  useEffect(() => {
    if (inferred === "null" || inferred === from.current) return;
    if (from.current !== "null" || written.current.name === "") change({ schema: null });
    from.current = inferred;
  }, [inferred]);

  const schema = own.schema ?? (isObject(found?.schema) ? found.schema : null);
  const kind = own.form ?? found?.form ?? null;
  const name = own.name ?? slug(own.title);
  const instruction = own.instruction ?? found?.instruction ?? (kind ? INSTRUCTIONS[kind] : "");
  const seen = found?.labels.map((one) => one.label).sort() ?? [];
  const labels = own.labels === null ? seen : lines(own.labels);
  const missing = !kind
    ? "Paste examples with answers, or choose the form of the answers."
    : kind === "fields" && !schema
      ? "The form “fields” needs answers that are JSON objects, or a JSON Schema."
      : kind === "labels" && labels.length < 2
        ? "Labels: at least two different ones are needed."
        : instruction.trim() === ""
          ? "Write an instruction."
          : !name
            ? "Give it a title."
            : "";
  const definition: Schemas["TaskDefinition"] = {
    name,
    title: own.title.trim(),
    instruction: instruction.trim(),
    form: kind ?? "text",
    guidelines: template?.guidelines ?? "",
    ...(kind === "labels" ? { labels, closed: own.closed } : {}),
    ...(kind === "fields" ? { schema: schema ?? undefined } : {}),
  };
  const body = { definition, text, pending: own.review === "pending" };
  const tried = useSettled(body, 400);
  const trial = useQuery(trialQuery(tried, missing === "" && settled === text));
  const made = missing === "" ? trial.data : undefined;
  const save = useMutation({
    mutationFn: () => reply(api.POST("/api/v1/tasks/new", { body })),
    onSuccess: ({ examples, pending, ready }) => {
      reread();
      say(`${own.title.trim() || name} is saved`, {
        detail: examples > 0 ? `${count(examples, "example")} are stored.` : undefined,
      });
      if (pending > 0) void navigate({ to: "/audit", search: { task: name } });
      else if (ready) void navigate({ to: "/train", search: { task: name } });
      else void navigate({ to: "/training/prompt", search: { task: name, type: name } });
    },
  });
  const go = {
    id: "save-task",
    label: "Save the task",
    group: "Tasks",
    key: "mod+enter",
    always: true,
    disabled: missing !== "" || save.isPending || settled !== text || (trial.isError && trial.fetchStatus === "idle"),
    run: () => save.mutate(),
  };
  const keep = useMutation({
    mutationFn: () => {
      const { form, instruction, guidelines, schema } = definition;
      const body = { form, title: own.title.trim() || name, instruction, guidelines, schema, examples: text };
      return reply(api.PUT("/api/v1/templates/{name}", { ...where({ name }), body }));
    },
    onSuccess: ({ title, variables = [] }) => {
      const detail = variables.length > 0 && `To be filled in: ${variables.map((one) => one.title).join(", ")}.`;
      say(`“${title}” is saved as a template`, { detail: detail || undefined });
      reread(["templates"]);
    },
  });
  const first = found?.examples.find((example) => example.output !== undefined && example.output !== null);
  const answer: Schemas["AnswerForm"] =
    kind === "labels"
      ? { form: "label", labels }
      : kind === "fields" && schema
        ? { form: "json", schema }
        : { form: "text" };
  const forms = (Object.keys(FORMS) as Kind[]).map((value) => ({
    value,
    label: FORMS[value],
    disabled: value === "fields" && !schema,
  }));
  const failure = save.error ?? (missing === "" && !trial.isFetching ? trial.error : null);
  return (
    <div className={layout.stack}>
      <PageHead title="New task" about="Paste a few examples. Graft infers the task; correct it and save." />
      <div className={layout.two}>
        <Card title="1. Examples">
          <div className={css.stack}>
            <TemplatePick
              name={search.template}
              hint="A ready-made task with a dozen examples; it replaces the text."
              onPick={(to) => {
                written.current = { name: "", text: "" };
                if (!to) setTemplate(null);
                setUrl({ template: to });
              }}
              onFilled={fill}
            />
            <PasteBox label="Text" handle={box} least={0} placeholder={PLACEHOLDER} value={text} onText={setText} />
          </div>
        </Card>
        <Card title="2. What was understood">
          {understood.isError && <Failure error={understood.error} />}
          {found ? (
            <Understood found={found} onLine={(line) => box.current?.show(line)} />
          ) : (
            <Empty title="No text yet">
              Lines with labels, blocks, dialogues, CSV, JSON, a JSON Schema, or a few JSON answers alone.
            </Empty>
          )}
        </Card>
      </div>
      <Card title="3. Answers">
        <div className={css.stack}>
          <Segmented
            label="Form of the answers"
            value={kind ?? ("" as Kind)}
            options={forms}
            onPick={(form) => change({ form })}
          />
          {kind === "labels" && (
            <>
              <TextArea
                label="Labels"
                hint="One per line."
                rows={Math.min(10, Math.max(3, labels.length + 1))}
                value={own.labels ?? seen.join("\n")}
                onText={(to) => change({ labels: to })}
              />
              <Check label="Only these labels; examples with others are refused" {...check("closed")} />
            </>
          )}
          {kind === "fields" && schema && (
            <>
              {found && found.fields.length > 0 && (
                <div className={css.bleed}>
                  <FieldsTable schema={schema} fields={found.fields} onChange={(to) => change({ schema: to })} />
                </div>
              )}
              <SchemaText schema={schema} onChange={(to) => change({ schema: to })} />
            </>
          )}
          {kind === "text" && <p className={css.why}>The answer is any text.</p>}
          {kind === "dialogue" && <p className={css.why}>The answer is the assistant's next turn.</p>}
        </div>
      </Card>
      <Card title="4. Name and prompt">
        <div className={css.stack}>
          <div className={layout.fields}>
            <Input label="Title" placeholder="Invoice fields" {...typed("title")} />
            <Input
              label="Name"
              hint="For commands: lowercase letters, digits and hyphens."
              value={name}
              onText={(to) => change({ name: slug(to, true) })}
            />
          </div>
          <TextArea
            label="Instruction"
            hint="It precedes every text, so keep it short."
            rows={3}
            value={instruction}
            onText={(to) => change({ instruction: to })}
          />
          {first && kind && !missing.startsWith("Labels") && (
            <PromptPreview
              instruction={instruction}
              answer={answer}
              input={first.input}
              output={first.output ?? null}
            />
          )}
          {found && found.counts.answered > 0 && (
            <div className={css.row}>
              <span>{count(found.counts.answered, "example")} with an answer are stored as</span>
              <Segmented label="Review" options={REVIEWS} {...pick("review")} />
            </div>
          )}
          {made && made.problems.length > 0 && <Refused made={made} />}
          {failure && <Failure error={failure} />}
          {keep.isError && <Failure error={keep.error} />}
          <div className={css.row}>
            <ActionButton action={go} look="main" busy={save.isPending && "Saving …"} />
            <Button
              disabled={missing !== ""}
              title="Each {{name}} in title, instruction and guidelines becomes a field to fill in"
              busy={keep.isPending && "Saving …"}
              onClick={() => keep.mutate()}
            >
              Save as a template
            </Button>
            <span role="status">{missing || (made && ends(made))}</span>
          </div>
        </div>
      </Card>
    </div>
  );
}

/** The effect of saving. */
function ends({ examples, pending }: Schemas["MadeTask"]): string {
  if (examples === 0) return "No example is stored; add some after the task is created.";
  const approved = examples - pending;
  const parts = [approved > 0 && `${approved} approved`, pending > 0 && `${pending} to be audited`];
  return `${count(examples, "example")}: ${parts.filter(Boolean).join(", ")}.`;
}

/** Examples that do not fit after the corrections. */
function Refused({ made }: { made: Schemas["MadeTask"] }) {
  return (
    <Notice tone="warn" title={`${count(made.refused, "example")} can't be stored.`}>
      <ul className={css.list}>
        {made.problems.slice(0, LISTED).map((problem) => (
          <li key={problem.at}>
            {problem.at}: {problem.reason}
          </li>
        ))}
      </ul>
    </Notice>
  );
}
