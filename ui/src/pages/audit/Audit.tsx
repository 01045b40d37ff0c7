import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { guidelinesQuery, helpfulQuery } from "../../api/queries";
import type { TaskInfo } from "../../api/types";
import { Empty, Skeleton } from "../../components/bits";
import { Button } from "../../components/Button";
import { Failure, Loaded, Words } from "../../components/Failure";
import { Prose } from "../../components/Prose";
import { addressOf, format } from "../../lib/filter";
import { clip } from "../../lib/format";
import { useActions } from "../../shell/actions";
import { useTask } from "../../shell/useTask";
import css from "./audit.module.css";
import { AuditBar, type Dialog } from "./AuditBar";
import { Rail } from "./Rail";
import { Suspects } from "./Suspects";
import { useAudit, type Audit } from "./useAudit";
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

/** How this task's messages are judged, beside the message. */
export function Guidelines({ task, close }: { task: TaskInfo; close: () => void }) {
  const query = useQuery(guidelinesQuery(task.name));
  return (
    <section className={css.guidelines} aria-label="Guidelines">
      <header>
        <h2>Guidelines</h2>
        <Link to="/settings" search={{ task: task.name, tab: "guidelines" }}>
          Edit
        </Link>
        <Button look="quiet" small icon="cross" aria-label="Close the guidelines" onClick={close} />
      </header>
      <Loaded query={query} lines={6} height={240}>
        {({ body }) => <Prose text={body.text} />}
      </Loaded>
    </section>
  );
}

/** The empty state: no messages, everything is audited, or nothing matches the filter. */
export function Nothing({ audit, task, onImport }: { audit: Audit; task: TaskInfo; onImport: () => void }) {
  const all = task.counts.pending + task.counts.approved + task.counts.rejected;
  const { filter } = audit;
  if (all === 0)
    return (
      <Empty
        title="No messages yet"
        action={
          <Button look="main" icon="upload" onClick={onImport}>
            Import messages
          </Button>
        }
      >
        Bring a Slack export, a CSV or JSONL file, an Ask AI database, or paste labelled text.
      </Empty>
    );
  const { state: _, ...narrow } = filter?.parts ?? {};
  if (filter && Object.keys(narrow).length > 0)
    return (
      <Empty
        title="No message matches"
        action={<Button onClick={() => audit.setUrl({ ...addressOf({}), state: "all" })}>Show all messages</Button>}
      >
        Nothing in “{filter.state === "pending" ? "unaudited" : filter.state}” matches “{format(narrow)}”.
        {(narrow.min || narrow.max || narrow.field) && " Only what an adapter has answered has a confidence."}
      </Empty>
    );
  if (filter?.state === "pending")
    return (
      <Empty
        title="Everything is audited"
        action={<Link to="/train">{task.ready ? "Train an adapter" : "See what training needs"}</Link>}
      >
        All {all} messages have a decision.{" "}
        {task.ready ? "There are enough to train." : `Training needs ${task.needed} approved ones.`}
        <ToAdd task={task.name} />
      </Empty>
    );
  return (
    <Empty
      title="Nothing here yet"
      action={<Button onClick={() => audit.setUrl({ state: undefined })}>Audit messages</Button>}
    />
  );
}

/** The labels that have too few approved messages. */
function ToAdd({ task }: { task: string }) {
  const { data } = useQuery(helpfulQuery(task));
  if (!data || data.add.length === 0) return null;
  return (
    <>
      {" "}
      What would help: <Words>{`${data.add.map((one) => one.text).join("; ")}.`}</Words>
    </>
  );
}
