import { useState } from "react";
import { Notice } from "../components/bits";
import { Button } from "../components/Button";
import { Confirm } from "../components/Confirm";
import { Modal } from "../components/Modal";
import { single } from "../lib/clicks";
import { differences, shown } from "../lib/json";
import { clip, count, label } from "../lib/format";
import { answerOf, type Entry } from "../lib/outbox";
import { outbox, useOutbox } from "../live/decisions";
import { useMe } from "../live/session";
import css from "./shell.module.css";

/** Shows decisions that wait, conflict or were refused, so that none is lost unnoticed. */
export function OutboxBanner() {
  const all = useOutbox();
  const who = useMe();
  const entries = all.filter((entry) => entry.by === who);
  const others = all.filter((entry) => entry.by !== who);
  const [open, setOpen] = useState<string | null>(null);
  const [deleting, setDeleting] = useState<string | null>(null);
  const clashing = entries.filter((entry) => entry.conflict);
  const refused = entries.filter((entry) => entry.refused);
  const waiting = entries.length - clashing.length - refused.length;
  const shown = clashing.find((entry) => entry.key === open);
  // It is there before anything is in it: otherwise what it says may not be announced.
  return (
    <div className={css.banner} role="status" data-testid="outbox">
      {waiting > 0 && outbox.away && (
        <Notice tone="warn" title={`${count(waiting, "decision")} not sent yet.`}>
          The server cannot be reached. They are sent in order when it is reachable again
          {outbox.isKept ? ", also after a reload." : "."}
        </Notice>
      )}
      {waiting > 0 && !outbox.isKept && (
        <Notice tone="bad" title={`${count(waiting, "decision")} not stored in this browser.`}>
          Its storage is full or forbidden. Leave the page open until they are sent; a reload loses them.
        </Notice>
      )}
      {[...new Set(others.map(({ by }) => by))].map((by) => (
        <Notice
          key={by}
          tone="warn"
          title={`${count(others.filter((entry) => entry.by === by).length, "decision")} of ${by || "somebody who was not logged in"} not sent yet.`}
        >
          <p>{by ? `They are sent when ${by} logs in here again.` : "They have no author and cannot be sent."}</p>
          <Button small look="quiet" onClick={() => setDeleting(by)}>
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
          <Button small onClick={single(() => outbox.resolve(entry.key, "mine"))}>
            Try again
          </Button>{" "}
          <Button small look="quiet" onClick={single(() => outbox.resolve(entry.key, "theirs"))}>
            Drop my decision
          </Button>
        </Notice>
      ))}
      <Confirm
        open={deleting !== null}
        title={`Delete the decisions of ${deleting || "somebody who was not logged in"}?`}
        yes="Delete"
        danger
        onYes={() => {
          outbox.change((list) => list.filter((entry) => entry.by !== deleting));
          setDeleting(null);
        }}
        onNo={() => setDeleting(null)}
      >
        <p>They exist only in this browser. The messages stay as they are on the server.</p>
      </Confirm>
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
      close={close}
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

/** The differences between the own decision and the other one. */
function ConflictTable({ entry }: { entry: Entry }) {
  const current = entry.conflict;
  if (!current) return null;
  const { deed } = entry;
  const rows = deed.action === "approve" ? differences(answerOf(entry), current.output) : [];
  const said = { approve: "approved", edit: "edited", undo: "unaudited", reject: "" }[deed.action];
  return (
    <div className={css.compare}>
      <p>{entry.title}</p>
      <table>
        <thead>
          <tr>
            <th scope="col">Field</th>
            <th scope="col">Mine</th>
            <th scope="col">Theirs</th>
          </tr>
        </thead>
        <tbody>
          <tr>
            <th scope="row">Decision</th>
            <td>{deed.action === "reject" ? `rejected (${deed.reason})` : said}</td>
            <td>
              {current.review.state}
              {"reason" in current.review && ` (${current.review.reason})`}
            </td>
          </tr>
          {rows.map((row) => (
            <tr key={row.path}>
              <th scope="row">{label(row.path) || "Answer"}</th>
              <td>{shown(row.left) || "–"}</td>
              <td>{shown(row.right) || "–"}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
