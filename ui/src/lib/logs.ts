/** The last lines of a text. */
export function tail(text: string, lines: number): string {
  return text.trimEnd().split("\n").slice(-lines).join("\n");
}

export interface Line {
  number: number;
  text: string;
  level: Level;
}

/** What a log shows: of which weight, and holding what. */
interface Wanted {
  text: string;
  /** Only lines of this weight or more. */
  level: Level;
}

const WEIGHT: Record<Level, number> = { info: 0, warn: 1, error: 2 };

/** The lines that hold a text, without regard to case; all for nothing. Carriage returns leave what a terminal would show. */
export function matching(text: string, wanted: Wanted): Line[] {
  const lines = text.split("\n").map((line) => line.slice(line.trimEnd().lastIndexOf("\r") + 1));
  if (lines.at(-1) === "") lines.pop();
  const grave = levels(lines);
  const needle = wanted.text.trim().toLowerCase();
  return lines
    .map((text, i) => ({ number: i + 1, text, level: grave[i] ?? "info" }))
    .filter((line) => WEIGHT[line.level] >= WEIGHT[wanted.level])
    .filter((line) => needle === "" || line.text.toLowerCase().includes(needle));
}

export type Level = "error" | "warn" | "info";

/**
 * How grave each line is, as far as it says so: by its first word (`error: …`), or by the capitals that loggers write.
 * What belongs to an error (its causes, indented, and its hint) is as grave.
 */
function levels(lines: string[]): Level[] {
  let last: Level = "info";
  return lines.map((text) => {
    const continues = last !== "info" && /^(\s+\S|hint:|note:)/.test(text);
    if (!continues) last = level(text);
    return last;
  });
}

function level(text: string): Level {
  if (/^(error|fatal|panic(ked)?)\b|^thread '.*' panicked/i.test(text) || /\b(ERROR|FATAL)\b/.test(text))
    return "error";
  return /^warn(ing)?\b/i.test(text) || /\bWARN(ING)?\b/.test(text) ? "warn" : "info";
}
