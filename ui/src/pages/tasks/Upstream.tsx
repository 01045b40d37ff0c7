import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { upstreamQuery } from "../../api/queries";
import type { Schemas } from "../../api/types";
import { Button } from "../../components/Button";
import { Card, Figure, Figures } from "../../components/bits";
import { number, percent } from "../../lib/format";
import layout from "../../components/layout.module.css";
import css from "./tasks.module.css";
import { UpstreamDialog } from "./UpstreamDialog";

const RECORDED: Record<Schemas["Recording"], string> = {
  off: "Its answers are not recorded.",
  pending: "Its answers become pending examples.",
  approved: "Its answers become approved examples.",
};

/** The service that answers until Graft does, and who answered. */
export function Upstream({ name }: { name: string }) {
  const { data } = useQuery(upstreamQuery(name));
  const [editing, setEditing] = useState(false);
  if (!data) return null;
  const { upstream, total } = data;
  const above = upstream?.answer_above;
  const dialog = editing && <UpstreamDialog name={name} old={upstream} onClose={() => setEditing(false)} />;
  const edit = (label: string) => (
    <Button small onClick={() => setEditing(true)}>
      {label}
    </Button>
  );
  if (!upstream)
    return (
      <Card title="Upstream" side={edit("Set an upstream")}>
        <p className={css.why}>
          Another service with OpenAI's API can answer requests for this task until a version is sure enough; its
          answers become examples.
        </p>
        {dialog}
      </Card>
    );
  return (
    <Card title="Upstream" side={edit("Change")}>
      {dialog}
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
          {data.cost != null && (
            <Figure
              label="Cost"
              value={number(data.cost, 2)}
              title="At today's prices; saved is what Graft answered alone, at the mean cost of the other requests"
              sub={data.saved == null ? undefined : `${number(data.saved, 2)} saved`}
            />
          )}
          <Figure label="Recorded" value={number(total.recorded)} sub={`${number(total.unfit)} in another form`} />
        </Figures>
      </div>
    </Card>
  );
}
