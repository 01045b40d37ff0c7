import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, ifMatch, reply, tagged, type Tagged } from "../../api/client";
import type { Schemas } from "../../api/types";
import { Card, Notice, Skeleton } from "../../components/bits";
import { Failure } from "../../components/Failure";
import { Check, Field, Input } from "../../components/form";
import { SaveForm } from "../../components/SaveForm";
import { commands } from "../../lib/commands";
import { percent } from "../../lib/format";
import { useDebounced } from "../../lib/useDebounced";
import css from "./settings.module.css";

type AskAiSettings = Schemas["Settings"];

/** The Ask AI settings: on or off, folder, confidence threshold. */
export function AskAi() {
  const query = useQuery({ queryKey: ["settings"], queryFn: () => tagged(api.GET("/api/v1/settings")) });
  if (query.isPending) return <Skeleton lines={5} height={300} />;
  if (query.error) return <Failure error={query.error} retry={() => void query.refetch()} />;
  return <Form key={query.data.etag} {...query.data} />;
}

function Form({ body: saved, etag }: Tagged<AskAiSettings>) {
  const [draft, setDraft] = useState(saved);
  const settled = useDebounced(draft, 300);
  const check = useQuery({
    queryKey: ["settings", "check", settled],
    queryFn: () => reply(api.POST("/api/v1/settings/validate", { body: settled })),
    placeholderData: (old) => old,
    retry: false,
  });
  const change = (part: Partial<AskAiSettings>) => setDraft((old) => ({ ...old, ...part }));
  const wrong = (field: keyof AskAiSettings) => check.data?.errors.find((error) => error.field === field)?.detail;
  const dirty = JSON.stringify(draft) !== JSON.stringify(saved);
  return (
    <Card title="Soft prompt">
      <SaveForm
        className={css.settings}
        save={() => api.PUT("/api/v1/settings", { body: draft, params: { header: ifMatch(etag) } })}
        said="Active at once, without a restart."
        dirty={dirty}
        ready={check.data?.ok !== false}
        onDiscard={() => setDraft(saved)}
        list="settings"
        command={commands.putting("/api/v1/settings", draft)}
      >
        <Check
          label="Suggest an answer when the service has none or only weak ones"
          checked={draft.softPromptEnabled}
          onChange={(e) => change({ softPromptEnabled: e.target.checked })}
        />
        {wrong("softPromptEnabled") && <Notice tone="bad">{wrong("softPromptEnabled")}</Notice>}
        <Input
          label="Model directory"
          error={wrong("softPromptModelDir")}
          hint="Directory of the trained adapters. It must contain a valid one while this is on."

          className="mono"
          value={draft.softPromptModelDir}
          onText={(softPromptModelDir) => change({ softPromptModelDir })}
        />
        <Field
          label={`Confidence threshold: ${percent(draft.softPromptConfidenceThreshold)}`}
          error={wrong("softPromptConfidenceThreshold")}
          hint="Suggestions with a lower confidence are not shown"
        >
          {(field) => (
            <input
              {...field}
              type="range"
              min={0}
              max={1}
              step={0.01}
              value={draft.softPromptConfidenceThreshold}
              onChange={(e) => change({ softPromptConfidenceThreshold: Number(e.target.value) })}
            />
          )}
        </Field>
      </SaveForm>
    </Card>
  );
}
