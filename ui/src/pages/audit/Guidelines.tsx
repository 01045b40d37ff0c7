import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { guidelinesQuery } from "../../api/queries";
import type { TaskInfo } from "../../api/types";
import { Button } from "../../components/Button";
import { Loaded } from "../../components/Failure";
import { Prose } from "../../components/Prose";
import css from "./audit.module.css";

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
