import type { FieldGuess } from "../../api/types";
import { Button } from "../../components/Button";
import { Pick as Picker } from "../../components/form";
import { Cell, Table } from "../../components/Table";
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
  const shown = fields.filter((field) => at(schema, field.pointer));
  return (
    <Table
      label="Fields"
      stack
      columns={[
        "Field",
        "Type",
        "May be empty",
        "Copied from the text",
        "Fixed values",
        "Evidence",
        { hidden: "Leave out" },
      ]}
    >
      {shown.map((field) => (
        <Row key={field.pointer} {...{ field, schema, onChange }} />
      ))}
    </Table>
  );
}

function Row({ field, schema, onChange }: { field: FieldGuess } & Pick<Props, "schema" | "onChange">) {
  const { path, pointer, values } = field;
  const here = at(schema, pointer);
  const type = typeOf(here);
  const fixed = isFixed(here);
  const copies = type === "string" && !fixed;
  const fixes = type === "string" && values.length > 0;
  const without = leaveOut(schema, pointer);
  return (
    <tr>
      <th scope="row">
        <code>{path}</code>
      </th>
      <Cell label="Type">
        {type && !fixed ? (
          <Picker
            small
            aria-label={`Type of ${path}`}
            value={type}
            options={OPTIONS}
            onPick={(to) => onChange(retype(schema, pointer, to))}
          />
        ) : (
          field.types.map((one) => KINDS[one] ?? one).join(" or ")
        )}
      </Cell>
      <Cell label={type ? "May be empty" : undefined}>
        {type && (
          <input
            type="checkbox"
            aria-label={`${path} may be empty`}
            checked={isOptional(here)}
            onChange={(event) => onChange(allowNull(schema, pointer, event.target.checked))}
          />
        )}
      </Cell>
      <Cell label={copies ? "Copied from the text" : undefined}>
        {copies && (
          <input
            type="checkbox"
            aria-label={`${path} is copied from the text`}
            checked={isGrounded(here)}
            onChange={(event) => onChange(ground(schema, pointer, event.target.checked))}
          />
        )}
      </Cell>
      <Cell label={fixes ? "Fixed values" : undefined}>
        {fixes && (
          <label className={css.fixed}>
            <input
              type="checkbox"
              aria-label={`${path} has fixed values`}
              checked={fixed}
              onChange={(event) => onChange(fix(schema, pointer, event.target.checked ? values : null))}
            />
            <span>{values.join(", ")}</span>
          </label>
        )}
      </Cell>
      <Cell label="Evidence" full>
        <span className={css.why}>{field.evidence.join(" ")}</span>
      </Cell>
      <Cell right corner>
        {without && (
          <Button small look="quiet" icon="cross" aria-label={`Leave out ${path}`} onClick={() => onChange(without)} />
        )}
      </Cell>
    </tr>
  );
}
