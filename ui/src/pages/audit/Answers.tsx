import type { TaskInfo } from "../../api/types";
import { AnswerForm } from "../../components/answer/AnswerForm";
import type { About } from "../../components/answer/ValueField";
import { Button } from "../../components/Button";
import { Segmented } from "../../components/form";
import { percent } from "../../lib/format";
import type { Json } from "../../lib/json";
import { ActionButton, useActions } from "../../shell/actions";
import css from "./audit.module.css";
import type { Method, Proposal, View } from "./draft";

interface Props {
  task: TaskInfo;
  list: Proposal[];
  /** Two proposals side by side, if requested. */
  sides: [Proposal, Proposal] | undefined;
  proposal: Proposal | undefined;
  loading: boolean;
  view: View | undefined;
  answer: Json;
  edited: boolean;
  about: About;
  onView: (view: View) => void;
  onPick: (method: Method) => void;
  onChange: (answer: Json) => void;
  onReset: () => void;
}

/** The proposals: one to edit, or two side by side. */
export function Answers(props: Props) {
  const { task, list, sides, proposal, view, edited, about } = props;
  const views: { value: View; label: string }[] = list.map((p) => ({ value: p.method, label: p.label }));
  if (list.length > 1) views.push({ value: "both", label: "Compare both" });
  const shown = sides ? "both" : (proposal?.method ?? "given");
  const cycle = () => {
    const at = views.findIndex((one) => one.value === shown);
    const next = views[(at + 1) % views.length];
    if (next) props.onView(next.value);
  };
  const swap = () => {
    const other = sides?.find((side) => side.method !== proposal?.method);
    if (other) props.onPick(other.method);
  };
  useActions([
    { id: "method", label: "Next extraction method", group: "Audit", key: "m", disabled: views.length < 2, run: cycle },
    { id: "swap", label: "Use the other answer", group: "Audit", key: "o", disabled: !sides, run: swap },
  ]);
  const labels = task.form === "label" ? (task.labels ?? []).slice(0, 9) : [];
  return (
    <>
      <header className={css.answerHead}>
        {views.length > 1 ? (
          <Segmented label="Extraction method" value={shown} options={views} onPick={props.onView} />
        ) : (
          <h2>{proposal?.label ?? (props.loading ? "Loading …" : "No proposal yet")}</h2>
        )}
        <span className={css.answerSide}>
          {edited && (
            <Button look="quiet" small icon="undo" onClick={props.onReset}>
              Discard changes
            </Button>
          )}
          {!edited && !sides && proposal?.whole !== undefined && (
            <span title="Calibrated: this share of the answers with this confidence is correct">
              {percent(proposal.whole)} confidence
            </span>
          )}
        </span>
      </header>
      {view === "both" && !sides && list.length > 0 && <p className="muted">This message has only one answer.</p>}
      {sides ? (
        <div className={css.sides}>
          {sides.map((side) => {
            const mine = side.method === proposal?.method;
            return (
              <div key={side.method} className={css.sideBox} data-mine={mine || undefined}>
                <header>
                  <strong>{side.label}</strong>
                  {side.whole !== undefined && <span className="muted num">{percent(side.whole)} confidence</span>}
                  {mine ? (
                    <span className={css.taken}>Approved with A</span>
                  ) : (
                    <Button small shortcut="o" onClick={() => props.onPick(side.method)}>
                      Use this answer
                    </Button>
                  )}
                </header>
                <AnswerForm
                  task={task}
                  name={side.label}
                  value={mine ? props.answer : side.answer}
                  onChange={mine ? props.onChange : undefined}
                  about={
                    mine ? about : { differing: about.differing, confidence: side.confidence, onFocus: about.onFocus }
                  }
                />
              </div>
            );
          })}
        </div>
      ) : (
        <AnswerForm task={task} value={props.answer} onChange={props.onChange} about={about} />
      )}
      {labels.length > 0 && (
        <div className={css.labels} role="group" aria-label="Labels">
          {labels.map((label, i) => (
            <ActionButton
              key={label}
              action={{
                ...{ id: `label-${label}`, label: `Label: ${label}`, group: "Labels", key: String(i + 1) },
                run: () => props.onChange(label),
              }}
              aria-pressed={props.answer === label}
            >
              {label}
            </ActionButton>
          ))}
        </div>
      )}
    </>
  );
}
