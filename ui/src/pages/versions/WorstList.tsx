import { Link } from "@tanstack/react-router";
import type { Worst } from "../../api/types";
import { Card, Empty } from "../../components/bits";
import { differences } from "../../lib/diff";
import { clip, label } from "../../lib/format";
import { shown } from "../../lib/json";
import css from "./versions.module.css";

/** Where a version was most wrong: one press opens the message to repair and approve it. */
export function WorstList({ task, worst }: { task: string; worst: Worst[] }) {
  const wrong = worst.filter((one) => one.score < 1);
  return (
    <Card title="Worst first" side="Repair the truth, or approve more like these" flush>
      {wrong.length === 0 && (
        <Empty title={worst.length > 0 ? "None is wrong" : "Nothing to show"}>
          {worst.length > 0
            ? "Every held-out example got the right answer."
            : "Answers of held-out examples appear here once it is measured."}
        </Empty>
      )}
      <ul className={css.worst}>
        {wrong.map(({ example, answer }) => (
          <li key={example.id}>
            <div>
              <p>{clip(example.input, 240)}</p>
              {answer != null && (
                <ul className={css.diffs}>
                  {differences(example.output, answer)
                    .slice(0, 6)
                    .map((d) => (
                      <li key={d.path}>
                        <span>
                          {label(d.path.replace(/\[(\d+)\]\.?/g, (_, i: string) => ` ${Number(i) + 1} `)) || "Answer"}
                        </span>{" "}
                        <del>{short(d.right)}</del> <ins>{short(d.left)}</ins>
                      </li>
                    ))}
                </ul>
              )}
            </div>
            <Link to="/audit" search={{ task, state: "all", id: example.id, view: "both" } as never}>
              Fix
            </Link>
          </li>
        ))}
      </ul>
    </Card>
  );
}

const short = (value: Parameters<typeof shown>[0]) => clip(shown(value), 60) || "nothing";
