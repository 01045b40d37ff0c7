import { expect, test } from "@playwright/test";
import { activate, examine, measure } from "./checks";
import { Graft } from "./graft";

const graft = new Graft();
test.describe.configure({ mode: "serial" });
test.beforeAll(async () => {
  graft.addBase();
  await graft.start();
});
test.afterAll(() => graft.end());

const SENTIMENT = `Classify customer sentiment:

1. "I love this product!" -> positive
2. "Not what I expected" -> negative
3. "It works fine" -> neutral
`;
const many = Array.from({ length: 24 }, (_, i) => {
  const good = i % 2 === 1;
  return `"${`${good ? "yes" : "no"} `.repeat(6)}${i}" -> ${good ? "good" : "bad"}`;
}).join("\n");

test("an invalid line is marked, and its number links to it", async ({ page }) => {
  await page.goto(`${graft.url}/training/prompt`);
  const text = page.getByLabel("Examples", { exact: true });
  const submit = page.getByRole("button", { name: /Submit training job/ });
  await text.fill("short");
  await expect(page.getByTestId("counter")).toHaveText("5 characters; at least 10");
  await expect(submit.or(page.getByRole("button", { name: /Keep the examples/ }))).toBeDisabled();
  await text.fill(`${SENTIMENT}no label here\n`);
  await expect(page.getByText("3 examples", { exact: true })).toBeVisible();
  await expect(page.getByText("Lines with labels")).toBeVisible();
  await expect(page.getByText('it is not `"text" -> label`')).toBeVisible();
  await expect(page.getByText(/3 examples have an answer/)).toBeVisible();
  await page.getByRole("list", { name: "Lines" }).getByRole("button", { name: "Line 6" }).click();
  await expect(text).toBeFocused();
  expect(
    await text.evaluate((area: HTMLTextAreaElement) => area.value.slice(area.selectionStart, area.selectionEnd)),
  ).toBe("no label here");
  await expect(page.getByLabel(/Live learning/)).toBeDisabled();
  await expect(page.getByLabel(/MLflow/)).toBeDisabled();
  await examine(page);
  await measure(page);
});

test("a draft is available on another machine", async ({ page, browser }) => {
  await page.goto(`${graft.url}/training/prompt`);
  await page.getByLabel("Examples", { exact: true }).fill("User: How do I reset it?\nAssistant: Hold the button.");
  await page.getByLabel("Model type").selectOption("general_chat");
  await expect(page.getByText("Draft saved")).toBeVisible();
  const other = await (await browser.newContext()).newPage();
  await other.goto(`${graft.url}/training/prompt`);
  await expect(other.getByLabel("Examples", { exact: true })).toHaveValue(/Hold the button/);
  await expect(other.getByLabel("Model type")).toHaveValue("general_chat");
  await expect(other.getByText("Dialogue").first()).toBeVisible();
  await other.context().close();
});

test("a text with too few examples is kept, with what is missing", async ({ page }) => {
  await page.goto(`${graft.url}/training/prompt`);
  await page.getByLabel("Model type").selectOption("sentiment_analysis");
  await page.getByLabel("Base model").fill("tiny");
  await page.getByLabel("Examples", { exact: true }).fill(SENTIMENT);
  await page.getByRole("button", { name: /Submit training job/ }).click();
  await expect(page.getByText("3 examples kept as prompt_1_sentiment_analysis")).toBeVisible();
  await expect(page.getByText(/find 10 approved examples/).first()).toBeVisible();
  await expect(page.getByLabel("Examples", { exact: true })).toHaveValue("");
  // The text of the original system's test: it has no answer.
  await page.getByLabel("Examples", { exact: true }).fill("Test training prompt");
  await expect(page.getByText("Lines without answers")).toBeVisible();
  await page.getByRole("button", { name: "Keep the examples for audit" }).click();
  await expect(page.getByText("1 example kept as prompt_2_sentiment_analysis")).toBeVisible();
  await page.getByRole("link", { name: "Give answers in Audit" }).click();
  await expect(page.getByTestId("message")).toHaveText("Test training prompt");
});

test("each form of text is parsed", async ({ page }) => {
  await page.goto(`${graft.url}/training/prompt`);
  const forms: [text: string, layout: string][] = [
    ["Task: Summarize the following text\nInput: [long text here]\nExpected: [short summary]", "Task, input, expected"],
    ["User: Hi\nAssistant: Hello!\nUser: Bye\nAssistant: See you", "Dialogue"],
    ['text,label\n"Well, good",positive\nbad,negative', "Table"],
    ["parcel is late\tcomplaint\nthank you all\tpraise\nwhere is it\tcomplaint", "Table"],
    ['{"text": "a b c", "label": "x"}\n{"text": "d e f", "label": "y"}', "JSON"],
    ['Invoice 17 of Acme\n{"vendor": "Acme", "number": 17}', "Texts with JSON answers"],
  ];
  for (const [text, layout] of forms) {
    await page.getByLabel("Examples", { exact: true }).fill(text);
    await expect(page.getByText(layout, { exact: true }).first()).toBeVisible();
    await expect(page.getByRole("list", { name: "Lines" }).getByRole("listitem").first()).toBeVisible();
  }
});

