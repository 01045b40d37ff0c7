import { useQuery, type UseQueryResult } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { rentQuery } from "../../api/queries";
import type { Preflight } from "../../api/types";
import { Card, Figure, Figures, Notice, Pill, Skeleton } from "../../components/bits";
import { Failure, Words } from "../../components/Failure";
import { bytes, money, number, percent, roughly, roughMoney, sentence } from "../../lib/format";
import { titleOf } from "../../lib/scores";
import css from "./train.module.css";

/** The check before a training: estimates and problems. */
export function PreflightCard({ query }: { query: UseQueryResult<Preflight> }) {
  const { data, error, isPending } = query;
  const state = data && (data.ok ? <Pill tone="good">✓ Ready</Pill> : <Pill tone="bad">✕ Not ready</Pill>);
  return (
    <Card title="Check before training" side={state}>
      {isPending && <Skeleton lines={5} height={220} />}
      {error && <Failure error={error} retry={() => void query.refetch()} />}
      {data && (
        <div className={css.preflight} aria-live="polite" data-old={query.isPlaceholderData || undefined}>
          {data.estimate && <EstimateFigures estimate={data.estimate} />}
          {data.problems.map((problem) => (
            <Notice
              key={problem.what}
              tone={problem.level === "error" ? "bad" : "warn"}
              title={<Words>{`can't ${problem.what}`}</Words>}
            >
              <Words>{problem.hint}</Words>
              {problem.what.includes("approved") && (
                <>
                  {" "}
                  <Link to="/audit">Audit messages</Link>
                </>
              )}
            </Notice>
          ))}
          {data.problems.length === 0 && <Notice tone="good" title="No problems found." />}
        </div>
      )}
    </Card>
  );
}

/** The cost, if the machine is rented by the hour. */
function Cost({ seconds }: { seconds: number }) {
  const { data } = useQuery(rentQuery);
  const rent = data?.body;
  const price = rent?.price_per_hour ?? 0;
  const free = rent && price === 0;
  const sub = free ? "Your own machine" : `At ${money(price, rent?.currency ?? "")} per hour`;
  return (
    <Figure
      label="Cost"
      value={!rent ? "–" : free ? "None" : roughMoney((price * seconds) / 3600, rent.currency)}
      sub={
        <Link to="/settings" search={{ tab: "system" }}>
          {sub}
        </Link>
      }
    />
  );
}

function EstimateFigures({ estimate }: { estimate: NonNullable<Preflight["estimate"]> }) {
  return (
    <Figures>
      <Figure
        label="Time"
        value={estimate.seconds == null ? "Unknown" : `≈ ${roughly(estimate.seconds)}`}
        sub={sentence(estimate.seconds_basis ?? "no earlier run to estimate from")}
      />
      <Figure label="Memory" value={bytes(estimate.memory_bytes)} sub="Predicted peak" />
      <Cost seconds={estimate.seconds} />
      <Figure label="Training examples" value={number(estimate.train)} sub={`${number(estimate.tokens)} tokens`} />
      <Figure label="Held-out examples" value={number(estimate.eval)} sub="For evaluation" />
      {estimate.quality && (
        <Figure
          label={`Last version: ${titleOf(estimate.quality.metric.name)}`}
          value={percent(estimate.quality.metric.value)}
          sub={`${estimate.quality.version}, ${number(estimate.quality.n)} held out`}
        />
      )}
      <Figure label="Steps" value={number(estimate.steps)} />
    </Figures>
  );
}
