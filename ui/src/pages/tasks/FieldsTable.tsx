import type { FieldGuess } from "../../api/types";
import { Button } from "../../components/Button";
import { Pick } from "../../components/form";
import { DataTable } from "../../components/Table";
import {
  allowNull,
  at,
  fix,
  ground,
  isFixed,
  isGrounded,
  isOptional,
  leaveOut,
  retype,
  typeOf,
  TYPES,
} from "../../lib/draftSchema";
import type { JsonObject } from "../../lib/json";
import css from "./tasks.module.css";

interface Props {
  schema: JsonObject;
  fields: FieldGuess[];
  onChange: (schema: JsonObject) => void;
}

const WORDS = { string: "Text", number: "Number", integer: "Whole number", boolean: "Yes or no" };
const KINDS: Record<string, string> = { array: "List", object: "Object", ...WORDS };
const OPTIONS = TYPES.map((value) => ({ value, label: WORDS[value] }));

/** Each field with its evidence, to be corrected. */
export function FieldsTable({ schema, fields, onChange }: Props) {
  const of = ({ pointer }: FieldGuess) => at(schema, pointer);
  const isFree = (field: FieldGuess) => typeOf(of(field)) !== null && !isFixed(of(field));
  const copies = (field: FieldGuess) => typeOf(of(field)) === "string" && !isFixed(of(field));
  const fixes = (field: FieldGuess) => typeOf(of(field)) === "string" && field.values.length > 0;
  const box = (label: string, checked: boolean, change: (on: boolean) => JsonObject) => (
    <input
      type="checkbox"
      aria-label={label}
      checked={checked}
      onChange={(event) => onChange(change(event.target.checked))}
    />
  );
  const type = (field: FieldGuess) => {
    const { path, pointer, types } = field;
    const value = typeOf(of(field));
    if (!value || !isFree(field)) return types.map((one) => KINDS[one] ?? one).join(" or ");
    const retyped = (to: typeof value) => onChange(retype(schema, pointer, to));
    return <Pick small aria-label={`Type of ${path}`} value={value} options={OPTIONS} onPick={retyped} />;
  };
  const leave = ({ path, pointer }: FieldGuess) => {
    const without = leaveOut(schema, pointer);
    if (!without) return null;
    return (
      <Button small look="quiet" icon="cross" aria-label={`Leave out ${path}`} onClick={() => onChange(without)} />
    );
  };
  return (
    <DataTable
      label="Fields"
      stack
      rows={fields.filter((field) => of(field) !== null)}
      by={({ pointer }) => pointer}
      columns={[
        { title: "Field", head: true, cell: ({ path }) => <code>{path}</code> },
        { title: "Type", cell: type },
        {
          title: "May be empty",
          only: (field) => typeOf(of(field)) !== null,
          cell: (field) =>
            box(`${field.path} may be empty`, isOptional(of(field)), (on) => allowNull(schema, field.pointer, on)),
        },
        {
          title: "Copied from the text",
          only: copies,
          cell: (field) =>
            box(`${field.path} is copied from the text`, isGrounded(of(field)), (on) =>
              ground(schema, field.pointer, on),
            ),
        },
        {
          title: "Fixed values",
          only: fixes,
          cell: (field) => (
            <label className={css.fixed}>
              {box(`${field.path} has fixed values`, isFixed(of(field)), (on) =>
                fix(schema, field.pointer, on ? field.values : null),
              )}
              <span>{field.values.join(", ")}</span>
            </label>
          ),
        },
        {
          title: "Evidence",
          full: true,
          cell: ({ evidence }) => <span className={css.why}>{evidence.join(" ")}</span>,
        },
        { title: "Leave out", hidden: true, right: true, corner: true, cell: leave },
      ]}
    />
  );
}
