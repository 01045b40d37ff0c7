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

/** Answers that were right to the last value: what a version can do. Each opens to the whole message and answer. */
export function RightList({ task: name, right, evaluation }: Props) {
  const { tasks } = useTask();
  const all = evaluation?.adapter.per_example.filter((score) => score >= 1).length ?? 0;
  const task = tasks.find((one) => one.name === name);
  return (
    <Card
      title="Right answers"
      flush
      side={right.length > 0 && `${number(right.length)} of ${number(all)} that were right to the last value`}
    >
      {right.length === 0 && (
        <Empty title={!evaluation ? "Nothing to show" : all === 0 ? "None is all right" : "None was kept"}>
          {!evaluation
            ? "Answers to held-out examples appear here once it is measured."
            : all === 0
              ? "Every answer to a held-out example lacks something."
              : "It was measured by an older Graft; measure it again to see some."}
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
