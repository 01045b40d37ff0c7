import { useMutation, useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { api, reply, where } from "../../api/client";
import { reread, studyQuery } from "../../api/queries";
import type { StudyView, Trial } from "../../api/types";
import { BarList } from "../../components/BarList";
import { Card, Empty, Figure, Figures, Notice, PageHead, Pill, Progress, Skeleton } from "../../components/bits";
import { Button } from "../../components/Button";
import { Confirm } from "../../components/Confirm";
import { Failure, PageFailure } from "../../components/Failure";
import layout from "../../components/layout.module.css";
import { RunLink } from "../../components/links";
import { ShowCommand } from "../../components/ShowCommand";
import { DataTable } from "../../components/Table";
import { commands } from "../../lib/commands";
import { bytes, duration, label, percent } from "../../lib/format";
import { isObject, shown } from "../../lib/json";
import { loss, MEASURES, settingsIn, usedOf } from "../../lib/studies";
import { ActionButton } from "../../shell/actions";
import { ParallelPlot, ParetoPlot } from "./plots";
import css from "./search.module.css";
import { StudyPill } from "../../components/pills";

/** As many trials can be marked as there are colours beside the best one's. */
const MOST_CHOSEN = 3;

/** One study: its trials, their results, and a training with the best settings. */
export function StudyPage() {
  const { id } = useParams({ from: "/search/$id" });
  const query = useQuery(studyQuery(id));
  const [chosen, setChosen] = useState<number[]>([]);
  if (query.error && !query.data)
    return <PageFailure title="Study" error={query.error} retry={() => void query.refetch()} />;
  if (!query.data) return <Skeleton lines={8} height={480} />;
  const view = query.data;
  const { study, trials } = view;
  const toggle = (trial: number) =>
    setChosen((old) =>
      old.includes(trial) ? old.filter((one) => one !== trial) : [...old, trial].slice(-MOST_CHOSEN),
    );
  const compared = chosen.flatMap((at) => trials.filter((trial) => trial.number === at).map((trial) => trial.run));
  const { base, more_bases: more } = study.plan;
  const bases = [base, ...(Array.isArray(more) ? more : [])].flatMap((one) => (isObject(one) ? shown(one.name) : []));
  return (
    <div className={layout.stack}>
      <PageHead
        title={study.id}
        about={
          <span className={layout.row}>
            <StudyPill state={study.state} /> {study.task} · {bases.join(", ")} · begun by {study.created_by}
          </span>
        }
      >
        <StudyActions view={view} />
      </PageHead>
      <State view={view} />
      <Numbers view={view} />
      <Card
        title="Trials"
        flush
        side={
          compared.length >= 2 ? (
            <Link to="/runs/compare" search={{ ids: compared.join(",") }}>
              Compare {compared.length} trials
            </Link>
          ) : (
            trials.length > 1 && `Select trials to mark and compare them`
          )
        }
      >
        {trials.length === 0 ? (
          <Empty title="No trial yet">The first trial is the unchanged recipe.</Empty>
        ) : (
          <TrialsTable view={view} chosen={chosen} onChoose={toggle} />
        )}
      </Card>
      <Card title="Settings and loss of each trial">
        <ParallelPlot view={view} chosen={chosen} />
      </Card>
      <div className={layout.two}>
        <Card title="Importance">
          {view.importance.length === 0 ? (
            <p className="muted">The importance of each setting appears after six finished trials.</p>
          ) : (
            <BarList
              label="Importance of each setting"
              unit="%"
              values={Object.fromEntries(view.importance.map((one) => [label(one.name), one.share * 100]))}
            />
          )}
        </Card>
        <ParetoPlot view={view} chosen={chosen} />
      </div>
    </div>
  );
}

/** The outcome in a sentence. */
function State({ view: { study, trials, defaults_are_best, ended_early, best, lead } }: { view: StudyView }) {
  if (study.note)
    return (
      <Notice tone="warn" title="The study cannot continue now">
        Failed to {study.note}. It is tried again.
      </Notice>
    );
  if (study.state === "running") return null;
  if (defaults_are_best)
    return (
      <Notice title="The defaults are best here.">
        No trial was shown to be better than trial 0, the recipe.{" "}
        {lead &&
          `The loss of trial ${best} is ${loss(lead.loss)} lower; with ${lead.examples} examples to compare ${trials.length} trials, this may be chance. `}
        {ended_early && "The study ended early because its trials did not improve. "}
        <Link to="/train" search={{ task: study.task }}>
          Train with the recipe
        </Link>
      </Notice>
    );
  if (best == null) return <Notice tone="warn" title="No trial finished its training." />;
  if (defaults_are_best == null)
    return (
      <Notice title={`Trial ${best} has the lowest loss.`}>
        Trial 0, the recipe, did not finish its training, so the two can't be compared.
      </Notice>
    );
  return (
    <Notice tone="good" title={`Trial ${best} is better than the recipe.`}>
      {lead?.at_least != null && `Its loss is lower by ${loss(lead.at_least)} at least, with a probability of 95 %.`}
    </Notice>
  );
}

function Numbers({ view: { study, trials, best } }: { view: StudyView }) {
  const used = usedOf(shown(study.plan.budget), trials);
  const lossOf = (at: number) => trials.find((trial) => trial.number === at && trial.state === "complete")?.loss;
  const [recipe, least] = [lossOf(0), best == null ? null : lossOf(best)];
  const seconds = trials.reduce((sum, trial) => sum + trial.millis, 0) / 1000;
  return (
    <Card>
      <div className={layout.tight}>
        <Figures>
          <Figure label="Budget used" value={used.text} />
          <Figure label="Best loss" value={loss(least)} sub={best == null ? undefined : `Trial ${best}`} />
          <Figure
            label="Recipe's loss"
            value={loss(recipe)}
            sub={
              recipe && least != null && best !== 0
                ? `Best is ${percent((recipe - least) / recipe, 1)} lower`
                : undefined
            }
          />
          <Figure label="Time trained" value={duration(seconds)} />
        </Figures>
        {study.state === "running" && <Progress value={used.share * 100} label={`Budget of ${study.id}`} />}
      </div>
    </Card>
  );
}

/** The actions of a study. */
function StudyActions({ view }: { view: StudyView }) {
  const { study, best, command } = view;
  const [asking, setAsking] = useState(false);
  const navigate = useNavigate();
  const at = where({ id: study.id });
  const stop = useMutation({
    mutationFn: () => reply(api.POST("/api/v1/studies/{id}/stop", at)),
    onSuccess: () => {
      setAsking(false);
      reread(["studies"]);
    },
  });
  const train = useMutation({
    mutationFn: () => reply(api.POST("/api/v1/studies/{id}/train", at)),
    onSuccess: ({ run }) => {
      reread(["tasks"], ["runs"]);
      void navigate({ to: "/runs/$id", params: { id: run.id } });
    },
  });
  const go = {
    id: "train-best",
    label: best == null ? "Train the best" : `Train with trial ${best}'s settings`,
    group: "Search",
    key: "s",
    disabled: best == null || train.isPending,
    run: () => train.mutate(),
  };
  return (
    <>
      {study.state === "running" && (
        <Button look="danger" onClick={() => setAsking(true)}>
          Stop
        </Button>
      )}
      <ActionButton
        action={go}
        look={view.defaults_are_best ? "plain" : "main"}
        busy={train.isPending && "Queueing …"}
      />
      <Link to="/search" search={{ task: study.task }}>
        All studies
      </Link>
      {command && <ShowCommand command={command} />}
      {train.isError && <Failure error={train.error} />}
      <Confirm
        open={asking}
        title="Stop this study?"
        yes="Stop it"
        danger
        busy={stop.isPending && "Stopping …"}
        error={stop.error}
        command={commands.stoppingStudy(study.id)}
        onYes={() => stop.mutate()}
        onNo={() => setAsking(false)}
      >
        <p>Trials that are being trained are cancelled. The results so far are kept.</p>
      </Confirm>
    </>
  );
}

const STATES = {
  running: <Pill dot="live">Running</Pill>,
  complete: <Pill tone="good">✓ Complete</Pill>,
  pruned: <Pill>Stopped early</Pill>,
  failed: <Pill tone="bad">✕ Failed</Pill>,
};

/** The trials in their order. */
function TrialsTable(props: { view: StudyView; chosen: number[]; onChoose: (trial: number) => void }) {
  const { view, chosen, onChoose } = props;
  return (
    <DataTable
      label="Trials"
      stack
      rows={view.trials}
      by={({ number }) => number}
      about={({ number }) => ({ "data-best": number === view.best || undefined, className: css.row })}
      columns={[
        {
          title: "Choose",
          hidden: true,
          corner: true,
          cell: ({ number }) => <Choose {...{ number, onChoose }} place={chosen.indexOf(number)} />,
        },
        { title: "Trial", head: true, cell: (trial) => <Name trial={trial} isBest={trial.number === view.best} /> },
        { title: "State", tip: ({ note }) => note, cell: ({ state }) => STATES[state] },
        { title: "Loss", right: true, cell: (trial) => loss(trial.loss) },
        { title: "Size", right: true, cell: (trial) => bytes(trial.bytes) },
        { title: "Latency", right: true, cell: (trial) => MEASURES.latency.written(trial.latency_ms) },
        { title: "Trained", right: true, cell: ({ millis }) => duration(millis / 1000) },
        { title: "Settings", full: true, cell: settings },
      ]}
    />
  );
}

function Choose(props: { number: number; place: number; onChoose: (trial: number) => void }) {
  const { number, place, onChoose } = props;
  return (
    <input
      type="checkbox"
      aria-label={`Choose trial ${number}`}
      checked={place >= 0}
      onChange={() => onChoose(number)}
      className={css.choose}
      data-series={place >= 0 ? place + 2 : undefined}
    />
  );
}

function Name({ trial: { run, number }, isBest }: { trial: Trial; isBest: boolean }) {
  return (
    <>
      <RunLink id={run}>{number}</RunLink> {number === 0 && <Pill>Recipe</Pill>}{" "}
      {isBest && <Pill tone="good">Best</Pill>}
    </>
  );
}

const settings = (trial: Trial) => (
  <>
    <span className={css.settings}>{settingsIn(trial)}</span>
    {trial.note && <div className={css.note}>{trial.note}</div>}
  </>
);
