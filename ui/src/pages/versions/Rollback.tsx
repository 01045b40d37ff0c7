import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, reply, where } from "../../api/client";
import { versionsQuery } from "../../api/queries";
import type { Version } from "../../api/types";
import { Confirm } from "../../components/Confirm";
import { Facts } from "../../components/bits";
import { say } from "../../components/toasts";
import { useAct } from "../../components/useAct";
import { commands } from "../../lib/commands";
import { percent } from "../../lib/format";
import { evaluationOf, headline, titleOf } from "../../lib/scores";
import { ActionButton } from "../../shell/actions";

/** The version before becomes active again, in one step. */
export function Rollback({ task, active, versions }: { task: string; active: Version; versions: Version[] }) {
  const [asking, setAsking] = useState(false);
  const roll = useAct(
    () => {
      const body = { expected: active.name };
      return reply(api.POST("/api/v1/tasks/{task}/rollback", { ...where({ task }), body }));
    },
    {
      done: ({ version }) => {
        say(`${version.name} is active again`);
        setAsking(false);
      },
    },
  );
  const name = useQuery(versionsQuery(task)).data?.before;
  const before = versions.find((version) => version.name === name);
  const ask = {
    ...{ id: "rollback", label: "Roll back", group: "Versions" },
    ...{ disabled: !before, run: () => setAsking(true) },
  };
  return (
    <>
      <ActionButton action={ask} icon="undo" title={before ? undefined : "There is no previous version"} />
      <Confirm
        open={asking}
        title={`Roll back to ${before?.name ?? "the previous version"}?`}
        yes="Roll back"
        busy={roll.isPending && "Rolling back …"}
        command={commands.rollingBack(task)}
        onYes={() => roll.mutate()}
        onNo={() => setAsking(false)}
      >
        {before && <Effect task={task} active={active} before={before} />}
      </Confirm>
    </>
  );
}

/** The exact effect. */
function Effect({ task, active, before }: { task: string; active: Version; before: Version }) {
  const [now, then] = [scored(active), scored(before)];
  return (
    <>
      <p>
        {before.name} answers every request for {task} from now on. {active.name} stops answering, is kept, and can be
        activated again.
      </p>
      <Facts
        rows={[
          ["Now", `${active.name}${now}`],
          ["Then", `${before.name}${then}`],
          [
            "Base model",
            before.base === active.base ? `${base(active)}, as now` : `${base(before)} instead of ${base(active)}`,
          ],
          ["Messages, decisions and runs", "Stay as they are"],
        ]}
      />
    </>
  );
}

/** Its base model, if it needs one. */
const base = (version: Version) => version.base ?? "none";

/** The score of a version, if it was evaluated. */
function scored(version: Version): string {
  const metric = headline(evaluationOf(version)?.adapter);
  return metric
    ? ` · ${titleOf(metric.name)} ${percent(metric.value)} (${percent(metric.low)} to ${percent(metric.high)})`
    : " · not evaluated";
}
