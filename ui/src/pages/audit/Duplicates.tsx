import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, reply, where } from "../../api/client";
import { read } from "../../api/queries";
import type { TaskInfo } from "../../api/types";
import { Button } from "../../components/Button";
import { Modal } from "../../components/Modal";
import { clip, count } from "../../lib/format";
import css from "./audit.module.css";
import type { Audit } from "./useAudit";

/** Near-duplicates among approved messages: they teach little, and are kept on one side of every split. */
export function Duplicates({ task, audit }: { task: TaskInfo; audit: Audit }) {
  const [open, setOpen] = useState(false);
  // Fetched when the page opens, because fetching after each decision would compare all examples again.
  const { data } = useQuery(
    read(
      ["duplicates", task.name],
      () => reply(api.GET("/api/v1/tasks/{task}/duplicates", where({ task: task.name }))),
      { staleTime: 300_000, enabled: task.counts.approved > 1 },
    ),
  );
  if (!data || data.extra === 0) return null;
  return (
    <>
      <Button look="quiet" small onClick={() => setOpen(true)}>
        {count(data.extra, "near-duplicate")}
      </Button>
      <Modal
        open={open}
        close={() => setOpen(false)}
        wide
        title="Near-duplicates among approved messages"
        about="Near-duplicates are always on the same side of the split, so no version is evaluated on an example it was almost trained on. Copies add nothing to training: open one to reject it."
      >
        <ol className={css.groups}>
          {data.groups.slice(0, SHOWN).map((group) => (
            <li key={group[0]?.id}>
              <ul>
                {group.map((one) => (
                  <li key={one.id}>
                    <button
                      type="button"
                      onClick={() => {
                        setOpen(false);
                        audit.open(one.id);
                      }}
                    >
                      {clip(one.input.replace(/\s+/g, " "), 140)}
                    </button>
                  </li>
                ))}
              </ul>
            </li>
          ))}
        </ol>
        {data.groups.length > SHOWN && <p className="muted">And {count(data.groups.length - SHOWN, "more group")}.</p>}
      </Modal>
    </>
  );
}

const SHOWN = 50;
