import { useMutation, useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { api, Problem, reply, where } from "../../api/client";
import {
  batchQuery,
  liveQuery,
  promptQuery,
  queries,
  reread,
  systemQuery,
  templatesQuery,
  understandQuery,
} from "../../api/queries";
import type { Schemas } from "../../api/types";
import { BaseInput } from "../../components/BaseInput";
import { Button } from "../../components/Button";
import { Card, Notice, PageHead } from "../../components/bits";
import { Failure } from "../../components/Failure";
import { Check, Form, Pick } from "../../components/form";
import layout from "../../components/layout.module.css";
import { RunLink } from "../../components/links";
import { MixLabels, mixed } from "../../components/Confirm";
import { PasteBox, type PasteHandle } from "../../components/paste/PasteBox";
import { Understood } from "../../components/paste/Understood";
import { TemplatePick, type Template } from "../../components/TemplatePick";
import { count } from "../../lib/format";
import { useDebounced } from "../../lib/useDebounced";
import { ActionButton } from "../../shell/actions";
import { useUrl } from "../../shell/url";
import { useTask } from "../../shell/useTask";
import { Batch, BatchOutcome } from "./Batch";
import { Jobs } from "./Jobs";
import { PromptVersions } from "./PromptVersions";
import css from "./prompt.module.css";
import { useDraft, type Saved } from "./useDraft";

/** Model types, with the tasks that they mean. */
const TYPES = [
  { value: "text_classification", label: "Text classification", task: "text-classification" },
  { value: "sentiment_analysis", label: "Sentiment analysis", task: "sentiment" },
  { value: "instruction_following", label: "Instruction following", task: "instruction" },
  { value: "general_chat", label: "General chat", task: "chat" },
];
/** What a template is trained as. */
const MODEL_TYPES = {
  labels: "text_classification",
  text: "instruction_following",
  dialogue: "general_chat",
};
const PRIORITIES = [
  { value: "low", label: "Low" },
  { value: "normal", label: "Normal" },
  { value: "high", label: "High" },
] as const;
const SEARCHES = [
  { value: "", label: "No: train with the recipe" },
  { value: "8-trials", label: "8 trials" },
  { value: "20-trials", label: "20 trials" },
  { value: "60m", label: "60 minutes of trials" },
];
const LEAST = 10;
const PLACEHOLDER = `Classify customer sentiment:

1. "I love this product!" -> positive
2. "Not what I expected" -> negative
3. "It works fine" -> neutral`;
const SAVED: Record<Saved, string> = {
  reading: "Reading the draft …",
  saved: "Draft saved",
  saving: "Saving the draft …",
  failed: "The draft can't be saved",
};

/** Submits a pasted text for training, and lists earlier texts with their trainings. */
export function TrainingPrompt() {
  const { draft, change, saved, clear } = useDraft();
  const { tasks } = useTask();
  const box = useRef<PasteHandle>(null);
  const [pending, setPending] = useState(false);
  const [learns, setLearns] = useState(false);
  const [tells, setTells] = useState(true);
  const [budget, setBudget] = useState("");
  const [search, setUrl] = useUrl();
  const navigate = useNavigate();
  const text = useDebounced(draft.text, 400);
  const own = tasks.filter((task) => !TYPES.some((type) => type.task === task.name));
  const types = [...TYPES, ...own.map((task) => ({ value: task.name, label: task.title, task: task.name }))];
  const type = types.find((one) => one.value === draft.model_type);
  const task = tasks.find((task) => task.name === type?.task);
  const understood = useQuery(understandQuery(text, { task: task?.name }));
  const found = text.trim() === "" ? undefined : understood.data;
  const isBatch = found?.is_batch === true;
  const batch = useQuery(batchQuery(text, isBatch));
  const known = useQuery(templatesQuery).data ?? [];
  // A template with fields needs its own task.
  const pick = (to: string | undefined) =>
    known.some((one) => one.name === to && one.form === "fields")
      ? void navigate({ to: "/tasks/new", search: { template: to } })
      : setUrl({ template: to });
  const written = useRef({ name: "", text: "" });
  const fill = ({ name, form, examples = "" }: Template) => {
    if (saved === "reading" || form === "fields") return;
    const text = examples.trim();
    if (written.current.name !== name) change({ text, model_type: MODEL_TYPES[form], parent: null });
    else if (draft.text === written.current.text) change({ text });
    written.current = { name, text };
  };
  const typed = useRef<string | null>(null);
  useEffect(() => {
    if (saved === "reading") return;
    if (search.type && typed.current !== search.type) {
      typed.current = search.type;
      change({ model_type: search.type });
    }
  });
  const long = [...draft.text.trim()].length >= LEAST;
  const trains = !pending && (found?.counts.answered ?? 1) > 0;
  const live = useQuery({ ...liveQuery(task?.name ?? ""), enabled: task !== undefined });
  const isLive = live.data?.live?.state === "running";
  const canLearn = task?.active?.method === "adapter";
  const tracked = (useQuery(systemQuery).data?.trackers.length ?? 0) > 0;
  const submit = useMutation({
    mutationFn: async (mix_labels: boolean) => {
      const { base, ...rest } = draft;
      const track = tracked ? tells : null;
      const wanted = { base: base || null, pending, track, search: budget || null, mix_labels };
      const made = await reply(api.POST("/api/v1/prompts", { body: { ...rest, ...wanted } }));
      if (task && learns && canLearn && !isLive) {
        await reply(api.POST("/api/v1/tasks/{task}/live", { ...where({ task: task.name }), body: {} }));
      }
      return made;
    },
    onSuccess: () => submitted(),
  });
  const mixes = submit.error instanceof Problem ? mixed(submit.error.body) : undefined;
  const submitBatch = useMutation({
    mutationFn: () => reply(api.POST("/api/v1/prompts/batch", { body: { text: draft.text } })),
    onSuccess: () => submitted(),
  });
  const submitted = () => {
    clear();
    setUrl({ template: undefined });
    reread(["tasks"], ["runs"], ["stats"]);
    void queries.resetQueries({ queryKey: ["queue"] });
  };
  const again = useMutation({
    mutationFn: (id: number) => queries.fetchQuery(promptQuery(id)),
    onSuccess: ({ id, text, model_type }) => {
      change({ text, model_type, parent: id });
      scrollTo({ top: 0 });
    },
  });
  const texts = batch.data?.prompts.length ?? 0;
  const settled = long && text === draft.text;
  const ready = settled && (isBatch ? texts > 0 : (found?.counts.examples ?? 0) > 0);
  const send = isBatch ? submitBatch : submit;
  const go = {
    id: "submit-prompt",
    label: isBatch ? `Submit ${count(texts, "text")}` : trains ? "Submit training job" : "Keep the examples for audit",
    group: "Train",
    key: "mod+enter",
    always: true,
    disabled: !ready || send.isPending,
    run: () => (isBatch ? submitBatch.mutate() : submit.mutate(false)),
  };
  return (
    <div className={layout.stack}>
      <PageHead
        title="Training prompt"
        about="Paste examples in any form. They are stored, named as a dataset, and trained on in the background."
      />
      {submit.isError && !mixes && <Failure error={submit.error} />}
      {again.isError && <Failure error={again.error} />}
      {submit.data && <Outcome {...submit.data} />}
      {submitBatch.isError && <Failure error={submitBatch.error} />}
      {submitBatch.data && <BatchOutcome batch={submitBatch.data} />}
      <div className={layout.main}>
        <Card title="Text" side={<span role="status">{SAVED[saved]}</span>}>
          <Form className={css.form} onSubmit={() => go.disabled || go.run()}>
            {saved !== "reading" && (
              <TemplatePick
                name={
                  known.some((one) => one.name === search.template && one.form !== "fields")
                    ? search.template
                    : undefined
                }
                hint="Sample examples; they replace the text. Templates with fields create their own task."
                examplesOnly
                onPick={pick}
                onFilled={fill}
              />
            )}
            <PasteBox
              label="Examples"
              handle={box}
              least={LEAST}
              placeholder={PLACEHOLDER}
              value={draft.text}
              onText={(to) => change({ text: to })}
            />
            {draft.parent != null && (
              <p className={css.go}>
                New version of text {draft.parent}
                <Button small look="quiet" onClick={() => change({ parent: null })}>
                  Submit as a new text
                </Button>
              </p>
            )}
            <div className={layout.fields}>
              <Pick
                label="Model type"
                hint={type && `Task: ${type.task}`}
                value={draft.model_type}
                options={types}
                onPick={(to) => change({ model_type: to })}
              />
              <Pick
                label="Priority"
                value={draft.priority}
                options={PRIORITIES}
                onPick={(to) => change({ priority: to })}
              />
              <BaseInput value={draft.base} onText={(to) => change({ base: to })} />
              <Pick
                label="Search for settings first"
                hint={budget && "Phase 2: trains with what is best, which may be the recipe."}
                value={budget}
                options={SEARCHES}
                onPick={setBudget}
              />
            </div>
            <div className={css.switches}>
              <Check label="Import all examples as pending; train later" checked={pending} onCheck={setPending} />
              <Check
                label={
                  canLearn || isLive
                    ? "Live learning: keep learning from approvals and edits"
                    : "Live learning (make a version active first)"
                }
                disabled={!canLearn || isLive}
                checked={isLive || (canLearn && learns)}
                onCheck={setLearns}
              />
              <Check
                label={tracked ? "MLflow tracking" : "MLflow tracking (no tracker is configured for this server)"}
                disabled={!tracked}
                checked={tracked && tells}
                onCheck={setTells}
              />
            </div>
            <div className={css.go}>
              <ActionButton action={go} look="main" type="submit" busy={send.isPending && "Sending …"} />
              {!long && <span>At least {LEAST} characters.</span>}
              {long && found && found.counts.examples === 0 && <span>The text has no examples yet.</span>}
              {!isBatch && found?.form && type && mismatch(found.form, task?.kind)}
            </div>
          </Form>
        </Card>
        <Card title="What was understood">
          {understood.isError && <Failure error={understood.error} />}
          {batch.isError && <Failure error={batch.error} />}
          {isBatch ? (
            batch.data && <Batch batch={batch.data} onLine={(line) => box.current?.show(line)} />
          ) : found ? (
            <Understood found={found} onLine={(line) => box.current?.show(line)} />
          ) : (
            !understood.isError && <Forms />
          )}
        </Card>
      </div>
      {mixes && <MixLabels open what={mixes} onYes={() => submit.mutate(true)} onNo={() => submit.reset()} />}
      {search.prompt && <PromptVersions key={search.prompt} id={Number(search.prompt)} />}
      <Jobs onAgain={again.mutate} />
    </div>
  );
}

/** The warning if the answers do not look like those of the task. */
function mismatch(form: Schemas["AnswerKind"], task: Schemas["AnswerKind"] | undefined) {
  if (!task || task === form || (task !== "labels" && task !== "fields")) return null;
  return (
    <span>
      This model type answers with {task}; the text looks like {form}. <Link to="/tasks/new">Make a task for it</Link>
    </span>
  );
}

/** The outcome of the submitted text. */
function Outcome({ prompt, notes }: Schemas["SubmittedPrompt"]) {
  const { dataset, examples, task, run, note, pending } = prompt;
  const said = notes.map((one) => <p key={one}>{one}</p>);
  if (run)
    return (
      <Notice tone="good" title={`${dataset} is queued with ${count(examples, "example")}.`}>
        {said}
        <RunLink {...{ id: run, task }}>Watch {run}</RunLink>
      </Notice>
    );
  return (
    <Notice tone="warn" title={`${count(examples, "example")} kept as ${dataset}; no training is queued.`}>
      {said}
      {note}{" "}
      <Link to="/audit" search={{ task }}>
        {pending > 0 ? "Give answers in Audit" : "See them in Audit"}
      </Link>{" "}
      ·{" "}
      <Link to="/train" search={{ task }}>
        Train
      </Link>
    </Notice>
  );
}

/** The forms that a text can have, while there is none. */
function Forms() {
  return (
    <div className={css.forms}>
      <p>Each line or block is an example:</p>
      <pre>{'"I love this" -> positive\nparcel is late<tab>complaint'}</pre>
      <pre>{"Task: Summarize\nInput: a long text\nExpected: a short one"}</pre>
      <pre>{"User: Hi\nAssistant: Hello!"}</pre>
      <pre>{'text,label\n"Well, good",positive'}</pre>
      <pre>{'Invoice 17 of Acme, 40 EUR\n{"vendor": "Acme", "total": 40}'}</pre>
      <p>JSON and JSON lines are read, too. Lines without an answer are added to Audit as pending.</p>
    </div>
  );
}
