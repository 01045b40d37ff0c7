import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { promptDiffQuery, promptQuery } from "../../api/queries";
import type { Schemas } from "../../api/types";
import { Card, Pill } from "../../components/bits";
import { Button } from "../../components/Button";
import { Interval } from "../../components/Interval";
import { Listed } from "../../components/Listed";
import { RunPill } from "../../components/RunPill";
import { Cell, Table } from "../../components/Table";
import { TimeAgo } from "../../components/TimeAgo";
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
  const versions = query.data?.versions ?? [];
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
      <Listed query={query} lines={3} height={120}>
        <Table
          label="Versions of the text"
          stack
          columns={[
            "Text",
            "Submitted",
            { title: "Examples", right: true },
            "Run",
            { title: "Learned", right: true },
            { title: "Loss", right: true },
            "Score",
            "Version",
            { hidden: "Compare" },
          ]}
        >
          {versions.map((version) => (
            <Row
              key={version.id}
              version={version}
              isShown={version.id === id}
              isBefore={version.id === before}
              onCompare={() => setUrl({ with: String(version.id) })}
            />
          ))}
        </Table>
        <p className={css.about}>
          {versions.length === 1 && "“Use this text again” in a job below makes the next version. "}A run learns from
          all approved examples of its task, not only from those of its text.
        </p>
        {before !== undefined && <Difference id={id} before={before} />}
      </Listed>
    </Card>
  );
}

function Row(props: { version: Version; isShown: boolean; isBefore: boolean; onCompare: () => void }) {
  const { id, parent, examples, created_at, created_by, task, run, reached } = props.version;
  return (
    <tr aria-current={props.isShown || undefined}>
      <Cell label="Text">
        {id} {parent != null && <span className="muted">version of {parent}</span>}
      </Cell>
      <Cell label="Submitted">
        <TimeAgo at={created_at} /> · {created_by}
      </Cell>
      <Cell label="Examples" right>
        {number(examples)}
      </Cell>
      <Cell label="Run">
        {reached.state && run ? (
          <Link to="/runs/$id" params={{ id: run }} search={{ task }}>
            <RunPill state={reached.state} />
          </Link>
        ) : (
          <Pill tone="warn">{run ? "Run deleted" : "Not trained"}</Pill>
        )}
      </Cell>
      <Cell label="Learned" right>
        {reached.learned == null ? "–" : number(reached.learned)}
      </Cell>
      <Cell label="Loss" right>
        {significant(reached.loss)}
      </Cell>
      <Cell label={reached.score ? label(reached.score.name) : "Score"}>
        <Interval metric={reached.score} />
      </Cell>
      <Cell label="Version">
        {reached.version ? (
          <>
            <Link to="/versions" search={{ task, version: reached.version }}>
              {reached.version}
            </Link>{" "}
            {reached.active && <Pill tone="good">Active</Pill>}
          </>
        ) : (
          "–"
        )}
      </Cell>
      <Cell nowrap>
        {!props.isShown && (
          <Button small look="quiet" aria-pressed={props.isBefore} onClick={props.onCompare}>
            Compare
          </Button>
        )}
      </Cell>
    </tr>
  );
}

/** What differs, side by side. */
function Difference({ id, before }: { id: number; before: number }) {
  const query = useQuery(promptDiffQuery(id, before));
  const diff = query.data;
  return (
    <Listed query={query} lines={4} height={160}>
      {diff && (
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
