import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { helpfulQuery } from "../../api/queries";
import type { TaskInfo } from "../../api/types";
import { Button } from "../../components/Button";
import { Empty } from "../../components/bits";
import { Words } from "../../components/Failure";
import { addressOf, format } from "../../lib/filter";
import type { Audit } from "./useAudit";

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
