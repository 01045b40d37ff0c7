export function Login() {
  return <p>…</p>;
}
