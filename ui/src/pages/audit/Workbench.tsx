import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState } from "react";
import { exampleQuery } from "../../api/queries";
import type { Example, ExampleDetail, ReviewState, TaskInfo } from "../../api/types";
import { Notice, Pill, TimeAgo } from "../../components/bits";
import { Button } from "../../components/Button";
import { Words } from "../../components/Failure";
import { differing, type Json } from "../../lib/json";
import { exact } from "../../lib/format";
import { blank, problems } from "../../lib/schema";
import { current as currentSpans } from "../../lib/spans";
import { link } from "../../live/connection";
import { focusNext } from "../../shell/focus";
import { Answers } from "./Answers";
import css from "./audit.module.css";
import { Decide } from "./Decide";
import { chosen, drafts, pair, proposals, type View } from "./draft";
import { MessageText } from "./MessageText";
import type { Queued } from "./queue";
import { TokenMask } from "./TokenMask";
import type { Audit } from "./useAudit";
import { approval, decide, useShown } from "./useDecide";

interface Props {
  example: Queued;
  task: TaskInfo;
  audit: Audit;
  position: string;
}

/** A message, its answer, and the decision. */
export function Workbench({ example, task, audit, position }: Props) {
  // Without live events, it is fetched again.
  const refetchOnMount = link.read() === "live" || "always";
  const { data: detail } = useQuery({ ...exampleQuery(example.task, example.id), refetchOnMount });
  /** What the person sees and decides on; `known` is its current state. */
  const [first] = useState(example);
  const { shown, basis, adopt } = useShown(detail, first);
  const seen = basis ?? { example: first };
  const known = detail?.example ?? example;
  const list = useMemo(() => proposals(shown ?? { example: first }), [shown, first]);
  const view = audit.search.view as View | undefined;
  const [draft, setDraft] = useState<Json | undefined>(() => drafts.get(example.task, example.id));
  const [picked, setPicked] = useState<View | undefined>();
  const [path, setPath] = useState<string | null>(null);
  const [tried, setTried] = useState(false);
  const sides = view === "both" ? pair(list) : undefined;
  const proposal = chosen(list, sides ? (picked ?? sides[1].method) : view);
  const answer = draft ?? proposal?.answer ?? blank(task);
  const errors = useMemo(() => (tried ? problems(task, answer) : {}), [tried, task, answer]);
  const other = sides?.find((side) => side.method !== proposal?.method);
  const differs = useMemo(() => (other ? differing(answer, other.answer) : undefined), [answer, other]);
  const spans = useMemo(
    () => currentSpans(known.input, answer, shown?.spans ?? {}, proposal?.answer),
    [known.input, answer, shown, proposal],
  );
  const form = useRef<HTMLDivElement>(null);
  const state = audit.states[audit.at] ?? "pending";

  const change = (to: Json) => {
    setDraft(to);
    drafts.set(example.task, example.id, to);
  };
  const reset = () => {
    setDraft(undefined);
    setTried(false);
    drafts.set(example.task, example.id, undefined);
  };
  useEffect(() => {
    // Keyboard users continue at the message; the focus stays if it is in the filter or on a button.
    if (document.activeElement === document.body || document.activeElement?.id === "main") focusNext();
  }, []);
  // Only one decision on the shown message, however fast keys are pressed; then the next message, or the updated one, is shown.
  const decided = useRef(false);
  useEffect(() => {
    decided.current = false;
  });
  const once = (deed: Parameters<typeof decide>[1]) => {
    if (decided.current) return;
    decided.current = true;
    decide(seen, deed);
    audit.next(deed.action);
  };
  const approve = () => {
    const wrong = Object.keys(problems(task, answer));
    setTried(true);
    if (wrong.length > 0) return focus(form.current, wrong[0] ?? "");
    once(approval(seen, answer));
  };
  const reject = (reason: string) => once({ action: "reject", reason });
  return (
    <div className={css.bench} data-both={sides ? true : undefined}>
      <section className={css.message} aria-label="Message" tabIndex={-1} data-focus>
        <header className={css.messageHead}>
          <strong className="num">{position}</strong>
          <ReviewPill state={state} review={known.review} />
          <span role="status">{audit.other && <Pill tone="warn">{audit.other} has this message open</Pill>}</span>
          <span className={css.origin}>
            {known.source.kind} · {known.source.at ? <TimeAgo at={known.source.at} /> : known.source.reference}
          </span>
        </header>
        {adopt && (
          <Notice tone="warn" title="Somebody decided on this message while you had it open.">
            If you decide as well, you can compare both decisions.{" "}
            <Button small onClick={() => (adopt(), reset())}>
              Show their decision
            </Button>
          </Notice>
        )}
        {detail?.baseline_failure && (
          <Notice tone="warn" title="The task's baseline did not answer.">
            {detail.baseline_failure}
          </Notice>
        )}
        {example.why && (
          <p className={css.why} aria-label="Why this message">
            <Words>{example.why}</Words>
          </p>
        )}
        <MessageText text={known.input} spans={spans} path={path} />
        <div className={css.below}>
          {known.output != null && <TokenMask example={known} />}
          <History detail={detail} />
        </div>
      </section>
      <section className={css.answer} aria-label="Answer" ref={form}>
        <Answers
          task={task}
          list={list}
          sides={sides}
          proposal={proposal}
          loading={!shown}
          view={view}
          answer={answer}
          edited={draft !== undefined}
          about={{
            errors,
            differing: differs,
            confidence: draft === undefined ? proposal?.confidence : undefined,
            onFocus: setPath,
          }}
          onView={(to) => audit.setUrl({ view: to })}
          onPick={(method) => (setPicked(method), reset())}
          onChange={change}
          onReset={reset}
        />
      </section>
      <Decide audit={audit} task={task} onApprove={approve} onReject={reject} onEdit={() => focus(form.current)} />
    </div>
  );
}

function focus(form: HTMLElement | null, path?: string): void {
  const wanted = path === undefined ? null : form?.querySelector<HTMLElement>(`[data-path="${CSS.escape(path)}"]`);
  const first = form?.querySelector<HTMLElement>("[data-path]:not([readonly]):not(:disabled)");
  const input = wanted ?? first;
  input?.focus();
  if (input instanceof HTMLInputElement) input.select();
}

/** The changes of a message with their authors. */
export function History({ detail }: { detail: ExampleDetail | undefined }) {
  const changes = detail?.history ?? [];
  return (
    <details className={css.history}>
      <summary>
        History{changes.length > 0 && <span className="num"> · {changes.length}</span>} · revision{" "}
        {detail?.example.revision ?? "…"}
      </summary>
      <ol>
        {changes.map((change) => (
          <li key={change.seq}>
            <strong>{change.by}</strong> {VERB[change.action] ?? change.action} <TimeAgo at={change.at} />
          </li>
        ))}
      </ol>
    </details>
  );
}
const VERB: Record<string, string> = {
  import: "imported it",
  approve: "approved it",
  reject: "rejected it",
  edit: "edited it",
  add: "added it",
};

/** The review state of a message. */
function ReviewPill({ state, review }: { state: ReviewState; review: Example["review"] }) {
  if (state === "pending") return <Pill>Unaudited</Pill>;
  const known = review.state === state ? review : undefined;
  return (
    <span title={known && "at" in known ? exact(known.at) : undefined}>
      <Pill tone={state === "approved" ? "good" : "bad"}>
        {state === "approved" ? "✓ Approved" : "✕ Rejected"}
        {known && "by" in known && ` by ${known.by}`}
        {known && "reason" in known && known.reason && `: ${known.reason}`}
      </Pill>
    </span>
  );
}
