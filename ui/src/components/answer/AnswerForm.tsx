import { get, set, type Json } from "../../lib/json";
import { fields, type Field, type Form } from "../../lib/schema";
import css from "./answer.module.css";
import { ValueField, type About } from "./ValueField";
import { ListTable } from "./ListTable";

interface Props {
  task: Form;
  value: Json;
  /** Absent if the answer is read-only. */
  onChange?: (value: Json) => void;
  about?: About;
  /** Distinguishes the labels of two forms side by side. */
  name?: string;
}

/** An answer's form, made from the task's schema. */
export function AnswerForm({ task, value, onChange, about = {}, name = "" }: Props) {
  const all = fields(task);
  return (
    <div className={css.form} role="group" aria-label={name || "Answer"}>
      {all.map((field) => (
        <FieldOf key={field.name} field={field} path={field.name} value={value} onChange={onChange} about={about} />
      ))}
    </div>
  );
}

interface PartProps {
  field: Field;
  path: string;
  value: Json;
  onChange?: (value: Json) => void;
  about: About;
}

function FieldOf({ field, path, value, onChange, about }: PartProps) {
  const here = path === "" ? value : get(value, path);
  const change = onChange && ((to: Json) => onChange(path === "" ? to : set(value, path, to)));
  if (field.kind === "group")
    return (
      <fieldset className={css.group}>
        <legend>{field.name}</legend>
        {field.fields.map((inner) => (
          <FieldOf
            key={inner.name}
            field={inner}
            path={`${path}.${inner.name}`}
            value={value}
            onChange={onChange}
            about={about}
          />
        ))}
      </fieldset>
    );
  if (field.kind === "list")
    return (
      <ListTable field={field} path={path} value={Array.isArray(here) ? here : []} onChange={change} about={about} />
    );
  return <ValueField field={field} path={path} value={here ?? null} onChange={change} about={about} labelled />;
}
