import { readFileSync } from "node:fs";
import { expect, test } from "@playwright/test";
import { Graft, TASK } from "./graft";

const graft = new Graft();
test.describe.configure({ mode: "serial" });
test.beforeAll(() => graft.startWithMessages());
test.afterAll(() => graft.end());

test("statistics are exported as CSV", async ({ page }) => {
  await page.goto(`${graft.url}/stats?task=${TASK}`);
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("link", { name: "CSV" }).click(),
  ]);
  expect(readFileSync(await download.path(), "utf8")).toContain("good");
});

test("a training is cancelled, resumed and finished", async ({ page }) => {
  test.setTimeout(180_000);
  // Long enough that it has not ended before it is cancelled, on a busy machine, too.
  await graft.watchTraining(page, 60);
  const watched = page.url();
  await page.goto(`${graft.url}/settings?task=${TASK}&tab=system`);
  await expect(page.getByRole("table", { name: "Leases" }).getByText(/^In \d+ s/)).toBeVisible();
  await page.goto(watched);
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("button", { name: "Stop it" }).click();
  await expect(page.locator("header").getByText("Cancelled")).toBeVisible({ timeout: 60_000 });
  await page.getByRole("button", { name: "Resume" }).click();
  await expect(page.locator("header").getByText("Succeeded")).toBeVisible({ timeout: 120_000 });
});

test("a stopped trainer is reported, and a cancelled run is not shown as an error", async ({ page }) => {
  await graft.watchTraining(page, 2_000);
  const id = new URL(page.url()).pathname.split("/").at(-1) ?? "";
  const { run } = await graft.api<{ run: { pid: number } }>(`/runs/${id}`);
  process.kill(run.pid, "SIGSTOP");
  await expect(page.getByText(`kill -CONT ${run.pid}`)).toBeVisible({ timeout: 20_000 });
  process.kill(run.pid, "SIGCONT");
  await expect(page.getByText(`kill -CONT ${run.pid}`)).toHaveCount(0, { timeout: 20_000 });
  await graft.api(`/runs/${id}/cancel`, {});
  await expect(page.locator("header").getByText("■ Cancelled")).toBeVisible({ timeout: 20_000 });
  const danger = await page.evaluate(() => {
    const probe = document.body.appendChild(document.createElement("i"));
    probe.style.color = "var(--danger)";
    const color = getComputedStyle(probe).color;
    probe.remove();
    return color;
  });
  const red = (color: string) =>
    [...document.querySelectorAll("main *")].filter((it) => getComputedStyle(it).color === color && it.textContent)
      .length;
  expect(await page.evaluate(red, danger)).toBe(0);
  await page.goto(`${graft.url}/train?task=${TASK}`);
  await page.getByRole("heading", { name: "History" }).scrollIntoViewIfNeeded();
  await expect(page.getByRole("link", { name: id })).toBeVisible();
  const row = page.getByRole("row").filter({ hasText: id });
  await expect(row.getByText("■ Cancelled")).toBeVisible();
  const colors = await row.evaluate((it) => [...it.querySelectorAll("*")].map((part) => getComputedStyle(part).color));
  expect(colors).not.toContain(danger);
});

test("the URL of the old page redirects to its trainings", async ({ page }) => {
  await page.goto(`${graft.url}/admin`);
  await expect(page).toHaveURL(/\/train\?task=ask-ai/);
  await expect(page.getByRole("heading", { name: "Train", exact: true })).toBeVisible();
});

test("leases and the last sweep are shown", async ({ page }) => {
  // An idle worker runs a sweep.
  const swept = async () => (await graft.api<{ swept?: object }>("/system")).swept;
  await expect.poll(swept, { timeout: 30_000 }).toBeTruthy();
  await page.goto(`${graft.url}/settings?task=${TASK}&tab=system`);
  await expect(page.getByText(/: nothing to remove/)).toBeVisible();
  await expect(page.getByRole("table", { name: "Leases" })).toHaveCount(0);
});

test("the first user manages other users, tokens and review links", async ({ page, browser }) => {
  await page.goto(`${graft.url}/settings?task=${TASK}`);
  await page.getByRole("tab", { name: /People|Users|Access/ }).click();
  await page.getByLabel("Description").fill("nightly script");
  // The first token makes logins mandatory, so an administrator must exist.
  await expect(page.getByRole("button", { name: "Create a token" })).toBeDisabled();
  await page.getByLabel("Name", { exact: true }).fill("grace");
  await page.getByLabel("Password").fill("correct horse battery");
  await page.getByRole("button", { name: "Add a person" }).click();
  await expect(page.getByRole("heading", { name: "Log in to Graft" })).toBeVisible();
  await page.getByLabel("Name", { exact: true }).fill("grace");
  await page.getByRole("textbox", { name: "Password" }).fill("correct horse battery");
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page.getByRole("heading", { name: "Log in to Graft" })).toHaveCount(0);

  await page.goto(`${graft.url}/settings?task=${TASK}`);
  await page.getByRole("tab", { name: /People|Users|Access/ }).click();
  await expect(page.getByRole("cell", { name: "grace" })).toBeVisible();
  await page.getByLabel("Description").fill("nightly script");
  await page.getByRole("button", { name: "Create a token" }).click();
  await expect(page.getByText("Copy it now")).toBeVisible();
  await page.getByRole("button", { name: "Remove the token for nightly script" }).click();
  await page
    .getByRole("dialog")
    .getByRole("button", { name: /Remove/ })
    .click();
  await expect(page.getByRole("cell", { name: "nightly script" })).toHaveCount(0);

  await page.getByLabel("Review link for").fill("Ada");
  await page.getByRole("button", { name: "Create a review link" }).click();
  const link = await page.getByText(/login\?token=/).textContent();
  const theirs = await (await browser.newContext()).newPage();
  await theirs.goto(link ?? "");
  await expect(theirs).toHaveURL(/\/audit\?task=/);
  const pages = theirs.getByRole("navigation", { name: "Pages" });
  await expect(pages.getByRole("link", { name: "Audit" })).toBeVisible();
  await expect(pages.getByRole("link", { name: /Versions|Train|Settings/ })).toHaveCount(0);
  await theirs.goto(`${graft.url}/settings`);
  await expect(theirs).toHaveURL(/\/audit\?task=/);
  await page.getByRole("button", { name: "Remove the token for Ada" }).click();
  await page
    .getByRole("dialog")
    .getByRole("button", { name: /Remove/ })
    .click();
  await theirs.reload();
  await expect(theirs.getByRole("heading", { name: "Log in to Graft" })).toBeVisible();
});
