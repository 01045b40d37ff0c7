import { expect, test } from "@playwright/test";
import { examine, measure } from "./checks";
import { Graft, TASK } from "./graft";

const graft = new Graft();
test.describe.configure({ mode: "serial" });
test.beforeAll(async () => {
  await graft.startWithMessages();
  graft.run("train", TASK, "--base", "tiny", "--epochs", "2", "--activate", "--force");
  graft.run("suggest", TASK);
});
test.afterAll(() => graft.end());

const audit = () => `${graft.url}/audit?task=${TASK}`;

test("the text filter, the other controls and the URL stay in sync", async ({ page }) => {
  await page.goto(audit());
  await expect(page.getByText("Message 1 / 20")).toBeVisible();
  await page.keyboard.press("/");
  const box = page.getByRole("combobox", { name: "Search messages" });
  await expect(box).toBeFocused();
  await expect(page.getByRole("listbox", { name: "Filters" }).getByRole("option")).toHaveCount(5);
  await box.pressSequentially("is:appr");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await expect(box).toHaveValue("is:approved ");
  await box.pressSequentially("source:csv yes");
  await expect(page.getByText("Message 1 / 20")).toBeVisible();
  await expect(page).toHaveURL(/state=approved/);
  await expect(page).toHaveURL(/source=csv/);
  await expect(page).toHaveURL(/search=yes/);
  await expect(page.getByRole("radio", { name: /^Audited/ })).toBeChecked();
  await expect(page.getByTestId("message")).toContainText("yes");

  // The other direction: a button changes the text filter, and a reload keeps it.
  await page.getByText("All", { exact: true }).click();
  await expect(box).toHaveValue("is:all source:csv yes");
  await page.reload();
  await expect(box).toHaveValue("is:all source:csv yes");
  await expect(page.getByText("Message 1 / 30")).toBeVisible();
});

test("confidence and author filters narrow the list; an invalid filter shows an error", async ({ page }) => {
  const sure = await graft.api<{ total: number }>(`/examples?task=${TASK}&state=pending&min_confidence=0.5`);
  await page.goto(audit());
  const box = page.getByRole("combobox", { name: "Search messages" });
  await box.fill("conf:>=50%");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/min=0.5/);
  await expect(page.getByText(`Message 1 / ${sure.total}`)).toBeVisible();
  await box.fill("by:nobody");
  await expect(page.getByText("No message matches")).toBeVisible();
  await page.getByRole("button", { name: "Show all messages" }).click();
  await expect(page.getByText("Message 1 / 60")).toBeVisible();
  await expect(box).toHaveValue("is:all");
  await box.fill("colour:red ");
  await box.blur();
  await expect(page.getByText("There is no “colour:”. There are is: conf: field: source: by:")).toBeVisible();
  await expect(page.getByText("Message 1 / 60")).toBeVisible();
  await examine(page);
  await measure(page);
});

test("the most helpful messages are shown with the reason", async ({ page }) => {
  const { examples } = await graft.api<{ examples: { input: string; why: string }[] }>(`/tasks/${TASK}/helpful`);
  await page.goto(audit());
  await page.getByLabel("Order").selectOption({ label: "Most helpful 20" });
  await expect(page).toHaveURL(/order=helpful/);
  await expect(page.getByText(`Message 1 / ${examples.length}`)).toBeVisible();
  await expect(page.getByTestId("message")).toHaveText(examples[0]?.input ?? "");
  await expect(page.getByLabel("Why this message")).toHaveText(examples[0]?.why.replaceAll("`", "") ?? "");
  await expect(page.getByRole("button", { name: "Bulk" })).toBeDisabled();
  await page.keyboard.press("j");
  await expect(page.getByTestId("message")).toHaveText(examples[1]?.input ?? "");
  await examine(page);
  // They are chosen among all that waits: who narrows the list leaves this order.
  await page.getByText("All", { exact: true }).click();
  await expect(page.getByLabel("Order")).toHaveValue("imported");
  await expect(page.getByRole("button", { name: "Bulk" })).toBeEnabled();
});

test("G shows the task's guidelines", async ({ page }) => {
  await page.goto(audit());
  await expect(page.getByText("Message 1 /")).toBeVisible();
  await page.keyboard.press("g");
  const panel = page.getByRole("region", { name: "Guidelines" });
  await expect(panel.getByText("The one label that fits the whole text best.")).toBeVisible();
  await panel.getByRole("link", { name: "Edit" }).click();
  const form = page.locator("form").filter({ has: page.getByRole("textbox", { name: "Guidelines" }) });
  await form.getByRole("textbox").fill("Labels\n- yes is good");
  await expect(form.getByRole("listitem")).toHaveText("yes is good");
  await form.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Saved", { exact: true })).toBeVisible();
  await page.goto(`${audit()}&guidelines=shown`);
  await expect(panel.getByRole("listitem")).toHaveText("yes is good");
  await page.keyboard.press("g");
  await expect(panel).toHaveCount(0);
  await page.goto(`${graft.url}/settings?task=${TASK}&tab=changes`);
  await expect(page.getByText(`guidelines-${TASK}`)).toBeVisible();
});

