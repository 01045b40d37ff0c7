import type { Evaluation, ShownAnswer } from "../../api/types";
import { AnswerForm } from "../../components/answer/AnswerForm";
import { Card, Empty } from "../../components/bits";
import { clip, number } from "../../lib/format";
import type { Json } from "../../lib/json";
import { useTask } from "../../shell/useTask";
import css from "./versions.module.css";

interface Props {
  task: string;
  right: ShownAnswer[];
  evaluation: Evaluation | null | undefined;
}

/** Fully correct answers. Each opens to the complete message and answer. */
export function RightList({ task: name, right, evaluation }: Props) {
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
        <Empty title={!evaluation ? "Nothing to show" : all === 0 ? "No correct answers" : "No answers were stored"}>
          {!evaluation
            ? "Answers to held-out examples appear here after the evaluation."
            : all === 0
              ? "No answer to a held-out example is fully correct."
              : "It was evaluated by an older version of Graft. Evaluate it again to see some."}
        </Empty>
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
