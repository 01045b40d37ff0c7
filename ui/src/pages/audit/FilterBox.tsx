import { useQuery } from "@tanstack/react-query";
import { useEffect, useId, useMemo, useRef, useState, type KeyboardEvent } from "react";
import { sessionQuery } from "../../api/queries";
import type { TaskInfo } from "../../api/types";
import { complete, format, KEYS, parse, sameParts, type Parts, type Vocabulary } from "../../lib/filter";
import { fieldNames } from "../../lib/schema";
import { focusNext } from "../../shell/focus";
import { useActions } from "../../shell/actions";
import css from "./filter.module.css";

const SETTLED = 250;

interface Props {
  task: TaskInfo;
  parts: Parts;
  onChange: (parts: Parts) => void;
}

/** The filter in words. What it says and what the other controls say is the same, for both are the address. */
export function FilterBox({ task, parts, onChange }: Props) {
  const known = useVocabulary(task);
  const input = useRef<HTMLInputElement>(null);
  const id = useId();
  const [text, setText] = useState(() => format(parts));
  const [open, setOpen] = useState(false);
  const [at, setAt] = useState(-1);
  const parsed = useMemo(() => parse(text, known), [text, known]);
  const offers = open ? complete(text, known) : [];
  const said = useFollowed(parts, setText);
  const apply = () => {
    if (parsed.problem !== null || sameParts(parsed.parts, parts)) return;
    said.current = parsed.parts;
    onChange(parsed.parts);
  };
  useEffect(() => {
    const timer = setTimeout(apply, SETTLED);
    return () => clearTimeout(timer);
  });
  const write = (to: string) => {
    setText(to);
    setAt(-1);
    setOpen(true);
  };
  useFilterActions((key) => {
    input.current?.focus();
    if (key) write(`${text}${text === "" || text.endsWith(" ") ? "" : " "}${key}:`);
  });
  const onKeyDown = (press: KeyboardEvent) => {
    const chosen = offers[at];
    const move = { ArrowDown: 1, ArrowUp: -1 }[press.key];
    if (move && offers.length > 0) setAt((at + move + offers.length + (at < 0 && move < 0 ? 1 : 0)) % offers.length);
    else if (press.key === "Enter" && chosen) write(chosen.text);
    else if (press.key === "Enter") (apply(), setOpen(false), focusNext());
    else if (press.key === "Escape") offers.length > 0 ? setOpen(false) : focusNext();
    else return;
    press.preventDefault();
  };
  // The last word is not reported as wrong while it is being typed.
  const problem = open && offers.length > 0 ? null : parsed.problem;
  return (
    <div className={css.box} onBlur={() => setOpen(false)}>
      <input
        ref={input}
        type="search"
        role="combobox"
        aria-label="Search messages"
        aria-expanded={offers.length > 0}
        aria-controls={offers.length > 0 ? id : undefined}
        aria-activedescendant={at >= 0 && at < offers.length ? `${id}-${at}` : undefined}
        aria-autocomplete="list"
        aria-invalid={problem ? true : undefined}
        aria-describedby={problem ? `${id}-problem` : undefined}
        autoComplete="off"
        spellCheck={false}
        placeholder="Search, or is:  conf:  field: …   /"
        value={text}
        onFocus={() => setOpen(true)}
        onChange={(event) => write(event.target.value)}
        onKeyDown={onKeyDown}
      />
      {offers.length > 0 && (
        <ul className={css.offers} id={id} role="listbox" aria-label="Filters">
          {offers.map((offer, i) => (
            <li
              key={offer.label}
              id={`${id}-${i}`}
              role="option"
              aria-selected={i === at}
              // The field keeps the focus.
              onMouseDown={(event) => (event.preventDefault(), write(offer.text))}
            >
              <code>{offer.label}</code> <span>{offer.about}</span>
            </li>
          ))}
        </ul>
      )}
      <p className={css.problem} id={`${id}-problem`} role="status">
        {problem}
      </p>
    </div>
  );
}

function useVocabulary(task: TaskInfo): Vocabulary {
  const user = useQuery(sessionQuery).data?.user;
  return useMemo(
    () => ({ fields: fieldNames(task), sources: task.sources.map(({ kind }) => kind), people: user ? [user] : [] }),
    [task, user],
  );
}

/** When another control changes the filter, the words follow; what they themselves said last leaves them as typed. */
function useFollowed(parts: Parts, setText: (text: string) => void): { current: Parts } {
  const said = useRef(parts);
  useEffect(() => {
    if (sameParts(said.current, parts)) return;
    said.current = parts;
    setText(format(parts));
  }, [parts, setText]);
  return said;
}

/** `/`, and each key of the filter by name: `?` lists them, the command menu writes them. */
function useFilterActions(write: (key?: string) => void): void {
  useActions([
    { id: "filter", label: "Search and filter messages", group: "Audit", key: "/", run: () => write() },
    ...KEYS.map(({ key, about }) => ({
      id: `filter-${key}`,
      label: about,
      group: "In the search field",
      key: `${key}:`,
      run: () => write(key),
    })),
  ]);
}
