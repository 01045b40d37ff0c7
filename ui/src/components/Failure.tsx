import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { told } from "../api/client";
import { sentence } from "../lib/format";
import { Notice, PageHead, Skeleton } from "./bits";
import { Button } from "./Button";
import layout from "./layout.module.css";
import css from "./listed.module.css";

/** A failed request: what failed, why, and what to do. */
export function Failure({ error, retry }: { error: unknown; retry?: () => void }) {
  const { title, detail, hint } = told(error);
  return (
    <Notice tone="bad" title={<Words>{title}</Words>}>
      {detail && (
        <p>
          <Words>{detail}</Words>
        </p>
      )}
      {hint && (
        <p>
          <Words>{hint}</Words>
        </p>
      )}
      {retry && (
        <Button small onClick={retry}>
          Try again
        </Button>
      )}
    </Notice>
  );
}

/** In place of a page that could not be read. */
export function PageFailure({ title, ...rest }: { title: string; error: unknown; retry: () => void }) {
  return (
    <div className={layout.stack}>
      <PageHead title={title} />
      <Failure {...rest} />
    </div>
  );
}

/** A message of the server as a sentence; text in backticks is shown as code. */
export function Words({ children }: { children: string }) {
  const parts = sentence(children).split(/`([^`]+)`/);
  return <>{parts.map((part, i) => (i % 2 === 1 ? <code key={i}>{part}</code> : part))}</>;
}

interface Props<T> {
  query: Pick<UseQueryResult<T>, "data" | "error" | "refetch">;
  /** Lines of the placeholder; without any there is none. */
  lines?: number;
  height?: number;
  children: (data: T) => ReactNode;
}

/** What is being read, could not be read, or is there. */
export function Loaded<T>({ query: { data, error, refetch }, lines = 3, height, children }: Props<T>) {
  // Loaded data is more useful than the error of a failed refresh.
  if (data !== undefined) return children(data);
  if (error) return <Failure error={error} retry={() => void refetch()} />;
  return lines > 0 && <Skeleton lines={lines} height={height} />;
}

/** The same in a card without padding. */
export function Listed<T>(props: Props<T>) {
  if (props.query.data !== undefined) return <Loaded {...props} />;
  return (
    <div className={css.pad}>
      <Loaded {...props} />
    </div>
  );
}
