import { useQuery } from "@tanstack/react-query";
import { useId } from "react";
import { systemQuery } from "../api/queries";
import { Field, Input } from "./form";

const DEFAULT = "smollm2-135m";

interface Props {
  value: string;
  onText: (base: string) => void;
  hint?: string;
  error?: string;
}

/** The base model of a training: any name, ID or path; those that are here are offered. */
export function BaseInput({ value, onText, hint, error }: Props) {
  const known = useId();
  const system = useQuery(systemQuery);
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
        </>
      )}
    </Field>
  );
}
