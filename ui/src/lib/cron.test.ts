import { expect, test } from "vitest";
import { inWords } from "./cron";

test("cron lines that people write are said in words", () => {
  const said = {
    "0 3 * * 1": "at 03:00 on Mondays",
    "30 22 * * 1-5": "at 22:30 on Mondays to Fridays",
    "5 4 * * sun,3": "at 04:05 on Sundays and Wednesdays",
    "0 3 * * *": "every day at 03:00",
    "15 * * * *": "every hour at minute 15",
    " 0  6 1 * * ": "at 06:00 on day 1 of the month",
  };
  expect(Object.keys(said).map(inWords)).toEqual(Object.values(said));
});

test("what takes more words is left as it is", () => {
  for (const cron of ["*/5 * * * *", "0 3 1 * 1", "0 3 * 6 *", "61 3 * * *", "0 24 * * *", "0 3 * * 8", "0 3 * *", ""])
    expect(inWords(cron), cron).toBeNull();
});
