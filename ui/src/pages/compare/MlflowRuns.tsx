import { useQuery } from "@tanstack/react-query";
import { api, reply } from "../../api/client";
import { read } from "../../api/queries";
import type { Schemas, TaskInfo } from "../../api/types";
import { Card, Empty, Facts, PageHead, Skeleton, TimeAgo } from "../../components/bits";
import { Button } from "../../components/Button";
import { Form, Input, useFields } from "../../components/form";
import layout from "../../components/layout.module.css";
import { VersionLink } from "../../components/links";
import { QueryTable } from "../../components/Table";
import { label, significant } from "../../lib/format";
import { useUrl } from "../../shell/url";
import { useTask } from "../../shell/useTask";
import css from "./compare.module.css";

/** Runs of an experiment in MLflow, whoever made them, beside the versions of the task. */
export function MlflowRuns() {
  const { task } = useTask();
  const [search] = useUrl();
  if (!task) return <Skeleton lines={8} height={480} />;
  const wanted = { experiment: search.experiment ?? `graft/${task.name}`, filter: search.filter ?? "" };
  return (
    <div className={layout.stack}>
      <PageHead title="Runs in MLflow" about={`Beside the versions of ${task.title}. Nothing is changed or stored.`} />
      <Chosen key={`${wanted.experiment}?${wanted.filter}`} wanted={wanted} />
      <Found task={task} wanted={wanted} />
    </div>
  );
}

interface Wanted {
  experiment: string;
  filter: string;
}

function Chosen({ wanted }: { wanted: Wanted }) {
  const [, setUrl] = useUrl();
  const { values, text } = useFields(wanted);
  const experiment = values.experiment.trim();
  const show = () => experiment && setUrl({ experiment, filter: values.filter.trim() || undefined }, { push: true });
  return (
    <Card>
      <Form className={css.chosen} onSubmit={show}>
        <div className={layout.fields}>
          <Input label="Experiment" required hint="Its name or id, whoever made its runs." {...text("experiment")} />
          <Input
            label="Filter"
            placeholder="metrics.accuracy > 0.8"
            hint="An expression in MLflow's language; all runs without one."
            {...text("filter")}
          />
        </div>
        <Button type="submit" look="main" disabled={!experiment}>
          Show runs
        </Button>
      </Form>
    </Card>
  );
}

type Answer = Schemas["MlflowRuns"];

/** A run there, or a version here. */
interface Row {
  id: string;
  name: string;
  /** Its page in MLflow, if it is a run. */
  url?: string;
  status?: string;
  started?: number | null;
  params: Record<string, string>;
  metrics: Record<string, number | null>;
}

function rowsOf({ runs, versions }: Answer): Row[] {
  const here = versions.map(({ version, params, metrics }) => ({ id: `v:${version}`, name: version, params, metrics }));
  const there = runs.map(({ started_at, ...run }) => ({ ...run, started: started_at }));
  return [...here, ...there];
}

function Found({ task, wanted }: { task: TaskInfo; wanted: Wanted }) {
  const filter = wanted.filter || undefined;
  const asked = { experiment: wanted.experiment, filter, task: task.name };
  const query = useQuery(
    read(["mlflow", asked], () => reply(api.GET("/api/v1/mlflow/runs", { params: { query: asked } })), {
      retry: false,
      staleTime: 30_000,
    }),
  );
  const { common_metrics: metrics = [], differing_params: params = [] } = query.data ?? {};
  return (
    <Card
      title={wanted.experiment}
      flush
      side={
        <Button small busy={query.isFetching && "Reading …"} onClick={() => void query.refetch()}>
          Read again
        </Button>
      }
    >
      <QueryTable
        query={query}
        lines={6}
        height={240}
        label="Runs and versions"
        stack
        rows={rowsOf}
        by={({ id }) => id}
        empty={<Empty title="No such runs">The experiment has no runs for which the filter holds.</Empty>}
        columns={[
          {
            title: "Run",
            head: true,
            cell: ({ name, url }) =>
              url ? (
                <a href={url} target="_blank" rel="noreferrer">
                  {name}
                </a>
              ) : (
                <>
                  Version <VersionLink task={task.name} version={name} />
                </>
              ),
          },
          { title: "State", nowrap: true, cell: ({ status }) => (status ? label(status.toLowerCase()) : "Here") },
          { title: "Started", nowrap: true, cell: ({ started }) => <TimeAgo at={started} /> },
          ...metrics.map((name) => ({
            title: name,
            right: true,
            cell: ({ metrics }: Row) => significant(metrics[name]),
          })),
          {
            title: "Different settings",
            only: (row) => params.some((name) => row.params[name] !== undefined),
            cell: (row) => (
              <Facts mono rows={params.flatMap((name) => (row.params[name] ? [[name, row.params[name]]] : []))} />
            ),
          },
        ]}
      />
    </Card>
  );
}
