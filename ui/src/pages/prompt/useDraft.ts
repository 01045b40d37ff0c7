import { useEffect, useRef, useState } from "react";
import { api, reply } from "../../api/client";
import type { Schemas } from "../../api/types";
import { useDebounced } from "../../lib/useDebounced";

export interface Draft {
  text: string;
  model_type: string;
  priority: Schemas["PriorityName"];
  base: string;
  /** The text that it will be a new version of. */
  parent: number | null;
}

export const EMPTY: Draft = { text: "", model_type: "text_classification", priority: "normal", base: "", parent: null };

export type Saved = "reading" | "saved" | "saving" | "failed";

/** The draft, stored on the server so that it is available on every machine. */
export function useDraft(): { draft: Draft; change: (part: Partial<Draft>) => void; saved: Saved; clear: () => void } {
  const [draft, setDraft] = useState<Draft>(EMPTY);
  const [saved, setSaved] = useState<Saved>("reading");
  const touched = useRef(false);
  useEffect(() => {
    let gone = false;
    reply(api.GET("/api/v1/prompts/draft")).then(
      (found) => {
        if (gone) return;
        // The text typed meanwhile is newer.
        if (!touched.current)
          setDraft({
            text: found.text ?? "",
            model_type: found.model_type ?? EMPTY.model_type,
            priority: found.priority ?? EMPTY.priority,
            base: found.base ?? "",
            parent: found.parent ?? null,
          });
        setSaved("saved");
      },
      () => !gone && setSaved("failed"),
    );
    return () => {
      gone = true;
    };
  }, []);
  const settled = useDebounced(draft, 800);
  useEffect(() => {
    if (!touched.current) return;
    const { base, ...rest } = settled;
    reply(api.PUT("/api/v1/prompts/draft", { body: { ...rest, base: base || null } })).then(
      () => setSaved("saved"),
      () => setSaved("failed"),
    );
  }, [settled]);
  const change = (part: Partial<Draft>) => {
    touched.current = true;
    setSaved("saving");
    setDraft((old) => ({ ...old, ...part }));
  };
  /** After a submission, which removes it on the server, too. */
  const clear = () => {
    touched.current = false;
    setDraft((old) => ({ ...old, text: "", parent: null }));
    setSaved("saved");
  };
  return { draft, change, saved, clear };
}
