import { expect, test, type Browser, type BrowserContext, type Page } from "@playwright/test";
import { Graft, TASK } from "./graft";

const graft = new Graft();
test.describe.configure({ mode: "serial" });
const PASSWORD = "correct horse battery";
let ana: BrowserContext;
let ben: BrowserContext;

test.beforeAll(async ({ browser }) => {
  await graft.startWithMessages();
  await graft.api("/users", { name: "ana", role: "admin", password: PASSWORD });
  ana = await person(browser, "ana");
  await send(ana, "/users", { name: "ben", role: "auditor", password: PASSWORD });
  ben = await person(browser, "ben");
  // Twenty with an answer that only has to be approved.
  const ids = (await listed("approved")).slice(0, 20).map(({ id }) => id);
  await send(ana, "/examples/bulk", { task: TASK, action: "reopen", ids });
});
test.afterAll(() => graft.end());

async function send(context: BrowserContext, path: string, data: object): Promise<void> {
  const reply = await context.request.post(`${graft.url}/api/v1${path}`, { data, headers: { "X-Graft-CSRF": "1" } });
  expect(reply.ok(), await reply.text()).toBe(true);
}

/** A browser in which somebody is logged in. */
async function person(browser: Browser, user: string): Promise<BrowserContext> {
  const context = await browser.newContext();
  await send(context, "/session", { user, password: PASSWORD });
  return context;
}

interface Known {
  id: string;
  input: string;
  output?: string;
  revision: number;
  review: { state: string; by?: string };
}

async function known(id: string): Promise<Known> {
  const reply = await ana.request.get(`${graft.url}/api/v1/examples/${TASK}/${encodeURIComponent(id)}`);
  return ((await reply.json()) as { example: Known }).example;
}

async function listed(state: string): Promise<Known[]> {
  const reply = await ana.request.get(`${graft.url}/api/v1/examples?task=${TASK}&state=${state}&limit=100`);
  return ((await reply.json()) as { examples: Known[] }).examples;
}

const waiting = () => listed("pending");

/** The audit page, live; at a message, or where the queue begins. */
async function open(context: BrowserContext, id?: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(`${graft.url}/audit?task=${TASK}${id ? `&id=${encodeURIComponent(id)}` : ""}`);
  await expect(page.getByTestId("message")).toBeVisible();
  await expect(page.getByTestId("link")).toHaveText("Live");
  return page;
}

/** Which message is shown, as the address says a moment later. */
async function shown(page: Page): Promise<string> {
  const text = await page.getByTestId("message").textContent();
  return (await waiting()).find((one) => one.input === text)?.id ?? "";
}

test("the later of two auditors sees both answers, also if the event arrived before the key press", async () => {
  const [first, second] = (await waiting()).filter(({ output }) => output == null);
  // A new answer creates a revision; a rejection does not.
  for (const [id, decide, says] of [
    [first!.id, ["1", "Control+Enter"], "Approved by ana"],
    [second!.id, ["x", "2"], "Rejected by ana"],
  ] as const) {
    const [hers, his] = [await open(ana, id), await open(ben, id)];
    const banner = await his.getByTestId("outbox").elementHandle();
    await his.keyboard.press("2");
    for (const key of decide) await hers.keyboard.press(key);
    const message = his.getByRole("region", { name: "Message" });
    await expect(message.getByText("Somebody decided on this message")).toBeVisible();
    await expect(message.getByText(says)).toBeVisible();
    await message.getByText(/^History/).click();
    await expect(message.getByRole("listitem").filter({ hasText: "ana" })).toHaveCount(1);

    await his.keyboard.press("Control+Enter");
    await his.getByRole("button", { name: "Compare and choose" }).click();
    // A live region that was there before announces it.
    expect(await banner?.textContent()).toContain("before you");
    const dialog = his.getByRole("dialog");
    await expect(dialog.getByRole("cell", { name: "good" }).first()).toBeVisible();
    await expect(dialog.getByRole("cell", { name: says.startsWith("Rejected") ? "rejected" : "bad" })).toBeVisible();
    expect((await known(id)).review.by).toBe("ana");
    await dialog.getByRole("button", { name: "Use my decision" }).click();
    await expect.poll(() => known(id)).toMatchObject({ output: "good", review: { state: "approved", by: "ben" } });
    await hers.close();
    await his.close();
  }
});

