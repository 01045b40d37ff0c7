import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { address } from "../../api/client";
import { promptsQuery, studyQuery, versionQuery } from "../../api/queries";
import type { ListedPrompt, Run } from "../../api/types";
import { Card, Empty, Pill, Progress, TimeAgo } from "../../components/bits";
import { Button } from "../../components/Button";
import { RunLink, StudyLink, VersionLink } from "../../components/links";
import { Listed } from "../../components/Failure";
import { RunPill } from "../../components/pills";
import { isActive, secondsOf } from "../../lib/runs";
import { bytes, clip, count, duration, number, percent, significant } from "../../lib/format";
import { placeOf, scoredOf, TRACKERS } from "../../lib/events";
import { shown } from "../../lib/json";
import { usedOf } from "../../lib/studies";
import { evaluationOf, metricOf } from "../../lib/scores";
import css from "./prompt.module.css";

/** The phases of a run, as it names them. */
const PHASES = [
  { name: "prepare", title: "Prepare" },
  { name: "search", title: "Search" },
  { name: "train", title: "Train" },
  { name: "evaluate", title: "Evaluate" },
] as const;
const PREVIEW = 100;

/** The texts that were submitted, with their trainings as they go. */
export function Jobs({ onAgain }: { onAgain: (prompt: number) => void }) {
  const query = useQuery(promptsQuery);
  const size = query.data?.length ?? 0;
  return (
    <Card title="Recent jobs" flush id="recent-jobs" side={size > 0 && count(size, "job")}>
      <Listed query={query} height={120}>
        {(prompts) =>
          prompts.length === 0 ? (
            <Empty title="No job yet">Submitted texts are listed here with their trainings.</Empty>
          ) : (
            <ul className={css.jobs}>
              {prompts.map((prompt) => (
                <Job key={prompt.id} prompt={prompt} onAgain={() => onAgain(prompt.id)} />
              ))}
            </ul>
          )
        }
      </Listed>
    </Card>
  );
}

function Job({ prompt, onAgain }: { prompt: ListedPrompt; onAgain: () => void }) {
  const { job, task } = prompt;
  return (
    <li className={css.job}>
      <div className={css.jobHead}>
        {job ? (
          <RunLink id={job.id} task={task} className={css.name}>
            {prompt.dataset}
          </RunLink>
        ) : (
          <span className={css.name}>{prompt.dataset}</span>
        )}
        {job ? <RunPill state={job.state} /> : <Pill tone="warn">{prompt.run ? "Run deleted" : "Not trained"}</Pill>}
        {prompt.parent != null && <Pill>version of {prompt.parent}</Pill>}
        {job && job.priority !== "normal" && <Pill>{job.priority} priority</Pill>}
        <span className={css.when}>
          <TimeAgo at={prompt.created_at} /> · {prompt.metadata.created_by} · {prompt.metadata.model_type}
        </span>
      </div>
      <p className={css.preview}>{clip(prompt.preview.trim().replace(/\s+/g, " "), PREVIEW)}</p>
      {job && <Phases job={job} />}
      {prompt.note && !job && <p className={css.note}>{prompt.note}</p>}
      {job?.error && <p className={css.note}>{clip(job.error, 200)}</p>}
      <div className={css.facts}>
        <span className="num">{count(prompt.examples, "example")}</span>
        {job && <span className="num">Loss {significant(job.progress?.loss ?? job.final_loss)}</span>}
        {job && isActive(job.state) && <InTraining job={job} />}
        {job && <span className="num">{duration(secondsOf(job))}</span>}
        {job?.version && <Scores task={task} version={job.version} />}
        <span className={css.links}>
          {!job && prompt.pending > 0 && (
            <Link to="/audit" search={{ task }}>
              Audit
            </Link>
          )}
          {prompt.tracking.map(
            ({ tracker, url }) =>
              url && (
                <a key={tracker} href={url} target="_blank" rel="noreferrer">
                  {TRACKERS[tracker]}
                </a>
              ),
          )}
          <Link to="/training/prompt" search={{ prompt: String(prompt.id) }} hash="prompt-versions">
            Versions
          </Link>
          <a href={`/api/v1/prompts/${prompt.id}/prompt_data.csv`} download>
            prompt_data.csv
          </a>
          <Button small look="quiet" onClick={onAgain}>
            Use this text again
          </Button>
        </span>
      </div>
    </li>
  );
}

