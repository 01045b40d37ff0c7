import { useState } from "react";
import { TextArea } from "../../components/form";
import { isObject, type JsonObject } from "../../lib/json";
import css from "./tasks.module.css";

interface Props {
  schema: JsonObject;
  onChange: (schema: JsonObject) => void;
  open?: boolean;
}

/** The schema as text, for settings that the table does not offer. */
export function SchemaText({ schema, onChange, open }: Props) {
  const [text, setText] = useState<string | null>(null);
  const [wrong, setWrong] = useState("");
  const type = (to: string) => {
    setText(to);
    try {
      const made: unknown = JSON.parse(to);
      if (!isObject(made)) throw new Error("it is no JSON object");
      setWrong("");
      onChange(made);
    } catch (error) {
      setWrong(`Not used yet: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  return (
    <details className={css.preview} open={open}>
      <summary>JSON Schema</summary>
      <TextArea
        label="Schema"
        className={css.code}
        rows={14}
        spellCheck={false}
        error={wrong || undefined}
        value={text ?? JSON.stringify(schema, null, 2)}
        onBlur={() => !wrong && setText(null)}
        onText={type}
      />
    </details>
  );
}
