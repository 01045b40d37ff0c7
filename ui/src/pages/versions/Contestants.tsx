import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, reply } from "../../api/client";
import type { Evaluation, Schemas, Version } from "../../api/types";
import { Card, Empty, Notice, Pill } from "../../components/bits";
import { Button } from "../../components/Button";
import { Confirm } from "../../components/Confirm";
import { Interval } from "../../components/Interval";
import { ShowCommand } from "../../components/ShowCommand";
import { Cell, Table } from "../../components/Table";
import { say, sayError } from "../../components/toasts";
import { Verdict } from "../../components/VerdictPill";
import { commands } from "../../lib/commands";
import { count, duration, number } from "../../lib/format";
import { headline, ranked, titleOf, type Ranked } from "../../lib/scores";

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
  const crossed = few ? ["Cross-validated"] : [];
  const columns = ["Who", title, `${version.name} is`, ...crossed, "An answer takes", "Fitted in", { hidden: "Serve" }];
  return (
    <Card title="Who answers best" side={<span>{number(n)} held-out examples</span>} flush>
      <Table label="Contestants" columns={columns} stack>
        {all.map((one) => (
          <tr key={one.who}>
            <th scope="row">
              {one.who} {one.best && <Pill tone="good">Best</Pill>}
            </th>
            <Cell label={title}>
              <Interval metric={one.metric} tone={one.mine ? "main" : "quiet"} />
            </Cell>
            <Cell label={`${version.name} is`}>
              {one.mine ? "–" : <Verdict mine={mine} other={one.metric} n={n} />}
            </Cell>
            {few && (
              <Cell label="Cross-validated">
                <Interval metric={headline(one.crossed)} tone="quiet" />
              </Cell>
            )}
            <Cell label="An answer takes">{time(one.seconds)}</Cell>
            <Cell label="Fitted in">{time(one.fitted)}</Cell>
            <Cell>{one.kind && <Serve version={version} one={one} kind={one.kind} active={active} />}</Cell>
          </tr>
        ))}
      </Table>
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

/** Most contestants answer in less than a tenth of a second. */
function time(seconds: number | undefined): string {
  return seconds !== undefined && seconds < 0.095 ? `${(seconds * 1000).toFixed(1)} ms` : duration(seconds);
}

/** Registers a contestant as a version and activates it, unless it is worse than the active version. */
function Serve({
  version: { task, name },
  one,
  kind,
  active,
}: {
  version: Version;
  one: Ranked;
  kind: Schemas["ContestantKind"];
  active: Version | undefined;
}) {
  const [asking, setAsking] = useState(false);
  const client = useQueryClient();
  const serve = useMutation({
    mutationFn: async () => {
      const body = { kind, like: name };
      const { version } = await reply(
        api.POST("/api/v1/tasks/{task}/contestants", { params: { path: { task } }, body }),
      );
      const params = { path: { task, name: version.name } };
      const expected = active?.name ?? null;
      return reply(api.POST("/api/v1/versions/{task}/{name}/activate", { params, body: { expected, force: false } }));
    },
    onSuccess: ({ version, previous }) => (
      say(`${version.name} (${one.who}) is active now`, {
        detail: previous ? `${previous} can be restored with Roll back.` : undefined,
      }),
      setAsking(false)
    ),
    onError: sayError,
    onSettled: () => void client.invalidateQueries(),
  });
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
        onYes={() => serve.mutate()}
        onNo={() => setAsking(false)}
      >
        <p>
          It becomes a version, fitted to the examples that {name} learned from, and answers new requests for {task}{" "}
          without a language model{active ? `, unless it is worse than ${active.name}` : ""}. It can be rolled back.
        </p>
        <ShowCommand command={commands.serving(task, kind, name)} />
      </Confirm>
    </>
  );
}
