import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { type AddressInfo } from "node:net";
import { join, resolve } from "node:path";
import { expect, test } from "@playwright/test";
import { examine, measure } from "./checks";
import { Graft } from "./graft";

const MODEL = resolve(import.meta.dirname, "../../crates/testkit/data/parity/tiny-llama");
const FILES = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja"];
const REPO = "org/tiny";
const COMMIT = "c".repeat(40);

/** A hub that speaks the Hugging Face Hub's protocol, slowly enough to be stopped. */
function hub(): Server {
  const files = new Map(FILES.map((name) => [name, readFileSync(join(MODEL, name))]));
  return createServer((request, reply) => {
    const path = decodeURIComponent((request.url ?? "").split("?")[0] ?? "");
    if (path.startsWith(`/api/models/${REPO}/`)) {
      reply.setHeader("Content-Type", "application/json");
      return reply.end(JSON.stringify({ sha: COMMIT, siblings: FILES.map((rfilename) => ({ rfilename })) }));
    }
    const bytes = path.startsWith(`/${REPO}/resolve/`) ? files.get(path.split("/").slice(5).join("/")) : undefined;
    if (!bytes) {
      reply.writeHead(404, { "X-Error-Code": path.startsWith(`/${REPO}/`) ? "EntryNotFound" : "RepoNotFound" });
      return reply.end();
    }
    const from = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
    reply.writeHead(from > 0 ? 206 : 200, {
      ETag: `"${createHash("sha256").update(bytes).digest("hex")}"`,
      "Content-Length": bytes.length - from,
      "X-Repo-Commit": COMMIT,
      ...(from > 0 ? { "Content-Range": `bytes ${from}-${bytes.length - 1}/${bytes.length}` } : {}),
    });
    if (request.method === "HEAD") return reply.end();
    let at = from;
    const send = () => {
      if (reply.destroyed) return;
      const next = Math.min(bytes.length, at + (16 << 10));
      reply.write(bytes.subarray(at, next));
      at = next;
      if (at < bytes.length) setTimeout(send, 150);
      else reply.end();
    };
    send();
  });
}

const server = hub();
let graft: Graft;
test.beforeAll(async () => {
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  graft = new Graft({ HF_ENDPOINT: `http://127.0.0.1:${port}`, HF_HUB_OFFLINE: "0" });
  await graft.start();
});
test.afterAll(async () => {
  await graft.end();
  server.close();
});

test("a base model is downloaded, cancelled, continued and removed", async ({ page }) => {
  await page.goto(`${graft.url}/settings?tab=bases`);
  const row = page.getByRole("row").filter({ has: page.getByRole("rowheader", { name: REPO, exact: true }) });
  await page.getByLabel("Download a base model").fill(REPO);
  await page.getByRole("button", { name: "Download", exact: true }).last().click();
  await expect(row.getByText(/model\.safetensors: \d.* of 657 KiB/)).toBeVisible();
  await row.getByRole("button", { name: `Cancel ${REPO}` }).click();
  await expect(row.getByText("Cancelled")).toBeVisible();
  await examine(page);
  await row.getByRole("button", { name: `Continue ${REPO}` }).click();
  await expect(row.getByText("✓ Here")).toBeVisible();
  await measure(page);
  await page.setViewportSize({ width: 1280, height: 800 });
  await row.getByRole("button", { name: `Remove ${REPO}` }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
  await expect(row).toHaveCount(0);
});

test("terms must be accepted before a download", async ({ page }) => {
  const asked: unknown[] = [];
  await page.route("**/api/v1/bases", (route) => {
    if (route.request().method() !== "POST") return route.continue();
    asked.push(route.request().postDataJSON());
    return route.fulfill({ status: 503, json: { title: "not now", status: 503, detail: "not now" } });
  });
  await page.goto(`${graft.url}/settings?tab=bases`);
  const dialog = page.getByRole("dialog", { name: "Terms of gemma3-270m" });
  await page.getByRole("button", { name: "Download gemma3-270m" }).click();
  await expect(dialog.getByRole("link", { name: "its terms" })).toHaveAttribute("href", /gemma\/terms/);
  await examine(page);
  await dialog.getByRole("button", { name: "Back" }).click();
  expect(asked).toEqual([]);
  await page.getByRole("button", { name: "Download gemma3-270m" }).click();
  await dialog.getByRole("button", { name: "Accept and download" }).click();
  await expect.poll(() => asked).toEqual([{ name: "gemma3-270m", terms_accepted: true }]);
});

test("a failed download shows its reason, without CLI commands", async ({ page }) => {
  await page.goto(`${graft.url}/settings?tab=bases`);
  await page.getByLabel("Download a base model").fill("org/none");
  await page.getByRole("button", { name: "Download", exact: true }).last().click();
  const row = page.getByRole("row").filter({ has: page.getByRole("rowheader", { name: "org/none" }) });
  await expect(row.getByText("Failed", { exact: true })).toBeVisible();
  await expect(row).toContainText("Failed to find the model `org/none` on the Hub. Check the spelling");
});
