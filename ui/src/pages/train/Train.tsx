import { Link } from "@tanstack/react-router";
import { PageHead, Skeleton } from "../../components/bits";
import layout from "../../components/layout.module.css";
import { useTask } from "../../shell/useTask";
import { History } from "./History";
import { TrainForm } from "./TrainForm";

/** Starts a training, and lists earlier ones. */
export function Train() {
  const { task } = useTask();
  if (!task) return <Skeleton lines={8} height={480} />;
  return (
    <div className={layout.stack}>
      <PageHead
        title="Train"
        about={`${task.title}: train an adapter on the approved examples. It runs in the background; you can leave this page.`}
      >
        <Link to="/training/prompt">Train on pasted text</Link>
      </PageHead>
      <TrainForm key={task.name} task={task} />
      <History task={task} />
    </div>
  );
}
