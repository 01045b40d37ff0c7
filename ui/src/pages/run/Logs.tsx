import { useEffect, useMemo, useRef, useState } from "react";
import type { Run } from "../../api/types";
import { Card } from "../../components/bits";
import { CopyButton } from "../../components/CopyButton";
import { Check, Input, Segmented } from "../../components/form";
import { matching } from "../../lib/logs";
import { useLog } from "../../live/useLog";
import { useUrl } from "../../shell/url";
import css from "./run.module.css";

type Stream = "stdout" | "stderr";
const STREAMS: { value: Stream; label: string }[] = [
  { value: "stderr", label: "stderr" },
  { value: "stdout", label: "stdout" },
];

/** What the trainer said, whole: searchable, followed while it runs. */
export function Logs({ run, active }: { run: Run; active: boolean }) {
  const [search, setUrl] = useUrl();
  // What went wrong is on stderr; where nothing did, it is mostly empty.
  const usual: Stream = run.state === "failed" ? "stderr" : "stdout";
  const stream = STREAMS.find((one) => one.value === search.stream)?.value ?? usual;
  const log = useLog(run.id, stream, active);
  const [wanted, setWanted] = useState("");
  const [follow, setFollow] = useState(true);
  const box = useRef<HTMLPreElement>(null);
  const lines = useMemo(() => matching(log.text, wanted), [log.text, wanted]);
  useEffect(() => {
    if (follow && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [follow, lines]);
  return (
    <Card
      flush
      title={<Segmented label="Stream" value={stream} options={STREAMS} onChange={(to) => setUrl({ stream: to })} />}
      side={
        <>
          <Input
            type="search"
            aria-label="Search the log"
            placeholder="Search"
            value={wanted}
            small
            onChange={(e) => setWanted(e.target.value)}
          />
          <Check label="Follow" checked={follow} onChange={(e) => setFollow(e.target.checked)} />
          <CopyButton text={log.text} label="Copy the log" />
        </>
      }
    >
      <pre ref={box} className={css.log} tabIndex={0} aria-label={`Log, ${stream}`}>
        {lines.map((line) => (
          <span key={line.number} id={`L${line.number}`}>
            <i aria-hidden>{line.number}</i>
            {line.text}
            {"\n"}
          </span>
        ))}
        {lines.length === 0 && (
          <span>
            {!log.loaded
              ? "Reading …"
              : wanted
                ? "No line holds that."
                : `Nothing on ${stream}${active ? " yet" : ""}.`}
          </span>
        )}
      </pre>
    </Card>
  );
}
