import { sentence } from "../lib/format";

/** A message of the server as a sentence; text in backticks is shown as code. */
export function Words({ children }: { children: string }) {
  const parts = sentence(children).split(/`([^`]+)`/);
  return <>{parts.map((part, i) => (i % 2 === 1 ? <code key={i}>{part}</code> : part))}</>;
}
