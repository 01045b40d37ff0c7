export function Versions() {
  return <p>…</p>;
}
