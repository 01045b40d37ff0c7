import { Input, Pick } from "../../components/form";
import layout from "../../components/layout.module.css";
import type { Columns } from "../../lib/commands";

const HEADING = [
  { value: "", label: "Detect" },
  { value: "yes", label: "Header with column names" },
  { value: "no", label: "An example" },
];
const COLUMNS = [
  { name: "text", label: "Text column" },
  { name: "label", label: "Answer column" },
  { name: "id", label: "ID column" },
] as const;

/** The columns of a table; Graft detects those that are left empty. */
export function ColumnFields({ columns, onChange }: { columns: Columns; onChange: (columns: Columns) => void }) {
  return (
    <div className={layout.fields}>
      {COLUMNS.map(({ name, label }) => (
        <Input
          key={name}
          label={label}
          hint={name === "text" ? "Column name or number" : undefined}
          placeholder={name === "id" ? "none" : "detected"}
          value={columns[name]}
          onText={(to) => onChange({ ...columns, [name]: to })}
        />
      ))}
      <Pick
        label="First row"
        options={HEADING}
        value={columns.heading}
        onPick={(to) => onChange({ ...columns, heading: to as Columns["heading"] })}
      />
    </div>
  );
}

/** The columns as the API takes them: only what was said. */
export function asked({ heading, ...names }: Columns): Record<string, string | boolean> {
  const said = Object.entries(names).flatMap(([name, value]) => (value.trim() === "" ? [] : [[name, value.trim()]]));
  return { ...Object.fromEntries(said), ...(heading === "" ? {} : { heading: heading === "yes" }) };
}
