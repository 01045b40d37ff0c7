import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { studiesQuery } from "../../api/queries";
import type { TaskInfo } from "../../api/types";
import { Card, Empty, PageHead, Skeleton } from "../../components/bits";
import layout from "../../components/layout.module.css";
import { Listed } from "../../components/Listed";
import { Cell, Table } from "../../components/Table";
import { TimeAgo } from "../../components/TimeAgo";
import { number } from "../../lib/format";
import { isObject, shown } from "../../lib/json";
import { useTask } from "../../shell/useTask";
import { NewStudy } from "./NewStudy";
import { StudyPill } from "./StudyPill";

/** Searches for settings: starts one, and lists earlier ones with their results. */
export function Search() {
  const { task } = useTask();
  if (!task) return <Skeleton lines={8} height={480} />;
  return (
    <div className={layout.stack}>
      <PageHead
        title="Search"
        about={`${task.title}: try settings of a training and compare them with the recipe. The recipe has been tuned, so it often stays the best.`}
      />
      <NewStudy key={task.name} task={task} />
      <Studies task={task} />
    </div>
  );
}

function Studies({ task }: { task: TaskInfo }) {
  const query = useQuery(studiesQuery(task.name));
  const list = query.data ?? [];
  return (
    <Card
      title="Studies"
      flush
      side={list.length > 0 && (list.length === 1 ? "1 study" : `${number(list.length)} studies`)}
    >
      <Listed
        query={query}
        height={120}
        empty={list.length === 0 && <Empty title="No study yet">A study is listed here with its trials.</Empty>}
      >
        <Table label="Studies" stack columns={["Study", "State", "Budget", "Base model", "Begun"]}>
          {list.map((study) => (
            <tr key={study.id}>
              <th scope="row">
                <Link to="/search/$id" params={{ id: study.id }}>
                  {study.id}
                </Link>
              </th>
              <Cell label="State">
                <StudyPill state={study.state} />
              </Cell>
              <Cell label="Budget">{shown(study.plan.budget)}</Cell>
              <Cell label="Base model">{isObject(study.plan.base) && shown(study.plan.base.name)}</Cell>
              <Cell label="Begun">
                <TimeAgo at={study.created_at} /> by {study.created_by}
              </Cell>
            </tr>
          ))}
        </Table>
      </Listed>
    </Card>
  );
}