test("a text is trained to a version with the keyboard only, and its phases are shown", async ({ page }) => {
  test.setTimeout(180_000);
  await page.goto(`${graft.url}/training/prompt`);
  await page.getByLabel("Model type").selectOption("text_classification");
  await page.getByLabel("Priority").selectOption("high");
  await page.getByLabel("Base model").fill("tiny");
  await page.getByLabel("Examples", { exact: true }).fill(many);
  await expect(page.getByText("24 examples", { exact: true })).toBeVisible();
  await page.getByLabel("Examples", { exact: true }).press("Control+Enter");
  await expect(page.getByText("prompt_3_text_classification is queued with 24 examples.")).toBeVisible();
  const job = page.locator("#recent-jobs").getByRole("listitem").filter({ hasText: "prompt_3_text_classification" });
  await expect(job.first()).toBeVisible();
  await expect(job.first().getByText("✓ Succeeded")).toBeVisible({ timeout: 120_000 });
  await expect(job.first().getByRole("list", { name: "Phases" })).toContainText("Evaluate");
  await expect(job.first().getByRole("list", { name: "Phases" })).toContainText(/Baseline: .+ \d+ %/);
  await expect(job.first().getByText(/Accuracy \d+ %/)).toBeVisible();
  await expect(job.first().getByRole("link", { name: "v1" })).toBeVisible();
  const [table] = await Promise.all([
    page.waitForEvent("download"),
    job.first().getByRole("link", { name: "prompt_data.csv" }).click(),
  ]);
  expect(table.suggestedFilename()).toBe("prompt_data.csv");
  await examine(page);
  await measure(page);
  await page.setViewportSize({ width: 1280, height: 800 });
  await job.first().getByRole("button", { name: "Use this text again" }).click();
  await expect(page.getByLabel("Examples", { exact: true })).toHaveValue(/yes yes/);
  await expect(page.getByText("New version of text 3")).toBeVisible();
});

test("a job that trains shows its newest loss, accuracy and F1 on held-out examples", async ({ page }) => {
  await page.route("**/api/v1/prompts?*", async (route) => {
    const reply = await route.fetch();
    const list = (await reply.json()) as { prompts: { job: Record<string, unknown> | null }[] };
    const job = list.prompts[0]?.job;
    const scores = { examples: 64, accuracy: 0.906, f1: 0.875, seconds: 2 };
    const progress = { ...(job?.progress as object), phase: "train", held_out: { step: 9, loss: 0.25, scores } };
    if (job) Object.assign(job, { state: "running", eval_samples: 100, progress });
    return route.fulfill({ json: list });
  });
  await page.goto(`${graft.url}/training/prompt`);
  const job = page.locator("#recent-jobs").getByRole("listitem").filter({ hasText: "prompt_3_text_classification" });
  for (const text of ["Held-out loss 0.25", "Accuracy 91 %", "F1 88 %", "of 64 of 100 held-out examples"])
    await expect(job.first().getByText(text, { exact: true })).toBeVisible();
});

test("a new version of a text shows what differs", async ({ page }) => {
  await page.goto(`${graft.url}/training/prompt`);
  const first = page.locator("#recent-jobs").getByRole("listitem").filter({ hasText: "prompt_1_sentiment_analysis" });
  await first.first().getByRole("button", { name: "Use this text again" }).click();
  const text = page.getByLabel("Examples", { exact: true });
  await expect(text).toHaveValue(SENTIMENT);
  await text.fill(`${SENTIMENT.replace("-> neutral", "-> positive")}4. "Never again" -> negative\n`);
  await expect(page.getByText("4 examples", { exact: true })).toBeVisible();
  await page.getByRole("button", { name: /Submit training job/ }).click();
  const next = page.locator("#recent-jobs").getByRole("listitem").filter({ hasText: "prompt_4_sentiment_analysis" });
  await expect(next.first().getByText("version of 1")).toBeVisible();
  await next.first().getByRole("link", { name: "Versions" }).click();
  await expect(page).toHaveURL(/prompt=4/);
  await expect(page.getByText("1 example added, 0 removed, 1 with another answer, 2 the same.")).toBeVisible();
  const table = page.getByRole("table", { name: "Text 1 and text 4" });
  await expect(table.getByRole("row", { name: /It works fine/ })).toContainText("neutral");
  await expect(table.getByRole("row", { name: /Added/ })).toContainText("Never again");
  await examine(page);
  await measure(page);
});

