import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test, type Page } from "@playwright/test";
import { activate, examine, measure } from "./checks";
import { Graft, table, TASK } from "./graft";

const graft = new Graft();
test.describe.configure({ mode: "serial" });
test.beforeAll(async () => {
  graft.addBase();
  await graft.start();
});
test.afterAll(() => graft.end());

async function train(page: Page, epochs: string, rate: string): Promise<string> {
  await page.goto(`${graft.url}/train?task=${TASK}`);
  await page.getByLabel("Base model").fill("tiny");
  await page.getByText("Advanced", { exact: true }).click();
  await page.getByRole("textbox", { name: "Epochs" }).fill(epochs);
  await page.getByLabel("Learning rate").fill(rate);
  await page.getByLabel(/Activate the new version/).uncheck();
  await expect(page.getByText("✓ Ready")).toBeVisible();
  await page.getByRole("button", { name: "Start training" }).click();
  await expect(page).toHaveURL(/\/runs\//);
  return decodeURIComponent(new URL(page.url()).pathname.split("/")[2] ?? "");
}

async function finish(page: Page): Promise<void> {
  await expect(page.locator("header").getByText("Succeeded")).toBeVisible({ timeout: 60_000 });
  await expect(page.getByRole("link", { name: /made v/ })).toBeVisible({ timeout: 60_000 });
}

test("messages are imported on the page", async ({ page }) => {
  await page.goto(`${graft.url}/?task=${TASK}`);
  await page.getByRole("button", { name: "Import", exact: true }).click();
  await page.getByLabel("From").selectOption("csv");
  await page
    .getByLabel("File")
    .setInputFiles({ name: "toy.csv", mimeType: "text/csv", buffer: Buffer.from(table(60, 12)) });
  // Preview first: it stores nothing.
  await page.getByRole("dialog").getByRole("button", { name: "Preview" }).click();
  await expect(page.getByText("Preview of 60 messages; nothing is stored.")).toBeVisible();
  const seen = page.getByRole("table", { name: "The first examples" });
  await expect(seen.getByRole("row").first()).toContainText("Approved");
  const { total } = await graft.api<{ total: number }>(`/examples?task=${TASK}`);
  expect(total).toBe(0);
  await page.getByRole("dialog").getByRole("button", { name: "Import" }).click();
  await expect(page.getByText("60 messages read.")).toBeVisible();
  await page.getByRole("button", { name: "Done" }).click();
  await expect(page.getByText("48 approved", { exact: false }).first()).toBeVisible();
});

test("twelve messages are audited with the keyboard only", async ({ page }) => {
  await page.goto(`${graft.url}/audit?task=${TASK}`);
  const message = page.getByTestId("message");
  for (let i = 0; i < 12; i += 1) {
    await expect(page.getByText(`Message ${i + 1} / 12`)).toBeVisible();
    const text = (await message.textContent()) ?? "";
    // Labels are in alphabetical order: 1 is bad, 2 is good.
    await page.keyboard.press(text.startsWith("yes") ? "2" : "1");
    await page.keyboard.press("a");
    if (i < 11) await expect(message).not.toHaveText(text);
  }
  await expect.poll(() => graft.counts()).toEqual({ pending: 0, approved: 60, rejected: 0 });
  await page.keyboard.press("u");
  await expect.poll(() => graft.counts()).toMatchObject({ pending: 1, approved: 59 });
  await page.keyboard.press("x");
  await page.keyboard.press("2");
  await expect.poll(() => graft.counts()).toMatchObject({ pending: 0, rejected: 1 });
  await expect(page.getByLabel("Last decisions").getByText(/rejected: Unclear message/)).toBeVisible();
});

test("train, watch, compare, activate, use, roll back", async ({ page }) => {
  test.setTimeout(180_000);
  const first = await train(page, "8", "0.01");
  await finish(page);
  await expect(page.getByText("Mean loss per supervised token")).toBeVisible();
  await expect(page.getByRole("img", { name: /Memory of the trainer: \d+ points, last \d+ MiB/ })).toBeVisible();
  await page.getByRole("tab", { name: "Evaluation" }).click();
  await page.getByRole("heading", { name: "Correct answers" }).scrollIntoViewIfNeeded();
  await page.locator("summary").filter({ hasText: "good" }).first().click();
  await expect(page.getByRole("group", { name: /^Answer to yes/ }).getByRole("combobox")).toHaveValue("good");
  await page.getByRole("tab", { name: "Config & files" }).click();
  await expect(page.getByRole("link", { name: "adapter/adapter_model.safetensors" })).toBeVisible();
  // One that learns nothing, so that some answers are wrong.
  const second = await train(page, "0.2", "1e-9");
  await finish(page);

  await page.goto(`${graft.url}/train?task=${TASK}`);
  await page.getByLabel(`Choose ${first} to compare`).check();
  await page.getByLabel(`Choose ${second} to compare`).check();
  await page.getByRole("link", { name: "Compare 2 runs" }).click();
  await expect(page.getByRole("cell", { name: "0.2", exact: true })).toBeVisible();
  await expect(page.getByRole("rowheader", { name: "Accuracy" })).toBeVisible();
  await expect(page.getByText(/^[+−±]\d.* points \(.* to .*\)$/)).toBeVisible();
  const differing = page.getByRole("region", { name: "Different results" }).getByRole("link");
  await expect(differing.first()).toHaveAttribute("href", /\/audit\?.*id=csv/);

  await page.goto(`${graft.url}/versions?task=${TASK}`);
  await activate(page, "v1");
  await page.getByRole("tab", { name: "Playground" }).click();
  await page.getByLabel("Message").fill("yes yes yes yes yes yes 7");
  await page.getByLabel("First model").selectOption("base");
  await page.getByLabel("Second model").selectOption("v1");
  await page.getByRole("button", { name: "Ask both" }).click();
  await expect(page.getByRole("region", { name: "v1 (active)" }).getByRole("combobox")).toHaveValue("good");

  await activate(page, "v2");
  await page.getByRole("button", { name: "Roll back" }).click();
  await expect(page.getByRole("dialog")).toContainText("v1 answers every request");
  await page.getByRole("dialog").getByRole("button", { name: "Roll back" }).click();
  await expect(page.getByText("v1 is active again")).toBeVisible();
});

test("a contestant is shown beside a version, activated, and rolled back", async ({ page }) => {
  await page.goto(`${graft.url}/versions?task=${TASK}&version=v1`);
  const all = page.getByRole("region", { name: "Contestants" });
  await expect(all.getByRole("row", { name: /Nearest example/ })).toBeVisible();
  await examine(page);
  await all
    .getByRole("row", { name: /N-grams Best/ })
    .getByRole("button", { name: "Serve this one" })
    .click();
  await page.getByRole("dialog").getByRole("button", { name: "Serve it" }).click();
  await expect(page.getByText("v3 (N-grams) is active now")).toBeVisible();
  const answer = await graft.api<{ answer: string; version: string }>("/infer", { task: TASK, input: "no no no 7" });
  expect(answer).toMatchObject({ answer: "bad", version: "v3" });
  await page.getByRole("button", { name: "Roll back" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Roll back" }).click();
  await expect(page.getByText("v1 is active again")).toBeVisible();
});

test("the results of a version are a report that is read without the server", async ({ page }) => {
  await page.goto(`${graft.url}/versions?task=${TASK}&version=v2`);
  await page.getByRole("button", { name: "More about v2" }).click();
  const download = page.waitForEvent("download");
  await page.getByRole("menuitem", { name: "Results as report" }).click();
  const file = await download;
  expect(file.suggestedFilename()).toBe(`${TASK}-v2-results.html`);
  const path = join(graft.dir, file.suggestedFilename());
  await file.saveAs(path);

  const asked: string[] = [];
  page.on("request", (request) => asked.push(request.url()));
  await page.goto(pathToFileURL(path).href);
  await expect(page.getByRole("heading", { level: 1 })).toContainText("Text classification: v2");
  await expect(page.getByRole("img", { name: "Loss by training step" })).toBeVisible();
  const answers = page.getByRole("listitem");
  await expect(answers.filter({ hasText: "Wrong" }).first()).toBeVisible();
  await page.getByLabel(/^Correct \(/).check();
  await expect(answers.filter({ hasText: "Wrong" })).toHaveCount(0);
  await expect(answers.first()).toContainText("Correct");
  await examine(page);
  await measure(page);
  expect(asked).toEqual([pathToFileURL(path).href]);
});

test("a file is answered in the background, and its answers are downloaded", async ({ page }) => {
  await page.goto(`${graft.url}/versions?task=${TASK}&tab=files`);
  const file = {
    name: "more.txt",
    mimeType: "text/plain",
    buffer: Buffer.from("yes yes yes 1\nno no no 2\nyes yes 3\n"),
  };
  await page.getByLabel("File to answer").setInputFiles(file);
  await page.getByLabel("Version", { exact: true }).selectOption("v1");
  await page.getByRole("button", { name: "Answer the file" }).click();
  const row = page.getByRole("row", { name: /more\.txt/ });
  await expect(row.getByText("✓ Done")).toBeVisible({ timeout: 60_000 });
  await expect(row).toContainText("3 of 3");
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    row.getByRole("link", { name: "Download answers" }).click(),
  ]);
  const lines = readFileSync(await download.path(), "utf8")
    .trim()
    .split("\n");
  expect(lines.map((line) => (JSON.parse(line) as { id: string; label: string }).id)).toEqual(["1", "2", "3"]);
  await row.getByRole("button", { name: /^Remove the answers/ }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
  await expect(row).toHaveCount(0);
});

test("the worst answers are corrected and approved with one key each", async ({ page }) => {
  await page.goto(`${graft.url}/versions?task=${TASK}&version=v2`);
  await expect(page.getByRole("img", { name: /Reliability/ })).toBeVisible();
  await expect(page.getByRole("region", { name: "Lineage of v2" }).getByRole("link", { name: /Run / })).toBeVisible();
  await page.getByRole("slider", { name: /Threshold/ }).fill("0.9");
  await expect(page).toHaveURL(/threshold=0.9/);
  await expect(page.getByText("Fix", { exact: true }).first()).toBeVisible();
  await page.keyboard.press("f");
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByTestId("message")).toBeVisible();
  const first = await dialog.getByTestId("message").textContent();
  await page.keyboard.press("a");
  await expect(page.getByText("✓ Approved")).toBeVisible();
  await expect(dialog.getByText(first ?? "", { exact: true })).toHaveCount(0);
});

test("a version whose suggestions are all changed is reported as drifting, with what to do", async ({ page }) => {
  const rows = Array.from({ length: 24 }, (_, i) => `${`${i % 2 ? "yes" : "no"} `.repeat(6)}${100 + i},`);
  graft.run("import", "csv", graft.file("more.csv", `text,label\n${rows.join("\n")}\n`));
  graft.run("suggest", TASK);
  await page.goto(`${graft.url}/versions?task=${TASK}&version=v1`);
  const overrides = page.getByRole("region", { name: "Changed by people" });
  await expect(overrides.getByText("20 more are needed")).toBeVisible();

  // From now on people give the opposite label for the same words.
  const { examples } = await graft.api<{ examples: { id: string; input: string; revision: number }[] }>(
    `/examples?task=${TASK}&state=pending&limit=50`,
  );
  for (const { id, input, revision } of examples)
    await graft.api(`/examples/${TASK}/${encodeURIComponent(id)}/edit`, {
      revision,
      output: input.startsWith("yes") ? "bad" : "good",
    });
  await expect(overrides.getByText("Drifting")).toBeVisible();
  await expect(overrides.getByText(/People changed 24 of the last 24/)).toBeVisible();
  await examine(page);

  await page.goto(`${graft.url}/?task=${TASK}`);
  const row = page.getByRole("link", { name: /v1 drifts/ });
  await expect(row).toContainText("then train again");
  await examine(page);
  await row.click();
  await page.getByRole("link", { name: "Audit messages with low confidence" }).click();
  await expect(page).toHaveURL(/order=uncertain/);
});

test("weights are edited in a grid, by row or pasted from a spreadsheet", async ({ page }) => {
  await page.goto(`${graft.url}/settings?task=${TASK}&tab=tables`);
  await page.getByLabel("Pounds, crate").fill("31");
  await page.evaluate(() => navigator.clipboard.writeText("milk\tcase\t36\neggs\tcase\theavy"));
  await page.getByLabel("Name, new exception").focus();
  await page.keyboard.press("Control+v");
  await expect(page.getByLabel("Name, exception 2")).toHaveValue("eggs");
  await expect(page.getByText("A number from 0 to 10,000")).toBeVisible();
  const save = page.getByRole("button", { name: "Save" });
  await expect(save).toBeDisabled();
  await page.getByLabel("Pounds, exception 2").fill("40");
  await page.keyboard.press("Enter");
  await expect(page.getByLabel("Pounds, new exception")).toBeFocused();
  await save.click();
  await expect(page.getByText("Saved", { exact: true })).toBeVisible();
  const own = async () => (await graft.api<{ own: { pounds: object; items: object } }>("/tables")).own;
  expect(await own()).toMatchObject({ pounds: { crate: 31 }, items: { eggs: { case: 40 }, milk: { case: 36 } } });

  await page.getByRole("button", { name: /^Reset unit \d+: crate/ }).click();
  await page.getByLabel("Name, exception 1").focus();
  await page.keyboard.press("Control+Backspace");
  await save.click();
  await expect.poll(own).toEqual({ pounds: {}, classes: {}, items: { milk: { case: 36 } }, foods: {}, locations: {} });
  await page.getByText("Text", { exact: true }).click();
  await expect(page.getByRole("textbox", { name: "Weights, foods and places" })).toHaveValue(/\[items\.milk\]/);
});

test("the price of a rented machine gives the cost of a training", async ({ page }) => {
  await page.goto(`${graft.url}/settings?task=${TASK}&tab=system`);
  await page.getByLabel("Price per hour").fill("36");
  await page.getByLabel("Currency").fill("EUR");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Saved", { exact: true }).first()).toBeVisible();
  await page.goto(`${graft.url}/train?task=${TASK}`);
  await page.getByLabel("Base model").fill("tiny");
  await expect(page.getByText("At 36.00 EUR per hour")).toBeVisible();
  await expect(page.getByText(/^[≈<] .* EUR$/).first()).toBeVisible();
});

test("a failed run shows its complete error and can copy it", async ({ page }) => {
  const { run } = await graft.api<{ run: { id: string } }>("/runs", {
    task: TASK,
    base: "tiny",
    settings: { learning_rate: 100, clip: 0, epochs: 50, alpha: 1e30 },
  });
  await page.goto(`${graft.url}/runs/${run.id}`);
  await expect(page.locator("header").getByText("✕ Failed", { exact: true })).toBeVisible({ timeout: 60_000 });
  await expect(page.getByText("What to do")).toBeVisible();
  await page.getByRole("button", { name: "Copy diagnostics" }).click();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  expect(copied).toContain(`run: ${run.id}`);
  expect(copied).toContain("exit code: 13");

  await page.goto(`${graft.url}/train?task=${TASK}`);
  await page.getByRole("button", { name: "Show full error" }).click();
  const facts = page.getByRole("dialog");
  await expect(facts.getByText("Loss", { exact: true })).toBeVisible();
  await expect(facts.getByText("Finished", { exact: true })).toBeVisible();
  await expect(facts.getByText("not yet")).toHaveCount(0);
  await page.getByRole("dialog").getByRole("button", { name: "Copy the error" }).click();
  const stored = await graft.api<{ run: { error: string } }>(`/runs/${run.id}`);
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(stored.run.error);
});
