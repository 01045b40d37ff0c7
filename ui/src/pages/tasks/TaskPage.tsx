import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { api, ifMatch, reply, type Tagged } from "../../api/client";
import { definitionQuery, read, revisionsQuery } from "../../api/queries";
import type { Schemas } from "../../api/types";
import { Card, Notice, PageHead, Pill, Skeleton, TimeAgo } from "../../components/bits";
import { Failure, PageFailure } from "../../components/Failure";
import { Check, Input, TextArea, useFields } from "../../components/form";
import layout from "../../components/layout.module.css";
import { FORMS } from "../../components/paste/Understood";
import { SaveForm } from "../../components/SaveForm";
import { QueryTable } from "../../components/Table";
import { commands } from "../../lib/commands";
import { clip } from "../../lib/format";
import { isObject, same, type Json, type JsonObject } from "../../lib/json";
import { useSettled } from "../../lib/useDebounced";
import { Baseline } from "./Baseline";
import { SchemaText } from "./SchemaText";
import { Upstream } from "./Upstream";
import css from "./tasks.module.css";
import { lines } from "./words";

type Detail = Schemas["TaskDetail"];

/** The editor of a task's definition; shows the effect of a change before it is saved. */
export function TaskPage() {
  const { name } = useParams({ from: "/tasks/$name" });
  const query = useQuery(definitionQuery(name));
  if (query.error && !query.data)
    return <PageFailure title={name} error={query.error} retry={() => void query.refetch()} />;
  if (!query.data) return <Skeleton lines={8} height={480} />;
  const { definition, archived, revision } = query.data.body;
  return (
    <div className={layout.stack}>
      <PageHead
        title={definition.title || name}
        about={
          <>
            <Link to="/tasks">Tasks</Link> · <code>{name}</code> · {FORMS[definition.form]} · revision {revision}{" "}
            {archived && <Pill>Archived</Pill>}
          </>
        }
      />
      <Card title="Definition" flush>
        <Form key={query.data.etag} {...query.data} />
      </Card>
      <Baseline key={`${query.data.etag}-baseline`} {...query.data} />
      <Upstream name={name} />
      <Revisions name={name} />
    </div>
  );
}

function Form({ body: { definition: saved }, etag }: Tagged<Detail>) {
  const start = {
    title: saved.title ?? "",
    instruction: saved.instruction,
    labels: (saved.labels ?? []).join("\n"),
    closed: saved.closed ?? false,
    schema: isObject(saved.schema) ? saved.schema : null,
    discarded: 0,
  };
  const { values, change, text, check } = useFields(start);
  const { title, instruction, labels, closed, schema, discarded } = values;
  const patch = {
    title: title.trim(),
    instruction: instruction.trim(),
    ...(saved.form === "labels" ? { labels: lines(labels), closed } : {}),
    ...(saved.form === "fields" && schema ? { schema } : {}),
  };
  const before: JsonObject = {
    title: saved.title ?? "",
    instruction: saved.instruction,
    labels: saved.labels ?? [],
    closed: saved.closed ?? false,
    schema: (saved.schema ?? null) as Json,
  };
  const dirty = Object.entries(patch).some(([field, value]) => !same(value as Json, before[field]));
  const params = { path: { task: saved.name }, header: ifMatch(etag) };
  const tried = useSettled(patch, 500);
  const trial = useQuery(
    read(
      ["tasks", "change", saved.name, etag, tried],
      () => {
        const query = { dry_run: true };
        return reply(api.PATCH("/api/v1/tasks/{task}", { params: { ...params, query }, body: tried as JsonObject }));
      },
      { enabled: dirty, retry: false, placeholderData: (old) => old },
    ),
  );
  return (
    <SaveForm
      className={css.form}
      save={() => api.PATCH("/api/v1/tasks/{task}", { params, body: patch as JsonObject })}
      said="Versions keep the revision they were trained with."
      dirty={dirty}
      ready={!trial.isError}
      onDiscard={() => change({ ...start, discarded: discarded + 1 })}
      list="tasks"
      command={commands.patching(`/api/v1/tasks/${saved.name}`, patch)}
    >
      <div className={layout.fields}>
        <Input label="Title" {...text("title")} />
      </div>
      <TextArea
        label="Instruction"
        hint="It precedes every text, so keep it short."
        rows={3}
        {...text("instruction")}
      />
      {saved.form === "labels" && (
        <>
          <TextArea
            label="Labels"
            hint={closed ? "One per line." : "One per line; used until approved examples bring their own."}
            rows={5}
            {...text("labels")}
          />
          <div>
            <Check label="Only these labels; examples with others are refused" {...check("closed")} />
          </div>
        </>
      )}
      {saved.form === "fields" && schema && (
        <SchemaText key={discarded} schema={schema} onChange={(to) => change({ schema: to })} open />
      )}
      <p className={css.why}>
        Guidelines have their own page in{" "}
        <Link to="/settings" search={{ task: saved.name, tab: "guidelines" }}>
          Settings
        </Link>
        ; scoring, grounded fields and training defaults are in the exported file.
      </p>
      {dirty && trial.isError && <Failure error={trial.error} />}
      {dirty && trial.data && <Impact impact={trial.data.impact} />}
    </SaveForm>
  );
}

/** The effect of a change. */
function Impact({ impact }: { impact: Schemas["TaskImpact"] }) {
  if (impact.notes.length === 0) return null;
  return (
    <Notice tone={impact.unfit > 0 ? "warn" : "plain"} title="Effect of this change">
      <ul className={css.list}>
        {impact.notes.map((note) => (
          <li key={note}>{note}</li>
        ))}
        {impact.unfit_examples.slice(0, 5).map((example) => (
          <li key={example.id}>
            {clip(example.input, 80)}: {example.reason}
          </li>
        ))}
      </ul>
    </Notice>
  );
}

/** Every change of the definition. */
function Revisions({ name }: { name: string }) {
  return (
    <Card title="Revisions" flush>
      <QueryTable
        query={useQuery(revisionsQuery(name))}
        stack
        label="Revisions"
        rows={(all) => all.map((one, i) => ({ ...one, changed: changed(one, all[i - 1]) })).reverse()}
        by={({ revision }) => revision}
        columns={[
          { title: "Revision", head: true, cell: ({ revision }) => <span className="num">{revision}</span> },
          { title: "By", cell: ({ changed_by }) => changed_by },
          { title: "When", cell: ({ changed_at }) => (changed_at ? <TimeAgo at={changed_at} /> : "With Graft") },
          { title: "Changed", full: true, cell: ({ changed }) => changed },
        ]}
      />
    </Card>
  );
}

/** The fields that differ between a revision and the one before. */
function changed(one: Detail, before: Detail | undefined): string {
  if (!before) return "Everything";
  const [now, then] = [one.definition, before.definition] as unknown as [JsonObject, JsonObject];
  const names = [...new Set([...Object.keys(now), ...Object.keys(then)])];
  return names.filter((field) => !same(now[field], then[field])).join(", ") || "Nothing";
}
