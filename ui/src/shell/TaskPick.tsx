import { Pick } from "../components/form";
import css from "./shell.module.css";
import { useTask } from "./useTask";

/** Which task the pages are about. */
export function TaskPick() {
  const { task, tasks, choose } = useTask();
  return (
    <label className={css.task}>
      <span>Task</span>
      <Pick
        value={task?.name ?? ""}
        disabled={tasks.length === 0}
        options={tasks.length > 0 ? tasks.map((t) => ({ value: t.name, label: t.title })) : [{ value: "", label: "…" }]}
        onPick={choose}
      />
    </label>
  );
}
