/** What forms do, as commands for a shell: whatever the page can, a script can. */
import type { Json } from "./json";

/** One word of a command, in quotes where a shell would take it apart. */
export const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;

type Word = string | false | null | undefined;

const graft = (...words: Word[]): string =>
  ["graft", ...words.filter((word): word is string => typeof word === "string")].map(quoted).join(" ");

interface Importing {
  kind: string;
  task: string;
  file?: string;
  labels?: string;
  /** What becomes of Ask AI's drafts. */
  drafts?: string;
  columns?: Columns;
}

/** Which columns of a table hold what, as typed; empty where Graft is to find out. */
export interface Columns {
  text: string;
  label: string;
  id: string;
  heading: "" | "yes" | "no";
}

interface Deciding {
  task: string;
  action: string;
  reason: string;
  state?: string;
  source?: string;
  search?: string;
  by?: string;
  field?: string;
  min_confidence?: number;
  max_confidence?: number;
}

interface Scheduling {
  task: string;
  cron: string;
  zone: string;
  fresh: string;
  base: string;
  method: string;
  activate: boolean;
}

/** What narrows a decision on many, in the words of the server; to commands, `--by` is who decides. */
const FILTERS = ["state", "source", "search", "by", "field", "min_confidence", "max_confidence"] as const;

/** Contestants that are no version. */
const NO_VERSION = ["baseline", "base"];

export const commands = {
  importing: ({ kind, task, file, labels, drafts, columns }: Importing) => {
    const name = kind === "prompt" ? "text" : kind;
    const fixed = kind === "slack" || kind === "ask-ai";
    return graft(
      "import",
      name,
      kind === "prompt" ? "prompt.txt" : (file ?? "FILE"),
      !fixed && "--task",
      !fixed && task,
      kind === "slack" && labels !== undefined && "--labels",
      kind === "slack" && labels,
      ...(kind === "ask-ai" && drafts && drafts !== "approve" ? ["--drafts", drafts] : []),
      ...Object.entries(kind === "csv" && columns ? columns : {}).flatMap(([name, value]: [string, string]) =>
        value.trim() === "" ? [] : [`--${name}`, value.trim()],
      ),
    );
  },
  /** One decision on all that a filter shows. */
  deciding: ({ task, action, reason, ...filter }: Deciding) =>
    graft(
      ...["examples", action, "--task", task, "--all"],
      ...FILTERS.flatMap((name) => {
        const value = filter[name];
        const flag = name === "by" ? "decided-by" : name.replace("_", "-");
        return value === undefined || value === "" ? [] : [`--${flag}`, String(value)];
      }),
      ...(action === "reject" ? ["--reason", reason || "REASON"] : []),
    ),
  rejecting: (task: string, id: string, reason: string) =>
    graft("examples", "reject", id, "--task", task, "--reason", reason || "REASON"),
  deletingRun: (id: string) => graft("runs", "delete", id),
  cancellingRun: (id: string) => graft("runs", "cancel", id),
  /** A message on two contestants; on one where only one of them is a version and the other the bare base. */
  asking: (task: string, first: string, second: string, message: string) => {
    const [version, other] = NO_VERSION.includes(second) ? [second, first].reverse() : [second, first];
    if (version === undefined || NO_VERSION.includes(version)) return null;
    const about = ["--task", task, "--version", version];
    if (other === "base" || other === version) return graft("infer", ...about, "--message", message);
    return graft(
      "compare",
      ...about,
      other !== "baseline" && "--with",
      other !== "baseline" && other,
      "--message",
      message,
    );
  },
  activating: (task: string, version: string, force: boolean) =>
    graft("models", "set-active", version, "--task", task, force && "--force"),
  rollingBack: (task: string) => graft("models", "rollback", "--task", task),
  deletingVersion: (task: string, version: string) => graft("models", "delete", version, "--task", task),
  addingUser: (name: string, role: string) => graft("users", "add", name || "NAME", "--role", role),
  addingToken: (label: string, role: string) => graft("tokens", "add", label || "LABEL", "--role", role),
  scheduling: ({ task, cron, zone, fresh, base, method, activate }: Scheduling) =>
    graft(
      ...["schedules", "add", task, task, "--cron", cron, "--zone", zone, "--min-new", fresh || "0"],
      ...(base ? ["--base", base] : []),
      ...(method === "lora" ? [] : ["--method", method]),
      activate && "--activate",
    ),
  editing: (task: string, id: string, answer: Json) =>
    graft(
      "examples",
      "edit",
      id,
      "--task",
      task,
      "--output",
      typeof answer === "string" ? answer : JSON.stringify(answer),
    ),
  /** What only the API does. */
  deleting: (path: string) => `curl -X DELETE ${quoted(location.origin + path)} -H 'Authorization: Bearer TOKEN'`,
  posting: (path: string, body: unknown) => sending("POST", path, body),
  putting: (path: string, body: unknown) => sending("PUT", path, body),
};

function sending(method: string, path: string, body: unknown): string {
  return [
    `curl -X ${method} ${quoted(location.origin + path)}`,
    `-H 'Authorization: Bearer TOKEN'`,
    `-H 'Content-Type: application/json'`,
    `-d ${quoted(JSON.stringify(body))}`,
  ].join(" ");
}
