/** What forms do, as commands for a shell: whatever the page can, a script can. */

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
  approved?: boolean;
}

/** Contestants that are no version. */
const NO_VERSION = ["baseline", "base"];

export const commands = {
  importing: ({ kind, task, file, labels, approved }: Importing) => {
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
      kind === "ask-ai" && approved && "--approved-only",
    );
  },
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
  scheduling: (task: string, cron: string, zone: string, fresh: string) =>
    graft("schedules", "add", "NAME", task, "--cron", cron, "--zone", zone, "--min-new", fresh || "0", "--activate"),
  /** What only the API does. */
  putting: (path: string, body: unknown) =>
    [
      `curl -X PUT ${quoted(location.origin + path)}`,
      `-H 'Authorization: Bearer TOKEN'`,
      `-H 'Content-Type: application/json'`,
      `-d ${quoted(JSON.stringify(body))}`,
    ].join(" "),
};
