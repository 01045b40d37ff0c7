import { expect, type Page, test } from "@playwright/test";
import { Graft, TASK } from "./graft";

const graft = new Graft();
test.describe.configure({ mode: "serial" });
test.beforeAll(() => graft.startWithMessages());
test.afterAll(() => graft.end());

const audit = () => `${graft.url}/audit?task=${TASK}`;
/** A message is shown: not always the first, which a page of an earlier test may still seem to have open. */
const shown = (page: Page) => page.getByText(/^Message \d+ \//);

test("two auditors do not overwrite each other", async ({ browser }) => {
  const [ana, ben] = [await browser.newPage(), await browser.newPage()];
  // Ben's page receives no events, as with a bad connection.
  for (const path of ["events", "presence"]) await ben.route(`**/api/v1/${path}*`, (route) => route.abort());
  await Promise.all([ana.goto(audit()), ben.goto(audit())]);
  await expect(ben.getByText("Message 1 /")).toBeVisible();
  const title = await ben.getByTestId("message").textContent();
  await ana.keyboard.press("1");
  await ana.keyboard.press("a");
  await expect(ana.getByLabel("Last decisions").getByText("approved")).toBeVisible();
  await expect.poll(() => graft.counts()).toMatchObject({ approved: 41 });

  await ben.keyboard.press("2");
  await ben.keyboard.press("a");
  await ben.getByRole("button", { name: "Compare and choose" }).click();
  const dialog = ben.getByRole("dialog");
  await expect(dialog.getByText(title ?? "")).toBeVisible();
  await expect(dialog.getByRole("cell", { name: "good" })).toBeVisible();
  await expect(dialog.getByRole("cell", { name: "bad" })).toBeVisible();
  await dialog.getByRole("button", { name: "Keep their decision" }).click();
  await expect(ben.getByRole("button", { name: "Compare and choose" })).toHaveCount(0);
  expect(await graft.counts()).toMatchObject({ approved: 41 });
  await ana.close();
  await ben.close();
});

test("two auditors see each other, and get different messages", async ({ browser }) => {
  const [ana, ben] = [await browser.newPage(), await browser.newPage()];
  await ana.goto(audit());
  await expect(ana.getByText("Message 1 /")).toBeVisible();
  await expect(ana.getByTestId("link")).toHaveText("Live");
  // Ben gets another message at once, but can open hers.
  await expect(async () => {
    await ben.goto(audit());
    await expect(ben.getByText("Message 2 /")).toBeVisible({ timeout: 2_000 });
  }).toPass();
  await ben.keyboard.press("k");
  for (const page of [ana, ben]) await expect(page.getByText("has this message open")).toBeVisible();
  // Ana moves on: Ben has the message alone, and after his own he does not get hers.
  await ana.keyboard.press("j");
  await expect(ben.getByText("has this message open")).toHaveCount(0);
  const hers = await ana.getByTestId("message").textContent();
  await ben.keyboard.press("1");
  await ben.keyboard.press("a");
  await expect(ben.getByText("Message 3 /")).toBeVisible();
  expect(await ben.getByTestId("message").textContent()).not.toBe(hers);
  await ben.keyboard.press("u");
  await expect.poll(() => graft.counts()).toMatchObject({ approved: 41 });
  await ben.close();
  await ana.close();
});

test("a server killed during an edit loses nothing", async ({ page }) => {
  await page.goto(audit());
  await expect(shown(page)).toBeVisible();
  const before = await graft.counts();
  await page.keyboard.press("1");
  await graft.stop("SIGKILL");
  await expect(page.getByTestId("link")).toContainText("not reachable");
  for (let i = 0; i < 3; i += 1) {
    await page.keyboard.press("1");
    await page.keyboard.press("a");
  }
  await expect(page.getByText("3 decisions not sent yet.")).toBeVisible();
  const stored = await page.evaluate(() => localStorage.getItem("graft.outbox"));
  expect(JSON.parse(stored ?? "[]")).toHaveLength(3);

  await graft.start();
  await page.reload();
  await expect(page.getByTestId("link")).toHaveText("Live");
  await expect(page.getByText("kept here")).toHaveCount(0);
  await expect
    .poll(() => graft.counts())
    .toEqual({ ...before, pending: before.pending - 3, approved: before.approved + 3 });
});

test("a draft survives a reload", async ({ page }) => {
  await page.goto(audit());
  await expect(shown(page)).toBeVisible();
  await page.keyboard.press("2");
  await expect(page.getByRole("button", { name: "Discard changes" })).toBeVisible();
  await page.reload();
  await expect(page.getByRole("button", { name: "Discard changes" })).toBeVisible();
  await expect(page.getByRole("group", { name: "Answer" }).getByRole("combobox")).toHaveValue("good");
});

test("decisions can be reviewed and undone after a reload", async ({ page }) => {
  await page.goto(audit());
  await expect(shown(page)).toBeVisible();
  const first = (await page.getByTestId("message").textContent()) ?? "";
  const before = await graft.counts();
  for (const key of ["1", "a", "x", "3"]) await page.keyboard.press(key);
  await expect(page.getByLabel("Last decisions").getByText(/rejected: Duplicate/)).toBeVisible();
  await expect.poll(() => graft.counts()).toMatchObject({ pending: before.pending - 2 });

  await page.goto(audit());
  await page
    .getByLabel("Last decisions")
    .getByRole("button", { name: new RegExp(`^${first}`) })
    .click();
  await expect(page.getByTestId("message")).toHaveText(first);
  await page.keyboard.press("u");
  await expect(page.getByText("decided", { exact: false }).filter({ hasText: "before you" })).toHaveCount(0);
  await expect.poll(() => graft.counts()).toMatchObject({ pending: before.pending - 1, rejected: before.rejected });
  await page.keyboard.press("u");
  await expect.poll(() => graft.counts()).toEqual(before);
});

test("loaded data stays visible while the server is unreachable", async ({ page }) => {
  await page.goto(`${graft.url}/stats?task=${TASK}`);
  await expect(page.getByText("Audited messages")).toBeVisible();
  await graft.stop("SIGKILL");
  await expect(page.getByTestId("link")).toContainText("not reachable");
  await page.evaluate(() => window.dispatchEvent(new Event("visibilitychange")));
  await page.waitForTimeout(2_500);
  await expect(page.getByText("Audited messages")).toBeVisible();
  await graft.start();
  await expect(page.getByTestId("link")).toHaveText("Live");
  await expect(page.getByText("Audited messages")).toBeVisible();
});

test("a server killed during a run follows it again", async ({ page }) => {
  test.setTimeout(180_000);
  await graft.watchTraining(page, 12);
  await expect(page).toHaveTitle(/^▸ /);
  await graft.stop("SIGKILL");
  await expect(page.getByTestId("link")).toContainText("not reachable");
  await graft.start();
  await expect(page.getByTestId("link")).toHaveText("Live", { timeout: 30_000 });
  await expect(page.locator("header").getByText(/Running|Succeeded/)).toBeVisible();
  await expect(page.locator("header").getByText("Succeeded")).toBeVisible({ timeout: 120_000 });
});
