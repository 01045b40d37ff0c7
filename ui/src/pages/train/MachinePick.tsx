import { useQuery } from "@tanstack/react-query";
import { machinesQuery, quotesQuery } from "../../api/queries";
import { Pick } from "../../components/form";
import { dollars } from "../../lib/format";

/** What starts the trainings of a cluster. */
const titles = { slurm: "Slurm", ray: "Ray" };

/** Where to train, where there is a choice: the server's own machine, another one, or a rented one. */
export function MachinePick({ value, error, onPick }: { value: string; error?: string; onPick: (to: string) => void }) {
  const { machines = [], providers = [] } = useQuery(machinesQuery).data ?? {};
  const rented = providers.filter((one) => one.ready).map((one) => one.name);
  if (machines.length + rented.length === 0) return null;
  return (
    <Pick
      label="Train on"
      error={error}
      hint={
        rented.includes(value) ? (
          <Price provider={value} />
        ) : (
          "A training on another machine uses no CPU or memory of this one."
        )
      }
      options={[
        { value: "", label: "This machine" },
        ...machines.map(({ name, destination, launcher }) => ({
          value: name,
          label: `${name} (${launcher.kind === "ssh" ? destination : `${titles[launcher.kind]} at ${destination}`})`,
        })),
        ...rented.map((name) => ({ value: name, label: `${name} (rented for this run)` })),
      ]}
      value={value}
      onPick={onPick}
    />
  );
}

/** The price of the machine that would be rented now. */
function Price({ provider }: { provider: string }) {
  const { data, error } = useQuery(quotesQuery(provider));
  if (error) return <>{error.message}</>;
  const quote = data?.quotes[0];
  if (!quote) return <>Looking for a machine …</>;
  const { kind, region, cents_per_hour } = quote.offer;
  return (
    <>
      {kind} in {region} at {dollars(cents_per_hour)} per hour, given back after {quote.minutes} minutes at the latest:{" "}
      {dollars(quote.most_cents)} at most.
    </>
  );
}
