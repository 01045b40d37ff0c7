import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { address } from "../api/client";
import { runEventsQuery } from "../api/queries";
import type { Event } from "../api/types";
import { listen } from "./stream";

interface Live {
  events: Event[];
  /** When the last thing was heard, in milliseconds since the epoch. */
  heard: number | null;
  ended: boolean;
}

/** A run's events: those there are, then each as it happens. */
export function useRunStream(id: string, active: boolean): Live {
  const client = useQueryClient();
  const [live, setLive] = useState<Live>({ events: [], heard: null, ended: false });
  useEffect(() => {
    let gone = false;
    // Reset the cursor, or the last event of the previous stream would hide all new ones.
    const waiting: Event[] = [];
    let stop = () => {};
    setLive({ events: [], heard: null, ended: false });
    // Events of a tenth of a second are drawn together.
    const timer = setInterval(() => {
      const fresh = waiting.splice(0);
      if (fresh.length > 0) setLive((old) => ({ ...old, heard: Date.now(), events: merge(old.events, fresh) }));
    }, 100);
    const start = async () => {
      const events = await client.fetchQuery({ ...runEventsQuery(id), staleTime: 0 }).catch((): Event[] => []);
      if (gone) return;
      waiting.push(...events);
      if (!active) return;
      const first = String(events.at(-1)?.seq ?? 0);
      stop = listen(
        (last) => `${address("/api/v1/runs/{id}/stream", { id })}?after=${last || first}`,
        ["event", "end"],
        {
          on: (name, data) => {
            if (name === "event") return void waiting.push(data as Event);
            stop();
            setLive((old) => ({ ...old, ended: true }));
            for (const queryKey of [["run", id], ["runs"], ["tasks"], ["versions"]])
              void client.invalidateQueries({ queryKey });
          },
        },
      );
    };
    void start();
    return () => {
      gone = true;
      clearInterval(timer);
      stop();
    };
  }, [id, active, client]);
  return live;
}

/** Appends what is new; a reconnect may repeat the last ones. */
export function merge(old: Event[], fresh: Event[]): Event[] {
  let last = old.at(-1)?.seq ?? 0;
  const added = fresh.filter((event) => event.seq > last && (last = event.seq) > 0);
  return added.length > 0 ? [...old, ...added] : old;
}
