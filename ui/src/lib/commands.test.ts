import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { commands, quoted } from "./commands";

/** What `graft COMMAND -h` says, by command; `cargo xtask commands` writes it. */
const PAGE = readFileSync(new URL("../../../docs/commands.md", import.meta.url), "utf8");
const HELP = new Map(
  PAGE.split(/^## /m).map((part) => [/^`(graft[^`]*)`/.exec(part)?.[1] ?? "", part.replace(/\s+/g, " ")] as const),
);

const SHOWN = [
  ...(["slack", "csv", "jsonl", "ask-ai", "prompt"] as const).map((kind) =>
    commands.importing({
      ...{ kind, task: "sentiment", file: "my file.zip", labels: "labels.jsonl", drafts: "pending" },
      columns: { text: "Review", label: "2", id: "key", heading: "yes" },
    }),
  ),
  ...["approve", "reject", "reopen"].map((action) =>
    commands.deciding("sentiment", action, "not ours", {
      ...{ state: "pending", source: "csv", search: "kale", by: "ana", field: "unit" },
      ...{ min_confidence: 0.9, max_confidence: 0.95 },
    }),
  ),
  commands.settingUpstream("sentiment", {
    ...{ url: "https://host/v1", model: "large", key_env: null, record: "pending", answer_above: 0.9 },
    ...{ compare_share: 0.05, timeout_seconds: 120, input_price: 2.5, output_price: null },
  }),
  commands.rejecting("sentiment", "csv:1", "Duplicate"),
  commands.editing("sentiment", "csv:1", { label: "it's" }),
  commands.deletingRun("r1"),
  commands.cancellingRun("r1"),
  commands.asking("sentiment", "baseline", "v2", "it's fine"),
  commands.asking("sentiment", "v1", "v2", "fine"),
  commands.asking("sentiment", "v2", "base", "fine"),
  commands.activating("sentiment", "v2", true),
  commands.serving("sentiment", "n-grams", "v1"),
  commands.rollingBack("sentiment"),
  commands.holding("sentiment", "https://graft.example.org"),
  commands.deletingVersion("sentiment", "v1"),
  commands.searching({
    ...{ task: "sentiment", budget: "20-trials", base: "tiny", more_bases: ["other"], method: "lora", parallel: 2 },
    settings: { targets: ["q_proj", "v_proj"], batch_size: 4 },
  }),
  commands.stoppingStudy("study-1"),
  commands.addingUser("ada", "auditor"),
  commands.addingToken("the bot", "viewer"),
  commands.addingLink("sentiment", "Ada Lovelace"),
  commands.scheduling({
    ...{ task: "sentiment", cron: "0 3 * * 1", zone: "Europe/Berlin", fresh: "20", enough: "50" },
    ...{ base: "tiny", method: "soft-prompt", activate: true },
  }),
];

test.each(SHOWN)("%s is a command that there is", (command) => {
  const words = (command ?? "").split(" ");
  const name = [3, 2].map((count) => words.slice(0, count).join(" ")).find((known) => HELP.has(known));
  const help = HELP.get(name ?? "") ?? "";
  expect(help).toContain("Usage:");
  for (const word of words) if (word.startsWith("--")) expect(help).toContain(`${word} `);
});

test("two queried versions give a compare command, otherwise an infer command", () => {
  expect(commands.asking("t", "v1", "v2", "it's")).toBe(
    String.raw`graft compare --task t --version v2 --with v1 --message 'it'\''s'`,
  );
  expect(commands.asking("t", "baseline", "v2", "m")).toBe("graft compare --task t --version v2 --message m");
  expect(commands.asking("t", "v2", "baseline", "m")).toBe("graft compare --task t --version v2 --message m");
  expect(commands.asking("t", "base", "v2", "m")).toBe("graft infer --task t --version v2 --message m");
  expect(commands.asking("t", "v2", "n-grams", "m")).toBe(
    "graft compare --task t --version v2 --with n-grams --message m",
  );
  expect(commands.asking("t", "base", "baseline", "m")).toBeNull();
});

test("quoted arguments survive the shell", () => {
  expect(["plain-1.0", "two words", "$HOME; rm", "it's", ""].map(quoted)).toEqual([
    "plain-1.0",
    "'two words'",
    "'$HOME; rm'",
    String.raw`'it'\''s'`,
    "''",
  ]);
});
