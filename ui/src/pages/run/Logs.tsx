import { useEffect, useMemo, useRef, useState, type MouseEvent } from "react";
import { address } from "../../api/client";
import type { Run } from "../../api/types";
import { Card } from "../../components/bits";
import { CopyButton } from "../../components/ShowCommand";
import { Check, Input, Pick, Segmented } from "../../components/form";
import { matching, type Level } from "../../lib/logs";
import { useLog } from "../../live/useLog";
import { useUrl } from "../../shell/url";
import css from "./run.module.css";

type Stream = "stdout" | "stderr";
const STREAMS: { value: Stream; label: string }[] = [
  { value: "stderr", label: "stderr" },
  { value: "stdout", label: "stdout" },
];

const LEVELS: { value: Level; label: string }[] = [
  { value: "info", label: "All lines" },
  { value: "warn", label: "Warnings and errors" },
  { value: "error", label: "Errors" },
];

/** The complete output of the trainer: searchable, and followed while it runs. */
export function Logs({ run, active }: { run: Run; active: boolean }) {
  const [search, setUrl] = useUrl();
  // Errors are on stderr; without errors it is mostly empty.
  const usual: Stream = run.state === "failed" ? "stderr" : "stdout";
  const stream = STREAMS.find((one) => one.value === search.stream)?.value ?? usual;
  const log = useLog(run.id, stream, active);
  const [wanted, setWanted] = useState("");
  // A link to a line shows that line, and not the end.
  const [follow, setFollow] = useState(search.line === undefined);
  const box = useRef<HTMLPreElement>(null);
  const level = LEVELS.find((one) => one.value === search.level)?.value ?? "info";
  const lines = useMemo(() => matching(log.text, { text: wanted, level }), [log.text, wanted, level]);
  useEffect(() => {
    if (follow && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [follow, lines]);
  useEffect(() => {
    if (!log.loaded || !search.line) return;
    box.current?.querySelector(`#L${CSS.escape(search.line)}`)?.scrollIntoView({ block: "center" });
  }, [log.loaded, search.line]);
  const onClick = (click: MouseEvent) => {
    const line = click.target instanceof Element && click.target.closest("a")?.dataset.line;
    if (!line || click.ctrlKey || click.metaKey) return;
    click.preventDefault();
    setFollow(false);
    setUrl({ stream, line });
  };
  const link = (line: number) => `?${new URLSearchParams({ tab: "logs", stream, line: String(line) })}`;
  return (
    <Card
      flush
      title={
        <Segmented
          label="Stream"
          value={stream}
          options={STREAMS}
          onPick={(to) => setUrl({ stream: to, line: undefined })}
        />
      }
      side={
        <>
          <Pick
            aria-label="Level"
            small
            value={level}
            options={LEVELS}
            onPick={(to) => setUrl({ level: to === "info" ? undefined : to })}
          />
          <Input
            type="search"
            aria-label="Search the log"
            placeholder="Search"
            value={wanted}
            small
            onText={setWanted}
          />
          <Check label="Follow" checked={follow} onCheck={setFollow} />
          <CopyButton text={log.text} label="Copy the log" />
          <a href={address("/api/v1/runs/{id}/artifacts/{path}", { id: run.id, path: `${stream}.log` })} download>
            Download
          </a>
        </>
      }
    >
      <pre ref={box} className={css.log} tabIndex={0} aria-label={`Log, ${stream}`} onClick={onClick}>
        {lines.map((line) => (
          <span
            key={line.number}
            id={`L${line.number}`}
            data-level={line.level}
            aria-current={search.line === String(line.number) ? "location" : undefined}
          >
            <a href={link(line.number)} data-line={line.number} tabIndex={-1} title="Link to this line">
              {line.number}
            </a>
            {line.text}
            {"\n"}
          </span>
        ))}
        {lines.length === 0 && (
          <span>
            {!log.loaded
              ? "Loading …"
              : wanted || level !== "info"
                ? "No line matches."
                : `Nothing on ${stream}${active ? " yet" : ""}.`}
          </span>
        )}
      </pre>
    </Card>
  );
}
