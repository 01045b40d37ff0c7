import { useQuery } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { api, reply } from "../../api/client";
import { read } from "../../api/queries";
import type { Example } from "../../api/types";
import { Failure } from "../../components/Failure";
import { Tokens } from "../../components/Tokens";
import { number } from "../../lib/format";
import css from "./audit.module.css";

/** The tokens a message becomes, and which of them are learned. */
export function TokenMask(props: { example: Example; base?: string; title?: string; children?: ReactNode }) {
  const { example, base, title = "Training tokens", children } = props;
  const [open, setOpen] = useState(false);
  const { task, id, revision } = example;
  const params = { path: { task, id }, query: { base } };
  const { data, error } = useQuery(
    read(
      ["example", task, id, "mask", revision, base],
      async () => (await reply(api.GET("/api/v1/examples/{task}/{id}/mask", { params }))).tokens,
      { enabled: open, retry: false },
    ),
  );
  const learned = data?.filter((token) => token.loss).length ?? 0;
  return (
    <details className={css.history} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        {title}
        {data && <span className="num">{` · ${number(learned)} of ${number(data.length)} tokens`}</span>}
      </summary>
      {open && children}
      {open && !data && !error && <p>Tokenizing …</p>}
      {error && <Failure error={error} />}
      {data && <Tokens tokens={data} />}
    </details>
  );
}
