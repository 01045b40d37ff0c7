import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { settings } from "../../api/calls";
import { rentQuery } from "../../api/queries";
import type { Rent } from "../../api/types";
import { Card } from "../../components/bits";
import { Field, Input } from "../../components/form";
import layout from "../../components/layout.module.css";
import { Listed } from "../../components/Listed";
import { SaveForm } from "../../components/SaveForm";
import { say } from "../../components/toasts";
import { commands } from "../../lib/commands";
import css from "./settings.module.css";

/** What an hour of the machine costs; a training says what it would cost before it starts. */
export function RentCard() {
  const query = useQuery(rentQuery);
  return (
    <Card title="What the machine costs" flush>
      <Listed query={query}>
        {query.data && <Form key={query.data.etag} saved={query.data.body} etag={query.data.etag} />}
      </Listed>
    </Card>
  );
}

function Form({ saved, etag }: { saved: Rent; etag: string | null }) {
  const [price, setPrice] = useState(String(saved.price_per_hour));
  const [currency, setCurrency] = useState(saved.currency);
  const client = useQueryClient();
  const amount = Number(price.trim().replace(",", "."));
  const wrong = price.trim() === "" || !Number.isFinite(amount) || amount < 0;
  const rent = { price_per_hour: amount, currency: currency.trim() };
  const save = useMutation({
    mutationFn: () => settings.writeRent(rent, etag),
    onSuccess: () => {
      say("Saved", { detail: "Each training says what it would cost before it starts." });
      void client.invalidateQueries({ queryKey: rentQuery.queryKey });
    },
  });
  return (
    <SaveForm
      className={css.rent}
      save={save}
      dirty={amount !== saved.price_per_hour || currency.trim() !== saved.currency}
      ready={!wrong && currency.trim() !== ""}
      onDiscard={() => {
        setPrice(String(saved.price_per_hour));
        setCurrency(saved.currency);
      }}
      list="rent"
      command={commands.putting("/api/v1/settings/rent", rent)}
    >
      <div className={layout.fields}>
        <Field
          label="Price of an hour"
          hint="Of the rented machine that trains; 0 for one's own"
          error={wrong ? "It is a number, 0 or more" : undefined}
        >
          {(field) => <Input {...field} inputMode="decimal" value={price} onChange={(e) => setPrice(e.target.value)} />}
        </Field>
        <Field label="Currency" hint="Such as USD or €">
          {(field) => <Input {...field} maxLength={8} value={currency} onChange={(e) => setCurrency(e.target.value)} />}
        </Field>
      </div>
    </SaveForm>
  );
}
