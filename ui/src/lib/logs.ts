/** The last lines of a text. */
export function tail(text: string, lines: number): string {
  return text.trimEnd().split("\n").slice(-lines).join("\n");
}

export interface Line {
  number: number;
  text: string;
}

/** The lines that hold a text, without regard to case; all for nothing. Carriage returns leave what a terminal would show. */
export function matching(text: string, wanted: string): Line[] {
  const lines = text
    .split("\n")
    .map((line, i) => ({ number: i + 1, text: line.slice(line.trimEnd().lastIndexOf("\r") + 1) }));
  if (lines.at(-1)?.text === "") lines.pop();
  const needle = wanted.trim().toLowerCase();
  return needle === "" ? lines : lines.filter((line) => line.text.toLowerCase().includes(needle));
}
