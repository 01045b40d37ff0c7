import { cpSync, existsSync, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test, type Browser } from "@playwright/test";
import { Graft, TASK } from "../e2e/graft";
import { PAGES } from "../e2e/pages";

const ROOT = resolve(import.meta.dirname, "../..");
const IMAGES = join(ROOT, "docs/images");
// What `cargo xtask demo` leaves: 500 messages and a version that was trained and measured on them.
const DEMO = process.env.GRAFT_DEMO ?? join(ROOT, "target/demo");
// Those that need no picture: they say that there is nothing, or where files lie on this machine.
const LEFT_OUT = ["compare", "roll-out", "warm start", "run-config", "no such page", "no such run"];
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
    "/examples?task=slack-rescue&limit=200&offset=150",
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
  const run = all.runs.filter((run) => run.kind === "train").at(-1)?.id ?? "";
  const waiting = await graft.api<{ examples: { id: string; output: { items?: unknown[] } | null }[] }>(
    "/examples?task=slack-rescue&state=pending",
  );
  const rich = waiting.examples.find((example) => (example.output?.items?.length ?? 0) > 3);
  const pages = PAGES("slack-rescue", run).filter((page) => !LEFT_OUT.includes(page.name));
  for (const page of pages)
    if (rich && page.path.startsWith("/audit")) page.path += `&id=${encodeURIComponent(rich.id)}`;
  for (const look of LOOKS) await picture(browser, look, graft.url, pages);
});

// The demo makes one run; these are of a tiny model, and come to their end in seconds.
test("a comparison is pictured", async ({ browser }) => {
  const toy = new Graft();
  try {
    await toy.startWithMessages();
    for (const [run, epochs, rate] of [
      ["first-try", "2", "0.003"],
      ["longer", "8", "0.01"],
    ] as const)
      toy.run("train", TASK, "--base", "tiny", "--epochs", epochs, "--learning-rate", rate, "--run-id", run);
    const pages = PAGES(TASK, "first-try", "longer").filter((page) => page.name === "compare");
    for (const look of LOOKS) await picture(browser, look, toy.url, pages);
  } finally {
    await toy.end();
  }
});

async function picture(
  browser: Browser,
  look: (typeof LOOKS)[number],
  url: string,
  pages: { name: string; path: string }[],
): Promise<void> {
  const { name, width, height, colorScheme } = look;
  const context = await browser.newContext({ viewport: { width, height }, colorScheme, reducedMotion: "reduce" });
  const page = await context.newPage();
  for (const { name: shown, path } of pages) {
    await page.goto(url + path);
    await expect(page.getByRole("heading", { level: 1 })).toBeAttached();
    await expect(page.getByText("Loading", { exact: true })).toHaveCount(0);
    if (shown === "playground") await ask(page);
    await page.waitForTimeout(400);
    await page.screenshot({ path: join(IMAGES, `page-${shown.replaceAll(" ", "-")}-${name}.png`) });
  }
  await context.close();
}

async function ask(page: import("@playwright/test").Page): Promise<void> {
  await page.getByRole("button", { name: "Use the sample" }).click();
  await page.getByRole("button", { name: "Ask both" }).click();
  await expect(
    page.getByText("Fields marked ≠ are different.").or(page.getByText("Both answers are the same.")),
  ).toBeVisible({
    timeout: 60_000,
  });
}
