import { useImperativeHandle, useRef, useState, type DragEvent, type Ref } from "react";
import { api, reply } from "../../api/client";
import { number } from "../../lib/format";
import { say, sayError } from "../toasts";
import { FileChoice, TextArea } from "../form";
import css from "./paste.module.css";

/** Longest file that is read into the page. */
const MAX_FILE = 8 << 20;

export interface PasteHandle {
  /** Selects a line, counted from 1. */
  show: (line: number) => void;
}

interface Props {
  label: string;
  value: string;
  placeholder: string;
  onText: (text: string) => void;
  /** Fewest characters. */
  least: number;
  handle?: Ref<PasteHandle>;
}

/** The text of a file in any encoding, or of a spreadsheet. */
function textOf(file: File) {
  const headers = { "content-type": "application/octet-stream" };
  return reply(api.POST("/api/v1/texts", { body: "", bodySerializer: () => file, headers }));
}

/** A text that is typed, pasted, or dropped as a file. */
export function PasteBox({ label, value, placeholder, onText, least, handle }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [over, setOver] = useState(false);
  useImperativeHandle(handle, () => ({
    show: (line) => {
      const area = box.current?.querySelector("textarea");
      if (!area) return;
      const lines = area.value.split("\n");
      const start = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
      area.focus();
      area.setSelectionRange(start, start + (lines[line - 1] ?? "").length);
      area.scrollTop = (area.scrollHeight / Math.max(1, lines.length)) * Math.max(0, line - 3);
    },
  }));
  const read = (file: File) => {
    if (file.size > MAX_FILE) return sayError(new Error("A file of more than 8 MiB is imported in Audit."));
    textOf(file).then(({ text, notes }) => {
      onText(text);
      if (notes.length > 0) say(`${file.name} is read`, { detail: notes.join(" ") });
    }, sayError);
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    if (event.dataTransfer.files[0]) read(event.dataTransfer.files[0]);
  };
  const length = [...value.trim()].length;
  return (
    <div
      ref={box}
      className={css.box}
      data-over={over || undefined}
      onDragOver={(event) => (event.preventDefault(), setOver(true))}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      <TextArea
        label={label}
        className={css.text}
        rows={14}
        spellCheck={false}
        placeholder={placeholder}
        value={value}
        onText={onText}
        hint={
          <span className={css.counter}>
            <span className="num" data-testid="counter" data-short={length < least || undefined}>
              {number(length)} {length === 1 ? "character" : "characters"}
              {length < least && `; at least ${least}`}
            </span>
            <FileChoice
              className={css.file}
              label="Choose a file"
              accept=".txt,.csv,.tsv,.xlsx,.json,.jsonl,.ndjson,.md"
              onFile={read}
            />
            or drop one here
          </span>
        }
      />
    </div>
  );
}
