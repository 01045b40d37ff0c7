import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

/** A link to a run; `task` changes the task of the page too. */
export function RunLink(props: { id: string; task?: string; className?: string; children?: ReactNode }) {
  const { id, task, className, children = id } = props;
  return (
    <Link to="/runs/$id" params={{ id }} {...(task && { search: { task } })} className={className}>
      {children}
    </Link>
  );
}

/** A link to a study. */
export function StudyLink({ id }: { id: string }) {
  return (
    <Link to="/search/$id" params={{ id }}>
      {id}
    </Link>
  );
}

/** A link to a version of a task. */
export function VersionLink(props: { task: string; version: string; children?: ReactNode }) {
  const { task, version, children = version } = props;
  return (
    <Link to="/versions" search={{ task, version }}>
      {children}
    </Link>
  );
}
