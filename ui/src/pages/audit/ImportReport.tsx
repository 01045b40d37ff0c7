import type { Schemas } from "../../api/types";
import { Failure } from "../../components/Failure";
import { Figure, Figures, Notice, Progress } from "../../components/bits";
import { count, label, number } from "../../lib/format";

/** The progress of an import, and the outcome of every row. */
export function ImportReport({ job, error }: { job: Schemas["Import"] | undefined; error: unknown }) {
  if (error) return <Failure error={error} />;
  if (!job) return <p className="muted">Reading the file …</p>;
  const { report, problem } = job;
  const isPreview = job.preview.length > 0;
  const left = job.skipped.reduce((sum, kind) => sum + kind.count, 0);
  return (
    <div style={{ display: "grid", gap: 16 }} role="status">
      {job.state === "running" && <Progress value={job.of > 0 ? (job.done / job.of) * 100 : null} label="Import" />}
      {job.state === "running" && (
        <p className="num">
          {job.of > 0 ? `${number(job.done)} of ${number(job.of)} examples stored` : "Reading the file"}
        </p>
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
      {report && !isPreview && <Notice tone="good" title={`${count(report.examples, "message")} read.`} />}
      {report && !isPreview && (
        <Figures>
          <Figure label="New" value={number(report.added)} />
          <Figure label="Updated" value={number(report.updated)} />
          <Figure label="Unchanged" value={number(report.unchanged)} />
          <Figure label="Decision kept" value={number(report.kept)} />
          <Figure label="With an answer" value={number(report.labelled)} />
          <Figure label="Unaudited" value={number(report.pending)} />
        </Figures>
      )}
      {job.notes.map((note) => (
        <p key={note} className="muted">
          {note}
        </p>
      ))}
      {left > 0 && (
        <details>
          <summary>{count(left, "row")} left out</summary>
          <ul>
            {job.skipped.map((kind) => (
              <li key={kind.kind}>
                {number(kind.count)} × {label(kind.kind)} (first: {kind.first_where})
              </li>
            ))}
          </ul>
        </details>
      )}
      {job.problems.length > 0 && (
        <details>
          <summary>{count(job.problems.length, "row")} could not be read</summary>
          <ul>
            {job.problems.map((row) => (
              <li key={row.at}>
                {row.at}: {row.reason}
              </li>
            ))}
          </ul>
        </details>
      )}
    </div>
  );
}

/** An answer in one line. */
function shown(output: unknown): string {
  if (output === null || output === undefined) return "";
  return typeof output === "string" ? output : JSON.stringify(output);
}
