/** The CLI commands that do the same as the forms of the page. */
import type { Schemas } from "../api/types";
import { shown, type Json } from "./json";

/** One argument of a command, quoted for the shell if necessary. */
export const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;

type Flag = string | number | boolean | null | undefined;
type Flags = Record<string, Flag | Flag[]>;

/** A command with its flags: `true` is a flag alone, nothing and no text leave it out; of several values each has its own. */
function graft(words: string[], flags: Flags = {}): string {
  const said = Object.entries(flags).flatMap(([name, value]) => {
    const flag = `--${name.replaceAll("_", "-")}`;
    return (Array.isArray(value) ? value : [value]).flatMap((one) => {
      if (one === true) return [flag];
      return one == null || one === false || one === "" ? [] : [flag, String(one)];
    });
  });
  return ["graft", ...words, ...said].map(quoted).join(" ");
}

/** The columns of a table, as typed; empty fields are detected by Graft. */
export interface Columns {
  text: string;
  label: string;
  id: string;
  heading: "" | "yes" | "no";
}

interface Importing {
  kind: Schemas["ImportKind"];
  task: string;
  file?: string;
  labels?: string;
  /** Names of Slack channels, separated by commas. */
  channels?: string;
  /** How to import Ask AI's drafts. */
  drafts?: string;
  columns?: Columns;
}

interface Scheduling {
  task: string;
  cron: string;
  zone: string;
  /** New approvals at these times. */
  fresh: string;
  /** New approvals at any time. */
  enough: string;
  base: string;
  method: string;
  activate: boolean;
}

/** Contestants that are no version. */
const NO_VERSION = ["baseline", "base", "rules", "n-grams", "nearest", "most-frequent"];

export const commands = {
  importing: ({ kind, task, file = "FILE", labels, channels = "", drafts, columns }: Importing) => {
    if (kind === "prompt") return graft(["import", "text", "prompt.txt"], { task });
    if (kind === "slack") {
      const names = channels.split(",").map((name) => name.trim());
      const chosen = names.flatMap((name) => (name === "" ? [] : ["--channel", name]));
      return graft(["import", kind, file, ...chosen], { labels });
    }
    if (kind === "ask-ai") return graft(["import", kind, file], { drafts: drafts !== "approve" && drafts });
    const trimmed = Object.entries(kind === "csv" ? (columns ?? {}) : {}).map(([name, value]) => [name, value.trim()]);
    return graft(["import", kind, file], { task, ...Object.fromEntries(trimmed) });
  },
  /** Sets all of an upstream; what is empty is removed. */
  settingUpstream: (task: string, { timeout_seconds, ...rest }: Schemas["Upstream"]) =>
    graft(["tasks", "upstream", task], {
      ...Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, value ?? "none"])),
      timeout: timeout_seconds,
    }),
  /** One decision on all that a filter shows, in the words of the server; to commands, `--by` is who decides. */
  deciding: (task: string, action: string, reason: string, { by, ...filter }: Schemas["BulkFilter"]) =>
    graft(["examples", action], {
      ...{ task, all: true, ...filter, "decided-by": by },
      reason: action === "reject" && (reason || "REASON"),
    }),
  rejecting: (task: string, id: string, reason: string) =>
    graft(["examples", "reject", id], { task, reason: reason || "REASON" }),
  pulling: (name: string) => graft(["base", "pull", name || "NAME"]),
  deletingRun: (id: string) => graft(["runs", "delete", id]),
  cancellingRun: (id: string) => graft(["runs", "cancel", id]),
  /** A message on two contestants; on one where only one of them is a version and the other the bare base. */
  asking: (task: string, first: string, second: string, message: string) => {
    const [version, other] = NO_VERSION.includes(second) ? [second, first].reverse() : [second, first];
    if (version === undefined || NO_VERSION.includes(version)) return null;
    if (other === "base" || other === version) return graft(["infer"], { task, version, message });
    return graft(["compare"], { task, version, with: other !== "baseline" && other, message });
  },
  activating: (task: string, version: string, force: boolean) =>
    graft(["models", "set-active", version], { task, force }),
  serving: (task: string, kind: string, like: string) =>
    graft(["models", "contestant", kind], { task, like, activate: true }),
  holding: (task: string, server: string) => graft(["agent"], { server, task }),
  rewindingLive: (task: string) => graft(["live", "rewind", task]),
  stoppingRollout: (task: string) => graft(["rollout", "stop", task]),
  overridingRollout: (task: string, why: string) => graft(["rollout", "promote", task], { override: why || "REASON" }),
  rollingBack: (task: string) => graft(["models", "rollback"], { task }),
  deletingVersion: (task: string, version: string) => graft(["models", "delete", version], { task }),
  addingUser: (name: string, role: string) => graft(["users", "add", name || "NAME"], { role }),
  addingToken: (label: string, role: string) => graft(["tokens", "add", label || "LABEL"], { role }),
  addingLink: (task: string, person: string) => graft(["tokens", "link", task || "TASK", person || "PERSON"], {}),
  batch: ({ task, version, file = "FILE" }: { task: string; version: string; file?: string }) =>
    graft(["batch", "submit", file], { task, version }),
  scheduling: ({ task, cron, zone, fresh, enough, base, method, activate }: Scheduling) =>
    graft(["schedules", "add", task, task], {
      ...{
        cron,
        zone: cron && zone,
        "min-new": cron && fresh,
        "after-new": enough,
        base,
        method: method !== "lora" && method,
        activate,
      },
    }),
  searching: ({ task, budget, base, more_bases = [], method, parallel, settings }: Schemas["NewStudy"]) =>
    graft(["search", task], {
      ...{ base: [base, ...more_bases], method, budget, parallel: parallel !== 1 && parallel },
      ...Object.fromEntries(
        Object.entries(settings ?? {}).map(([name, value]) => [name, Array.isArray(value) ? value.join() : value]),
      ),
    }),
  stoppingStudy: (id: string) => graft(["studies", "stop", id]),
  editing: (task: string, id: string, answer: Json) => graft(["examples", "edit", id], { task, output: shown(answer) }),
  /** Operations that exist only in the API. */
  deleting: (path: string) => `curl -X DELETE ${quoted(location.origin + path)} -H 'Authorization: Bearer TOKEN'`,
  posting: (path: string, body: unknown) => sending("POST", path, body),
  putting: (path: string, body: unknown) => sending("PUT", path, body),
  patching: (path: string, body: unknown) => sending("PATCH", path, body),
};

function sending(method: string, path: string, body: unknown): string {
  return [
    `curl -X ${method} ${quoted(location.origin + path)}`,
    `-H 'Authorization: Bearer TOKEN'`,
    `-H 'Content-Type: application/json'`,
    `-d ${quoted(JSON.stringify(body))}`,
  ].join(" ");
}
