import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, reply } from "../../api/client";
import { read, systemQuery } from "../../api/queries";
import type { Schemas } from "../../api/types";
import { BaseInput } from "../../components/BaseInput";
import { Failure } from "../../components/Failure";
import { Tokens } from "../../components/Tokens";
import { number } from "../../lib/format";
import type { Json } from "../../lib/json";
import { useSettled } from "../../lib/useDebounced";
import css from "./tasks.module.css";

interface Props {
  instruction: string;
  answer: Schemas["AnswerForm"];
  input: string;
  output: Json;
}

/** The prompt of an example for a base model, with its learned tokens. */
export function PromptPreview(props: Props) {
  const [open, setOpen] = useState(false);
  const [base, setBase] = useState<string | null>(null);
  const here = useQuery(systemQuery).data?.bases.map((one) => one.name) ?? [];
  // The default one, unless only others are on this machine.
  const chosen = base ?? (here.length > 0 && !here.includes("smollm2-135m") ? (here[0] ?? "") : "");
  const body = useSettled({ ...props, base: chosen.trim() || null }, 500);
  const { data, error } = useQuery(
    read(["mask", body], () => reply(api.POST("/api/v1/tasks/mask", { body })), {
      enabled: open,
      retry: false,
      placeholderData: (old) => old,
    }),
  );
  const learned = data?.tokens.filter((token) => token.loss).length ?? 0;
  return (
    <details className={css.preview} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        Prompt of the first example
        {data && !error && (
          <span className="num">{` · ${number(learned)} of ${number(data.tokens.length)} tokens are learned`}</span>
        )}
      </summary>
      {open && (
        <div className={css.stack}>
          <BaseInput hint="Each base model has its own tokens and prompt form." value={chosen} onText={setBase} />
          {error && <Failure error={error} />}
          {!data && !error && <p>Tokenizing …</p>}
          {data && !error && <Tokens tokens={data.tokens} testId="prompt-tokens" />}
        </div>
      )}
    </details>
  );
}
