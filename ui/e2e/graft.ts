import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, type Page } from "@playwright/test";

const ROOT = resolve(import.meta.dirname, "../..");
const BINARY = process.env.GRAFT_BIN ?? join(process.env.CARGO_TARGET_DIR ?? join(ROOT, "target"), "debug/graft");

/** The task of these tests: messages full of "yes" are good, those full of "no" are bad; a tiny model learns that in seconds. */
export const TASK = "text-classification";

/** The real `graft` with a home of its own. */
export class Graft {
  port = 0;
  private folder: string | null = null;
  private child: ChildProcess | null = null;
  private said = "";

  /** `own` are variables of its environment that differ from those of other tests. */
  constructor(private readonly own: NodeJS.ProcessEnv = {}) {}

  /** Made when it is first needed: Playwright also loads a file of tests only to list them. */
  get dir(): string {
    return (this.folder ??= mkdtempSync(join(tmpdir(), "graft-page-")));
  }

  get home(): string {
    return join(this.dir, "home");
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  run(...args: string[]): string {
    return execFileSync(BINARY, args, {
      env: this.env(),
      cwd: this.dir,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
  }

  file(name: string, text: string): string {
    const path = join(this.dir, name);
    writeFileSync(path, text);
    return path;
  }

  /** Names the tiny Llama of the test data `tiny`. */
  addBase(): void {
    this.run("base", "add", "tiny", join(ROOT, "crates/testkit/data/parity/tiny-llama"));
  }

  /** Starts serving a tiny base and 60 easy messages, of which 20 unaudited. */
  async startWithMessages(): Promise<void> {
    this.addBase();
    this.run("import", "csv", this.file("toy.csv", table(60, 20)));
    await this.start();
  }

  /** Begins a training, and shows its page once it learns. */
  async watchTraining(page: Page, epochs: number): Promise<void> {
    const { run } = await this.api<{ run: { id: string } }>("/runs", {
      task: TASK,
      base: "tiny",
      settings: { epochs, learning_rate: 0.01 },
    });
    await page.goto(`${this.url}/runs/${run.id}`);
    await expect(page.getByText(/^Step \d+ of/)).toBeVisible({ timeout: 30_000 });
  }

  /** Starts serving, at the same address after a stop. */
  async start(): Promise<void> {
    this.port ||= await freePort();
    this.child = spawn(BINARY, ["serve", "--bind", `127.0.0.1:${this.port}`], {
      env: this.env(),
      cwd: this.dir,
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.child.stderr?.on("data", (bytes: Buffer) => (this.said += bytes.toString()));
    for (let tries = 0; tries < 300; tries += 1) {
      if (this.child.exitCode !== null) break;
      const ready = await fetch(`${this.url}/health`)
        .then((reply) => reply.ok)
        .catch(() => false);
      if (ready) return;
      await new Promise((done) => setTimeout(done, 100));
    }
    throw new Error(`graft serve did not start:\n${this.said}`);
  }

  async stop(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    const child = this.child;
    this.child = null;
    if (!child || child.exitCode !== null) return;
    const ended = new Promise((done) => child.once("exit", done));
    child.kill(signal);
    await ended;
  }

  async end(): Promise<void> {
    await this.stop("SIGTERM");
    if (this.folder) rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  async api<T>(path: string, body?: unknown): Promise<T> {
    const reply = await fetch(`${this.url}/api/v1${path}`, {
      method: body === undefined ? "GET" : "POST",
      headers: { "Content-Type": "application/json", "X-Graft-CSRF": "1" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await reply.text();
    if (!reply.ok) throw new Error(`${path}: ${reply.status} ${text}`);
    return JSON.parse(text) as T;
  }

  /** How many messages are in each state. */
  async counts(): Promise<{ pending: number; approved: number; rejected: number }> {
    const { tasks } = await this.api<{
      tasks: { name: string; counts: { pending: number; approved: number; rejected: number } }[];
    }>("/tasks");
    return tasks.find((task) => task.name === TASK)!.counts;
  }

  private env(): NodeJS.ProcessEnv {
    const { GRAFT_DATABASE: _, HF_TOKEN: __, ...env } = process.env;
    // No test may rent a machine of the person who runs it.
    delete env.LAMBDA_API_KEY;
    delete env.LAMBDA_LABS_API_KEY;
    delete env.RUNPOD_API_KEY;
    return {
      ...env,
      GRAFT_HOME: this.home,
      GRAFT_USER: "ada",
      HF_HOME: join(this.dir, "hf"),
      HF_HUB_OFFLINE: "1",
      RUST_LOG: "warn",
      ...this.own,
    };
  }
}

/** A table of easy messages; the last `open` have no label and unaudited. */
export function table(count: number, open: number): string {
  const rows = Array.from({ length: count }, (_, i) => {
    const good = i % 2 === 1;
    return `${`${good ? "yes" : "no"} `.repeat(6)}${i},${i < count - open ? (good ? "good" : "bad") : ""}`;
  });
  return `text,label\n${rows.join("\n")}\n`;
}

/** A port below those that the system gives to connections: it stays free while the server is restarted. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 20_000);
    const server = createServer();
    const isFree = await new Promise<boolean>((done) => {
      server.once("error", () => done(false)).listen(port, "127.0.0.1", () => done(true));
    });
    if (!isFree) continue;
    await new Promise((done) => server.close(done));
    return port;
  }
}
