/** Numbers and times as people read them. Times are milliseconds since the Unix epoch, durations are seconds. */

const whole = new Intl.NumberFormat("en");
const UNITS: [number, string][] = [
  [60, "second"],
  [60, "minute"],
  [24, "hour"],
  [7, "day"],
  [4.35, "week"],
  [12, "month"],
  [Infinity, "year"],
];
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "short" });

/** `12,345`; up to `digits` after the point. */
export function number(value: number | null | undefined, digits = 0): string {
  if (value == null || !Number.isFinite(value)) return "–";
  if (digits === 0) return whole.format(Math.round(value));
  return new Intl.NumberFormat("en", { maximumFractionDigits: digits }).format(value);
}

/** `92.3 %`. */
export function percent(share: number | null | undefined, digits = 0): string {
  return share == null || !Number.isFinite(share) ? "–" : `${(share * 100).toFixed(digits)} %`;
}

/** A difference of shares in points of a hundred: `+2.4`, `−0.3`. */
export function points(share: number): string {
  const size = (Math.abs(share) * 100).toFixed(1);
  return `${Number(size) === 0 ? "±" : share < 0 ? "−" : "+"}${size}`;
}

/** Three significant digits, as losses and learning rates are read: `0.0314`, `1.5e-3`. */
export function significant(value: number | null | undefined): string {
  if (value == null || !Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  return size < 1e-3 || size >= 1e5 ? value.toExponential(1).replace("e+", "e") : String(Number(value.toPrecision(3)));
}

/** `0.8 s`, `42 s`, `3 min 05 s`, `2 h 10 min`. */
export function duration(seconds: number | null | undefined): string {
  if (seconds == null || !Number.isFinite(seconds)) return "–";
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const s = Math.round(seconds);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${String(s % 60).padStart(2, "0")} s`;
  return `${Math.floor(s / 3600)} h ${String(Math.floor((s % 3600) / 60)).padStart(2, "0")} min`;
}

/** A rounded estimate: `17 min`, `1 h 10 min`. */
export function roughly(seconds: number | null | undefined): string {
  if (seconds == null || !Number.isFinite(seconds) || seconds < 90) return duration(seconds);
  if (seconds < 3570) return `${Math.round(seconds / 60)} min`;
  const tens = Math.round(seconds / 600);
  return `${Math.floor(tens / 6)} h ${String((tens % 6) * 10).padStart(2, "0")} min`;
}

/** `1.35 USD`. */
export function money(amount: number, currency: string): string {
  return `${new Intl.NumberFormat("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 }).format(amount)} ${currency}`;
}

/** Cents of a US dollar: `1.35 USD`. */
export function dollars(cents: number): string {
  return money(cents / 100, "USD");
}

/** A rounded estimate: `≈ 1.35 USD`, `< 0.01 USD`. */
export function roughMoney(amount: number, currency: string): string {
  return amount < 0.01 ? `< 0.01 ${currency}` : `≈ ${money(amount, currency)}`;
}

/** `1.1 GiB`. */
export function bytes(count: number | null | undefined): string {
  if (count == null || !Number.isFinite(count)) return "–";
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = count;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(value < 10 ? 1 : 0)} ${units[unit]}`;
}

/** `5 min. ago`, `in 2 hr.`; less than half a minute is `just now`. */
export function ago(at: number, now: number): string {
  let value = (at - now) / 1000;
  if (Math.abs(value) < 30) return "just now";
  for (const [size, unit] of UNITS) {
    if (Math.abs(value) < size) return relative.format(Math.round(value), unit as Intl.RelativeTimeFormatUnit);
    value /= size;
  }
  return "";
}

/** The exact time, in the reader's zone. */
export function exact(at: number): string {
  return new Date(at).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "medium" });
}

/** `rescue_location` → `Rescue location`. */
export function label(name: string): string {
  const words = name.replace(/[_-]+/g, " ").trim();
  return (words.charAt(0).toUpperCase() + words.slice(1)).replace(/\bf1\b/g, "F1");
}

/** `1 message`, `2 messages`. */
export function count(n: number, noun: string): string {
  return `${number(n)} ${noun}${n === 1 ? "" : "s"}`;
}

/** The first `length` characters; whether anything was left out can be seen. */
export function clip(text: string, length: number): string {
  const letters = [...text];
  return letters.length <= length ? text : `${letters.slice(0, length).join("")}…`;
}

/** A fragment of a message as the beginning of a sentence. */
export function sentence(fragment: string): string {
  return fragment.charAt(0).toUpperCase() + fragment.slice(1);
}
