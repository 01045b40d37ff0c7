import { brief, differences, type Json } from "../../lib/json";
import { clip, label } from "../../lib/format";
import css from "./versions.module.css";

const MOST = 6;

/** Differences between a version's answer (struck out) and the correct one, value by value. */
export function Diffs({ truth, answer }: { truth: Json | undefined; answer: Json }) {
  const found = differences(truth, answer);
  return (
    <ul className={css.diffs}>
      {found.slice(0, MOST).map((d) => (
        <li key={d.path}>
          <span>{label(d.path.replace(/\[(\d+)\]\.?/g, (_, i: string) => ` ${Number(i) + 1} `)) || "Answer"}</span>{" "}
          <del>{short(d.right)}</del> <ins>{short(d.left)}</ins>
        </li>
      ))}
      {found.length > MOST && <li>and {found.length - MOST} more</li>}
    </ul>
  );
}

const short = (value: Parameters<typeof brief>[0]) => clip(brief(value), 60) || "nothing";
