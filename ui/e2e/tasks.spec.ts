import { expect, test, type Page } from "@playwright/test";
import { activate, examine, measure } from "./checks";
import { Graft } from "./graft";
import { GATED, Hub, REPO } from "./hub";

// The home begins empty: base models come from a hub, by the buttons of the page.
const hub = new Hub();
let graft: Graft;
test.describe.configure({ mode: "serial" });
test.beforeAll(async () => {
  graft = new Graft(await hub.start());
  await graft.start();
});
test.afterAll(async () => {
  await graft.end();
  hub.stop();
});

/** Easy to tell apart, also for a tiny model. */
const TICKETS = Array.from({ length: 24 }, (_, i) => {
  const [word, label] = i % 2 === 1 ? ["crash", "bug"] : ["please", "wish"];
  return `"${`${word} `.repeat(6)}${i}" -> ${label}`;
}).join("\n");
const vendor = (i: number) => ["Acme", "Globex", "Initech"][i % 3] as string;
/** What a system answered, without the texts. */
const ANSWERS = Array.from({ length: 5 }, (_, i) =>
  JSON.stringify({ number: `R-${i}`, vendor: vendor(i), total: 10 * i + 5, paid_on: i % 2 ? "2026-01-02" : null }),
).join("\n");
const INVOICES = Array.from({ length: 15 }, (_, i) => {
  const answer = { number: `R-${i}`, vendor: vendor(i), total: i + 1, paid_on: null };
  return `Invoice R-${i} of ${vendor(i)}, ${i + 1} EUR\n${JSON.stringify(answer)}`;
}).join("\n\n");

/** Trains a task on a base model, downloaded first if need be, and makes the version active. */
async function train(page: Page, task: string, base: string, download?: () => Promise<void>): Promise<void> {
  await page.goto(`${graft.url}/train?task=${task}`);
  await page.getByLabel("Base model").fill(base);
  await download?.();
  await page.getByText("Advanced", { exact: true }).click();
  await page.getByRole("textbox", { name: "Epochs" }).fill("4");
  await page.getByLabel("Learning rate").fill("0.01");
  await page.getByLabel(/Activate the new version/).uncheck();
  await expect(page.getByText("✓ Ready")).toBeVisible();
  await page.getByRole("button", { name: "Start training" }).click();
  await expect(page.locator("header").getByText("Succeeded")).toBeVisible({ timeout: 120_000 });
  await expect(page.getByRole("link", { name: /made v1/ })).toBeVisible({ timeout: 60_000 });
  await page.goto(`${graft.url}/versions?task=${task}`);
  await activate(page, "v1");
  expect((await info(task))?.active?.name).toBe("v1");
}

async function info(name: string) {
  type Info = { name: string; active?: { name: string } | null; counts: { approved: number; pending: number } };
  const { tasks } = await graft.api<{ tasks: Info[] }>("/tasks");
  return tasks.find((task) => task.name === name);
}

test("an empty home leads from pasted lines to a custom task with an active version", async ({ page }) => {
  test.setTimeout(240_000);
  await page.goto(graft.url);
  await page.getByRole("link", { name: "Paste examples" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "New task" })).toBeVisible();
  await expect(page.getByRole("button", { name: /Save the task/ })).toBeDisabled();
  await page.getByLabel("Text", { exact: true }).first().fill(TICKETS);
  await expect(page.getByText("24 examples", { exact: true })).toBeVisible();
  await expect(page.getByRole("radio", { name: "Labels" })).toBeChecked();
  await expect(page.getByLabel("Labels", { exact: true }).last()).toHaveValue("bug\nwish");
  await page.getByLabel("Title").fill("Support tickets");
  await expect(page.getByLabel("Name", { exact: true })).toHaveValue("support-tickets");
  await page.getByText("Prompt of the first example").click();
  await page.getByLabel("Base model").fill(REPO);
  await expect(page.getByText("Not downloaded")).toBeVisible();
  await page.getByRole("button", { name: `Download ${REPO}` }).click();
  await expect(page.getByText(/model\.safetensors: \d.* of 657 KiB/)).toBeVisible();
  await page.getByRole("button", { name: `Cancel ${REPO}` }).click();
  await expect(page.getByText("Cancelled", { exact: true })).toBeVisible();
  await examine(page);
  await measure(page);
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.getByRole("button", { name: `Continue ${REPO}` }).click();
  await expect(page.getByRole("button", { name: /org\/tiny$/ })).toHaveCount(0, { timeout: 30_000 });
  const tokens = page.getByTestId("prompt-tokens");
  await expect(tokens).toContainText("Classify the text.");
  await expect(tokens).toContainText("please please");
  expect((await tokens.locator("[data-loss]").allTextContents()).join("")).toContain("wish");
  await expect(page.getByText(/of \d+ tokens are learned/)).toBeVisible();

  // Examples that no longer fit after a correction are reported before anything is stored.
  await page.getByLabel("Labels", { exact: true }).last().fill("bug\nquestion");
  await page.getByLabel(/Only these labels/).check();
  await expect(page.getByText("12 examples can't be stored.")).toBeVisible();
  await page.getByLabel("Labels", { exact: true }).last().fill("bug\nwish\nquestion");
  await expect(page.getByText("24 examples: 24 approved.")).toBeVisible();
  await examine(page);
  await measure(page);
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.getByRole("button", { name: /Save the task/ }).click();
  await expect(page).toHaveURL(/\/train\?task=support-tickets/);
  expect((await info("support-tickets"))?.counts).toMatchObject({ approved: 24, pending: 0 });
  await train(page, "support-tickets", REPO);
});

