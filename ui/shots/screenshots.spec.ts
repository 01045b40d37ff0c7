import { cpSync, existsSync, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test, type Browser } from "@playwright/test";
import { Graft } from "../e2e/graft";
import { PAGES } from "../e2e/pages";

const ROOT = resolve(import.meta.dirname, "../..");
const IMAGES = join(ROOT, "docs/images");
// What `cargo xtask demo` leaves: 500 messages and a version that was trained and measured on them.
const DEMO = process.env.GRAFT_DEMO ?? join(ROOT, "target/demo");
const SHOWN = ["home", "audit", "train", "run", "versions", "playground", "stats", "settings", "changes", "login"];
const LOOKS = [
  { name: "light", width: 1280, height: 800, colorScheme: "light" },
  { name: "dark", width: 1280, height: 800, colorScheme: "dark" },
  { name: "narrow", width: 360, height: 740, colorScheme: "light" },
] as const;

const graft = new Graft();
test.beforeAll(async () => {
  if (!existsSync(join(DEMO, "graft.db")))
    throw new Error("run `cargo xtask demo` first: its messages and version are what the pictures show");
  cpSync(DEMO, graft.home, { recursive: true });
  await graft.start();
  const { examples } = await graft.api<{ examples: { id: string }[] }>(
    "/examples?task=slack-rescue&limit=200&offset=300",
  );
  await graft.api("/examples/bulk", {
    task: "slack-rescue",
    action: "reopen",
    ids: examples.map((example) => example.id),
  });
  // What an estimate is told by is timed once; that may take longer than a picture waits.
  await graft.api("/runs/preflight", { task: "slack-rescue" });
});
test.afterAll(() => graft.end());

test("every page is pictured", async ({ browser }) => {
  mkdirSync(IMAGES, { recursive: true });
  const all = await graft.api<{ runs: { id: string; kind: string }[] }>("/runs?task=slack-rescue");
  const runs = all.runs.filter((run) => run.kind === "train");
  const waiting = await graft.api<{ examples: { id: string; output: { items?: unknown[] } | null }[] }>(
    "/examples?task=slack-rescue&state=pending",
  );
  const rich = waiting.examples.find((example) => (example.output?.items?.length ?? 0) > 3);
  const [newest, oldest] = [runs[0]?.id, runs.at(-1)?.id ?? ""];
  // The demo makes one run; two can be compared once there is another.
  const shown = newest === oldest ? SHOWN : [...SHOWN, "compare"];
  const pages = PAGES("slack-rescue", oldest, newest).filter((page) => shown.includes(page.name));
  const audit = pages.find((page) => page.name === "audit");
  if (audit && rich) audit.path += `&id=${encodeURIComponent(rich.id)}`;
  for (const look of LOOKS) await picture(browser, look, pages);
});

async function picture(
  browser: Browser,
  look: (typeof LOOKS)[number],
  pages: { name: string; path: string }[],
): Promise<void> {
  const { name, width, height, colorScheme } = look;
  const context = await browser.newContext({ viewport: { width, height }, colorScheme, reducedMotion: "reduce" });
  const page = await context.newPage();
  for (const { name: shown, path } of pages) {
    await page.goto(graft.url + path);
    await expect(page.getByRole("heading", { level: 1 })).toBeAttached();
    await expect(page.getByText("Loading", { exact: true })).toHaveCount(0);
    if (shown === "playground") await ask(page);
    await page.waitForTimeout(400);
    await page.screenshot({ path: join(IMAGES, `page-${shown}-${name}.png`) });
  }
  await context.close();
}

async function ask(page: import("@playwright/test").Page): Promise<void> {
  await page.getByRole("button", { name: "Take the sample" }).click();
  await page.getByRole("button", { name: "Ask both" }).click();
  await expect(page.getByText("Fields marked ≠ differ.").or(page.getByText("Both say the same."))).toBeVisible({
    timeout: 60_000,
  });
}