test("a held key and a double click decide once, and undo covers the whole session", async () => {
  const page = await open(ana);
  const before = (await waiting()).length;
  const decided = async () => before - (await waiting()).length;
  for (let i = 0; i < 10; i += 1) await page.keyboard.down("a");
  await page.keyboard.up("a");
  await expect(page.getByText(/^Message 2 /)).toBeVisible();
  await page.getByRole("button", { name: "Approve", exact: true }).dblclick();
  await expect(page.getByText(/^Message 3 /)).toBeVisible();
  for (let i = 3; i < 14; i += 1) {
    await expect(page.getByText(new RegExp(`^Message ${i} /`))).toBeVisible();
    await page.keyboard.press("a");
  }
  await expect.poll(decided).toBe(13);
  // A double click on the first of the last decisions must not hit the one that takes its place.
  await page
    .getByRole("complementary", { name: "Last decisions" })
    .getByRole("button", { name: /^Undo: / })
    .first()
    .dblclick();
  await expect.poll(decided).toBe(12);
  await expect(page.getByText("saving …")).toHaveCount(0);
  expect(await decided()).toBe(12);
  for (let i = 11; i >= 0; i -= 1) {
    await page.keyboard.press("u");
    await expect.poll(decided).toBe(i);
  }
  await page.close();
});

test("keys of other layouts work, the focus moves on, and the result is announced", async () => {
  const page = await open(ana);
  const press = (key: string, code: string) =>
    page.evaluate(
      ([key, code]) =>
        document.activeElement?.dispatchEvent(new KeyboardEvent("keydown", { key, code, bubbles: true })),
      [key, code],
    );
  const focus = () =>
    page.evaluate(() => document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.id);
  const said = await page.getByTestId("said").elementHandle();
  const id = await shown(page);
  await press("é", "Digit2"); // AZERTY
  await press("ф", "KeyA"); // Russian
  await expect.poll(() => known(id)).toMatchObject({ output: "good", review: { state: "approved", by: "ana" } });
  await expect.poll(focus).toBe("Message");
  await expect(page.getByTestId("said")).toHaveText(/^Approved\. Message \d+ of \d+: /);
  expect(await said?.evaluate((one) => one.isConnected)).toBe(true);

  await press("χ", "KeyX"); // Greek
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect.poll(focus).toBe("Message");
  await press("ч", "KeyX");
  await page.keyboard.press("3");
  await expect(page.getByTestId("said")).toHaveText(/^Rejected\. Message/);
  await expect.poll(focus).toBe("Message");
  for (const _ of [1, 2]) {
    await page.getByRole("button", { name: "Undo", exact: true }).click();
    await expect.poll(focus).not.toBeUndefined();
  }
  await page.getByRole("link", { name: "Stats" }).click();
  await expect(page.getByRole("heading", { name: "Stats" })).toBeVisible();
  await expect.poll(focus).toBe("main");
  await page.close();
});

/** How many pages are open at a message. */
async function seats(): Promise<number> {
  const asked = { data: { page: "none" }, headers: { "X-Graft-CSRF": "1" } };
  const reply = await ana.request.put(`${graft.url}/api/v1/presence`, asked);
  return ((await reply.json()) as { seats: unknown[] }).seats.length;
}

