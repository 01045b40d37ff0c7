import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, reply } from "../../api/client";
import type { TaskInfo } from "../../api/types";
import { Button } from "../../components/Button";
import { TokenMask } from "../audit/TokenMask";
import css from "./train.module.css";

/** Any approved example as the base would read it: which of its tokens are learned. */
export function MaskView({ task, base }: { task: TaskInfo; base: string }) {
  const [at, setAt] = useState(0);
  const { data } = useQuery({
    queryKey: ["approved", task.name, at, task.counts.approved],
    queryFn: () => {
      const query = { task: task.name, state: "approved", limit: 1, offset: at } as const;
      return reply(api.GET("/api/v1/examples", { params: { query } }));
    },
    enabled: task.counts.approved > 0,
    placeholderData: (old) => old,
  });
  const example = data?.examples[0];
  if (!example) return null;
  const total = data.total;
  return (
    <TokenMask key={base} example={example} base={base} title="Training tokens of an example">
      <div className={css.examples}>
        <Button small disabled={at === 0} onClick={() => setAt(at - 1)}>
          Previous
        </Button>
        <Button small disabled={at + 1 >= total} onClick={() => setAt(at + 1)}>
          Next
        </Button>
        <span className="num">
          Example {at + 1} of {total}
        </span>
      </div>
    </TokenMask>
  );
}
