import { useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { significant } from "../lib/format";
import css from "./chart.module.css";

export interface Line {
  label: string;
  /** A design token, such as `--series-1`. */
  color: string;
  faint?: boolean;
  points?: boolean;
}

interface Props {
  title: string;
  /** The first column is x; then one a line. */
  data: (number | null)[][];
  lines: Line[];
  log?: boolean;
  height?: number;
  /** Ends of the vertical axis; what the data need otherwise. */
  range?: readonly [number, number];
  /** How values are written. */
  format?: (value: number | null | undefined) => string;
  /** Charts with the same key move their cursors together. */
  sync?: string;
}

/** Curves over steps; hover reads them, drag zooms, double click goes back. */
export function Chart({ title, data, lines, log = false, height = 220, range, format = significant, sync }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const shape = `${lines.map((line) => line.label + line.color).join()}/${log}/${height}`;
  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const make = () => {
      plot.current?.destroy();
      const size = { width: element.clientWidth, height };
      plot.current = new uPlot(
        options(element, { lines, log, range, format, sync }, size),
        data as uPlot.AlignedData,
        element,
      );
    };
    make();
    const resized = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height }));
    resized.observe(element);
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", make);
    const themed = new MutationObserver(make);
    themed.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    return () => {
      resized.disconnect();
      themed.disconnect();
      scheme.removeEventListener("change", make);
      plot.current?.destroy();
      plot.current = null;
    };
    // Data changes are applied below without creating the chart again.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [shape]);
  useEffect(() => plot.current?.setData(data as uPlot.AlignedData), [data]);
  const last = (data[1] ?? []).findLast((value) => value !== null);
  return (
    <figure className={css.chart}>
      <figcaption>{title}</figcaption>
      <div
        ref={host}
        style={{ minHeight: height + 30 }}
        role="img"
        aria-label={`${title}: ${(data[0] ?? []).length} points, last ${format(last)}`}
      />
    </figure>
  );
}

function options(
  element: Element,
  {
    lines,
    log,
    range,
    format,
    sync,
  }: Required<Pick<Props, "lines" | "log" | "format">> & Pick<Props, "range" | "sync">,
  size: { width: number; height: number },
): uPlot.Options {
  const style = getComputedStyle(element);
  // A probe turns `light-dark()` into a colour that a canvas understands.
  const probe = document.createElement("span");
  element.append(probe);
  const token = (name: string) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  const font = `11px ${style.fontFamily}`;
  const axis = { stroke: token("--ink-3"), font, ticks: { show: false }, grid: { stroke: token("--line"), width: 1 } };
  const series = lines.map((line) => ({
    label: line.label,
    stroke: withAlpha(token(line.color), line.faint ? 0.35 : 1),
    width: line.faint ? 1 : 1.75,
    spanGaps: true,
    points: { show: line.points ?? false, size: 6 },
    value: (_: uPlot, value: number | null) => format(value),
  }));
  const built: uPlot.Options = {
    ...size,
    scales: { x: { time: false }, y: { distr: log ? 3 : 1, ...(range && { range: [range[0], range[1]] }) } },
    axes: [
      { ...axis, size: 30, grid: { show: false } },
      { ...axis, size: 52, values: (_, splits) => splits.map((v) => (v === null ? "" : format(v))) },
    ],
    series: [{ label: "Step" }, ...series],
    cursor: sync ? { sync: { key: sync } } : {},
    legend: { live: true },
  };
  probe.remove();
  return built;
}

function withAlpha(color: string, alpha: number): string {
  const [r, g, b] = color.match(/[\d.]+/g) ?? [];
  return alpha === 1 ? color : `rgba(${r}, ${g}, ${b}, ${alpha})`;
}