test("five JSON answers create a task with fields, which trains on texts pasted later", async ({ page }) => {
  test.setTimeout(240_000);
  await page.goto(`${graft.url}/tasks`);
  await page.getByRole("button", { name: /New task/ }).click();
  await page.getByLabel("Text", { exact: true }).first().fill(ANSWERS);
  await expect(page.getByText("JSON answers without texts")).toBeVisible();
  await expect(page.getByRole("radio", { name: "Fields" })).toBeChecked();
  const fields = page.getByRole("table", { name: "Fields" });
  await expect(fields.getByRole("row")).toHaveCount(5);
  await expect(fields.getByRole("row", { name: /^paid_on/ })).toContainText("Empty or missing in 3 of 5.");
  await expect(fields.getByLabel("paid_on may be empty")).toBeChecked();
  await fields.getByLabel("Type of total").selectOption("Number");
  await fields.getByLabel("vendor is copied from the text").check();
  await page.getByText("JSON Schema", { exact: true }).last().click();
  await expect(page.getByLabel("Schema", { exact: true })).toHaveValue(/"x-graft-grounded": true/);
  await page.getByLabel("Title").fill("Invoices");
  await expect(page.getByText("No example is stored; add some after the task is created.")).toBeVisible();
  await examine(page);
  await measure(page);
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.getByRole("button", { name: /Save the task/ }).click();

  await expect(page).toHaveURL(/\/training\/prompt/);
  await expect(page.getByLabel("Model type")).toHaveValue("invoices");
  await page.getByLabel("Base model").fill(REPO);
  await page.getByLabel("Examples", { exact: true }).fill(INVOICES);
  await expect(page.getByText("15 examples", { exact: true })).toBeVisible();
  await page.getByRole("button", { name: /Submit training job/ }).click();
  const job = page.locator("#recent-jobs").getByRole("listitem").filter({ hasText: "prompt_1_invoices" }).first();
  await expect(job.getByText("✓ Succeeded")).toBeVisible({ timeout: 180_000 });
  await page.goto(`${graft.url}/versions?task=invoices`);
  await activate(page, "v1");
  expect((await info("invoices"))?.active?.name).toBe("v1");
});

test("a template becomes an active version, on a base model whose terms are accepted", async ({ page }) => {
  test.setTimeout(240_000);
  await page.goto(`${graft.url}/tasks/new?template=spam`);
  await expect(page.getByText("12 examples: 12 approved.")).toBeVisible();
  await page.getByLabel("Name", { exact: true }).fill("junk");
  await page.getByRole("button", { name: /Save the task/ }).click();
  await expect(page).toHaveURL(/\/train\?task=junk/);
  await train(page, "junk", GATED, async () => {
    await page.getByRole("button", { name: `Download ${GATED}` }).click();
    // Whoever accepted them on the model's page at the Hub goes on.
    await expect(page.getByText(/Accept the conditions at .*org\/gated/)).toBeVisible();
    await examine(page);
    hub.accepted = true;
    await page.getByRole("button", { name: `Continue ${GATED}` }).click();
  });
});

test("a template with fields creates a task; its unapproved examples are audited", async ({ page }) => {
  await page.goto(`${graft.url}/training/prompt`);
  await page.getByLabel("Template").selectOption("Invoice fields");
  await expect(page).toHaveURL(/\/tasks\/new\?.*template=invoice-fields/);
  await expect(page.getByText("12 examples", { exact: true })).toBeVisible();
  await expect(page.getByRole("radio", { name: "Fields" })).toBeChecked();
  await expect(page.getByText("12 examples: 12 approved.")).toBeVisible();
  await page.getByText("To be audited", { exact: true }).click();
  await expect(page.getByText("12 examples: 12 to be audited.")).toBeVisible();
  await page.getByRole("button", { name: /Save the task/ }).click();
  await expect(page).toHaveURL(/\/audit\?task=invoice-fields/);
  expect((await info("invoice-fields"))?.counts).toMatchObject({ approved: 0, pending: 12 });
});

