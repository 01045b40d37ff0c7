import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { sessionQuery } from "../api/queries";
import { Button } from "../components/Button";
import { Notice } from "../components/bits";
import { Modal } from "../components/Modal";
import { clip, count } from "../lib/format";
import type { Entry } from "../lib/outbox";
import { outbox, useOutbox } from "../live/decisions";
import { useStore } from "../lib/store";
import { link } from "../live/connection";
import { ConflictTable } from "./ConflictTable";
import css from "./shell.module.css";

/** Shows decisions that wait, conflict or were refused, so that none is lost unnoticed. */
export function OutboxBanner() {
  const all = useOutbox();
  const who = useQuery(sessionQuery).data?.user ?? "";
  const entries = all.filter((entry) => entry.by === who);
  const others = all.filter((entry) => entry.by !== who);
  const isAway = useStore(link) === "away";
  const [open, setOpen] = useState<string | null>(null);
  const clashing = entries.filter((entry) => entry.conflict);
  const refused = entries.filter((entry) => entry.refused);
  const waiting = entries.length - clashing.length - refused.length;
  const shown = clashing.find((entry) => entry.key === open);
  if (clashing.length + refused.length + others.length === 0 && !(waiting > 0 && (outbox.away || isAway))) return null;
  return (
    <div className={css.banner} role="status">
      {waiting > 0 && outbox.away && (
        <Notice tone="warn" title={`${count(waiting, "decision")} not sent yet.`}>
          The server cannot be reached. They are sent in order when it is reachable again, also after a reload.
        </Notice>
      )}
      {[...new Set(others.map(({ by }) => by))].map((by) => (
        <Notice
          key={by}
          tone="warn"
          title={`${count(others.filter((entry) => entry.by === by).length, "decision")} of ${by || "somebody who was not logged in"} not sent yet.`}
        >
          <p>{by ? `They are sent when ${by} logs in here again.` : "They have no author and cannot be sent."}</p>
          <Button small look="quiet" onClick={() => outbox.change((list) => list.filter((entry) => entry.by !== by))}>
            Delete them
          </Button>
        </Notice>
      ))}
      {clashing.map((entry) => (
        <Notice key={entry.key} tone="warn" title={`${decider(entry)} decided “${clip(entry.title, 60)}” before you.`}>
          <Button small onClick={() => setOpen(entry.key)}>
            Compare and choose
          </Button>
        </Notice>
      ))}
      {refused.map((entry) => (
        <Notice key={entry.key} tone="bad" title={`“${clip(entry.title, 60)}” could not be saved.`}>
          <p>{entry.refused}</p>
          <Button small onClick={() => outbox.resolve(entry.key, "mine")}>
            Try again
          </Button>{" "}
          <Button small look="quiet" onClick={() => outbox.resolve(entry.key, "theirs")}>
            Drop my decision
          </Button>
        </Notice>
      ))}
      {shown && <Conflict entry={shown} close={() => setOpen(null)} />}
    </div>
  );
}

function decider(entry: Entry): string {
  const review = entry.conflict?.review;
  return review && "by" in review ? review.by : "Somebody";
}

function Conflict({ entry, close }: { entry: Entry; close: () => void }) {
  const decide = (keep: "mine" | "theirs") => {
    outbox.resolve(entry.key, keep);
    close();
  };
  return (
    <Modal
      open
      wide
      onOpenChange={close}
      title="Two decisions on one message"
      about={`${decider(entry)} decided first. Nothing was overwritten.`}
      foot={
        <>
          <Button onClick={() => decide("theirs")}>Keep their decision</Button>
          <Button look="main" onClick={() => decide("mine")}>
            Use my decision
          </Button>
        </>
      }
    >
      <ConflictTable entry={entry} />
    </Modal>
  );
}
