import { BarList } from "../../components/BarList";
import { Card } from "../../components/bits";
import layout from "../../components/layout.module.css";
import { label } from "../../lib/format";

/** Number of examples for each value of each field. */
export function FieldCounts({ fields }: { fields: Record<string, Record<string, number>> }) {
  const shown = Object.entries(fields).filter(([, values]) => Object.keys(values).length > 0);
  return (
    <div className={layout.two}>
      {shown.map(([name, values]) => (
        <Card key={name} title={label(name.replace("[].", ": ")) || "Answers"}>
          <BarList label={`Values of ${name}`} values={values} limit={8} />
        </Card>
      ))}
    </div>
  );
}