test("decisions of others are marked in the queue in every tab", async () => {
  // A page that was closed counts for a while where it could not say so.
  await expect.poll(seats, { timeout: 40_000 }).toBe(0);
  const tab = await open(ana);
  await expect.poll(seats).toBe(1);
  const his = await open(ben);
  // People who open Audit at the same time get different messages.
  const [first, second, third, fourth] = (await waiting()).map(({ id }) => id);
  expect([await shown(tab), await shown(his)]).toEqual([first, second]);
  const hers = await open(ana, third);
  for (const _ of [1, 2]) {
    await hers.keyboard.press("1");
    await hers.keyboard.press("Control+Enter");
  }
  await expect.poll(async () => (await known(fourth!)).review.by).toBe("ana");

  await his.keyboard.press("j");
  await expect(his.getByText("Approved by ana")).toBeVisible();
  await his.keyboard.press("k");
  await expect(his.getByText("Unaudited", { exact: true }).last()).toBeVisible();
  await his.keyboard.press("1");
  await his.keyboard.press("a");
  // The next two are decided, and the one after them is open in her second tab.
  await expect(his.getByText(/^Message 6 \//)).toBeVisible();
  for (const by of ["ben", "ana", "ana"]) {
    await tab.keyboard.press("j");
    await expect(tab.getByText(`Approved by ${by}`)).toBeVisible();
  }
  for (const key of ["k", "k", "k", "1", "a"]) await tab.keyboard.press(key);
  await expect(tab.getByText(/^Message [67] \//)).toBeVisible();
  for (const page of [tab, his]) await expect(page.getByRole("button", { name: "Compare and choose" })).toHaveCount(0);
  for (const page of [tab, his, hers]) await page.close();
});

/** A browser with a review link, which hears no live events. */
async function linked(browser: Browser, name: string): Promise<BrowserContext> {
  const reply = await ana.request.post(`${graft.url}/api/v1/tokens/links`, {
    data: { person: name, task: TASK },
    headers: { "X-Graft-CSRF": "1" },
  });
  const { path } = (await reply.json()) as { path: string };
  const context = await browser.newContext();
  await send(context, "/session", { token: new URL(path, graft.url).searchParams.get("token") });
  return context;
}

/** A browser of ben that no live event reaches. */
async function deaf(browser: Browser): Promise<BrowserContext> {
  const context = await person(browser, "ben");
  await context.route("**/api/v1/events*", (route) => route.abort());
  return context;
}

/** Until a page has read that a message is decided. */
function decidedIn(page: Page, id: string): Promise<unknown> {
  return page.waitForResponse(async (reply) => {
    if (!reply.ok() || !decodeURIComponent(reply.url()).endsWith(`/${id}`)) return false;
    const { example } = (await reply.json()) as { example: Known };
    return example.review.state !== "pending";
  });
}

test("without live events too, decisions of others are marked, skipped, and never overwritten unasked", async ({
  browser,
}) => {
  for (const without of [() => linked(browser, "Cleo"), () => deaf(browser)]) {
    const [hers, context] = [await open(ana), await without()];
    const first = await shown(hers);
    const his = await context.newPage();
    await his.goto(`${graft.url}/audit?task=${TASK}`);
    await expect(his.getByTestId("message")).toBeVisible();
    const own = await shown(his);
    // Each is handed another message.
    expect(own).not.toBe(first);
    const ids = (await waiting()).map(({ id }) => id);
    const [second, third, fourth, fifth] = ids.slice(ids.indexOf(own) + 1);
    const reject = async (id: string) => {
      const { revision } = await known(id);
      await send(ana, `/examples/${TASK}/${id}/reject`, { revision, reason: "hers" });
    };
    // He goes there at once, before anything has told his page.
    await reject(second!);
    await his.keyboard.press("j");
    const message = his.getByRole("region", { name: "Message" });
    await expect(message.getByText("Rejected by ana: hers")).toBeVisible();
    await his.keyboard.press("1");
    await his.keyboard.press("a");
    await his.getByRole("button", { name: "Compare and choose" }).click();
    await his.getByRole("dialog").getByRole("button", { name: "Keep their decision" }).click();
    expect((await known(second!)).review.by).toBe("ana");
    // Those that she decides on while he reads are passed over.
    await expect.poll(() => shown(his)).toBe(third);
    const told = [fourth!, fifth!].map((id) => decidedIn(his, id));
    await reject(fourth!);
    await reject(fifth!);
    await Promise.all(told);
    await his.keyboard.press("1");
    await his.keyboard.press("a");
    await expect.poll(async () => (await known(third!)).review.state).toBe("approved");
    await expect(message.getByText("Unaudited", { exact: true })).toBeVisible();
    expect([third, fourth, fifth]).not.toContain(await shown(his));
    await expect(his.getByText("Connecting")).toHaveCount(0, { timeout: 15_000 });
    await hers.close();
    await context.close();
  }
});

test("a waiting decision is sent only by the person who made it", async () => {
  const page = await open(ana);
  const id = await shown(page);
  const decisions = "**/api/v1/examples/**/approve";
  await page.route(decisions, (route) => route.abort());
  await page.keyboard.press("1");
  await page.keyboard.press("a");
  await expect(page.getByText("1 decision not sent yet.")).toBeVisible();
  await page.close();
  await ana.clearCookies();
  await send(ana, "/session", { user: "ben", password: PASSWORD });

  const his = await open(ana);
  await expect(his.getByText("1 decision of ana not sent yet.")).toBeVisible();
  // It changes nothing in his queue, and it takes more than a click to delete it.
  expect(await shown(his)).toBe(id);
  await expect(his.getByRole("region", { name: "Message" }).getByText("Unaudited", { exact: true })).toBeVisible();
  await his.getByRole("button", { name: "Delete them" }).click();
  await his.getByRole("dialog").getByRole("button", { name: "Back" }).click();
  await expect(his.getByText("1 decision of ana not sent yet.")).toBeVisible();
  await his.keyboard.press("j");
  const asked: string[] = [];
  his.on("request", (request) => request.method() === "POST" && asked.push(request.url()));
  await his.keyboard.press("1");
  await his.keyboard.press("a");
  await expect.poll(() => asked.length).toBe(1);
  await his.waitForTimeout(7_000);
  expect(asked.length).toBe(1);
  await his.close();

  await ana.clearCookies();
  await send(ana, "/session", { user: "ana", password: PASSWORD });
  expect((await known(id)).review.state).toBe("pending");
  const again = await open(ana);
  await expect.poll(() => known(id), { timeout: 30_000 }).toMatchObject({ review: { state: "approved", by: "ana" } });
  await expect(again.getByText("not sent yet")).toHaveCount(0);
  await again.close();
});

test("two tabs never use one idempotency key for two requests, and no decision gets stuck", async () => {
  const ids = (await waiting()).map(({ id }) => id);
  const tabs = [await open(ana, ids[0]), await open(ana, ids[0])];
  const bodies = new Map<string, Set<string>>();
  for (const tab of tabs) {
    await tab.route("**/api/v1/**", (route) =>
      route.request().method() === "POST" ? route.abort() : route.fallback(),
    );
    await tab.keyboard.press("1");
    await tab.keyboard.press("a");
    await tab.keyboard.press("x");
    await tab.keyboard.press("3");
  }
  await expect(tabs[1]!.getByText(/^\d decisions? not sent yet\./)).toBeVisible();
  for (const tab of tabs) {
    tab.on("request", (request) => {
      const key = request.headers()["idempotency-key"];
      if (key) bodies.set(key, (bodies.get(key) ?? new Set()).add(request.postData() ?? ""));
    });
    await tab.unroute("**/api/v1/**");
  }
  const left = () =>
    tabs[0]!.evaluate(() => (JSON.parse(localStorage.getItem("graft.outbox") ?? "[]") as unknown[]).length);
  await expect.poll(left, { timeout: 30_000 }).toBe(0);
  expect(bodies.size).toBeGreaterThan(1);
  for (const said of bodies.values()) expect(said.size).toBe(1);
  expect((await known(ids[0]!)).review).toMatchObject({ state: "approved", by: "ana" });
});
