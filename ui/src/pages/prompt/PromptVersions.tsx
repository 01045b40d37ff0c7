import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { promptDiffQuery, promptQuery } from "../../api/queries";
import type { Schemas } from "../../api/types";
import { Card, Interval, Pill, TimeAgo } from "../../components/bits";
import { Button } from "../../components/Button";
import { RunLink, VersionLink } from "../../components/links";
import { Listed } from "../../components/Failure";
import { RunPill } from "../../components/pills";
import { Cell, DataTable, Table } from "../../components/Table";
import { count, label, number, significant } from "../../lib/format";
import { shown } from "../../lib/json";
import { useUrl } from "../../shell/url";
import css from "./prompt.module.css";

type Version = Schemas["PromptVersion"];
type Diff = Schemas["PromptDiff"];

/** The versions of a submitted text with what each reached, and what differs between two of them. */
export function PromptVersions({ id }: { id: number }) {
  const [search, setUrl] = useUrl();
  const query = useQuery(promptQuery(id));
  const chosen = Number(search.with ?? query.data?.parent);
  const before = chosen !== id && chosen > 0 ? chosen : undefined;
  return (
    <Card
      title={`Versions of text ${id}`}
      flush
      id="prompt-versions"
      side={
        <Button small look="quiet" onClick={() => setUrl({ prompt: undefined, with: undefined })}>
          Close
        </Button>
      }
    >
      <Listed query={query} height={120}>
        {({ versions }) => (
          <>
            <DataTable
              label="Versions of the text"
              stack
              rows={versions}
              by={(one) => one.id}
              about={(one) => ({ "aria-current": one.id === id || undefined })}
              columns={[
                { title: "Text", cell: nameOf },
                { title: "Submitted", cell: submitted },
                { title: "Examples", right: true, cell: ({ examples }) => number(examples) },
                { title: "Run", cell: runOf },
                { title: "Learned", right: true, cell: ({ reached }) => number(reached.learned) },
                { title: "Loss", right: true, cell: ({ reached }) => significant(reached.loss) },
                {
                  title: "Score",
                  name: ({ reached }) => reached.score && label(reached.score.name),
                  cell: ({ reached }) => <Interval metric={reached.score} />,
                },
                { title: "Version", cell: versionOf },
                {
                  title: "Compare",
                  hidden: true,
                  nowrap: true,
                  cell: (one) =>
                    one.id !== id && (
                      <Button
                        small
                        look="quiet"
                        aria-pressed={one.id === before}
                        onClick={() => setUrl({ with: String(one.id) })}
                      >
                        Compare
                      </Button>
                    ),
                },
              ]}
            />
            <p className={css.about}>
              {versions.length === 1 && "“Use this text again” in a job below makes the next version. "}A run learns
              from all approved examples of its task, not only from those of its text.
            </p>
            {before !== undefined && <Difference id={id} before={before} />}
          </>
        )}
      </Listed>
    </Card>
  );
}

const nameOf = ({ id, parent }: Version) => (
  <>
    {id} {parent != null && <span className="muted">version of {parent}</span>}
  </>
);

const submitted = ({ created_at, created_by }: Version) => (
  <>
    <TimeAgo at={created_at} /> · {created_by}
  </>
);

function runOf({ run, task, reached: { state } }: Version) {
  if (!state || !run) return <Pill tone="warn">{run ? "Run deleted" : "Not trained"}</Pill>;
  return (
    <RunLink id={run} task={task}>
      <RunPill state={state} />
    </RunLink>
  );
}

function versionOf({ task, reached: { version, active } }: Version) {
  if (!version) return "–";
  return (
    <>
      <VersionLink task={task} version={version} /> {active && <Pill tone="good">Active</Pill>}
    </>
  );
}

/** What differs, side by side. */
function Difference({ id, before }: { id: number; before: number }) {
  return (
    <Listed query={useQuery(promptDiffQuery(id, before))} lines={4} height={160}>
      {(diff) => (
        <>
          <p className={css.about} role="status">
            {summary(diff)}
          </p>
          <Table label={`Text ${before} and text ${id}`} columns={["What", `Text ${before}`, `Text ${id}`]}>
            <Changes diff={diff} />
          </Table>
        </>
      )}
    </Listed>
  );
}

function summary({ text: { counts } }: Diff) {
  const { added, removed, changed, same } = counts;
  return `${count(added, "example")} added, ${number(removed)} removed, ${number(changed)} with another answer, ${number(same)} the same.`;
}

function Changes({ diff }: { diff: Diff }) {
  const { heading, removed, added, changed, counts } = diff.text;
  const left = counts.removed + counts.added + counts.changed - removed.length - added.length - changed.length;
  const example = (one: Schemas["Understood"]) => (
    <>
      {one.input} <b>→ {answer(one.output)}</b>
    </>
  );
  return (
    <>
      {heading && <Change what="Heading" before={heading.before ?? "–"} after={heading.after ?? "–"} />}
      {diff.settings.map(({ name, before, after }) => (
        <Change key={name} what={label(name)} before={value(before)} after={value(after)} />
      ))}
      {changed.map((one, i) => (
        <Change
          key={`changed ${i}`}
          what={`Another answer: ${one.input}`}
          before={answer(one.before)}
          after={answer(one.after)}
        />
      ))}
      {removed.map((one, i) => (
        <Change key={`removed ${i}`} what="Removed" before={example(one)} />
      ))}
      {added.map((one, i) => (
        <Change key={`added ${i}`} what="Added" after={example(one)} />
      ))}
      {left > 0 && (
        <tr>
          <td colSpan={3}>{count(left, "more difference")} not shown.</td>
        </tr>
      )}
    </>
  );
}

function Change({ what, before, after }: { what: string; before?: ReactNode; after?: ReactNode }) {
  return (
    <tr>
      <Cell>{what}</Cell>
      <td className={before === undefined ? undefined : css.gone}>{before}</td>
      <td className={after === undefined ? undefined : css.fresh}>{after}</td>
    </tr>
  );
}

const answer = (output: unknown) => (output == null ? "(no answer)" : shown(output));
const value = (setting: unknown) => (setting == null ? "–" : shown(setting));
