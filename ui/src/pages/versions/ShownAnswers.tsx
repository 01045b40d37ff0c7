import { useState } from "react";
import type { Evaluation, ShownAnswer } from "../../api/types";
import { AnswerForm } from "../../components/answer/AnswerForm";
import { Card, Empty, Pill } from "../../components/bits";
import { Button } from "../../components/Button";
import { clip, number, percent } from "../../lib/format";
import type { Json } from "../../lib/json";
import { ActionButton } from "../../shell/actions";
import { useTask } from "../../shell/useTask";
import { Diffs } from "./Diffs";
import { Fix } from "./Fix";
import css from "./versions.module.css";

interface Props {
  task: string;
  shown: ShownAnswer[];
  evaluation: Evaluation | null | undefined;
}

/** The worst answers of a version: a key opens the message to correct and approve it, then the next. */
export function WorstList({ task: name, shown: worst, evaluation }: Props) {
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
        <None evaluation={evaluation} isAny={anyWrong} see="them" title="No wrong answers">
          Every held-out example has the correct answer.
        </None>
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

/** Fully correct answers. Each opens to the complete message and answer. */
export function RightList({ task: name, shown: right, evaluation }: Props) {
  const { tasks } = useTask();
  const all = evaluation?.adapter.per_example.filter((score) => score >= 1).length ?? 0;
  const task = tasks.find((one) => one.name === name);
  return (
    <Card
      title="Correct answers"
      flush
      side={right.length > 0 && `${number(right.length)} of ${number(all)} fully correct answers`}
    >
      {right.length === 0 && (
        <None evaluation={evaluation} isAny={all > 0} see="some" title="No correct answers">
          No answer to a held-out example is fully correct.
        </None>
      )}
      {right.map(({ example, answer = null }) => (
        <details key={example.id} className={css.right}>
          <summary>
            <span>{clip(example.input, 160)}</span>
            {typeof answer === "string" && <strong>{clip(answer, 40)}</strong>}
          </summary>
          <div>
            <p>{example.input}</p>
            {task && <AnswerForm task={task} value={answer as Json} name={`Answer to ${clip(example.input, 40)}`} />}
          </div>
        </details>
      ))}
    </Card>
  );
}

interface NoneProps {
  evaluation: Evaluation | null | undefined;
  /** Whether there are such answers. */
  isAny: boolean | undefined;
  see: string;
  title: string;
  children: string;
}

/** Why no answers are shown. */
function None({ evaluation, isAny, see, title, children }: NoneProps) {
  if (!evaluation)
    return <Empty title="Nothing to show">Answers to held-out examples appear here after the evaluation.</Empty>;
  if (!isAny) return <Empty title={title}>{children}</Empty>;
  return (
    <Empty title="No answers were stored">
      It was evaluated by an older version of Graft. Evaluate it again to see {see}.
    </Empty>
  );
}
