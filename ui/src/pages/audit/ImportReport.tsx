import type { Schemas } from "../../api/types";
import { Failure } from "../../components/Failure";
import { Figure, Figures, Notice, Progress } from "../../components/bits";
import { count, label, number } from "../../lib/format";
import { shown } from "../../lib/json";

/** The progress of an import, and the outcome of every row. */
export function ImportReport({ job, error }: { job: Schemas["Import"] | undefined; error: unknown }) {
  if (error) return <Failure error={error} />;
  if (!job) return <p className="muted">Reading the file …</p>;
  const { report, problem } = job;
  const isPreview = job.preview.length > 0;
  const left = job.skipped.reduce((sum, kind) => sum + kind.count, 0);
  return (
    <div style={{ display: "grid", gap: 16 }} role="status">
      {job.state === "running" && (
        <>
          <Progress value={job.of > 0 ? (job.done / job.of) * 100 : null} label="Import" />
          <p className="num">
            {job.of > 0 ? `${number(job.done)} of ${number(job.of)} examples stored` : "Reading the file"}
          </p>
        </>
      )}
      {problem && (
        <Notice tone="bad" title={problem.title}>
          {problem.detail} {problem.hint}
        </Notice>
      )}
      {report && isPreview && (
        <>
          <Notice title={`Preview of ${count(report.examples, "message")}; nothing is stored.`} />
          <table aria-label="The first examples">
            <tbody>
              {job.preview.map((row) => (
                <tr key={row.at}>
                  <td className="muted">{row.at}</td>
                  <td>{row.input}</td>
                  <td>{shown(row.output)}</td>
                  <td>{row.review === "pending" ? "Unaudited" : "Approved"}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </>
      )}
      {report && !isPreview && (
        <>
          <Notice tone="good" title={`${count(report.examples, "message")} read.`} />
          <Figures>
            <Figure label="New" value={number(report.added)} />
            <Figure label="Updated" value={number(report.updated)} />
            <Figure label="Unchanged" value={number(report.unchanged)} />
            <Figure label="Decision kept" value={number(report.kept)} />
            <Figure label="With an answer" value={number(report.labelled)} />
            <Figure label="Unaudited" value={number(report.pending)} />
          </Figures>
        </>
      )}
      {job.notes.map((note) => (
        <p key={note} className="muted">
          {note}
        </p>
      ))}
      <Rows
        title={`${count(left, "row")} left out`}
        rows={job.skipped.map((one) => `${number(one.count)} × ${label(one.kind)} (first: ${one.first_where})`)}
      />
      <Rows
        title={`${count(job.problems.length, "row")} could not be read`}
        rows={job.problems.map((row) => `${row.at}: ${row.reason}`)}
      />
    </div>
  );
}

function Rows({ title, rows }: { title: string; rows: string[] }) {
  if (rows.length === 0) return null;
  return (
    <details>
      <summary>{title}</summary>
      <ul>
        {rows.map((row) => (
          <li key={row}>{row}</li>
        ))}
      </ul>
    </details>
  );
}
