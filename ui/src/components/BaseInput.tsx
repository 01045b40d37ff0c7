import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useId } from "react";
import { baseQuery, systemQuery } from "../api/queries";
import { useDebounced } from "../lib/useDebounced";
import { Field, Input } from "./form";
import { PullButton, PullState } from "./Pull";
import css from "./pull.module.css";

const DEFAULT = "smollm2-135m";

interface Props {
  value: string;
  onText: (base: string) => void;
  hint?: string;
  error?: string;
}

/** The base model of a training: any name, ID or path; those that are here are offered, others downloaded. */
export function BaseInput({ value, onText, hint, error }: Props) {
  const known = useId();
  const system = useQuery(systemQuery);
  const settled = useDebounced(value.trim(), 350);
  const bases = new Set([...(system.data?.bases.map((base) => base.name) ?? []), DEFAULT]);
  return (
    <Field label="Base model" {...{ hint, error }}>
      {(about) => (
        <>
          <Input {...about} list={known} placeholder={DEFAULT} {...{ value, onText }} />
          <datalist id={known}>
            {[...bases].map((base) => (
              <option key={base} value={base} />
            ))}
          </datalist>
          <Missing name={settled || DEFAULT} />
        </>
      )}
    </Field>
  );
}

/** The download of a base model that is not here. */
function Missing({ name }: { name: string }) {
  const client = useQueryClient();
  const { data: base } = useQuery({ ...baseQuery(name), enabled: !/^[./~]/.test(name) });
  const done = base?.pull?.state === "done";
  // What can be told only with the model at hand is asked again.
  useEffect(() => {
    if (done)
      for (const key of ["preflight", "system", "mask", "example"]) void client.invalidateQueries({ queryKey: [key] });
  }, [client, done]);
  if (!base || (base.present && base.pull?.state !== "running")) return null;
  return (
    <div className={css.missing}>
      <PullState base={base} />
      <PullButton base={base} />
    </div>
  );
}