/** The newest numbers on held-out examples of a run that trains. */
function InTraining({ job }: { job: Run }) {
  const held = job.progress?.held_out;
  if (!held) return null;
  const { scores } = held;
  return (
    <>
      <span className="num">Held-out loss {significant(held.loss)}</span>
      {scores && <span className="num">Accuracy {percent(scores.accuracy)}</span>}
      {scores?.f1 != null && <span className="num">F1 {percent(scores.f1)}</span>}
      {scores && <span className="num">{scoredOf(scores, job.eval_samples)}</span>}
    </>
  );
}

/** How far a run is, by its phases. */
function Phases({ job }: { job: Run }) {
  const active = isActive(job.state);
  const searches = job.search != null;
  const baseline = job.progress?.baseline;
  const downloads = job.phase === "download";
  const name = downloads ? "prepare" : job.phase === "search" ? job.phase : (job.progress?.phase ?? job.phase);
  const size = downloads ? bytes : number;
  const names = PHASES.map((phase) => phase.name as string);
  const at = searches ? placeOf(name, names) : names.indexOf(name ?? "");
  const second = searches ? "Search" : "Baseline";
  const title = (i: number) => {
    if (names[i] !== "search") return PHASES[i]?.title;
    return baseline && !searches ? `${second}: ${baseline.name} ${percent(baseline.value)}` : second;
  };
  const state = (i: number) => {
    if (names[i] === "search" && !searches) {
      if (baseline) return "done";
      if (job.state === "succeeded" || at > i) return "skipped";
    }
    if (job.state === "succeeded" || at > i) return "done";
    if (at === i) return active ? "now" : "stopped";
    return "open";
  };
  return (
    <div className={css.phases}>
      <ol aria-label="Phases">
        {PHASES.map((phase, i) => (
          <li
            key={phase.name}
            data-state={state(i)}
            aria-current={state(i) === "now" ? "step" : undefined}
            title={state(i) === "skipped" ? "Not measured for this run" : undefined}
          >
            <span className="num">{i + 1}</span> {title(i)}
            {state(i) === "skipped" && <span className="sr"> (not needed)</span>}
          </li>
        ))}
      </ol>
      {job.search && job.phase === "search" && active && <Searching study={job.search} />}
      {active && job.progress && <Progress value={job.progress.percent} label={`Run ${job.id}`} />}
      {active && job.progress && (
        <span className="num">
          {Math.round(job.progress.percent)} %
          {job.progress.of > 0 && ` · ${size(job.progress.step)} of ${size(job.progress.of)}`}
          {downloads && " of the base model"}
          {job.progress.eta_s != null && ` · ${duration(job.progress.eta_s)} left`}
        </span>
      )}
    </div>
  );
}

/** Progress of the search that a run waits for. */
function Searching({ study }: { study: string }) {
  const view = useQuery(studyQuery(study)).data;
  return (
    <span className="num">
      <StudyLink id={study} /> tries settings{view && `: ${usedOf(shown(view.study.plan.budget), view.trials).text}`}
    </span>
  );
}

/** The score of a run's version. */
function Scores({ task, version }: { task: string; version: string }) {
  const found = useQuery(versionQuery(task, version)).data;
  const adapter = evaluationOf(found?.version)?.adapter;
  const shown = [
    ["Accuracy", metricOf(adapter, "accuracy")],
    ["F1", metricOf(adapter, "macro_f1") ?? metricOf(adapter, "f1")],
    ["Whole answer", metricOf(adapter, "exact")],
    ["ROUGE-L", metricOf(adapter, "rouge_l")],
  ] as const;
  return (
    <>
      {shown.map(
        ([title, metric]) => metric && <span key={title} className="num">{`${title} ${percent(metric.value)}`}</span>,
      )}
      <VersionLink task={task} version={version} />
      {adapter && (
        <a href={`${address("/api/v1/versions/{task}/{name}/results", { task, name: version })}?format=html`} download>
          Report
        </a>
      )}
    </>
  );
}
