import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo } from "node:net";
import { join, resolve } from "node:path";

const MODELS = resolve(import.meta.dirname, "../../crates/testkit/data/parity");
const FILES = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja"];
const COMMIT = "c".repeat(40);
const TOKEN = "hf_of_these_tests";

/** A tiny Llama that everybody may download. */
export const REPO = "org/tiny";
/** A tiny Gemma, only for those who accepted its terms on the Hub. */
export const GATED = "org/gated";

/** Speaks the Hugging Face Hub's protocol, slowly enough to be stopped. */
export class Hub {
  /** Whether the person accepted the terms of the gated model on its page. */
  accepted = false;
  private readonly server: Server = createServer((request, reply) => this.answer(request, reply));
  private readonly repos = new Map(
    [
      [REPO, "tiny-llama"],
      [GATED, "gemma3"],
    ].map(([repo, folder]) => [
      repo!,
      new Map(FILES.flatMap((name) => read(join(MODELS, folder!, name)).map((bytes) => [name, bytes] as const))),
    ]),
  );

  /** Starts it; returns the variables with which Graft finds it. */
  async start(): Promise<NodeJS.ProcessEnv> {
    await new Promise<void>((done) => this.server.listen(0, "127.0.0.1", done));
    const { port } = this.server.address() as AddressInfo;
    return { HF_ENDPOINT: `http://127.0.0.1:${port}`, HF_HUB_OFFLINE: "0", HF_TOKEN: TOKEN };
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  private answer(request: IncomingMessage, reply: ServerResponse): void {
    const path = decodeURIComponent((request.url ?? "").split("?")[0] ?? "").replace(/^\/api\/models/, "");
    const repo = path.split("/").slice(1, 3).join("/");
    const files = this.repos.get(repo);
    const refuse = (status: number, code: string) => {
      reply.writeHead(status, { "X-Error-Code": code });
      reply.end();
    };
    if (!files) return refuse(404, "RepoNotFound");
    const known = request.headers.authorization === `Bearer ${TOKEN}`;
    if (repo === GATED && !(known && this.accepted)) return refuse(known ? 403 : 401, "GatedRepo");
    if (request.url?.startsWith("/api/models/")) {
      reply.setHeader("Content-Type", "application/json");
      reply.end(JSON.stringify({ sha: COMMIT, siblings: [...files.keys()].map((rfilename) => ({ rfilename })) }));
      return;
    }
    const bytes = path.split("/")[3] === "resolve" ? files.get(path.split("/").slice(5).join("/")) : undefined;
    if (!bytes) return refuse(404, "EntryNotFound");
    const from = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
    reply.writeHead(from > 0 ? 206 : 200, {
      ETag: `"${createHash("sha256").update(bytes).digest("hex")}"`,
      "Content-Length": bytes.length - from,
      "X-Repo-Commit": COMMIT,
      ...(from > 0 ? { "Content-Range": `bytes ${from}-${bytes.length - 1}/${bytes.length}` } : {}),
    });
    if (request.method === "HEAD") return void reply.end();
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
  }
}

/** A file's bytes, if the model has such a file. */
function read(path: string): Buffer[] {
  try {
    return [readFileSync(path)];
  } catch {
    return [];
  }
}
