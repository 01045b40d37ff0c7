/** As tasks are named: lowercase letters, digits and hyphens; `typing` leaves a hyphen at the end, for what follows. */
export const slug = (title: string, typing = false): string =>
  title
    .normalize("NFKD")
    .replace(/[\u0300-\u036f]/g, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, 40)
    .replace(typing ? /^-+/ : /^-+|-+$/g, "");

/** The lines of a text that say something, each once. */
export const lines = (text: string): string[] => [
  ...new Set(
    text
      .split("\n")
      .map((line) => line.trim())
      .filter(Boolean),
  ),
];
