import { createServer } from "node:http";
import { type AddressInfo } from "node:net";
import { expect, test } from "@playwright/test";
import { examine } from "./checks";
import { Graft, TASK } from "./graft";

const KEY = "secret_page";
const kind = (name: string, cents: number, regions: string[]) => ({
  instance_type: { name, description: name, price_cents_per_hour: cents, specs: { gpus: 1 } },
  regions_with_capacity_available: regions.map((region) => ({ name: region, description: region })),
});

/** RunPod's catalog, which has an L4. */
const catalog = {
  gpus: [
    {
      ...{ id: "NVIDIA L4", name: "L4", memory: 24, secure: true, price: { secure: 0.44 } },
      dataCenters: [{ id: "EU-RO-1", name: "EU-RO-1", availability: "LOW" }],
    },
  ],
};

/** The lists of types of Lambda Cloud and RunPod, and no machine. */
const server = createServer((request, reply) => {
  if (request.url?.startsWith("/v2/")) {
    reply.writeHead(200, { "Content-Type": "application/json" });
    reply.end(JSON.stringify(request.url.startsWith("/v2/catalog/") ? catalog : { pods: [] }));
    return;
  }
  const data = request.url?.endsWith("/instance-types")
    ? { a: kind("gpu_1x_a10", 75, ["us-east-1"]), b: kind("gpu_1x_a6000", 60, ["us-west-1"]) }
    : [];
  const known = request.headers.authorization === `Bearer ${KEY}`;
  reply.writeHead(known ? 200 : 401, { "Content-Type": "application/json" });
  reply.end(JSON.stringify(known ? { data } : { error: { code: "global/invalid-api-key", message: "no" } }));
});
let graft: Graft;
test.beforeAll(async () => {
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  graft = new Graft({ LAMBDA_API_KEY: KEY, LAMBDA_API_URL: url, RUNPOD_API_KEY: KEY, RUNPOD_API_URL: url });
  await graft.startWithMessages();
});
test.afterAll(async () => {
  await graft.end();
  server.close();
});

test("the page offers a rented machine, with its price", async ({ page }) => {
  await page.goto(`${graft.url}/train?task=${TASK}`);
  const pick = page.getByLabel("Train on");
  await expect(pick).toHaveValue("");
  await pick.selectOption({ label: "lambda (rented for this run)" });
  // The cheapest allowed type.
  await expect(page.getByText("gpu_1x_a6000 in us-west-1 at 0.60 USD per hour")).toBeVisible();
  await expect(page.getByText("1.20 USD at most")).toBeVisible();
  await expect(page.getByText("--on lambda")).toBeAttached();
  await pick.selectOption({ label: "runpod (rented for this run)" });
  await expect(page.getByText("NVIDIA L4 in EU-RO-1 at 0.45 USD per hour")).toBeVisible();
  await expect(page.getByText("--on runpod")).toBeAttached();
  await examine(page);
  await pick.selectOption("");
  await expect(page.getByText("--on runpod")).not.toBeAttached();
});