test("near-duplicates among approved messages are reported", async ({ page }) => {
  const rows = ["ten crates of ripe pears came in", "Ten crates of ripe pears came in!"];
  graft.run("import", "csv", graft.file("twice.csv", `text,label\n${rows.map((row) => `${row},good`).join("\n")}\n`));
  await page.goto(audit());
  await page.getByRole("button", { name: "1 near-duplicate" }).click();
  await page.getByRole("dialog").getByRole("button", { name: rows[1] }).click();
  await expect(page.getByTestId("message")).toHaveText(rows[1] ?? "");
});

test("suspect labels are shown one by one and fixed with a key", async ({ page }) => {
  const rows = ["what a day,Good", "we got no yes today,good", "We got  no yes today,bad", "nothing to say at all,n/a"];
  // A label such as `n/a` would be imported as pending.
  const file = graft.file("suspect.csv", `text,label\n${rows.join("\n")}\n`);
  graft.run("import", "csv", file, "--approve-doubtful");
  const kinds = async () => {
    const { counts } = await graft.api<{ counts: { kind: string; count: number }[] }>(`/tasks/${TASK}/suspects`);
    return counts.map(({ kind, count }) => `${kind} ${count}`);
  };
  expect((await kinds()).slice(0, 3)).toEqual(["empty-label 1", "label-spelling 1", "same-text 1"]);
  await page.goto(audit());
  await expect(page.getByRole("button", { name: /^Suspect first/ })).toBeVisible();
  await page.keyboard.press("f");
  const list = page.getByRole("region", { name: "Suspects" });
  await expect(list.getByText(/^Suspect 1 /)).toBeVisible();
  await expect(list).toContainText("Tables write n/a if there is no label");
  await examine(page);
  // Moving through the list decides nothing.
  await page.keyboard.press("j");
  await expect(list).toContainText("Good (1 example) differs from good");
  expect((await kinds())[0]).toBe("empty-label 1");
  await page.keyboard.press("m");
  await expect(list).toContainText("The same text has 2 labels");
  await page.keyboard.press("b");
  await page.keyboard.press("k");
  await expect(list).toContainText("Tables write n/a");
  await page.keyboard.press("m");
  await expect(list.getByText(/^Suspect 1 /)).toBeVisible();
  await page.keyboard.press("x");
  await expect.poll(async () => (await kinds()).filter((kind) => !/disagreement/.test(kind))).toEqual([]);
  const { total } = await graft.api<{ total: number }>(`/examples?task=${TASK}&search=what a day&state=approved`);
  expect(total).toBe(1);
  const merged = await graft.api<{ examples: { output: string }[] }>(`/examples?task=${TASK}&search=what a day`);
  expect(merged.examples[0]?.output).toBe("good");
  // Undone like any other decision.
  await page.getByRole("button", { name: "Undo: nothing to say at all" }).click();
  await expect.poll(async () => (await kinds())[0]).toBe("empty-label 1");
});

test("labels of another task are imported only after a question", async ({ page }) => {
  const spam = 'text,label\n"win a prize now",spam\n"see you at noon",ham\n';
  const { total } = await graft.api<{ total: number }>(`/examples?task=${TASK}`);
  await page.goto(audit());
  await expect(page.getByTestId("message")).toBeVisible();
  await page.getByRole("button", { name: "Import", exact: true }).click();
  await page.getByLabel("From").selectOption("csv");
  const choose = () =>
    page.getByLabel("File").setInputFiles({ name: "spam.csv", mimeType: "text/csv", buffer: Buffer.from(spam) });
  await choose();
  const start = page.getByRole("dialog").getByRole("button", { name: "Import", exact: true });
  await start.click();
  const question = page.getByRole("dialog", { name: "Mix these labels?" });
  await expect(question).toContainText(/The task has the labels bad, good.*, and none of ham, spam\./);
  await question.getByRole("button", { name: "Back" }).click();
  expect((await graft.api<{ total: number }>(`/examples?task=${TASK}`)).total).toBe(total);
  await expect(page.getByRole("dialog", { name: /^Import into/ })).toBeVisible();
  await choose();
  await start.click();
  await question.getByRole("button", { name: "Mix them" }).click();
  await expect(page.getByText("2 messages read.")).toBeVisible();
  expect((await graft.api<{ total: number }>(`/examples?task=${TASK}`)).total).toBe(total + 2);

  // The other way in asks as the server does, too.
  await page.goto(`${graft.url}/training/prompt`);
  await page.getByLabel("Examples", { exact: true }).fill('"all is well" -> positive\n"all is lost" -> negative');
  await page.getByLabel("Model type").selectOption("text_classification");
  await page.getByRole("button", { name: /Submit training job/ }).click();
  await expect(question).toContainText("none of negative, positive");
  await question.getByRole("button", { name: "Back" }).click();
  expect((await graft.api<{ total: number }>(`/examples?task=${TASK}`)).total).toBe(total + 2);
});
