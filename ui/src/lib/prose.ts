/** A text that people write without marks: paragraphs, lines that begin with "- ", and the line above such lines. */
type Block =
  { kind: "paragraph"; text: string } | { kind: "heading"; text: string } | { kind: "list"; items: string[] };

export function blocks(text: string): Block[] {
  const found: Block[] = [];
  for (const part of text.trim().split(/\n\s*\n/)) {
    let lines: string[] = [];
    const paragraph = (kind: "paragraph" | "heading") => {
      if (lines.length > 0) found.push({ kind, text: lines.join(" ") });
      lines = [];
    };
    for (const line of part.split("\n")) {
      const item = /^\s*[-*•]\s+(.*)$/.exec(line)?.[1];
      const last = found.at(-1);
      if (item === undefined) lines.push(line.trim());
      else if (lines.length === 0 && last?.kind === "list") last.items.push(item);
      else {
        paragraph(lines.length === 1 ? "heading" : "paragraph");
        found.push({ kind: "list", items: [item] });
      }
    }
    paragraph("paragraph");
  }
  return found.filter((block) => block.kind === "list" || block.text !== "");
}
