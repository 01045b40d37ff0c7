import { Link } from "@tanstack/react-router";
import type { StudyView, Trial } from "../../api/types";
import { Pill } from "../../components/bits";
import { Cell, Table } from "../../components/Table";
import { bytes, duration } from "../../lib/format";
import { MEASURES, settingsIn, loss } from "../../lib/studies";
import css from "./search.module.css";

const COLUMNS = [
  { hidden: "Choose" },
  "Trial",
  "State",
  ...["Loss", "Size", "Latency", "Trained"].map((title) => ({ title, right: true })),
  "Settings",
];
const STATES = {
  running: <Pill dot="live">Running</Pill>,
  complete: <Pill tone="good">✓ Complete</Pill>,
  pruned: <Pill>Stopped early</Pill>,
  failed: <Pill tone="bad">✕ Failed</Pill>,
};

interface Props {
  view: StudyView;
  chosen: number[];
  onChoose: (trial: number) => void;
}

/** The trials in their order. */
export function TrialsTable({ view, chosen, onChoose }: Props) {
  return (
    <Table label="Trials" stack columns={COLUMNS}>
      {view.trials.map((trial) => (
        <Row
          key={trial.number}
          trial={trial}
          isBest={trial.number === view.best}
          place={chosen.indexOf(trial.number)}
          onChoose={() => onChoose(trial.number)}
        />
      ))}
    </Table>
  );
}

function Row(props: { trial: Trial; isBest: boolean; place: number; onChoose: () => void }) {
  const { trial, isBest, place, onChoose } = props;
  return (
    <tr data-best={isBest || undefined} className={css.row}>
      <Cell corner>
        <input
          type="checkbox"
          aria-label={`Choose trial ${trial.number}`}
          checked={place >= 0}
          onChange={onChoose}
          className={css.choose}
          data-series={place >= 0 ? place + 2 : undefined}
        />
      </Cell>
      <th scope="row">
        <Link to="/runs/$id" params={{ id: trial.run }}>
          {trial.number}
        </Link>{" "}
        {trial.number === 0 && <Pill>Recipe</Pill>} {isBest && <Pill tone="good">Best</Pill>}
      </th>
      <Cell label="State" title={trial.note ?? undefined}>
        {STATES[trial.state]}
      </Cell>
      <Cell label="Loss" right>
        {loss(trial.loss)}
      </Cell>
      <Cell label="Size" right>
        {bytes(trial.bytes)}
      </Cell>
      <Cell label="Latency" right>
        {MEASURES.latency.written(trial.latency_ms)}
      </Cell>
      <Cell label="Trained" right>
        {duration(trial.millis / 1000)}
      </Cell>
      <Cell label="Settings" full>
        <span className={css.settings}>{settingsIn(trial)}</span>
        {trial.note && <div className={css.note}>{trial.note}</div>}
      </Cell>
    </tr>
  );
}
