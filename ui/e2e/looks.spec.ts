import AxeBuilder from "@axe-core/playwright";
import { expect, test } from "@playwright/test";
import { Graft, table, TASK } from "./graft";
import { PAGES } from "./pages";

const graft = new Graft();
test.beforeAll(async () => {
  graft.addBase();
  graft.run("import", "csv", graft.file("toy.csv", table(60, 20)));
  graft.run("train", TASK, "--base", "tiny", "--epochs", "2", "--activate", "--force", "--run-id", "first");
  await graft.start();
});
test.afterAll(() => graft.end());

for (const { name, path } of PAGES(TASK, "first")) {
  test(`${name}: axe finds nothing serious, light or dark, and nothing is wider than the screen`, async ({ page }) => {
    await page.emulateMedia({ colorScheme: "light" });
    await page.goto(graft.url + path);
    await expect(page.getByRole("heading", { level: 1 })).toBeAttached();
    await expect(page.getByText("Loading", { exact: true })).toHaveCount(0);
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      const { violations } = await new AxeBuilder({ page }).analyze();
      const grave = violations.filter((violation) => ["serious", "critical"].includes(violation.impact ?? ""));
      expect(
        grave.map((violation) => `${violation.id}: ${violation.nodes.map((node) => node.html).join(" ")}`),
      ).toEqual([]);
    }
    for (const width of [360, 2560]) {
      await page.setViewportSize({ width, height: 800 });
      const over = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      expect(over, `${width} px`).toBeLessThanOrEqual(0);
    }
  });
}

test("every key is listed under ?, and the command menu finds pages", async ({ page }) => {
  await page.goto(`${graft.url}/audit?task=${TASK}`);
  await expect(page.getByText("Message 1 /")).toBeVisible();
  await page.keyboard.press("?");
  for (const action of ["Approve", "Reject", "Skip", "Undo the last decision", "Search messages"])
    await expect(page.getByRole("dialog").getByText(action, { exact: false }).first()).toBeVisible();
  await page.keyboard.press("Escape");
  await page.keyboard.press("Control+k");
  await page.keyboard.type("go stats");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "Stats" })).toBeVisible();
});