test("a table of texts is submitted together, without the row that has a problem", async ({ page }) => {
  await page.goto(`${graft.url}/training/prompt`);
  const rows = [
    { prompt: '"all is well" -> positive', model_type: "sentiment_analysis", base: "tiny" },
    { prompt: '"nothing works" -> negative', model_type: "sentiment_analysis", base: "tiny" },
    { prompt: '"a line" -> label', model_type: "unheard-of" },
  ];
  await page.getByLabel("Choose a file").setInputFiles({
    name: "prompts.jsonl",
    mimeType: "application/jsonl",
    buffer: Buffer.from(rows.map((row) => JSON.stringify(row)).join("\n")),
  });
  await expect(page.getByText("A table of texts: 2 texts for 1 run")).toBeVisible();
  const problems = page.getByRole("list", { name: "Rows with a problem" });
  await expect(problems.getByRole("listitem")).toContainText("unheard-of");
  await examine(page);
  await page.getByRole("button", { name: "Submit 2 texts" }).click();
  await expect(page.getByText("2 texts submitted.")).toBeVisible();
  await expect(page.getByText("1 row with a problem not submitted.")).toBeVisible();
  await expect(page.getByText("prompt_6_sentiment_analysis").first()).toBeVisible();
  await measure(page);
});

test("each form of text leads to an active version", async ({ page }) => {
  test.setTimeout(300_000);
  const rows = (row: (i: number) => string, between = "\n") =>
    Array.from({ length: 16 }, (_, i) => row(i)).join(between);
  const good = (i: number) => (i % 2 ? "yes" : "no");
  const forms: [type: string, task: string, text: string][] = [
    [
      "sentiment_analysis",
      "sentiment",
      rows((i) => `${i + 1}. "${`${good(i)} `.repeat(5)}${i}" -> ${i % 2 ? "positive" : "negative"}`),
    ],
    [
      "text_classification",
      "text-classification",
      `text,label\n${rows((i) => `${good(i)} table ${i},${i % 2 ? "good" : "bad"}`)}`,
    ],
    [
      "instruction_following",
      "instruction",
      rows((i) => `Task: Say it again\nInput: ${good(i)} ${i}\nExpected: ${good(i)}`, "\n\n"),
    ],
    ["general_chat", "chat", rows((i) => `User: ${good(i)} ${i}?\nAssistant: ${good(i)}.`, "\n---\n")],
  ];
  for (const [type, task, text] of forms) {
    await page.goto(`${graft.url}/training/prompt`);
    await page.getByLabel("Model type").selectOption(type);
    await page.getByLabel("Base model").fill("tiny");
    await page.getByLabel("Examples", { exact: true }).fill(text);
    await expect(page.getByText("16 examples", { exact: true }).first()).toBeVisible();
    await page.getByRole("button", { name: /Submit training job/ }).click();
    const job = page.locator("#recent-jobs").getByRole("listitem").filter({ hasText: type }).first();
    await expect(page.getByText(new RegExp(`_${type} is queued with 16 examples`))).toBeVisible();
    await expect(job.getByText("✓ Succeeded")).toBeVisible({ timeout: 120_000 });
    const version = (await job.getByRole("link", { name: /^v\d+$/ }).textContent())!;
    await page.goto(`${graft.url}/versions?task=${task}`);
    await activate(page, version);
  }
});

test("a job searches for settings first, and shows where it is", async ({ page }) => {
  test.setTimeout(240_000);
  await page.goto(`${graft.url}/training/prompt`);
  await page.getByLabel("Model type").selectOption("text_classification");
  await page.getByLabel("Base model").fill("tiny");
  await page.getByLabel("Search for settings first").selectOption("8-trials");
  await page.getByLabel("Examples", { exact: true }).fill(many.replaceAll("yes", "sure").replaceAll("no ", "nope "));
  await page.getByRole("button", { name: /Submit training job/ }).click();
  const job = page.locator("#recent-jobs").getByRole("listitem").first();
  const phases = job.getByRole("list", { name: "Phases" });
  await expect(phases.locator("[aria-current=step]")).toContainText("Search");
  await expect(phases.getByRole("listitem").first()).toHaveAttribute("data-state", "done");
  await expect(job.getByText(/tries settings: \d of 8 trials/)).toBeVisible();
  await expect(job.getByText("✓ Succeeded").first()).toBeVisible({ timeout: 200_000 });
  await expect(phases.locator("[data-state=skipped]")).toHaveCount(0);
  await expect(phases.locator("[data-state=done]")).toHaveCount(4);
});
