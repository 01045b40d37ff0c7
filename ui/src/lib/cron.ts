/** Cron lines in plain words, as far as people write them. */

const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const NAMES = DAYS.map((day) => day.slice(0, 3).toLowerCase());

/** A field that is one number within bounds. */
function one(field: string, most: number): number | null {
  return /^\d{1,2}$/.test(field) && Number(field) <= most ? Number(field) : null;
}

function day(field: string): string | null {
  const named = NAMES.indexOf(field.toLowerCase());
  const at = named >= 0 ? named : one(field, 7);
  return at === null ? null : `${DAYS[at % 7]}s`;
}

/** `on Mondays`, `on Mondays to Fridays`, `on Mondays and Thursdays`. */
function weekdays(field: string): string | null {
  const [from, to, ...more] = field.split("-");
  const parts = to === undefined ? field.split(",") : [from ?? "", to, ...more];
  const days = parts.map(day);
  if (days.includes(null) || (to !== undefined && days.length !== 2)) return null;
  if (to !== undefined) return `on ${days[0]} to ${days[1]}`;
  return `on ${days.length > 1 ? `${days.slice(0, -1).join(", ")} and ` : ""}${days.at(-1)}`;
}

/** `0 3 * * 1` → `at 03:00 on Mondays`; null where it takes more than a few words. */
export function inWords(cron: string): string | null {
  const [minute = "", hour = "", date = "", month = "", week = "", ...more] = cron.trim().split(/\s+/);
  const at = one(minute, 59);
  if (more.length > 0 || month !== "*" || at === null) return null;
  const two = (value: number) => String(value).padStart(2, "0");
  if (hour === "*") return date === "*" && week === "*" ? `every hour at minute ${at}` : null;
  const clock = one(hour, 23);
  if (clock === null) return null;
  const time = `at ${two(clock)}:${two(at)}`;
  if (date === "*" && week === "*") return `every day ${time}`;
  if (week === "*") return one(date, 31) ? `${time} on day ${Number(date)} of the month` : null;
  const on = date === "*" ? weekdays(week) : null;
  return on && `${time} ${on}`;
}
