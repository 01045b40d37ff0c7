import { expect, test, type Page } from "@playwright/test";
import { examine, measure } from "./checks";
import { Graft, table, TASK } from "./graft";
import { PAGES } from "./pages";

const graft = new Graft();
test.beforeAll(async () => {
  graft.addBase();
  graft.run("import", "csv", graft.file("toy.csv", table(60, 20)));
  graft.run("train", TASK, "--base", "tiny", "--epochs", "2", "--activate", "--force", "--run-id", "first");
  graft.run("train", TASK, "--base", "tiny", "--epochs", "0.2", "--learning-rate", "1e-9", "--run-id", "second");
  graft.run("rollout", "start", "v2");
  await graft.start();
});
test.afterAll(() => graft.end());

/** How much has moved by itself since the page was opened, as browsers count it; below 0.1 is good. */
function shifts(page: Page): Promise<number> {
  return page.evaluate(
    () =>
      new Promise<number>((done) => {
        let sum = 0;
        const seen = (list: PerformanceObserverEntryList) => {
          for (const entry of list.getEntries() as (PerformanceEntry & { value: number })[]) sum += entry.value;
          done(sum);
        };
        new PerformanceObserver(seen).observe({ type: "layout-shift", buffered: true });
        setTimeout(() => done(sum), 100);
      }),
  );
}

for (const { name, path } of PAGES(TASK, "first", "second")) {
  test(`${name}: axe finds no serious problem in light and dark, and nothing overflows the screen`, async ({
    page,
  }) => {
    await page.goto(graft.url + path);
    await expect(page.getByRole("heading", { level: 1 })).toBeAttached();
    await expect(page.getByText("Loading", { exact: true })).toHaveCount(0);
    expect(await shifts(page), "nothing jumps while it is read").toBeLessThan(0.1);
    await examine(page);
    await measure(page);
  });
}

test("the report of a roll-out is one file that looks as the page does", async ({ page }) => {
  await page.goto(`${graft.url}/versions?task=${TASK}&version=v2`);
  const link = page.locator("#rollout").getByRole("link", { name: "Report" });
  const [file] = await Promise.all([page.waitForEvent("download"), link.click()]);
  expect(file.suggestedFilename()).toBe(`${TASK}-rollout.html`);
  const saved = test.info().outputPath("rollout.html");
  await file.saveAs(saved);
  await page.goto(`file://${saved}`);
  await expect(page.getByRole("heading", { level: 1 })).toContainText("v2 against v1");
  await expect(page.getByRole("table")).toHaveCount(3);
  await examine(page);
  await measure(page);
});

const press = (key: string) => (page: Page) => page.keyboard.press(key);
const click = (name: string | RegExp) => (page: Page) => page.getByRole("button", { name }).first().click();
const choose = (item: string) => async (page: Page) => {
  await page.getByRole("button", { name: "Actions for all runs shown" }).click();
  await page.getByRole("menuitem", { name: item }).click();
};
/** Dialogs: where, and what opens each. */
const DIALOGS: [name: string, path: string, open: (page: Page) => Promise<void>][] = [
  ["all keys", "/audit?", press("?")],
  ["the command menu", "/train?", press("Control+k")],
  ["import", "/audit?", click("Import")],
  ["bulk decisions", "/audit?", click("Bulk")],
  ["a reason to reject", "/audit?", press("x")],
  ["clearing old runs", "/train?", choose("Delete old runs")],
  ["cancelling many runs", "/train?", choose("Cancel all active runs")],
  ["activation", "/versions?version=v2", click("Activate")],
  ["fixing the worst answer", "/versions?version=v2", press("f")],
];
for (const [name, path, open] of DIALOGS) {
  test(`the dialog for ${name}: axe finds no serious problem, and it fits on the screen`, async ({ page }) => {
    await page.goto(`${graft.url}${path}&task=${TASK}`);
    await expect(page.getByRole("heading", { level: 1 })).toBeAttached();
    await expect(page.getByText("Loading", { exact: true })).toHaveCount(0);
    await expect(page.getByTestId("link")).toHaveText("Live");
    await open(page);
    await expect(page.getByRole("dialog")).toBeVisible();
    await examine(page);
    await measure(page);
  });
}

test("audit works on a phone", async ({ page }) => {
  await page.setViewportSize({ width: 360, height: 740 });
  await page.goto(`${graft.url}/audit?task=${TASK}`);
  await expect(page.getByText("Message 1 /")).toBeVisible();
  await expect(page.getByTestId("message")).toBeInViewport({ ratio: 1 });
  await page.getByRole("button", { name: "good" }).click();
  await page.getByRole("button", { name: "Approve" }).click();
  await expect(page.getByText("Message 2 /")).toBeVisible();
});

test("? lists every key, and the command menu finds pages", async ({ page }) => {
  await page.goto(`${graft.url}/audit?task=${TASK}`);
  await expect(page.getByText("Message 1 /")).toBeVisible();
  await page.keyboard.press("?");
  for (const action of ["Approve", "Reject", "Skip", "Undo the last decision", "Search and filter messages"])
    await expect(page.getByRole("dialog").getByText(action, { exact: false }).first()).toBeVisible();
  await page.keyboard.press("Escape");
  await page.keyboard.press("Control+k");
  await page.keyboard.type("go stats");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "Stats" })).toBeVisible();
});

test("an empty task offers sample messages", async ({ page }) => {
  await page.goto(`${graft.url}/audit?task=sentiment`);
  await page.getByRole("button", { name: "Import messages" }).click();
  await page.getByRole("button", { name: "Try sample messages" }).click();
  await expect(page.getByText("14 messages read.")).toBeVisible();
  await page.getByRole("button", { name: "Done" }).click();
  await expect(page.getByText("Message 1 / 2")).toBeVisible();
  await expect(page.getByText("12 approved · ready to train")).toBeVisible();
});

test("a log line has a link that shows it again", async ({ page }) => {
  await page.goto(`${graft.url}/runs/first?task=${TASK}&tab=logs&stream=stdout`);
  const first = page.getByRole("link", { name: "1", exact: true });
  await first.click();
  await expect(page).toHaveURL(/line=1/);
  await page.reload();
  await expect(page.locator("[aria-current=location]")).toContainText("Preparing");
  await expect(page.getByLabel("Follow")).not.toBeChecked();
  await expect(page.getByRole("link", { name: "Download" })).toHaveAttribute("href", /stdout\.log$/);
});

test("a URL without a task is completed with the shown task", async ({ page }) => {
  await page.goto(`${graft.url}/stats`);
  await expect(page).toHaveURL(new RegExp(`task=${TASK}`));
});
