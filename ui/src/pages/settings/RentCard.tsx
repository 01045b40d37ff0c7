import { useQuery } from "@tanstack/react-query";
import { api, ifMatch, type Tagged } from "../../api/client";
import { rentQuery } from "../../api/queries";
import type { Schemas } from "../../api/types";
import { Card } from "../../components/bits";
import { Input, useFields } from "../../components/form";
import layout from "../../components/layout.module.css";
import { Listed } from "../../components/Failure";
import { SaveForm } from "../../components/SaveForm";
import { commands } from "../../lib/commands";
import css from "./settings.module.css";

/** The price of the machine per hour, for the cost estimate before a training. */
export function RentCard() {
  const query = useQuery(rentQuery);
  return (
    <Card title="Machine cost" flush>
      <Listed query={query}>{(data) => <Form key={data.etag} {...data} />}</Listed>
    </Card>
  );
}

function Form({ body: saved, etag }: Tagged<Schemas["Rent"]>) {
  const before = { price: String(saved.price_per_hour), currency: saved.currency };
  const { values, change, text } = useFields(before);
  const { price, currency } = values;
  const amount = Number(price.trim().replace(",", "."));
  const wrong = price.trim() === "" || !Number.isFinite(amount) || amount < 0;
  const rent = { price_per_hour: amount, currency: currency.trim() };
  return (
    <SaveForm
      className={css.rent}
      save={() => api.PUT("/api/v1/settings/rent", { body: rent, params: { header: ifMatch(etag) } })}
      said="The check before each training shows its estimated cost."
      dirty={amount !== saved.price_per_hour || currency.trim() !== saved.currency}
      ready={!wrong && currency.trim() !== ""}
      onDiscard={() => change(before)}
      list="rent"
      command={commands.putting("/api/v1/settings/rent", rent)}
    >
      <div className={layout.fields}>
        <Input
          label="Price per hour"
          hint="Of the rented machine. Enter 0 for your own machine."
          error={wrong ? "Enter a number, 0 or more" : undefined}
          inputMode="decimal"
          {...text("price")}
        />
        <Input label="Currency" hint="For example USD or €" maxLength={8} {...text("currency")} />
      </div>
    </SaveForm>
  );
}
