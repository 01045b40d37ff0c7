export function Train() {
  return <p>…</p>;
}
