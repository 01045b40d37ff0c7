import { sentence } from "../lib/format";

/** A message as the server says it, as a sentence; what stands in backticks is code. */
export function Words({ children }: { children: string }) {
  const parts = sentence(children).split(/`([^`]+)`/);
  return <>{parts.map((part, i) => (i % 2 === 1 ? <code key={i}>{part}</code> : part))}</>;
}