test("a template is filled in, changed, saved as another one, and deleted", async ({ page }) => {
  await page.goto(`${graft.url}/tasks/new?template=ticket-priority`);
  const instruction = page.getByRole("textbox", { name: "Instruction" });
  await expect(instruction).toHaveValue("How urgent is the ticket?");
  await page.getByLabel("Kind of text").fill("call");
  await expect(instruction).toHaveValue("How urgent is the call?");
  await page.getByLabel("Title").fill("Calls");
  await page.getByLabel("Name", { exact: true }).fill("calls");
  await instruction.fill("How urgent is the call of {{caller}}?");
  await page.getByRole("button", { name: "Save as a template" }).click();
  await expect(page.getByText("To be filled in: Caller.")).toBeVisible();

  await page.goto(`${graft.url}/tasks/new?template=calls`);
  await expect(page.getByText("Fill in every field of the template to use it.")).toBeVisible();
  await page.getByLabel("Caller").fill("a customer");
  await expect(instruction).toHaveValue("How urgent is the call of a customer?");
  await expect(page.getByText("12 examples", { exact: true })).toBeVisible();
  await examine(page);
  await page.getByRole("button", { name: "Delete this template" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await expect(page).not.toHaveURL(/template=/);
  await expect(page.getByLabel("Template").getByRole("option", { name: "Calls" })).toHaveCount(0);
});

test("a taken name and texts that do not fit are reported before saving", async ({ page }) => {
  await page.goto(`${graft.url}/tasks/new`);
  await page.getByLabel("Text", { exact: true }).first().fill(TICKETS);
  await page.getByLabel("Title").fill("Support tickets");
  await expect(page.getByText(/support-tickets.*is taken|the name is taken/).first()).toBeVisible();
  await expect(page.getByRole("button", { name: /Save the task/ })).toBeDisabled();
  await page.getByLabel("Name", { exact: true }).fill("Other Tickets");
  await expect(page.getByLabel("Name", { exact: true })).toHaveValue("other-tickets");
  await expect(page.getByRole("button", { name: /Save the task/ })).toBeEnabled();
});

test("an upstream is set, changed and removed", async ({ page }) => {
  await page.goto(`${graft.url}/tasks/support-tickets`);
  await page.getByRole("button", { name: "Set an upstream" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Address").fill("api.example.org/v1");
  await dialog.getByLabel("Model").fill("large");
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(dialog.getByText(/begins with neither/).first()).toBeVisible();
  await dialog.getByLabel("Address").fill("http://127.0.0.1:9/v1");
  await dialog.getByLabel("Graft answers from a confidence of").fill("0,9");
  await expect(dialog.getByText("Write a number, with a point for decimals.")).toBeVisible();
  await dialog.getByLabel("Graft answers from a confidence of").fill("0.9");
  await dialog.getByLabel("Price of prompts").fill("2.5");
  await examine(page);
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText(/are passed on to large at .* unless Graft is at least 90 % sure/)).toBeVisible();
  await expect(page.getByText("Cost", { exact: true })).toBeVisible();
  await page.getByRole("button", { name: "Change", exact: true }).click();
  await expect(dialog.getByLabel("Price of prompts")).toHaveValue("2.5");
  await dialog.getByRole("button", { name: "Remove" }).click();
  await expect(page.getByRole("button", { name: "Set an upstream" })).toBeVisible();
});

test("a change of the form shows its effect on examples and versions", async ({ page }) => {
  await page.goto(`${graft.url}/tasks/support-tickets`);
  await page.getByLabel("Labels", { exact: true }).fill("wish\nquestion");
  await expect(page.getByText("Fit as they are: 12 of 24 answered examples.")).toBeVisible();
  await expect(page.getByText(/Continue to answer as trained until there is a new version: 1 version/)).toBeVisible();
  await examine(page);
  await measure(page);
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.getByRole("button", { name: "Save", exact: true }).first().click();
  const revisions = page.getByRole("table", { name: "Revisions" });
  await expect(revisions.getByRole("row", { name: /^2 local/ })).toContainText("labels");
  await page.getByLabel("Labels", { exact: true }).fill("bug\nwish\nquestion");
  await page.getByRole("button", { name: "Save", exact: true }).first().click();
  await expect(revisions.getByRole("row", { name: /^3 local/ })).toBeVisible();
});

test("tasks are cloned, renamed, archived, restored, exported and imported", async ({ page }) => {
  await page.goto(`${graft.url}/tasks`);
  const table = page.getByRole("table", { name: "Tasks" });
  const act = async (title: string, item: string) => {
    await table.getByRole("button", { name: `More for ${title}` }).click();
    await page.getByRole("menuitem", { name: item }).click();
  };
  await act("Support tickets", "Clone …");
  await page.getByRole("dialog").getByLabel("Name").fill("mail");
  await page.getByRole("dialog").getByRole("button", { name: "Clone" }).click();
  await expect(table.getByRole("row", { name: /^Mail mail/ })).toBeVisible();
  await act("Mail", "Rename …");
  await page.getByRole("dialog").getByLabel("Name").fill("letters");
  await page.getByRole("dialog").getByRole("button", { name: "Rename" }).click();
  await expect(table.getByRole("row", { name: /letters/ })).toBeVisible();
  const [file] = await Promise.all([page.waitForEvent("download"), act("Letters", "Export")]);
  expect(file.suggestedFilename()).toBe("letters.toml");
  await act("Letters", "Archive");
  await expect(table.getByRole("row", { name: /letters/ })).toHaveCount(0);
  await page.getByLabel("Show archived (1)").check();
  await examine(page);
  await measure(page);
  await page.setViewportSize({ width: 1280, height: 800 });
  await act("Letters", "Take back");
  await expect(page.getByText("Letters is listed again")).toBeVisible();
  const text = `name = "from-a-file"\nform = "text"\ninstruction = "Answer."\n`;
  await page
    .getByLabel("Import a task")
    .setInputFiles({ name: "x.toml", mimeType: "application/toml", buffer: Buffer.from(text) });
  await expect(table.getByRole("row", { name: /^From a file from-a-file Text/ })).toBeVisible();
});

test("rules are tried on approved examples while they are written, and kept", async ({ page }) => {
  await page.goto(`${graft.url}/tasks/support-tickets`);
  await page.getByLabel("What answers without a model").selectOption("Rules: regular expressions");
  await page.getByLabel("Label of rule 1").selectOption("bug");
  await page.getByLabel("Otherwise").fill("wish");
  const pattern = page.getByLabel("Pattern of rule 1");
  const save = page.getByRole("button", { name: "Save", exact: true }).last();
  await pattern.fill("(");
  await expect(page.getByText(/unclosed group/)).toBeVisible();
  await pattern.fill("never said");
  await expect(page.getByText("Right: 12 of 24 approved examples (50 %)")).toBeVisible();
  const wrong = page.getByRole("table", { name: "Wrong answers" });
  await expect(wrong.getByRole("row", { name: /crash crash.* bug wish/ }).first()).toBeVisible();
  await pattern.fill("(?i)crash");
  await expect(page.getByText("Right: 24 of 24 approved examples (100 %)")).toBeVisible();
  await expect(page.getByRole("table", { name: "Rules" }).getByRole("row", { name: /12 of 12/ })).toBeVisible();
  await examine(page);
  await measure(page);
  await page.setViewportSize({ width: 1280, height: 800 });
  await save.click();
  await expect(page.getByRole("table", { name: "Revisions" }).getByRole("row", { name: /baseline$/ })).toBeVisible();
  await page.reload();
  await expect(pattern).toHaveValue("(?i)crash");
  const answers = await graft.api<{ answers: { answer: string }[] }>("/compare", {
    task: "support-tickets",
    input: "a crash",
    contestants: ["baseline", "rules"],
  });
  expect(answers.answers.map((one) => one.answer)).toEqual(["bug", "bug"]);

  // A command is for administrators who have logged in; here nobody logs in.
  const tried: unknown[] = [];
  page.on("request", (request) => {
    if (request.url().endsWith("/baseline/try")) tried.push(request.postDataJSON());
  });
  await page.getByLabel("What answers without a model").selectOption("A command on the server's machine");
  await expect(page.getByText(/Right: \d+ of/)).toHaveCount(0);
  const command = page.getByLabel("Command", { exact: true });
  const refused = page.getByText(/takes an administrator who has logged in/);
  await command.fill("true");
  await page.getByRole("button", { name: "Try it" }).click();
  await expect(refused.first()).toBeVisible();
  await command.fill("false");
  await expect(refused).toHaveCount(0);
  // A new task makes the page ask for all tasks again; a second passes without a click.
  const asked = page.waitForResponse(/\/api\/v1\/tasks/);
  await graft.api("/tasks", { name: "later", form: "text", instruction: "Answer." });
  await asked;
  await page.waitForTimeout(1000);
  expect(tried).toEqual([{ baseline: { kind: "command", command: ["true"], timeout_seconds: 10 } }]);
});
