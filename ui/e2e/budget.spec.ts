import { expect, test, type Page } from "@playwright/test";
import { Graft, table, TASK } from "./graft";

const MESSAGES = 10_000;
const graft = new Graft();
test.beforeAll(async () => {
  graft.run("import", "csv", graft.file("many.csv", table(MESSAGES + 20, MESSAGES)));
  await graft.start();
});
test.afterAll(() => graft.end());

const median = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Infinity;

test("the first view takes less than a second", async ({ page }) => {
  const times: number[] = [];
  for (let i = 0; i < 5; i += 1) {
    await page.goto("about:blank");
    await page.goto(`${graft.url}/?task=${TASK}`);
    await expect(page.getByRole("heading", { name: "Home" })).toBeVisible();
    times.push(
      await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? Infinity),
    );
  }
  console.log(`first view: ${times.map((time) => time.toFixed(0)).join(", ")} ms`);
  // The best of five, which other work on the machine disturbed least.
  expect(Math.min(...times)).toBeLessThan(1_000);
});

test("with 10,000 messages a key shows the next one within 50 ms", async ({ page }) => {
  await page.goto(`${graft.url}/audit?task=${TASK}`);
  await expect(page.getByText(`Message 1 / ${MESSAGES}`)).toBeVisible();
  const times: number[] = [];
  for (let i = 0; i < 25; i += 1) {
    await page.keyboard.press("1");
    times.push(await nextMessage(page, "a"));
    // The speed of a fast reader; the next five are fetched meanwhile.
    await page.waitForTimeout(120);
  }
  console.log(`key to next message: median ${median(times).toFixed(1)} ms`);
  expect(median(times)).toBeLessThan(50);
});

/** Milliseconds from a key to the change of the message in the document. */
function nextMessage(page: Page, key: string): Promise<number> {
  return page.evaluate(
    (key) =>
      new Promise<number>((done) => {
        const text = () => document.querySelector("[data-testid=message]")?.textContent;
        const before = text();
        const start = performance.now();
        const observer = new MutationObserver(() => {
          if (text() === before) return;
          observer.disconnect();
          done(performance.now() - start);
        });
        observer.observe(document.body, { childList: true, subtree: true, characterData: true });
        document.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
      }),
    key,
  );
}
