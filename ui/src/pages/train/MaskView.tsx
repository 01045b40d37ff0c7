import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, reply } from "../../api/client";
import { read } from "../../api/queries";
import type { TaskInfo } from "../../api/types";
import { Stepper } from "../../components/Stepper";
import { TokenMask } from "../audit/TokenMask";
import css from "./train.module.css";

/** Any approved example as the base would read it: which of its tokens are learned. */
export function MaskView({ task, base }: { task: TaskInfo; base: string }) {
  const [at, setAt] = useState(0);
  const query = { task: task.name, state: "approved", limit: 1, offset: at } as const;
  const { data } = useQuery(
    read(
      ["approved", task.name, at, task.counts.approved],
      () => reply(api.GET("/api/v1/examples", { params: { query } })),
      { enabled: task.counts.approved > 0, placeholderData: (old) => old },
    ),
  );
  const example = data?.examples[0];
  if (!example) return null;
  return (
    <TokenMask key={base} example={example} base={base} title="Training tokens of an example">
      <div className={css.examples}>
        <Stepper noun="Example" at={at} of={data.total} onStep={setAt} />
      </div>
    </TokenMask>
  );
}
