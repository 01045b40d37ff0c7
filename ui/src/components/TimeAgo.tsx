import { useEffect, useState } from "react";
import { ago, exact } from "../lib/format";

/** A time as people say it; the exact one on hover. */
export function TimeAgo({ at }: { at: number | null | undefined }) {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 30_000);
    return () => clearInterval(timer);
  }, []);
  if (at == null) return <>–</>;
  return (
    <time dateTime={new Date(at).toISOString()} title={exact(at)} className="num">
      {ago(at, now)}
    </time>
  );
}
