import { differences } from "../lib/diff";
import { label } from "../lib/format";
import { shown } from "../lib/json";
import { answerOf, type Entry } from "../lib/outbox";
import css from "./shell.module.css";

/** The differences between the own decision and the other one. */
export function ConflictTable({ entry }: { entry: Entry }) {
  const current = entry.conflict;
  if (!current) return null;
  const { deed } = entry;
  const rows = deed.action === "approve" ? differences(answerOf(entry), current.output) : [];
  const said = { approve: "approved", edit: "edited", undo: "unaudited", reject: "" }[deed.action];
  return (
    <div className={css.compare}>
      <p>{entry.title}</p>
      <table>
        <thead>
          <tr>
            <th scope="col">Field</th>
            <th scope="col">Mine</th>
            <th scope="col">Theirs</th>
          </tr>
        </thead>
        <tbody>
          <tr>
            <th scope="row">Decision</th>
            <td>{deed.action === "reject" ? `rejected (${deed.reason})` : said}</td>
            <td>
              {current.review.state}
              {"reason" in current.review && ` (${current.review.reason})`}
            </td>
          </tr>
          {rows.map((row) => (
            <tr key={row.path}>
              <th scope="row">{label(row.path) || "Answer"}</th>
              <td>{shown(row.left) || "–"}</td>
              <td>{shown(row.right) || "–"}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
