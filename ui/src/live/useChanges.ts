import { useQuery, useQueryClient, type QueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { sessionQuery, tasksQuery } from "../api/queries";
import type { Change, Schemas } from "../api/types";
import { POLL, link } from "./connection";
import { seated } from "./presence";
import { mark, partOf, type Part } from "./queueCache";
import { listen } from "./stream";

/** Which reads a change makes old. */
export function outdated(change: Change): string[][] {
  const { kind, task, subject } = change;
  if (kind === "example") return [["tasks"], ["example", task, subject], ["stats", task], ["drift", task]];
  if (kind === "run") return [["tasks"], ["runs"], ["run", subject]];
  if (kind === "base") return [["tasks"], ["bases"]];
  if (kind === "study") return [["studies"]];
  if (kind === "batch") return [["batches", task]];
  if (kind === "version") return [["tasks"], ["versions", task], ["version", task], ["drift", task]];
  if (kind === "setting") return [["settings"], ["rent"], ["tables"], ["schedules"], ["users"], ["tokens"]];
  return [["tasks"]];
}

/** Receives every change on the server and refetches outdated queries, at most a few times per second. */
export function useChanges(onHealed: () => void): void {
  const client = useQueryClient();
  const { data: session } = useQuery(sessionQuery);
  // A review link hears nothing, so it asks.
  const isHeard = session !== undefined && !session.task;
  useEffect(() => {
    const heard = batched(client);
    let wasLost = false;
    let live = false;
    // Without the stream one asks; a hidden page only for what its title says, an open one not for the queue, whose
    // places must not move under its reader.
    const asking = setInterval(() => {
      if (live) return;
      const shown = { predicate: ({ queryKey }: { queryKey: readonly unknown[] }) => queryKey[0] !== "queue" };
      void client.invalidateQueries(document.hidden ? { queryKey: ["tasks"] } : shown);
      const told = client.fetchQuery({ ...tasksQuery, staleTime: 0, retry: false });
      void told.then(
        () => live || link.set("polling"),
        () => live || link.set("away"),
      );
    }, POLL);
    const hear = isHeard ? listen : () => () => undefined;
    const stop = hear((last) => `/api/v1/events${last && `?after=${last}`}`, ["change", "presence"], {
      on: (name, data) => (name === "presence" ? seated(data as Schemas["Seats"]) : heard(data as Change)),
      open: () => {
        link.set("live");
        if (wasLost) void client.invalidateQueries();
        wasLost = false;
        live = true;
        onHealed();
      },
      lost: () => {
        wasLost = true;
        live = false;
        link.set("away");
      },
      paused: () => {
        wasLost = true;
        live = false;
      },
    });
    return () => {
      clearInterval(asking);
      stop();
    };
  }, [client, onHealed, isHeard]);
}

function batched(client: QueryClient): (change: Change) => void {
  const keys = new Map<string, string[]>();
  const parts = new Map<string, Part>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const flush = () => {
    timer = undefined;
    for (const queryKey of keys.values()) {
      // Prefetched data is fetched again when it is shown; the outdated data is not shown.
      if (queryKey[0] === "example") client.removeQueries({ queryKey, type: "inactive" });
      void client.invalidateQueries({ queryKey });
    }
    keys.clear();
  };
  // The queue is marked at once, before the person reaches a decided message; changes at the same time are batched.
  const markAll = () => {
    mark(parts);
    parts.clear();
  };
  return (change) => {
    for (const key of outdated(change)) keys.set(key.join("/"), key);
    if (change.kind === "example") {
      const name = `${change.task}/${change.subject}`;
      if (parts.size === 0) setTimeout(markAll, 0);
      parts.set(name, { ...parts.get(name), ...partOf(change) });
    }
    timer ??= setTimeout(flush, 250);
  };
}
