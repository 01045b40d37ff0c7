import { useState } from "react";
import { api, reply, where } from "../../api/client";
import type { Evaluation, Schemas, Version } from "../../api/types";
import { Card, Empty, Interval, Notice, Pill } from "../../components/bits";
import { Button } from "../../components/Button";
import { Confirm } from "../../components/Confirm";
import { DataTable } from "../../components/Table";
import { useAct } from "../../components/useAct";
import { Verdict } from "../../components/pills";
import { commands } from "../../lib/commands";
import { count, duration, number } from "../../lib/format";
import { headline, ranked, titleOf, type Ranked } from "../../lib/scores";
import { sayActive } from "./VersionActions";

interface Props {
  version: Version;
  evaluation: Evaluation;
  active: Version | undefined;
}

/** The scores of this version, its base model and the contestants, the best first. */
export function Contestants({ version, evaluation, active }: Props) {
  const mine = headline(evaluation.adapter);
  const n = evaluation.adapter.n;
  if (!mine || n === 0)
    return (
      <Card title="Who answers best">
        <Empty title="Nothing was held out" />
      </Card>
    );
  const title = titleOf(mine.name);
  const all = ranked(evaluation, version.name, version.method);
  const few = all.find((one) => one.crossed)?.crossed?.n;
  return (
    <Card title="Who answers best" side={<span>{number(n)} held-out examples</span>} flush>
      <DataTable
        label="Contestants"
        stack
        rows={all}
        by={({ who }) => who}
        columns={[
          { title: "Who", head: true, cell: nameOf },
          { title, cell: (one) => <Interval metric={one.metric} tone={one.mine ? "main" : "quiet"} /> },
          {
            title: `${version.name} is`,
            cell: (one) => (one.mine ? "–" : <Verdict mine={mine} other={one.metric} n={n} />),
          },
          few != null && {
            title: "Cross-validated",
            cell: (one) => <Interval metric={headline(one.crossed)} tone="quiet" />,
          },
          { title: "An answer takes", cell: (one) => time(one.seconds) },
          { title: "Fitted in", cell: (one) => time(one.fitted) },
          {
            title: "Serve",
            hidden: true,
            cell: (one) => one.kind && <Serve version={version} one={one} kind={one.kind} active={active} />,
          },
        ]}
      />
      {few && (
        <Notice title={`${title} of ${version.name} rests on ${count(n, "example")}.`}>
          There are {number(few)} examples in all. Contestants are also cross-validated on all of them: each example is
          answered by one that was fitted to the others. For an adapter that would take as many trainings.
        </Notice>
      )}
      {evaluation.from_parser > 0 && evaluation.contestants.some(({ kind }) => kind === "rules") && (
        <Notice tone="warn" title="The regex parser's score may be too high.">
          {number(evaluation.from_parser)} of {count(n, "held-out answer")} were approved as the regex proposed them, so
          it has these right whatever the truth is. They are listed in Audit under “Suspect first”.
        </Notice>
      )}
    </Card>
  );
}

const nameOf = ({ who, best }: Ranked) => (
  <>
    {who} {best && <Pill tone="good">Best</Pill>}
  </>
);

/** Most contestants answer in less than a tenth of a second. */
function time(seconds: number | undefined): string {
  return seconds !== undefined && seconds < 0.095 ? `${(seconds * 1000).toFixed(1)} ms` : duration(seconds);
}

interface ServeProps {
  version: Version;
  one: Ranked;
  kind: Schemas["ContestantKind"];
  active: Version | undefined;
}

/** Registers a contestant as a version and activates it, unless it is worse than the active version. */
function Serve({ version: { task, name }, one, kind, active }: ServeProps) {
  const [asking, setAsking] = useState(false);
  const serve = useAct(
    async () => {
      const body = { kind, like: name };
      const made = await reply(api.POST("/api/v1/tasks/{task}/contestants", { ...where({ task }), body }));
      const { params } = where({ task, name: made.version.name });
      const expected = active?.name ?? null;
      return reply(api.POST("/api/v1/versions/{task}/{name}/activate", { params, body: { expected, force: false } }));
    },
    {
      done: ({ version, previous }) => {
        sayActive(`${version.name} (${one.who})`, previous);
        setAsking(false);
      },
    },
  );
  return (
    <>
      <Button small onClick={() => setAsking(true)}>
        Serve this one
      </Button>
      <Confirm
        open={asking}
        title={`Serve ${one.who}?`}
        yes="Serve it"
        busy={serve.isPending && "Fitting …"}
        command={commands.serving(task, kind, name)}
        onYes={() => serve.mutate()}
        onNo={() => setAsking(false)}
      >
        <p>
          It becomes a version, fitted to the examples that {name} learned from, and answers new requests for {task}{" "}
          without a language model{active ? `, unless it is worse than ${active.name}` : ""}. It can be rolled back.
        </p>
      </Confirm>
    </>
  );
}
