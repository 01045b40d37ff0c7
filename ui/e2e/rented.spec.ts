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

/** Lambda Cloud's list of types, and no machine. */
const server = createServer((request, reply) => {
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
  graft = new Graft({ LAMBDA_API_KEY: KEY, LAMBDA_API_URL: `http://127.0.0.1:${port}` });
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
  await examine(page);
  await pick.selectOption("");
  await expect(page.getByText("--on lambda")).not.toBeAttached();
});
