import { createHash } from "node:crypto";
import { expect, test } from "@playwright/test";
import { examine, measure } from "./checks";
import { Graft, TASK } from "./graft";

const graft = new Graft();
test.beforeAll(async () => {
  await graft.startWithMessages();
  const train = ["train", TASK, "--base", "tiny", "--epochs", "3", "--threads", "1", "--skip-base"];
  graft.run(...train, "--split", "random");
  graft.run("models", "set-active", "v1", "--force");
});
test.afterAll(() => graft.end());

const at = (path: string) => `${graft.url}/api/v1/tasks/${TASK}/${path}`;
const send = (method: string, path: string, body: object) =>
  fetch(at(path), { method, body: JSON.stringify(body), headers: { "content-type": "application/json" } });

/** The first event that an agent is told. */
async function notice(name: string): Promise<{ digest: string; nonce: string }> {
  const stop = new AbortController();
  const answer = await fetch(at(`agents/${name}/events`), { signal: stop.signal });
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    text += part.value;
    const data = /^data: (.*)\n/m.exec(text)?.[1];
    if (data) {
      stop.abort();
      return JSON.parse(data);
    }
  }
  throw new Error(`the stream ended: ${text}`);
}

test("the versions page tells how far agents are", async ({ page }) => {
  await page.goto(`${graft.url}/versions?task=${TASK}`);
  const card = page.locator("#agents");
  await expect(card.getByText("No agents")).toBeVisible();

  const hello = { graft: "0.0.1", format: 1 };
  for (const name of ["kitchen", "van"]) await send("PUT", `agents/${name}`, hello);
  const told = await notice("kitchen");
  const bundle = Buffer.from(await (await fetch(at(`bundles/${told.digest}`))).arrayBuffer());
  expect(createHash("sha256").update(bundle).digest("hex")).toBe(told.digest);
  const proof = createHash("sha256").update(told.nonce).update(bundle).digest("hex");
  await send("POST", "agents/kitchen/reports", { nonce: told.nonce, digest: told.digest, proof });
  const other = await notice("van");
  await send("POST", "agents/van/reports", {
    nonce: other.nonce,
    digest: other.digest,
    problem: "no room on its disk",
  });

  await page.reload();
  await expect(card.getByText("1 of 2", { exact: true })).toBeVisible();
  const row = (name: string) => card.getByRole("row").filter({ hasText: name });
  await expect(row("kitchen").getByText("Synced")).toBeVisible();
  await expect(row("kitchen").getByText(told.digest.slice(0, 12))).toBeVisible();
  await expect(row("van").getByText("no room on its disk")).toBeVisible();
  await examine(page);
  await measure(page);
  await page.setViewportSize({ width: 1280, height: 800 });

  await card.getByRole("button", { name: "Forget the agent van" }).click();
  await page.getByRole("button", { name: "Remove", exact: true }).click();
  await expect(row("van")).toHaveCount(0);
});
