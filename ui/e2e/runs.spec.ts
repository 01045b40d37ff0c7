import { expect, test } from "@playwright/test";
import { examine, measure } from "./checks";
import { Graft, TASK } from "./graft";

const RUNS = 10_000;
const graft = new Graft();
test.describe.configure({ mode: "serial" });
test.beforeAll(async () => {
  await graft.startWithMessages();
  graft.run("train", TASK, "--base", "tiny", "--epochs", "0.2", "--run-id", "first");
});
test.afterAll(() => graft.end());

test("of 10,000 runs only the visible ones are rendered", async ({ page }) => {
  const { runs } = await graft.api<{ runs: { id: string }[] }>("/runs?limit=1");
  const asked: number[] = [];
  await page.route("**/api/v1/runs?*", (route) => {
    const query = new URL(route.request().url()).searchParams;
    const [limit, offset] = [Number(query.get("limit")), Number(query.get("offset"))];
    asked.push(offset);
    const many = Array.from({ length: Math.min(limit, RUNS - offset) }, (_, i) => ({
      ...runs[0],
      id: `run-${RUNS - offset - i}`,
      error: (offset + i) % 7 === 0 ? "failed to learn anything at all ".repeat(5) : null,
    }));
    return route.fulfill({ json: { runs: many, total: RUNS } });
  });
  await page.goto(`${graft.url}/train?task=${TASK}`);
  const list = page.getByRole("region", { name: "Training history" });
  await expect(list.getByText("run-10000", { exact: true })).toBeVisible();
  await expect(page.getByText("10,000 runs")).toBeVisible();
  await list.scrollIntoViewIfNeeded();
  const frames = await list.evaluate(async (box) => {
    const times: number[] = [];
    for (let i = 0; i < 40; i += 1) {
      const start = performance.now();
      box.scrollTop += 400;
      await new Promise(requestAnimationFrame);
      times.push(performance.now() - start);
    }
    return times.sort((a, b) => a - b);
  });
  console.log(`scrolling: median ${frames[20]?.toFixed(1)} ms, slowest ${frames[39]?.toFixed(1)} ms a frame`);
  expect(await list.getByRole("row").count()).toBeLessThan(60);
  await expect(async () => {
    await list.evaluate((box) => (box.scrollTop = box.scrollHeight));
    await expect(list.getByText("run-1", { exact: true })).toBeVisible({ timeout: 1_000 });
  }).toPass();
  expect(await list.getByRole("row").count()).toBeLessThan(60);
  expect(new Set(asked).size, "pages that nobody sees aren't read").toBeLessThan(40);
});

test("presets show time and cost, and examples show their training tokens", async ({ page }) => {
  await page.goto(`${graft.url}/train?task=${TASK}`);
  await page.getByLabel("Base model").fill("tiny");
  await expect(page.getByText("✓ Ready")).toBeVisible();
  const efforts = page.getByRole("radiogroup", { name: "Effort" });
  await expect(efforts.getByText(/^[\d.]+ epochs?\s*≈ /)).toHaveCount(3);
  await page.getByText("Training tokens of an example").click();
  await expect(page.getByText("Example 1 of 40")).toBeVisible();
  const learned = page.getByTitle("Counts in the loss");
  await expect(learned.first()).toBeVisible();
  await page.getByRole("button", { name: "Next", exact: true }).click();
  await expect(page.getByText("Example 2 of 40")).toBeVisible();
});

test("accuracy and F1 during a training stand beside its loss, in light, dark and narrow", async ({ page }) => {
  await page.goto(`${graft.url}/runs/first?task=${TASK}`);
  const chart = page.getByRole("img", { name: /^Answers of \d+ held-out examples: / });
  await expect(chart).toBeVisible();
  await expect(chart).toHaveAccessibleName(/last \d+ %$/);
  await expect(page.getByRole("img", { name: /^Mean loss per supervised token: / })).toBeVisible();
  await expect(page.getByText("Accuracy in training")).toBeVisible();
  await expect(page.getByText(/F1 \d+ %, of \d+ held-out examples/)).toBeVisible();
  await examine(page);
  await measure(page);
});

