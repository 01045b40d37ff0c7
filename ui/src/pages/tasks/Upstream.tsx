import { useQuery } from "@tanstack/react-query";
import { upstreamQuery } from "../../api/queries";
import type { Schemas } from "../../api/types";
import { Card, Figure, Figures } from "../../components/bits";
import { number, percent } from "../../lib/format";
import layout from "../../components/layout.module.css";
import css from "./tasks.module.css";

const RECORDED: Record<Schemas["Recording"], string> = {
  off: "Its answers are not recorded.",
  pending: "Its answers become pending examples.",
  approved: "Its answers become approved examples.",
};

/** The service that answers until Graft does, and who answered; nothing if the task has none. */
export function Upstream({ name }: { name: string }) {
  const { data } = useQuery(upstreamQuery(name));
  if (!data?.upstream) return null;
  const { upstream, total } = data;
  const above = upstream.answer_above;
  return (
    <Card title="Upstream">
      <div className={layout.stack}>
        <p className={css.why}>
          Requests for this task are passed on to <code>{upstream.model}</code> at <code>{upstream.url}</code>
          {above == null ? "" : ` unless Graft is at least ${percent(above)} sure`}.{" "}
          {RECORDED[upstream.record ?? "pending"]}
        </p>
        <Figures>
          <Figure
            label="Answered by Graft"
            value={number(total.graft)}
            sub={data.share == null ? undefined : percent(data.share, 1)}
          />
          <Figure label="By the upstream" value={number(total.upstream)} />
          <Figure label="By nobody" value={number(total.failed)} />
          <Figure label="Agreement" value={percent(data.agreement, 1)} sub={`${number(total.compared)} compared`} />
          <Figure label="Upstream tokens" value={number(total.prompt_tokens + total.answer_tokens)} />
          <Figure label="Recorded" value={number(total.recorded)} sub={`${number(total.unfit)} in another form`} />
        </Figures>
      </div>
    </Card>
  );
}
