import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, reply } from "../../api/client";
import { read } from "../../api/queries";
import { Failure } from "../../components/Failure";
import { Stepper } from "../../components/Stepper";
import { Tokens } from "../../components/Tokens";
import { Card, Pill } from "../../components/bits";
import { number } from "../../lib/format";
import css from "./run.module.css";

/** The training rows: in each epoch a variant may replace an example. */
export function TrainedRows({ run }: { run: string }) {
  const [place, setPlace] = useState(0);
  const [epoch, setEpoch] = useState(0);
  const params = { path: { id: run }, query: { place, epoch } };
  const { data, error } = useQuery(
    read(["run", run, "row", place, epoch], () => reply(api.GET("/api/v1/runs/{id}/row", { params })), {
      placeholderData: (old) => old,
      staleTime: Infinity,
      retry: false,
    }),
  );
  const learned = data?.tokens.filter((token) => token.loss).length ?? 0;
  return (
    <Card
      title="Training data"
      side={data && (data.is_variant ? <Pill tone="warn">Variant</Pill> : <Pill>As approved</Pill>)}
    >
      {error && <Failure error={error} />}
      {data && (
        <div className={css.row}>
          <div>
            <Stepper noun="Example" suffix=" example" at={place} of={data.rows} onStep={setPlace} />
            {data.variants > 0 && (
              <Stepper noun="Epoch" suffix=" epoch" at={epoch} of={data.variants} onStep={setEpoch} />
            )}
          </div>
          {data.is_variant && (
            <p className="muted">
              Approved was: <q>{data.input}</q>
            </p>
          )}
          <Tokens tokens={data.tokens} testId="trained" />
          <small className="muted">
            {number(learned)} of {number(data.tokens.length)} tokens count in the loss.
          </small>
        </div>
      )}
    </Card>
  );
}
