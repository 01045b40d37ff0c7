import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useRef, useState, type KeyboardEvent } from "react";
import { exampleQuery } from "../../api/queries";
import type { TaskInfo, ShownAnswer } from "../../api/types";
import { AnswerForm } from "../../components/answer/AnswerForm";
import { Button } from "../../components/Button";
import { Skeleton } from "../../components/bits";
import { Failure } from "../../components/Failure";
import { Modal } from "../../components/Modal";
import { ShowCommand } from "../../components/ShowCommand";
import { commands } from "../../lib/commands";
import { single } from "../../lib/clicks";
import { differing, type Json } from "../../lib/json";
import { isTyping, name } from "../../lib/keys";
import { blank, problems } from "../../lib/schema";
import { current } from "../../lib/spans";
import { MessageText } from "../audit/MessageText";
import { approval, decide, useShown } from "../audit/useDecide";
import { Diffs } from "./Diffs";
import css from "./versions.module.css";

interface Props {
  task: TaskInfo;
  one: ShownAnswer;
  place: string;
  onStep: (by: number) => void;
  onApproved: (id: string) => void;
  close: () => void;
}

/** One message with a wrong answer: correct or confirm its approved answer. */
export function Fix({ task, one, place, onStep, onApproved, close }: Props) {
  const { id } = one.example;
  const { data, error, refetch } = useQuery(exampleQuery(task.name, id));
  const { shown, basis } = useShown(data);
  const known = shown?.example;
  const [drafts, setDrafts] = useState<Record<string, Json>>({});
  const [path, setPath] = useState<string | null>(null);
  const [tried, setTried] = useState<string | null>(null);
  const body = useRef<HTMLDivElement>(null);
  const answer = drafts[id] ?? known?.output ?? blank(task);
  const setDraft = (to: Json) => setDrafts((old) => ({ ...old, [id]: to }));
  const errors = tried === id ? problems(task, answer) : {};
  const approve = () => {
    setTried(id);
    if (!basis || Object.keys(problems(task, answer)).length > 0) return;
    decide(basis, approval(basis, answer));
    onApproved(id);
  };
  const keys: Record<string, () => void> = {
    a: approve,
    e: () => body.current?.querySelector<HTMLElement>("[data-path]")?.focus(),
    o: () => one.answer != null && setDraft(one.answer),
    j: () => onStep(1),
    k: () => onStep(-1),
  };
  const onKeyDown = (press: KeyboardEvent) => {
    const key = name(press);
    const run = key === "mod+enter" ? approve : isTyping(press.target) ? undefined : keys[key];
    if (!run) return;
    press.preventDefault();
    if (!press.repeat) run();
  };
  return (
    <Modal
      open
      wide
      close={close}
      onKeyDown={onKeyDown}
      title={`Worst answers: ${place}`}
      foot={
        <>
          <Link to="/audit" search={{ task: task.name, state: "all", id, view: "both" }}>
            Open in Audit
          </Link>
          <span className={css.grow} />
          <Button shortcut="o" disabled={one.answer == null} onClick={keys.o}>
            Use its answer
          </Button>
          <Button shortcut="j" onClick={keys.j}>
            Next
          </Button>
          <Button look="main" icon="check" shortcut="a" disabled={!known} onClick={single(approve)}>
            Approve
          </Button>
        </>
      }
    >
      <div className={css.fix} ref={body}>
        {error && <Failure error={error} retry={() => void refetch()} />}
        {!known && !error && <Skeleton lines={6} height={220} />}
        {known && (
          <>
            <MessageText
              text={known.input}
              spans={current(known.input, answer, shown.spans, known.output)}
              path={path}
            />
            {one.answer != null && (
              <div>
                <h3>Its answer and the correct answer</h3>
                <Diffs truth={answer} answer={one.answer} />
              </div>
            )}
            <AnswerForm
              task={task}
              value={answer}
              onChange={setDraft}
              about={{
                errors,
                differing: one.answer != null ? differing(answer, one.answer) : undefined,
                onFocus: setPath,
              }}
            />
            <ShowCommand command={commands.editing(task.name, id, answer)} />
          </>
        )}
      </div>
    </Modal>
  );
}