test("a log is filtered to warnings and errors", async ({ page }) => {
  const said = "step 1/2\nwarning: 3 examples were cut\nerror: failed to write\n  caused by: no space left\n";
  await page.route("**/api/v1/runs/first/logs?*", (route) => {
    const offset = Number(new URL(route.request().url()).searchParams.get("offset"));
    return route.fulfill({ json: { text: said.slice(offset), next: said.length, size: said.length } });
  });
  await page.goto(`${graft.url}/runs/first?task=${TASK}&tab=logs`);
  const log = page.getByLabel(/^Log, /);
  await expect(log.getByText("step 1/2")).toBeVisible();
  await page.getByLabel("Level").selectOption("error");
  await expect(page).toHaveURL(/level=error/);
  await expect(log.getByRole("link")).toHaveText(["3", "4"]);
  await page.getByLabel("Level").selectOption("warn");
  await expect(log.getByRole("link")).toHaveText(["2", "3", "4"]);
});

test("all shown runs are cancelled or restarted after a confirmation with their number", async ({ page }) => {
  test.setTimeout(180_000);
  await graft.watchTraining(page, 2_000);
  await page.goto(`${graft.url}/train?task=${TASK}`);
  const many = async (item: string) => {
    await page.getByRole("button", { name: "Actions for all runs shown" }).click();
    await page.getByRole("menuitem", { name: item }).click();
  };
  const dialog = page.getByRole("dialog");
  await many("Cancel all");
  await expect(dialog.getByRole("status")).toContainText("1 run in the history");
  await dialog.getByRole("button", { name: "Cancel 1 run" }).click();
  await expect(page.getByText("1 run asked to stop")).toBeVisible();
  const state = async () => (await graft.api<{ runs: { state: string }[] }>("/runs?limit=1")).runs[0]?.state;
  await expect.poll(state, { timeout: 60_000 }).toBe("cancelled");

  await page.getByLabel("State").selectOption("cancelled");
  await many("Restart all");
  await dialog.getByRole("button", { name: "Restart 1 run" }).click();
  await expect(page.getByText("1 run queued again")).toBeVisible();
  await expect.poll(state).not.toBe("cancelled");
  await page.getByLabel("State").selectOption("");
  await many("Restart all");
  await expect(dialog.getByText("None of these runs can be restarted.")).toBeVisible();
  await expect(dialog.getByRole("button", { name: "Restart 0 runs" })).toBeDisabled();
  await graft.api("/runs/bulk", { action: "cancel" });
  await expect.poll(state, { timeout: 60_000 }).toBe("cancelled");
});

test("a run shows its training rows and variants", async ({ page }) => {
  const rows = Array.from({ length: 20 }, (_, i) =>
    i % 2
      ? `wonderful sandwiches everywhere, number ${i};positive`
      : `terrible vegetables yesterday, number ${i};negative`,
  );
  graft.run("import", "csv", graft.file("long.csv", `text;label\n${rows.join("\n")}\n`), "--task", "sentiment");
  const settings = ["--epochs", "2", "--typos", "0.5", "--run-id", "typos", "--skip-base"];
  graft.run("train", "sentiment", "--base", "tiny", ...settings);
  await page.goto(`${graft.url}/runs/typos?tab=config`);
  const card = page.locator("section", { has: page.getByRole("heading", { name: "Training data" }) }).last();
  await expect(card.getByText("Example 1 of 16")).toBeVisible();
  await expect(card.getByText("Variant", { exact: true })).toBeVisible();
  await expect(card.getByText("Epoch 1 of 2")).toBeVisible();
  const approved = (await card.locator("q").textContent()) ?? "";
  const first = (await card.getByTestId("trained").textContent()) ?? "";
  expect(approved.length).toBeGreaterThan(5);
  expect(first).not.toContain(approved);
  await card.getByRole("button", { name: "Next epoch" }).click();
  await expect(card.getByText("Epoch 2 of 2")).toBeVisible();
  await expect(card.getByTestId("trained")).not.toHaveText(first);
  // Without variants each epoch trains on the approved examples.
  await page.goto(`${graft.url}/runs/first?tab=config`);
  await expect(card.getByText("As approved")).toBeVisible();
  await expect(card.getByRole("button", { name: "Next epoch" })).toHaveCount(0);
});
