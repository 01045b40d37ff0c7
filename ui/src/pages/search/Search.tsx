import { useQuery } from "@tanstack/react-query";
import { studiesQuery } from "../../api/queries";
import type { Study, TaskInfo } from "../../api/types";
import { Card, Empty, PageHead, Skeleton, TimeAgo } from "../../components/bits";
import layout from "../../components/layout.module.css";
import { StudyLink } from "../../components/links";
import { QueryTable } from "../../components/Table";
import { number } from "../../lib/format";
import { isObject, shown } from "../../lib/json";
import { useTask } from "../../shell/useTask";
import { NewStudy } from "./NewStudy";
import { StudyPill } from "../../components/pills";

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
  const size = query.data?.length ?? 0;
  return (
    <Card title="Studies" flush side={size > 0 && (size === 1 ? "1 study" : `${number(size)} studies`)}>
      <QueryTable
        query={query}
        height={120}
        label="Studies"
        stack
        rows={(studies) => studies}
        by={({ id }) => id}
        empty={<Empty title="No study yet">A study is listed here with its trials.</Empty>}
        columns={[
          { title: "Study", head: true, cell: ({ id }) => <StudyLink id={id} /> },
          { title: "State", cell: ({ state }) => <StudyPill state={state} /> },
          { title: "Budget", cell: ({ plan }) => shown(plan.budget) },
          { title: "Base model", cell: ({ plan }) => isObject(plan.base) && shown(plan.base.name) },
          { title: "Begun", cell: begun },
        ]}
      />
    </Card>
  );
}

const begun = ({ created_at, created_by }: Study) => (
  <>
    <TimeAgo at={created_at} /> by {created_by}
  </>
);
