import { useMemo } from "react";
import { label } from "../../lib/format";
import { stretches, type Spans } from "../../lib/spans";
import css from "./audit.module.css";

/** A text in which the places that values came from are marked; the field at hand stands out. */
export function MessageText({ text, spans, path }: { text: string; spans: Spans; path: string | null }) {
  const parts = useMemo(() => stretches(text, spans), [text, spans]);
  const hues = useMemo(() => hue(Object.keys(spans)), [spans]);
  return (
    <p className={css.text} data-testid="message">
      {parts.map((part, i) => {
        const first = part.paths[0];
        if (first === undefined) return <span key={i}>{part.text}</span>;
        const here = path !== null && part.paths.some((one) => one === path);
        return (
          <mark
            key={i}
            className={css.mark}
            data-hue={hues.get(group(first))}
            data-here={here || undefined}
            title={part.paths.map(label).join(", ")}
          >
            {part.text}
          </mark>
        );
      })}
    </p>
  );
}

/** Fields of the same name share a hue, wherever in a list they stand. */
const group = (path: string) => path.replace(/\[\d+\]/g, "[]");

function hue(paths: string[]): Map<string, number> {
  const groups = [...new Set(paths.map(group))].sort();
  return new Map(groups.map((name, i) => [name, (i % 5) + 1]));
}
