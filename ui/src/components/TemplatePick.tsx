import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { api, reply, where } from "../api/client";
import { filledQuery, templatesQuery } from "../api/queries";
import type { Schemas } from "../api/types";
import { useSettled } from "../lib/useDebounced";
import { Button } from "./Button";
import { Confirm } from "./Confirm";
import { Failure } from "./Failure";
import { Input, Pick } from "./form";
import layout from "./layout.module.css";
import { useAct } from "./useAct";

export type Template = Schemas["TaskTemplate"];
type Variable = Schemas["TemplateVariable"];

interface Props {
  /** The chosen one, by name. */
  name: string | undefined;
  /** While none is chosen. */
  hint: string;
  /** Only the examples are used: variables that they don't have are not asked for. */
  examplesOnly?: boolean;
  onPick: (name: string | undefined) => void;
  /** Gets the chosen template with its variables filled in, again after each change of a value. */
  onFilled: (template: Template) => void;
}

/** Chooses a template and fills in its variables. Those that people saved can be deleted. */
export function TemplatePick({ name, hint, examplesOnly, onPick, onFilled }: Props) {
  const [typed, setTyped] = useState<Record<string, Record<string, string>>>({});
  const [asking, setAsking] = useState(false);
  const templates = useQuery(templatesQuery).data ?? [];
  const template = templates.find((one) => one.name === name);
  const all = template?.variables ?? [];
  const variables = examplesOnly ? all.filter((one) => template?.examples?.includes(`{{${one.name}}}`)) : all;
  const typedOf = (one: Variable) => typed[template?.name ?? ""]?.[one.name] ?? one.value ?? "";
  const values = Object.fromEntries(
    all.map((one) => [one.name, variables.includes(one) ? typedOf(one).trim() : one.value || one.name]),
  );
  const settled = useSettled({ name: template?.name ?? "", values }, 400);
  const isWhole = Object.values(settled.values).every((value) => value !== "");
  const filled = useQuery(filledQuery(settled.name, settled.values, settled.name !== "" && isWhole));
  const told = useRef<Template | null>(null);
  useEffect(() => {
    if (!template) told.current = null;
    else if (filled.data?.name === template.name && filled.data !== told.current) {
      told.current = filled.data;
      onFilled(filled.data);
    }
  });
  const remove = useAct((name: string) => reply(api.DELETE("/api/v1/templates/{name}", where({ name }))), {
    said: "The template is deleted",
    old: [["templates"]],
    done: () => {
      setAsking(false);
      onPick(undefined);
    },
  });
  return (
    <>
      <Pick
        label="Template"
        hint={template ? template.about || (template.saved_by && `Saved by ${template.saved_by}.`) : hint}
        value={template?.name ?? ""}
        options={[{ value: "", label: "None" }, ...templates.map((one) => ({ value: one.name, label: one.title }))]}
        onPick={(to) => onPick(to || undefined)}
      />
      {template && variables.length > 0 && (
        <div className={layout.fields}>
          {variables.map((one) => (
            <Input
              key={one.name}
              label={one.title || one.name}
              value={typedOf(one)}
              onText={(to) => setTyped({ ...typed, [template.name]: { ...typed[template.name], [one.name]: to } })}
            />
          ))}
        </div>
      )}
      {template && !isWhole && <p>Fill in every field of the template to use it.</p>}
      {template && filled.isError && <Failure error={filled.error} />}
      {template?.saved_by && (
        <div>
          <Button small look="quiet" onClick={() => setAsking(true)}>
            Delete this template
          </Button>
        </div>
      )}
      <Confirm
        open={asking}
        title={`Delete the template “${template?.title}”?`}
        yes="Delete"
        danger
        busy={remove.isPending && "Deleting …"}
        onYes={() => template && remove.mutate(template.name)}
        onNo={() => setAsking(false)}
      >
        <p>Tasks that were made of it stay as they are.</p>
      </Confirm>
    </>
  );
}
