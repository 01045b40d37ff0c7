import { useQuery } from "@tanstack/react-query";
import { api, ifMatch, reply, tagged, type Tagged } from "../../api/client";
import { read } from "../../api/queries";
import type { Schemas } from "../../api/types";
import { Card, Notice } from "../../components/bits";
import { Check, Field, Input, Slider, useFields } from "../../components/form";
import { Loaded } from "../../components/Failure";
import { SaveForm } from "../../components/SaveForm";
import { commands } from "../../lib/commands";
import { percent } from "../../lib/format";
import { useDebounced } from "../../lib/useDebounced";
import css from "./settings.module.css";

type AskAiSettings = Schemas["Settings"];

/** The Ask AI settings: on or off, folder, confidence threshold. */
export function AskAi() {
  const query = useQuery(read(["settings"], () => tagged(api.GET("/api/v1/settings"))));
  return (
    <Loaded query={query} lines={5} height={300}>
      {(data) => <Form key={data.etag} {...data} />}
    </Loaded>
  );
}

function Form({ body: saved, etag }: Tagged<AskAiSettings>) {
  const { values: draft, change, text, check } = useFields(saved);
  const settled = useDebounced(draft, 300);
  const { data: found } = useQuery(
    read(["settings", "check", settled], () => reply(api.POST("/api/v1/settings/validate", { body: settled })), {
      placeholderData: (old) => old,
      retry: false,
    }),
  );
  const wrong = (field: keyof AskAiSettings) => found?.errors.find((error) => error.field === field)?.detail;
  return (
    <Card title="Soft prompt">
      <SaveForm
        className={css.settings}
        save={() => api.PUT("/api/v1/settings", { body: draft, params: { header: ifMatch(etag) } })}
        said="Active at once, without a restart."
        dirty={JSON.stringify(draft) !== JSON.stringify(saved)}
        ready={found?.ok !== false}
        onDiscard={() => change(saved)}
        list="settings"
        command={commands.putting("/api/v1/settings", draft)}
      >
        <Check label="Suggest an answer when the service has none or only weak ones" {...check("softPromptEnabled")} />
        {wrong("softPromptEnabled") && <Notice tone="bad">{wrong("softPromptEnabled")}</Notice>}
        <Input
          label="Model directory"
          error={wrong("softPromptModelDir")}
          hint="Directory of the trained adapters. It must contain a valid one while this is on."
          className="mono"
          {...text("softPromptModelDir")}
        />
        <Field
          label={`Confidence threshold: ${percent(draft.softPromptConfidenceThreshold)}`}
          error={wrong("softPromptConfidenceThreshold")}
          hint="Suggestions with a lower confidence are not shown"
        >
          {(about) => (
            <Slider
              {...about}
              value={draft.softPromptConfidenceThreshold}
              onSlide={(to) => change({ softPromptConfidenceThreshold: to })}
            />
          )}
        </Field>
      </SaveForm>
    </Card>
  );
}
