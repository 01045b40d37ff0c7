import type { Schemas } from "../api/types";

type Day = Schemas["DayStats"];

/** Every day from first to last, empty ones too; weeks (from Monday) where that would be more than `most`. */
export function buckets(days: Day[], most: number): { unit: "day" | "week"; bars: Day[] } {
  const times = days.map((day) => Date.parse(`${day.day}T00:00:00Z`)).filter(Number.isFinite);
  if (times.length === 0) return { unit: "day", bars: [] };
  const length = 86_400_000;
  const span = (Math.max(...times) - Math.min(...times)) / length + 1;
  const unit = span > most ? "week" : "day";
  const start = (time: number) => (unit === "day" ? time : time - ((new Date(time).getUTCDay() + 6) % 7) * length);
  const step = unit === "day" ? length : 7 * length;
  const name = (time: number) => new Date(time).toISOString().slice(0, 10);
  const bars = new Map<string, Day>();
  for (let time = start(Math.min(...times)); time <= Math.max(...times); time += step)
    bars.set(name(time), { day: name(time), audited: 0, pounds: 0 });
  for (const day of days) {
    const bar = bars.get(name(start(Date.parse(`${day.day}T00:00:00Z`))));
    if (!bar) continue;
    bar.audited += day.audited;
    bar.pounds += day.pounds;
  }
  return { unit, bars: [...bars.values()] };
}
