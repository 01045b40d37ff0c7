const PATHS = {
  home: "M3 10.5 12 3l9 7.5M5.5 9v11h13V9",
  tasks: "M4 5h7v6H4zM4 14h7v6H4zM14.5 6.5H20m-5.5 3H18m-3.5 6H20m-5.5 3H18",
  audit: "M9 11.5l2.2 2.2L15.5 9M5 4h14v16H5z",
  train: "M4 19V5m0 14h16M8 15l3.5-5 3 3L20 6",
  trials: "M4 4v16h16M8.5 15.5h.01M11 10h.01M15.5 12.5h.01M19 6h.01",
  versions: "M12 3l9 5-9 5-9-5zM3 12.5l9 5 9-5M3 17l9 5 9-5",
  stats: "M5 20V11m7 9V4m7 16v-6",
  settings: "M4 7h10m4 0h2M4 17h2m4 0h10M16 4.5v5M8 14.5v5",
  search: "M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zm5 12 4.5 4.5",
  check: "M5 12.5l4.5 4.5L19 7.5",
  cross: "M6 6l12 12M18 6L6 18",
  plus: "M12 5v14M5 12h14",
  up: "M12 19V6m-6 6 6-6 6 6",
  down: "M12 5v13m-6-6 6 6 6-6",
  right: "M9 5l7 7-7 7",
  left: "M15 5l-7 7 7 7",
  copy: "M9 9h11v11H9zM15 9V4H4v11h5",
  more: "M6 12h.01M12 12h.01M18 12h.01",
  sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2v2m0 16v2M2 12h2m16 0h2M5 5l1.4 1.4M17.6 17.6 19 19M5 19l1.4-1.4M17.6 6.4 19 5",
  moon: "M20 14.5A8.5 8.5 0 1 1 9.5 4a7 7 0 0 0 10.5 10.5z",
  system: "M3 5h18v11H3zM9 20h6m-3-4v4",
  undo: "M9 14L4 9l5-5M4 9h10a6 6 0 0 1 0 12h-3",
  skip: "M5 5l8 7-8 7zM18 5v14",
  edit: "M4 20h4L19 9l-4-4L4 16zM13 7l4 4",
  warn: "M12 4l9.5 16h-19zM12 10v4.5m0 2.5h.01",
  download: "M12 4v11m-5-5 5 5 5-5M4 20h16",
  upload: "M12 16V5m-5 5 5-5 5 5M4 20h16",
  terminal: "M4 5h16v14H4zM8 10l2.5 2L8 14m5 0h3",
  keyboard: "M3 6h18v12H3zM7 10h.01M11 10h.01M15 10h.01M7 14h10",
} as const;

export type IconName = keyof typeof PATHS;

/** A decorative icon beside a label. */
export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg
      viewBox="0 0 24 24"
      width={size}
      height={size}
      fill="none"
      stroke="currentColor"
      strokeWidth={name === "more" ? 3 : 1.75}
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden
      style={{ flex: "none" }}
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
