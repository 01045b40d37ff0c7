import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, reply } from "../../api/client";
import { Button } from "../../components/Button";
import { Failure } from "../../components/Failure";
import { Tokens } from "../../components/Tokens";
import { Card, Pill } from "../../components/bits";
import { number } from "../../lib/format";
import css from "./run.module.css";

/** The training rows: in each epoch a variant may replace an example. */
export function TrainedRows({ run }: { run: string }) {
  const [place, setPlace] = useState(0);
  const [epoch, setEpoch] = useState(0);
  const { data, error } = useQuery({
    queryKey: ["run", run, "row", place, epoch],
    queryFn: () => {
      const params = { path: { id: run }, query: { place, epoch } };
      return reply(api.GET("/api/v1/runs/{id}/row", { params }));
    },
    placeholderData: (old) => old,
    staleTime: Infinity,
    retry: false,
  });
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
            <Button small disabled={place === 0} onClick={() => setPlace(place - 1)}>
              Previous example
            </Button>
            <Button small disabled={place + 1 >= data.rows} onClick={() => setPlace(place + 1)}>
              Next example
            </Button>
            <span className="num">
              Example {place + 1} of {number(data.rows)}
            </span>
            {data.variants > 0 && (
              <>
                <Button small disabled={epoch === 0} onClick={() => setEpoch(epoch - 1)}>
                  Previous epoch
                </Button>
                <Button small disabled={epoch + 1 >= data.variants} onClick={() => setEpoch(epoch + 1)}>
                  Next epoch
                </Button>
                <span className="num">
                  Epoch {epoch + 1} of {data.variants}
                </span>
              </>
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
