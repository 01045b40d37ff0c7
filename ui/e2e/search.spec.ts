import { expect, test } from "@playwright/test";
import { examine, measure } from "./checks";
import { Graft, table, TASK } from "./graft";

const graft = new Graft();
test.describe.configure({ mode: "serial" });
test.beforeAll(async () => {
  graft.addBase();
  graft.run("import", "csv", graft.file("toy.csv", table(60, 0)));
  await graft.start();
});
test.afterAll(() => graft.end());

test("a search is started, watched and compared, and its best settings are trained, with the keyboard", async ({
  page,
}) => {
  test.setTimeout(240_000);
  await page.goto(`${graft.url}/search?task=${TASK}`);
  await expect(page.getByText("No study yet")).toBeVisible();
  await page.getByLabel("Base model", { exact: true }).fill("tiny");
  await page.getByLabel("Budget").fill("no");
  const start = page.getByRole("button", { name: "Start the search" });
  await expect(start).toBeDisabled();
  await page.getByLabel("Budget").fill("14");
  await page.getByText("Settings that stay the same").click();
  await page.getByLabel("Epochs", { exact: true }).fill("3");
  await page.getByLabel("Threads", { exact: true }).fill("1");
  await page.getByText("Show as command").click();
  await expect(
    page.getByText(/graft search text-classification --base tiny --budget 14-trials --epochs 3/),
  ).toBeVisible();
  await examine(page);
  await start.focus();
  await page.keyboard.press("Enter");

  await expect(page).toHaveURL(/\/search\/study-/);
  const id = new URL(page.url()).pathname.split("/").at(-1)!;
  await expect(page.getByRole("heading", { level: 1, name: id })).toBeVisible();
  const trials = page.getByRole("region", { name: "Trials" });
  // A worker starts it automatically.
  await expect(trials.getByText("✓ Complete").first()).toBeVisible({ timeout: 60_000 });
  await expect(page.getByText("✓ Done")).toBeVisible({ timeout: 180_000 });
  await expect(page.getByText("14 of 14 trials")).toBeVisible();
  await expect(trials.getByRole("row")).toHaveCount(15);
  const {
    best,
    front,
    trials: known,
  } = await graft.api<{
    best: number;
    front: number[];
    trials: { state: string; bytes?: number; latency_ms?: number }[];
  }>(`/studies/${id}`);
  const complete = known.filter((trial) => trial.state === "complete");
  expect(complete.every((trial) => trial.bytes! > 0 && trial.latency_ms! > 0)).toBe(true);
  await expect(trials.getByRole("row").filter({ hasText: "Best" })).toContainText(`${best}`);
  await expect(page.getByRole("img", { name: /^Settings and loss of \d+ trials/ })).toBeVisible();
  await expect(page.getByRole("table", { name: "Importance of each setting" }).getByRole("row").first()).toBeVisible();
  const plot = page.getByRole("img", { name: /^Loss against size of the adapter/ });
  await expect(plot.locator("circle")).toHaveCount(complete.length);
  await page.getByText("Latency", { exact: true }).last().click();
  const other = page.getByRole("img", { name: /^Loss against time for a held-out example/ });
  for (const number of front) await expect(other).toHaveAccessibleName(new RegExp(`trial ${number}\\b`));

  await page.getByLabel("Choose trial 0", { exact: true }).focus();
  await page.keyboard.press("Space");
  await page.getByLabel("Choose trial 1", { exact: true }).focus();
  await page.keyboard.press("Space");
  await examine(page);
  await measure(page);
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.getByRole("link", { name: "Compare 2 trials" }).click();
  await expect(page.getByRole("heading", { name: "Compare runs" })).toBeVisible();
  await expect(page.getByRole("table", { name: "Settings" })).toContainText("adapter.ranks");
  await page.goBack();

  await page.getByRole("button", { name: `Train with trial ${best}'s settings` }).click();
  await expect(page).toHaveURL(/\/runs\//);
  await expect(page.getByText("✓ Succeeded")).toBeVisible({ timeout: 120_000 });
});

test("a stopped search is shown as stopped", async ({ page }) => {
  test.setTimeout(120_000);
  const { study } = await graft.api<{ study: { id: string } }>("/studies", {
    task: TASK,
    base: "tiny",
    budget: "60m",
    settings: { threads: 1 },
  });
  await page.goto(`${graft.url}/search?task=${TASK}`);
  await expect(page.getByRole("button", { name: "Start the search" })).toBeDisabled();
  await page.getByRole("region", { name: "Studies" }).getByRole("link", { name: study.id }).click();
  await expect(page.getByText(/of 60 min/)).toBeVisible();
  await page.getByRole("button", { name: "Stop" }).click();
  await page.getByRole("button", { name: "Stop it" }).click();
  await expect(page.getByText("■ Stopped")).toBeVisible();
  await page.getByRole("link", { name: "All studies" }).click();
  await expect(page.getByRole("button", { name: "Start the search" })).toBeEnabled();
});
