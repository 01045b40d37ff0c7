import { useQuery } from "@tanstack/react-query";
import { tasksQuery } from "../api/queries";
import type { TaskInfo } from "../api/types";
import { useUrl } from "./url";

const STORED = "graft.task";

/** The task of the page: from the URL, otherwise the last used one, otherwise the first with examples. */
export function useTask(): { task: TaskInfo | undefined; tasks: TaskInfo[]; choose: (name: string) => void } {
  const { data: tasks = [] } = useQuery(tasksQuery);
  const [search, setSearch] = useUrl();
  const wanted = search.task ?? localStorage.getItem(STORED);
  const size = (task: TaskInfo) => task.counts.pending + task.counts.approved + task.counts.rejected;
  const task = tasks.find((t) => t.name === wanted) ?? tasks.find((t) => size(t) > 0) ?? tasks[0];
  const choose = (name: string) => {
    localStorage.setItem(STORED, name);
    setSearch({
      task: name,
      id: undefined,
      source: undefined,
      version: undefined,
      against: undefined,
      from: undefined,
    });
  };
  return { task, tasks, choose };
}
