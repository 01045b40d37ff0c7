import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { settings, type AskAiSettings } from "../../api/calls";
import { Problem } from "../../api/http";
import { Button } from "../../components/Button";
import { Card, Notice, Skeleton } from "../../components/bits";
import { Failure } from "../../components/Failure";
import { Check, Field, Input } from "../../components/form";
import layout from "../../components/layout.module.css";
import { say } from "../../components/toasts";
import { percent } from "../../lib/format";
import { useDebounced } from "../../lib/useDebounced";

/** The Ask AI service's soft prompt: on or off, where, and how sure it must be. */
export function AskAi() {
  const query = useQuery({ queryKey: ["settings"], queryFn: settings.read });
  if (query.isPending) return <Skeleton lines={5} height={300} />;
  if (query.error) return <Failure error={query.error} retry={() => void query.refetch()} />;
  return <Form key={query.data.etag} saved={query.data.body} etag={query.data.etag} />;
}

function Form({ saved, etag }: { saved: AskAiSettings; etag: string | null }) {
  const [draft, setDraft] = useState(saved);
  const client = useQueryClient();
  const settled = useDebounced(draft, 300);
  const check = useQuery({
    queryKey: ["settings", "check", settled],
    queryFn: () => settings.validate(settled),
    placeholderData: (old) => old,
    retry: false,
  });
  const save = useMutation({
    mutationFn: () => settings.write(draft, etag),
    onSuccess: () => {
      say("Saved", { detail: "In force at once; nothing restarts." });
      void client.invalidateQueries({ queryKey: ["settings"] });
    },
  });
  const change = (part: Partial<AskAiSettings>) => setDraft((old) => ({ ...old, ...part }));
  const wrong = (field: keyof AskAiSettings) => check.data?.errors.find((error) => error.field === field)?.detail;
  const dirty = JSON.stringify(draft) !== JSON.stringify(saved);
  const stale = save.error instanceof Problem && save.error.status === 412;
  return (
    <Card title="Soft prompt">
      <form
        className={layout.tight}
        style={{ maxWidth: "38rem", gap: 20 }}
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate();
        }}
      >
        <Check
          label="Write a suggestion where the service has none, or only weak ones"
          checked={draft.softPromptEnabled}
          onChange={(e) => change({ softPromptEnabled: e.target.checked })}
        />
        {wrong("softPromptEnabled") && <Notice tone="bad">{wrong("softPromptEnabled")}</Notice>}
        <Field
          label="Model directory"
          error={wrong("softPromptModelDir")}
          hint="Holds the trained adapters; must hold one that loads while this is on"
        >
          {(field) => (
            <Input
              {...field}
              className="mono"
              value={draft.softPromptModelDir}
              onChange={(e) => change({ softPromptModelDir: e.target.value })}
            />
          )}
        </Field>
        <Field
          label={`Confidence threshold: ${percent(draft.softPromptConfidenceThreshold)}`}
          error={wrong("softPromptConfidenceThreshold")}
          hint="A suggestion that is less sure is not shown"
        >
          {(field) => (
            <input
              {...field}
              type="range"
              min={0}
              max={1}
              step={0.01}
              style={{ accentColor: "var(--accent)" }}
              value={draft.softPromptConfidenceThreshold}
              onChange={(e) => change({ softPromptConfidenceThreshold: Number(e.target.value) })}
            />
          )}
        </Field>
        {stale && (
          <Notice tone="warn" title="Somebody changed these settings meanwhile.">
            <Button small onClick={() => void client.invalidateQueries({ queryKey: ["settings"] })}>
              Load theirs
            </Button>
          </Notice>
        )}
        {save.error && !stale && <Failure error={save.error} />}
        <div className={layout.row}>
          <Button
            look="main"
            type="submit"
            disabled={!dirty || check.data?.ok === false}
            busy={save.isPending && "Saving …"}
          >
            Save
          </Button>
          {dirty && (
            <Button look="quiet" onClick={() => setDraft(saved)}>
              Discard
            </Button>
          )}
        </div>
      </form>
    </Card>
  );
}
