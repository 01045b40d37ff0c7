import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { expect, test } from "@playwright/test";
import { examine, measure } from "./checks";
import { Graft, table, TASK } from "./graft";

/** A tracking server with one experiment of two runs; it knows nothing else. */
class Mlflow {
  /** What `runs/search` was asked for. */
  readonly filters: (string | undefined)[] = [];
  private readonly server: Server = createServer((request, reply) => void this.answer(request, reply));

  async start(): Promise<NodeJS.ProcessEnv> {
    await new Promise<void>((done) => this.server.listen(0, "127.0.0.1", done));
    return { MLFLOW_TRACKING_URI: `http://127.0.0.1:${(this.server.address() as AddressInfo).port}` };
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  private async answer(request: IncomingMessage, reply: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? "", "http://mlflow");
    const say = (status: number, body: unknown) => {
      reply.writeHead(status, { "Content-Type": "application/json" });
      reply.end(JSON.stringify(body));
    };
    const asked = await text(request);
    if (pathname === "/api/2.0/mlflow/experiments/get-by-name" && searchParams.get("experiment_name") === "baselines")
      return say(200, { experiment: { experiment_id: "7", name: "baselines" } });
    if (pathname === "/api/2.0/mlflow/runs/search") {
      const { experiment_ids, filter } = JSON.parse(asked) as { experiment_ids: string[]; filter?: string };
      expect(experiment_ids).toEqual(["7"]);
      this.filters.push(filter);
      return say(200, { runs: filter ? [RUNS[0]] : RUNS });
    }
    return say(404, { error_code: "RESOURCE_DOES_NOT_EXIST", message: "there is no such thing" });
  }
}

const run = (name: string, status: string, accuracy: number, lr: string) => ({
  info: { run_id: name.padEnd(32, "0"), run_name: name, status, user_id: "ann", start_time: 1_790_000_000_000 },
  data: {
    metrics: [{ key: "score/accuracy", value: accuracy, step: 0 }],
    params: [
      { key: "optim.lr", value: lr },
      { key: "optim.batch", value: "8" },
    ],
  },
});
const RUNS = [run("by-hand", "FINISHED", 0.875, "0.02"), run("worse", "FAILED", 0.5, "0.7")];

const mlflow = new Mlflow();
const own: NodeJS.ProcessEnv = {};
const graft = new Graft(own);
test.beforeAll(async () => {
  graft.addBase();
  graft.run("import", "csv", graft.file("toy.csv", table(60, 20)));
  graft.run("train", TASK, "--base", "tiny", "--epochs", "2", "--version", "first", "--activate", "--force");
  Object.assign(own, await mlflow.start());
  await graft.start();
});
test.afterAll(async () => {
  mlflow.stop();
  await graft.end();
});

test("runs of an MLflow experiment are shown beside the versions of the task", async ({ page }) => {
  await page.goto(`${graft.url}/train?task=${TASK}`);
  await page.getByRole("link", { name: "Runs in MLflow" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Runs in MLflow" })).toBeVisible();
  await expect(page.getByRole("alert")).toContainText(`graft/${TASK}`);

  await page.getByLabel("Experiment").fill("baselines");
  await page.keyboard.press("Enter");
  const found = page.getByRole("table", { name: "Runs and versions" });
  const row = (name: string) => found.getByRole("row").filter({ hasText: name });
  await expect(row("by-hand")).toContainText("0.875");
  await expect(row("by-hand").getByRole("link")).toHaveAttribute("href", /#\/experiments\/7\/runs\/by-hand0/);
  await expect(row("worse")).toContainText("Failed");
  await expect(row("Version first").getByRole("link", { name: "first" })).toBeVisible();
  await expect(row("worse"), "settings that differ").toContainText("optim.lr");
  await examine(page);
  await measure(page);

  await page.setViewportSize({ width: 1280, height: 800 });
  await page.getByLabel("Filter").fill("metrics.`score/accuracy` > 0.8");
  await page.getByRole("button", { name: "Show runs" }).click();
  await expect(row("worse")).toHaveCount(0);
  await expect(row("by-hand")).toBeVisible();
  expect(mlflow.filters).toEqual([undefined, "metrics.`score/accuracy` > 0.8"]);
  await page.goBack();
  await expect(row("worse")).toBeVisible();
});
