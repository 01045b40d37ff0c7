import { expect, test } from "@playwright/test";
import { examine, measure } from "./checks";
import { Graft } from "./graft";
import { Hub, REPO } from "./hub";

const hub = new Hub();
let graft: Graft;
test.beforeAll(async () => {
  graft = new Graft(await hub.start());
  await graft.start();
});
test.afterAll(async () => {
  await graft.end();
  hub.stop();
});

test("a base model is downloaded, cancelled, continued and removed", async ({ page }) => {
  await page.goto(`${graft.url}/settings?tab=bases`);
  const row = page.getByRole("row").filter({ has: page.getByRole("rowheader", { name: REPO, exact: true }) });
  await page.getByLabel("Download a base model").fill(REPO);
  await page.getByRole("button", { name: "Download", exact: true }).last().click();
  await expect(row.getByText(/model\.safetensors: \d.* of 657 KiB/)).toBeVisible();
  await row.getByRole("button", { name: `Cancel ${REPO}` }).click();
  await expect(row.getByText("Cancelled")).toBeVisible();
  await examine(page);
  await row.getByRole("button", { name: `Continue ${REPO}` }).click();
  await expect(row.getByText("✓ Here")).toBeVisible();
  await measure(page);
  await page.setViewportSize({ width: 1280, height: 800 });
  await row.getByRole("button", { name: `Remove ${REPO}` }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
  await expect(row).toHaveCount(0);
});

test("terms must be accepted before a download", async ({ page }) => {
  const asked: unknown[] = [];
  await page.route("**/api/v1/bases", (route) => {
    if (route.request().method() !== "POST") return route.continue();
    asked.push(route.request().postDataJSON());
    return route.fulfill({ status: 503, json: { title: "not now", status: 503, detail: "not now" } });
  });
  await page.goto(`${graft.url}/settings?tab=bases`);
  const dialog = page.getByRole("dialog", { name: "Terms of gemma3-270m" });
  await page.getByRole("button", { name: "Download gemma3-270m" }).click();
  await expect(dialog.getByRole("link", { name: "its terms" })).toHaveAttribute("href", /gemma\/terms/);
  await examine(page);
  await dialog.getByRole("button", { name: "Back" }).click();
  expect(asked).toEqual([]);
  await page.getByRole("button", { name: "Download gemma3-270m" }).click();
  await dialog.getByRole("button", { name: "Accept and download" }).click();
  await expect.poll(() => asked).toEqual([{ name: "gemma3-270m", terms_accepted: true }]);
});

test("a failed download shows its reason, without CLI commands", async ({ page }) => {
  await page.goto(`${graft.url}/settings?tab=bases`);
  await page.getByLabel("Download a base model").fill("org/none");
  await page.getByRole("button", { name: "Download", exact: true }).last().click();
  const row = page.getByRole("row").filter({ has: page.getByRole("rowheader", { name: "org/none" }) });
  await expect(row.getByText("Failed", { exact: true })).toBeVisible();
  await expect(row).toContainText("Failed to find the model `org/none` on the Hub. Check the spelling");
});
