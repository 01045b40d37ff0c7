import { useQuery } from "@tanstack/react-query";
import { rentQuery } from "../../api/queries";
import { roughMoney } from "../../lib/format";

/** What so many seconds of the machine cost, where it is rented by the hour. */
export function useCost(): (seconds: number) => string | null {
  const { price_per_hour: price = 0, currency = "" } = useQuery(rentQuery).data?.body ?? {};
  return (seconds) => (price > 0 ? roughMoney((price * seconds) / 3600, currency) : null);
}
