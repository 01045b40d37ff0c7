import { useState } from "react";
import type { Worst } from "../../api/types";
import { Button } from "../../components/Button";
import { Card, Empty, Pill } from "../../components/bits";
import { clip, percent } from "../../lib/format";
import { useActions } from "../../shell/actions";
import { useTask } from "../../shell/useTask";
import { Diffs } from "./Diffs";
import { Fix } from "./Fix";
import css from "./versions.module.css";

/** Where a version was most wrong: one key opens the message to repair and approve it, then the next. */
export function WorstList({ task: name, worst }: { task: string; worst: Worst[] }) {
  const { tasks } = useTask();
  const task = tasks.find((one) => one.name === name);
  const wrong = worst.filter((one) => one.score < 1);
  const [at, setAt] = useState<number | null>(null);
  const [fixed, setFixed] = useState<ReadonlySet<string>>(new Set());
  const first = wrong.findIndex((one) => !fixed.has(one.example.id));
  useActions([
    {
      id: "fix",
      label: "Fix the worst answers",
      group: "Versions",
      key: "f",
      disabled: first < 0,
      run: () => setAt(first),
    },
  ]);
  const approved = (id: string) => {
    const done = new Set(fixed).add(id);
    setFixed(done);
    const next = wrong.findIndex((one) => !done.has(one.example.id));
    setAt(next < 0 ? null : next);
  };
  return (
    <Card
      title="Worst first"
      flush
      side={
        wrong.length > 0 && (
          <Button small icon="edit" shortcut="f" disabled={first < 0} onClick={() => setAt(first)}>
            Fix
          </Button>
        )
      }
    >
      {wrong.length === 0 && (
        <Empty title={worst.length > 0 ? "None is wrong" : "Nothing to show"}>
          {worst.length > 0
            ? "Every held-out example got the right answer."
            : "Answers of held-out examples appear here once it is measured."}
        </Empty>
      )}
      <ul className={css.worst}>
        {wrong.map(({ example, answer, score }, i) => (
          <li key={example.id}>
            <div>
              <p>{clip(example.input, 240)}</p>
              {answer != null && <Diffs truth={example.output} answer={answer} />}
            </div>
            <span className={css.worstSide}>
              {fixed.has(example.id) ? (
                <Pill tone="good">✓ Approved</Pill>
              ) : (
                <span className="num" title="Share of the answer that was right">
                  {percent(score)}
                </span>
              )}
              <Button small aria-label={`Fix: ${clip(example.input, 60)}`} onClick={() => setAt(i)}>
                Fix
              </Button>
            </span>
          </li>
        ))}
      </ul>
      {at !== null && task && wrong[at] && (
        <Fix
          task={task}
          one={wrong[at]}
          place={`${at + 1} of ${wrong.length}`}
          onStep={(by) => setAt((at + by + wrong.length) % wrong.length)}
          onApproved={approved}
          close={() => setAt(null)}
        />
      )}
    </Card>
  );
}
