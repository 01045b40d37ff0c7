import AxeBuilder from "@axe-core/playwright";
import { expect, type Page } from "@playwright/test";

/** What axe finds serious or critical, in light and dark. */
export async function examine(page: Page): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    // Final colours, not those during a transition.
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    const { violations } = await new AxeBuilder({ page }).analyze();
    const grave = violations.filter((violation) => ["serious", "critical"].includes(violation.impact ?? ""));
    const said = grave.map((violation) => `${violation.id}: ${violation.nodes.map((node) => node.html).join(" ")}`);
    expect(said, colorScheme).toEqual([]);
  }
}

/** Nothing is wider than a phone or a wall. */
export async function measure(page: Page): Promise<void> {
  for (const width of [360, 2560]) {
    await page.setViewportSize({ width, height: 800 });
    const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(over, `${width} px`).toBeLessThanOrEqual(0);
  }
}

/** Makes a version active on the page of versions, also one that is not better. */
export async function activate(page: Page, name: string): Promise<void> {
  await page.getByRole("row").filter({ hasText: name }).getByRole("button", { name: "Activate" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Activate" }).click();
  const worse = dialog.getByRole("button", { name: "Activate anyway" });
  await expect(worse.or(page.getByText(`${name} is active now`))).toBeVisible();
  if (await worse.isVisible()) await worse.click();
  await expect(page.getByText(`${name} is active now`)).toBeVisible();
}
