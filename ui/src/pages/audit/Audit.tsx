import { useEffect, useState } from "react";
import type { TaskInfo } from "../../api/types";
import { Failure } from "../../components/Failure";
import { Skeleton } from "../../components/bits";
import { clip } from "../../lib/format";
import { useActions } from "../../shell/actions";
import { useTask } from "../../shell/useTask";
import css from "./audit.module.css";
import { AuditBar, type Dialog } from "./AuditBar";
import { Guidelines } from "./Guidelines";
import { Nothing } from "./Nothing";
import { Rail } from "./Rail";
import { Suspects } from "./Suspects";
import { useAudit } from "./useAudit";
import { Workbench } from "./Workbench";

/** One message at a time beside its extraction; decided by keys. */
export function Audit() {
  const { task } = useTask();
  return <Queue key={task?.name} task={task} />;
}

function Queue({ task }: { task: TaskInfo | undefined }) {
  const audit = useAudit(task);
  const [dialog, setDialog] = useState<Dialog>(null);
  const { current, list, total, at, query } = audit;
  const position = `Message ${at + 1} / ${Math.max(total, list.length)}`;
  const guided = audit.search.guidelines === "shown";
  const suspects = audit.search.suspects === "first";
  const toggle = () => audit.setUrl({ guidelines: guided ? undefined : "shown" });
  useActions([{ id: "guidelines", label: "Guidelines", group: "Audit", key: "g", run: toggle }]);
  useEffect(() => {
    // The list is fetched in pages; the next page is fetched before it is needed.
    if (list.length > 0 && at > list.length - 12 && query.hasNextPage && !query.isFetchingNextPage)
      void query.fetchNextPage();
  }, [at, list.length, query]);
  return (
    <div className={css.page}>
      <h1 className="sr">Audit</h1>
      {/* Here, for it must outlive the message that it tells of. */}
      <p className="sr" role="status" data-testid="said">
        {[audit.said, current && `${position.replace("/", "of")}: ${clip(current.input, 140)}`]
          .filter(Boolean)
          .join(". ")}
      </p>
      <AuditBar audit={audit} task={task} dialog={dialog} setDialog={setDialog} onGuidelines={toggle} />
      {task && suspects && (
        <div className={css.columns}>
          <Suspects task={task} audit={audit} />
          <div className={css.side}>
            <Rail audit={audit} task={task} />
          </div>
        </div>
      )}
      {!suspects && query.isError && list.length === 0 && (
        <Failure error={query.error} retry={() => void query.refetch()} />
      )}
      {!suspects && (query.isPending || !task || audit.seeking) && !query.isError && (
        <Skeleton lines={8} height={460} />
      )}
      {!suspects && task && query.isSuccess && !current && !audit.seeking && (
        <Nothing audit={audit} task={task} onImport={() => setDialog("import")} />
      )}
      {!suspects && task && current && (
        <div className={css.columns} data-guided={guided || undefined}>
          <Workbench
            key={`${current.task}/${current.id}`}
            example={current}
            task={task}
            audit={audit}
            position={position}
          />
          <div className={css.side}>
            {guided && <Guidelines task={task} close={toggle} />}
            <Rail audit={audit} task={task} />
          </div>
        </div>
      )}
    </div>
  );
}
