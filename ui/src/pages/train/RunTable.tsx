import { useQueries } from "@tanstack/react-query";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useRef, type ReactNode } from "react";
import { runsQuery } from "../../api/queries";
import type { Run, RunState } from "../../api/types";
import { Table } from "../../components/Table";
import { PAGE, pagesOf } from "./runs";

const COLUMNS = [
  { hidden: "Choose" },
  "Run",
  "Kind",
  "Status",
  ...["Samples", "Loss", "Duration"].map((title) => ({ title, right: true })),
  "Version",
  "Error",
  { hidden: "More" },
];
/** A row's usual height; what a row truly has is measured. */
const HEIGHT = 62;

/** What a row of the table needs of its place. */
export interface Place {
  ref: (row: HTMLElement | null) => void;
  "data-index": number;
  "aria-rowindex": number;
}

interface Props {
  /** Which runs. */
  wanted: { task: string; state?: RunState };
  total: number;
  /** The first page of them. */
  first: Run[];
  row: (run: Run, place: Place) => ReactNode;
}

/** However many runs there are, only those in sight are read and in the document. */
export function RunTable({ wanted, total, first, row }: Props) {
  const scroller = useRef<HTMLDivElement>(null);
  const long = total > PAGE;
  const rows = useVirtualizer({
    count: total,
    enabled: long,
    getScrollElement: () => scroller.current,
    estimateSize: () => HEIGHT,
    overscan: 6,
  });
  const shown = rows.getVirtualItems();
  const pages = pagesOf(shown.map((item) => item.index));
  const read = useQueries({
    queries: pages.map((page) => ({
      ...runsQuery({ ...wanted, limit: PAGE, offset: page * PAGE }),
      // Runs of another page would be wrong here.
      placeholderData: undefined,
    })),
  });
  const runAt = (at: number): Run | undefined => {
    const page = pages.indexOf(Math.floor(at / PAGE));
    return (page < 0 ? first : (read[page]?.data?.runs ?? []))[at % PAGE];
  };
  const at = (index: number) => {
    const place = { ref: rows.measureElement, "data-index": index, "aria-rowindex": index + 2 };
    const run = runAt(index);
    return run ? row(run, place) : <Unread key={`unread-${index}`} place={place} />;
  };
  return (
    <Table label="Training history" columns={COLUMNS} stack tall={long ? scroller : undefined} rows={total + 1}>
      {long ? (
        <>
          <Gap height={shown[0]?.start ?? 0} />
          {shown.map((item) => at(item.index))}
          <Gap height={rows.getTotalSize() - (shown.at(-1)?.end ?? 0)} />
        </>
      ) : (
        first.map((_, index) => at(index))
      )}
    </Table>
  );
}

/** The height of the rows that aren't in the document. */
function Gap({ height }: { height: number }) {
  return height > 0 ? (
    <tr aria-hidden>
      <td colSpan={COLUMNS.length} style={{ height, padding: 0, border: 0 }} />
    </tr>
  ) : null;
}

function Unread({ place }: { place: Place }) {
  return (
    <tr {...place}>
      <td colSpan={COLUMNS.length} style={{ height: HEIGHT }}>
        <span className="muted">Reading …</span>
      </td>
    </tr>
  );
}
