import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, reply } from "../../api/client";
import { sampleQuery } from "../../api/queries";
import type { Schemas, TaskInfo, Version } from "../../api/types";
import { AnswerForm } from "../../components/answer/AnswerForm";
import { Button } from "../../components/Button";
import { Card } from "../../components/bits";
import { Failure } from "../../components/Failure";
import { Pick, TextArea, type Option } from "../../components/form";
import layout from "../../components/layout.module.css";
import { ShowCommand } from "../../components/ShowCommand";
import { commands } from "../../lib/commands";
import { differing } from "../../lib/json";
import { duration, percent } from "../../lib/format";
import { blank } from "../../lib/schema";
import { ActionButton } from "../../shell/actions";
import { useUrl } from "../../shell/url";
import css from "./versions.module.css";

const CONTESTANTS: Record<string, string> = {
  "n-grams": "N-grams",
  nearest: "Nearest example",
  "most-frequent": "Most frequent label",
};

/** A message on any two contestants, side by side. */
export function Playground({ task, versions }: { task: TaskInfo; versions: Version[] }) {
  const [search, setUrl] = useUrl();
  const [input, setInput] = useState("");
  const contestants = choices(task, versions);
  const sample = useQuery(sampleQuery(task.name)).data ?? "";
  const active = versions.find((version) => version.stage === "active")?.name ?? versions[0]?.name;
  const first =
    search.left ?? (task.has_baseline ? "baseline" : (versions.find((v) => v.name !== active)?.name ?? "base"));
  const second = search.right ?? active ?? "base";
  const ask = useMutation({
    mutationFn: () => {
      const contestants = [...new Set([first, second])];
      return reply(api.POST("/api/v1/compare", { body: { task: task.name, input, contestants } }));
    },
  });
  const ready = input.trim() !== "" && !ask.isPending;
  const askBoth = {
    ...{ id: "ask", label: "Ask both", group: "Playground", key: "mod+enter", always: true },
    ...{ disabled: !ready, run: () => ask.mutate() },
  };
  const answers = ask.data?.answers ?? [];
  const [a, b] = answers;
  const differs = a?.answer != null && b?.answer != null ? differing(a.answer, b.answer) : undefined;
  const command = commands.asking(task.name, first, second, input || sample || "…");
  return (
    <Card title="Try a message">
      <div className={layout.tight}>
        <TextArea
          label="Message"
          rows={4}
          value={input}
          placeholder={sample || "Write or paste a message"}
          onText={setInput}
        />
        <div className={css.ask}>
          <Pick aria-label="First model" options={contestants} value={first} onPick={(to) => setUrl({ left: to })} />
          <span className="muted">against</span>
          <Pick aria-label="Second model" options={contestants} value={second} onPick={(to) => setUrl({ right: to })} />
          <ActionButton action={askBoth} look="main" busy={ask.isPending && "Running …"} />
          {sample !== "" && input === "" && (
            <Button look="quiet" onClick={() => setInput(sample)}>
              Use this message
            </Button>
          )}
        </div>
        {ask.isError && <Failure error={ask.error} />}
        <div className={css.sides} aria-live="polite">
          {answers.map((answer) => (
            <OneAnswer
              key={answer.name}
              task={task}
              answer={answer}
              title={contestants.find((c) => c.value === answer.name)?.label ?? answer.name}
              differs={differs}
            />
          ))}
        </div>
        {differs && (
          <p className="muted">
            {differs.size === 0 ? "Both answers are the same." : "Fields marked ≠ are different."}
          </p>
        )}
        {command && <ShowCommand command={command} />}
      </div>
    </Card>
  );
}

function OneAnswer({
  task,
  answer,
  title,
  differs,
}: {
  task: TaskInfo;
  answer: Schemas["ContestantAnswer"];
  title: string;
  differs: Set<string> | undefined;
}) {
  return (
    <section className={css.answer} aria-label={title}>
      <header>
        <h3>{title}</h3>
        <span className="num">
          {answer.confidence != null && `${percent(answer.confidence)} confidence · `}
          {duration(answer.seconds)}
        </span>
      </header>
      <AnswerForm
        task={task}
        name={title}
        value={answer.answer ?? blank(task)}
        about={{ confidence: answer.fields ?? undefined, differing: differs }}
      />
    </section>
  );
}

function choices(task: TaskInfo, versions: Version[]): Option[] {
  const rules = task.has_baseline ? [{ value: "baseline", label: "Baseline" }] : [];
  const labels = task.form === "label" ? ["n-grams", "nearest", "most-frequent"] : ["nearest"];
  const taken = (kind: string) => versions.some((version) => version.name === kind);
  const contestants = labels
    .filter((kind) => !taken(kind))
    .map((kind) => ({ value: kind, label: CONTESTANTS[kind] ?? kind }));
  return [
    ...rules,
    ...contestants,
    { value: "base", label: "Base model without adapter" },
    ...versions.map((v) => ({ value: v.name, label: v.stage === "active" ? `${v.name} (active)` : v.name })),
  ];
}
