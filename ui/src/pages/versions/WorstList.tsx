import { useState } from "react";
import type { Evaluation, ShownAnswer } from "../../api/types";
import { Button } from "../../components/Button";
import { Card, Empty, Pill } from "../../components/bits";
import { clip, percent } from "../../lib/format";
import { ActionButton } from "../../shell/ActionButton";
import { useTask } from "../../shell/useTask";
import { Diffs } from "./Diffs";
import { Fix } from "./Fix";
import css from "./versions.module.css";

interface Props {
  task: string;
  worst: ShownAnswer[];
  evaluation: Evaluation | null | undefined;
}

/** The worst answers of a version: a key opens the message to correct and approve it, then the next. */
export function WorstList({ task: name, worst, evaluation }: Props) {
  const { tasks } = useTask();
  const task = tasks.find((one) => one.name === name);
  const wrong = worst.filter((one) => one.score < 1);
  const [at, setAt] = useState<number | null>(null);
  const [fixed, setFixed] = useState<ReadonlySet<string>>(new Set());
  const anyWrong = evaluation?.adapter.per_example.some((score) => score < 1);
  const first = wrong.findIndex((one) => !fixed.has(one.example.id));
  const fix = {
    ...{ id: "fix", label: "Fix the worst answers", group: "Versions", key: "f" },
    ...{ disabled: first < 0, run: () => setAt(first) },
  };
  const approved = (id: string) => {
    const done = new Set(fixed).add(id);
    setFixed(done);
    const next = wrong.findIndex((one) => !done.has(one.example.id));
    setAt(next < 0 ? null : next);
  };
  return (
    <Card
      title="Worst answers"
      flush
      side={
        wrong.length > 0 && (
          <ActionButton action={fix} small icon="edit">
            Fix
          </ActionButton>
        )
      }
    >
      {wrong.length === 0 && (
        <Empty title={!evaluation ? "Nothing to show" : anyWrong ? "No answers were stored" : "No wrong answers"}>
          {!evaluation
            ? "Answers to held-out examples appear here after the evaluation."
            : anyWrong
              ? "It was evaluated by an older version of Graft. Evaluate it again to see them."
              : "Every held-out example has the correct answer."}
        </Empty>
      )}
      <ul className={css.worst}>
        {wrong.map(({ example, answer, score, diff }, i) => (
          <li key={example.id}>
            <div>
              <p>{clip(example.input, 240)}</p>
              {answer != null && <Diffs truth={example.output} answer={answer} />}
            </div>
            <span className={css.worstSide}>
              {fixed.has(example.id) ? (
                <Pill tone="good">✓ Approved</Pill>
              ) : (
                <span className="num" title="Share of correct values in the answer">
                  {percent(diff?.score ?? score)}
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
          key={wrong[at].example.id}
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
