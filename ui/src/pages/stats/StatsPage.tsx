export function StatsPage() {
  return <p>…</p>;
}
